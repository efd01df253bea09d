"""All that is known about the health checks of a configuration, and what follows from it. Pure: time is given."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from types import MappingProxyType
from typing import NamedTuple

from dnsemu.health.judge import (
    AlarmState,
    ControlState,
    Turn,
    finally_healthy,
    first_turn,
    judge_alarm,
    judge_checkers,
    judge_children,
    judge_control,
)
from dnsemu.health.observation import Observation
from dnsemu.model import HealthCheck, HealthSnapshot
from dnsemu.tally import Histogram

PHASES = ("connect", "tls", "first_byte")
DURATIONS = (0.001, 0.005, 0.025, 0.1, 0.5, 1.0, 2.0, 4.0)
"""Buckets of how long the phases of a probe take, in seconds."""


class Forced(NamedTuple):
    """A status that somebody has set, `until` when (seconds since the epoch; None: until it is cleared)."""

    healthy: bool
    reason: str = ""
    until: float | None = None

    def is_over(self, now: float) -> bool:
        """Whether its time has come."""
        return self.until is not None and self.until <= now


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
        """Whether anything but its configuration says how it is."""
        said = (self.alarm, self.control, self.forced)
        return any(one is not None for one in said) or any(one.at is not None for one in self.checkers)

    @property
    def percentage_healthy(self) -> float:
        """How many of a hundred checkers report healthy."""
        return 100.0 * sum(one.turn.healthy for one in self.checkers) / len(self.checkers)


class Ledger:
    """The standing of every check. What changes one returns the transitions that follow from it, parents' too."""

    def __init__(self, checks: Iterable[HealthCheck], now: float) -> None:
        self.standings: dict[str, Standing] = {}
        self._parents: dict[str, list[str]] = {}
        self._snapshot: HealthSnapshot | None = None
        self._healthy: dict[str, bool] = {}
        self.replace(checks, now)

    @property
    def snapshot(self) -> HealthSnapshot:
        """The status of every check, as a value."""
        if self._snapshot is None:
            self._snapshot = MappingProxyType(dict(self._healthy))
        return self._snapshot

    def observe(self, check_id: str, number: int, observation: Observation, now: float) -> list[Transition]:
        """A checker, by its number, has seen something."""
        standing = self.standings[check_id]
        checker = standing.checkers[number]
        was_silent = checker.at is None
        checker.see(observation, standing.check.failure_threshold, now)
        standing.probes[observation.success] += 1
        for phase, histogram in standing.durations.items():
            seconds = getattr(observation, phase)
            if seconds is not None:
                histogram.observe(seconds)
        inverted = " (inverted)" if standing.check.inverted else ""
        return self._review([standing], f"{observation.text}{inverted}", now, parents_too=was_silent)

    def set_alarm(self, region: str, name: str, state: AlarmState, now: float) -> list[Transition]:
        """The data of an alarm say something. Raises LookupError if no check watches it."""
        watching = [one for one in self.standings.values() if one.check.alarm == (region, name)]
        if not watching:
            raise LookupError(f"no health check watches an alarm {name} in {region}")
        for standing in watching:
            standing.alarm = state
            if state != "INSUFFICIENT_DATA":
                standing.last_data = state == "OK"
        return self._review(watching, f"alarm {name} is {state}", now)

    def set_control(self, control: str, state: ControlState, now: float) -> list[Transition]:
        """A routing control, by its ARN or what is behind the last slash, was set. Raises LookupError."""
        following = [one for one in self.standings.values() if _is_called(one.check.routing_control, control)]
        if not following:
            raise LookupError(f"no health check follows a routing control {control}")
        for standing in following:
            standing.control = state
        return self._review(following, f"routing control {control} is {state}", now)

    def arn_of(self, control: str) -> str:
        """The ARN of a routing control. Raises LookupError."""
        arns = [one.check.routing_control for one in self.standings.values()]
        found = next((arn for arn in arns if arn is not None and _is_called(arn, control)), None)
        if found is None:
            raise LookupError(f"no health check follows a routing control {control}")
        return found

    def force(self, check_id: str, forced: Forced, now: float) -> list[Transition]:
        """Set a status above everything else. Raises KeyError."""
        standing = self.standings[check_id]
        standing.forced = forced
        return self._review([standing], f"forced{': ' if forced.reason else ''}{forced.reason}", now)

    def clear(self, check_id: str, now: float) -> list[Transition]:
        """Let a status be what it is. Raises KeyError."""
        standing = self.standings[check_id]
        standing.forced = None
        return self._review([standing], "no longer forced", now)

    def expire(self, now: float) -> list[Transition]:
        """Clear what was forced until now."""
        over = [standing for standing in self.standings.values() if standing.forced and standing.forced.is_over(now)]
        for standing in over:
            standing.forced = None
        return self._review(over, "no longer forced", now)

    def reset(self, now: float) -> list[Transition]:
        """Drop what was forced and what alarms and controls have said."""
        for standing in self.standings.values():
            standing.forced = standing.alarm = standing.last_data = standing.control = None
        return self._review(list(self.standings.values()), "reset", now)

    def replace(self, checks: Iterable[HealthCheck], now: float) -> list[Transition]:
        """Go on with other checks. A check that asks the same of the same endpoint keeps what is known of it."""
        before = self.standings
        self.standings = {check.id: _succeed(before.get(check.id), check, now) for check in checks}
        self._parents = {}
        for check in (standing.check for standing in self.standings.values()):
            for child in dict.fromkeys(check.children):
                self._parents.setdefault(child, []).append(check.id)
        self._snapshot = None
        transitions = []
        for standing in sorted(self.standings.values(), key=lambda one: one.check.type == "CALCULATED"):
            if standing.check.id in before:
                transitions += self._review_alone(standing, "the configuration changed", now)
            else:
                standing.healthy = standing.unforced = self._unforced(standing)
        self._healthy = {check_id: standing.healthy for check_id, standing in self.standings.items()}
        return transitions

    def _review(
        self, standings: Sequence[Standing], why: str, now: float, *, parents_too: bool = True
    ) -> list[Transition]:
        """What the statuses of checks of which something is known now are, and then those of parents, once.

        Without `parents_too`, parents are looked at only if a child's status is another one.
        """
        children = [one for one in standings if one.check.type != "CALCULATED"]
        transitions = [found for one in children for found in self._review_alone(one, why, now)]
        above = {one.check.id: why for one in standings if one.check.type == "CALCULATED"}
        if transitions or parents_too:
            for child in children:
                for parent in self._parents.get(child.check.id, ()):
                    above.setdefault(parent, "")
        for parent, its_why in above.items():
            standing = self.standings[parent]
            self._count_children(standing)
            transitions += self._review_alone(standing, its_why or _children_said(standing), now)
        return transitions

    def _review_alone(self, standing: Standing, why: str, now: float) -> list[Transition]:
        standing.unforced = self._unforced(standing)
        healthy = standing.unforced if standing.forced is None else standing.forced.healthy
        if healthy == standing.healthy:
            return []
        standing.healthy, standing.since = healthy, now
        standing.transitions[healthy] += 1
        self._healthy[standing.check.id] = healthy
        self._snapshot = None
        return [Transition(standing.check, healthy, why, now)]

    def _unforced(self, standing: Standing) -> bool:
        check = standing.check
        if check.type == "CALCULATED":
            self._count_children(standing)
            waits = check.initial_status is not None and not check.disabled
            if waits and not any(self.standings[child].is_heard_of for child in check.children):
                return bool(check.initial_status)
            return finally_healthy(check, judge_children(check, standing.healthy_children))
        if check.type == "CLOUDWATCH_METRIC":
            return finally_healthy(check, judge_alarm(check, standing.alarm, standing.last_data))
        if check.type == "RECOVERY_CONTROL":
            return finally_healthy(check, judge_control(check, standing.control))
        return finally_healthy(check, judge_checkers(checker.turn for checker in standing.checkers))

    def _count_children(self, standing: Standing) -> None:
        standing.healthy_children = sum(self.standings[child].healthy for child in standing.check.children)


def _children_said(standing: Standing) -> str:
    of = f"{standing.healthy_children} of {len(standing.check.children)} children healthy"
    return f"{of}, {standing.check.threshold} needed"


def _is_called(arn: str | None, control: str) -> bool:
    return arn is not None and control in (arn, arn.rpartition("/")[2])


def asks_the_same(check: HealthCheck, other: HealthCheck) -> bool:
    """Whether two checks ask the same of the same, and begin alike: then what is known of one holds for the other."""
    return _asked(check) == _asked(other)


def _asked(check: HealthCheck) -> tuple[object, ...]:
    return (
        *(check.type, check.fqdn, check.ip_address, check.port, check.resource_path, check.search_string),
        *(check.enable_sni, check.alarm, check.routing_control, check.initial_status),
    )


def _succeed(before: Standing | None, check: HealthCheck, now: float) -> Standing:
    """The standing of a check after another configuration; what is forced stays so."""
    standing = Standing(check, now)
    if check.is_probed:
        phases = PHASES[: 1 if check.type == "TCP" else 3]
        used = [phase for phase in phases if phase != "tls" or check.type.startswith("HTTPS")]
        standing.durations = {phase: Histogram(DURATIONS) for phase in used}
        standing.checkers = [
            Checker(check.regions[number % len(check.regions)], first_turn(check)) for number in range(check.checkers)
        ]
    if before is None:
        return standing
    standing.forced = before.forced
    standing.healthy, standing.since = before.healthy, before.since
    standing.probes, standing.transitions = before.probes, before.transitions
    if asks_the_same(before.check, check):
        standing.alarm, standing.last_data, standing.control = before.alarm, before.last_data, before.control
        standing.durations = before.durations
        for number, checker in enumerate(before.checkers[: check.checkers]):
            turn = checker.turn if checker.is_sure else _begun(first_turn(check), checker)
            standing.checkers[number] = replace(checker, region=standing.checkers[number].region, turn=turn)
    return standing


def _begun(first: Turn, checker: Checker) -> Turn:
    """What a checker thinks that is not sure yet: as the check begins, by the inversion that there is now."""
    seen = checker.observation
    return first if seen is None or seen.success == first.healthy else Turn(first.healthy, checker.alike)


def initial_snapshot(checks: Iterable[HealthCheck]) -> HealthSnapshot:
    """The status of every check before anything is known of it (3.2.4, 3.2.5)."""
    return Ledger(checks, 0.0).snapshot
