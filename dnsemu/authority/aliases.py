"""Rules about alias record sets (behaviour 4)."""

from __future__ import annotations

from collections.abc import Iterator

from dnsemu.authority.tree import ZoneTree
from dnsemu.errors import Fault, warning
from dnsemu.model import AliasTarget, Group, HostedZone, RecordSet, Type, show_name
from dnsemu.routing import describe
from dnsemu.wire import is_below

MAX_DEPTH = 16  # A12
ADVISED_DEPTH = 3
_AWS = (
    ".amazonaws.com.",
    ".amazonaws.com.cn.",
    ".cloudfront.net.",
    ".awsglobalaccelerator.com.",
    ".elasticbeanstalk.com.",
)


def check_alias(member: RecordSet, alias: AliasTarget, tree: ZoneTree, zone: HostedZone) -> Iterator[Fault]:
    """What is wrong with one alias: its type (AL7), its target (AL6, R4), where the chain of targets leads."""
    shown = show_name(alias.name)
    tried = f"Tried to create an alias that targets {shown}, type {member.type.name} in zone {zone.zone_id}"
    if member.type in (Type.NS, Type.SOA):
        yield Fault(alias.origin, "alias-type", f"{describe(member)}: an alias can not be of type {member.type.name}")
    elif not is_below(alias.name, zone.name):
        aws = shown.endswith(_AWS)
        yield Fault(
            alias.origin,
            "alias-outside",
            f"{tried}, but the alias target name does not lie within the target zone",
            "AWS resources as alias targets are not served yet" if aws else "a CNAME may point to any name",
        )
    elif alias.zone_id not in (None, zone.zone_id):
        yield Fault(
            alias.origin,
            "alias-zone-id",
            f"{describe(member)}: zone_id {alias.zone_id} is not that of the zone, which is {zone.zone_id}",
            "leave it out for a target in the same zone",
        )
    elif tree.group(alias.name, member.type) is None:
        yield Fault(alias.origin, "alias-target", f"{tried}, but that target was not found")
    else:
        yield from _check_chain(member, alias, tree)


def _check_chain(member: RecordSet, alias: AliasTarget, tree: ZoneTree) -> Iterator[Fault]:
    """Follows the targets; of a loop every alias in it is told."""
    seen: list[Group] = []
    group = tree.group(alias.name, member.type)
    start = tree.groups[member.name, member.type]
    while group is not None and group is not start and group not in seen and group.first.alias:
        seen.append(group)
        group = tree.group(group.first.alias.name, member.type)
    if group is start:
        way = " → ".join(show_name(step.name) for step in (start, *seen, start))
        yield Fault(alias.origin, "alias-loop", f"{describe(member)} leads back to itself: {way}")
    elif len(seen) >= MAX_DEPTH:
        yield Fault(
            alias.origin,
            "alias-depth",
            f"{describe(member)} goes through more than {MAX_DEPTH} levels of aliases",
        )
    elif len(seen) >= ADVISED_DEPTH:
        yield warning(
            alias.origin,
            "alias-deep",
            f"{describe(member)} goes through {len(seen) + 1} levels of aliases",
            f"Route 53's guide speaks of up to {ADVISED_DEPTH}",
        )
