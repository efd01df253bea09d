"""Hosted zones and record sets: from the file's models to the model."""

from __future__ import annotations

from typing import NamedTuple

from dnsemu.config import schema
from dnsemu.config.tree import At, fault_at
from dnsemu.errors import Fault, Origin, TextError
from dnsemu.location import Tables, check_region
from dnsemu.model import (
    PRIVATE_NAME_SERVERS,
    AliasTarget,
    HostedZone,
    RecordSet,
    RoutingPolicy,
    Value,
    Vpc,
    name_servers_of,
    read_name,
    read_record_name,
    read_value,
    with_defaults,
    zone_id_of,
)
from dnsemu.routing import (
    Failover,
    IpBased,
    Multivalue,
    Weighted,
    read_geolocation,
    read_geoproximity,
    read_latency,
)

_POLICY_SUFFIX = "_routing_policy"
_POLICIES = tuple(name for name in schema.Member.model_fields if name.endswith(_POLICY_SUFFIX))


_STAND_IN = "invalid"  # the zone's name where its own can not be read; what is below it still can (RFC 6761 6.4)
ANY_NAME = b""
"""Stands among names of record sets for those whose name is not known."""


def read_zone(
    file: schema.HostedZone, at: At, tables: Tables, faults: list[Fault], unread: set[bytes]
) -> HostedZone | None:
    """A hosted zone with the SOA and NS that Route 53 would add.

    What can not be read is a fault and left out; `unread` gets the names of record sets that are left out.
    """
    try:
        name = read_name(file.name)
    except TextError as error:
        faults.append(fault_at(at.get("name"), error))
        unread.add(ANY_NAME)
        inside: list[Fault] = []
        read_zone(file.model_copy(update={"name": _STAND_IN}), at, tables, inside, unread)
        faults += [fault for fault in inside if not fault.code.startswith("name-")]
        return None
    if at.has_lost("record_sets"):
        unread.add(ANY_NAME)
    private = bool(file.vpc) or at.has_lost("vpc")
    vpc_id = file.vpc[0].vpc_id if file.vpc else "?" if private else ""
    zone_id = file.zone_id or zone_id_of(name, vpc_id)
    servers = _read_servers(file.name_servers or [], at, faults)
    servers = servers or (PRIVATE_NAME_SERVERS if private else name_servers_of(zone_id))
    record_sets = []
    for index, record_set in enumerate(file.record_sets):
        place = at.get("record_sets", index)
        for merged in _members_of(record_set, place):
            reader = _RecordReader(name, tables, faults, merged.at)
            read = reader.read(merged.fields)
            if read:
                record_sets.append(read)
            else:
                unread.add(reader.name or ANY_NAME)
    vpcs = tuple(_read_vpc(vpc, at.get("vpc", index), tables, faults) for index, vpc in enumerate(file.vpc or []))
    if not vpcs and at.has_lost("vpc"):  # private, whatever was wrong there
        vpcs = (Vpc("", None, at.origin),)
    return with_defaults(
        HostedZone(name, zone_id, servers, at.get("name").origin, tuple(record_sets), vpcs, file.comment)
    )


def _read_vpc(file: schema.Vpc, at: At, tables: Tables, faults: list[Fault]) -> Vpc:
    if file.vpc_region is not None:
        try:
            check_region(file.vpc_region, tables.regions, "vpc_region")
        except TextError as error:
            faults.append(fault_at(at, error))
    return Vpc(file.vpc_id, file.vpc_region, at.origin)


class _Merged(NamedTuple):
    """A record set's fields, its parent's among them; where each of both stands."""

    fields: schema.RecordSet
    at: tuple[At, At]


def _members_of(record_set: schema.RecordSet, at: At) -> list[_Merged]:
    """`members` is sugar: each repeats the parent's keys, unless it has its own."""
    if record_set.members is None:
        return [_Merged(record_set, (at, at))]
    shared = record_set.model_copy(update={"members": None})
    merged = []
    for index, member in enumerate(record_set.members):
        own = {field: getattr(member, field) for field in member.model_fields_set}
        merged.append(_Merged(shared.model_copy(update=own), (at.get("members", index), at)))
    return merged


def _read_servers(texts: list[str], at: At, faults: list[Fault]) -> tuple[bytes, ...]:
    servers: list[bytes] = []
    for index, text in enumerate(texts):
        try:
            name = read_name(text)
            if name in servers:
                raise TextError("value-duplicate", f"the name server {text} stands in the list already")
            servers.append(name)
        except TextError as error:
            faults.append(fault_at(at.get("name_servers", index), error))
    return tuple(servers)


class _RecordReader:
    """Reads one record set of a zone."""

    def __init__(self, zone: bytes, tables: Tables, faults: list[Fault], at: tuple[At, At]) -> None:
        self._zone = zone
        self._tables = tables
        self._faults = faults
        self._own, self._parent = at
        self.name: bytes | None = None

    def read(self, fields: schema.RecordSet) -> RecordSet | None:
        """The record set; None if there is, or was, a fault that leaves nothing to go on with."""
        before = len(self._faults)
        self.name = name = self._name(fields)
        policy = self._policy(fields)
        self._check_shape(fields)
        alias = self._alias(fields.alias) if fields.alias else None
        values = self._values(fields)
        if name is None or len(self._faults) > before or not (self._own.is_whole() and self._parent.is_whole()):
            return None
        return RecordSet(
            name,
            fields.type,
            self._own.origin,
            fields.ttl or 0,
            values,
            alias,
            fields.set_identifier,
            policy,
            fields.health_check_id,
            self._at("health_check_id").origin if fields.health_check_id is not None else None,
        )

    def _at(self, *path: str | int) -> At:
        """A key's place in the member, else in its parent; without a path, that of the record set itself."""
        inherited = path and not self._own.has(str(path[0]))
        return self._parent.get(*path) if inherited else self._own.get(*path)

    def _has_lost(self, *keys: str) -> bool:
        """Whether the value of one of the keys was wrong and is told about already."""
        return any(at.has_lost(key) for at in (self._own, self._parent) for key in keys)

    def _report(self, error: TextError, *path: str | int) -> None:
        self._faults.append(fault_at(self._at(*path), error))

    def _name(self, fields: schema.RecordSet) -> bytes | None:
        try:
            return read_record_name(fields.name, self._zone)
        except TextError as error:
            self._report(error, "name")
            return None

    def _check_shape(self, fields: schema.RecordSet) -> None:
        """What Route 53 refuses as InvalidInput: exactly one of alias, and values with a TTL (AL5, C4)."""
        if fields.alias:
            for key in ("ttl", "records"):
                if getattr(fields, key) is not None:
                    self._report(TextError("alias-shape", f"an alias has no {key} of its own"), key)
        else:
            for key in ("ttl", "records"):
                if getattr(fields, key) is None and not self._has_lost(key, "alias", "members"):
                    self._report(TextError("missing-key", f"the key '{key}' is missing here", "or an alias instead"))
        chosen = self._chosen(fields)
        if chosen and not fields.set_identifier and not self._has_lost("set_identifier"):
            self._report(TextError("set-identifier", f"a record set with {chosen[0]} needs a set_identifier"))
        if fields.set_identifier and not chosen and not self._has_lost(*_POLICIES):
            hint = f"a routing policy goes with it: {', '.join(_POLICIES)}"
            self._report(
                TextError("set-identifier", "a simple record set has no set_identifier", hint),
                "set_identifier",
            )

    def _values(self, fields: schema.RecordSet) -> tuple[Value, ...]:
        values = []
        for index, text in enumerate(fields.records or []):
            try:
                values.append(Value(read_value(fields.type, text), self._at("records", index).origin))
            except TextError as error:
                self._report(error, "records", index)
        return tuple(values)

    def _alias(self, alias: schema.Alias) -> AliasTarget | None:
        place = self._at("alias", "name")
        try:
            name = self._zone if alias.name in ("", "@") else self._target(alias.name)
        except TextError as error:
            self._report(error, "alias", "name")
            return None
        zone_id_at = self._at("alias", "zone_id").origin if alias.zone_id is not None else None
        return AliasTarget(name, alias.name, alias.evaluate_target_health, alias.zone_id, place.origin, zone_id_at)

    def _target(self, text: str) -> bytes:
        """A name of the zone, relative or in full; one elsewhere is kept for the rules to refuse by name."""
        try:
            return read_record_name(text, self._zone)
        except TextError as error:
            if error.code != "name-outside-zone":
                raise
            return read_name(text)

    def _chosen(self, fields: schema.RecordSet) -> list[str]:
        return [key for key in _POLICIES if getattr(fields, key) not in (None, False)]

    def _policy(self, fields: schema.RecordSet) -> RoutingPolicy | None:
        chosen = self._chosen(fields)
        if len(chosen) > 1:
            error = TextError("policy-several", f"a record set has one routing policy, not {' and '.join(chosen)}")
            self._report(error, chosen[1])
            return None
        if not chosen or self._has_lost(chosen[0]):
            return None
        try:
            where = [self._at("cidr_routing_policy", key).origin for key in ("collection_id", "location_name")]
            return _read_policy(fields, self._tables, where)
        except TextError as error:
            self._report(error, chosen[0])
            return None


def _read_policy(fields: schema.RecordSet, tables: Tables, origins: list[Origin]) -> RoutingPolicy:
    """The one policy that `fields` has; `origins` are those of a CIDR policy's names. Raises TextError."""
    if weighted := fields.weighted_routing_policy:
        return Weighted(weighted.weight)
    if latency := fields.latency_routing_policy:
        return read_latency(latency.region, tables)
    if failover := fields.failover_routing_policy:
        return Failover(failover.type)
    if geo := fields.geolocation_routing_policy:
        return read_geolocation(tables, geo.continent, geo.country, geo.subdivision)
    if near := fields.geoproximity_routing_policy:
        degrees = (near.coordinates.latitude, near.coordinates.longitude) if near.coordinates else None
        return read_geoproximity(tables, near.aws_region, near.local_zone_group, degrees, near.bias)
    if cidr := fields.cidr_routing_policy:
        return IpBased(cidr.collection_id, cidr.location_name, *origins)
    return Multivalue()
