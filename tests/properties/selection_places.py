"""Where clients are, and how far from things: the plain half of the model in `selection`.

Places are the keys of a zone file (`country`, `subdivision`, `continent`, `coordinates`, `region`); what they leave
out follows from the tables. The shipped database of addresses is not part of it: networks that it knows are only
asked where no model is needed.
"""

from __future__ import annotations

import csv
import functools
import math
from collections.abc import Iterable, Mapping
from importlib.resources import files
from ipaddress import IPv4Network, IPv6Network, ip_network
from typing import Any, NamedTuple

Network = IPv4Network | IPv6Network
Degrees = tuple[float, float]

EARTH = 6_371_000  # metres
MAPPED = IPv6Network("::ffff:0:0/96")  # IPv4 addresses as IPv6 addresses


class Place(NamedTuple):
    """Where a client is, as far as that is known."""

    continent: str = ""
    country: str = ""
    subdivision: str = ""
    coordinates: Degrees | None = None


UNLOCATED = Place()


def _rows(name: str, key: str) -> dict[str, dict[str, str]]:
    text = (files("dnsemu") / "data" / name).read_text("utf-8")
    return {row[key]: row for row in csv.DictReader(text.splitlines())}


ATLAS = {place: (row["ipv4"], row["ipv6"]) for place, row in _rows("atlas.csv", "place").items()}
REGIONS = _rows("aws_regions.csv", "code")
LOCAL_ZONES = _rows("aws_local_zones.csv", "group")
_COUNTRIES = _rows("countries.csv", "iso2")
_STATES = _rows("us_states.csv", "code")
_OBLASTS = _rows("ua_oblasts.csv", "code")
_BLOCKS = {ip_network(block): place for place, blocks in ATLAS.items() for block in blocks}


def place_of(given: Mapping[str, Any]) -> Place:
    """A place from the keys of a file."""
    site = REGIONS.get(given.get("region", ""), {})
    country = given.get("country") or site.get("country", "")
    subdivision = given.get("subdivision") or ("" if "country" in given else site.get("subdivision", ""))
    continent = given.get("continent") or (_COUNTRIES[country]["continent"] if country else "")
    return Place(continent, country, subdivision, _coordinates(given, country, subdivision))


def is_place(given: Mapping[str, Any]) -> bool:
    """Whether anything is said about where; latencies alone say nothing."""
    return any(key in given for key in ("country", "continent", "coordinates", "region"))


def _coordinates(given: Mapping[str, Any], country: str, subdivision: str) -> Degrees | None:
    """The most exact that is known; of an area, the centre of its population."""
    if "coordinates" in given:
        return float(given["coordinates"]["latitude"]), float(given["coordinates"]["longitude"])
    if "region" in given:
        return _degrees(REGIONS[given["region"]])
    if subdivision:
        return _degrees(_STATES[subdivision], "pop_") if country == "US" else _degrees(_OBLASTS[subdivision])
    return _degrees(_COUNTRIES[country], "pop_") if country else None


def _degrees(row: Mapping[str, str], prefix: str = "") -> Degrees:
    return float(row[f"{prefix}lat"]), float(row[f"{prefix}lon"])


@functools.cache
def in_atlas(network: Network) -> Place | None:
    """The place whose block holds the network: a /24, or a /48."""
    length = 24 if network.version == 4 else 48
    if network.prefixlen < length:
        return None
    name = _BLOCKS.get(network.supernet(new_prefix=length))
    return _place_called(name) if name else None


def _place_called(name: str) -> Place:
    if name in REGIONS:
        return place_of({"region": name})
    if name in LOCAL_ZONES:
        row = LOCAL_ZONES[name]
        area = place_of({"country": row["country"], "subdivision": row["subdivision"]})
        return area._replace(coordinates=_degrees(row))
    country, _, subdivision = name.partition("-")
    return place_of({"country": country, "subdivision": subdivision})


def mapped(network: Network) -> Network:
    """An IPv4 network as an IPv6 network."""
    return IPv6Network((int(MAPPED[0]) + int(network[0]), 96 + network.prefixlen))


def plain(network: Network) -> Network:
    """A mapped network is its IPv4 network."""
    if isinstance(network, IPv4Network) or not network.subnet_of(MAPPED):
        return network
    return IPv4Network((int(network[0]) - int(MAPPED[0]), network.prefixlen - 96))


def within(network: Network, block: str) -> bool:
    """Whether the block holds the whole network."""
    outer = ip_network(block)
    return network.version == outer.version and network.subnet_of(outer)  # type: ignore[arg-type]


def longest(network: Network, blocks: Iterable[str]) -> str | None:
    """The longest of the blocks that hold the network."""
    return max((block for block in blocks if within(network, block)), key=prefix_length, default=None)


def prefix_length(block: str) -> int:
    return ip_network(block).prefixlen


def metres(here: Degrees, there: Degrees) -> float:
    """The great circle on a sphere, by the haversine formula."""
    north, east, other_north, other_east = map(math.radians, (*here, *there))
    half = math.sin((other_north - north) / 2) ** 2
    half += math.cos(north) * math.cos(other_north) * math.sin((other_east - east) / 2) ** 2
    return 2 * EARTH * math.asin(math.sqrt(min(1.0, half)))


def site_of(rule: Mapping[str, Any]) -> Degrees:
    """Where a geoproximity member is."""
    if "aws_region" in rule:
        return region_site(rule["aws_region"])
    if "local_zone_group" in rule:
        return _degrees(LOCAL_ZONES[rule["local_zone_group"]])
    return float(rule["coordinates"]["latitude"]), float(rule["coordinates"]["longitude"])


def region_site(region: str) -> Degrees:
    return _degrees(REGIONS[region])
