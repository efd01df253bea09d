"""Zones with routing policies, health checks and clients as a person writes them: what `selection` works on.

A member's `rule` is what stands in the file below the key of its policy. Names are lower-case texts with a trailing
dot.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cached_property
from ipaddress import ip_network
from typing import Any

from properties.selection_places import Network, longest, plain

KEYS = {
    "weighted": "weighted_routing_policy",
    "latency": "latency_routing_policy",
    "failover": "failover_routing_policy",
    "geolocation": "geolocation_routing_policy",
    "geoproximity": "geoproximity_routing_policy",
    "ip-based": "cidr_routing_policy",
    "multivalue": "multivalue_answer_routing_policy",
}
AWARE = ("latency", "geolocation", "geoproximity", "ip-based")  # policies that look at the client
COLLECTION = "corp"
PROBE = {"type": "TCP", "ip_address": "127.0.0.1", "port": 9}


@dataclass(frozen=True, eq=False)
class Member:
    """One record set: values, or the name of an alias target."""

    identifier: str = ""
    rule: Any = None
    check: str = ""
    ttl: int = 60
    values: tuple[str, ...] = ()
    alias: str = ""
    evaluate: bool = False


@dataclass(frozen=True, eq=False)
class Group:
    """All record sets of one name and type; `policy` is "simple" or one of KEYS."""

    name: str
    type: str
    policy: str
    members: tuple[Member, ...]


@dataclass(frozen=True, eq=False)
class Zone:
    """A hosted zone; with `vpcs` a private one."""

    name: str
    groups: tuple[Group, ...]
    vpcs: tuple[str, ...] = ()


@dataclass(frozen=True)
class Calculated:
    """A health check that counts healthy ones among its children."""

    children: tuple[str, ...]
    threshold: int
    inverted: bool = False


@dataclass(frozen=True)
class Resource:
    """An AWS resource that aliases may point to: its addresses by type, its health check or its health."""

    name: str
    ttl: int | None  # None: what resources of its kind have
    addresses: Mapping[str, tuple[str, ...]]
    check: str = ""
    healthy: bool = True


@dataclass(frozen=True)
class Vpc:
    """A VPC: who is in it, and where it is."""

    name: str
    region: str
    blocks: tuple[str, ...]


@dataclass(frozen=True)
class Client:
    """Who asks: where the packet comes from, and the client subnet it carries, if any."""

    source: str = "127.0.0.1"
    subnet: str = ""

    @property
    def words(self) -> tuple[str, ...]:
        """As dig's words."""
        return f"+source={self.source}", *([f"+subnet={self.subnet}"] if self.subnet else [])

    @cached_property
    def address(self) -> Network:
        return plain(ip_network(self.source))

    @cached_property
    def told(self) -> Network | None:
        """The client subnet, if it says anything."""
        return plain(ip_network(self.subnet)) if self.subnet and not self.subnet.endswith("/0") else None


@dataclass(frozen=True, eq=False)
class World:
    """A whole configuration. `collection`: location → blocks; `latencies`: place or block → region → milliseconds."""

    zones: tuple[Zone, ...]
    checks: Mapping[str, bool] = field(default_factory=dict)
    calculated: Mapping[str, Calculated] = field(default_factory=dict)
    collection: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    locations: tuple[Mapping[str, Any], ...] = ()
    latencies: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    resources: tuple[Resource, ...] = ()
    vpcs: tuple[Vpc, ...] = ()
    default: Mapping[str, Any] | None = None
    bias: str = "current"

    def is_healthy(self, check: str) -> bool:
        """The status of a health check."""
        if check in self.checks:
            return self.checks[check]
        rule = self.calculated[check]
        return (sum(self.checks[child] for child in rule.children) >= rule.threshold) != rule.inverted

    def vpc_of(self, network: Network) -> Vpc | None:
        """The VPC that a network is in; of blocks inside each other the longest counts."""
        owners = {block: vpc for vpc in self.vpcs for block in vpc.blocks}
        block = longest(network, owners)
        return owners[block] if block else None


def to_yaml(world: World) -> str:
    """A zone file. JSON is YAML too, and leaves no doubt about what is quoted."""
    locations = [{"name": name, "cidr_blocks": blocks} for name, blocks in world.collection.items()]
    document = {
        "version": 1,
        "hosted_zones": [_zone(zone) for zone in world.zones],
        "health_checks": [
            *(_check(name, healthy) for name, healthy in world.checks.items()),
            *(_calculated(name, rule) for name, rule in world.calculated.items()),
        ],
        "cidr_collections": [{"id": COLLECTION, "name": COLLECTION, "locations": locations}],
        "dnsemu": _extras(world),
    }
    return json.dumps(document, ensure_ascii=False)


def _zone(zone: Zone) -> dict[str, Any]:
    record_sets = [_record_set(group, member) for group in zone.groups for member in group.members]
    private = {"vpc": [{"vpc_id": name} for name in zone.vpcs]} if zone.vpcs else {}
    return {"name": zone.name, "record_sets": record_sets, **private}


def _record_set(group: Group, member: Member) -> dict[str, Any]:
    found: dict[str, Any] = {"name": group.name, "type": group.type}
    if group.policy != "simple":
        found |= {"set_identifier": member.identifier, KEYS[group.policy]: member.rule}
    if member.alias:
        found["alias"] = {"name": member.alias, "evaluate_target_health": member.evaluate}
    else:
        found |= {"ttl": member.ttl, "records": member.values}
    return found | ({"health_check_id": member.check} if member.check else {})


def _check(name: str, healthy: bool) -> dict[str, Any]:
    """A check of that status, in one of the ways to have it before anything is probed: its name decides."""
    ways: tuple[dict[str, Any], ...] = (
        {"dnsemu": {"initial_status": "healthy" if healthy else "unhealthy"}},
        {"disabled": True, "invert_healthcheck": not healthy},
        {"invert_healthcheck": not healthy},
    )
    return {"id": name, **PROBE, **ways[sum(name.encode()) % len(ways)]}


def _calculated(name: str, rule: Calculated) -> dict[str, Any]:
    return {
        "id": name,
        "type": "CALCULATED",
        "child_healthchecks": rule.children,
        "child_health_threshold": rule.threshold,
        "invert_healthcheck": rule.inverted,
    }


def _extras(world: World) -> dict[str, Any]:
    found: dict[str, Any] = {"locations": world.locations, "latencies": world.latencies}
    found["alias_targets"] = [_resource(resource) for resource in world.resources]
    found["vpcs"] = [{"vpc_id": vpc.name, "vpc_region": vpc.region, "cidr_blocks": vpc.blocks} for vpc in world.vpcs]
    if world.bias != "current":
        found["options"] = {"geoproximity_bias": world.bias}
    return found | ({"default_location": world.default} if world.default else {})


def _resource(resource: Resource) -> dict[str, Any]:
    found: dict[str, Any] = {"name": resource.name} | ({} if resource.ttl is None else {"ttl": resource.ttl})
    found |= {rdtype.lower(): addresses for rdtype, addresses in resource.addresses.items()}
    if resource.check:
        return found | {"health_check_id": resource.check}
    return found if resource.healthy else found | {"healthy": False}
