"""A hosted zone as a tree of names: what is at a name, by zone cuts, wildcards and closest enclosers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from enum import Enum, auto
from types import MappingProxyType
from typing import NamedTuple

from dnsemu.model import Group, HostedZone, RecordSet, Resource, Type, groups_of, spelled_resource
from dnsemu.wire import is_below, parents

WILDCARD = b"\1*"
EMPTY: Mapping[str, Resource] = MappingProxyType({})


class Kind(Enum):
    """What a look-up comes to."""

    FOUND = auto()  # the name has record sets, is an empty non-terminal, or a wildcard covers it
    CUT = auto()  # the name is delegated away
    MISSING = auto()


class Spot(NamedTuple):
    """Where a look-up ended.

    `owner` is the name found: the asked one, the wildcard that covers it, or the topmost zone cut on the way to
    it. `groups` are its record set groups by type; none for an empty non-terminal.
    """

    kind: Kind
    owner: bytes
    groups: Mapping[Type, Group]


class ZoneTree:
    """The names of one hosted zone.

    `resources`: what its aliases may point to outside of it; `children`: the apexes of the hosted zones below it.
    """

    def __init__(
        self, zone: HostedZone, resources: Mapping[str, Resource] = EMPTY, children: Iterable[bytes] = ()
    ) -> None:
        self.zone = zone
        self.apex = zone.name
        self._resources = resources
        self.groups = groups_of(zone.record_sets)
        self.owners: dict[bytes, dict[Type, Group]] = {}
        for (name, rdtype), group in self.groups.items():
            self.owners.setdefault(name, {})[rdtype] = group
        self._children = frozenset(children)
        self._cuts = frozenset(name for name, rdtype in self.groups if rdtype is Type.NS and name != zone.name)
        self._empty = frozenset(self._empty_non_terminals())

    def visible_names(self) -> Iterator[bytes]:
        """Every name that is answered from this zone: not below a zone cut, not in a more specific zone."""
        for name in (*self.owners, *self._empty):
            cut = self._cut_above(name)
            if not self.is_hidden(name) and (cut is None or cut == name):
                yield name

    def is_hidden(self, name: bytes) -> bool:
        """Whether a more specific hosted zone answers for `name` (§0.1 step 2)."""
        return bool(self._children) and not self._children.isdisjoint(self._path(name))

    def contains(self, name: bytes) -> bool:
        """Whether `name` lies in this zone and in no more specific one."""
        return is_below(name, self.apex) and not self.is_hidden(name)

    def spot(self, name: bytes) -> Spot:
        """What is at a name of the zone (§0.1 steps 3 and 4; wildcards by RFC 4592 3.3.1)."""
        cut = self._cut_above(name)
        if cut is not None:
            return Spot(Kind.CUT, cut, self.owners[cut])
        for encloser in parents(name):
            groups = self.owners.get(encloser)
            if groups is None and encloser not in self._empty:
                continue
            if encloser == name:
                return Spot(Kind.FOUND, name, groups or {})
            wildcard = WILDCARD + encloser
            if wildcard in self.owners:
                return Spot(Kind.FOUND, wildcard, self.owners[wildcard])
            break
        return Spot(Kind.MISSING, name, {})

    def group(self, name: bytes, rdtype: Type) -> Group | None:
        """The group an alias to `name` takes its records from: its own, or a wildcard's (A25)."""
        own = self.groups.get((name, rdtype))
        if own is not None or name in self.owners:
            return own
        spot = self.spot(name)
        return spot.groups.get(rdtype) if spot.kind is Kind.FOUND else None

    def target(self, member: RecordSet) -> Group | Resource | None:
        """What an alias points to: an AWS resource of the configuration, or a group of this zone."""
        alias = member.alias
        if alias is None:
            return None
        resource = self._resources.get(spelled_resource(alias.text))
        return resource if resource is not None else self.group(alias.name, member.type)

    def _path(self, name: bytes) -> list[bytes]:
        """The name and its ancestors below the apex, the name first."""
        depth = len(parents(name)) - len(parents(self.apex))
        return parents(name)[:depth]

    def _cut_above(self, name: bytes) -> bytes | None:
        """The topmost zone cut at or above `name`."""
        if not self._cuts:
            return None
        return next((ancestor for ancestor in reversed(self._path(name)) if ancestor in self._cuts), None)

    def _empty_non_terminals(self) -> Iterator[bytes]:
        for name in self.owners:
            if self._cut_above(name) in (None, name):
                for ancestor in self._path(name)[1:]:
                    if ancestor not in self.owners:
                        yield ancestor
