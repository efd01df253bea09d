"""What the answers to a question depend on: the groups that have a say in them, and whether they look at clients."""

from __future__ import annotations

from properties.reference import ADDRESSES, is_below
from properties.selection import Chooser, find, zone_for
from properties.selection_world import AWARE, Group, Member, World


def is_unrelated(world: World, one: tuple[str, str], other: tuple[str, str]) -> bool:
    """Whether no group has a say in the answers to both."""
    return reached(world, *one).isdisjoint(reached(world, *other))


def reached(world: World, name: str, rdtype: str) -> set[Group]:
    """Every group that may have a say in an answer, behind aliases, CNAMEs and mail servers too, in any zone."""
    found: set[Group] = set()
    asked = [(zone, name, rdtype) for zone in world.zones if is_below(name, zone.name)]
    while asked:
        zone, owner, wanted = asked.pop()
        for group in (find(zone, owner) or {}).values():
            if group.type in (wanted, "CNAME") and group not in found:
                found.add(group)
                asked += [(zone, *on) for on in leads_to(group, wanted) if is_below(on[0], zone.name)]
    return found


def leads_to(group: Group, rdtype: str) -> list[tuple[str, str]]:
    """The questions that a group's members come to."""
    found = [(member.alias, group.type) for member in group.members if member.alias]
    values = [value.split()[-1] for member in group.members for value in member.values]
    if group.type == "CNAME":
        found += [(value, rdtype) for value in values]
    if group.type == "MX":
        found += [(value, family) for value in values for family in ADDRESSES]
    return found


def must_look(chooser: Chooser, name: str, rdtype: str, seen: tuple[str, ...] = ()) -> bool:
    """Whether every answer comes of a choice that looks at the client."""
    sets = find(chooser.zone, name) or {}
    group = sets.get("CNAME") or sets.get(rdtype)
    if group is None or looks(chooser, group):
        return group is not None
    if group.type != "CNAME" or rdtype == "CNAME":
        return False
    seen = (*seen, name)
    return all(
        target not in seen
        and zone_for(chooser.world, chooser.client, target) is chooser.zone
        and must_look(chooser, target, rdtype, seen)
        for target in names_given(chooser, group)
    )


def looks(chooser: Chooser, group: Group) -> bool:
    """Whether whoever answers for a group is chosen by where the client is, in it or in what it points to."""
    if group.policy in AWARE and depends(group):
        return True
    return all(
        member.alias and not chooser.resource(member.alias) and looks(chooser, chooser.target(member, group.type))
        for member in may_answer(chooser, group)
    )


def may_answer(chooser: Chooser, group: Group) -> list[Member]:
    """The members that may be chosen, by clients anywhere."""
    if group.policy in AWARE:
        return list(group.members)
    return [member for pick in chooser.picks(group) for member in pick]


def names_given(chooser: Chooser, group: Group) -> set[str]:
    """The values that a group may be answered with."""
    found: set[str] = set()
    for member in may_answer(chooser, group):
        found |= set(member.values) or names_given(chooser, chooser.target(member, group.type))
    return found


def depends(group: Group) -> bool:
    """Whether clients in other places may get something else: not if there is one member, and it is for all."""
    if group.policy in ("latency", "geoproximity"):
        return len(group.members) > 1
    return any(member.rule.get("country", member.rule.get("location_name")) != "*" for member in group.members)
