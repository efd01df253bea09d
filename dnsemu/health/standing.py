"""Where a health check stands: what is known of it, and what its checkers have seen. Pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import NamedTuple

from dnsemu.health.judge import (
    AlarmState,
    ControlState,
    Turn,
    finally_healthy,
    first_turn,
    judge_alarm,
    judge_checkers,
    judge_control,
)
from dnsemu.health.observation import Observation
from dnsemu.model import HealthCheck
from dnsemu.tally import Histogram

PHASES = ("connect", "tls", "first_byte")
DURATIONS = (0.001, 0.005, 0.025, 0.1, 0.5, 1.0, 2.0, 4.0)
"""Buckets of how long the phases of a probe take, in seconds."""


class Forced(NamedTuple):
    """A status that somebody has set. `ends`: when it is over, by a clock that nobody sets; None: when it is cleared.

    `until`: the same for people, in seconds since the epoch.
    """

    healthy: bool
    reason: str = ""
    ends: float | None = None
    until: float | None = None

    def is_over(self, moment: float) -> bool:
        """Whether its time has come."""
        return self.ends is not None and self.ends <= moment


class Transition(NamedTuple):
    """A check has another status; `why` is a clause for people."""

    check: HealthCheck
    healthy: bool
    why: str
    at: float


@dataclass(slots=True)
class Checker:
    """One checker of a check: where it says it is, what it thinks, and what it saw last, and when.

    `alike`: how many results in a row were as the last one; `is_sure` since they were enough for once.
    """

    region: str
    turn: Turn
    observation: Observation | None = None
    at: float | None = None
    alike: int = 0
    is_sure: bool = False

    def see(self, observation: Observation, threshold: int, now: float) -> None:
        """One more result."""
        before = self.observation
        self.turn = self.turn.after(observation.success, threshold)
        self.alike = self.alike + 1 if before is not None and before.success == observation.success else 1
        self.is_sure = self.is_sure or self.alike >= threshold
        self.observation, self.at = observation, now


@dataclass(slots=True)
class Standing:
    """Where a check stands. `healthy` is its status, `unforced` what it would be if nobody had forced it.

    `probes`, `transitions`: how many failed and succeeded, how many led to unhealthy and to healthy.
    """

    check: HealthCheck
    since: float
    checkers: list[Checker] = field(default_factory=list)
    alarm: AlarmState | None = None
    last_data: bool | None = None
    control: ControlState | None = None
    forced: Forced | None = None
    healthy: bool = True
    unforced: bool = True
    healthy_children: int = 0
    probes: list[int] = field(default_factory=lambda: [0, 0])
    transitions: list[int] = field(default_factory=lambda: [0, 0])
    durations: dict[str, Histogram] = field(default_factory=dict)

    @property
    def is_heard_of(self) -> bool:
        """Whether its status is more than what it begins with: something was said or seen, or it is configured so."""
        said = (self.alarm, self.control, self.forced)
        is_told = self.check.disabled or self.check.insufficient_data_status in ("Healthy", "Unhealthy")
        return is_told or any(one is not None for one in said) or any(one.at is not None for one in self.checkers)

    @property
    def percentage_healthy(self) -> float:
        """How many of a hundred checkers report healthy."""
        return 100.0 * sum(one.turn.healthy for one in self.checkers) / len(self.checkers)


def begin_standing(check: HealthCheck, now: float) -> Standing:
    """A check of which nothing is known yet."""
    standing = Standing(check, now)
    if check.is_probed:
        phases = PHASES[: 1 if check.type == "TCP" else 3]
        used = [phase for phase in phases if phase != "tls" or check.type.startswith("HTTPS")]
        standing.durations = {phase: Histogram(DURATIONS) for phase in used}
        first = first_turn(check)
        standing.checkers = [
            Checker(check.regions[number % len(check.regions)], first) for number in range(check.checkers)
        ]
    return standing


def judge_standing(standing: Standing) -> bool:
    """The status of a check if nobody forced it; not for calculated ones, which go by others."""
    check = standing.check
    if check.type == "CLOUDWATCH_METRIC":
        base = judge_alarm(check, standing.alarm, standing.last_data)
    elif check.type == "RECOVERY_CONTROL":
        base = judge_control(check, standing.control)
    else:
        base = judge_checkers(checker.turn for checker in standing.checkers)
    return finally_healthy(check, base)
