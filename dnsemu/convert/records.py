"""Record sets: from the API's keys to those of a native file, which are Terraform's."""

from __future__ import annotations

from collections.abc import Iterator

from dnsemu.convert import aws
from dnsemu.convert.draft import Item
from dnsemu.convert.flow import Number, Value
from dnsemu.convert.hosted import bare_id
from dnsemu.convert.names import absolute, relative
from dnsemu.convert.notes import Kind, Note
from dnsemu.convert.pages import Named
from dnsemu.convert.targets import Targets
from dnsemu.convert.zones import Zone
from dnsemu.errors import TextError
from dnsemu.model import ALIAS_TYPES, Type, read_name
from dnsemu.wire import is_below


class _LeftOut(Exception):
    """Why a record set can not be carried over."""


class RecordSets:
    """Makes the items of one zone; what they lose on the way goes into `notes`."""

    def __init__(self, zone: Zone, targets: Targets, notes: list[Note]) -> None:
        self._zone = zone
        self._targets = targets
        self._notes = notes

    def items(self) -> Iterator[Item]:
        """Each record set that can be carried over."""
        for named in self._zone.members:
            subject = self._subject(named)
            try:
                yield Item(subject, self._value(named, subject))
            except _LeftOut as reason:
                self._note(Kind.LEFT_OUT, subject, str(reason))

    def _subject(self, named: Named) -> str:
        identifier = f" '{named.record.set_identifier}'" if named.record.set_identifier else ""
        private = " (private)" if self._zone.is_private else ""
        return f"{absolute(named.name)} {named.record.type}{identifier}{private}"

    def _note(self, kind: Kind, subject: str, text: str) -> None:
        self._notes.append(Note(kind, subject, text))

    def _value(self, named: Named, subject: str) -> dict[str, Value]:
        record = named.record
        if record.type not in Type.__members__:
            raise _LeftOut(f"dnsemu does not serve records of type {record.type}")
        for key in aws.unknown_keys(record):
            self._note(Kind.LEFT_OUT, subject, f"{key}, which is not known here")
        if record.traffic_policy_instance_id is not None:
            self._note_policy(record, record.traffic_policy_instance_id, subject)
        value: dict[str, Value] = {"name": relative(named.name, self._zone.apex), "type": record.type}
        value.update(_of_every_type(record))
        if record.alias_target:
            value["alias"] = self._alias(record.alias_target, record.type, subject)
        values = [item.value for item in record.resource_records]
        if values:
            value["records"] = values[0] if len(values) == 1 else values
        return value

    def _note_policy(self, record: aws.ResourceRecordSet, instance: str, subject: str) -> None:
        """A traffic policy's record sets are like others, if they have something of their own to answer with."""
        if not record.alias_target and not record.resource_records:
            raise _LeftOut(f"the traffic policy instance {instance} answers for it, which can not be imported")
        self._note(Kind.CHANGED, subject, f"made by the traffic policy instance {instance}, and now like any other")

    def _alias(self, alias: aws.AliasTarget, rdtype: str, subject: str) -> dict[str, Value]:
        try:
            name = read_name(alias.dns_name)
        except TextError as error:
            raise _LeftOut(f"its alias target '{alias.dns_name}' is no name: {error.message}") from None
        zone_id = bare_id(alias.hosted_zone_id)
        health: dict[str, Value] = {"evaluate_target_health": True} if alias.evaluate_target_health else {}
        if zone_id == self._zone.id and self._zone.finds(name, rdtype):
            return {"name": relative(name, self._zone.apex), **health}
        self._add_target(name, zone_id, rdtype, subject)
        outside: dict[str, Value] = {} if zone_id == self._zone.id else {"zone_id": zone_id}
        return {"name": f"{absolute(name)}.", **outside, **health}

    def _add_target(self, name: bytes, zone_id: str, rdtype: str, subject: str) -> None:
        if Type[rdtype] not in ALIAS_TYPES:
            raise _LeftOut(f"an alias of {absolute(name)}, of which no file has the {rdtype} records")
        dangling = is_below(name, self._zone.apex) and self._zone.id in (None, zone_id)
        self._targets.add(absolute(name), rdtype, dangling=dangling)
        if rdtype == "HTTPS" and not dangling:
            text = f"the HTTPS records of {absolute(name)}, as dnsemu knows AWS resources by their addresses only"
            self._note(Kind.LEFT_OUT, subject, f"{text}: it answers without records")


def _of_every_type(record: aws.ResourceRecordSet) -> Iterator[tuple[str, Value]]:
    if record.ttl is not None:
        yield "ttl", record.ttl
    if record.set_identifier is not None:
        yield "set_identifier", record.set_identifier
    yield from _policies(record)
    if record.health_check_id:
        yield "health_check_id", record.health_check_id


def _policies(record: aws.ResourceRecordSet) -> Iterator[tuple[str, Value]]:
    """The routing policy; there is one, as the API sees to."""
    if record.weight is not None:
        yield "weighted_routing_policy", {"weight": record.weight}
    if record.region is not None:
        yield "latency_routing_policy", {"region": record.region}
    if record.failover is not None:
        yield "failover_routing_policy", {"type": record.failover}
    if geo := record.geo_location:
        keys = {"continent": geo.continent_code, "country": geo.country_code, "subdivision": geo.subdivision_code}
        yield "geolocation_routing_policy", {key: code for key, code in keys.items() if code is not None}
    if near := record.geo_proximity_location:
        yield "geoproximity_routing_policy", dict(_geoproximity(near))
    if cidr := record.cidr_routing_config:
        yield "cidr_routing_policy", {"collection_id": cidr.collection_id, "location_name": cidr.location_name}
    if record.multi_value_answer:
        yield "multivalue_answer_routing_policy", True


def _geoproximity(near: aws.GeoProximityLocation) -> Iterator[tuple[str, Value]]:
    if near.aws_region is not None:
        yield "aws_region", near.aws_region
    if near.local_zone_group is not None:
        yield "local_zone_group", near.local_zone_group
    if at := near.coordinates:
        yield "coordinates", {"latitude": Number(at.latitude), "longitude": Number(at.longitude)}
    if near.bias is not None:
        yield "bias", near.bias
