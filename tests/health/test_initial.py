"""The status of health checks before anything is probed (behaviour 3.2, 3.5, 3.6)."""

from __future__ import annotations

import pytest

from dnsemu.app import load_text
from dnsemu.health import initial_snapshot
from dnsemu.model import HealthSnapshot

PROBED = "type: TCP, ip_address: 192.0.2.9, port: 80"
ALARM = "type: CLOUDWATCH_METRIC, cloudwatch_alarm_region: us-east-1, cloudwatch_alarm_name: cpu"
ARN = "arn:aws:route53-recovery-control::123456789012:controlpanel/c/routingcontrol/r"
CONTROL = f"type: RECOVERY_CONTROL, routing_control_arn: '{ARN}'"


def _snapshot(*checks: str) -> HealthSnapshot:
    text = "version: 1\nhealth_checks:\n" + "".join(f"  - {{{check}}}\n" for check in checks)
    return initial_snapshot(load_text(text).configuration.health_checks)


STATUS = [
    (PROBED, True),
    ("type: HTTPS_STR_MATCH, fqdn: www.example.com, search_string: well", True),
    (f"{PROBED}, invert_healthcheck: true", False),
    (f"{PROBED}, disabled: true", True),
    (f"{PROBED}, disabled: true, invert_healthcheck: true", False),
    (f"{PROBED}, dnsemu: {{initial_status: unhealthy}}", False),
    (f"{PROBED}, dnsemu: {{initial_status: healthy}}", True),
    (f"{PROBED}, invert_healthcheck: true, dnsemu: {{initial_status: healthy}}", True),
    (f"{PROBED}, invert_healthcheck: true, dnsemu: {{initial_status: unhealthy}}", False),
    (f"{PROBED}, dnsemu: {{checkers: 3}}", True),
    (ALARM, True),
    (f"{ALARM}, insufficient_data_health_status: Healthy", True),
    (f"{ALARM}, insufficient_data_health_status: Unhealthy", False),
    (f"{ALARM}, insufficient_data_health_status: LastKnownStatus", True),
    (f"{ALARM}, insufficient_data_health_status: Healthy, invert_healthcheck: true", False),
    (f"{ALARM}, insufficient_data_health_status: Unhealthy, invert_healthcheck: true", True),
    (f"{ALARM}, insufficient_data_health_status: Unhealthy, dnsemu: {{initial_status: healthy}}", True),
    (CONTROL, True),
    (f"{CONTROL}, invert_healthcheck: true", False),
]


@pytest.mark.parametrize(("check", "healthy"), STATUS)
def test_a_check_begins(check: str, healthy: bool) -> None:
    assert _snapshot(f"id: web, {check}") == {"web": healthy}


CHILDREN = ("up", "down", "inverted")
CHILD_ROWS = (
    f"id: up, {PROBED}",
    f"id: down, {PROBED}, dnsemu: {{initial_status: unhealthy}}",
    f"id: inverted, {PROBED}, invert_healthcheck: true",
)


def _calculated(children: tuple[str, ...], threshold: int, more: str = "") -> bool:
    found = f"[{', '.join(children)}]"
    row = f"id: all, type: CALCULATED, child_healthchecks: {found}, child_health_threshold: {threshold}{more}"
    return _snapshot(row, *CHILD_ROWS)["all"]


@pytest.mark.parametrize("threshold", range(5))
@pytest.mark.parametrize("children", [(), ("up",), ("down",), ("up", "down"), CHILDREN])
def test_a_calculated_check_counts_its_children(children: tuple[str, ...], threshold: int) -> None:
    """K1, and K2: a threshold of 0 is always reached, one above the number of children never."""
    healthy = children.count("up") >= threshold
    assert _calculated(children, threshold) is healthy
    assert _calculated(children, threshold, ", invert_healthcheck: true") is not healthy  # K7


@pytest.mark.parametrize("status", ["healthy", "unhealthy"])
def test_a_calculated_check_may_begin_otherwise(status: str) -> None:
    more = f", dnsemu: {{initial_status: {status}}}"
    assert _calculated(("up",), 1, more) is (status == "healthy")
    assert _calculated(("up",), 0, more) is True  # K2: whatever children are
    assert _calculated(("up",), 3, more) is False


@pytest.mark.parametrize("status", ["healthy", "unhealthy"])
@pytest.mark.parametrize(
    ("child", "healthy"),
    [
        (f"{PROBED}, disabled: true", True),
        (f"{PROBED}, disabled: true, invert_healthcheck: true", False),
        ("type: CLOUDWATCH_METRIC, insufficient_data_health_status: Healthy", True),
        ("type: CLOUDWATCH_METRIC, insufficient_data_health_status: Unhealthy", False),
    ],
)
def test_a_calculated_check_goes_by_children_that_are_known(child: str, healthy: bool, status: str) -> None:
    """What is configured to be so will not be told by anybody later."""
    alarm = ", cloudwatch_alarm_region: us-east-1, cloudwatch_alarm_name: cpu" if "CLOUDWATCH" in child else ""
    begins = f"dnsemu: {{initial_status: {status}}}"
    row = f"id: all, type: CALCULATED, child_healthchecks: [one], child_health_threshold: 1, {begins}"
    assert _snapshot(row, f"id: one, {child}{alarm}")["all"] is healthy


def test_a_disabled_child_is_healthy_unless_inverted() -> None:
    """K4"""
    found = _snapshot(
        "id: any, type: CALCULATED, child_healthchecks: [off, odd], child_health_threshold: 1",
        "id: all, type: CALCULATED, child_healthchecks: [off, odd], child_health_threshold: 2",
        f"id: off, {PROBED}, disabled: true",
        f"id: odd, {PROBED}, disabled: true, invert_healthcheck: true",
    )
    assert found == {"any": True, "all": False, "off": True, "odd": False}


def test_a_snapshot_is_a_value() -> None:
    with pytest.raises(TypeError):
        _snapshot(f"id: web, {PROBED}")["web"] = False  # type: ignore[index]


def test_there_may_be_no_check() -> None:
    assert initial_snapshot([]) == {}
