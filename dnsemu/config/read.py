"""Reading: the files of one configuration, joined (surface, section 1)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import cache
from importlib.resources import files
from typing import Any

from dnsemu.config import schema
from dnsemu.config.checks import check_children, read_collection, read_health_check
from dnsemu.config.compose import compose
from dnsemu.config.places import check_places
from dnsemu.config.source import Source
from dnsemu.config.tree import At, Mapping, position
from dnsemu.config.validate import validate
from dnsemu.config.zones import read_zone
from dnsemu.errors import Fault, Origin
from dnsemu.location import Tables, read_tables
from dnsemu.model import Configuration, NotServed, Options
from dnsemu.routing import describe

_Part = tuple[schema.File, At]


def read_configuration(sources: Sequence[Source]) -> tuple[Configuration, list[Fault]]:
    """What the files say together, as far as it can be read, and every fault met on the way."""
    faults: list[Fault] = []
    parts = [part for source in sources if (part := _read_part(source, faults))]
    zones = [
        zone
        for file, at in parts
        for index, item in enumerate(file.hosted_zones)
        if (zone := read_zone(item, at.get("hosted_zones", index), tables(), faults))
    ]
    checks = [
        (read_health_check(item, place, faults), place)
        for file, at in parts
        for index, item in enumerate(file.health_checks)
        if (place := at.get("health_checks", index))
    ]
    faults += check_children(checks)
    collections = [
        read_collection(item, at.get("cidr_collections", index), faults)
        for file, at in parts
        for index, item in enumerate(file.cidr_collections)
    ]
    faults += _twice("health check", ((check.id, check.origin) for check, _ in checks))
    faults += _twice("CIDR collection", ((collection.id, collection.origin) for collection in collections))
    settings = _join_settings(parts, faults)
    configuration = Configuration(
        zones, [check for check, _ in checks], collections, _options(settings), settings.get("seed")
    )
    return _with_not_served(configuration, parts), faults


def _read_part(source: Source, faults: list[Fault]) -> _Part | None:
    tree, found = compose(source)
    faults += found
    if tree is None:
        return None
    at = At(source.name, tree, getattr(tree, "at", position(1, 1)))
    if not isinstance(tree, Mapping):
        faults.append(Fault(at.origin, "wrong-type", "a zone file is a mapping", "begin it with version: 1"))
        return None
    file, found = validate(at)
    faults += found
    faults += check_places(file.dnsemu, at.get("dnsemu"), tables())
    return file, at


@cache
def tables() -> Tables:
    """The tables of places in the package; they do not change while a program runs."""
    folder = files("dnsemu") / "data"
    return read_tables(lambda name: (folder / name).read_text("utf-8"))


def _join_settings(parts: Iterable[_Part], faults: list[Fault]) -> dict[str, Any]:
    """The settings under `dnsemu:` of all files; what is given twice is a fault that names both places."""
    settings: dict[str, Any] = {}
    places: dict[str, Origin] = {}
    for file, at in parts:
        here = at.get("dnsemu")
        for key, value, place in _settings_of(file.dnsemu, here):
            if key in places:
                message = f"'{key}' is given twice, first at {places[key]}"
                faults.append(Fault(place, "setting-twice", message, "all files together are one configuration"))
                continue
            settings[key], places[key] = value, place
    return settings


def _settings_of(file: schema.Dnsemu, at: At) -> Iterator[tuple[str, Any, Origin]]:
    """Each scalar as `key`, each key of a mapping as `key.inner`; lists join, so they are left out."""
    for key in file.model_fields_set:
        value = getattr(file, key)
        if key in ("options", "places", "latencies"):
            inner = value.model_fields_set if key == "options" else value
            for name in inner:
                part = getattr(value, name) if key == "options" else value[name]
                yield f"{key}.{name}", part, at.get(key).key(name)
        elif not isinstance(value, list) or key == "forward":
            yield key, value, at.key(key)


def _options(settings: dict[str, Any]) -> Options:
    served = {name: settings[f"options.{name}"] for name in Options.__slots__ if f"options.{name}" in settings}
    return Options(**served)


def _with_not_served(configuration: Configuration, parts: Iterable[_Part]) -> Configuration:
    """Notes, once a kind, what this version reads but can not answer with."""
    found: dict[str, Origin] = {}
    for zone in configuration.hosted_zones:
        if zone.vpcs:
            found.setdefault("a private hosted zone (vpc)", zone.vpcs[0].origin)
        for member in zone.record_sets:
            if member.policy:
                found.setdefault(f"{member.policy.name} routing ({describe(member)})", member.origin)
    for file, at in parts:
        for index in range(min(1, len(file.dnsemu.alias_targets))):
            found.setdefault("alias_targets", at.get("dnsemu", "alias_targets", index).origin)
        if file.dnsemu.forward not in (None, ["off"]):
            found.setdefault("forward", at.get("dnsemu", "forward").origin)
        for index in range(min(1, len(file.resolver_rules))):
            found.setdefault("resolver_rules", at.get("resolver_rules", index).origin)
    not_served = [NotServed(what, origin) for what, origin in found.items()]
    return Configuration(
        configuration.hosted_zones,
        configuration.health_checks,
        configuration.cidr_collections,
        configuration.options,
        configuration.seed,
        not_served,
    )


def _twice(what: str, ids: Iterable[tuple[str, Origin]]) -> Iterator[Fault]:
    seen: dict[str, Origin] = {}
    for identifier, origin in ids:
        if identifier in seen:
            yield Fault(origin, "id-twice", f"the {what} '{identifier}' is also at {seen[identifier]}")
        seen.setdefault(identifier, origin)
