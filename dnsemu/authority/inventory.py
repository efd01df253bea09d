"""What an authority can answer with, for whoever counts it: zones, and groups with a policy."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple, cast

from dnsemu.authority.authority import Authority, Catalogue
from dnsemu.authority.health import Health, can_fail
from dnsemu.model import Group, HostedZone
from dnsemu.routing import Outcome, Policy

GroupKey = tuple[str, bytes, int]
"""Zone id, name in wire form, and type of a group."""


class Routed(NamedTuple):
    """A group with a policy. A zone may be compiled for several views: then it has several `numbers`.

    `outcomes`: all that can be decided about it.
    """

    zone: HostedZone
    group: Group
    policy: str
    numbers: Sequence[int]
    outcomes: Sequence[Outcome]


def zones_of(authority: Authority) -> Mapping[str, HostedZone]:
    """Zone id → hosted zone."""
    return {tree.zone.zone_id: tree.zone for catalogue in _catalogues(authority) for tree in catalogue.zones.values()}


def routed_of(authority: Authority) -> Mapping[GroupKey, Routed]:
    """Every group with a policy."""
    routing = authority.routing
    found: dict[GroupKey, Routed] = {}
    known: dict[int, bool] = {}
    for catalogue in _catalogues(authority):
        for tree in catalogue.zones.values():
            for group in tree.groups.values():
                number = routing.numbers.get(id(group))
                if number is None:
                    continue
                key = tree.zone.zone_id, group.name, int(group.type)
                if key in found:
                    found[key] = found[key]._replace(numbers=[*found[key].numbers, number])
                else:
                    policy = cast("Policy", group.first.policy)
                    fails = [can_fail(member, routing.targets, known) for member in group.members]
                    outcomes = list(policy.outcomes(group.members, fails))
                    found[key] = Routed(tree.zone, group, policy.name, [number], outcomes)
    return found


def health_of(authority: Authority, groups: Sequence[Group]) -> Iterator[Sequence[bool]]:
    """The health of each member of some groups, by the snapshot that the authority has."""
    health = Health(authority.routing.snapshot, authority.routing.targets)
    return (health.of_all(group) for group in groups)


def _catalogues(authority: Authority) -> Iterator[Catalogue]:
    yield authority.public
    for view in authority.views.by_vpc.values() if authority.views else ():
        yield view.catalogue
        yield view.around


def parts_of(authority: Authority) -> Iterator[object]:
    """What an authority is mainly made of, in parts that are small each: for letting go of it bit by bit."""
    for catalogue in _catalogues(authority):
        yield from catalogue.questions.values()
        yield from catalogue.names.values()
        for tree in catalogue.zones.values():
            yield from tree.owners.values()
            yield from tree.groups.values()
    yield from authority.routing.groups
    yield from authority.routing.dependents.values()
    yield from authority.choosers
