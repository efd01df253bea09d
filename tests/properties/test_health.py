"""Changed health is as if it had always been so, and what does not depend on the change is not made anew.

Zones are those of `selection_zones`: trees of aliases through all policies, some evaluating the health of their
target, some AWS resources with a health check. Health comes in snapshots; a check that is not in one is healthy.
"""

from __future__ import annotations

import random
from collections.abc import Mapping
from dataclasses import replace

import pytest
from answers import dig
from hypothesis import given
from hypothesis import strategies as st
from properties.selection import find
from properties.selection_clients import clients, questions
from properties.selection_server import hear
from properties.selection_world import Client, Group, Member, World, Zone, to_yaml
from properties.selection_zones import worlds
from properties.strategies import examples

from dnsemu.app import Loaded, load_text
from dnsemu.authority import Authority
from dnsemu.draws import Draws

Snapshot = dict[str, bool]


def loaded(world: World) -> Loaded:
    return load_text(to_yaml(world))


def plain_worlds() -> st.SearchStrategy[World]:
    """Without calculated checks: a snapshot says the status of every one."""
    return worlds().map(
        lambda world: replace(
            world, checks={name: world.is_healthy(name) for name in (*world.checks, *world.calculated)}, calculated={}
        )
    )


def snapshots(world: World, rng: random.Random, count: int) -> list[Snapshot]:
    """Each differs from the one before in few checks, seldom in all; some say nothing of some checks."""
    found, state = [], dict(world.checks)
    for _ in range(count):
        for check in rng.sample(sorted(state), rng.choice((0, 1, 1, 2, len(state))) % (len(state) + 1)):
            state[check] = not state[check]
        said = {check: well for check, well in state.items() if not well or rng.random() < 0.8}
        found.append(said | ({"unknown": rng.random() < 0.5} if rng.random() < 0.3 else {}))
    return found


def with_checks(world: World, snapshot: Mapping[str, bool]) -> World:
    """The world as if its health checks had begun with a snapshot."""
    return replace(world, checks={check: snapshot.get(check, True) for check in world.checks})


def answers(authority: Authority, asked: list[tuple[Client, tuple[str, str]]], seed: int) -> list[object]:
    """All that is heard, questions asked twice in turn with one source of chance."""
    draws = Draws(seed)
    return [hear(authority, client, *question, draws) for client, question in asked * 2]


def asked_of(world: World, rng: random.Random, count: int) -> list[tuple[Client, tuple[str, str]]]:
    return list(zip(clients(world, rng, count), questions(world, rng, count), strict=True))


@examples(6)
@given(plain_worlds(), st.integers(0, 1 << 32))
def test_as_compiled_with_that_health_from_the_start(world: World, seed: int) -> None:
    rng = random.Random(seed)
    first = authority = loaded(world).authority
    asked = asked_of(world, rng, 12)
    before = answers(first, asked, seed)
    for snapshot in snapshots(world, rng, 3):
        authority = authority.with_health(snapshot)
        expected = loaded(with_checks(world, snapshot)).authority
        assert answers(authority, asked, seed) == answers(expected, asked, seed), f"{snapshot}\n{to_yaml(world)}"
    assert answers(first, asked, seed) == before, "the one before answers as it did"


@examples(12)
@given(plain_worlds(), st.integers(0, 1 << 32))
def test_only_what_depends_on_a_change_is_made_anew(world: World, seed: int) -> None:
    found, rng = loaded(world), random.Random(seed)
    authority, depends = found.authority, dependencies(world, found)
    for snapshot in snapshots(world, rng, 4):
        routing = authority.routing
        choosers, state = routing.choosers, dict(routing.snapshot)
        following = authority.with_health(snapshot)
        changed = {check for check in world.checks if state.get(check, True) != snapshot.get(check, True)}
        for number, group in enumerate(routing.groups):
            if changed.isdisjoint(depends[id(group.first)]):
                assert following.routing.choosers[number] is choosers[number], f"{snapshot}\n{to_yaml(world)}"
        assert following.routing.snapshot == snapshot
        assert (authority.routing.choosers, authority.routing.snapshot) == (choosers, state), (
            "the old one is as it was"
        )
        assert following.public is authority.public
        assert following.views is authority.views
        assert following.locator is authority.locator
        assert following.choosers is following.routing.choosers
        authority = following


def dependencies(world: World, found: Loaded) -> dict[int, set[str]]:
    """Checks that decide about a group, by the `id` of its first record set as the server has it."""
    depends = {}
    for zone, of_server in zip(world.zones, found.configuration.hosted_zones, strict=True):
        own = of_server.record_sets[-sum(len(group.members) for group in zone.groups) :]  # behind the default ones
        written = [(group, member) for group in zone.groups for member in group.members]
        for (group, member), record_set in zip(written, own, strict=True):
            assert member.identifier == (record_set.set_identifier or "")
            depends[id(record_set)] = checks_of(world, zone, group)
    return depends


def checks_of(world: World, zone: Zone, group: Group) -> set[str]:
    """All health checks that a group's health may depend on."""
    return set().union(*(checks_of_member(world, zone, group, member) for member in group.members))


def checks_of_member(world: World, zone: Zone, group: Group, member: Member) -> set[str]:
    own = {member.check} - {""}
    if not member.alias or not member.evaluate:
        return own
    bare = member.alias.removeprefix("dualstack.")
    resource = next((one for one in world.resources if one.name.removeprefix("dualstack.") == bare), None)
    if resource is not None:
        return own | ({resource.check} - {""})
    return own | checks_of(world, zone, (find(zone, member.alias) or {})[group.type])


@examples(6)
@given(plain_worlds(), st.integers(0, 1 << 32))
def test_the_way_to_a_snapshot_does_not_matter(world: World, seed: int) -> None:
    """Not what was before, nor the order in which checks change, nor whether they changed and changed back."""
    rng = random.Random(seed)
    authority, asked = loaded(world).authority, asked_of(world, rng, 12)
    *between, last = snapshots(world, rng, 4)
    by_steps = authority
    for snapshot in between:
        by_steps = by_steps.with_health(snapshot)
    straight = answers(authority.with_health(last), asked, seed)
    assert answers(by_steps.with_health(last), asked, seed) == straight
    assert answers(by_steps.with_health(last).with_health({}).with_health(last), asked, seed) == straight


# A tree, step by step (2.4)

TREE = """
version: 1
hosted_zones:
  - name: example.com
    record_sets:
      - name: w
        type: A
        ttl: 60
        members:
          - {set_identifier: a, weighted_routing_policy: {weight: 1}, health_check_id: a, records: 192.0.2.1}
          - {set_identifier: b, weighted_routing_policy: {weight: 0}, health_check_id: b, records: 192.0.2.2}
      - name: l
        type: A
        members:
          - set_identifier: w
            latency_routing_policy: {region: us-east-1}
            alias: {name: w, evaluate_target_health: true}
          - set_identifier: lb
            latency_routing_policy: {region: us-west-2}
            alias: {name: lb.us-west-2.elb.amazonaws.com, evaluate_target_health: true}
      - name: f
        type: A
        members:
          - set_identifier: p
            failover_routing_policy: {type: PRIMARY}
            alias: {name: l, evaluate_target_health: true}
            health_check_id: gate
          - {set_identifier: s, failover_routing_policy: {type: SECONDARY}, ttl: 60, records: 192.0.2.9}
      - {name: apart, type: A, ttl: 60, set_identifier: x, multivalue_answer_routing_policy: true, health_check_id: x,
         records: 192.0.2.20}
      - name: blind
        type: A
        members:
          - set_identifier: w
            weighted_routing_policy: {weight: 1}
            alias: {name: w, evaluate_target_health: false}
health_checks:
  - {id: a, type: TCP, ip_address: 192.0.2.250, port: 80}
  - {id: b, type: TCP, ip_address: 192.0.2.250, port: 80}
  - {id: c, type: TCP, ip_address: 192.0.2.250, port: 80}
  - {id: x, type: TCP, ip_address: 192.0.2.250, port: 80}
  - {id: gate, type: TCP, ip_address: 192.0.2.250, port: 80}
dnsemu:
  default_location: {country: US, subdivision: VA}
  alias_targets:
    - {name: lb.us-west-2.elb.amazonaws.com, a: [198.51.100.1], health_check_id: c}
"""
AUTHORITY = load_text(TREE).authority
STEPS = [  # what is unhealthy, the answers for w, l and f
    ("", "1 1 1"),
    ("a", "2 2 2"),
    ("b", "1 1 1"),
    ("a b", "1 198.51.100.1 198.51.100.1"),
    ("a b c", "1 1 9"),
    ("c", "1 1 1"),
    ("gate", "1 1 9"),
    ("gate a b", "1 198.51.100.1 9"),
    ("x", "1 1 1"),
]


@pytest.mark.parametrize(("ill", "expected"), STEPS)
def test_a_tree(ill: str, expected: str) -> None:
    authority = AUTHORITY.with_health(dict.fromkeys(ill.split(), False))
    got = [
        dig(authority, f"{name}.example.com A +noedns").values[0].removeprefix("192.0.2.") for name in ("w", "l", "f")
    ]
    assert got == expected.split()
    assert dig(authority, "blind.example.com A +noedns").values[0].endswith(f".{got[0]}"), "H7"


@pytest.mark.parametrize(
    ("changed", "anew"),
    [
        ("a", "w l f"),
        ("b", "w l f"),
        ("c", "l f"),
        ("gate", "f"),
        ("x", "apart"),
        ("unknown", ""),
        ("a x", "w l f apart"),
    ],
)
def test_who_is_made_anew_in_a_tree(changed: str, anew: str) -> None:
    after = AUTHORITY.with_health(dict.fromkeys(changed.split(), False)).routing
    before = AUTHORITY.routing
    names = [group.name[1 : 1 + group.name[0]].decode() for group in before.groups]
    made = {name for name, old, new in zip(names, before.choosers, after.choosers, strict=True) if old is not new}
    assert set(names) == {"w", "l", "f", "apart", "blind"}
    assert made == set(anew.split())


def test_the_same_health_again_makes_nothing_anew() -> None:
    once = AUTHORITY.with_health({"a": False})
    again = once.with_health({"a": False, "b": True, "x": True})
    assert all(old is new for old, new in zip(once.routing.choosers, again.routing.choosers, strict=True))
