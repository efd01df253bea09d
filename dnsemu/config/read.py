"""Reading: the files of one configuration, joined."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

from dnsemu.config import schema
from dnsemu.config.checks import check_children, read_collection, read_health_check
from dnsemu.config.compose import compose
from dnsemu.config.later import check_forward, check_resolver_rules
from dnsemu.config.places import check_places, geoip_path, join_places, read_location, read_vpc, read_whereabouts
from dnsemu.config.resources import read_resource
from dnsemu.config.shipped import tables
from dnsemu.config.source import Source
from dnsemu.config.tree import At, Mapping, position
from dnsemu.config.validate import validate
from dnsemu.config.zones import ANY_NAME, read_zone
from dnsemu.errors import Fault, Origin, warning
from dnsemu.model import (
    CidrCollection,
    Clients,
    Configuration,
    HealthCheck,
    HostedZone,
    NotServed,
    Options,
    Resource,
)

_Part = tuple[schema.File, At]
_SLICE = 500  # items of a list that are freed at once


class Read(NamedTuple):
    """What the files say together, as far as it can be read, and every fault met on the way.

    `sections` are the top-level keys with something wrong below them: what is missing there may not be missing.
    """

    configuration: Configuration
    faults: list[Fault]
    sections: frozenset[str]


def read_configuration(sources: Sequence[Source]) -> Read:
    """Reads and joins all files."""
    faults: list[Fault] = []
    parts = [part for source in sources if (part := _read_part(source, faults))]
    unread: set[bytes] = set() if len(parts) == len(sources) else {ANY_NAME}
    zones = _read_zones(parts, faults, unread)
    checks = _read_health_checks(parts, faults)
    collections = _read_collections(parts, faults)
    resources = _read_resources(parts, checks, faults)
    faults += _check_the_rest(parts)
    settings = _join_settings(parts, faults)
    configuration = Configuration(
        zones,
        list(checks.values()),
        collections,
        _options(settings),
        settings.get("seed"),
        _not_served(parts),
        resources,
        _clients(parts, settings),
        frozenset(unread),
    )
    read = Read(configuration, faults, _sections_with_faults(parts, faults, sources))
    _let_go(parts)
    return read


def _let_go(parts: Iterable[_Part]) -> None:
    """Free the long lists slice by slice: freed at once, they would keep all other threads waiting for as long."""
    for file, at in parts:
        zones = range(len(file.hosted_zones))
        trees = (at.get("health_checks"), *(at.get("hosted_zones", number, "record_sets") for number in zones))
        models = (file.health_checks, *(zone.record_sets for zone in file.hosted_zones))
        for some in (*models, *(one.tree for one in trees)):
            while isinstance(some, list) and some:
                del some[-_SLICE:]


def _items(parts: Iterable[_Part], key: str) -> Iterator[tuple[Any, At]]:
    """The items of a list that every file may have, each with its place."""
    for file, at in parts:
        for index, item in enumerate(getattr(file, key)):
            yield item, at.get(key, index)


def _read_zones(parts: Sequence[_Part], faults: list[Fault], unread: set[bytes]) -> list[HostedZone]:
    if any(at.has_lost("hosted_zones") for _, at in parts):
        unread.add(ANY_NAME)
    zones = (read_zone(item, at, tables(), faults, unread) for item, at in _items(parts, "hosted_zones"))
    return [zone for zone in zones if zone]


def _read_health_checks(parts: Sequence[_Part], faults: list[Fault]) -> dict[str, HealthCheck]:
    read = [(read_health_check(item, at, tables(), faults), at) for item, at in _items(parts, "health_checks")]
    faults += check_children(read)
    faults += _twice("health check", ((check.id, check.origin) for check, _ in read))
    found: dict[str, HealthCheck] = {}
    for check, _ in read:
        found.setdefault(check.id, check)
    return found


def _read_collections(parts: Sequence[_Part], faults: list[Fault]) -> list[CidrCollection]:
    read = [read_collection(item, at, faults) for item, at in _items(parts, "cidr_collections")]
    faults += _twice("CIDR collection", ((collection.id, collection.origin) for collection in read))
    faults += _twice("CIDR collection named", ((collection.name, collection.origin) for collection in read))
    return read


def _read_resources(
    parts: Iterable[_Part], checks: dict[str, HealthCheck], faults: list[Fault]
) -> dict[str, Resource]:
    read = []
    for file, at in parts:
        for index, item in enumerate(file.dnsemu.alias_targets):
            read.append(read_resource(item, at.get("dnsemu", "alias_targets", index), checks, faults))
    faults += _twice("alias target", ((resource.name, resource.origin) for resource in read))
    return {resource.name: resource for resource in reversed(read)}


def _clients(parts: Iterable[_Part], settings: dict[str, Any]) -> Clients:
    """Lists join; of a setting that was given twice, the first one stands."""
    default = settings.get("default_location")
    return Clients(
        read_whereabouts(default) if default else None,
        {name: read_whereabouts(place) for name, place in _inner(settings, "places")},
        [read_location(location) for file, _ in parts for location in file.dnsemu.locations],
        dict(_inner(settings, "latencies")),
        [
            read_vpc(vpc, at.get("dnsemu", "vpcs", index))
            for file, at in parts
            for index, vpc in enumerate(file.dnsemu.vpcs)
        ],
        next((path for file, at in parts if (path := geoip_path(file.dnsemu, at))), None),
    )


def _inner(settings: dict[str, Any], key: str) -> Iterator[tuple[str, Any]]:
    """The items of a mapping, as `_settings_of` has taken it apart."""
    for path, value in settings.items():
        if path.startswith(f"{key}."):
            yield path.removeprefix(f"{key}."), value


def _check_the_rest(parts: Sequence[_Part]) -> Iterator[Fault]:
    joined = join_places([file for file, _ in parts])
    for file, at in parts:
        here = at.get("dnsemu")
        yield from check_places(file.dnsemu, here, joined, tables())
        yield from check_forward(file.dnsemu, here)
        yield from check_resolver_rules(file, at)


def _read_part(source: Source, faults: list[Fault]) -> _Part | None:
    tree, found = compose(source)
    faults += found
    if tree is None and found:
        return None
    if not source.text.strip():  # some programs empty a file a while before they write it
        faults.append(Fault(Origin(source.name), "file-empty", "the file is empty", "remove it, or say version: 1"))
        return None
    if tree is None:  # it says nothing, and nothing is missing in it
        faults.append(warning(Origin(source.name), "file-comments", "there is nothing in this file but comments"))
        tree = Mapping(position(1, 1))
    at = At(source.name, tree, getattr(tree, "at", position(1, 1)))
    if not isinstance(tree, Mapping):
        faults.append(Fault(at.origin, "wrong-type", "a zone file is a mapping", "begin it with version: 1"))
        return None
    file, found = validate(at)
    faults += found
    return file, at


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


def _not_served(parts: Iterable[_Part]) -> list[NotServed]:
    """What this version reads but does not answer with: each kind once, where it is first met."""
    found: dict[str, Origin] = {}
    for file, at in parts:
        if file.dnsemu.forward not in (None, ["off"]):
            found.setdefault("forward", at.get("dnsemu", "forward").origin)
        if file.resolver_rules:
            found.setdefault("resolver_rules", at.get("resolver_rules", 0).origin)
    return [NotServed(what, origin) for what, origin in found.items()]


def _sections_with_faults(
    parts: Sequence[_Part], faults: Iterable[Fault], sources: Sequence[Source]
) -> frozenset[str]:
    """The top-level keys below which something is wrong; all of them if a file can not be read at all."""
    if len(parts) < len(sources):
        return frozenset(schema.File.model_fields)
    begins = {
        at.file: sorted((at.key(key), key) for key in schema.File.model_fields if at.has(key)) for _, at in parts
    }
    found = set()
    for fault in faults:
        above = [key for begin, key in begins.get(fault.origin.file, ()) if begin <= fault.origin]
        found.update(above[-1:])
    return frozenset(found)


def _twice(what: str, ids: Iterable[tuple[str, Origin]]) -> Iterator[Fault]:
    seen: dict[str, Origin] = {}
    for identifier, origin in ids:
        if identifier in seen:
            yield Fault(origin, "id-twice", f"the {what} '{identifier}' is also at {seen[identifier]}")
        seen.setdefault(identifier, origin)
