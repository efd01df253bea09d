"""Health checks, by the names of Terraform's `aws_route53_health_check` (behaviour 3.1), and their status."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from dnsemu.errors import Origin

HealthSnapshot = Mapping[str, bool]
"""Health check id → whether it is healthy. A value: who wants another one publishes another one."""


CHECKER_REGIONS = (
    "us-east-1",
    "us-west-1",
    "us-west-2",
    "eu-west-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-northeast-1",
    "sa-east-1",
)
"""The regions that health checkers are in (behaviour 3.1)."""


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """A health check as configured; where that is written makes no difference.

    `initial_status` is its status before anything is known of its endpoint, None if that was left open.
    `threshold`: how many `children` of a calculated check must be healthy. `alarm`: region and name of the CloudWatch
    alarm that a metric check watches. `routing_control`: the ARN of the control that a recovery check follows.

    Of those that probe: `interval` in seconds, from a response to the next request; `failure_threshold` results in a
    row turn a checker; each of the `checkers` probes on its own.
    """

    id: str
    type: str
    origin: Origin = field(compare=False)
    fqdn: str | None = None
    ip_address: str | None = None
    children: tuple[str, ...] = ()
    threshold: int = 0
    inverted: bool = False
    disabled: bool = False
    insufficient_data_status: str | None = None
    initial_status: bool | None = None
    port: int = 0
    resource_path: str = "/"
    search_string: str | None = None
    enable_sni: bool = True
    regions: tuple[str, ...] = CHECKER_REGIONS
    interval: float = 30.0
    failure_threshold: int = 3
    checkers: int = 1
    alarm: tuple[str, str] | None = None
    routing_control: str | None = None

    @property
    def is_probed(self) -> bool:
        """Whether its type has an endpoint that checkers ask."""
        return self.type not in UNPROBED


UNPROBED = ("CALCULATED", "CLOUDWATCH_METRIC", "RECOVERY_CONTROL")
