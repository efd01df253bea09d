"""Health checks made by hand, and what a probe of them came to."""

from __future__ import annotations

from typing import Any

from dnsemu.errors import Origin
from dnsemu.health import Observation
from dnsemu.model import HealthCheck

HERE = Origin("by-hand.yaml")
WELL = Observation(True, "Success: HTTP Status Code 200, OK")
ILL = Observation(False, "Failure: HTTP Status Code 503, Service Unavailable")
ALARM = ("eu-west-1", "cpu")
ARN = "arn:aws:route53-recovery-control::123456789012:controlpanel/0f1e2d3c/routingcontrol/a1b2c3d4"


def probed(check_id: str, **more: Any) -> HealthCheck:
    """One that asks an endpoint; the port is where."""
    return HealthCheck(check_id, **{"type": "TCP", "origin": HERE, "ip_address": "192.0.2.9", "port": 80} | more)


def calculated(check_id: str, children: str, threshold: int, **more: Any) -> HealthCheck:
    """One that counts its children, whose ids stand in one text."""
    return HealthCheck(check_id, "CALCULATED", HERE, children=tuple(children.split()), threshold=threshold, **more)


def metric(check_id: str, alarm: tuple[str, str] = ALARM, **more: Any) -> HealthCheck:
    """One that watches the data of an alarm."""
    return HealthCheck(check_id, "CLOUDWATCH_METRIC", HERE, alarm=alarm, **more)


def recovery(check_id: str, arn: str = ARN, **more: Any) -> HealthCheck:
    """One that follows a routing control."""
    return HealthCheck(check_id, "RECOVERY_CONTROL", HERE, routing_control=arn, **more)


def seen(success: bool) -> Observation:
    """What a probe came to."""
    return WELL if success else ILL
