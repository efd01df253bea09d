"""When a monitor probes, and what it publishes, on a clock that a test turns (behaviour 3.1, 3.2, surface 3)."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Collection
from contextlib import suppress
from dataclasses import replace
from itertools import pairwise
from random import Random
from typing import Any

import pytest
from health.checks import ALARM, ARN, WELL, calculated, metric, probed, recovery, seen
from health.virtual import EPOCH, Bench, Phases, Prober, Reply, Stuck, clock, monitoring, now, play, until

from dnsemu.health import Monitor, Observation, Probed, Transition
from dnsemu.health.monitor import GATHER
from dnsemu.model import CHECKER_REGIONS, HealthCheck, HealthSnapshot

SOON = 1e-6  # seconds that count as at once: clocks of today have no finer steps


def near(*moments: float) -> Any:
    return pytest.approx(list(moments), abs=SOON)


def near_by(moment: float) -> Any:
    return pytest.approx(moment, abs=1e-4)


# The clock itself


def test_an_hour_passes_without_waiting() -> None:
    async def story() -> list[float]:
        found: list[float] = []
        loop = asyncio.get_running_loop()
        for moment in (3600.0, 0.5, 1800.0, 0.5):
            loop.call_at(moment, lambda: found.append(loop.time()))
        await asyncio.sleep(3600.5)
        return found

    assert play(story) == [0.5, 0.5, 1800.0, 3600.0]


def test_waiting_for_ever_fails() -> None:
    with pytest.raises(Stuck):
        play(asyncio.Event().wait)


def test_time_that_stands_still_fails() -> None:
    async def story() -> None:
        while True:
            await asyncio.sleep(0)

    with pytest.raises(Stuck):
        play(story)


# Phases and intervals (3.1)


def hundred(**more: Any) -> list[HealthCheck]:
    return [probed(f"c{number}", **more) for number in range(100)]


def first_probes(seed: int, **more: Any) -> dict[str, float]:
    """When each of a hundred checks is probed for the first time."""

    async def story() -> dict[str, float]:
        async with monitoring(hundred(**more), chance=Random(seed)) as bench:
            await until(40.0)
            return {one.check.id: one.begin for one in reversed(bench.prober.asked)}

    return play(story)


@pytest.mark.parametrize("interval", [30.0, 10.0, 0.5])
def test_the_first_probe_comes_at_any_time_within_an_interval(interval: float) -> None:
    found = first_probes(1, interval=interval)
    assert set(found) == {check.id for check in hundred()}
    assert all(0 <= begin < interval for begin in found.values())
    assert len(set(found.values())) == 100
    tenths = Counter(int(begin / interval * 10) for begin in found.values())
    assert set(tenths) == set(range(10)), "all over the interval"


def test_chance_decides_the_phases_and_nothing_else() -> None:
    assert first_probes(1) == first_probes(1)
    assert first_probes(1) != first_probes(2)


def test_each_request_comes_an_interval_after_the_response() -> None:
    took = [0.0, 2.5, 0.25, 4.0, 0.0, 1.0, 10.0, 0.125]

    async def story() -> list[tuple[float, float | None]]:
        prober = Prober(lambda _: Reply(seconds=took[(len(prober.asked) - 1) % len(took)]))
        async with monitoring([probed("web", interval=10.0)], prober, Phases(0.7)) as bench:
            await until(200.0)
            return [(one.begin, one.end) for one in bench.prober.asked]

    found = play(story)
    assert found[0][0] == pytest.approx(7.0)
    assert len(found) > 15
    for (_, end), (begin, _) in pairwise(found):
        assert end is not None
        assert begin - end == pytest.approx(10.0, abs=SOON)


def test_checkers_of_a_check_have_phases_of_their_own() -> None:
    async def story() -> Bench:
        async with monitoring([probed("web", interval=10.0, checkers=11)], chance=Random(3)) as bench:
            await until(100.0)
            return bench

    bench = play(story)
    firsts = bench.prober.begins()[:11]
    assert len(set(firsts)) == 11
    assert all(0 <= begin < 10 for begin in firsts)
    assert bench.prober.begins() == near(*sorted(begin + 10 * turn for begin in firsts for turn in range(10)))
    told = [one for one in bench.told if isinstance(one, Probed)]
    assert [one.region for one in told] == [one.region for one in told[:11]] * 10, "in turn, each at its pace"
    assert Counter(one.region for one in told[:11]) == Counter([*CHECKER_REGIONS, *CHECKER_REGIONS[:3]])
    assert [one.at - EPOCH for one in told] == near(*bench.prober.begins())


def test_checkers_stand_in_the_regions_of_the_check() -> None:
    async def story() -> list[str]:
        check = probed("web", interval=10.0, checkers=4, regions=("sa-east-1", "us-west-1", "eu-west-1"))
        async with monitoring([check], chance=Phases(0.0, 0.1, 0.2, 0.3)) as bench:
            await until(5.0)
            return [one.region for one in bench.told if isinstance(one, Probed)]

    assert play(story) == ["sa-east-1", "us-west-1", "eu-west-1", "sa-east-1"]


@pytest.mark.parametrize("seconds", [10.0, 100_000.0])
def test_a_probe_that_hangs_holds_up_nobody_else(seconds: float) -> None:
    def run(hangs: bool) -> dict[str, list[float]]:
        async def story() -> dict[str, list[float]]:
            prober = Prober(lambda check: Reply(seconds=seconds if hangs and check.id == "c7" else 0.01))
            async with monitoring(hundred(interval=10.0), prober, Random(5)) as bench:
                await until(60.0)
                return {check.id: bench.prober.begins(check.id) for check in hundred()}

        return play(story)

    quick, slow = run(hangs=False), run(hangs=True)
    assert len(quick.pop("c7")) > len(slow.pop("c7"))
    assert quick == slow


def test_what_is_disabled_or_has_no_endpoint_is_never_probed() -> None:
    async def story() -> Bench:
        checks = [
            probed("web"),
            probed("off", disabled=True),
            probed("odd", disabled=True, inverted=True),
            probed("offs", disabled=True, checkers=5),
            calculated("all", "web off", 2),
            metric("cpu"),
            recovery("switch"),
        ]
        async with monitoring(checks) as bench:
            await until(300.0)
            return bench

    bench = play(story)
    assert {one.check.id for one in bench.prober.asked} == {"web"}
    assert bench.published == []


def test_nothing_is_probed_before_the_start() -> None:
    async def story() -> None:
        prober, published = Prober(), list[Any]()

        def publish(snapshot: HealthSnapshot, _: Collection[str]) -> None:
            published.append(snapshot)

        monitor = Monitor([probed("a"), probed("b")], prober, publish, clock, Phases())
        await until(100.0)
        monitor.force("a", healthy=False)
        monitor.replace([probed("a"), probed("c")])
        assert [dict(one) for one in published] == [{"a": False, "b": True}]
        await until(200.0)
        assert prober.asked == []
        monitor.start()
        await until(201.0)
        await monitor.close()
        assert [one.check.id for one in prober.asked] == ["a", "c"]

    play(story)


# How many at a time


def test_so_many_probes_at_a_time_and_no_more() -> None:
    async def story() -> Bench:
        prober = Prober(lambda _: Reply(seconds=3.0))
        in_turn = Phases(*(number / 1e8 for number in range(100)))
        async with monitoring(hundred(interval=30.0), prober, in_turn, most=7) as bench:
            await until(50.0)
            return bench

    bench = play(story)
    assert bench.prober.most_in_flight == 7
    assert [one.check.id for one in bench.prober.asked[:100]] == [f"c{number}" for number in range(100)], "in turn"
    assert bench.prober.begins()[:100] == [near_by(3.0 * (number // 7)) for number in range(100)]
    assert bench.prober.begins("c0") == [0.0, near_by(42.0)], "who comes again queues like the others"


def test_who_waits_for_others_and_is_removed_is_not_probed() -> None:
    async def story() -> Bench:
        prober = Prober(lambda _: Reply(seconds=5.0))
        checks = hundred(interval=30.0)[:6]
        in_turn = Phases(*(number / 1e8 for number in range(6)))
        async with monitoring(checks, prober, in_turn, most=2) as bench:
            await until(6.0)
            bench.monitor.replace([check for check in checks if check.id not in ("c2", "c4")])
            await until(29.0)
            return bench

    bench = play(story)
    assert [(one.check.id, one.begin, one.was_cancelled) for one in bench.prober.asked] == [
        ("c0", near_by(0.0), False),
        ("c1", near_by(0.0), False),
        ("c2", near_by(5.0), True),
        ("c3", near_by(5.0), False),
        ("c5", near_by(6.0), False),  # in the place of c2; c4 is gone
    ]
    assert bench.prober.most_in_flight == 2


def test_faults_of_probes_give_their_place_back() -> None:
    async def story() -> Bench:
        def fail(_: HealthCheck) -> Reply:
            raise OSError("no more sockets")

        async with monitoring(hundred(interval=10.0), Prober(fail), most=3) as bench:
            await until(95.0)
            return bench

    logging.disable()
    try:
        assert len(play(story).prober.asked) == 1000
    finally:
        logging.disable(logging.NOTSET)


# Statuses


def dies_at(moment: float, *, back: float = float("inf")) -> Prober:
    """Endpoints that are down from a moment on, until they are back."""
    return Prober(lambda _: Reply(not moment <= now() < back))


def test_a_status_changes_with_the_probe_that_reaches_the_threshold() -> None:
    async def story() -> Bench:
        check = probed("web", interval=10.0, failure_threshold=3)
        async with monitoring([check], dies_at(15.0, back=65.0), Phases(0.2)) as bench:  # at 2, 12, 22 …
            await until(200.0)
            return bench

    bench = play(story)
    assert bench.transitions == ["web unhealthy", "web healthy"]
    found = [one for one in bench.told if isinstance(one, Transition)]
    assert [one.at - EPOCH for one in found] == near(42.0, 92.0)
    assert [one.at for one in bench.published] == near(42.0 + GATHER, 92.0 + GATHER)
    assert [one.healthy for one in bench.published] == [{"web": False}, {"web": True}]
    assert bench.monitor.ledger.standings["web"].since - EPOCH == pytest.approx(92.0, abs=SOON)


def test_what_changes_together_is_published_as_one() -> None:
    """Ten checks, their parents with them, within the time of gathering; two more come after it."""

    async def story() -> Bench:
        checks = [probed(f"c{number}", interval=10.0, failure_threshold=1) for number in range(12)]
        parents = [calculated("some", "c0 c1 c2", 2), calculated("none", "c0 c1 c2", 1, inverted=True)]
        parts = [number * 0.9 * GATHER / 9 / 10.0 for number in range(10)]
        chance = Phases(*parts, 1.1 * GATHER / 10.0, 1.2 * GATHER / 10.0)
        async with monitoring([*checks, *parents], dies_at(5.0), chance) as bench:
            await until(50.0)
            return bench

    bench = play(story)
    assert [one.at for one in bench.published] == near(10.0 + GATHER, 10.0 + 2.1 * GATHER)
    first, second = (one.healthy for one in bench.published)
    assert {check_id for check_id, healthy in first.items() if healthy} == {"c10", "c11", "none"}
    assert {check_id for check_id, healthy in second.items() if healthy} == {"none"}
    assert len(bench.transitions) == 14


def test_changes_are_published_in_no_time() -> None:
    """Failover is to be seen at once (H16): nobody notices what is gathered for so long."""
    assert 0 < GATHER <= 0.05


def test_a_snapshot_comes_with_the_checks_that_have_changed() -> None:
    """All that have since the last one, and no others; after a reload, since that."""

    async def story() -> Bench:
        prober = Prober(lambda check: Reply(check.id != "dies" or now() < 20.0))
        checks = [
            probed("dies", interval=5.0, failure_threshold=1),
            probed("never", interval=5.0, failure_threshold=1),
            calculated("any", "dies never", 1),
            calculated("all", "dies never", 2),
            metric("cpu"),
        ]
        async with monitoring(checks, prober) as bench:
            await until(15.0)
            bench.monitor.force("cpu", healthy=False, seconds=10.0)
            await until(30.0)
            bench.monitor.replace([replace(check, inverted=check.id == "never") for check in checks])
            bench.monitor.force("never", healthy=True)
            await until(40.0)
            return bench

    published = play(story).published
    assert [(pytest.approx(one.at, abs=0.02), set(one.changed)) for one in published] == [
        (15.0, {"cpu"}),
        (20.0, {"dies", "all"}),
        (25.0, {"cpu"}),
        (30.0, {"never", "any"}),
    ]
    assert [sorted(check_id for check_id, healthy in one.healthy.items() if not healthy) for one in published] == [
        ["cpu"],
        ["all", "cpu", "dies"],
        ["all", "dies"],
        ["all", "dies"],
    ]


def test_nothing_is_published_that_has_not_changed() -> None:
    async def story() -> Bench:
        prober = Prober(lambda check: Reply(check.id != "flaps" or len(prober.begins("flaps")) % 2 == 0))
        checks = [probed("web", interval=0.5), probed("flaps", interval=0.5), probed("odd", inverted=True)]
        async with monitoring(checks, prober, Random(1)) as bench:
            await until(60.0)
            return bench

    bench = play(story)
    assert len(bench.prober.asked) > 200
    assert bench.published == []
    assert bench.transitions == []


def test_a_snapshot_that_was_published_stays_as_it_is() -> None:
    async def story() -> None:
        published: list[Any] = []
        check = probed("web", interval=1.0, failure_threshold=1)

        def publish(snapshot: HealthSnapshot, _: Collection[str]) -> None:
            published.append(snapshot)

        monitor = Monitor([check], dies_at(5.0, back=10.0), publish, clock, Phases())
        monitor.start()
        await until(20.0)
        assert [dict(one) for one in published] == [{"web": False}, {"web": True}]
        with pytest.raises(TypeError):
            published[0]["web"] = True
        await monitor.close()

    play(story)


def test_watchers_are_told_before_anything_is_published() -> None:
    async def story() -> Bench:
        async with monitoring([probed("web", failure_threshold=1), calculated("all", "web", 1)], dies_at(0)) as bench:
            await until(GATHER / 2)
            assert bench.published == []
            await until(1.0)
            return bench

    bench = play(story)
    first, *rest = bench.told
    assert isinstance(first, Probed)
    assert (first.check.id, first.observation.success, first.at) == ("web", False, EPOCH)
    assert bench.transitions == ["web unhealthy", "all unhealthy"]
    assert len(rest) == 2
    assert len(bench.published) == 1


@pytest.mark.parametrize("fault", [ValueError, asyncio.CancelledError])
def test_a_probe_that_raises_is_a_failure_and_goes_on(
    fault: type[BaseException], caplog: pytest.LogCaptureFixture
) -> None:
    async def story() -> Bench:
        def fail(check: HealthCheck) -> Reply:
            if 15 < now() < 65:
                raise fault("nobody thought of this")
            return Reply()

        async with monitoring([probed("web", interval=10.0)], Prober(fail)) as bench:
            await until(105.0)
            return bench

    bench = play(story)
    assert bench.prober.begins() == near(*range(0, 101, 10))
    assert bench.transitions == ["web unhealthy", "web healthy"]
    failed = [one.observation for one in bench.told if isinstance(one, Probed) and not one.observation.success]
    assert len(failed) == 5
    assert all("nobody thought of this" in one.text for one in failed)
    errors = [record for record in caplog.records if record.levelno >= logging.ERROR]
    assert len(errors) == 5
    assert all("web" in record.getMessage() for record in errors)


# What people say


@pytest.mark.parametrize("healthy", [True, False])
def test_what_is_forced_is_published_at_once(healthy: bool) -> None:
    async def story() -> Bench:
        prober = Prober(lambda _: Reply(not healthy))
        checks = [calculated("all", "web", 1), probed("web", interval=1.0), probed("other", interval=1.0)]
        async with monitoring(checks, prober) as bench:
            await until(10.5)
            assert bench.healthy["web"] is not healthy
            bench.published.clear()
            standing = bench.monitor.force("web", healthy=healthy, reason="drill")
            assert (standing.check.id, standing.healthy, standing.unforced) == ("web", healthy, not healthy)
            assert standing.forced is not None
            assert standing.forced[:] == (healthy, "drill", None, None)
            assert [one.healthy for one in bench.published] == [
                {"all": healthy, "web": healthy, "other": not healthy}
            ]
            await until(3600.0)
            assert len(bench.published) == 1
            standing = bench.monitor.clear("web")
            assert (standing.healthy, standing.forced) == (not healthy, None)
            assert bench.published[1].healthy == dict.fromkeys(("all", "web", "other"), not healthy)
            return bench

    assert len(play(story).published) == 2


@pytest.mark.parametrize("hours", [-1, 1])
def test_what_is_forced_for_a_while_is_so_for_that_long_if_the_clock_is_set_meanwhile(
    hours: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def story() -> Bench:
        async with monitoring([probed("web", disabled=True)]) as bench:
            bench.monitor.force("web", healthy=False, seconds=10.0)
            await until(1.0)
            monkeypatch.setattr("health.virtual.EPOCH", EPOCH + 3600 * hours)
            await until(7200.0)
            return bench

    assert [(one.at, one.healthy["web"]) for one in play(story).published] == [(0.0, False), (10.0, True)]


def test_what_was_gathered_is_published_with_what_is_forced() -> None:
    async def story() -> Bench:
        checks = [probed("web", interval=10.0, failure_threshold=1), probed("other", disabled=True)]
        async with monitoring(checks, dies_at(5.0)) as bench:
            await until(10.0 + GATHER / 2)
            assert bench.published == []
            bench.monitor.force("other", healthy=False)
            await until(19.0)
            return bench

    published = play(story).published
    assert [one.healthy for one in published] == [{"web": False, "other": False}]
    assert published[0].at == pytest.approx(10.0 + GATHER / 2)


SAID: list[tuple[str, dict[str, Any]]] = [
    ("force", {"check_id": "web", "healthy": False}),
    ("force", {"check_id": "web", "healthy": False, "seconds": 3.0}),
    ("set_alarm", {"region": ALARM[0], "name": ALARM[1], "state": "ALARM"}),
    ("set_control", {"control": ARN, "state": "Off"}),
]


@pytest.mark.parametrize(("call", "words"), SAID)
def test_what_people_say_holds_before_the_call_returns(call: str, words: dict[str, Any]) -> None:
    async def story() -> Bench:
        async with monitoring([probed("web"), metric("cpu"), recovery("switch")]) as bench:
            await until(31.0)
            getattr(bench.monitor, call)(**words)
            assert len(bench.published) == 1
            assert list(bench.published[0].healthy.values()).count(False) == 1
            bench.monitor.reset()
            assert set(bench.published[1].healthy.values()) == {True}
            await until(100.0)
            return bench

    assert len(play(story).published) == 2


@pytest.mark.parametrize("call", ["force", "clear"])
def test_what_is_forced_holds_though_a_probe_has_just_said_the_same(call: str) -> None:
    """An override holds before the reply leaves (surface 3), also in the moment in which changes are gathered."""

    async def story() -> None:
        checks = [probed("web", interval=10.0, failure_threshold=1)]
        async with monitoring(checks, dies_at(5.0)) as bench:
            await until(10.0 + GATHER / 2)
            if call == "force":
                bench.monitor.force("web", healthy=False)
            else:
                bench.monitor.clear("web")
            assert [one.healthy for one in bench.published] == [{"web": False}]

    play(story)


@pytest.mark.parametrize(
    ("call", "words"),
    [
        ("force", {"check_id": "other", "healthy": False}),
        ("force", {"check_id": "other", "healthy": False, "seconds": 3.0}),
        ("clear", {"check_id": "other"}),
        ("set_alarm", {"region": "us-east-1", "name": ALARM[1], "state": "ALARM"}),
        ("set_control", {"control": "other", "state": "Off"}),
    ],
)
def test_what_is_said_of_nobody_is_refused_and_changes_nothing(call: str, words: dict[str, Any]) -> None:
    async def story() -> Bench:
        async with monitoring([probed("web"), metric("cpu"), recovery("switch")]) as bench:
            with pytest.raises(LookupError):
                getattr(bench.monitor, call)(**words)
            await until(100.0)
            return bench

    assert play(story).published == []


ENDS: list[tuple[list[tuple[float, str, bool, float | None]], list[tuple[float, str]]]] = [
    # at, check, forced to be healthy, for how many seconds (0: taken back) … and what is published when: what is down
    ([(1.0, "a", False, 30.0)], [(1.0, "a"), (31.0, "")]),
    ([(1.0, "a", False, 0.5)], [(1.0, "a"), (1.5, "")]),
    ([(1.0, "a", False, None)], [(1.0, "a")]),
    ([(1.0, "a", False, 30.0), (2.0, "b", False, 5.0)], [(1.0, "a"), (2.0, "a b"), (7.0, "a"), (31.0, "")]),
    ([(1.0, "a", False, 5.0), (2.0, "b", False, 30.0)], [(1.0, "a"), (2.0, "a b"), (6.0, "b"), (32.0, "")]),
    ([(1.0, "a", False, 9.0), (4.0, "b", False, 6.0)], [(1.0, "a"), (4.0, "a b"), (10.0, "")]),  # as one
    ([(1.0, "a", False, 5.0), (2.0, "a", False, 30.0)], [(1.0, "a"), (32.0, "")]),  # longer
    ([(1.0, "a", False, 30.0), (2.0, "a", False, 5.0)], [(1.0, "a"), (7.0, "")]),  # shorter
    ([(1.0, "a", False, 5.0), (2.0, "a", False, None)], [(1.0, "a")]),  # for good
    ([(1.0, "a", False, None), (2.0, "a", False, 5.0)], [(1.0, "a"), (7.0, "")]),
    ([(1.0, "a", False, 5.0), (2.0, "a", True, 0.0)], [(1.0, "a"), (2.0, "")]),  # taken back
    (
        [(1.0, "a", False, 5.0), (2.0, "a", True, 0.0), (3.0, "a", False, 5.0)],
        [(1.0, "a"), (2.0, ""), (3.0, "a"), (8.0, "")],
    ),
    ([(1.0, "a", True, 5.0), (2.0, "b", False, 9.0)], [(2.0, "b"), (11.0, "")]),  # what ends as it was, quietly
    ([(1.0, "a", False, 5.0), (2.0, "b", False, None)], [(1.0, "a"), (2.0, "a b"), (6.0, "b")]),
    ([(1.0, "a", False, 86400.0 * 30)], [(1.0, "a"), (86400.0 * 30 + 1.0, "")]),
]


@pytest.mark.parametrize(("forced", "expected"), ENDS)
def test_what_is_forced_ends_on_time(
    forced: list[tuple[float, str, bool, float | None]], expected: list[tuple[float, str]]
) -> None:
    async def story() -> Bench:
        async with monitoring([metric("a"), metric("b"), metric("c")]) as bench:
            for at, check_id, healthy, seconds in forced:
                await until(at)
                if seconds == 0.0:
                    bench.monitor.clear(check_id)
                else:
                    bench.monitor.force(check_id, healthy=healthy, seconds=seconds)
            await until(86400.0 * 40)
            return bench

    published = play(story).published
    assert [one.at for one in published] == near(*(at for at, _ in expected))
    down = [" ".join(sorted(one for one, healthy in found.healthy.items() if not healthy)) for found in published]
    assert down == [ids for _, ids in expected]


def test_what_was_seen_meanwhile_counts_when_it_is_no_longer_forced() -> None:
    async def story() -> Bench:
        async with monitoring([probed("web", interval=10.0)], dies_at(20.0)) as bench:
            await until(5.0)
            bench.monitor.force("web", healthy=True, seconds=60.0)
            await until(64.0)
            assert bench.published == []
            await until(70.0)
            return bench

    published = play(story).published
    assert [(one.at, one.healthy) for one in published] == [(pytest.approx(65.0, abs=SOON), {"web": False})]


# The end


@pytest.mark.parametrize("moment", [0.0, 0.5, 3.0, 10.0 + GATHER / 2, 47.0])
def test_nothing_happens_after_the_end(moment: float) -> None:
    async def story() -> None:
        prober = Prober(lambda check: Reply(now() < 5.0, 20.0 if check.id == "c3" else 0.0))
        checks = [probed(f"c{number}", interval=10.0, failure_threshold=1, checkers=3) for number in range(5)]
        async with monitoring(checks, prober, most=12) as bench:
            bench.monitor.force("c4", healthy=False, seconds=48.0)
            await until(moment)
        counted = len(prober.asked), len(bench.published), len(bench.told)
        assert prober.in_flight == 0
        assert asyncio.all_tasks() == {asyncio.current_task()}
        await until(3600.0)
        assert (len(prober.asked), len(bench.published), len(bench.told)) == counted

    play(story)


def test_it_may_end_twice_and_without_having_begun() -> None:
    async def story() -> None:
        monitor = Monitor([probed("web")], Prober(), print, clock, Phases())
        await monitor.close()
        await monitor.close()
        monitor = Monitor([], Prober(), print, clock, Phases())
        monitor.start()
        await monitor.close()

    play(story)


@pytest.mark.parametrize("checks", [[], [probed("web", port=81)]])
def test_a_probe_that_takes_time_to_end_is_waited_for(checks: list[HealthCheck]) -> None:
    """Of probes that a reload has cancelled, too: `close` leaves none behind."""

    async def story() -> None:
        ended: list[float] = []

        async def probe(_: HealthCheck) -> Observation:
            try:
                await asyncio.sleep(60.0)
            finally:
                await asyncio.sleep(0.5)  # as a connection that is closed in order
                ended.append(now())
            return WELL

        monitor = Monitor([probed("web")], probe, print, clock, Phases())
        monitor.start()
        await until(5.0)
        monitor.replace(checks)
        await monitor.close()
        left = len(ended)
        await until(10.0)  # it does end, and nobody has to mind
        assert left == 1

    play(story)


# Reloads


def reloaded(before: list[HealthCheck], after: list[HealthCheck], moment: float, **more: Any) -> Bench:
    """Two minutes of a monitor with other checks from a moment on. Probes take a second."""

    async def story() -> Bench:
        prober = more.get("prober") or Prober(lambda _: Reply(seconds=1.0))
        async with monitoring(before, prober, Random(11)) as bench:
            await until(moment)
            bench.monitor.replace(after)
            await until(120.0)
            return bench

    return play(story)


KEPT: list[dict[str, Any]] = [
    {},
    {"failure_threshold": 1},
    {"inverted": True},
    {"origin": replace(probed("web")).origin._replace(line=9)},
]


@pytest.mark.parametrize("moment", [1.0, 25.0, 27.0, 28.0, 33.3, 61.0])
@pytest.mark.parametrize("changed", KEPT)
def test_unchanged_checkers_keep_their_phase(changed: dict[str, Any], moment: float) -> None:
    """No probe more, none less, none at another time: whatever comes, goes or changes beside them."""
    kept = [probed(f"c{number}", interval=10.0, checkers=2) for number in range(20)]
    gone, come = [probed("gone")], [probed("come"), probed("came", checkers=3)]
    undisturbed = reloaded([*gone, *kept], [*gone, *kept], 119.0).prober
    bench = reloaded([*gone, *kept], [*come, *(replace(check, **changed) for check in kept[::-1])], moment)
    for check in kept:
        assert bench.prober.begins(check.id) == undisturbed.begins(check.id)
    cancelled = {one.check.id for one in bench.prober.asked if one.was_cancelled and (one.end or 0) < 120.0}
    assert cancelled <= {"gone"}


def test_a_probe_in_flight_counts_after_a_reload() -> None:
    """Of a check that asks what it asked; by the new threshold."""

    async def story() -> Bench:
        prober = Prober(lambda _: Reply(False, 4.0))
        async with monitoring([probed("web", failure_threshold=3)], prober) as bench:
            await until(2.0)
            bench.monitor.replace([probed("web", failure_threshold=1)])
            await until(10.0)
            return bench

    bench = play(story)
    assert bench.transitions == ["web unhealthy"]
    assert [one.at for one in bench.published] == near(4.0 + GATHER)


@pytest.mark.parametrize("interval", [30.0, 10.0, 0.5])
@pytest.mark.parametrize("moment", [0.5, 47.0])
def test_another_interval_begins_a_phase_of_its_own(interval: float, moment: float) -> None:
    before = [probed(f"c{number}", interval=20.0, checkers=1) for number in range(30)]
    after = [replace(check, interval=interval) for check in before]
    bench = reloaded(before, after, moment)
    firsts = []
    for check in before:
        begins = [begin for begin in bench.prober.begins(check.id) if begin >= moment]
        assert moment <= begins[0] < moment + interval
        pace = interval + 1.0
        assert begins == near(*(begins[0] + pace * number for number in range(len(begins))))
        assert len(begins) == int((120.0 - begins[0]) / pace) + 1
        firsts.append(begins[0])
    assert len(set(firsts)) == len(firsts)


ENDPOINTS: list[dict[str, Any]] = [
    {"port": 81},
    {"ip_address": "192.0.2.10"},
    {"fqdn": "www.example.com"},
    {"type": "HTTP"},
    {"resource_path": "/x"},
]


@pytest.mark.parametrize("changed", ENDPOINTS)
def test_a_probe_of_an_endpoint_that_was_does_not_count(changed: dict[str, Any]) -> None:
    async def story() -> Bench:
        prober = Prober(lambda check: Reply(check != old, 8.0))
        old, new = probed("web", failure_threshold=1), probed("web", failure_threshold=1, **changed)
        async with monitoring([old], prober, Phases(0.0, 0.1)) as bench:
            await until(5.0)
            bench.monitor.replace([new])
            await until(100.0)
            return bench

    bench = play(story)
    first, *rest = bench.prober.asked
    assert first.was_cancelled
    assert [one.begin for one in rest] == near(8.0, 46.0, 84.0)  # 5 and a tenth of the interval; it takes 8
    assert all(one.check.port == rest[0].check.port and one.check is not first.check for one in rest)
    assert bench.published == []
    assert bench.transitions == []


def test_a_probe_that_does_not_hear_that_it_is_cancelled_counts_no_more() -> None:
    """Python 3.11 loses a cancellation that comes together with what was waited for."""
    old, new = probed("web", failure_threshold=1), probed("web", failure_threshold=1, port=81)

    async def story() -> Bench:
        prober = Prober()

        async def deaf(check: HealthCheck) -> Observation:
            with suppress(asyncio.CancelledError):
                return await prober(check)
            return seen(False)

        prober.answer = lambda check: Reply(check is not old, 8.0)
        async with monitoring([old], prober, Phases(0.0, 0.1)) as bench:
            bench.monitor._probe = deaf
            await until(5.0)
            bench.monitor.replace([new])
            await until(100.0)
            assert {one.check.port for one in bench.told if isinstance(one, Probed)} == {81}
            await until(122.5)  # while one more is being probed
            return bench

    bench = play(story)
    assert [one.begin for one in bench.prober.asked] == near(0.0, 8.0, 46.0, 84.0, 122.0)
    assert bench.transitions == []


def test_a_status_that_begins_anew_is_told() -> None:
    async def story() -> Bench:
        old, new = probed("web", interval=10.0, failure_threshold=1), probed("web", interval=10.0, port=81)
        async with monitoring([old], Prober(lambda check: Reply(check.port != 80))) as bench:
            await until(5.0)
            assert bench.healthy == {"web": False}
            bench.monitor.replace([new])
            assert bench.healthy == {"web": True}
            await until(50.0)
            return bench

    bench = play(story)
    assert bench.transitions == ["web unhealthy", "web healthy"]
    assert len(bench.published) == 1, "who reloads publishes"


@pytest.mark.parametrize("moment", [2.0, 12.0])
def test_what_is_removed_ends(moment: float) -> None:
    """Whether it is being probed or not."""
    web, other = probed("web", interval=30.0), probed("other", interval=30.0)

    async def story() -> Bench:
        prober = Prober(lambda _: Reply(False, 8.0))
        async with monitoring([web, other], prober) as bench:
            await until(moment)
            bench.monitor.replace([other])
            await until(40.0)
            bench.monitor.replace([other, web])
            await until(60.0)
            return bench

    bench = play(story)
    assert bench.prober.begins("web") == near(0.0, 40.0)
    assert bench.prober.asked[0].was_cancelled is (moment < 8)
    assert bench.prober.begins("other") == near(0.0, 38.0)
    assert bench.monitor.ledger.standings["web"].probes == [1, 0], "one that was away has not been seen"
    assert bench.monitor.ledger.standings["other"].probes == [2, 0]


@pytest.mark.parametrize("moment", [0.5, 25.0])
def test_disabling_ends_and_enabling_begins(moment: float) -> None:
    on, off = probed("web", interval=10.0, checkers=2), probed("web", interval=10.0, checkers=2, disabled=True)

    async def story() -> Bench:
        prober = Prober(lambda _: Reply(False, 1.0))
        async with monitoring([on], prober, Phases(0.0, 0.0, 0.5, 0.6)) as bench:
            await until(moment)
            bench.monitor.replace([off])
            await until(100.0)
            assert all(one.begin < moment for one in prober.asked)
            assert prober.in_flight == 0
            bench.monitor.replace([on])
            await until(110.0)
            return bench

    bench = play(story)
    assert [begin for begin in bench.prober.begins() if begin > moment] == near(105.0, 106.0)


def test_more_checkers_begin_fewer_end_and_the_others_go_on() -> None:
    def checkers(count: int) -> list[HealthCheck]:
        return [probed("web", interval=10.0, checkers=count)]

    async def story() -> list[Probed]:
        async with monitoring(checkers(3), chance=Phases(0.1, 0.2, 0.3, 0.25)) as bench:
            await until(15.0)
            bench.monitor.replace(checkers(4))
            await until(35.0)
            bench.monitor.replace(checkers(1))
            await until(55.0)
            return [one for one in bench.told if isinstance(one, Probed)]

    told = play(story)
    by_region = {
        region: [one.at - EPOCH for one in told if one.region == region] for region in {one.region for one in told}
    }
    assert by_region == {
        CHECKER_REGIONS[0]: near(1.0, 11.0, 21.0, 31.0, 41.0, 51.0),
        CHECKER_REGIONS[1]: near(2.0, 12.0, 22.0, 32.0),
        CHECKER_REGIONS[2]: near(3.0, 13.0, 23.0, 33.0),
        CHECKER_REGIONS[3]: near(17.5, 27.5),
    }


def test_what_is_forced_ends_on_time_after_a_reload() -> None:
    async def story() -> Bench:
        async with monitoring([metric("a"), metric("b"), metric("c")]) as bench:
            bench.monitor.force("a", healthy=False, seconds=10.0)
            bench.monitor.force("b", healthy=False, seconds=20.0)
            bench.monitor.force("c", healthy=False, seconds=30.0)
            await until(5.0)
            bench.monitor.replace([metric("b", insufficient_data_status="Healthy"), metric("c")])
            await until(100.0)
            return bench

    published = play(story).published[3:]
    assert [(one.at, one.healthy) for one in published] == [
        (pytest.approx(20.0, abs=SOON), {"b": True, "c": False}),
        (pytest.approx(30.0, abs=SOON), {"b": True, "c": True}),
    ]


def test_reloading_again_and_again_makes_no_difference() -> None:
    checks = [probed(f"c{number}", interval=10.0, checkers=2) for number in range(10)]

    def run(times: int) -> Bench:
        async def story() -> Bench:
            prober = Prober(lambda _: Reply(now() < 30 or now() > 80, 0.5))
            async with monitoring(checks, prober, Random(2)) as bench:
                for number in range(times):
                    await until(120.0 * (number + 1) / (times + 1))
                    bench.monitor.replace(list(checks))
                await until(120.0)
                return bench

        return play(story)

    once, often = run(0), run(97)
    assert often.prober.begins() == once.prober.begins()
    assert often.published == once.published
    assert often.told == once.told
    assert len(once.published) >= 2


# Many


def test_five_hundred_checks_for_an_hour() -> None:
    """Each at its pace to the end, and a snapshot only when something has changed."""

    async def story() -> Bench:
        checks = [probed(f"c{number}", interval=30.0) for number in range(500)]
        prober = Prober(lambda check: Reply(check.id != "c250" or not 600 <= now() < 1800, 0.25))
        async with monitoring(checks, prober, Random(9)) as bench:
            bench.monitor.watchers.clear()
            await until(3600.0)
            return bench

    bench = play(story)
    asked = Counter(one.check.id for one in bench.prober.asked)
    firsts = {one.check.id: one.begin for one in reversed(bench.prober.asked)}
    assert asked == {check_id: int((3600.0 - begin) / 30.25) + 1 for check_id, begin in firsts.items()}
    assert len(firsts) == 500
    assert [one.healthy["c250"] for one in bench.published] == [False, True]
