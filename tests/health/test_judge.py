"""From what is seen to a status, as rows (behaviour 3.1, 3.2, 3.5, 3.6).

H and U are healthy and unhealthy; s and f are probes that succeed and fail.
"""

from __future__ import annotations

from collections.abc import Iterable
from fractions import Fraction
from typing import Any

import pytest
from health.checks import ALARM, ARN, calculated, metric, probed, recovery, seen

from dnsemu.app import load_text
from dnsemu.health import Forced, Ledger, initial_snapshot
from dnsemu.model import HealthCheck


def letters(statuses: Iterable[bool]) -> str:
    return "".join("UH"[status] for status in statuses)


def status(ledger: Ledger, check_id: str = "web") -> str:
    return letters([ledger.snapshot[check_id]])


def after_each(results: str, **more: Any) -> str:
    """The status of a check with one checker after each of its results."""
    ledger, found = Ledger([probed("web", **more)], 0.0), []
    for at, result in enumerate(results):
        ledger.observe("web", 0, seen(result == "s"), float(at))
        found.append(ledger.snapshot["web"])
    return letters(found)


# Thresholds (3.1, 3.2.1)

THRESHOLDS = [  # threshold, results, the status after each of them
    (1, "fsfsff", "UHUHUU"),
    (2, "ff", "HU"),
    (2, "fsfsfs", "HHHHHH"),
    (2, "ffsss", "HUUHH"),
    (2, "ffsfsfss", "HUUUUUUH"),
    (3, "fff", "HHU"),
    (3, "ffsff", "HHHHH"),
    (3, "ffsfff", "HHHHHU"),
    (3, "fffssfss", "HHUUUUUU"),
    (3, "fffssfsss", "HHUUUUUUH"),
    (3, "sssffssfffsss", "HHHHHHHHHUUUH"),
    (3, "ssssssssssfff", "HHHHHHHHHHHHU"),  # what went well before counts for nothing
    (3, "ffffffffffsss", "HHUUUUUUUUUUH"),
]


@pytest.mark.parametrize(("threshold", "results", "expected"), THRESHOLDS)
def test_consecutive_results_turn_a_status(threshold: int, results: str, expected: str) -> None:
    assert after_each(results, failure_threshold=threshold) == expected


@pytest.mark.parametrize("threshold", range(1, 11))
def test_the_threshold_holds_in_both_directions(threshold: int) -> None:
    few = threshold - 1
    results = "f" * few + "s" + "f" * few + "f" + "s" * few + "f" + "s" * few + "s"
    expected = "H" * few + "H" + "H" * few + "U" + "U" * few + "U" + "U" * few + "H"
    assert after_each(results, failure_threshold=threshold) == expected


# The 18 % rule (3.2.2)

SHARES = [  # checkers, how many of them report healthy
    (1, 0, "U"),
    (1, 1, "H"),
    (2, 1, "H"),
    (3, 0, "U"),
    (3, 1, "H"),
    (5, 1, "H"),
    (6, 1, "U"),
    (8, 1, "U"),
    (8, 2, "H"),
    (11, 1, "U"),
    (11, 2, "H"),  # 18.18 %
    (12, 2, "U"),
    (16, 2, "U"),
    (16, 3, "H"),  # 18.75 %
    (17, 3, "U"),
    (50, 9, "U"),  # 18 %: not more
    (50, 10, "H"),
    (64, 11, "U"),
    (64, 12, "H"),
]


def with_reports(checkers: int, healthy: int, **more: Any) -> Ledger:
    """A ledger where so many checkers of `web` report healthy."""
    ledger = Ledger([probed("web", checkers=checkers, failure_threshold=1, **more)], 0.0)
    for number in range(checkers):
        ledger.observe("web", number, seen(number >= checkers - healthy), 1.0)
    return ledger


@pytest.mark.parametrize(("checkers", "healthy", "expected"), SHARES)
def test_more_than_eighteen_per_cent_of_the_checkers(checkers: int, healthy: int, expected: str) -> None:
    assert status(with_reports(checkers, healthy)) == expected
    assert status(with_reports(checkers, healthy, inverted=True)) != expected


@pytest.mark.parametrize("checkers", range(1, 65))
def test_so_many_checkers_suffice(checkers: int) -> None:
    found = [status(with_reports(checkers, healthy)) for healthy in range(checkers + 1)]
    assert found == [letters([Fraction(healthy, checkers) > Fraction(18, 100)]) for healthy in range(checkers + 1)]


def test_how_many_of_a_hundred_report_healthy() -> None:
    assert with_reports(16, 3).standings["web"].percentage_healthy == 18.75
    assert with_reports(16, 3, inverted=True).standings["web"].percentage_healthy == 18.75  # of checkers: not turned


def test_each_checker_counts_its_own_results() -> None:
    """Four failures in a row, but no checker has seen three."""
    ledger = Ledger([probed("web", checkers=2, failure_threshold=3)], 0.0)
    for number in (0, 1, 0, 1):
        ledger.observe("web", number, seen(False), 1.0)
    assert status(ledger) == "H"
    ledger.observe("web", 0, seen(False), 2.0)
    assert [one.turn.healthy for one in ledger.standings["web"].checkers] == [False, True]
    assert status(ledger) == "H"
    ledger.observe("web", 1, seen(False), 2.0)
    assert status(ledger) == "U"


def test_a_success_that_another_checker_saw_does_not_interrupt() -> None:
    ledger = Ledger([probed("web", checkers=6, failure_threshold=2)], 0.0)
    for number in (0, 1, 2, 3, 4):
        ledger.observe("web", number, seen(False), 1.0)
        ledger.observe("web", 5, seen(True), 1.0)
        ledger.observe("web", number, seen(False), 1.0)
    assert status(ledger) == "U"  # 1 of 6


# Inversion and disabling (3.2.3, 3.2.5)


@pytest.mark.parametrize(("threshold", "results", "expected"), THRESHOLDS)
def test_inversion_comes_last(threshold: int, results: str, expected: str) -> None:
    turned = expected.translate(str.maketrans("HU", "UH"))
    assert after_each(results, failure_threshold=threshold, inverted=True) == turned


def every_type(**more: Any) -> list[HealthCheck]:
    """A check of each kind; `up` and `down` are there to be counted."""
    return [
        probed("web", **more),
        probed("page", type="HTTPS_STR_MATCH", search_string="well", **more),
        metric("cpu", **more),
        recovery("switch", **more),
        calculated("all", "up down", 2, **more),
        calculated("any", "up down", 1, **more),
        probed("up"),
        probed("down", failure_threshold=1),
    ]


def heard(checks: list[HealthCheck], well: bool) -> Ledger:
    """Where everything that can be heard of the checks is good, or bad; `down` is down in any case."""
    ledger = Ledger(checks, 0.0)
    for check_id in ("web", "page"):
        for at in range(3):
            ledger.observe(check_id, 0, seen(well), float(at))
    ledger.set_alarm(*ALARM, "OK" if well else "ALARM", 3.0)
    ledger.set_control(ARN, "On" if well else "Off", 3.0)
    ledger.observe("down", 0, seen(False), 3.0)
    return ledger


IDS = ("web", "page", "cpu", "switch", "all", "any")


@pytest.mark.parametrize(
    ("more", "well", "expected"),
    [
        ({}, True, "HHHHUH"),
        ({}, False, "UUUUUH"),
        ({"inverted": True}, True, "UUUUHU"),
        ({"inverted": True}, False, "HHHHHU"),
        ({"disabled": True}, True, "HHHHHH"),
        ({"disabled": True}, False, "HHHHHH"),
        ({"disabled": True, "inverted": True}, True, "UUUUUU"),  # A22
        ({"disabled": True, "inverted": True}, False, "UUUUUU"),
    ],
)
def test_disabled_is_healthy_and_inversion_turns_that_too(more: dict[str, bool], well: bool, expected: str) -> None:
    ledger = heard(every_type(**more), well)
    assert "".join(status(ledger, check_id) for check_id in IDS) == expected


# Before anything is known (3.2.4)


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({}, "HHHHHH"),
        ({"inverted": True}, "UUUUUU"),
        ({"disabled": True}, "HHHHHH"),
        ({"disabled": True, "inverted": True}, "UUUUUU"),
        ({"initial_status": False}, "UUUUUU"),
        ({"initial_status": True}, "HHHHHH"),
        ({"initial_status": False, "inverted": True}, "UUUUUU"),  # it is the status, which nothing turns
        ({"initial_status": True, "inverted": True}, "HHHHHH"),
        ({"initial_status": False, "disabled": True}, "HHHHHH"),
        ({"initial_status": False, "disabled": True, "inverted": True}, "UUUUUU"),
        ({"initial_status": True, "disabled": True, "inverted": True}, "UUUUUU"),
    ],
)
def test_a_status_before_anything_is_known(more: dict[str, bool], expected: str) -> None:
    found = initial_snapshot(every_type(**more))
    assert letters(found[check_id] for check_id in IDS) == expected


ENOUGH = [  # initial status, inverted, results, the status after each; threshold 3
    (None, False, "ffsfff", "HHHHHU"),
    (None, True, "ffsfff", "UUUUUH"),
    (False, False, "ss", "UU"),
    (False, False, "ssfsss", "UUUUUH"),
    (False, False, "fffsss", "UUUUUH"),
    (True, False, "fff", "HHU"),
    (False, True, "sss", "UUU"),
    (False, True, "fff", "UUH"),
    (True, True, "fff", "HHH"),
    (True, True, "sss", "HHU"),
]


@pytest.mark.parametrize(("initially", "inverted", "results", "expected"), ENOUGH)
def test_a_status_stays_until_there_are_enough_results(
    initially: bool | None, inverted: bool, results: str, expected: str
) -> None:
    assert after_each(results, initial_status=initially, inverted=inverted) == expected


@pytest.mark.parametrize("threshold", [1, 2])
@pytest.mark.parametrize("initially", [True, False])
@pytest.mark.parametrize("result", [True, False])
def test_a_calculated_check_keeps_its_initial_status_until_a_child_is_heard_of(
    threshold: int, initially: bool, result: bool
) -> None:
    """What the first probe says of the child does not turn it yet, but then it is heard of."""
    ledger = Ledger([calculated("web", "a b", threshold, initial_status=initially), probed("a"), probed("b")], 0.0)
    assert status(ledger) == letters([initially])
    found = ledger.observe("b", 0, seen(result), 1.0)
    assert status(ledger) == "H"  # both are healthy
    assert [one.check.id for one in found] == ([] if initially else ["web"])


@pytest.mark.parametrize("how", ["alarm", "control", "forced"])
def test_whatever_is_said_of_a_child_is_heard(how: str) -> None:
    parent = calculated("web", "m r p", 3, initial_status=False)
    ledger = Ledger([parent, metric("m"), recovery("r"), probed("p")], 0.0)
    assert status(ledger) == "U"
    if how == "alarm":
        ledger.set_alarm(*ALARM, "OK", 1.0)
    elif how == "control":
        ledger.set_control(ARN, "On", 1.0)
    else:
        ledger.force("p", Forced(True), 1.0)
    assert status(ledger) == "H"


# Calculated checks (3.5)

COUNTS = [  # children, threshold, status
    ("", 0, "H"),
    ("", 1, "U"),
    ("H", 0, "H"),
    ("U", 0, "H"),  # K2
    ("H", 1, "H"),
    ("U", 1, "U"),
    ("H", 2, "U"),  # K2
    ("UUU", 0, "H"),
    ("UUU", 1, "U"),
    ("HUU", 1, "H"),  # K3: one or more
    ("HUU", 2, "U"),
    ("HUH", 2, "H"),  # at least two of three
    ("HUH", 3, "U"),
    ("HHH", 3, "H"),  # all
    ("HHH", 4, "U"),
    ("HHH", 256, "U"),
    ("H" * 128 + "U" * 127, 128, "H"),
    ("H" * 127 + "U" * 128, 128, "U"),
    ("H" * 255, 255, "H"),
]


def family(children: str, **parent: Any) -> Ledger:
    """A parent `web`, children that are as they should be, and one child beside them that is not its own."""
    ids = [f"child-{number}" for number in range(len(children))]
    others = [probed("other", failure_threshold=1), probed("other-well")]
    ledger = Ledger(
        [calculated("web", " ".join(ids), **parent), *(probed(one, failure_threshold=1) for one in ids), *others], 0.0
    )
    for check_id, letter in zip((*ids, "other"), f"{children}U", strict=True):
        ledger.observe(check_id, 0, seen(letter == "H"), 1.0)
    return ledger


@pytest.mark.parametrize(("children", "threshold", "expected"), COUNTS)
def test_a_calculated_check_counts_its_healthy_children(children: str, threshold: int, expected: str) -> None:
    ledger = family(children, threshold=threshold)
    assert status(ledger) == expected  # K1
    assert ledger.standings["web"].healthy_children == children.count("H")
    assert status(family(children, threshold=threshold, inverted=True)) != expected  # K7
    assert status(family(children, threshold=threshold, disabled=True)) == "H"
    assert status(family(children, threshold=threshold, disabled=True, inverted=True)) == "U"


CHILDREN = [  # how a child is configured, what its probes say, what it counts as
    ({}, "f", False),
    ({}, "s", True),
    ({"inverted": True}, "f", True),
    ({"inverted": True}, "s", False),
    ({"disabled": True}, "f", True),  # K4
    ({"disabled": True}, "s", True),
    ({"disabled": True, "inverted": True}, "f", False),
    ({"disabled": True, "inverted": True}, "s", False),
]


@pytest.mark.parametrize(("more", "result", "counts"), CHILDREN)
@pytest.mark.parametrize("inverted", [False, True])
def test_a_child_counts_with_its_own_last_word(
    more: dict[str, bool], result: str, counts: bool, inverted: bool
) -> None:
    ledger = Ledger(
        [probed("child", failure_threshold=1, **more), calculated("web", "child", 1, inverted=inverted)], 0.0
    )
    ledger.observe("child", 0, seen(result == "s"), 1.0)
    assert status(ledger, "child") == letters([counts])
    assert status(ledger) == letters([counts != inverted])


@pytest.mark.parametrize("first", ["parent", "child"])
def test_children_of_every_type_count(first: str) -> None:
    checks = [calculated("web", "p m r", 2), probed("p", failure_threshold=1), metric("m"), recovery("r")]
    ledger = Ledger(checks if first == "parent" else checks[::-1], 0.0)
    ledger.set_alarm(*ALARM, "ALARM", 1.0)
    assert status(ledger) == "H"
    ledger.set_control(ARN, "Off", 2.0)
    assert status(ledger) == "U"
    ledger.set_alarm(*ALARM, "OK", 3.0)
    assert status(ledger) == "H"
    ledger.observe("p", 0, seen(False), 4.0)
    assert status(ledger) == "U"


def test_a_child_has_several_parents() -> None:
    parents = [
        calculated("one", "child", 1),
        calculated("not", "child", 1, inverted=True),
        calculated("two", "child well", 2),
        calculated("any", "child well", 1),
        calculated("none", "well", 1),
        calculated("forced", "child", 1),
    ]
    ledger = Ledger([*parents, probed("child", failure_threshold=1), probed("well")], 0.0)
    ledger.force("forced", Forced(True), 0.5)
    found = ledger.observe("child", 0, seen(False), 1.0)
    assert {one.check.id: one.healthy for one in found} == {"child": False, "one": False, "not": True, "two": False}
    assert letters(ledger.snapshot[one.id] for one in parents) == "UHUHHH"
    assert ledger.standings["forced"].unforced is False
    found = ledger.observe("child", 0, seen(True), 2.0)
    assert {one.check.id: one.healthy for one in found} == {"child": True, "one": True, "not": False, "two": True}
    assert letters(ledger.snapshot[one.id] for one in parents) == "HUHHHH"


# Alarms (3.6)

ALARMS = [  # insufficient_data_health_status, what the data say one after another, the status after each
    (None, "OK ALARM OK", "HUH"),
    ("Healthy", "OK ALARM OK", "HUH"),
    ("Unhealthy", "OK ALARM OK", "HUH"),
    ("LastKnownStatus", "OK ALARM OK", "HUH"),
    ("Healthy", "INSUFFICIENT_DATA", "H"),
    ("Healthy", "ALARM INSUFFICIENT_DATA", "UH"),
    ("Unhealthy", "INSUFFICIENT_DATA", "U"),
    ("Unhealthy", "OK INSUFFICIENT_DATA", "HU"),
    ("LastKnownStatus", "INSUFFICIENT_DATA", "H"),  # no history
    ("LastKnownStatus", "OK INSUFFICIENT_DATA", "HH"),
    ("LastKnownStatus", "ALARM INSUFFICIENT_DATA", "UU"),
    ("LastKnownStatus", "ALARM INSUFFICIENT_DATA INSUFFICIENT_DATA OK INSUFFICIENT_DATA", "UUUHH"),
    ("LastKnownStatus", "OK ALARM INSUFFICIENT_DATA", "HUU"),
]


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize(("insufficient", "states", "expected"), ALARMS)
def test_the_data_of_an_alarm_decide(insufficient: str | None, states: str, expected: str, inverted: bool) -> None:
    ledger, found = Ledger([metric("web", insufficient_data_status=insufficient, inverted=inverted)], 0.0), []
    for at, state in enumerate(states.split()):
        ledger.set_alarm(*ALARM, state, float(at))  # type: ignore[arg-type]
        found.append(ledger.snapshot["web"])
    assert letters(healthy != inverted for healthy in found) == expected


def test_a_reset_forgets_what_alarms_controls_and_people_have_said() -> None:
    checks = [metric("web", insufficient_data_status="LastKnownStatus"), recovery("switch"), probed("p")]
    ledger = Ledger(checks, 0.0)
    ledger.set_alarm(*ALARM, "ALARM", 1.0)
    ledger.set_control(ARN, "Off", 1.0)
    ledger.force("p", Forced(False), 1.0)
    assert letters(ledger.snapshot.values()) == "UUU"
    assert [one.healthy for one in ledger.reset(2.0)] == [True] * 3
    assert letters(ledger.snapshot.values()) == "HHH"
    assert ledger.set_alarm(*ALARM, "INSUFFICIENT_DATA", 3.0) == [], "there is no history any more"


@pytest.mark.parametrize(
    ("insufficient", "expected"), [("Healthy", "H"), ("Unhealthy", "U"), ("LastKnownStatus", "H")]
)
def test_an_alarm_that_nothing_was_heard_of_has_no_data(insufficient: str, expected: str) -> None:
    assert status(Ledger([metric("web", insufficient_data_status=insufficient)], 0.0)) == expected


def test_an_alarm_is_its_region_and_its_name() -> None:
    checks = [
        metric("web"),
        metric("twin", inverted=True),
        metric("name", alarm=(ALARM[0], "memory")),
        metric("region", alarm=("us-east-1", ALARM[1])),
    ]
    ledger = Ledger(checks, 0.0)
    found = ledger.set_alarm(*ALARM, "ALARM", 1.0)
    assert {one.check.id: one.healthy for one in found} == {"web": False, "twin": True}
    assert dict(ledger.snapshot) == {"web": False, "twin": True, "name": True, "region": True}
    for region, name in (("us-east-1", "memory"), ("", ""), (ALARM[1], ALARM[0])):
        with pytest.raises(LookupError):
            ledger.set_alarm(region, name, "ALARM", 2.0)


# Routing controls (3.1)

OTHER = ARN[:-1] + "f"


@pytest.mark.parametrize("name", [ARN, ARN.rpartition("/")[2]])
@pytest.mark.parametrize("inverted", [False, True])
def test_a_routing_control_is_called_by_its_arn_or_its_last_segment(name: str, inverted: bool) -> None:
    ledger, found = Ledger([recovery("web", inverted=inverted), recovery("other", OTHER)], 0.0), []
    for state in ("Off", "Off", "On", "Off"):
        ledger.set_control(name, state, 1.0)  # type: ignore[arg-type]
        found.append(ledger.snapshot["web"] != inverted)
        assert ledger.snapshot["other"] is True
    assert letters(found) == "UUHU"


@pytest.mark.parametrize("name", ["", "web", "a1b2c3d", "routingcontrol/a1b2c3d4", "0f1e2d3c", f"{ARN}/", OTHER])
def test_a_routing_control_that_nobody_follows(name: str) -> None:
    ledger = Ledger([recovery("web"), metric("cpu"), probed("p")], 0.0)
    with pytest.raises(LookupError):
        ledger.set_control(name, "Off", 1.0)
    assert status(ledger) == "H"


# Forced (surface: an override is the final status, above everything else)


@pytest.mark.parametrize("healthy", [True, False])
@pytest.mark.parametrize("well", [True, False])
@pytest.mark.parametrize(
    "more",
    [
        {},
        {"inverted": True},
        {"disabled": True},
        {"disabled": True, "inverted": True},
        {"initial_status": True},
        {"initial_status": False},
    ],
)
def test_what_is_forced_is_above_everything_else(more: dict[str, bool], well: bool, healthy: bool) -> None:
    ledger = heard(every_type(**more), well)
    before = dict(ledger.snapshot)
    for check_id in IDS:
        ledger.force(check_id, Forced(healthy), 5.0)
        assert ledger.snapshot[check_id] is healthy
        assert ledger.standings[check_id].unforced is before[check_id]
    for check_id in IDS:
        ledger.clear(check_id, 6.0)
        assert ledger.snapshot[check_id] is before[check_id]
    assert dict(ledger.snapshot) == before


@pytest.mark.parametrize("healthy", [True, False])
def test_what_is_forced_stays_whatever_is_seen_meanwhile(healthy: bool) -> None:
    ledger = Ledger(every_type(failure_threshold=1), 0.0)
    for check_id in IDS:
        ledger.force(check_id, Forced(healthy), 1.0)
    for well in (False, True, False):
        assert ledger.observe("web", 0, seen(well), 2.0) == []
        assert ledger.set_alarm(*ALARM, "OK" if well else "ALARM", 2.0) == []
        assert ledger.set_control(ARN, "On" if well else "Off", 2.0) == []
        ledger.observe("down", 0, seen(well), 2.0)
        assert [ledger.snapshot[check_id] for check_id in IDS] == [healthy] * len(IDS)
        assert [ledger.standings[check_id].unforced for check_id in IDS] == [well, True, well, well, well, True]
    for check_id in ("web", "cpu", "switch", "all"):
        ledger.clear(check_id, 3.0)
    assert "".join(status(ledger, check_id) for check_id in ("web", "cpu", "switch", "all")) == "UUUU"


@pytest.mark.parametrize(("forced", "expected"), [("c", "U"), ("a b", "H"), ("a b c", "U"), ("", "H")])
def test_a_forced_child_counts_with_its_forced_status(forced: str, expected: str) -> None:
    """Three children, at least two: `a` is healthy, `b` not, `c` healthy; those forced are turned."""
    ledger = Ledger([calculated("web", "a b c", 2), probed("a"), probed("b", failure_threshold=1), probed("c")], 0.0)
    ledger.observe("b", 0, seen(False), 1.0)
    for check_id in forced.split():
        ledger.force(check_id, Forced(not ledger.snapshot[check_id]), 2.0)
    assert status(ledger) == expected
    assert letters([ledger.standings["web"].unforced]) == expected  # it is not forced itself
    for check_id in forced.split():
        ledger.clear(check_id, 3.0)
    assert status(ledger) == "H"


@pytest.mark.parametrize(("until", "ends"), [(None, None), (10.0, 10.0), (10.5, 10.5), (5.0, 5.0), (0.0, 5.0)])
def test_what_is_forced_ends_when_its_time_has_come(until: float | None, ends: float | None) -> None:
    ledger = Ledger([calculated("parent", "web", 1), probed("web")], 0.0)
    ledger.force("web", Forced(False, "drill", until), 4.0)
    for at in (5.0, 9.999, 10.0, 10.5, 1e9):
        found = ledger.expire(at, at)
        is_over = ends is not None and at >= ends
        assert (status(ledger), status(ledger, "parent")) == (("H", "H") if is_over else ("U", "U")), at
        assert bool(found) is (at == ends)


def test_what_is_forced_anew_has_its_own_time() -> None:
    ledger = Ledger([probed("web")], 0.0)
    ledger.force("web", Forced(False, "", 10.0), 0.0)
    assert ledger.force("web", Forced(False, "longer", 20.0), 5.0) == []
    assert ledger.expire(10.0, 10.0) == []
    assert status(ledger) == "U"
    ledger.force("web", Forced(False, "for good"), 15.0)
    assert ledger.expire(1e9, 1e9) == []
    assert status(ledger) == "U"


@pytest.mark.parametrize("call", ["force", "clear"])
def test_only_what_is_there_can_be_forced(call: str) -> None:
    ledger = Ledger([probed("web")], 0.0)
    with pytest.raises(KeyError):
        ledger.force("other", Forced(False), 1.0) if call == "force" else ledger.clear("other", 1.0)


# As written in files

FILE = """
version: 1
health_checks:
  - id: web
    type: HTTP
    fqdn: www.example.com
    failure_threshold: 2
    dnsemu: {checkers: 3, initial_status: unhealthy}
  - {id: odd, type: TCP, ip_address: 192.0.2.1, port: 25, invert_healthcheck: true, failure_threshold: 1}
  - {id: off, type: HTTPS, ip_address: 192.0.2.1, disabled: true, failure_threshold: 1}
  - {id: two, type: CALCULATED, child_healthchecks: [web, odd, off], child_health_threshold: 2}
"""


def test_as_written_in_a_file() -> None:
    ledger = Ledger(load_text(FILE).configuration.health_checks, 0.0)
    assert dict(ledger.snapshot) == {"web": False, "odd": False, "off": True, "two": False}
    ledger.observe("odd", 0, seen(False), 1.0)
    assert dict(ledger.snapshot) == {"web": False, "odd": True, "off": True, "two": True}
    ledger.observe("odd", 0, seen(True), 2.0)
    for number in (0, 2, 2):
        ledger.observe("web", number, seen(True), 3.0)
    assert dict(ledger.snapshot) == {"web": True, "odd": False, "off": True, "two": True}
