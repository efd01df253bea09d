"""The parts of `dnsemu:` that say where clients are. They are validated, and not used for answers yet."""

from __future__ import annotations

from collections.abc import Iterator
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
        for region in location.latency or {}:
            yield from _check_region(region, here.get("latency", region), tables)
    for place_name, regions in file.latencies.items():
        for region in regions:
            yield from _check_region(region, at.get("latencies", place_name, region), tables)
    for index, vpc in enumerate(file.vpcs):
        if vpc.vpc_region is not None:
            yield from _check_region(vpc.vpc_region, at.get("vpcs", index, "vpc_region"), tables)
    if file.geoip is not None and not (Path(at.file).parent / file.geoip).is_file():
        yield fault_at(at.get("geoip"), TextError("geoip", f"there is no file {file.geoip} beside this one"))


def _check_place(place: schema.Place, at: At, tables: Tables, *, needed: bool = True) -> Iterator[Fault]:
    try:
        if place.region is not None:
            check_region(place.region, tables.regions)
        if place.coordinates is not None:
            read_latitude(place.coordinates.latitude)
            read_longitude(place.coordinates.longitude)
        elsewhere = place.region or place.coordinates or place.vpc_id or not needed
        if place.continent or place.country or place.subdivision or not elsewhere:
            check_area(tables, place.continent, place.country, place.subdivision)
    except TextError as error:
        yield fault_at(at, error)


def _check_region(region: str, at: At, tables: Tables) -> Iterator[Fault]:
    try:
        check_region(region, tables.regions)
    except TextError as error:
        yield fault_at(at, error)
