"""A second resolver, slow and plain, to compare the server with.

It follows the steps of "answering a question" one by one on record sets as a person writes them: every question
walks all records of all zones. Nothing is prepared, nothing is shared with the server but the rules:

1. the longest hosted zone that holds the name (for DS at an apex: the parent zone, if hosted);
2. a name server record set on the way down, below the apex, is a referral, but for DS asked exactly there;
3. the name itself, else the wildcard of its closest encloser (RFC 4592), else NXDOMAIN;
4. the type asked for, else a CNAME and on from its target inside the same zone, else NODATA;
5. an alias gives its target's records under its own name.

Names are lower-case texts with a trailing dot.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

MAX_CHAIN = 16  # CNAMEs in one answer
SOA_TAIL = "awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"
ADDRESSES = ("A", "AAAA")
HAS_TARGET = ("MX", "NS", "SRV")


class Record(NamedTuple):
    """One record, as dig would print it."""

    name: str
    ttl: int
    type: str
    value: str


@dataclass(frozen=True)
class RecordSet:
    """A record set: values, or the name of an alias target."""

    name: str
    type: str
    ttl: int = 60
    values: tuple[str, ...] = ()
    alias: str = ""


@dataclass(frozen=True)
class Zone:
    """A hosted zone. Without record sets of type NS and SOA at its apex it gets those that Route 53 makes."""

    name: str
    record_sets: tuple[RecordSet, ...]
    name_servers: tuple[str, ...]

    @functools.cached_property
    def all(self) -> list[RecordSet]:
        """The record sets with the default ones."""
        return list(self._all())

    def _all(self) -> Iterator[RecordSet]:
        own = {one.type: one for one in self.record_sets if one.name == self.name}
        servers = own["NS"].values if "NS" in own else self.name_servers
        if "NS" not in own:
            yield RecordSet(self.name, "NS", 172800, servers)
        if "SOA" not in own:
            yield RecordSet(self.name, "SOA", 900, (f"{min(servers)} {SOA_TAIL}",))
        yield from self.record_sets

    def at(self, name: str) -> dict[str, RecordSet]:
        """The record sets of exactly this name, by type."""
        return {one.type: one for one in self.all if one.name == name}

    def exists(self, name: str) -> bool:
        """Whether the name has record sets, or one below it has."""
        return any(is_below(one.name, name) for one in self.all)


@dataclass
class Answer:
    """What a question comes to. `authority` is in order, the other sections are sets."""

    rcode: str = "NOERROR"
    authoritative: bool = True
    answer: set[Record] = field(default_factory=set)
    authority: list[Record] = field(default_factory=list)
    additional: set[Record] = field(default_factory=set)


REFUSED = Answer("REFUSED", authoritative=False)


def resolve(zones: Sequence[Zone], name: str, rdtype: str) -> Answer:
    """The answer to a question of class IN."""
    zone = zone_of(zones, name)
    if zone is not None and rdtype == "DS" and name == zone.name:
        zone = zone_of(zones, name, but=zone) or zone
    return _Walk(zones, zone, rdtype).start(name) if zone else REFUSED


def zone_of(zones: Iterable[Zone], name: str, but: Zone | None = None) -> Zone | None:
    """The zone with the longest name that holds `name`."""
    holding = [zone for zone in zones if is_below(name, zone.name) and zone is not but]
    return max(holding, key=lambda zone: len(ancestors(zone.name)), default=None)


class _Walk:
    """One question's way through a zone."""

    def __init__(self, zones: Sequence[Zone], zone: Zone, rdtype: str) -> None:
        self.zones, self.zone, self.rdtype = zones, zone, rdtype
        self.result = Answer()

    def start(self, name: str) -> Answer:
        seen: list[str] = []
        target: str | None = name
        while target is not None:
            seen.append(target)
            target = self.step(target)
            if target is not None and (target in seen or len(seen) == MAX_CHAIN or not self.holds(target)):
                self.courtesy()
                target = None
        return self.result

    def step(self, name: str) -> str | None:
        """One name; where a CNAME leads, or None when the answer is complete."""
        cut = find_cut(self.zone, name)
        if cut and not (self.rdtype == "DS" and cut == name):
            return self.refer(cut)
        sets = find(self.zone, name)
        if sets is None:
            return self.negative("NXDOMAIN")
        if "CNAME" in sets:
            self.result.answer |= self.records(name, sets["CNAME"])
            if self.rdtype in ("CNAME", "ANY"):
                return self.courtesy()
            return group_behind(self.zone, sets["CNAME"]).values[0]
        wanted = list(sets.values()) if self.rdtype == "ANY" else [sets[t] for t in (self.rdtype,) if t in sets]
        return self.positive(name, wanted) if wanted else self.negative("NOERROR")

    def holds(self, name: str) -> bool:
        return zone_of(self.zones, name) is self.zone

    def records(self, owner: str, group: RecordSet) -> set[Record]:
        source = group_behind(self.zone, group)
        return {Record(owner, source.ttl, source.type, value) for value in source.values}

    def positive(self, name: str, groups: list[RecordSet]) -> None:
        for group in groups:
            self.result.answer |= self.records(name, group)
        self.courtesy()

    def courtesy(self) -> None:
        """The apex name servers, unless they are the answer, and addresses for all that was mentioned."""
        servers = self.zone.at(self.zone.name)["NS"]
        if not self.records(self.zone.name, servers) & self.result.answer:
            self.result.authority = in_order(self.records(self.zone.name, servers))
        mentioned = [*self.result.answer, *self.result.authority]
        self.add_addresses(target_of(one) for one in mentioned if one.type in HAS_TARGET)

    def add_addresses(self, targets: Iterable[str]) -> None:
        """As a question for them would find them: not below a cut, by wildcards too; nothing twice."""
        answered = {(one.name, one.type) for one in self.result.answer}
        for target in targets:
            if self.holds(target) and not find_cut(self.zone, target):
                sets = find(self.zone, target) or {}
                for family in ADDRESSES:
                    if family in sets and (target, family) not in answered:
                        self.result.additional |= self.records(target, sets[family])

    def negative(self, rcode: str) -> None:
        self.result.rcode = rcode
        self.result.authority = list(self.records(self.zone.name, self.zone.at(self.zone.name)["SOA"]))

    def refer(self, cut: str) -> None:
        """The child's name servers; glue is what the zone has, below cuts too."""
        self.result.authoritative = bool(self.result.answer)
        self.result.authority = in_order(self.records(cut, self.zone.at(cut)["NS"]))
        self.add_addresses(one.value for one in self.result.authority)
        for target in (one.value for one in self.result.authority if self.holds(one.value)):
            for family in ADDRESSES:
                if family in self.zone.at(target):
                    self.result.additional |= self.records(target, self.zone.at(target)[family])


def find_cut(zone: Zone, name: str) -> str | None:
    """The topmost name on the way to `name`, below the apex, that has name servers."""
    way = [one for one in ancestors(name) if is_below(one, zone.name) and one != zone.name]
    return next((one for one in reversed(way) if "NS" in zone.at(one)), None)


def find(zone: Zone, name: str) -> dict[str, RecordSet] | None:
    """The record sets that a name has, itself or by a wildcard: none if it is only there for names below it."""
    if zone.exists(name):
        return zone.at(name)
    encloser = next(one for one in ancestors(name) if zone.exists(one))
    return zone.at(f"*.{encloser}") or None


def group_behind(zone: Zone, group: RecordSet) -> RecordSet:
    """The record set whose values an alias gives."""
    while group.alias:
        group = (find(zone, group.alias) or {})[group.type]
    return group


def target_of(record: Record) -> str:
    return record.value.split()[-1]


def in_order(records: Iterable[Record]) -> list[Record]:
    """Name servers by the text of their names."""
    return sorted(records, key=target_of)


def ancestors(name: str) -> list[str]:
    """The name itself, its parent, and so on; without the root."""
    labels = name.rstrip(".").split(".")
    return [".".join(labels[at:]) + "." for at in range(len(labels))]


def is_below(name: str, ancestor: str) -> bool:
    return name == ancestor or name.endswith("." + ancestor)


def to_yaml(zones: Sequence[Zone]) -> str:
    """A zone file. JSON is YAML too, and leaves no doubt about what is quoted."""
    return json.dumps({"version": 1, "hosted_zones": [_zone(zone) for zone in zones]})


def _zone(zone: Zone) -> dict[str, object]:
    record_sets = [_record_set(one) for one in zone.record_sets]
    return {"name": zone.name, "name_servers": zone.name_servers, "record_sets": record_sets}


def _record_set(one: RecordSet) -> dict[str, object]:
    what = {"alias": {"name": one.alias}} if one.alias else {"ttl": str(one.ttl), "records": one.values}
    return {"name": one.name, "type": one.type, **what}
