"""Compile: from the model to an `Authority`, or to every fault that is in the way."""

from __future__ import annotations

from collections.abc import Sequence

from dnsemu.authority.authority import Authority
from dnsemu.authority.reply import Entry, Node
from dnsemu.authority.rules import check
from dnsemu.authority.tree import ZoneTree
from dnsemu.authority.zone import ZoneCompiler
from dnsemu.errors import ConfigError, Fault, Severity
from dnsemu.model import Configuration, HostedZone, Type
from dnsemu.wire import parents, type_and_class

_DS = type_and_class(Type.DS)


def compile_authority(configuration: Configuration) -> tuple[Authority, list[Fault]]:
    """The authority for a configuration, and warnings. Raises ConfigError with every fault there is."""
    zones = configuration.hosted_zones
    trees = _trees(zones)
    faults = check(configuration, trees)
    if any(fault.severity is Severity.ERROR for fault in faults):
        raise ConfigError(faults)
    questions: dict[bytes, Entry] = {}
    names: dict[bytes, Node] = {}
    compilers = {}
    for zone, tree in zip(zones, trees, strict=True):
        compiler = compilers[zone.name] = ZoneCompiler(zone.zone_id, tree, configuration.options)
        of_zone = compiler.compile()
        questions.update(of_zone[0])
        names.update(of_zone[1])
    _take_ds_from_parents(questions, compilers)
    return Authority(questions, names, {zone.zone_id: zone.name for zone in zones}, configuration.options), faults


def check_configuration(configuration: Configuration) -> list[Fault]:
    """Every fault of a configuration, without compiling it."""
    return check(configuration, _trees(configuration.hosted_zones))


def _trees(zones: Sequence[HostedZone]) -> list[ZoneTree]:
    children: dict[bytes, list[bytes]] = {zone.name: [] for zone in zones}
    for zone in zones:
        for ancestor in parents(zone.name)[1:]:
            if ancestor in children:
                children[ancestor].append(zone.name)
    return [ZoneTree(zone, children[zone.name]) for zone in zones]


def _take_ds_from_parents(questions: dict[bytes, Entry], compilers: dict[bytes, ZoneCompiler]) -> None:
    """DS of a hosted apex is the parent's to answer, if that is hosted too (§0.1 step 2, RFC 4035 3.1.4.1)."""
    for apex in compilers:
        parent = next((compilers[name] for name in parents(apex)[1:] if name in compilers), None)
        if parent is not None:
            answers = parent.answers(apex)
            questions[apex + _DS] = answers.by_type.get(_DS, answers.other)
