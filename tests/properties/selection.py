"""A second model of how record sets are chosen, slow and plain, to compare the server with.

It takes nothing from the server, draws nothing, and prepares nothing: for a question and a client it lists every
answer that is allowed, with its exact probability. What it follows, in the words of Route 53:

1. a client of a VPC sees the private zones of that VPC before the public ones; the longest name wins;
2. of a group, the policy says which members come into question, best first, and health takes those away that are
   unhealthy: if all are, all are considered healthy;
3. an alias is healthy if its health check is, and what it points to if that is to be evaluated; a group is healthy if
   one of its members is, wherever that member's clients are;
4. what an alias points to is chosen from in the same way, for the same client, even if nothing comes of it.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from fractions import Fraction
from functools import cached_property
from typing import Any, NamedTuple

from properties.reference import MAX_CHAIN, Record, ancestors, is_below
from properties.selection_places import (
    UNLOCATED,
    Network,
    Place,
    in_atlas,
    is_place,
    longest,
    metres,
    place_of,
    prefix_length,
    region_site,
    site_of,
    within,
)
from properties.selection_world import Client, Group, Member, Resource, World, Zone

MOST_VALUES = 8  # members in one answer of a multivalue group
ONE = Fraction(1)
TTLS = {".elb.amazonaws.com": 60, ".awsglobalaccelerator.com": 300}

Shares = dict[Any, Fraction]  # outcome → probability
Content = frozenset[tuple[int, str]]  # TTL and value of each record; empty: nothing matched


class Outcome(NamedTuple):
    """An answer as far as choosing decides it."""

    rcode: str
    answer: frozenset[Record] = frozenset()
    negative: bool = False  # the authority section says that there is nothing


REFUSED = Outcome("REFUSED")


def answers(world: World, client: Client, name: str, rdtype: str) -> Shares:
    """Every answer to a question that is allowed, with its probability."""
    zone = zone_for(world, client, name)
    return Chooser(world, client, zone).answers(name, rdtype) if zone else {REFUSED: ONE}


def answers_to_any(world: World, client: Client, name: str) -> dict[str, Shares]:
    """What each record set group at a name may add to the answer to a question of type ANY: its records."""
    zone = zone_for(world, client, name)
    assert zone is not None
    shares = {rdtype: Chooser(world, client, zone).answers(name, rdtype) for rdtype in find(zone, name) or {}}
    return {rdtype: _mapped(one, lambda outcome: outcome.answer) for rdtype, one in shares.items()}


def zone_for(world: World, client: Client, name: str) -> Zone | None:
    """The zone that answers: of the client's VPC, if that has one for the name, else a public one."""
    vpc = world.vpc_of(client.address)
    holding = [zone for zone in world.zones if is_below(name, zone.name)]
    private = [zone for zone in holding if vpc and vpc.name in zone.vpcs]
    public = [zone for zone in holding if not zone.vpcs]
    return max(private or public, key=lambda zone: len(zone.name), default=None)


def find(zone: Zone, name: str) -> dict[str, Group] | None:
    """The groups that a name has, itself or by a wildcard: none if it is only there for names below it."""
    if not _exists(zone, name):
        encloser = next(one for one in ancestors(name) if _exists(zone, one))
        name = f"*.{encloser}"
        if not _exists(zone, name):
            return None
    return {group.type: group for group in zone.groups if group.name == name}


def _exists(zone: Zone, name: str) -> bool:
    return name == zone.name or any(is_below(group.name, name) for group in zone.groups)


def _mapped(shares: Shares, change: Callable[[Any], Any]) -> Shares:
    found: Shares = {}
    for outcome, share in shares.items():
        found[change(outcome)] = found.get(change(outcome), Fraction()) + share
    return found


def _mixed(parts: Iterable[tuple[Shares, Fraction]]) -> Shares:
    """What comes of choosing one of several, each with its probability."""
    found: Shares = {}
    for shares, weight in parts:
        for outcome, share in shares.items():
            found[outcome] = found.get(outcome, Fraction()) + share * weight
    return found


@dataclass(frozen=True)
class Chooser:
    """Chooses in one zone, for one client."""

    world: World
    client: Client
    zone: Zone

    # Where the client is

    @cached_property
    def network(self) -> Network:
        """Who asks: the client subnet, where it says something, else the source. Private zones ignore subnets."""
        return (None if self.zone.vpcs else self.client.told) or self.client.address

    @cached_property
    def place(self) -> Place:
        """Where that is: a location that is given, the VPC's region, the atlas, the default."""
        if given := next((one for one in self._locations() if is_place(one)), None):
            return place_of(given)
        if vpc := self.world.vpc_of(self.network):
            return place_of({"region": vpc.region})
        default = place_of(self.world.default) if self.world.default else UNLOCATED
        return in_atlas(self.network) or default

    def _locations(self) -> list[Mapping[str, Any]]:
        """What is written down about the client, the longest block first; a place hides all that is below it."""
        holding = [one for one in self.world.locations if within(self.network, one["cidr"])]
        holding.sort(key=lambda one: -prefix_length(one["cidr"]))
        places = [number for number, one in enumerate(holding) if is_place(one)]
        return holding[: places[0] + 1] if places else holding

    # Answers

    def answers(self, name: str, rdtype: str, chain: tuple[Record, ...] = ()) -> Shares:
        """Answers to a question that came to `name` over a chain of CNAMEs."""
        groups = find(self.zone, name)
        if groups is None:
            return {Outcome("NXDOMAIN", frozenset(chain), negative=True): ONE}
        if "CNAME" in groups:
            contents = self.contents(groups["CNAME"])
            return _mixed((self._link(name, rdtype, chain, content), share) for content, share in contents.items())
        contents = self.contents(groups[rdtype]) if rdtype in groups else {frozenset(): ONE}
        return _mapped(contents, lambda content: self._outcome(name, rdtype, chain, content))

    def _outcome(self, name: str, rdtype: str, chain: tuple[Record, ...], content: Content) -> Outcome:
        records = {Record(name, ttl, rdtype, value) for ttl, value in content}
        return Outcome("NOERROR", frozenset(records.union(chain)), negative=not content)

    def _link(self, name: str, rdtype: str, chain: tuple[Record, ...], content: Content) -> Shares:
        """On from a CNAME, inside of the zone, as far as the chain does not turn in a circle."""
        if not content:
            return {self._outcome(name, rdtype, chain, content): ONE}
        ((ttl, target),) = content
        chain = (*chain, Record(name, ttl, "CNAME", target))
        ends = rdtype == "CNAME" or zone_for(self.world, self.client, target) is not self.zone
        if ends or target in {link.name for link in chain} or len(chain) >= MAX_CHAIN:
            return {Outcome("NOERROR", frozenset(chain)): ONE}
        return self.answers(target, rdtype, chain)

    def contents(self, group: Group) -> Shares:
        """What a group is answered with."""
        picks = self.picks(group).items()
        return _mixed((self._content_of(members, group.type), share) for members, share in picks)

    def _content_of(self, members: tuple[Member, ...], rdtype: str) -> Shares:
        if not any(member.alias for member in members):
            return {frozenset((member.ttl, value) for member in members for value in member.values): ONE}
        (member,) = members
        if resource := self.resource(member.alias):
            return {frozenset((ttl_of(resource), value) for value in resource.addresses.get(rdtype, ())): ONE}
        return self.contents(self.target(member, rdtype))

    # Choosing

    def picks(self, group: Group) -> Shares:
        """Which members answer, with the probability of each pick; () is nobody."""
        candidates = self.candidates(group)
        healthy = [member for member in candidates if self.healthy(member, group.type)]
        if not candidates:
            return {(): ONE}
        if group.policy == "weighted":
            return _by_weight(candidates, healthy)
        if group.policy == "multivalue":
            pool = healthy or candidates
            several = list(itertools.combinations(pool, min(MOST_VALUES, len(pool))))
            return dict.fromkeys(several, Fraction(1, len(several)))
        return {((healthy or candidates)[0],): ONE}

    def candidates(self, group: Group) -> list[Member]:
        """The members that come into question for the client, best first where there is a best."""
        if group.policy == "failover":
            return sorted(group.members, key=lambda member: member.rule["type"])
        if group.policy == "latency":
            return sorted(group.members, key=lambda member: (self._latency(member), member.identifier.encode()))
        if group.policy == "geoproximity":
            return sorted(group.members, key=lambda member: (self._distance(member), member.identifier.encode()))
        if group.policy == "geolocation":
            return _by_area(group, self.place)
        if group.policy == "ip-based":
            return self._by_block(group)
        return list(group.members)

    def _by_block(self, group: Group) -> list[Member]:
        """Longest block first; the default last."""
        lengths = {}
        for member in group.members:
            location = member.rule["location_name"]
            block = longest(self.network, self.world.collection.get(location, ()))
            if block or location == "*":
                lengths[member] = prefix_length(block) if block else 0
        return sorted(lengths, key=lambda member: -lengths[member])

    def _distance(self, member: Member) -> float:
        """Biased, in whole metres; nothing to tell apart if it is not known where the client is."""
        if not self.place.coordinates:
            return 0
        distance, bias = metres(self.place.coordinates, site_of(member.rule)), member.rule.get("bias", 0)
        if bias < 0 and self.world.bias == "legacy":
            return round(distance / (1 + bias / 100))
        return round(distance * (1 - bias / 100))

    def _latency(self, member: Member) -> float:
        """In tenths of a millisecond; cn-north-1 is the best in China. In a private zone the nearest is the best."""
        region = member.rule["region"]
        if self.zone.vpcs:
            return self._remoteness(region)
        if region == "cn-north-1" and self.place.country == "CN":
            return -1
        row = self._latencies()
        assert row or not self.place.coordinates, "the model of latencies is not tested here"
        return round(row[region], 1) if row else 0

    def _remoteness(self, region: str) -> float:
        """In metres; the region where the client is comes before all others, though two may be in one city."""
        vpc = self.world.vpc_of(self.network)
        assert vpc is not None
        given = next((one for one in self._locations() if is_place(one)), {"region": vpc.region})
        if region == given.get("region"):
            return -1
        return round(metres(self.place.coordinates, region_site(region))) if self.place.coordinates else 0

    def _latencies(self) -> Mapping[str, float] | None:
        """The row of milliseconds for the client: of its location, of the longest block, of its area."""
        table = self.world.latencies
        blocks = [key for key in table if "/" in key]
        area = f"{self.place.country}-{self.place.subdivision}"
        keys = [longest(self.network, blocks), area, self.place.country]
        given = [one["latency"] for one in self._locations() if "latency" in one]
        return next(iter([*given, *(table[key] for key in keys if key in table)]), None)

    # Health

    def healthy(self, member: Member, rdtype: str) -> bool:
        """What a member's health check says, and, if an alias evaluates it, its target."""
        if member.check and not self.world.is_healthy(member.check):
            return False
        if not (member.alias and member.evaluate):
            return True
        if resource := self.resource(member.alias):
            return self.world.is_healthy(resource.check) if resource.check else resource.healthy
        return any(self.healthy(one, rdtype) for one in self.target(member, rdtype).members)

    def target(self, member: Member, rdtype: str) -> Group:
        """The group of the zone that an alias points to; a wildcard may cover it."""
        groups = find(self.zone, member.alias) or {}
        return groups[rdtype]

    def resource(self, name: str) -> Resource | None:
        return next((one for one in self.world.resources if _bare(one.name) == _bare(name)), None)


def ttl_of(resource: Resource) -> int:
    """Its own, or what was seen of resources of its kind."""
    if resource.ttl is not None:
        return resource.ttl
    return next(ttl for suffix, ttl in TTLS.items() if resource.name.endswith(suffix))


def _bare(name: str) -> str:
    return name.removesuffix(".").removeprefix("dualstack.")


def _by_weight(candidates: list[Member], healthy: list[Member]) -> Shares:
    """Healthy members that have a weight; else healthy ones without; else all by weight; else all alike."""
    pools = [[one for one in healthy if one.rule["weight"]], healthy]
    pools += [[one for one in candidates if one.rule["weight"]], candidates]
    pool = next(pool for pool in pools if pool)
    total = sum(one.rule["weight"] for one in pool)
    return {(one,): Fraction(one.rule["weight"], total) if total else Fraction(1, len(pool)) for one in pool}


def _by_area(group: Group, place: Place) -> list[Member]:
    """Members for an area that the client is in, the smallest first: subdivision, country, continent, all."""
    areas: list[dict[str, str]] = [{"country": "*"}]
    if place.continent:
        areas.insert(0, {"continent": place.continent})
    if place.country:
        areas.insert(0, {"country": place.country})
    if place.subdivision:
        areas.insert(0, {"country": place.country, "subdivision": place.subdivision})
    return [member for area in areas for member in group.members if member.rule == area]
