"""The parts of `dnsemu:` that say who clients are and where: places, locations, latencies, VPCs."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from difflib import get_close_matches
from functools import partial
from ipaddress import ip_interface, ip_network
from pathlib import Path
from typing import NamedTuple

from dnsemu.config import schema
from dnsemu.config.shipped import open_database
from dnsemu.config.tree import At, fault_at
from dnsemu.errors import Fault, Origin, TextError
from dnsemu.location import Tables, check_area, check_region, read_latitude, read_longitude
from dnsemu.model import ClientBlock, Network, VpcClients, Whereabouts


def read_whereabouts(file: schema.Place) -> Whereabouts:
    """Where a client is; what `check_places` finds wrong in it is left out."""
    degrees = None
    try:
        if file.coordinates:
            degrees = read_latitude(file.coordinates.latitude), read_longitude(file.coordinates.longitude)
    except TextError:
        pass
    vpc_id = file.vpc_id if isinstance(file, schema.NamedPlace) else None
    return Whereabouts(file.continent, file.country, file.subdivision, degrees, file.region, vpc_id)


def read_location(file: schema.Location) -> ClientBlock:
    """Where the clients of a block are."""
    return ClientBlock(file.cidr, read_whereabouts(file), file.latency)


def read_vpc(file: schema.VpcClients, at: At) -> VpcClients:
    """Who belongs to a VPC."""
    return VpcClients(file.vpc_id, file.vpc_region, tuple(file.cidr_blocks), at.origin)


def geoip_path(file: schema.Dnsemu, at: At) -> str | None:
    """The path of the database of addresses, which is written relative to the file."""
    return None if file.geoip is None else str(Path(at.file).parent / file.geoip)


_PLACE_NAME = re.compile(r"[A-Za-z0-9_-]{1,63}")
_WHY_NO_NAME = {
    False: "it has other characters than letters, digits, - and _",
    True: "it is a country, a state, a region or a local zone group itself",
}


class Joined(NamedTuple):
    """What all files together say: names of places, ids of VPCs, and where the blocks of locations first stand."""

    places: frozenset[str]
    vpc_ids: frozenset[str]
    blocks: dict[Network, Origin]


def join_places(files: Sequence[schema.File]) -> Joined:
    """The names that places, latencies and locations of any file can refer to."""
    names = {name for file in files for name in file.dnsemu.places}
    vpc_ids = {vpc.vpc_id for file in files for vpc in file.dnsemu.vpcs}
    vpc_ids |= {vpc.vpc_id for file in files for zone in file.hosted_zones for vpc in zone.vpc or ()}
    return Joined(frozenset(names), frozenset(vpc_ids), {})


def check_places(file: schema.Dnsemu, at: At, joined: Joined, tables: Tables) -> Iterator[Fault]:
    """What is wrong with default_location, places, locations, latencies, vpcs and geoip."""
    if file.default_location:
        yield from _check_place(file.default_location, at.get("default_location"), tables)
    for name, named in file.places.items():
        if not _PLACE_NAME.fullmatch(name) or tables.is_code(name):
            message = f"'{name}' can not be the name of a place: {_WHY_NO_NAME[bool(_PLACE_NAME.fullmatch(name))]}"
            yield Fault(at.get("places").key(name), "place-name", message, "write alice, or office-2")
        yield from _check_named(named, at.get("places", name), joined, tables)
    for index, location in enumerate(file.locations):
        yield from _check_location(location, at.get("locations", index), joined, tables)
    blocks: dict[Network, str] = {}
    for name, regions in file.latencies.items():
        block = _block(name)
        if block is not None and (other := blocks.setdefault(block, name)) != name:
            where = at.get("latencies").key(name)
            yield Fault(where, "latency-place", f"{name} is the same block as {other}, which stands here too")
        hint = _place_hint(name, joined, tables)
        if hint:
            message = f"'{name}' is no place, country or CIDR block"
            yield Fault(at.get("latencies").key(name), "latency-place", message, hint)
        yield from _check_latencies(regions, at.get("latencies", name), tables)
    for index, vpc in enumerate(file.vpcs):
        if vpc.vpc_region is not None:
            check = partial(check_region, vpc.vpc_region, tables.regions, "vpc_region")
            yield from _told(at.get("vpcs", index), check)
    path = geoip_path(file, at)
    if path is not None:
        yield from _told(at.get("geoip"), partial(_try_database, path))


def _try_database(path: str) -> None:
    """Raises TextError unless there is a database of addresses."""
    if Path(path).exists() and not Path(path).is_file():  # a pipe would be waited for
        raise TextError("geoip", f"{path} is no file", "a GeoIP2 City or Country database is needed")
    try:
        open_database(path)
    except OSError as error:
        message = f"{path} can not be opened: {error.strerror}"
        raise TextError("geoip", message, "the path is meant from the folder of this file") from None
    except ValueError:
        raise TextError(
            "geoip", f"{path} is no MMDB database", "a GeoIP2 City or Country database is needed"
        ) from None


def _check_named(place: schema.NamedPlace, at: At, joined: Joined, tables: Tables) -> Iterator[Fault]:
    yield from _check_place(place, at, tables, needed=place.vpc_id is None and not at.has_lost("vpc_id"))
    if place.vpc_id is not None and place.vpc_id not in joined.vpc_ids:
        close = get_close_matches(place.vpc_id, sorted(joined.vpc_ids), n=1)
        hint = f"did you mean {close[0]}?" if close else "vpcs and the vpc of a hosted zone name VPCs"
        yield fault_at(at.get("vpc_id"), TextError("unknown-vpc", f"there is no VPC '{place.vpc_id}'", hint))


def _check_location(location: schema.Location, at: At, joined: Joined, tables: Tables) -> Iterator[Fault]:
    here = at.get("cidr")
    other = joined.blocks.setdefault(location.cidr, here.origin)
    if other != here.origin:
        yield fault_at(here, TextError("location-twice", f"{location.cidr} is also at {other}"))
    yield from _check_place(location, at, tables, needed=location.latency is None)
    yield from _check_latencies(location.latency or {}, at.get("latency"), tables)


def _check_place(place: schema.Place, at: At, tables: Tables, *, needed: bool = True) -> Iterator[Fault]:
    if place.region is not None:
        yield from _told(at, partial(check_region, place.region, tables.regions))
    if place.coordinates is not None:
        yield from _told(at, partial(read_latitude, place.coordinates.latitude))
        yield from _told(at, partial(read_longitude, place.coordinates.longitude))
    elsewhere = place.region or place.coordinates or not needed or not at.is_whole()
    if any(code is not None for code in (place.continent, place.country, place.subdivision)):
        yield from _told(at, partial(check_area, tables, place.continent, place.country, place.subdivision))
    elif not elsewhere:
        hint = "write a country, a continent, coordinates or a region"
        yield fault_at(at, TextError("geo-location", "this does not say where it is", hint))


def _check_latencies(latencies: dict[str, float], at: At, tables: Tables) -> Iterator[Fault]:
    for region in latencies:
        try:
            check_region(region, tables.regions)
        except TextError as error:
            yield Fault(at.key(region), error.code, error.message, error.hint)


def _block(name: str) -> Network | None:
    try:
        return ip_network(name)
    except ValueError:
        return None


def _place_hint(name: str, joined: Joined, tables: Tables) -> str:
    """What to write instead of `name`, unless it is a named place, a country, a subdivision or a CIDR block."""
    country, _, subdivision = name.partition("-")
    if name in joined.places or name in tables.countries or subdivision in tables.subdivisions.get(country, ()):
        return ""
    try:
        block = ip_network(name, strict=False)
    except ValueError:
        return "write DE, US-VA, 192.0.2.0/24 or the name of one of the places"
    return f"write {block}" if block.network_address != ip_interface(name).ip else ""  # host bits


def _told(at: At, check: Callable[[], object]) -> Iterator[Fault]:
    """What a check says, as a fault at its place."""
    try:
        check()
    except TextError as error:
        yield fault_at(at, error)
