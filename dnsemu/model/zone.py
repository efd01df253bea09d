"""Hosted zones and record sets, by the names of the Route 53 API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar, Protocol

from dnsemu.errors import Fault, Origin
from dnsemu.model.types import Type


class RoutingPolicy(Protocol):
    """What a record set says about when it is chosen; one class a policy, in `dnsemu.routing`."""

    name: ClassVar[str]

    def check(self, members: Sequence[RecordSet]) -> Sequence[Fault]:
        """What is wrong with a group of record sets of one name and type that all have this policy."""


@dataclass(frozen=True, slots=True)
class Value:
    """One value of a record set: its record data in wire form."""

    rdata: bytes
    origin: Origin


@dataclass(frozen=True, slots=True)
class AliasTarget:
    """Where an alias record set takes its records from (behaviour 4).

    `name` is the target's name in wire form; `text` as it was written, for what is said about it.
    """

    name: bytes
    text: str
    evaluate_target_health: bool
    zone_id: str | None
    origin: Origin
    zone_id_origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class RecordSet:
    """A resource record set: either `values` and a `ttl` in seconds, or an `alias`.

    `name` is in lower-case wire form. A `policy` goes with a `set_identifier`; simple record sets have neither.
    """

    name: bytes
    type: Type
    origin: Origin
    ttl: int = 0
    values: tuple[Value, ...] = ()
    alias: AliasTarget | None = None
    set_identifier: str | None = None
    policy: RoutingPolicy | None = None
    health_check_id: str | None = None
    health_check_origin: Origin | None = None


@dataclass(frozen=True, slots=True)
class Vpc:
    """A VPC that a private hosted zone is associated with."""

    vpc_id: str
    vpc_region: str | None
    origin: Origin


@dataclass(frozen=True, slots=True)
class HostedZone:
    """A hosted zone with its record sets; `vpcs` makes it a private one."""

    name: bytes
    zone_id: str
    name_servers: tuple[bytes, ...]
    origin: Origin
    record_sets: tuple[RecordSet, ...] = ()
    vpcs: tuple[Vpc, ...] = ()
    comment: str = ""


@dataclass(frozen=True, slots=True, eq=False)
class Group:
    """All record sets of one name and type in a hosted zone; compared by identity."""

    name: bytes
    type: Type
    members: list[RecordSet] = field(default_factory=list)

    @property
    def first(self) -> RecordSet:
        """The member that was written first: where things that concern the whole group are reported."""
        return self.members[0]


def groups_of(record_sets: Sequence[RecordSet]) -> dict[tuple[bytes, Type], Group]:
    """The record set groups by name and type, in the order of their first members."""
    groups: dict[tuple[bytes, Type], Group] = {}
    for record_set in record_sets:
        key = (record_set.name, record_set.type)
        group = groups.get(key)
        if group is None:
            group = groups[key] = Group(*key)
        group.members.append(record_set)
    return groups
