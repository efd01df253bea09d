"""Health by the letter of the document, from all that ever happened; slow, and without any state.

A `History` is a list of events. What a check is now follows from the whole list, after each event anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field, replace
from fractions import Fraction
from functools import cached_property, lru_cache
from typing import NamedTuple

from health.checks import HERE

from dnsemu.model import HealthCheck

# From results to a status (3.2)


class Result(NamedTuple):
    """What a probe came to, and the failure threshold that it counts by."""

    success: bool
    threshold: int


def says_healthy(results: Sequence[Result], at_first: bool) -> bool:
    """What a checker says: what its last run of as many like results as the threshold asks for came to (3.2.1)."""
    for end in range(len(results), 0, -1):
        threshold = results[end - 1].threshold
        run = [result.success for result in results[max(end - threshold, 0) : end]]
        if len(run) == threshold and len(set(run)) == 1:
            return run[0]
    return at_first


def is_share_enough(said: Sequence[bool]) -> bool:
    """More than 18 % (3.2.2)."""
    return Fraction(sum(said), len(said)) > Fraction(18, 100)


def finished(check: HealthCheck, base: bool) -> bool:
    """Disabled is healthy, then comes inversion (3.2.3, 3.2.5)."""
    base = True if check.disabled else base
    return not base if check.inverted else base


def at_first(check: HealthCheck) -> bool:
    """What makes the initial status, healthy if nothing is said of it; before inversion (3.2.4)."""
    if check.initial_status is None:
        return True
    return not check.initial_status if check.inverted else check.initial_status


# What happens


class Configured(NamedTuple):
    """These checks are there from now on."""

    checks: tuple[HealthCheck, ...]


class Seen(NamedTuple):
    """A checker of a check has probed."""

    check: str
    checker: int
    success: bool


class Alarm(NamedTuple):
    """The data of an alarm say something."""

    region: str
    name: str
    state: str


class Control(NamedTuple):
    """A routing control was set."""

    name: str
    state: str


class Force(NamedTuple):
    """A status was set, until some time or for good."""

    check: str
    healthy: bool
    until: float | None


class Clear(NamedTuple):
    """Somebody takes back what was forced."""

    check: str


class Expire(NamedTuple):
    """Whoever looks at the clock has looked."""


class Reset(NamedTuple):
    """What people and alarms have said is forgotten."""


What = Configured | Seen | Alarm | Control | Force | Clear | Expire | Reset


class Event(NamedTuple):
    """What happened, and when."""

    at: float
    what: What


@dataclass
class History:
    """All that happened; the first event configures. `statuses` has the status of all checks after each event."""

    events: list[Event] = field(default_factory=list)
    statuses: list[dict[str, bool]] = field(default_factory=list)
    view: View = field(init=False)

    def add(self, at: float, what: What) -> None:
        """One more event."""
        self.events.append(Event(at, what))
        self.view = View(tuple(self.events))
        self.statuses.append(self.view.all())

    def changes(self) -> dict[str, bool]:
        """Checks that have another status than before the last event; not those that were not there before it."""
        if len(self.statuses) < 2:
            return {}
        before, after = self.statuses[-2:]
        return {one: healthy for one, healthy in after.items() if before.get(one, healthy) is not healthy}

    def since(self, check_id: str) -> float:
        """When a check came to the status that it has."""
        number = len(self.statuses) - 1
        status = self.statuses[-1][check_id]
        while number and self.statuses[number - 1].get(check_id) is status:
            number -= 1
        return self.events[number].at

    def turned(self, check_id: str) -> list[int]:
        """How often a check came to be unhealthy, and healthy."""
        counts = [0, 0]
        for before, after in zip(self.statuses[:-1], self.statuses[1:], strict=True):
            if check_id not in after:
                counts = [0, 0]
            elif check_id in before and before[check_id] is not after[check_id]:
                counts[after[check_id]] += 1
        return counts


@dataclass
class View:
    """Everything at the end of a list of events."""

    events: Sequence[Event]
    _forced: dict[str, Force | None] = field(default_factory=dict)  # what was asked for already
    _results: dict[tuple[str, int], list[Result]] = field(default_factory=dict)

    @cached_property
    def checks(self) -> dict[str, HealthCheck]:
        """What is configured."""
        last = [event.what for event in self.events if isinstance(event.what, Configured)][-1]
        return {check.id: check for check in last.checks}

    def all(self) -> dict[str, bool]:
        """The status of every check."""
        return {check_id: self.status(check_id) for check_id in self.checks}

    def status(self, check_id: str) -> bool:
        """What counts: what is forced, above everything else."""
        forced = self.forced(check_id)
        return self.unforced(check_id) if forced is None else forced.healthy

    def unforced(self, check_id: str) -> bool:
        """What it would be if nobody had forced it."""
        check = self.checks[check_id]
        if check.type == "CALCULATED":
            heard = any(self.is_heard_of(child) for child in check.children)
            depends = 0 < check.threshold <= len(check.children)  # K2
            if check.initial_status is not None and depends and not check.disabled and not heard:
                return check.initial_status
            return finished(check, self.healthy_children(check_id) >= check.threshold)  # K1, K2, K7
        if check.type == "CLOUDWATCH_METRIC":
            return finished(check, self._alarm_says(check))
        if check.type == "RECOVERY_CONTROL":
            state = self._control(check)
            return finished(check, at_first(check) if state is None else state == "On")
        return finished(check, is_share_enough(self.said(check_id)))

    def healthy_children(self, check_id: str) -> int:
        """How many children of a check are healthy, forced ones as they are forced."""
        return sum(self.status(child) for child in self.checks[check_id].children)

    def said(self, check_id: str) -> list[bool]:
        """What each checker of a check says."""
        check = self.checks[check_id]
        return [
            says_healthy(self.results(check, number), self._start(check, number)) for number in range(check.checkers)
        ]

    def _start(self, check: HealthCheck, checker: int) -> bool:
        """What a checker says before it has seen enough: if it came later, what those before it said who had."""
        earlier = self._before(check, checker)
        if earlier is None or not earlier.is_sure(check.id):
            return at_first(check)
        return is_share_enough(earlier.said(check.id))

    def _before(self, check: HealthCheck, checker: int) -> View | None:
        """Everything before a checker came, if its check had others then."""
        begin = self._since(check, lambda other: asks_alike(check, other) and other.checkers > checker)
        earlier = View(self.events[:begin]) if begin else None
        other = earlier.checks.get(check.id) if earlier else None
        return earlier if other is not None and asks_alike(check, other) else None

    def is_sure(self, check_id: str) -> bool:
        """Whether one of the checkers has seen enough, or came when another one had."""
        check = self.checks[check_id]
        for number in range(check.checkers):
            results, earlier = self.results(check, number), self._before(check, number)
            if says_healthy(results, at_first=True) is says_healthy(results, at_first=False):
                return True
            if earlier is not None and earlier.is_sure(check_id):
                return True
        return False

    def results(self, check: HealthCheck, checker: int) -> list[Result]:
        """What a checker has seen since it asks what it asks."""
        known = self._results.get((check.id, checker))
        if known is not None:
            return known
        begin = self._since(check, lambda other: asks_alike(check, other) and other.checkers > checker)
        found = self._results[check.id, checker] = []
        threshold = 0
        for event in self.events[begin:]:
            if isinstance(event.what, Configured):
                threshold = next(one.failure_threshold for one in event.what.checks if one.id == check.id)
            elif isinstance(event.what, Seen) and event.what[:2] == (check.id, checker):
                found.append(Result(event.what.success, threshold))
        return found

    def probes(self, check_id: str) -> list[int]:
        """How many probes of a check failed, and how many succeeded, since it is there."""
        begin = self._since(self.checks[check_id], lambda other: True)
        found = [event.what for event in self.events[begin:] if isinstance(event.what, Seen)]
        mine = [one.success for one in found if one.check == check_id]
        return [mine.count(False), mine.count(True)]

    def forced(self, check_id: str) -> Force | None:
        """What a check is forced to be."""
        if check_id in self._forced:
            return self._forced[check_id]
        begin, forced = self._since(self.checks[check_id], lambda other: True), None
        for at, what in self.events[begin:]:
            if isinstance(what, Force) and what.check == check_id:
                forced = what
            elif _frees(what, check_id, forced.until if forced else None, at):
                forced = None
        self._forced[check_id] = forced
        return forced

    def is_heard_of(self, check_id: str) -> bool:
        """Whether anything was seen or said of a check, or it says itself what it is."""
        check = self.checks[check_id]
        if check.disabled or check.insufficient_data_status in ("Healthy", "Unhealthy"):
            return True
        if self.forced(check_id) or self._data(check) or self._control(check):
            return True
        return any(self.results(check, number) for number in range(check.checkers))

    def _alarm_says(self, check: HealthCheck) -> bool:
        """3.6"""
        states = self._data(check)
        if not states and check.initial_status is not None:
            return at_first(check)
        if states and states[-1] != "INSUFFICIENT_DATA":
            return states[-1] == "OK"
        if check.insufficient_data_status in ("Healthy", "Unhealthy"):
            return check.insufficient_data_status == "Healthy"
        history = [state for state in states if state != "INSUFFICIENT_DATA"]
        return not history or history[-1] == "OK"

    def _data(self, check: HealthCheck) -> list[str]:
        """What the data of the alarm that it watches said."""
        said = [what for what in self._heard(check) if isinstance(what, Alarm)]
        return [what.state for what in said if (what.region, what.name) == check.alarm]

    def _control(self, check: HealthCheck) -> str | None:
        """The state of the routing control that it follows."""
        arn = check.routing_control or ""
        said = [what for what in self._heard(check) if isinstance(what, Control)]
        states = [what.state for what in said if what.name in (arn, arn.split("/")[-1])]
        return states[-1] if states else None

    def _heard(self, check: HealthCheck) -> list[What]:
        """What happened since a check asks what it asks, and since the last reset."""
        begin = self._since(check, lambda other: asks_alike(check, other))
        found = [event.what for event in self.events[begin:]]
        resets = [number for number, what in enumerate(found) if isinstance(what, Reset)]
        return found[resets[-1] if resets else 0 :]

    def _since(self, check: HealthCheck, holds: Callable[[HealthCheck], bool]) -> int:
        """The number of the configuration since which a check of that id is there without a gap, and `holds`."""
        found = 0
        for number in range(len(self.events) - 1, -1, -1):
            what = self.events[number].what
            if isinstance(what, Configured):
                other = _of_id(what.checks, check.id)
                if other is None or not holds(other):
                    break
                found = number
        return found


def asks_alike(check: HealthCheck, other: HealthCheck) -> bool:
    """Whether what is known of one is known of the other: they differ in nothing but when it is asked and judged."""
    return check is other or _without_judging(check) == _without_judging(other)


@lru_cache(maxsize=10_000)
def _without_judging(check: HealthCheck) -> HealthCheck:
    return replace(
        check,
        origin=HERE,
        failure_threshold=1,
        inverted=False,
        disabled=False,
        interval=30.0,
        checkers=1,
        children=(),
        threshold=0,
        insufficient_data_status=None,
        initial_status=None,
    )


def _frees(what: What, check_id: str, until: float | None, at: float) -> bool:
    """Whether what happens ends what was forced."""
    if isinstance(what, Expire):
        return until is not None and until <= at
    return isinstance(what, Reset) or (isinstance(what, Clear) and what.check == check_id)


def _of_id(checks: Iterable[HealthCheck], check_id: str) -> HealthCheck | None:
    return next((check for check in checks if check.id == check_id), None)
