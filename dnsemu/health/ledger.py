"""All that is known about the health checks of a configuration, and what follows from it. Pure: time is given."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from types import MappingProxyType

from dnsemu.health.judge import AlarmState, ControlState, finally_healthy, judge_children
from dnsemu.health.observation import Observation
from dnsemu.health.standing import Forced, Standing, Transition, judge_standing
from dnsemu.health.succession import Succession, hand_over, succession
from dnsemu.model import HealthCheck, HealthSnapshot


class Ledger:
    """The standing of every check. What changes one returns the transitions that follow from it, parents' too."""

    def __init__(self, checks: Iterable[HealthCheck], now: float) -> None:
        self.standings: dict[str, Standing] = {}
        self._parents: dict[str, list[str]] = {}  # of each child, the calculated checks that count it
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

    def expire(self, moment: float, now: float) -> list[Transition]:
        """Clear what was forced until a moment, by the clock that ends what is forced."""
        over = [one for one in self.standings.values() if one.forced and one.forced.is_over(moment)]
        for standing in over:
            standing.forced = None
        return self._review(over, "no longer forced", now)

    def reset(self, now: float) -> list[Transition]:
        """Drop what was forced and what alarms and controls have said."""
        for standing in self.standings.values():
            standing.forced = standing.alarm = standing.last_data = standing.control = None
        return self._review(list(self.standings.values()), "reset", now)

    def plan(self, checks: Iterable[HealthCheck], now: float) -> Succession:
        """What `take` needs to go on with other checks; made in any thread, if nothing else is taken meanwhile."""
        return succession(self.standings, checks, now)

    def take(self, plan: Succession, now: float) -> list[Transition]:
        """Go on with other checks. A check that asks the same of the same endpoint keeps what is known of it."""
        for standing, check in plan.kept:
            standing.check = check
        for before, after in plan.changed:
            hand_over(before, after)
        self.standings, self._parents, self._snapshot = plan.standings, plan.parents, None
        transitions = []
        for standing in self._concerned(plan):
            if standing.check.id in self._healthy:
                transitions += self._review_alone(standing, "the configuration changed", now)
            else:
                standing.healthy = standing.unforced = self._unforced(standing)
        self._healthy = {check_id: standing.healthy for check_id, standing in self.standings.items()}
        return transitions

    def replace(self, checks: Iterable[HealthCheck], now: float) -> list[Transition]:
        """`plan` and `take`."""
        return self.take(self.plan(checks, now), now)

    def _concerned(self, plan: Succession) -> list[Standing]:
        """Whose status may be another one: what has changed, calculated checks that are new or count others."""
        others = [*(after for _, after in plan.changed), *plan.begun]
        above = {parent: self.standings[parent] for one in others for parent in self._parents.get(one.check.id, ())}
        above |= {one.check.id: one for one in others if one.check.type == "CALCULATED"}
        return [*(after for _, after in plan.changed if after.check.id not in above), *above.values()]

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
        if check.type != "CALCULATED":
            return judge_standing(standing)
        self._count_children(standing)
        depends = 0 < check.threshold <= len(check.children) and not check.disabled  # K2
        if depends and check.initial_status is not None and not self._is_heard_of(check.children):
            return check.initial_status
        return finally_healthy(check, judge_children(check, standing.healthy_children))

    def _is_heard_of(self, children: Iterable[str]) -> bool:
        return any(self.standings[child].is_heard_of for child in children)

    def _count_children(self, standing: Standing) -> None:
        standing.healthy_children = sum(self.standings[child].healthy for child in standing.check.children)


def _children_said(standing: Standing) -> str:
    of = f"{standing.healthy_children} of {len(standing.check.children)} children healthy"
    return f"{of}, {standing.check.threshold} needed"


def _is_called(arn: str | None, control: str) -> bool:
    return arn is not None and control in (arn, arn.rpartition("/")[2])


def initial_snapshot(checks: Iterable[HealthCheck]) -> HealthSnapshot:
    """The status of every check before anything is known of it (3.2.4, 3.2.5)."""
    return Ledger(checks, 0.0).snapshot
