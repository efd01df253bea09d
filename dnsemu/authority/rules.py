"""Rules about a configuration as a whole: what Route 53's API refuses (R13), and what it would be wise to change."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from typing import NamedTuple

from dnsemu.authority.aliases import AliasRules
from dnsemu.authority.tree import WILDCARD, ZoneTree
from dnsemu.authority.vpcs import check_vpcs
from dnsemu.errors import Fault, TextError, warning
from dnsemu.model import (
    SINGLE_VALUE,
    CidrCollection,
    Configuration,
    Group,
    HealthCheck,
    HostedZone,
    RecordSet,
    Type,
    read_name,
    show_name,
)
from dnsemu.routing import DEFAULT_LOCATION, IpBased, check_group, describe

MAX_VALUES = 400  # C8
MAX_VPCS = 300  # 6.5
HEALTH_CHECKED_TTL = 60  # seconds; C10
_SPECIAL = {
    "local": "is for multicast DNS (RFC 6762): many systems do not ask a name server for it",
    "dev": "is on the browsers' HSTS list: they speak HTTPS only to its names",
}


class Known(NamedTuple):
    """What record sets may refer to, by id."""

    checks: dict[str, HealthCheck]
    collections: dict[str, CidrCollection]


def check(configuration: Configuration, trees: Sequence[ZoneTree]) -> list[Fault]:
    """Every fault, in the order of files and lines. `trees`: those of the zones, in their order."""
    known = Known(
        {check.id: check for check in configuration.health_checks},
        {collection.id: collection for collection in configuration.cidr_collections},
    )
    faults = [
        Fault(
            item.origin,
            "not-served",
            f"{item.what} can be read, but this version does not answer with it yet",
        )
        for item in configuration.not_served
    ]
    faults += _check_zones(configuration)
    for zone, tree in zip(configuration.hosted_zones, trees, strict=True):
        aliases = AliasRules(tree, configuration.unread)
        for group in tree.groups.values():
            faults += check_group(group)
            faults += _check_place(group, tree, zone)
            faults += aliases.check(group)
            for member in group.members:
                faults += _check_member(member, known)
    faults += _check_health_checks(configuration)
    faults += check_vpcs(configuration)
    return sorted(faults, key=lambda fault: fault.origin)


def _check_zones(configuration: Configuration) -> Iterator[Fault]:
    names: dict[bytes, HostedZone] = {}
    ids: dict[str, HostedZone] = {}
    associated: dict[tuple[bytes, str], HostedZone] = {}
    for zone in configuration.hosted_zones:
        shown = show_name(zone.name)
        other = zone if zone.vpcs else names.setdefault(zone.name, zone)
        if other is not zone:
            yield Fault(zone.origin, "zone-duplicate", f"hosted zone {shown} is also at {other.origin}")
        other = ids.setdefault(zone.zone_id, zone)
        if other is not zone and not _is_told(other, zone):
            yield Fault(
                zone.origin,
                "zone-id-duplicate",
                f"zone_id {zone.zone_id} is also that of the zone at {other.origin}",
            )
        yield from _check_vpcs(zone, associated)
        if zone.name.startswith(WILDCARD):
            yield Fault(zone.origin, "zone-wildcard", f"the leftmost label of hosted zone {shown} may not be *")
        yield from _doubts_about(zone, shown.removesuffix("."))


def _is_told(zone: HostedZone, other: HostedZone) -> bool:
    """Whether it is an error already that there are both: zones of one name that the same clients would see."""
    shared = {vpc.vpc_id for vpc in zone.vpcs} & {vpc.vpc_id for vpc in other.vpcs}
    return zone.name == other.name and (bool(shared) or not (zone.vpcs or other.vpcs))


def _check_vpcs(zone: HostedZone, associated: dict[tuple[bytes, str], HostedZone]) -> Iterator[Fault]:
    """A VPC knows one private zone of a name (V6), and IP-based routing is for public zones (I12)."""
    if len(zone.vpcs) > MAX_VPCS:
        message = f"a hosted zone can be associated with {MAX_VPCS} VPCs, and this has {len(zone.vpcs)}"
        yield Fault(zone.vpcs[MAX_VPCS].origin, "zone-vpcs", message)
    for vpc_id, count in Counter(vpc.vpc_id for vpc in zone.vpcs).items():
        if count > 1:
            second = [vpc for vpc in zone.vpcs if vpc.vpc_id == vpc_id][1]
            yield Fault(second.origin, "zone-vpc-conflict", f"{vpc_id} stands in the list already")
    for vpc in zone.vpcs:
        other = associated.setdefault((zone.name, vpc.vpc_id), zone)
        if other is not zone:
            yield Fault(
                zone.origin,
                "zone-vpc-conflict",
                f"{vpc.vpc_id} is associated with another hosted zone {show_name(zone.name)}, at {other.origin}",
                "a VPC knows one private zone of a name",
            )
            break
    for member in zone.record_sets:
        if zone.vpcs and isinstance(member.policy, IpBased):
            where = member.policy.collection_origin or member.origin
            message = f"{describe(member)}: a private zone can not use IP-based routing"
            yield Fault(where, "policy-private", message, "all other policies are for private zones too")


def _doubts_about(zone: HostedZone, shown: str) -> Iterator[Fault]:
    if "." not in shown:
        yield warning(
            zone.origin, "zone-single-label", f"'{shown}' is a single label, and Route 53 refuses such a zone"
        )
    top = shown.rpartition(".")[2]
    if top in _SPECIAL:
        yield warning(
            zone.origin, "zone-special", f".{top} {_SPECIAL[top]}", "a name under .test or .example is safe"
        )


def _check_place(group: Group, tree: ZoneTree, zone: HostedZone) -> Iterator[Fault]:
    """Which types may stand where (C6, 6.1, X5)."""
    if group.type is Type.SOA and group.name != tree.apex:
        yield _misplaced("soa-place", group, f"outside the apex of zone {show_name(zone.name)}")
    elif group.type is Type.NS and group.name.startswith(WILDCARD) and group.name != tree.apex:
        yield _misplaced("ns-wildcard", group, "at a wildcard", "a wildcard can not be delegated")
    elif group.type is Type.CNAME and group.name == tree.apex:
        hint = "an alias record set may stand at the apex"
        yield _misplaced("cname-apex", group, f"at apex in zone {show_name(zone.name)}", hint)
    elif group.type is Type.CNAME and len(tree.owners[group.name]) > 1:
        others = sorted(rdtype.name for rdtype in tree.owners[group.name] if rdtype is not Type.CNAME)
        conflict = f"as it conflicts with other records with the same DNS name in zone {show_name(zone.name)}"
        yield _misplaced("cname-conflict", group, conflict, f"there is {', '.join(others)} too")


def _misplaced(code: str, group: Group, why: str, hint: str = "") -> Fault:
    what = f"RRSet of type {group.type.name} with DNS name {show_name(group.name)}"
    return Fault(group.first.origin, code, f"{what} is not permitted {why}", hint)


def _check_member(member: RecordSet, known: Known) -> Iterator[Fault]:
    yield from _check_values(member)
    if member.health_check_id is not None:
        yield from _check_health(member, member.health_check_id, known)
    if isinstance(member.policy, IpBased):
        yield from _check_collection(member, member.policy, known)


def _check_values(member: RecordSet) -> Iterator[Fault]:
    values = member.values
    if member.type in SINGLE_VALUE and len(values) > 1:
        yield Fault(values[1].origin, "values-single", f"{describe(member)} can have one value only")
    if len(values) > MAX_VALUES:
        yield Fault(values[MAX_VALUES].origin, "values-many", f"{describe(member)} has more than {MAX_VALUES} values")
    for rdata, count in Counter(value.rdata for value in values).items():
        if count > 1:
            second = [value for value in values if value.rdata == rdata][1]
            yield Fault(second.origin, "value-duplicate", f"{describe(member)} has this value twice")


def _check_health(member: RecordSet, check_id: str, known: Known) -> Iterator[Fault]:
    check = known.checks.get(check_id)
    if check is None:
        close = get_close_matches(check_id, known.checks, n=1)
        yield Fault(
            member.health_check_origin or member.origin,
            "unknown-health-check",
            f"A health check with id {check_id} does not exist",
            f"did you mean {close[0]}?" if close else "",
        )
        return
    if member.policy is None:
        yield warning(
            member.origin,
            "health-simple",
            f"{describe(member)} is answered whatever its health check says (S4)",
        )
    if member.ttl > HEALTH_CHECKED_TTL and member.alias is None:
        yield warning(
            member.origin,
            "health-ttl",
            f"{describe(member)} has a health check and a TTL of {member.ttl} s",
            f"resolvers keep an old answer that long; {HEALTH_CHECKED_TTL} s or less is advised",
        )
    if check.fqdn is not None and check.ip_address is None and _same_name(check.fqdn, member.name):
        yield warning(
            member.origin,
            "health-own-name",
            f"health check {check_id} asks for the name that it decides about (H15)",
        )


def _same_name(text: str, name: bytes) -> bool:
    try:
        return read_name(text) == name
    except TextError:
        return False


def _check_collection(member: RecordSet, policy: IpBased, known: Known) -> Iterator[Fault]:
    collection = known.collections.get(policy.collection_id)
    names = list(known.collections) if collection is None else list(collection.locations)
    asked = policy.collection_id if collection is None else policy.location_name
    if collection is not None and (asked == DEFAULT_LOCATION or asked in names):
        return
    close = get_close_matches(asked, names, n=1)
    what = "CIDR collection" if collection is None else f"location '{asked}' in"
    message = f"there is no {what} '{policy.collection_id}'"
    origin = policy.collection_origin if collection is None else policy.location_origin
    yield Fault(origin or member.origin, "unknown-cidr", message, f"did you mean {close[0]}?" if close else "")


def _check_health_checks(configuration: Configuration) -> Iterator[Fault]:
    """A check that nothing refers to, unless a reference is misspelt: it may be the one that was meant."""
    used = {member.health_check_id for zone in configuration.hosted_zones for member in zone.record_sets}
    used |= {child for check in configuration.health_checks for child in check.children}
    used |= {resource.health_check_id for resource in configuration.resources.values()}
    known = {check.id for check in configuration.health_checks}
    for check in configuration.health_checks:
        if check.id not in used and used - {None} <= known:
            yield warning(check.origin, "health-unused", f"health check {check.id} is not used by any record set")
