"""The parts of `dnsemu:` that say where clients are. They are validated, and not used for answers yet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from functools import partial
from ipaddress import ip_network
from pathlib import Path

from dnsemu.config import schema
from dnsemu.config.tree import At, fault_at
from dnsemu.errors import Fault, TextError
from dnsemu.location import Tables, check_area, check_region, read_latitude, read_longitude


def check_places(file: schema.Dnsemu, at: At, tables: Tables) -> Iterator[Fault]:
    """What is wrong with default_location, places, locations, latencies, vpcs and geoip."""
    if file.default_location:
        yield from _check_place(file.default_location, at.get("default_location"), tables)
    for name, place in file.places.items():
        yield from _check_place(place, at.get("places", name), tables)
    for index, location in enumerate(file.locations):
        here = at.get("locations", index)
        yield from _check_place(location, here, tables, needed=location.latency is None)
        yield from _check_latencies(location.latency or {}, here.get("latency"), tables)
    for name, regions in file.latencies.items():
        if not _is_place(name, file, tables):
            yield Fault(
                at.get("latencies").key(name), "latency-place", f"'{name}' is no place, country or CIDR block"
            )
        yield from _check_latencies(regions, at.get("latencies", name), tables)
    for index, vpc in enumerate(file.vpcs):
        if vpc.vpc_region is not None:
            check = partial(check_region, vpc.vpc_region, tables.regions, "vpc_region")
            yield from _told(at.get("vpcs", index), check)
    if file.geoip is not None and not (Path(at.file).parent / file.geoip).is_file():
        yield fault_at(at.get("geoip"), TextError("geoip", f"there is no file {file.geoip} beside this one"))


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
    if place.continent or place.country or place.subdivision or not elsewhere:
        yield from _told(at, partial(check_area, tables, place.continent, place.country, place.subdivision))


def _check_latencies(latencies: dict[str, float], at: At, tables: Tables) -> Iterator[Fault]:
    for region in latencies:
        try:
            check_region(region, tables.regions)
        except TextError as error:
            yield Fault(at.key(region), error.code, error.message, error.hint)


def _is_place(name: str, file: schema.Dnsemu, tables: Tables) -> bool:
    """A named place, a country, a subdivision as `US-VA`, or a CIDR block."""
    country, _, subdivision = name.partition("-")
    if name in file.places or name in tables.countries or subdivision in tables.subdivisions.get(country, ()):
        return True
    try:
        ip_network(name)
    except ValueError:
        return False
    return True


def _told(at: At, check: Callable[[], object]) -> Iterator[Fault]:
    """What a check says, as a fault at its place."""
    try:
        check()
    except TextError as error:
        yield fault_at(at, error)
