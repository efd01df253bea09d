"""What is said about the members of any group is what happens; health can be changed as if it had always been so."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties.strategies import examples
from routing.members import COLLECTION, chooser, client, place_of, world

from dnsemu.draws import Draws
from dnsemu.location import NOWHERE, Client, LatencyTables, Place
from dnsemu.routing import (
    Chooser,
    Failover,
    Geolocation,
    Geoproximity,
    IpBased,
    Latency,
    Multivalue,
    Reason,
    Weighted,
    World,
)

DRAWS = 250
ONE_OF_MANY = (Weighted, Multivalue)

POLICIES: dict[str, Sequence[Any]] = {
    "failover": [Failover("PRIMARY"), Failover("SECONDARY")],
    "latency": [Latency(code) for code in ("us-east-1", "eu-west-1", "eu-west-2", "cn-north-1", "sa-east-1")],
    "geolocation": [
        *(Geolocation(continent, None, None) for continent in ("NA", "EU", "AS")),
        *(Geolocation(None, country, None) for country in ("US", "DE", "CN", "*", "*")),
        Geolocation(None, "US", "WA"),
    ],
    "geoproximity": [
        *(Geoproximity(code, None, None, bias) for code in ("eu-west-1", "us-east-1") for bias in (0, 50, -50)),
        *(Geoproximity(None, None, (0.0, float(east)), 0) for east in (0, 90, 180)),
    ],
    "ip-based": [IpBased(COLLECTION, name) for name in ("wide", "narrow", "other", "*")],
}
COLLECTED = {
    "wide": ("203.0.0.0/16", "2001:db8::/32"),
    "narrow": ("203.0.113.0/24", "2001:db8:1::/48"),
    "other": ("10.0.0.0/8",),
}
LATENCIES = LatencyTables(areas={("DE", None): {"eu-west-1": 9.0, "eu-west-2": 9.0, "us-east-1": 9.04}})
WORLDS = [
    world(collection=COLLECTED, latencies=LATENCIES, private=private, legacy=legacy)
    for private in (False, True)
    for legacy in (False, True)
]
PLACES = [
    *(place_of(code) for code in ("US", "US-WA", "US-TX", "DE", "CN", "PR", "eu-west-1", "us-east-1")),
    *(NOWHERE, Place("EU"), Place(coordinates=(0.0, 45.0)), Place(coordinates=(90.0, 0.0))),
]
SUBNETS = ("203.0.113.0/24", "203.0.113.7/32", "203.0.0.0/15", "10.1.0.0/16", "2001:db8:1::/48", "2001:db8::/32")


class Made(NamedTuple):
    """A group: what it was made of."""

    policies: Sequence[Any]
    around: World

    def with_health(self, healthy: Sequence[bool]) -> Chooser:
        """Its chooser, made with that health."""
        return chooser(self.policies, healthy, self.around)

    @property
    def by_chance(self) -> bool:
        return isinstance(self.policies[0], ONE_OF_MANY)


@st.composite
def made(draw: st.DrawFn) -> Made:
    """Any group that a configuration may have, of up to five members, or of more where more makes a difference."""
    kind, around = draw(st.sampled_from(("weighted", "multivalue", *POLICIES))), draw(st.sampled_from(WORLDS))
    if kind == "weighted":
        weights = draw(st.lists(st.sampled_from((0, 0, 1, 1, 2, 3)), min_size=1, max_size=5))
        return Made([Weighted(weight) for weight in weights], around)
    if kind == "multivalue":
        return Made([Multivalue()] * draw(st.sampled_from((1, 2, 8, 9, 12))), around)
    return Made(draw(st.lists(st.sampled_from(POLICIES[kind]), min_size=1, max_size=5, unique=True)), around)


def healths(group: Made) -> st.SearchStrategy[list[bool]]:
    """The health of each member; seldom any but few are ill, or few are well."""
    count = len(group.policies)
    return st.lists(st.booleans(), min_size=count, max_size=count) | st.sampled_from(
        ([True] * count, [False] * count)
    )


def clients() -> st.SearchStrategy[Client]:
    regions = st.sampled_from((None, None, "eu-west-1", "us-east-1"))
    return st.builds(
        lambda place, subnet, region: client(place, subnet, region=region),
        st.sampled_from(PLACES),
        st.sampled_from(SUBNETS),
        regions,
    )


@examples(60)
@given(st.data())
def test_what_is_said_is_what_happens(data: st.DataObject) -> None:
    group, who = data.draw(made()), data.draw(clients())
    found, draws = group.with_health(data.draw(healths(group))), Draws(data.draw(st.integers(0, 999)))
    choices = [found.choose(who, draws) for _ in range(DRAWS if group.by_chance else 2)]
    verdicts = found.judge(who)
    taken = {member for choice in choices for member in choice.members}
    assert taken == {number for number, verdict in enumerate(verdicts) if verdict.share > 0}
    assert all(verdicts[member].matched for member in taken)
    assert {len(choice.members) for choice in choices} == {round(sum(verdict.share for verdict in verdicts))}
    assert sum(verdict.share for verdict in verdicts) == pytest.approx(len(choices[0].members))
    assert all(0 <= verdict.share <= 1 for verdict in verdicts)
    assert all(verdict.why and verdict.why.isprintable() for verdict in verdicts)
    assert len({(choice.reason, choice.scope) for choice in choices}) == 1


@examples(60)
@given(st.data())
def test_reasons_go_with_health(data: st.DataObject) -> None:
    """The last resort is taken if, and only if, no member that is for the client is healthy (H1, H5, H6)."""
    group, who = data.draw(made()), data.draw(clients())
    healthy = data.draw(healths(group))
    found = group.with_health(healthy)
    choice, verdicts = found.choose(who, Draws(0)), found.judge(who)
    everyone = group.with_health([True] * len(healthy)).judge(who)
    heavy = any(isinstance(one, Weighted) and one.weight for one in group.policies)
    for_client = [number for number, verdict in enumerate(everyone) if verdict.matched or group.by_chance]
    assert (choice.reason is Reason.NO_MATCH) == (not choice.members) == (not for_client)
    well = [number for number in for_client if healthy[number]]
    assert (choice.reason is Reason.ALL_UNHEALTHY) == (bool(for_client) and not well)
    assert all(healthy[member] for member in choice.members) or not well
    if choice.reason is Reason.ALL_UNHEALTHY and heavy:
        assert all(group.policies[number].weight for number, one in enumerate(verdicts) if one.share), "W8"


@examples(60)
@given(st.data())
def test_changed_health_is_as_if_it_had_always_been_so(data: st.DataObject) -> None:
    group = data.draw(made())
    first, second = data.draw(healths(group)), data.draw(healths(group))
    found, expected = group.with_health(first), group.with_health(second)
    askers = data.draw(st.lists(clients(), min_size=1, max_size=3))
    for who in data.draw(st.sampled_from((askers, []))):  # some remember what they were asked
        found.choose(who, Draws(0))
    changed = found.with_health(tuple(second))
    draws, same = Draws(7), Draws(7)
    for who in askers:
        assert [changed.choose(who, draws) for _ in range(5)] == [expected.choose(who, same) for _ in range(5)]
        assert changed.judge(who) == expected.judge(who)
        assert found.judge(who) == group.with_health(first).judge(who), "the one before is as it was"
