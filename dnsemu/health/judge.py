"""From probes to a status (behaviour 3.2, 3.5, 3.6). Pure: results, states and times are arguments."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

from dnsemu.model import HealthCheck

AlarmState = Literal["OK", "ALARM", "INSUFFICIENT_DATA"]
ControlState = Literal["On", "Off"]

SHARE = 18  # per cent of the checkers; more than that must report healthy (3.2.2)


class Turn(NamedTuple):
    """What one checker thinks: whether the endpoint is healthy, and how many results in a row say otherwise."""

    healthy: bool
    opposite: int = 0

    def after(self, success: bool, threshold: int) -> Turn:  # noqa: FBT001
        """After one more result: `threshold` results in a row that say otherwise turn it (3.2.1)."""
        if success == self.healthy:
            return Turn(self.healthy)
        if self.opposite + 1 >= threshold:
            return Turn(success)
        return Turn(self.healthy, self.opposite + 1)


def first_turn(check: HealthCheck) -> Turn:
    """Before the first result: healthy (3.2.4), or what makes the check's initial status, which inversion turns."""
    return Turn(check.initial_status is None or check.initial_status != check.inverted)


def judge_checkers(turns: Iterable[Turn]) -> bool:
    """Whether more than 18 % of the checkers report healthy (3.2.2)."""
    reports = [turn.healthy for turn in turns]
    return 100 * sum(reports) > SHARE * len(reports)


def judge_children(check: HealthCheck, healthy: int) -> bool:
    """Whether enough children are healthy (K1, K2)."""
    return healthy >= check.threshold


def judge_alarm(check: HealthCheck, state: AlarmState | None, last: bool | None) -> bool:  # noqa: FBT001
    """By the state of the alarm's data, None before any came; `last` is what the last data said (3.6).

    A check without insufficient_data_health_status goes by the last known one.
    """
    if state is None and check.initial_status is not None:
        return check.initial_status != check.inverted
    if state in ("OK", "ALARM"):
        return state == "OK"
    if check.insufficient_data_status in ("Healthy", "Unhealthy"):
        return check.insufficient_data_status == "Healthy"
    return last is not False


def judge_control(check: HealthCheck, state: ControlState | None) -> bool:
    """On is healthy, Off is not (3.1); before anybody has said, healthy."""
    return first_turn(check).healthy if state is None else state == "On"


def finally_healthy(check: HealthCheck, base: bool) -> bool:  # noqa: FBT001
    """A check that is disabled counts as healthy, and inversion comes last (3.2.3, 3.2.5)."""
    return (check.disabled or base) != check.inverted
