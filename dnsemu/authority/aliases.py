"""Rules about alias record sets (behaviour 4)."""

from __future__ import annotations

from collections.abc import Iterator

from dnsemu.authority.tree import ZoneTree
from dnsemu.errors import Fault, warning
from dnsemu.model import (
    ALIAS_TYPES,
    AliasTarget,
    Group,
    Kind,
    RecordSet,
    Resource,
    Type,
    alias_zone,
    is_aws,
    kind_of,
    show_name,
)
from dnsemu.routing import describe
from dnsemu.wire import is_below

MAX_DEPTH = 16  # A12
ADVISED_DEPTH = 3
MAX_SHOWN = 8  # names of a loop


class AliasRules:
    """What is wrong with the aliases of one zone.

    `unread`: names that may be there (`Configuration`).
    """

    def __init__(self, tree: ZoneTree, unread: frozenset[bytes]) -> None:
        self._tree = tree
        self._zone = tree.zone
        self._unread = unread
        self._targeted = {id(target) for group in tree.groups.values() for target in self._targets(group)}
        self._looped = self._in_loops()

    def check(self, group: Group) -> Iterator[Fault]:
        """Each alias's target, and where the chain of targets leads."""
        for member in group.members:
            if member.alias:
                target = self._tree.target(member)
                if isinstance(target, Resource):
                    yield from self._check_resource(member, member.alias, kind_of(target.name))
                else:
                    yield from self._check_target(member, member.alias, target)
        yield from self._check_once(group)
        if any(member.alias for member in group.members):
            yield from self._check_chain(group)

    def _check_resource(self, member: RecordSet, alias: AliasTarget, kind: Kind) -> Iterator[Fault]:
        """What Route 53 refuses of aliases to AWS resources (4.2, 2.3, V8)."""
        if member.type not in ALIAS_TYPES:
            types = ", ".join(sorted(rdtype.name for rdtype in ALIAS_TYPES))
            message = f"{describe(member)}: an alias to an AWS resource can not be of type {member.type.name}"
            yield Fault(alias.origin, "alias-type", message, f"it can be of type {types}")
        if alias.evaluate_target_health and not kind.evaluated:
            message = f"{describe(member)}: the health of a {kind.name} can not be evaluated"
            yield Fault(alias.origin, "alias-evaluate", message, "write evaluate_target_health: false")
        if self._zone.vpcs and not kind.private:
            message = f"{describe(member)}: an alias of a private zone can not point to a {kind.name}"
            yield Fault(alias.origin, "alias-private", message, "in a public zone it may")

    def _check_once(self, group: Group) -> Iterator[Fault]:
        """A CloudFront distribution or an S3 website has one alternate name, so one member of a group (F6, AL12)."""
        seen: dict[Kind, RecordSet] = {}
        for member in group.members:
            target = self._tree.target(member)
            if member.alias and member.policy and isinstance(target, Resource):
                kind = kind_of(target.name)
                other = seen.setdefault(kind, member) if member.policy.name in kind.once else member
                if other is not member:
                    message = f"{describe(member)} and the record set at {other.origin} both point to {kind.name}s"
                    yield Fault(member.alias.origin, "alias-once", message, "only one of them can serve the name")

    def _check_target(self, member: RecordSet, alias: AliasTarget, target: Group | None) -> Iterator[Fault]:
        """Its type (AL7), and that it lies in the zone and is there (AL6, R4)."""
        shown = show_name(alias.name)
        tried = f"Tried to create an alias that targets {shown}, type {member.type.name} in zone {self._zone.zone_id}"
        elsewhere = is_aws(alias.text)
        if member.type in (Type.NS, Type.SOA):
            message = f"{describe(member)}: an alias can not be of type {member.type.name}"
            yield Fault(alias.origin, "alias-type", message)
        elif not is_below(alias.name, self._zone.name):
            message = f"{tried}, but the alias target name does not lie within the target zone"
            yield Fault(alias.origin, "alias-outside", message, _hint(alias))
        elif alias.zone_id not in (None, self._zone.zone_id) and not elsewhere:
            owner = alias_zone(alias.zone_id or "")
            belongs = f", that of {owner}," if owner else ""
            yield Fault(
                alias.zone_id_origin or alias.origin,
                "alias-zone-id",
                f"{describe(member)}: zone_id {alias.zone_id}{belongs} is not that of the zone, "
                f"which is {self._zone.zone_id}",
                "leave it out for a target in the same zone",
            )
        elif target is None and self._unread.isdisjoint((alias.name, b"")):
            message = f"{tried}, but that target was not found"
            yield Fault(alias.origin, "alias-target", message, _hint(alias) if elsewhere else self._there(alias))

    def _there(self, alias: AliasTarget) -> str:
        """What is at a target that has not the alias's type."""
        types = sorted(rdtype.name for rdtype in self._tree.owners.get(alias.name, ()))
        return f"there is {', '.join(types)}" if types else ""

    def _check_chain(self, group: Group) -> Iterator[Fault]:
        """Of a loop, every alias in it is told; of a chain that is too deep, its beginning."""
        for member in group.members:
            if member.alias and id(group) in self._looped and self._leads_into_loop(group, member):
                yield Fault(
                    member.alias.origin,
                    "alias-loop",
                    f"{describe(member)} leads back to itself{self._shown_way(group)}",
                )
        first = next(member for member in group.members if member.alias)
        if id(group) in self._targeted or not first.alias:
            return
        depth = self._depth(group)
        if depth > MAX_DEPTH:
            message = f"{describe(first)} goes through more than {MAX_DEPTH} levels of aliases"
            yield Fault(first.alias.origin, "alias-depth", message)
        elif depth > ADVISED_DEPTH:
            message = f"{describe(first)} goes through {depth} levels of aliases"
            yield warning(first.alias.origin, "alias-deep", message, f"Route 53's guide speaks of {ADVISED_DEPTH}")

    def _targets(self, group: Group) -> list[Group]:
        """The groups that the aliases of a group point to."""
        found = (self._tree.target(member) for member in group.members)
        return [target for target in found if isinstance(target, Group)]

    def _in_loops(self) -> set[int]:
        """The groups that aliases lead back to: what is left without those that have no way on, or no way in."""
        targets = {id(group): [id(target) for target in self._targets(group)] for group in self._tree.groups.values()}
        sources: dict[int, list[int]] = {group: [] for group in targets}
        for group, its_targets in targets.items():
            for target in its_targets:
                sources[target].append(group)
        return set(_without_ends(_without_ends(set(targets), targets, sources), sources, targets))

    def _leads_into_loop(self, group: Group, member: RecordSet) -> bool:
        return any(id(target) in self._looped for target in self._targets(Group(group.name, group.type, [member])))

    def _shown_way(self, start: Group) -> str:
        """The names of a short loop; of a long one it is enough that it is one."""
        way, group = [start], start
        while len(way) <= MAX_SHOWN:
            group = next(target for target in self._targets(group) if id(target) in self._looped)
            way.append(group)
            if group is start:
                return ": " + " → ".join(show_name(step.name) for step in way)
        return ""

    def _depth(self, group: Group) -> int:
        """Levels of aliases from a group on. A loop that they lead into is told elsewhere, and is not followed."""
        depth, level, seen = 0, [group], {id(group)}
        while depth <= MAX_DEPTH and any(member.alias for step in level for member in step.members):
            depth += 1
            targets = {id(target): target for step in level for target in self._targets(step)}
            if not seen.isdisjoint(targets):
                return 0
            seen.update(targets)
            level = list(targets.values())
        return depth


def _hint(alias: AliasTarget) -> str:
    """Where what the alias means would stand."""
    owner = alias_zone(alias.zone_id or "")
    if owner:
        return f"zone_id {alias.zone_id} is that of {owner}: put the name under dnsemu: alias_targets"
    if is_aws(alias.text):
        return "AWS resources stand under dnsemu: alias_targets"
    return "a CNAME may point to any name; AWS resources stand under dnsemu: alias_targets"


def _without_ends(groups: set[int], ways: dict[int, list[int]], back: dict[int, list[int]]) -> set[int]:
    """`groups` without those that have no way on to another of them, again and again."""
    left = {group: sum(way in groups for way in ways[group]) for group in groups}
    ends = [group for group, count in left.items() if not count]
    while ends:
        end = ends.pop()
        del left[end]
        for group in back[end]:
            if group in left:
                left[group] -= 1
                if not left[group]:
                    ends.append(group)
    return set(left)
