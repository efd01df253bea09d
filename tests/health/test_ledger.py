"""What a ledger says of checks follows from all that happened, and from nothing else (`naive`); rows for reloads."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from health.checks import ALARM, ARN, calculated, metric, probed, recovery, seen
from health.histories import histories, reloads
from health.naive import Alarm, Clear, Configured, Control, Event, Expire, Force, History, Seen
from hypothesis import given, note
from properties.strategies import examples

from dnsemu.errors import Origin
from dnsemu.health import Forced, Ledger, Observation, Transition
from dnsemu.model import HealthCheck

# Random histories


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
        return ledger.expire(now, now) if isinstance(what, Expire) else ledger.reset(now)
    except LookupError:
        assert isinstance(what, (Alarm, Control)), what
        return []


@examples(250)
@given(histories())
def test_a_ledger_says_what_follows_from_all_that_happened(events: list[Event]) -> None:
    happens(events)


@examples(150)
@given(reloads())
def test_what_checkers_know_follows_from_all_that_happened(events: list[Event]) -> None:
    happens(events)


def happens(events: list[Event]) -> None:
    """After each event the ledger says what the history says."""
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
    reported = ledger.reset(5.0) if how == "reset" else ledger.expire(5.0, 5.0)
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


def observe(ledger: Ledger, probes: str) -> str:
    """The status after each probe of one checker, s for one that succeeds."""
    found = ""
    for probe in probes:
        ledger.observe("web", 0, seen(probe == "s"), 1.0)
        found += "UH"[ledger.snapshot["web"]]
    return found


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


COUNTED = [  # probes before a reload and after it, the status after each; threshold 3
    ("ff", "fs", "UU"),
    ("ff", "sff", "HHH"),
    ("fff", "ssfs", "UUUU"),
    ("fff", "sss", "UUH"),
    ("fffs", "fss", "UUU"),
    ("fffs", "ss", "UH"),
    ("fffss", "s", "H"),
    ("ss", "fff", "HHU"),
    ("sff", "f", "U"),
    ("fsf", "ff", "HU"),
]


@pytest.mark.parametrize(("before", "after", "expected"), COUNTED)
def test_results_count_across_a_reload(before: str, after: str, expected: str) -> None:
    ledger = Ledger([probed("web")], 0.0)
    observe(ledger, before)
    ledger.replace([probed("web", origin=Origin("moved.yaml", 99))], 2.0)
    assert observe(ledger, after) == expected


@pytest.mark.parametrize(
    ("initially", "inverted", "before", "after", "expected"),
    [
        (True, True, "s", "fff", "HHU"),
        (True, True, "ss", "fff", "HHU"),
        (True, True, "ff", "f", "U"),
        (False, False, "ss", "fff", "UUH"),
        (False, True, "f", "sss", "UUH"),
    ],
)
def test_results_count_by_what_they_say_where_a_check_is_turned(
    initially: bool, inverted: bool, before: str, after: str, expected: str
) -> None:
    """Before there were enough: it thinks as it begins then, and only results that say otherwise count (3.2.1)."""
    check = probed("web", initial_status=initially, inverted=inverted)
    ledger = Ledger([check], 0.0)
    observe(ledger, before)
    ledger.replace([replace(check, inverted=not inverted)], 2.0)
    assert observe(ledger, after) == expected


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


@pytest.mark.parametrize("probes", ["", "s", "f", "sfsf", "fsfs", "ssffssff"])
@pytest.mark.parametrize("initially", [True, False])
def test_an_initial_status_is_that_of_the_check_as_it_is(initially: bool, probes: str) -> None:
    """Until there are enough results, however it is judged meanwhile (3.2.4)."""
    check = probed("web", initial_status=initially, inverted=True)
    ledger = Ledger([check], 0.0)
    observe(ledger, probes)
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
    assert ledger.replace([replace(check, checkers=5)], 3.0) == []  # a new one begins with what the others think
    assert [one.at for one in ledger.standings["web"].checkers] == [1.0] * 4 + [None]
    assert ledger.replace([replace(check, checkers=6, failure_threshold=2)], 4.0) == []
    ledger.observe("web", 5, seen(True), 5.0)
    assert [one.healthy for one in ledger.observe("web", 4, seen(True), 5.0)] == []
    assert [one.healthy for one in ledger.observe("web", 5, seen(True), 6.0)] == []  # 1 of 6
    assert [one.healthy for one in ledger.observe("web", 4, seen(True), 6.0)] == [True]


def test_more_checkers_of_what_nobody_knows_begin_as_the_first_ones() -> None:
    check = probed("web", failure_threshold=2)
    ledger = Ledger([check], 0.0)
    ledger.observe("web", 0, seen(False), 1.0)
    ledger.replace([replace(check, checkers=4)], 2.0)
    assert [one.turn.healthy for one in ledger.standings["web"].checkers] == [True] * 4


@pytest.mark.parametrize("initial", [None, True, False])
def test_another_initial_status_changes_nothing_that_is_known(initial: bool | None) -> None:
    ledger = nearly_down(WEB)
    ledger.observe("web", 1, seen(False), 1.5)
    before = ledger.snapshot
    assert ledger.replace([replace(WEB, initial_status=initial)], 2.0) == []
    assert ledger.snapshot == before


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
    ledger.expire(60.0, 60.0)
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
