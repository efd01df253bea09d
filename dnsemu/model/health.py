"""Health checks, by the names of Terraform's `aws_route53_health_check` (behaviour 3.1)."""

from __future__ import annotations

from dataclasses import dataclass

from dnsemu.errors import Origin


@dataclass(frozen=True, slots=True)
class HealthCheck:
    """A health check as configured. It is validated and its id may be referred to; nothing is probed yet."""

    id: str
    type: str
    origin: Origin
    fqdn: str | None = None
    ip_address: str | None = None
    children: tuple[str, ...] = ()
