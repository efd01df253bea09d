"""From what a configuration says about clients to a `Locator` (surface: who asks, and from where)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import NamedTuple

from dnsemu.location import (
    Database,
    Geography,
    Known,
    LatencyModel,
    LatencyTables,
    Locator,
    Place,
    named_place,
)
from dnsemu.model import ClientBlock, Clients, Configuration, Network, Whereabouts


class Sources(NamedTuple):
    """What is known of the world beside a configuration."""

    geography: Geography
    latency: LatencyModel
    database: Database | None


def make_locator(configuration: Configuration, sources: Sources, places: Sequence[ClientBlock] = ()) -> Locator:
    """Who knows where clients are; `places` come before what the configuration says."""
    clients, geography = configuration.clients, sources.geography
    default = _place(clients.default, geography) if clients.default else None
    blocks, areas = _latencies(clients)
    return Locator(
        geography,
        sources.latency,
        [*_named(clients, geography), *_written(clients, geography)],
        list(_vpcs(configuration, geography)),
        sources.database,
        default,
        LatencyTables(blocks, areas),
        _set(places, configuration, geography),
    )


def regions_of_vpcs(configuration: Configuration) -> dict[str, str]:
    """VPC id → region, where one is written: with the VPC's clients, or with a zone that is associated with it."""
    written = [(vpc.vpc_id, vpc.vpc_region) for zone in configuration.hosted_zones for vpc in zone.vpcs]
    written += [(vpc.vpc_id, vpc.region) for vpc in configuration.clients.vpcs]
    return {vpc_id: region for vpc_id, region in written if region is not None}


def _named(clients: Clients, geography: Geography) -> Iterator[tuple[Network, Known]]:
    """Named places, each with the addresses that play it."""
    for name, whereabouts in clients.places.items():
        place = _place(whereabouts, geography)
        yield named_place(name), Known(place, f"the place {name}", whereabouts.region, clients.latencies.get(name))


def _written(clients: Clients, geography: Geography) -> Iterator[tuple[Network, Known]]:
    for location in clients.locations:
        word = f"locations: {location.block}"
        place = _place(location.whereabouts, geography)
        yield location.block, Known(place, word, location.whereabouts.region, location.latency)


def _set(
    places: Sequence[ClientBlock], configuration: Configuration, geography: Geography
) -> Iterator[tuple[Network, Known]]:
    """Places that were set while serving; one that says a VPC alone is where that is."""
    regions = regions_of_vpcs(configuration)
    for block, whereabouts in ((one.block, one.whereabouts) for one in places):
        region = whereabouts.region
        if not whereabouts.is_place and whereabouts.vpc_id is not None:
            region = regions.get(whereabouts.vpc_id)
        place = geography.of_region(region) if region and not whereabouts.is_place else _place(whereabouts, geography)
        yield block, Known(place, f"the place set for {block}", region)


def _vpcs(configuration: Configuration, geography: Geography) -> Iterator[tuple[str, Known, Sequence[Network]]]:
    """A VPC is where its region is; of one without a region nothing is known (G11, L7)."""
    blocks: dict[str, list[Network]] = {vpc.vpc_id: [] for zone in configuration.hosted_zones for vpc in zone.vpcs}
    for vpc in configuration.clients.vpcs:
        blocks.setdefault(vpc.vpc_id, []).extend(vpc.blocks)
    regions = regions_of_vpcs(configuration)
    for vpc_id, its_blocks in blocks.items():
        region = regions.get(vpc_id)
        place = geography.of_region(region) if region is not None else None
        yield vpc_id, Known(place, f"{vpc_id} in {region}", region), its_blocks


def _place(whereabouts: Whereabouts, geography: Geography) -> Place | None:
    if not whereabouts.is_place:
        return None
    written = Place(whereabouts.continent, whereabouts.country, whereabouts.subdivision, whereabouts.coordinates)
    return geography.completed(written, whereabouts.region)


_Table = Mapping[str, float]


def _latencies(
    clients: Clients,
) -> tuple[list[tuple[Network, _Table]], dict[tuple[str, str | None], _Table]]:
    """`latencies` by what its keys are; those of named places stand with the places."""
    blocks: list[tuple[Network, _Table]] = []
    areas: dict[tuple[str, str | None], _Table] = {}
    for key, table in clients.latencies.items():
        block = _block(key)
        if block is not None:
            blocks.append((block, table))
        elif key not in clients.places:
            country, _, subdivision = key.partition("-")
            areas[country, subdivision or None] = table
    return blocks, areas


def _block(key: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(key)
    except ValueError:
        return None
