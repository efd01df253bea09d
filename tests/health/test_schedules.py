"""Endpoints die and come back by a thousand random schedules, and every answer is one that a naive model allows.

Failover, multivalue and weighted groups, with aliases among them, are asked at any moment while a monitor probes on a
virtual clock. What is allowed, `schedules` says, by what the probes have seen and by the time that has passed.
"""

from __future__ import annotations

import subprocess
from collections.abc import Callable, Iterator
from functools import cache, lru_cache
from random import Random
from typing import NamedTuple

import dns.message
import dns.rcode
import dns.rdatatype
import pytest
from e2e.launch import need
from health.checks import probed
from health.schedules import ZONE, Draw, Play, may_answer, schedule
from health.virtual import Bench, Prober, Reply, monitoring, now, play, until
from properties.strategies import EXPLORE
from server.harness import Running, running

from dnsemu.app import load_text
from dnsemu.authority import Authority, Response, respond
from dnsemu.draws import Draws
from dnsemu.health.monitor import GATHER
from dnsemu.wire import UDP

BLOCK = 50  # schedules in one test
BLOCKS = 20 * (EXPLORE or 1)
DUG = 2  # moments of each schedule that dig looks at
LOOPBACK = bytes((127, 0, 0, 1))

Addresses = frozenset[str]
Ask = Callable[[Authority, str], Addresses]


@cache
def packet(name: str) -> bytes:
    """The question for its addresses."""
    return dns.message.make_query(f"{name}.{ZONE}.", "A", id=1).to_wire()


def asking(seed: int) -> Ask:
    """Asks in process; what chance decides is up to a seed."""
    draws = Draws(seed)

    def ask(authority: Authority, name: str) -> Addresses:
        outcome = respond(authority, packet(name), LOOPBACK, UDP, draws)
        assert isinstance(outcome, Response)
        assert outcome.fault is None
        return read(outcome.wire, name)

    return ask


@lru_cache(maxsize=10_000)  # many answers are alike, octet by octet
def read(wire: bytes, name: str) -> Addresses:
    """The addresses in an answer, each of which is there once."""
    message = dns.message.from_wire(wire)
    assert message.rcode() == dns.rcode.NOERROR
    (rrset,) = message.answer
    assert (rrset.name.to_text(), rrset.rdtype, rrset.ttl) == (f"{name}.{ZONE}.", dns.rdatatype.A, 30)
    assert len(rrset) == int.from_bytes(wire[6:8])
    return frozenset(record.address for record in rrset)


def is_allowed(answer: Addresses, draws: set[Draw]) -> bool:
    return any(len(answer) == draw.count and answer <= draw.pool for draw in draws)


def check(one: Play, name: str, moment: float, answer: Addresses) -> bool:
    """Fails if that may not be answered; whether the time that has passed says so, too."""
    told = f"seed {one.schedule.seed} at {moment}: {name} is {sorted(answer)}"
    seen, due = one.seen(name, moment), one.due(name, moment)
    assert is_allowed(answer, seen), f"{told}, by what was seen {seen}\n{one.schedule}"
    assert due is None or is_allowed(answer, due), f"{told}, by the time {due}\n{one.schedule}"
    return due is not None


def run(seed: int) -> tuple[int, int]:
    """Play a schedule, and ask two names at each of its moments: how many, and of how many time was a witness."""
    plan, ask, rng = schedule(seed), asking(seed), Random(seed)
    names, served, counts = sorted(plan.layout.groups), list[Authority](), [0, 0]
    one = Play(plan, served.append)

    def look(moment: float) -> None:
        for name in rng.sample(names, 2):
            counts[check(one, name, moment, ask(served[-1], name))] += 1

    play(lambda: one.run(look))
    return sum(counts), counts[True]


@pytest.mark.parametrize("block", range(BLOCKS))
def test_every_answer_is_allowed(block: int) -> None:
    counted = [run(seed) for seed in range(block * BLOCK, (block + 1) * BLOCK)]
    asked, timed = (sum(column) for column in zip(*counted, strict=True))
    assert asked >= BLOCK * 24
    assert timed > asked / 3, "the time that has passed says something of a good part of the answers"


def test_schedules_are_as_different_as_they_should_be() -> None:
    """What the zones have, and how many answers there may be: a test of the test."""
    plans = [schedule(seed) for seed in range(0, 1000, 10)]
    members = [member for plan in plans for group in plan.layout.groups.values() for member in group.members]
    assert sum(bool(member.alias) for member in members) > 50
    assert sum(not member.evaluate for member in members if member.alias) > 5
    assert sum(not member.check for member in members) > 100
    assert sum("weight: 0" in member.rule for member in members) > 30
    assert {(one.failure_threshold, one.checkers) for plan in plans for one in plan.checks} >= {
        (3, 1),
        (2, 2),
        (1, 6),
    }
    assert sum(one.inverted for plan in plans for one in plan.checks) > 50
    assert sum(len(plan.forcings) for plan in plans) > 30
    found = {
        frozenset(may_answer(plan.layout.groups, name, {one.id: rng.random() < 0.5 for one in plan.checks}))
        for plan in plans[:10]
        for name in plan.layout.groups
        for rng in (Random(1), Random(2), Random(3))
    }
    assert len(found) > 40


# When the first other answer comes

FAILOVER = """
version: 1
hosted_zones:
  - name: t.test
    record_sets:
      - name: fo
        type: A
        ttl: 30
        members:
          - {set_identifier: p, failover_routing_policy: {type: PRIMARY}, health_check_id: web, records: 192.0.2.1}
          - {set_identifier: s, failover_routing_policy: {type: SECONDARY}, records: 192.0.2.2}
health_checks:
  - {id: web, type: TCP, ip_address: 192.0.2.9, port: 80}
"""
TOOK = 0.05  # seconds of a probe


@cache
def failover() -> Authority:
    return load_text(FAILOVER).authority


@pytest.mark.parametrize("seed", range(40 * (EXPLORE or 1)))
def test_the_answer_changes_after_as_many_failures_as_the_threshold_and_no_later(seed: int) -> None:
    """And changes back after as many successes."""
    rng = Random(f"failover {seed}")
    threshold, interval = rng.choice((1, 2, 3, 5, 10)), rng.choice((0.5, 10.0, 30.0))
    web = probed("web", failure_threshold=threshold, interval=interval, checkers=rng.choice((1, 1, 2, 3)))
    pace = interval + TOOK
    dies = rng.uniform(0, 5 * pace)
    back = dies + (threshold + 2 + rng.random()) * pace
    end = back + (threshold + 2) * pace

    async def story() -> Bench:
        prober = Prober(lambda _: Reply(not dies <= now() < back, TOOK))
        async with monitoring([web], prober, Random(seed)) as bench:
            await until(end)
            return bench

    bench = play(story)
    ask = asking(seed)
    found = [(one.at, ask(failover().with_health(one.healthy), "fo")) for one in bench.published]
    assert [answer for _, answer in found] == [{"192.0.2.2"}, {"192.0.2.1"}]
    for (changed, _), turned in zip(found, (dies, back), strict=True):
        probes = [one for one in bench.prober.asked if one.begin >= turned and one.end and one.end <= changed]
        assert len(probes) >= threshold
        assert changed - turned >= (threshold - 1) * pace + TOOK
        assert changed - turned <= threshold * pace + TOOK + GATHER + 1e-6
    failed = [one for one in bench.prober.asked if one.begin >= dies and one.end and one.end <= found[0][0]]
    assert len(failed) >= threshold * web.checkers, "of up to five checkers, all have to say so"


# With dig


class Dig:
    """A dig that asks a server for the names that it is given, one after the other."""

    def __init__(self, port: int) -> None:
        argv = [need("dig", "bind9-dnsutils"), "-r", "@127.0.0.1", "-p", str(port), "+noall", "+answer", "+stats"]
        self._process = subprocess.Popen(
            [*argv, "+time=10", "-f", "-"], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        assert self._process.stdin
        assert self._process.stdout
        self._questions, self._lines = self._process.stdin, self._process.stdout

    def ask(self, name: str) -> Addresses:
        """The addresses that it prints."""
        self._questions.write(f"{name}.{ZONE} A\n")
        self._questions.flush()
        found = set()
        for line in iter(self._lines.readline, ""):
            if line.startswith(";; MSG SIZE"):
                return frozenset(found)
            if line.strip() and not line.startswith(";"):
                owner, ttl, rdclass, rdtype, address = line.split()
                assert (owner, ttl, rdclass, rdtype) == (f"{name}.{ZONE}.", "30", "IN", "A")
                found.add(address)
        pytest.fail("dig has ended")

    def close(self) -> None:
        self._questions.close()
        self._lines.read()
        assert self._process.wait(20) == 0
        self._lines.close()


class Served(NamedTuple):
    """A server that plays publish to, and who asks it."""

    server: Running
    dig: Dig


@pytest.fixture(scope="module")
def served() -> Iterator[Served]:
    need("dig", "bind9-dnsutils")
    with running(FAILOVER) as server:
        dig = Dig(server.address[1])
        yield Served(server, dig)
        dig.close()


@pytest.mark.e2e
@pytest.mark.parametrize("block", range(BLOCKS))
def test_dig_gets_what_is_allowed(block: int, served: Served) -> None:
    """The same schedules, each at some of its moments."""
    asked = sum(follow(seed, served) for seed in range(block * BLOCK, (block + 1) * BLOCK))
    assert asked >= BLOCK * DUG * 3


def follow(seed: int, served: Served) -> int:
    """Play a schedule, and let dig ask for all names at some of its moments: how many times it did."""
    plan, asked = schedule(seed), 0
    chosen = Random(f"dig {seed}").sample(plan.moments, DUG)
    one, names = Play(plan, served.server.answers.publish), sorted(plan.layout.groups)

    def look(moment: float) -> None:
        nonlocal asked
        if any(abs(moment - other) < 1e-6 for other in chosen):
            for name in names:
                check(one, name, moment, served.dig.ask(name))
            asked += len(names)

    play(lambda: one.run(look))
    return asked
