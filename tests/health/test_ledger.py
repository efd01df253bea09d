"""What a ledger says of checks follows from all that happened, and from nothing else (`naive`); rows for reloads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from health.checks import ALARM, ARN, calculated, metric, probed, recovery, seen
from health.naive import Alarm, Clear, Configured, Control, Event, Expire, Force, History, Reset, Seen
from hypothesis import given, note
from hypothesis import strategies as st
from properties.strategies import examples

from dnsemu.errors import Origin
from dnsemu.health import Forced, Ledger, Observation, Transition
from dnsemu.model import HealthCheck

# Random histories

MEMORY = (ALARM[0], "memory")
LAST_SEGMENT = ARN.rpartition("/")[2]
CHILDREN = ("a", "b", "c", "m", "r")
STATUS = (None, None, True, False)
CHOICES: dict[str, tuple[Any, ...]] = {  # what may be otherwise after a reload
    "failure_threshold": (1, 2, 3),
    "checkers": (1, 1, 2, 6),
    "disabled": (False, False, True),
    "inverted": (False, True),
    "port": (80, 81),
    "initial_status": STATUS,
    "interval": (10.0, 30.0),
    "origin": (Origin("zones.yaml", 3), Origin("zones.yaml", 4)),
    "insufficient_data_status": (None, "Healthy", "Unhealthy", "LastKnownStatus"),
    "alarm": (ALARM, MEMORY),
    "threshold": (0, 1, 2, 3, 5),
    "children": ((), ("a",), ("a", "b"), ("b", "c", "m"), ("a", "b", "c", "m", "r")),
}
_EVERY = ("disabled", "inverted", "initial_status", "origin")
RESULTS = ("s", "f", "f", "ss", "ff", "ff", "sf", "fs", "fff", "sss", "fsf", "sfs", "ffsff")
PARTS = {  # which of these a type has
    "TCP": (*_EVERY, "failure_threshold", "checkers", "port", "interval"),
    "HTTP": (*_EVERY, "failure_threshold", "checkers", "port", "interval"),
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


@st.composite
def histories(draw: st.DrawFn) -> list[Event]:
    """A configuration, and what happens then."""
    checks = draw(configurations({}))
    now, events = 100.0, [Event(100.0, Configured(tuple(checks.values())))]
    for _ in range(draw(st.integers(3, 24))):
        now += draw(st.sampled_from((0.0, 1.0, 2.0)))
        kind = draw(st.sampled_from((*("seen",) * 6, "said", "said", "said", "force", "force", "other", "reload")))
        if kind == "reload":
            checks = draw(configurations(checks))
            events.append(Event(now, Configured(tuple(checks.values()))))
        elif kind == "seen":
            events += draw(probes(checks, now))
        elif kind == "said":
            said = st.builds(Alarm, st.just(ALARM[0]), names(), st.sampled_from(("OK", "ALARM", "INSUFFICIENT_DATA")))
            controls = st.builds(Control, st.sampled_from((ARN, LAST_SEGMENT)), st.sampled_from(("On", "Off")))
            events.append(Event(now, draw(said | controls)))
        elif kind == "force" and checks:
            until = st.sampled_from((None, now + 1.0, now + 3.0))
            events.append(Event(now, draw(st.builds(Force, st.sampled_from(sorted(checks)), st.booleans(), until))))
        elif kind == "other":
            clear = [st.builds(Clear, st.sampled_from(sorted(checks)))] if checks else []
            events.append(Event(now, draw(st.one_of(st.just(Expire()), st.just(Reset()), *clear))))
    return events


def names() -> st.SearchStrategy[str]:
    return st.sampled_from((ALARM[1], MEMORY[1]))


@st.composite
def probes(draw: st.DrawFn, checks: dict[str, HealthCheck], now: float) -> list[Event]:
    """A checker sees some results, alike or not."""
    asked = sorted(check.id for check in checks.values() if check.is_probed)
    if not asked:
        return []
    check = checks[draw(st.sampled_from(asked))]
    number = draw(st.integers(0, check.checkers - 1))
    results = draw(st.sampled_from(RESULTS))
    return [Event(now, Seen(check.id, number, result == "s")) for result in results]


@st.composite
def configurations(draw: st.DrawFn, before: dict[str, HealthCheck]) -> dict[str, HealthCheck]:
    """Checks; after others, most of them are as they were, or differ in one thing."""
    found: dict[str, HealthCheck] = {}
    for check_id, types in TYPES.items():
        fate = draw(st.sampled_from(("same", "same", "other", "new", "gone")))
        if check_id not in before and fate in ("same", "other"):
            fate = "new"
        if fate == "same":
            found[check_id] = before[check_id]
        elif fate == "other":
            found[check_id] = _changed(draw, before[check_id])
        elif fate == "new":
            found[check_id] = _made(draw, check_id, draw(st.sampled_from(types)))
    known = {check_id for check_id in found if found[check_id].type != "CALCULATED"}
    for check in tuple(found.values()):
        found[check.id] = replace(check, children=tuple(child for child in check.children if child in known))
    return found


def _made(draw: st.DrawFn, check_id: str, rdtype: str) -> HealthCheck:
    make = {
        "CALCULATED": lambda one: calculated(one, "", 1),
        "CLOUDWATCH_METRIC": metric,
        "RECOVERY_CONTROL": recovery,
    }
    bare = make.get(rdtype, lambda one: probed(one, type=rdtype))(check_id)
    return replace(bare, **{part: draw(st.sampled_from(CHOICES[part])) for part in PARTS[rdtype]})


def _changed(draw: st.DrawFn, check: HealthCheck) -> HealthCheck:
    part = draw(st.sampled_from(PARTS[check.type]))
    return replace(check, **{part: draw(st.sampled_from(CHOICES[part]))})


def happen(ledger: Ledger, event: Event) -> list[Transition]:
    """Tell a ledger what happened."""
    now, what = event
    try:
        if isinstance(what, Configured):
            return ledger.replace(what.checks, now)
        if isinstance(what, Seen):
            return ledger.observe(what.check, what.checker, seen(what.success), now)
        if isinstance(what, Alarm):
            return ledger.set_alarm(what.region, what.name, what.state, now)  # type: ignore[arg-type]
        if isinstance(what, Control):
            return ledger.set_control(what.name, what.state, now)  # type: ignore[arg-type]
        if isinstance(what, Force):
            return ledger.force(what.check, Forced(what.healthy, "", what.until), now)
        if isinstance(what, Clear):
            return ledger.clear(what.check, now)
        return ledger.expire(now) if isinstance(what, Expire) else ledger.reset(now)
    except LookupError:
        assert isinstance(what, (Alarm, Control)), what
        return []


@examples(150)
@given(histories())
def test_a_ledger_says_what_follows_from_all_that_happened(events: list[Event]) -> None:
    first, history = events[0], History()
    history.add(*first)
    assert isinstance(first.what, Configured)
    note(str(first))
    ledger = Ledger(first.what.checks, first.at)
    taken = [(ledger.snapshot, history.statuses[-1])]
    compare(ledger, history)
    for event in events[1:]:
        note(str(event))
        reported = happen(ledger, event)
        history.add(*event)
        compare_transitions(reported, history)
        compare(ledger, history)
        taken.append((ledger.snapshot, history.statuses[-1]))
    assert [dict(snapshot) for snapshot, _ in taken] == [statuses for _, statuses in taken], "a snapshot is a value"


def compare_transitions(reported: list[Transition], history: History) -> None:
    assert {one.check.id: one.healthy for one in reported} == history.changes()
    assert len(reported) == len(history.changes()), "each once"
    for one in reported:
        assert one.at == history.events[-1].at
        assert one.check == history.view.checks[one.check.id]
        assert one.why


def compare(ledger: Ledger, history: History) -> None:
    view = history.view
    assert dict(ledger.snapshot) == history.statuses[-1]
    assert set(ledger.standings) == set(view.checks)
    for check_id, standing in ledger.standings.items():
        check, forced = view.checks[check_id], view.forced(check_id)
        assert standing.check == check
        assert standing.healthy is history.statuses[-1][check_id]
        assert standing.unforced is view.unforced(check_id), check_id
        assert (standing.forced and standing.forced[::2]) == (forced and forced[1:]), check_id
        assert standing.is_heard_of is view.is_heard_of(check_id), check_id
        assert standing.since == history.since(check_id), check_id
        assert standing.transitions == history.turned(check_id), check_id
        assert standing.probes == view.probes(check_id), check_id
        assert len(standing.checkers) == (check.checkers if check.is_probed else 0)
        if check.is_probed:
            said = view.said(check_id)
            assert [one.turn.healthy for one in standing.checkers] == said, check_id
            assert standing.percentage_healthy == 100 * sum(said) / len(said)
        elif check.type == "CALCULATED":
            assert standing.healthy_children == view.healthy_children(check_id), check_id


# Several checks change at a time


@pytest.mark.parametrize("how", ["reset", "expire"])
def test_a_parent_that_ends_as_it_began_has_not_changed(how: str) -> None:
    ledger = Ledger([calculated("parent", "child", 1), probed("child")], 0.0)
    ledger.force("child", Forced(False, "", 5.0), 1.0)
    ledger.force("parent", Forced(True, "", 5.0), 2.0)
    reported = ledger.reset(5.0) if how == "reset" else ledger.expire(5.0)
    assert [one.check.id for one in reported] == ["child"]
    assert (ledger.standings["parent"].since, ledger.standings["parent"].transitions) == (2.0, [1, 1])


@pytest.mark.parametrize("make", [metric, recovery])
def test_a_parent_of_opposites_has_not_changed(make: Callable[..., HealthCheck]) -> None:
    ledger = Ledger([make("a"), make("b", inverted=True), calculated("parent", "a b", 1)], 0.0)
    reported = ledger.set_alarm(*ALARM, "ALARM", 5.0) if make is metric else ledger.set_control(ARN, "Off", 5.0)
    assert [one.check.id for one in reported] == ["a", "b"]
    assert (ledger.standings["parent"].since, ledger.standings["parent"].transitions) == (0.0, [0, 0])


# Reloads, as rows

WEB = probed(
    "web", type="HTTPS_STR_MATCH", search_string="well", fqdn="www.example.com", failure_threshold=3, checkers=2
)


def nearly_down(check: HealthCheck) -> Ledger:
    """Where the next failure of a second checker makes it unhealthy; the other one says so already."""
    ledger = Ledger([check], 0.0)
    for number in (0, 0, 0, 1, 1):
        ledger.observe("web", number, seen(False), 1.0)
    assert ledger.snapshot["web"] is True
    return ledger


KEPT: list[dict[str, Any]] = [
    {},
    {"origin": Origin("moved.yaml", 99)},
    {"interval": 0.5},
    {"failure_threshold": 1},
    {"failure_threshold": 2},
]


@pytest.mark.parametrize("changed", KEPT)
def test_a_check_that_asks_the_same_keeps_what_its_checkers_know(changed: dict[str, Any]) -> None:
    ledger = nearly_down(WEB)
    assert ledger.replace([replace(WEB, **changed)], 2.0) == []
    standing = ledger.standings["web"]
    assert standing.check == replace(WEB, **changed)
    assert (standing.healthy, standing.since, standing.probes) == (True, 0.0, [5, 0])
    assert [(one.observation, one.at) for one in standing.checkers] == [(seen(False), 1.0)] * 2
    assert [one.healthy for one in ledger.observe("web", 1, seen(False), 3.0)] == [False]
    assert (standing.healthy, standing.since, standing.probes) == (False, 3.0, [6, 0])


def test_a_higher_threshold_counts_what_was_before() -> None:
    ledger = nearly_down(WEB)
    ledger.replace([replace(WEB, failure_threshold=4)], 2.0)
    assert ledger.observe("web", 1, seen(False), 3.0) == []
    assert [one.healthy for one in ledger.observe("web", 1, seen(False), 4.0)] == [False]


ANEW: list[dict[str, Any]] = [
    {"ip_address": "192.0.2.10"},
    {"ip_address": None},
    {"fqdn": "w.example.com"},
    {"fqdn": None},
    {"port": 443},
    {"resource_path": "/well"},
    {"search_string": "Well"},
    {"enable_sni": False},
    {"type": "HTTP_STR_MATCH"},
    {"initial_status": True},
]


@pytest.mark.parametrize("changed", ANEW)
def test_a_check_that_asks_something_else_begins_anew(changed: dict[str, Any]) -> None:
    ledger = nearly_down(WEB)
    ledger.observe("web", 1, seen(False), 1.5)
    reported = ledger.replace([replace(WEB, **changed)], 2.0)
    assert [(one.check.id, one.healthy, one.at) for one in reported] == [("web", True, 2.0)]
    standing = ledger.standings["web"]
    assert (standing.healthy, standing.since, standing.is_heard_of) == (True, 2.0, False)
    for _ in range(2):
        for number in (0, 1):
            assert ledger.observe("web", number, seen(False), 3.0) == []


@pytest.mark.parametrize(
    ("check", "changed"),
    [
        (metric("web"), {"alarm": (ALARM[0], "memory")}),
        (metric("web"), {"alarm": ("us-west-2", ALARM[1])}),
        (recovery("web"), {"routing_control": f"{ARN}5"}),
    ],
)
def test_another_alarm_or_control_begins_anew(check: HealthCheck, changed: dict[str, Any]) -> None:
    ledger = Ledger([check], 0.0)
    happen(ledger, Event(1.0, Alarm(*ALARM, "ALARM")))
    happen(ledger, Event(1.0, Control(ARN, "Off")))
    assert ledger.snapshot["web"] is False
    assert ledger.replace([replace(check, origin=Origin("moved.yaml"))], 2.0) == []
    assert ledger.snapshot["web"] is False
    assert [one.healthy for one in ledger.replace([replace(check, **changed)], 3.0)] == [True]


def test_the_last_data_of_an_alarm_outlast_a_reload() -> None:
    check = metric("web", insufficient_data_status="LastKnownStatus")
    ledger = Ledger([check], 0.0)
    ledger.set_alarm(*ALARM, "ALARM", 1.0)
    ledger.replace([check], 2.0)
    assert ledger.set_alarm(*ALARM, "INSUFFICIENT_DATA", 3.0) == []
    assert [one.healthy for one in ledger.replace([replace(check, insufficient_data_status="Healthy")], 4.0)] == [
        True
    ]
    assert [one.healthy for one in ledger.replace([check], 5.0)] == [False]


TURNED = [  # what changes, the status after it, and after it was taken back; the endpoint is down
    ({"inverted": True}, True),
    ({"disabled": True}, True),
    ({"disabled": True, "inverted": True}, False),
    ({"failure_threshold": 10}, False),
]


@pytest.mark.parametrize(("changed", "healthy"), TURNED)
def test_another_judgement_holds_at_once_and_can_be_taken_back(changed: dict[str, Any], healthy: bool) -> None:
    check, parent = probed("web", failure_threshold=1), calculated("parent", "web", 1)
    ledger = Ledger([parent, check], 0.0)
    ledger.observe("web", 0, seen(False), 1.0)
    reported = ledger.replace([parent, replace(check, **changed)], 2.0)
    assert {one.check.id: one.healthy for one in reported} == ({"web": True, "parent": True} if healthy else {})
    assert dict(ledger.snapshot) == {"web": healthy, "parent": healthy}
    reported = ledger.replace([parent, check], 3.0)
    assert {one.check.id: one.healthy for one in reported} == ({"web": False, "parent": False} if healthy else {})


@pytest.mark.parametrize("probes", ["", "s"])
@pytest.mark.parametrize("initially", [True, False])
def test_an_initial_status_is_that_of_the_check_as_it_is(initially: bool, probes: str) -> None:
    """Until there are enough results, however it is judged meanwhile (3.2.4)."""
    check = probed("web", initial_status=initially, inverted=True)
    ledger = Ledger([check], 0.0)
    for _ in probes:
        ledger.observe("web", 0, seen(True), 1.0)
    assert ledger.replace([replace(check, inverted=False)], 2.0) == []
    assert ledger.snapshot["web"] is initially


@pytest.mark.parametrize("initially", [True, False])
@pytest.mark.parametrize("inverted", [True, False])
def test_inversion_turns_what_is_known_where_there_is_an_initial_status_too(inverted: bool, initially: bool) -> None:
    check = probed("web", initial_status=initially, inverted=inverted, failure_threshold=1)
    ledger = Ledger([check], 0.0)
    ledger.observe("web", 0, seen(initially != inverted), 1.0)
    assert ledger.snapshot["web"] is initially
    assert [one.healthy for one in ledger.replace([replace(check, inverted=not inverted)], 2.0)] == [not initially]


def test_more_checkers_begin_and_fewer_go() -> None:
    check = probed("web", failure_threshold=1, checkers=5)
    ledger = Ledger([check], 0.0)
    for number in range(5):
        ledger.observe("web", number, seen(number == 4), 1.0)
    assert ledger.snapshot["web"] is True  # 1 of 5
    assert [one.healthy for one in ledger.replace([replace(check, checkers=4)], 2.0)] == [False]
    assert [one.healthy for one in ledger.replace([replace(check, checkers=5)], 3.0)] == [True]  # a new one: healthy
    assert [one.at for one in ledger.standings["web"].checkers] == [1.0] * 4 + [None]


def test_checks_come_and_go() -> None:
    ledger = Ledger([probed("a"), probed("b")], 0.0)
    before = ledger.snapshot
    assert ledger.replace([probed("b"), probed("c", initial_status=False)], 1.0) == []
    assert dict(ledger.snapshot) == {"b": True, "c": False}
    assert ledger.standings["c"].since == 1.0
    assert dict(before) == {"a": True, "b": True}
    for _ in range(3):
        ledger.observe("c", 0, seen(True), 2.0)
    ledger.replace([], 3.0)
    assert dict(ledger.snapshot) == {}
    assert ledger.replace([probed("c", initial_status=False)], 4.0) == []
    assert dict(ledger.snapshot) == {"c": False}, "one that was away begins anew"


@pytest.mark.parametrize(
    "changed", [{}, {"port": 81}, {"inverted": True}, {"disabled": True}, {"type": "HTTP"}, {"initial_status": True}]
)
def test_what_is_forced_outlasts_reloads(changed: dict[str, Any]) -> None:
    check = probed("web")
    ledger = Ledger([check], 0.0)
    ledger.force("web", Forced(False, "drill", 60.0), 1.0)
    assert ledger.replace([replace(check, **changed)], 2.0) == []
    standing = ledger.standings["web"]
    assert (standing.healthy, standing.since, standing.forced) == (False, 1.0, Forced(False, "drill", 60.0))
    ledger.expire(60.0)
    assert ledger.snapshot["web"] is not changed.get("inverted", False)


def test_what_was_forced_is_forgotten_with_its_check() -> None:
    ledger = Ledger([probed("web")], 0.0)
    ledger.force("web", Forced(False), 1.0)
    ledger.replace([], 2.0)
    ledger.replace([probed("web")], 3.0)
    assert (ledger.snapshot["web"], ledger.standings["web"].forced) == (True, None)


def test_a_parent_counts_the_children_that_it_has_after_a_reload() -> None:
    down, up = probed("down", failure_threshold=1), probed("up")
    ledger = Ledger([calculated("web", "down", 1), calculated("other", "up", 1), down, up], 0.0)
    ledger.observe("down", 0, seen(False), 1.0)
    assert dict(ledger.snapshot) == {"web": False, "other": True, "down": False, "up": True}
    reported = ledger.replace([calculated("web", "up", 1), calculated("other", "up down", 2), down, up], 2.0)
    assert {one.check.id: one.healthy for one in reported} == {"web": True, "other": False}
    reported = ledger.observe("down", 0, seen(True), 3.0)
    assert {one.check.id: one.healthy for one in reported} == {"down": True, "other": True}


# What is told


def test_a_transition_says_why() -> None:
    ledger = Ledger([calculated("any", "web cpu", 2), probed("web", failure_threshold=1), metric("cpu")], 0.0)
    said = [
        *ledger.observe("web", 0, Observation(False, "Failure: it is on fire"), 1.0),
        *ledger.force("web", Forced(True, "a drill"), 2.0),
        *ledger.set_alarm(*ALARM, "ALARM", 3.0),
    ]
    assert [(one.check.id, one.healthy, one.at) for one in said] == [
        ("web", False, 1.0),
        ("any", False, 1.0),
        ("web", True, 2.0),
        ("any", True, 2.0),
        ("cpu", False, 3.0),
        ("any", False, 3.0),
    ]
    for one, words in zip(said, ("on fire", "1 of 2", "a drill", "2 of 2", "cpu", "1 of 2"), strict=True):
        assert words in one.why, one


def test_phases_of_probes_are_counted() -> None:
    ledger = Ledger([probed("tcp"), probed("web", type="HTTP"), probed("tls", type="HTTPS_STR_MATCH")], 0.0)
    phases = {check_id: sorted(standing.durations) for check_id, standing in ledger.standings.items()}
    assert phases == {"tcp": ["connect"], "web": ["connect", "first_byte"], "tls": ["connect", "first_byte", "tls"]}
    full = Observation(True, "Success", "192.0.2.9", connect=0.003, tls=0.2, first_byte=0.3)
    for check_id in ("tcp", "web", "tls"):
        ledger.observe(check_id, 0, full, 1.0)
        ledger.observe(check_id, 0, full._replace(success=False, tls=None, first_byte=None), 2.0)
    counted = {
        check_id: {phase: sum(one.counts) for phase, one in standing.durations.items()}
        for check_id, standing in ledger.standings.items()
    }
    assert counted == {
        "tcp": {"connect": 2},
        "web": {"connect": 2, "first_byte": 1},
        "tls": {"connect": 2, "tls": 1, "first_byte": 1},
    }
