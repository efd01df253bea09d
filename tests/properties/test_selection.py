"""Record sets are chosen as a plain model says: thousands of zones, health states and clients."""

from __future__ import annotations

import itertools
import random
from collections import Counter
from dataclasses import replace
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties.reference import ADDRESSES
from properties.selection import Shares, answers, answers_to_any, find, zone_for
from properties.selection_clients import clients, questions
from properties.selection_places import ATLAS
from properties.selection_reach import is_unrelated
from properties.selection_rows import CHECKS, ROWS, client_of, expected, groups, world_of
from properties.selection_server import Heard, authority_of, explained, hear
from properties.selection_world import Client, Group, Member, World, Zone
from properties.selection_zones import VPCS, worlds
from properties.strategies import examples

from dnsemu.draws import Draws

DRAWS = 40
UNLIKELY = Fraction(1, 10**9)
FLAGS = {"REFUSED": "qr rd", "public": "qr aa rd", "private": "qr rd ra"}


# The tables and scenarios of what is to be emulated


@pytest.mark.parametrize(("rule", "client", "wanted", "lines"), ROWS, ids=[row[0] for row in ROWS])
def test_the_model_gives_what_the_tables_say(rule: str, client: str, wanted: str, lines: tuple[str, ...]) -> None:
    shares = answers(world_of(lines), client_of(client), "r.t.test.", "TXT")
    assert in_identifiers(shares) == expected(wanted)


@pytest.mark.parametrize(("rule", "client", "wanted", "lines"), ROWS, ids=[row[0] for row in ROWS])
def test_the_server_gives_what_the_tables_say(rule: str, client: str, wanted: str, lines: tuple[str, ...]) -> None:
    """Health is the other way round at first, and then changes."""
    world, draws = world_of(lines), Draws(1)
    authority = authority_of(replace(world, checks={check: not healthy for check, healthy in CHECKS.items()}))
    authority = authority.with_health(CHECKS)
    heard = [hear(authority, client_of(client), "r.t.test.", "TXT", draws).outcome for _ in range(DRAWS)]
    came = set(in_identifiers(dict.fromkeys(heard, Fraction(1))))
    assert set(likely(expected(wanted), DRAWS)) <= came <= set(expected(wanted))


def in_identifiers(shares: Shares) -> Shares:
    return {frozenset(record.value.strip('"') for record in one.answer): share for one, share in shares.items()}


def test_of_more_than_eight_every_eight_are_as_likely() -> None:
    lines = ("r multivalue: " + ", ".join(f"{letter} + -" for letter in "ABCDEFGHIJ"),)
    shares = answers(world_of(lines), Client(), "r.t.test.", "TXT")
    eights = {frozenset(them) for them in itertools.combinations("ABCDEFGHIJ", 8)}
    assert in_identifiers(shares) == dict.fromkeys(eights, Fraction(1, 45))


PRIVATE = {  # who asks, for what: who answers
    "V5: the private zone hides the public one": ("10.1.0.1", "x.t.test.", "private"),
    "V4: another VPC's client sees the public one": ("10.2.0.1", "x.t.test.", "public"),
    "of VPCs inside each other the smallest one": ("10.1.64.1", "x.t.test.", "public"),
    "V3: and never falls through": ("10.1.0.1", "y.t.test.", ""),
    "V2: the longest name wins": ("10.1.0.1", "x.p.t.test.", "below"),
    "V2: also where it has nothing": ("10.1.0.1", "y.p.t.test.", ""),
    "V9: a client subnet is ignored": ("10.1.0.1 " + ATLAS["US"][0], "g.t.test.", "ie"),
    "G11: a client is where its VPC is": ("10.1.0.1", "g.t.test.", "ie"),
    "L7: the same region": ("10.1.0.1", "l.t.test.", "eu-west-1"),
    "L7: the nearest region": ("10.1.0.1", "m.t.test.", "eu-west-2"),
    "L7: the same one of two in one city": ("10.2.0.1", "n.w.t.test.", "us-west-2"),
    "R2: the full walk": ("10.1.0.1", "h.t.test.", "eu"),
    "5: so it is for public zones": ("10.2.0.1", "g.t.test.", "us"),
    "CS1: but for client subnets": ("10.2.0.1 " + ATLAS["IE"][0], "g.t.test.", "ie"),
}
GEOLOCATION = "g geolocation: ie IE -, us US -"
PRIVATE_LINES = (
    "x simple: private 0 -",
    "x.p simple: above 0 -",
    "y.p simple: above 0 -",
    GEOLOCATION,
    "l latency: us-east-1 us-east-1 -, eu-west-1 eu-west-1 -",
    "m latency: us-east-1 us-east-1 -, eu-west-2 eu-west-2 -",
    "h geolocation: ie IE U, eu EU: H, all * H",
)


@pytest.mark.parametrize(("who", "name", "wanted"), PRIVATE.values(), ids=PRIVATE)
def test_private_zones(who: str, name: str, wanted: str) -> None:
    world = replace(world_of(("x simple: public 0 -", "y simple: public 0 -", GEOLOCATION)), vpcs=VPCS)
    private = Zone("t.test.", groups(*PRIVATE_LINES), ("vpc-a",))
    below = Zone("p.t.test.", groups("x.p simple: below 0 -"), ("vpc-a",))
    other = Zone("w.t.test.", groups("n.w latency: gov us-gov-west-1 -, us-west-2 us-west-2 -"), ("vpc-b",))
    world = replace(world, zones=(*world.zones, private, below, other))
    client = Client(*who.split())
    ((outcome, _),) = answers(world, client, name, "TXT").items()
    assert in_identifiers({outcome: Fraction(1)}) == expected(wanted)
    assert hear(authority_of(world), client, name, "TXT", Draws(1)).outcome == outcome


def test_what_a_private_zone_hides_is_hidden_behind_a_cname_too() -> None:
    """V2, R9: for clients of the VPC the target is in another zone."""
    public = [Group("c.t.test.", "CNAME", "simple", (Member(values=("x.p.t.test.",)),))]
    public += groups("x.p simple: public 0 -")
    below = Zone("p.t.test.", groups("x.p simple: private 0 -"), ("vpc-a",))
    world = World((Zone("t.test.", tuple(public)), below), vpcs=VPCS)
    for client in (Client("10.1.0.1"), Client("10.2.0.1")):
        ((outcome, _),) = answers(world, client, "c.t.test.", "TXT").items()
        assert hear(authority_of(world), client, "c.t.test.", "TXT", Draws(1)).outcome == outcome


# Every zone


@examples(30)
@given(worlds(), st.integers(0, 1 << 32))
def test_every_answer_is_one_that_is_allowed(world: World, seed: int) -> None:
    authority, rng = authority_of(world), random.Random(seed)
    for client in clients(world, rng, 6):
        for name, rdtype in questions(world, rng, 5):
            allowed, draws = answers(world, client, name, rdtype), Draws(seed)
            heard = [hear(authority, client, name, rdtype, draws) for _ in range(DRAWS if len(allowed) > 1 else 2)]
            for one in heard:
                assert one.outcome in allowed, explained(world, client, name, rdtype, one)
                assert is_in_form(world, client, name, one), explained(world, client, name, rdtype, one)
                check_additional(world, client, name, one)
            missing = set(likely(allowed, len(heard))) - {one.outcome for one in heard}
            assert not missing, explained(world, client, name, rdtype, f"never {missing}")


def likely(shares: Shares, draws: int) -> list[Any]:
    """What can hardly stay away so often."""
    return [outcome for outcome, share in shares.items() if share == 1 or (1 - share) ** draws < UNLIKELY]


def is_in_form(world: World, client: Client, name: str, one: Heard) -> bool:
    """Private zones are answered as the resolver of a VPC does, public ones as an authoritative server."""
    zone = zone_for(world, client, name)
    if zone is None:
        return one.flags == FLAGS["REFUSED"]
    positive = set() if zone.vpcs else {"NS"}
    flags = FLAGS["private" if zone.vpcs else "public"]
    return one.flags == flags and one.authority == ({"SOA"} if one.outcome.negative else positive)


def check_additional(world: World, client: Client, name: str, one: Heard) -> None:
    """Addresses of mail servers are chosen as for a question about them."""
    zone = zone_for(world, client, name)
    targets = {record.value.split()[-1] for record in one.outcome.answer if record.type == "MX"}
    inside = [target for target in targets if zone_for(world, client, target) is zone]
    for target, family in itertools.product(inside, ADDRESSES):
        got = frozenset(record for record in one.additional if (record.name, record.type) == (target, family))
        wanted = answers(world, client, target, family) if zone and family in (find(zone, target) or {}) else {}
        allowed = {outcome.answer for outcome in wanted} or {frozenset()}
        assert got in allowed, explained(world, client, target, family, one)


@examples(6)
@given(worlds(), st.integers(0, 1 << 32))
def test_every_answer_comes_as_often_as_it_should(world: World, seed: int) -> None:
    authority, rng, count = authority_of(world), random.Random(seed), 300
    for client, (name, rdtype) in zip(clients(world, rng, 8), questions(world, rng, 8), strict=True):
        allowed, draws = answers(world, client, name, rdtype), Draws(seed)
        if len(allowed) > 1:
            came = Counter(hear(authority, client, name, rdtype, draws).outcome for _ in range(count))
            for outcome, share in allowed.items():
                deviation = float(count * share * (1 - share)) ** 0.5
                assert abs(came[outcome] - count * share) < 6 * deviation + 6, explained(
                    world, client, name, rdtype, came
                )


@examples(15)
@given(worlds(whole=True), st.integers(0, 1 << 32))
def test_bad_health_never_makes_an_answer_go_away(world: World, seed: int) -> None:
    """H6, where every question has an answer to begin with. Health changes, and what is served is not made anew."""
    rng, authority = random.Random(seed), authority_of(world)
    asked = list(zip(clients(world, rng, 20), questions(world, rng, 20), strict=True))
    states = list(itertools.product((True, False), repeat=len(world.checks)))
    found = []
    for state in rng.sample(states, min(len(states), 5)):
        world = replace(world, checks=dict(zip(world.checks, state, strict=True)))
        authority = authority.with_health({one: world.is_healthy(one) for one in (*world.checks, *world.calculated)})
        heard = [hear(authority, client, *question, Draws(seed)).outcome for client, question in asked]
        for outcome, (client, question) in zip(heard, asked, strict=True):
            assert outcome in answers(world, client, *question), explained(world, client, *question, outcome)
        found.append([(one.rcode, bool(one.answer)) for one in heard])
    for number, (client, question) in enumerate(asked):
        assert len({each[number] for each in found}) == 1, explained(world, client, *question, "gone")


@examples(7)
@given(worlds(), st.integers(0, 1 << 32))
def test_any_gives_every_group_of_the_name(world: World, seed: int) -> None:
    authority, rng = authority_of(world), random.Random(seed)
    for client, (name, _) in zip(clients(world, rng, 20), questions(world, rng, 20), strict=True):
        got = hear(authority, client, name, "ANY", Draws(seed))
        if zone_for(world, client, name) is None or got.outcome.rcode == "NXDOMAIN":
            assert {got.outcome} == set(answers(world, client, name, "A"))
            continue
        allowed = answers_to_any(world, client, name)
        for rdtype in {record.type for record in got.outcome.answer} - {"NS", "SOA"} | set(allowed):
            records = frozenset(record for record in got.outcome.answer if record.type == rdtype)
            assert records in allowed[rdtype], explained(world, client, name, rdtype, got)


# Chance that can be had again


@examples(7)
@given(worlds(), st.integers(0, 1 << 32))
def test_a_seed_gives_the_same_answers_whatever_else_is_asked(world: World, seed: int) -> None:
    authority, rng = authority_of(world), random.Random(seed)
    for client, (name, rdtype) in zip(clients(world, rng, 8), questions(world, rng, 8), strict=True):
        alone = [hear(authority, client, name, rdtype, draws) for draws in [Draws(seed)] for _ in range(5)]
        others = [*questions(world, rng, 10), *((name, other) for other in ("A", "AAAA", "TXT", "MX"))]
        others = [one for one in others if is_unrelated(world, (name, rdtype), one)]
        again, draws = [], Draws(seed)
        for _ in alone:
            for other in others:
                hear(authority, client, *other, draws)
            again.append(hear(authority, client, name, rdtype, draws))
        assert alone == again, explained(world, client, name, rdtype, (alone, again, others))
