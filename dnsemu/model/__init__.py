"""What is configured, as values: hosted zones, record sets, health checks, CIDR collections; names and values."""

from dnsemu.model.alias_zones import alias_zone
from dnsemu.model.cidr import CidrCollection, Network, unmapped_block
from dnsemu.model.clients import ClientBlock, Clients, VpcClients, Whereabouts
from dnsemu.model.configuration import Configuration, NotServed, Options
from dnsemu.model.defaults import PRIVATE_NAME_SERVERS, name_servers_of, with_defaults, zone_id_of
from dnsemu.model.duration import DURATION, read_duration, show_duration
from dnsemu.model.health import CHECKER_REGIONS, UNPROBED, HealthCheck, HealthSnapshot
from dnsemu.model.names import ROOT, read_name, read_record_name, show_name
from dnsemu.model.resources import ALIAS_TYPES, Kind, Resource, is_aws, kind_of, spelled_resource
from dnsemu.model.types import SINGLE_VALUE, TARGET_AT, Type
from dnsemu.model.values import read_value, show_value
from dnsemu.model.zone import (
    AliasTarget,
    Group,
    HostedZone,
    RecordSet,
    RoutingPolicy,
    Value,
    Vpc,
    groups_of,
)

__all__ = [
    "ALIAS_TYPES",
    "CHECKER_REGIONS",
    "DURATION",
    "PRIVATE_NAME_SERVERS",
    "ROOT",
    "SINGLE_VALUE",
    "TARGET_AT",
    "UNPROBED",
    "AliasTarget",
    "CidrCollection",
    "ClientBlock",
    "Clients",
    "Configuration",
    "Group",
    "HealthCheck",
    "HealthSnapshot",
    "HostedZone",
    "Kind",
    "Network",
    "NotServed",
    "Options",
    "RecordSet",
    "Resource",
    "RoutingPolicy",
    "Type",
    "Value",
    "Vpc",
    "VpcClients",
    "Whereabouts",
    "alias_zone",
    "groups_of",
    "is_aws",
    "kind_of",
    "name_servers_of",
    "read_duration",
    "read_name",
    "read_record_name",
    "read_value",
    "show_duration",
    "show_name",
    "show_value",
    "spelled_resource",
    "unmapped_block",
    "with_defaults",
    "zone_id_of",
]
