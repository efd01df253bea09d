"""Random histories of health checks: what is seen, said, forced and reloaded, of few checks, so that it meets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from random import Random
from typing import Any

from health.checks import ALARM, ARN, calculated, metric, probed, recovery
from health.naive import Alarm, Clear, Configured, Control, Event, Expire, Force, Reset, Seen, What
from hypothesis import strategies as st
from properties.selection_zones import Chance, Drawn, Seeded
from properties.strategies import EXPLORE

from dnsemu.errors import Origin
from dnsemu.model import HealthCheck

Checks = dict[str, HealthCheck]

MEMORY = (ALARM[0], "memory")
LAST_SEGMENT = ARN.rpartition("/")[2]
INITIALLY = (None, None, True, False)
CHOICES: dict[str, tuple[Any, ...]] = {  # what may be otherwise after a reload
    "failure_threshold": (1, 2, 3),
    "checkers": (1, 1, 2, 6),
    "disabled": (False, False, True),
    "inverted": (False, True),
    "port": (80, 81),
    "initial_status": INITIALLY,
    "interval": (10.0, 30.0),
    "origin": (Origin("zones.yaml", 3), Origin("zones.yaml", 4)),
    "insufficient_data_status": (None, "Healthy", "Unhealthy", "LastKnownStatus"),
    "alarm": (ALARM, MEMORY),
    "threshold": (0, 1, 2, 3, 5),
    "children": ((), ("a",), ("a", "b"), ("b", "c", "m"), ("a", "b", "c", "m", "r")),
}
_EVERY = ("disabled", "inverted", "initial_status", "origin")
_PROBED = (*_EVERY, "failure_threshold", "checkers", "port", "interval")
PARTS = {  # which of these a type has
    "TCP": _PROBED,
    "HTTP": _PROBED,
    "CLOUDWATCH_METRIC": (*_EVERY, "insufficient_data_status", "alarm"),
    "RECOVERY_CONTROL": _EVERY,
    "CALCULATED": (*_EVERY, "threshold", "children"),
}
TYPES = {
    "any": ("CALCULATED",),
    "a": ("TCP",),
    "b": ("TCP", "HTTP"),
    "c": ("TCP", "CLOUDWATCH_METRIC"),
    "m": ("CLOUDWATCH_METRIC",),
    "r": ("RECOVERY_CONTROL",),
    "all": ("CALCULATED",),
}
FATES = ("same", "same", "other", "other", "other", "new", "gone")
KINDS = (*("seen",) * 6, *("said",) * 3, "force", "force", "clear", "expire", "reset", "reload", "reload")
RESULTS = ("s", "f", "f", "ss", "ff", "ff", "sf", "fs", "fff", "sss", "fsf", "sfs", "ffsff")


def histories() -> st.SearchStrategy[list[Event]]:
    """A configuration, and what happens then."""
    return _strategy(_history)


def reloads() -> st.SearchStrategy[list[Event]]:
    """One check that is probed and reloaded, again and again."""
    return _strategy(_reloads)


def _strategy(make: Callable[[Chance], list[Event]]) -> st.SearchStrategy[list[Event]]:
    """Exploring looks for the shortest history that fails, and so makes every choice; otherwise a number decides."""
    if EXPLORE:
        return st.builds(make, st.builds(Drawn, st.data()))
    return st.integers(0, 1 << 32).map(lambda seed: make(Seeded(Random(seed))))


def _history(chance: Chance) -> list[Event]:
    ids = chance.several(sorted(TYPES), 1, 4)
    checks = _configuration(chance, ids, {})
    now, events = 100.0, [Event(100.0, Configured(tuple(checks.values())))]
    for kind in chance.several(KINDS, 3, 24, twice=True):
        now += chance.pick((0.0, 1.0, 2.0))
        if kind == "reload":
            checks = _configuration(chance, ids, checks)
            events.append(Event(now, Configured(tuple(checks.values()))))
        else:
            events += (Event(now, what) for what in _happening(chance, kind, checks, now))
    return events


def _happening(chance: Chance, kind: str, checks: Checks, now: float) -> Iterator[What]:
    if kind == "seen":
        asked = sorted(check.id for check in checks.values() if check.is_probed)
        if asked:
            check = checks[chance.pick(asked)]
            yield from _seen(chance, check)
    elif kind == "said" and chance.pick((True, False)):
        yield Alarm(*chance.pick((ALARM, MEMORY)), chance.pick(("OK", "ALARM", "INSUFFICIENT_DATA")))
    elif kind == "said":
        yield Control(chance.pick((ARN, LAST_SEGMENT)), chance.pick(("On", "Off")))
    elif kind == "expire":
        yield Expire()
    elif kind == "reset":
        yield Reset()
    elif checks and kind == "clear":
        yield Clear(chance.pick(sorted(checks)))
    elif checks:
        yield Force(chance.pick(sorted(checks)), chance.pick((True, False)), chance.pick((None, now + 1, now + 3)))


def _seen(chance: Chance, check: HealthCheck) -> Iterator[Seen]:
    """A checker sees some results, alike or not."""
    number = chance.pick(range(check.checkers))
    for result in chance.pick(RESULTS):
        yield Seen(check.id, number, result == "s")


def _configuration(chance: Chance, ids: list[str], before: Checks) -> Checks:
    """Checks, in any order; after others, most of them are as they were, or differ in one thing."""
    found: Checks = {}
    for check_id in chance.several(ids, len(ids), len(ids)):
        fate = chance.pick(FATES)
        if check_id in before and fate == "same":
            found[check_id] = before[check_id]
        elif check_id in before and fate == "other":
            found[check_id] = _changed(chance, before[check_id])
        elif fate != "gone":
            found[check_id] = _made(chance, check_id, chance.pick(TYPES[check_id]))
    known = {check_id for check_id in found if found[check_id].type != "CALCULATED"}
    for check in tuple(found.values()):
        found[check.id] = replace(check, children=tuple(child for child in check.children if child in known))
    return found


def _made(chance: Chance, check_id: str, of_type: str) -> HealthCheck:
    bare = {
        "TCP": probed(check_id),
        "HTTP": probed(check_id, type="HTTP"),
        "CLOUDWATCH_METRIC": metric(check_id),
        "RECOVERY_CONTROL": recovery(check_id),
        "CALCULATED": calculated(check_id, "", 1),
    }[of_type]
    return replace(bare, **{part: chance.pick(CHOICES[part]) for part in PARTS[of_type]})


def _changed(chance: Chance, check: HealthCheck) -> HealthCheck:
    part = chance.pick(PARTS[check.type])
    return replace(check, **{part: chance.pick(CHOICES[part])})


def _reloads(chance: Chance) -> list[Event]:
    check = replace(_made(chance, "a", "TCP"), failure_threshold=chance.pick((2, 3)), disabled=False)
    now, events = 1.0, [Event(0.0, Configured((check,)))]
    for part in chance.several((*("inverted",) * 4, *PARTS["TCP"]), 1, 6, twice=True):
        events += (Event(now, what) for what in _seen(chance, check))
        check = replace(check, **{part: chance.pick(CHOICES[part])})
        events.append(Event(now + 1, Configured((check,))))
        now += 2
    return [*events, *(Event(now, what) for what in _seen(chance, check))]
