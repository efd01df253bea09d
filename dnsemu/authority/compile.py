"""Compile: from the model to an `Authority`, or to every fault that is in the way."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache

from dnsemu.authority.authority import Authority, Catalogue, View, Views
from dnsemu.authority.explain_txt import Explained
from dnsemu.authority.locating import Sources, make_locator
from dnsemu.authority.registry import Registry
from dnsemu.authority.reply import Entry, Node
from dnsemu.authority.rules import check
from dnsemu.authority.tree import ZoneTree
from dnsemu.authority.zone import ZoneCompiler
from dnsemu.errors import ConfigError, Fault, Severity
from dnsemu.location import Blocks
from dnsemu.model import TARGET_AT, Configuration, HostedZone, RecordSet, Type
from dnsemu.wire import parents, type_and_class

_DS = type_and_class(Type.DS)


def compile_authority(configuration: Configuration, sources: Callable[[], Sources]) -> tuple[Authority, list[Fault]]:
    """The authority for a configuration with every health check healthy, and warnings. Raises ConfigError.

    `sources` is asked only if something depends on where clients are.
    """
    public = _trees(configuration, public_zones(configuration.hosted_zones))
    private = _private_trees(configuration)
    faults = check(configuration, _each_once(configuration, public, private))
    if any(fault.severity is Severity.ERROR for fault in faults):
        raise ConfigError(faults)
    sources = cache(sources)
    locator = cache(lambda: make_locator(configuration, sources()))
    collections = {collection.id: collection for collection in configuration.cidr_collections}
    registry = Registry(locator, collections, configuration.options)
    catalogue = _catalogue(public, configuration, registry)
    views = _views(configuration, private, registry)
    routing = registry.routing({})
    zones = {zone.zone_id: zone.name for zone in configuration.hosted_zones}
    return Authority(
        catalogue,
        views,
        routing,
        routing.choosers,
        locator,
        lambda places: make_locator(configuration, sources(), places),
        zones,
        configuration.options,
    ), faults


def check_configuration(configuration: Configuration) -> list[Fault]:
    """Every fault of a configuration, without compiling it."""
    public = _trees(configuration, public_zones(configuration.hosted_zones))
    return check(configuration, _each_once(configuration, public, _private_trees(configuration)))


def public_zones(zones: Iterable[HostedZone]) -> list[HostedZone]:
    """Those that belong to no VPC."""
    return [zone for zone in zones if not zone.vpcs]


def _private_trees(configuration: Configuration) -> dict[str, list[ZoneTree]]:
    """VPC id → its private zones. Each VPC has trees of its own: which zones lie below which is its own affair."""
    zones: dict[str, list[HostedZone]] = {}
    for zone in configuration.hosted_zones:
        for vpc in zone.vpcs:
            zones.setdefault(vpc.vpc_id, []).append(zone)
    return {vpc_id: _trees(configuration, its_zones) for vpc_id, its_zones in zones.items()}


def _each_once(
    configuration: Configuration, public: Iterable[ZoneTree], private: Mapping[str, Sequence[ZoneTree]]
) -> list[ZoneTree]:
    """A tree for each zone, in their order."""
    by_zone = {id(tree.zone): tree for trees in (public, *private.values()) for tree in trees}
    return [by_zone[id(zone)] for zone in configuration.hosted_zones]


def _trees(configuration: Configuration, zones: Sequence[HostedZone]) -> list[ZoneTree]:
    children: dict[bytes, list[bytes]] = {zone.name: [] for zone in zones}
    for zone in zones:
        for ancestor in parents(zone.name)[1:]:
            if ancestor in children:
                children[ancestor].append(zone.name)
    return [ZoneTree(zone, configuration.resources, children[zone.name]) for zone in zones]


def _views(configuration: Configuration, trees: Mapping[str, Sequence[ZoneTree]], registry: Registry) -> Views | None:
    if not trees:
        return None
    views = {}
    for vpc_id, own in trees.items():
        around = _around(configuration, [tree.apex for tree in own])
        views[vpc_id] = View(
            vpc_id, _catalogue(own, configuration, registry), _catalogue(around, configuration, registry)
        )
    # A VPC without private zones has its addresses all the same: they may lie inside the block of another.
    blocks = [(block, views.get(vpc.vpc_id)) for vpc in configuration.clients.vpcs for block in vpc.blocks]
    return Views(views, blocks, Blocks([blocks]))


def _around(configuration: Configuration, private: Sequence[bytes]) -> list[ZoneTree]:
    """The public zones that lead into private ones: by a CNAME, or by a name whose address is additional data.

    A private zone hides what is its own there too (V5). All other public zones are the same for everybody.
    """
    hidden = frozenset(private)
    public = public_zones(configuration.hosted_zones)
    names = [*(zone.name for zone in public), *private]
    return [
        ZoneTree(zone, configuration.resources, [name for name in names if zone.name in parents(name)[1:]])
        for zone in public
        if zone.name not in hidden and any(_leads_into(hidden, zone.name, member) for member in zone.record_sets)
    ]


def _leads_into(hidden: frozenset[bytes], apex: bytes, member: RecordSet) -> bool:
    """Whether a value of a record set is a name of its zone that one of the `hidden` zones below has."""
    at = 0 if member.type is Type.CNAME else TARGET_AT.get(member.type)
    if at is None:
        return False
    targets = [value.rdata[at:] for value in member.values]
    return any(target.endswith(apex) and not hidden.isdisjoint(parents(target)) for target in targets)


def _catalogue(trees: Iterable[ZoneTree], configuration: Configuration, registry: Registry) -> Catalogue:
    questions: dict[bytes, Entry] = {}
    names: dict[bytes, Node] = {}
    compilers = {}
    for tree in trees:
        compiler = compilers[tree.apex] = ZoneCompiler(tree, configuration.options, registry)
        of_zone = compiler.compile()
        questions.update(of_zone[0])
        names.update(of_zone[1])
    _take_ds_from_parents(questions, compilers)
    zones = {apex: compiler.tree for apex, compiler in compilers.items()}
    return Catalogue(questions, names, zones, Explained() if configuration.options.explain_txt else None)


def _take_ds_from_parents(questions: dict[bytes, Entry], compilers: dict[bytes, ZoneCompiler]) -> None:
    """DS of a hosted apex is the parent's to answer, if that is hosted too (§0.1 step 2, RFC 4035 3.1.4.1)."""
    for apex in compilers:
        parent = next((compilers[name] for name in parents(apex)[1:] if name in compilers), None)
        if parent is not None:
            answers = parent.answers(apex)
            questions[apex + _DS] = answers.by_type.get(_DS, answers.other)
