"""The parts of `dnsemu:` that say who clients are and where: places, locations, latencies, VPCs."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from ipaddress import ip_interface, ip_network
from pathlib import Path

from dnsemu.config import schema
from dnsemu.config.shipped import open_database
from dnsemu.config.tree import At, fault_at
from dnsemu.errors import Fault, TextError
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
    return Whereabouts(file.continent, file.country, file.subdivision, degrees, file.region, file.vpc_id)


def read_location(file: schema.Location) -> ClientBlock:
    """Where the clients of a block are."""
    return ClientBlock(file.cidr, read_whereabouts(file), file.latency)


def read_vpc(file: schema.VpcClients, at: At) -> VpcClients:
    """Who belongs to a VPC."""
    return VpcClients(file.vpc_id, file.vpc_region, tuple(file.cidr_blocks), at.origin)


def geoip_path(file: schema.Dnsemu, at: At) -> str | None:
    """The path of the database of addresses, which is written relative to the file."""
    return None if file.geoip is None else str(Path(at.file).parent / file.geoip)


def check_places(file: schema.Dnsemu, at: At, tables: Tables) -> Iterator[Fault]:
    """What is wrong with default_location, places, locations, latencies, vpcs and geoip."""
    if file.default_location:
        yield from _check_place(file.default_location, at.get("default_location"), tables)
    for name, place in file.places.items():
        yield from _check_place(place, at.get("places", name), tables)
    seen: set[Network] = set()
    for index, location in enumerate(file.locations):
        here = at.get("locations", index)
        if location.cidr in seen:
            error = TextError("location-twice", f"{location.cidr} stands in locations already")
            yield fault_at(here.get("cidr"), error)
        seen.add(location.cidr)
        yield from _check_place(location, here, tables, needed=location.latency is None)
        yield from _check_latencies(location.latency or {}, here.get("latency"), tables)
    for name, regions in file.latencies.items():
        hint = _place_hint(name, file, tables)
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
    try:
        open_database(path)
    except OSError as error:
        message = f"{path} can not be opened: {error.strerror}"
        raise TextError("geoip", message, "the path is meant from the folder of this file") from None
    except ValueError:
        raise TextError(
            "geoip", f"{path} is no MMDB database", "a GeoIP2 City or Country database is needed"
        ) from None


def _check_place(place: schema.Place, at: At, tables: Tables, *, needed: bool = True) -> Iterator[Fault]:
    if place.region is not None:
        yield from _told(at, partial(check_region, place.region, tables.regions))
    if place.coordinates is not None:
        yield from _told(at, partial(read_latitude, place.coordinates.latitude))
        yield from _told(at, partial(read_longitude, place.coordinates.longitude))
    elsewhere = (
        place.region
        or place.coordinates
        or place.vpc_id
        or not needed
        or any(map(at.has_lost, schema.Place.model_fields))
    )
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


def _place_hint(name: str, file: schema.Dnsemu, tables: Tables) -> str:
    """What to write instead of `name`, unless it is a named place, a country, a subdivision or a CIDR block."""
    country, _, subdivision = name.partition("-")
    if name in file.places or name in tables.countries or subdivision in tables.subdivisions.get(country, ()):
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
