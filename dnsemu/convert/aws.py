"""What the AWS CLI prints for Route 53: the shapes of the API's answers, as far as they say something about DNS.

Keys that are not named here are kept aside (`unknown_keys`), so that what they say is not lost without a word.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field
from pydantic.alias_generators import to_pascal


class Shape(BaseModel):
    """A mapping of the API. `IGNORED` are keys that make no difference to any answer."""

    model_config = ConfigDict(extra="allow", frozen=True, alias_generator=to_pascal)
    IGNORED: ClassVar[frozenset[str]] = frozenset()


class Page(Shape):
    """What one command prints; a long list may be continued on another page."""

    is_truncated: bool = False
    next_token: str | None = None
    next_marker: str | None = None

    @property
    def goes_on(self) -> bool:
        """Whether there is more on another page."""
        return self.is_truncated or bool(self.next_token or self.next_marker)


class ResourceRecord(Shape):
    value: str


class AliasTarget(Shape):
    hosted_zone_id: str
    dns_name: str = Field(alias="DNSName")
    evaluate_target_health: bool = False


class GeoLocation(Shape):
    continent_code: str | None = None
    country_code: str | None = None
    subdivision_code: str | None = None


class Coordinates(Shape):
    latitude: str
    longitude: str


class GeoProximityLocation(Shape):
    aws_region: str | None = Field(None, alias="AWSRegion")
    local_zone_group: str | None = None
    coordinates: Coordinates | None = None
    bias: int | None = None


class CidrRoutingConfig(Shape):
    collection_id: str
    location_name: str


class ResourceRecordSet(Shape):
    """A resource record set: all that the API knows of one."""

    name: str
    type: str
    set_identifier: str | None = None
    weight: int | None = None
    region: str | None = None
    geo_location: GeoLocation | None = None
    failover: str | None = None
    multi_value_answer: bool | None = None
    ttl: int | None = Field(None, alias="TTL")
    resource_records: tuple[ResourceRecord, ...] = ()
    alias_target: AliasTarget | None = None
    health_check_id: str | None = None
    traffic_policy_instance_id: str | None = None
    cidr_routing_config: CidrRoutingConfig | None = None
    geo_proximity_location: GeoProximityLocation | None = None


class RecordSetList(Page):
    """`list-resource-record-sets`"""

    resource_record_sets: list[ResourceRecordSet]
    next_record_name: str | None = None
    next_record_type: str | None = None
    next_record_identifier: str | None = None

    @property
    def goes_on(self) -> bool:
        """Whether there is more on another page."""
        return super().goes_on or self.next_record_name is not None


class AlarmIdentifier(Shape):
    region: str
    name: str


class HealthCheckConfig(Shape):
    """The settings of a health check."""

    type: str
    ip_address: str | None = Field(None, alias="IPAddress")
    port: int | None = None
    resource_path: str | None = None
    fully_qualified_domain_name: str | None = None
    search_string: str | None = None
    request_interval: int | None = None
    failure_threshold: int | None = None
    measure_latency: bool | None = None
    inverted: bool | None = None
    disabled: bool | None = None
    health_threshold: int | None = None
    child_health_checks: list[str] | None = None
    enable_sni: bool | None = Field(None, alias="EnableSNI")
    regions: list[str] | None = None
    alarm_identifier: AlarmIdentifier | None = None
    insufficient_data_health_status: str | None = None
    routing_control_arn: str | None = None


class HealthCheck(Shape):
    """A health check with its id. The alarm's own settings say how AWS judges it, which nobody does here."""

    id: str
    health_check_config: HealthCheckConfig
    IGNORED = frozenset({"CallerReference", "CloudWatchAlarmConfiguration", "HealthCheckVersion", "LinkedService"})


class HealthCheckList(Page):
    """`list-health-checks`"""

    health_checks: list[HealthCheck]


class OneHealthCheck(Page):
    """`get-health-check`"""

    health_check: HealthCheck


class HostedZoneConfig(Shape):
    comment: str | None = None
    private_zone: bool = False


class HostedZone(Shape):
    """What there is to say about a hosted zone beside its record sets."""

    id: str
    name: str
    config: HostedZoneConfig = HostedZoneConfig()
    resource_record_set_count: int | None = None
    IGNORED = frozenset({"CallerReference", "Features", "LinkedService"})


class HostedZoneList(Page):
    """`list-hosted-zones`, `list-hosted-zones-by-name`"""

    hosted_zones: list[HostedZone]


class DelegationSet(Shape):
    name_servers: tuple[str, ...] = ()
    IGNORED = frozenset({"CallerReference", "Id"})


class Vpc(Shape):
    vpc_region: str | None = Field(None, alias="VPCRegion")
    vpc_id: str = Field(alias="VPCId")


class OneHostedZone(Page):
    """`get-hosted-zone`"""

    hosted_zone: HostedZone
    delegation_set: DelegationSet = DelegationSet()
    vpcs: tuple[Vpc, ...] = Field((), alias="VPCs")


class CidrBlock(Shape):
    cidr_block: str
    location_name: str


class CidrBlockList(Page):
    """`list-cidr-blocks`, which does not say of which collection they are"""

    cidr_blocks: list[CidrBlock]


class CidrLocation(Shape):
    location_name: str


class CidrLocationList(Page):
    """`list-cidr-locations`, which does not say so either"""

    cidr_locations: list[CidrLocation]


class CidrCollection(Shape):
    id: str
    name: str
    IGNORED = frozenset({"Arn", "Version"})


class CidrCollectionList(Page):
    """`list-cidr-collections`"""

    cidr_collections: list[CidrCollection]


PAGES: dict[str, type[Page]] = {
    "ResourceRecordSets": RecordSetList,
    "HealthChecks": HealthCheckList,
    "HealthCheck": OneHealthCheck,
    "HostedZones": HostedZoneList,
    "HostedZone": OneHostedZone,
    "CidrBlocks": CidrBlockList,
    "CidrLocations": CidrLocationList,
    "CidrCollections": CidrCollectionList,
}
"""The key that tells what a page is, and what it then holds."""


def unknown_keys(shape: Shape, prefix: str = "") -> Iterator[str]:
    """The keys, as `GeoLocation.CityCode`, that no model has and that may matter."""
    for key in shape.model_extra or {}:
        if key not in shape.IGNORED:
            yield prefix + key
    for name, field in type(shape).model_fields.items():
        for value in _shapes_in(getattr(shape, name)):
            yield from unknown_keys(value, f"{prefix}{field.alias}.")


def _shapes_in(value: Any) -> Iterator[Shape]:
    if isinstance(value, Shape):
        yield value
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _shapes_in(item)
