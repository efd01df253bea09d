"""What is configured, as values: hosted zones, record sets, health checks, CIDR collections; names and values."""

from dnsemu.model.cidr import CidrCollection, Network
from dnsemu.model.configuration import Configuration, NotServed, Options
from dnsemu.model.defaults import name_servers_of, with_defaults, zone_id_of
from dnsemu.model.health import HealthCheck
from dnsemu.model.names import ROOT, read_name, read_record_name, show_name
from dnsemu.model.types import SINGLE_VALUE, TARGET_AT, Type
from dnsemu.model.values import read_value
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
    "ROOT",
    "SINGLE_VALUE",
    "TARGET_AT",
    "AliasTarget",
    "CidrCollection",
    "Configuration",
    "Group",
    "HealthCheck",
    "HostedZone",
    "Network",
    "NotServed",
    "Options",
    "RecordSet",
    "RoutingPolicy",
    "Type",
    "Value",
    "Vpc",
    "groups_of",
    "name_servers_of",
    "read_name",
    "read_record_name",
    "read_value",
    "show_name",
    "with_defaults",
    "zone_id_of",
]
