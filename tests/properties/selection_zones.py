"""Random zones with routing policies.

Few names, places and blocks, so that they meet: trees of aliases, wildcards, chains of CNAMEs, nested blocks, two
VPCs. Aliases point to groups that were there before, so they never turn in a circle.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from ipaddress import ip_network
from typing import Any, NamedTuple, Protocol, TypeVar

from hypothesis import strategies as st
from properties.selection_places import ATLAS, in_atlas, place_of
from properties.selection_world import COLLECTION, Calculated, Group, Member, Resource, Vpc, World, Zone
from properties.strategies import EXPLORE

T = TypeVar("T")

LABELS = ("", "a", "b", "c", "*", "*.b", "d.b", "e")
COVERED = {"*": "q", "*.b": "q.b"}  # names that only a wildcard has
TYPES = ("A", "A", "A", "A", "A", "AAAA", "TXT", "CNAME", "MX")
POLICIES = ("simple", "weighted", "latency", "failover", "geolocation", "geoproximity", "ip-based", "multivalue")
IDENTIFIERS = ("b", "A", "a", "10", "9", "Z", "aa", "é", "-", "B")
LOCATIONS = ("x", "y", "z")
REGIONS = (
    "ap-southeast-2",
    "cn-north-1",
    "eu-central-1",
    "eu-west-1",
    "sa-east-1",
    "us-east-1",
    "us-gov-west-1",
    "us-west-2",
)
MILLISECONDS = (5, 8, 8.04, 8.06, 8.1, 20, 20.5, 100)  # 8.04 is 8.0, and 8.06 is 8.1
PLACES = (  # NA, AS and SA are countries here, and continents elsewhere
    *("AS", "BR", "CA", "CN", "DE", "FR", "JP", "NA", "NO", "PR", "SA", "UA", "US", "UA-11", "UA-30"),
    *("US-AK", "US-VA", "US-WA", "cn-north-1", "eu-west-1", "us-east-1", "us-west-2", "us-east-1-lim-1"),
)
AREAS: tuple[dict[str, str], ...] = (
    *({"continent": code} for code in ("AF", "AN", "AS", "EU", "NA", "OC", "SA")),
    *(
        {"country": code}
        for code in ("*", "*", "*", "AS", "CN", "DE", "NA", "NO", "PE", "PR", "SA", "UA", "US", "US")
    ),
    *({"country": "US", "subdivision": code} for code in ("VA", "WA", "OR")),
    {"country": "UA", "subdivision": "11"},
)
SITES: tuple[dict[str, Any], ...] = (
    *({"aws_region": region} for region in ("us-east-2", "us-gov-east-1", "eu-west-1", "ap-southeast-2")),
    {"local_zone_group": "us-east-1-lim-1"},
    {"coordinates": {"latitude": "53.35", "longitude": "-6.26"}},  # where eu-west-1 is
    {"coordinates": {"latitude": "-90", "longitude": "0"}},
    {"coordinates": {"latitude": "52.5", "longitude": "+13.4"}},
    {"coordinates": {"latitude": "0", "longitude": "180"}},
)
RULES: dict[str, tuple[dict[str, Any], ...]] = {
    "weighted": tuple({"weight": weight} for weight in (0, 0, 1, 1, 2, 5, 255)),
    "latency": tuple({"region": region} for region in REGIONS),
    "failover": ({"type": "PRIMARY"}, {"type": "SECONDARY"}),
    "geolocation": AREAS,
    "geoproximity": SITES,
    "ip-based": tuple({"collection_id": COLLECTION, "location_name": name} for name in (*LOCATIONS, "*")),
}
MOST_MEMBERS = {"failover": 2, "geolocation": 6}
DEFAULTS = {"geolocation": {"country": "*"}, "ip-based": RULES["ip-based"][-1]}
GIVEN: tuple[dict[str, Any], ...] = (  # where a block is said to be
    *({"country": code} for code in ("JP", "US", "NA")),
    *({"country": "US", "subdivision": "WA"}, {"country": "UA", "subdivision": "11"}),
    *({"continent": "AS"}, {"continent": "NA"}, {"region": "eu-west-1"}, {"region": "us-east-1"}),
    {"country": "DE", "coordinates": {"latitude": "48.1", "longitude": "11.6"}},
)
ADDRESSES = (
    *(block.partition("/")[0] for place in ("DE", "US-WA", "CN", "us-east-1") for block in ATLAS[place]),
    *("203.0.113.0", "198.51.100.128", "192.0.2.0", "10.1.0.0", "10.1.128.0", "10.3.0.0", "127.0.0.0"),
    *("2001:db8:ffff::", "2001:db8:a::", "2001:db8:1000::", "fd00::"),
)
VPCS = (
    Vpc("vpc-a", "eu-west-1", ("10.1.0.0/16", "2001:db8:a::/48")),
    Vpc("vpc-b", "us-west-2", ("10.2.0.0/16", "10.1.128.0/17", ATLAS["FR"][0])),
    Vpc("vpc-c", "sa-east-1", ("10.1.64.0/18",)),  # without a private zone
)
LATENCY_AREAS = {place.country for name in PLACES for place in [in_atlas(ip_network(ATLAS[name][0]))] if place}
LATENCY_AREAS |= {place_of(given).country for given in GIVEN} - {""}


def worlds(whole: bool = False) -> st.SearchStrategy[World]:
    """One to three zones. In a `whole` one, nothing that a question may lead to is without an answer.

    Exploring looks for the smallest world that fails, and so has to make every choice itself. Otherwise a number
    decides, which is faster, and comes to more different worlds.
    """
    if EXPLORE:
        return st.builds(_world, st.builds(Drawn, st.data()), st.just(whole))
    return st.integers(0, 1 << 32).map(lambda seed: _world(Seeded(random.Random(seed)), whole))


class Chance(Protocol):
    """What choices are left to."""

    def pick(self, values: Sequence[T]) -> T:
        """One of several."""

    def several(self, values: Sequence[T], least: int, most: int, twice: bool = False) -> list[T]:
        """Some of several, each once, or as often as it comes."""


class Drawn(NamedTuple):
    """Hypothesis chooses."""

    data: st.DataObject

    def pick(self, values: Sequence[T]) -> T:
        return self.data.draw(st.sampled_from(values))

    def several(self, values: Sequence[T], least: int, most: int, twice: bool = False) -> list[T]:
        of = st.sampled_from(values)
        return self.data.draw(st.lists(of, min_size=least, max_size=most, unique_by=None if twice else repr))


class Seeded(NamedTuple):
    """A generator of random numbers chooses."""

    rng: random.Random

    def pick(self, values: Sequence[T]) -> T:
        return self.rng.choice(values)

    def several(self, values: Sequence[T], least: int, most: int, twice: bool = False) -> list[T]:
        count = self.rng.randint(least, most)
        if twice:
            return self.rng.choices(values, k=count)
        different = list({repr(value): value for value in values}.values())
        return self.rng.sample(different, min(count, len(different)))


def _world(chance: Chance, whole: bool) -> World:
    checks = {f"h{number}": chance.pick((True, False)) for number in range(chance.pick((1, 2, 3, 4)))}
    calculated = _calculated(chance, tuple(checks))
    resources = _resources(chance, (*checks, *calculated), whole)
    zones = _zones(chance, (*checks, *calculated), resources, whole)
    return World(
        zones,
        checks,
        calculated,
        _collection(chance),
        _locations(chance),
        _latencies(random.Random(chance.pick(range(1000)))),
        resources,
        VPCS if len(zones) > 1 else chance.pick(((), VPCS)),
        chance.pick((None, None, {"country": "US", "subdivision": "VA"}, {"region": "sa-east-1"})),
        chance.pick(("current", "current", "legacy")),
    )


def _zones(chance: Chance, checks: tuple[str, ...], resources: tuple[Resource, ...], whole: bool) -> tuple[Zone, ...]:
    """A public zone, and private ones with its name and below it."""
    private = chance.pick(((), (), (), ("t.test.",), ("t.test.", "p.t.test."), ("p.t.test.",)))
    zones = [_zone(chance, "t.test.", (), Stock(checks, resources, whole))]
    for name in private:
        vpcs = chance.pick((("vpc-a",), ("vpc-a", "vpc-b")))
        zones.append(_zone(chance, name, vpcs, Stock(checks, resources, whole)))
    return tuple(zones)


def _calculated(chance: Chance, checks: Sequence[str]) -> dict[str, Calculated]:
    """None, or one; a threshold may be more than all children can reach."""
    if chance.pick((True, False)):
        return {}
    children = chance.several(checks, 1, 4)
    return {"sum": Calculated(tuple(children), chance.pick(range(len(children) + 2)), chance.pick((False, True)))}


def _resources(chance: Chance, checks: Sequence[str], whole: bool) -> tuple[Resource, ...]:
    names = ("dualstack.lb-1.us-east-1.elb.amazonaws.com", "a2.awsglobalaccelerator.com")
    found = []
    for number, name in enumerate(names):
        addresses = {"A": (f"198.51.100.{number}", "198.51.100.9"), "AAAA": (f"2001:db8:e::{number + 1}",)}
        if not whole and chance.pick((False, True)):
            del addresses[chance.pick(("A", "AAAA"))]
        check, healthy = chance.pick(("", "", *checks)), chance.pick((True, False))
        found.append(Resource(name, chance.pick((5, None)), addresses, check, healthy))
    return tuple(found)


# Zones


@dataclass
class Stock:
    """What the groups of a zone may refer to, and the number of values given out."""

    checks: tuple[str, ...]
    resources: tuple[Resource, ...]
    whole: bool
    apex: str = ""
    groups: list[Group] = field(default_factory=list)
    values: int = 0

    def full(self, label: str) -> str:
        return f"{label}.{self.apex}" if label else self.apex

    def targets(self, rdtype: str) -> list[str]:
        """What an alias of a type may point to."""
        own = [group.name for group in self.groups if group.type == rdtype]
        own += [covered for name in own if (covered := self.covered_by(name))]
        if rdtype not in ("A", "AAAA"):
            return own
        turned = (one.name.removeprefix("dualstack.") for one in self.resources)
        return [*own, *own, *(one.name for one in self.resources), *turned]

    def covered_by(self, name: str) -> str:
        """A name that is there because of a wildcard."""
        label = name.removesuffix(self.apex).rstrip(".")
        return self.full(COVERED[label]) if label in COVERED else ""

    def takes(self, name: str, rdtype: str) -> bool:
        """Whether Route 53 lets a group stand there: a CNAME stands alone, and not at the apex."""
        beside = {group.type for group in self.groups if group.name == name}
        alone = "CNAME" in beside or (rdtype == "CNAME" and (beside or name == self.apex))
        return rdtype not in beside and not alone


def _zone(chance: Chance, name: str, vpcs: tuple[str, ...], stock: Stock) -> Zone:
    stock.apex = name
    policies = [policy for policy in POLICIES if not (vpcs and policy == "ip-based")]
    for _ in range(chance.pick(range(3, 13))):
        owner, rdtype, policy = stock.full(chance.pick(LABELS)), chance.pick(TYPES), chance.pick(policies)
        if stock.takes(owner, rdtype) and (rdtype, policy) != ("CNAME", "multivalue"):
            stock.groups.append(Group(owner, rdtype, policy, _members(chance, policy, rdtype, stock)))
    return Zone(name, tuple(stock.groups), vpcs)


def _members(chance: Chance, policy: str, rdtype: str, stock: Stock) -> tuple[Member, ...]:
    turn, ttl = chance.pick(range(len(IDENTIFIERS))), chance.pick((0, 60, 300))
    found = []
    for number, rule in enumerate(_rules(chance, policy, stock.whole)):
        identifier = "" if policy == "simple" else IDENTIFIERS[(turn + number) % len(IDENTIFIERS)]
        if policy not in ("weighted", "multivalue"):
            ttl = chance.pick((0, 60, 300))
        check = chance.pick(("", "", *stock.checks, *stock.checks))
        found.append(_filled(chance, Member(identifier, rule, check, ttl), policy, rdtype, stock))
    return tuple(found)


def _filled(chance: Chance, member: Member, policy: str, rdtype: str, stock: Stock) -> Member:
    """The member with an alias target, or with values."""
    targets = stock.targets(rdtype) if policy != "multivalue" else []
    if targets and chance.pick((False, True)):
        evaluate = policy == "failover" or chance.pick((True, True, False))
        return replace(member, alias=chance.pick(targets), evaluate=evaluate)
    if policy == "failover" and member.rule["type"] == "PRIMARY" and not member.check:
        member = replace(member, check=chance.pick(stock.checks))
    count = 1 if rdtype == "CNAME" else chance.pick((1, 1, 2))
    values = dict.fromkeys(_value(chance, rdtype, stock) for _ in range(count))
    return replace(member, values=tuple(values))


def _value(chance: Chance, rdtype: str, stock: Stock) -> str:
    """Mostly one that no other member has, so that it can be told who answered."""
    stock.values += 1
    number = 1 if chance.pick(range(10)) == 0 else stock.values
    if rdtype in ("CNAME", "MX"):
        names = [stock.full(label) for label in ("a", "b", "c", "q", "q.b", "d.b", "a.p")]
        if stock.whole:
            names = [group.name for group in stock.groups if not group.name.startswith("*")]
        target = chance.pick([*names, "far.example."])
        return target if rdtype == "CNAME" else f"{number} {target}"
    return {"A": f"192.0.2.{number}", "AAAA": f"2001:db8::{number:x}", "TXT": f'"{number}"'}[rdtype]


def _rules(chance: Chance, policy: str, whole: bool) -> list[Any]:
    """What stands below the policy's key, for each member of a group; seldom one alone."""
    if policy not in RULES:
        return [None] if policy == "simple" else [True] * chance.pick((1, 3, 9, 10))
    least, twice = chance.pick((1, 2, 2, 2)), policy == "weighted"
    rules = chance.several(RULES[policy], least, MOST_MEMBERS.get(policy, 4), twice)
    if policy == "geoproximity":
        rules = [rule | {"bias": chance.pick((0, 0, 50, -50, 99, -99, 10))} for rule in rules]
    default = DEFAULTS.get(policy)
    return [*rules, default] if whole and default and default not in rules else rules


# Blocks of addresses


def _blocks(chance: Chance, most: int, longest4: int, longest6: int, shortest: int = 1) -> list[str]:
    pairs = [
        (address, length)
        for address in ADDRESSES
        for length in (shortest, 8, 12, 16, 17, 20, 22, 23, 24, 25, 31, 32, 33, 40, 47, 48, 49, 64, 127, 128)
        if length <= (longest6 if ":" in address else longest4)
    ]
    chosen = chance.several(pairs, 0, most)
    return list(dict.fromkeys(str(ip_network(pair, strict=False)) for pair in chosen))


def _collection(chance: Chance) -> dict[str, tuple[str, ...]]:
    of_each: dict[str, list[str]] = {name: [] for name in LOCATIONS}
    for block in _blocks(chance, 7, 24, 48):
        of_each[chance.pick(LOCATIONS)].append(block)
    return {name: tuple(them) for name, them in of_each.items()}


def _locations(chance: Chance) -> tuple[dict[str, Any], ...]:
    return tuple({"cidr": block, **_given(chance)} for block in _blocks(chance, 3, 32, 128, 0))


def _given(chance: Chance) -> dict[str, Any]:
    """A place, latencies, or both; where coordinates alone are given, latencies are too."""
    kind, place = chance.pick(range(6)), chance.pick(GIVEN)
    if kind > 2:
        return place
    row = {"latency": _row(random.Random(chance.pick(range(100))))}
    coordinates = {"coordinates": {"latitude": "-33.9", "longitude": "18.4"}}
    return {**({}, coordinates, place)[kind], **row}


def _row(rng: random.Random) -> dict[str, float]:
    return {region: rng.choice(MILLISECONDS) for region in REGIONS}


def _latencies(rng: random.Random) -> dict[str, dict[str, float]]:
    """A row for each country that a client may be in, so that no latency must be estimated; and a few more."""
    more = ["US-WA", "UA-11", "198.18.0.0/15", str(ip_network((rng.choice(ADDRESSES), 20), strict=False))]
    return {area: _row(rng) for area in sorted(LATENCY_AREAS) + rng.sample(more, rng.randint(0, len(more)))}
