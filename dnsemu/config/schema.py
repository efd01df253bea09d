"""What may stand in a zone file: which keys there are and what kind of value each takes.

Names are Terraform's, one item of `record_sets` for each Route 53 record set; what AWS does not have stands under
`dnsemu`. `dnsemu schema` prints these models as JSON Schema.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, StringConstraints, WithJsonSchema

from dnsemu.config import scalars
from dnsemu.config.scalars import (
    TEXT,
    WHOLE,
    Address,
    Block,
    Boolean,
    Degrees,
    ProbeInterval,
    RecordType,
    Text,
    Texts,
    any_scalar,
)
from dnsemu.errors import TextError
from dnsemu.routing import MAX_BIAS, MAX_WEIGHT

MAX_TTL = 2_147_483_647  # C10, RFC 2181 8
HealthCheckType = Literal[
    "HTTP",
    "HTTPS",
    "HTTP_STR_MATCH",
    "HTTPS_STR_MATCH",
    "TCP",
    "CALCULATED",
    "CLOUDWATCH_METRIC",
    "RECOVERY_CONTROL",
]
CheckerRegion = Literal[
    "us-east-1",
    "us-west-1",
    "us-west-2",
    "eu-west-1",
    "ap-southeast-1",
    "ap-southeast-2",
    "ap-northeast-1",
    "sa-east-1",
]
Identifier = Annotated[
    str, StringConstraints(min_length=1, max_length=128), TEXT, any_scalar(minLength=1, maxLength=128)
]
ZoneId = Annotated[str, StringConstraints(pattern=r"^[A-Z0-9]{1,32}$"), TEXT]
Port = Annotated[int, Field(ge=1, le=65535), WHOLE]


class Section(BaseModel):
    """A mapping of a zone file; keys that are not named here are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, title=None)


class Weighted(Section):
    """Share of the answers: weight divided by the sum of weights."""

    weight: Annotated[int, Field(ge=0, le=MAX_WEIGHT), WHOLE]


class Latency(Section):
    """The AWS region that this record set stands for."""

    region: Text


class Failover(Section):
    """Which of the two this record set is."""

    type: Literal["PRIMARY", "SECONDARY"]


class Geolocation(Section):
    """A continent, or a country with or without subdivision; country "*" is the default."""

    continent: Text | None = None
    country: Text | None = None
    subdivision: Text | None = None


class Coordinates(Section):
    """Degrees north and east, with at most two decimals."""

    latitude: Degrees
    longitude: Degrees


class Geoproximity(Section):
    """One of aws_region, local_zone_group and coordinates; the bias widens or narrows its area."""

    aws_region: Text | None = None
    local_zone_group: Text | None = None
    coordinates: Coordinates | None = None
    bias: Annotated[int, Field(ge=-MAX_BIAS, le=MAX_BIAS), WHOLE] = 0


class Cidr(Section):
    """A location of a CIDR collection; "*" is the default."""

    collection_id: Text
    location_name: Text


class Alias(Section):
    """Where the records come from: a name of the same zone, or one of alias_targets."""

    name: Text
    zone_id: Text | None = None
    evaluate_target_health: Boolean = False


class Member(Section):
    """What the members of one name and type differ in."""

    ttl: Annotated[int, Field(ge=0, le=MAX_TTL), WHOLE] | None = None
    records: Texts | None = None
    alias: Alias | None = None
    set_identifier: Identifier | None = None
    health_check_id: Text | None = None
    weighted_routing_policy: Weighted | None = None
    latency_routing_policy: Latency | None = None
    failover_routing_policy: Failover | None = None
    geolocation_routing_policy: Geolocation | None = None
    geoproximity_routing_policy: Geoproximity | None = None
    cidr_routing_policy: Cidr | None = None
    multivalue_answer_routing_policy: Boolean | None = None


class RecordSet(Member):
    """A resource record set; or several of one name and type, as members that differ."""

    name: Text
    type: RecordType
    members: Annotated[list[Member], Field(min_length=1)] | None = None


class Vpc(Section):
    """A VPC that a private hosted zone is associated with."""

    vpc_id: Identifier
    vpc_region: Text | None = None


class HostedZone(Section):
    """A hosted zone; `vpc` makes it a private one."""

    name: Text
    zone_id: ZoneId | None = None
    comment: Annotated[str, StringConstraints(max_length=256), TEXT, any_scalar(maxLength=256)] = ""
    name_servers: Texts | None = None
    vpc: Annotated[list[Vpc], Field(min_length=1)] | None = None
    record_sets: list[RecordSet] = []


class HealthCheckExtras(Section):
    """What AWS does not have: faster probes, the status before the first probe, the number of checkers."""

    interval: ProbeInterval | None = None
    initial_status: Literal["healthy", "unhealthy"] | None = None
    checkers: Annotated[int, Field(ge=1, le=64), WHOLE] = 1


class HealthCheck(Section):
    """A health check, with the arguments of Terraform's aws_route53_health_check."""

    id: Annotated[str, StringConstraints(min_length=1, max_length=64), TEXT, any_scalar(minLength=1, maxLength=64)]
    type: HealthCheckType
    fqdn: Annotated[str, StringConstraints(max_length=255), TEXT, any_scalar(maxLength=255)] | None = None
    ip_address: Address | None = None
    port: Port | None = None
    resource_path: Annotated[str, StringConstraints(max_length=255), TEXT, any_scalar(maxLength=255)] | None = None
    request_interval: Annotated[Literal[10, 30], WHOLE] | None = None
    failure_threshold: Annotated[int, Field(ge=1, le=10), WHOLE] | None = None
    search_string: (
        Annotated[str, StringConstraints(min_length=1, max_length=255), TEXT, any_scalar(minLength=1, maxLength=255)]
        | None
    ) = None
    enable_sni: Boolean | None = None
    regions: Annotated[list[CheckerRegion], Field(min_length=3)] | None = None
    measure_latency: Boolean | None = None
    invert_healthcheck: Boolean = False
    disabled: Boolean = False
    child_healthchecks: Annotated[list[Text], Field(max_length=255)] | None = None
    child_health_threshold: Annotated[int, Field(ge=0, le=256), WHOLE] | None = None
    cloudwatch_alarm_region: Text | None = None
    cloudwatch_alarm_name: Text | None = None
    insufficient_data_health_status: Literal["Healthy", "Unhealthy", "LastKnownStatus"] | None = None
    routing_control_arn: Text | None = None
    dnsemu: HealthCheckExtras | None = None


class CidrLocation(Section):
    """A named list of blocks."""

    name: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_-]{1,16}$"), TEXT]
    cidr_blocks: list[Block]


class CidrCollection(Section):
    """Named locations for IP-based routing."""

    id: Identifier
    name: Annotated[str, StringConstraints(pattern=r"^[0-9A-Za-z_-]{1,64}$"), TEXT]
    locations: list[CidrLocation] = []


class Place(Section):
    """Where a client is."""

    continent: Text | None = None
    country: Text | None = None
    subdivision: Text | None = None
    coordinates: Coordinates | None = None
    region: Text | None = None


class NamedPlace(Place):
    """A client with a name; `vpc_id` makes it one of that VPC."""

    vpc_id: Text | None = None


class Location(Place):
    """Where the clients of a block of addresses are, and how far from the regions."""

    cidr: Block
    latency: dict[Text, scalars.Latency] | None = None


class AliasResource(Section):
    """An AWS resource that an alias may point to, with what it resolves to."""

    name: Text
    ttl: Annotated[int, Field(ge=0, le=MAX_TTL), WHOLE] | None = None
    a: Texts | None = None
    aaaa: Texts | None = None
    health_check_id: Text | None = None
    healthy: Boolean | None = None


class VpcClients(Section):
    """Who belongs to a VPC, and where it is."""

    vpc_id: Identifier
    vpc_region: Text | None = None
    cidr_blocks: list[Block] = []


class Options(Section):
    """Where Route 53's own sources differ; the defaults are the best reading."""

    ent_response: Literal["nodata", "nxdomain"] = "nodata"
    any: Literal["full", "hinfo", "refuse"] = "full"
    cname_chase: Literal["in_zone", "never"] = "in_zone"
    geoproximity_bias: Literal["current", "legacy"] = "current"
    refused_opt: Boolean = False
    explain_txt: Boolean = True
    extended_errors: Boolean = True


class Dnsemu(Section):
    """What AWS does not have."""

    seed: Annotated[int, Field(ge=0, le=2**63 - 1), WHOLE] | None = None
    default_location: Place | None = None
    places: dict[Text, NamedPlace] = {}
    locations: list[Location] = []
    geoip: Text | None = None
    latencies: dict[Text, dict[Text, scalars.Latency]] = {}
    alias_targets: list[AliasResource] = []
    vpcs: list[VpcClients] = []
    forward: Texts | None = None
    options: Options = Options()


class TargetIp(Section):
    """A name server that a resolver rule forwards to."""

    ip: Address
    port: Port = 53


class ResolverRule(Section):
    """Questions below a domain name that go elsewhere."""

    domain_name: Text
    rule_type: Literal["FORWARD", "SYSTEM"]
    target_ip: list[TargetIp] = []


def _one(value: Any) -> Any:
    if value != "1":
        raise TextError("version", f"version {value} is not known here", "write version: 1")
    return 1


class File(Section):
    """A dnsemu zone file. All files together are one configuration."""

    version: Annotated[int, BeforeValidator(_one), WithJsonSchema({"const": 1})] = 1
    hosted_zones: list[HostedZone] = []
    health_checks: list[HealthCheck] = []
    cidr_collections: list[CidrCollection] = []
    dnsemu: Dnsemu = Dnsemu()
    resolver_rules: list[ResolverRule] = []


def json_schema() -> dict[str, Any]:
    """JSON Schema (2020-12) of a zone file, for editors."""
    schema = File.model_json_schema(mode="validation")
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "dnsemu zone file",
        **{key: value for key, value in schema.items() if key != "title"},
    }
