"""Who asks: /24s of clients, as three octets, and databases that say where they are."""

import random
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, ip_network
from pathlib import Path

from mmdb import Value, write_database

from dnsemu.config import geography

FIRST, LAST = 1 << 16, 224 << 16  # of the /24s that can be somebody's
ATLAS = ip_network("198.18.0.0/15")  # these places dnsemu knows by heart
LANGUAGES = ("de", "en", "es", "fr", "ja", "pt-BR", "ru", "zh-CN")


def atlas_networks() -> list[bytes]:
    """The /24 of every place of the atlas."""
    return [block.ipv4.network_address.packed[:3] for block in geography().atlas]


def in_block(rng: random.Random, block: IPv4Network) -> bytes:
    """A /24 of a block."""
    first = int(block.network_address) >> 8
    return (first + rng.randrange(max(1, block.num_addresses >> 8))).to_bytes(3, "big")


def public_network(rng: random.Random) -> bytes:
    """A /24 of public addresses."""
    while True:
        network = rng.randrange(FIRST, LAST).to_bytes(3, "big")
        if IPv4Address(network + b"\0").is_global:
            return network


@dataclass(frozen=True)
class MadeUp:
    """A database of addresses: so many /24s, spread over so many places, with small or large records."""

    entries: int
    places: int
    large: bool = False

    def write(self, file: Path) -> None:
        """The same database in every run."""
        rng = random.Random("records")
        prefixes = self.prefixes()
        records = [rng.randrange(self.places) for _ in prefixes]
        write_database(file, prefixes, records, self._values())

    def prefixes(self) -> list[int]:
        """The /24s, as integers of 24 bits, sorted; the atlas goes before a database, so none of its."""
        atlas = range(int(ATLAS.network_address) >> 8, (int(ATLAS.broadcast_address) >> 8) + 1)
        drawn = random.Random("prefixes").sample(range(FIRST, LAST), self.entries + len(atlas))
        return sorted([prefix for prefix in drawn if prefix not in atlas][: self.entries])

    def _values(self) -> list[Value]:
        """Places around those of the atlas, at most some 300 km from them."""
        rng = random.Random("places")
        values: list[Value] = []
        for _ in range(self.places):
            _, country, subdivision, coordinates = rng.choice(geography().atlas).place
            north, east = coordinates or (0, 0)
            north, east = north + rng.uniform(-2, 2), east + rng.uniform(-2, 2)
            location = {"latitude": round(max(-90.0, north), 4), "longitude": round(min(180.0, east), 4)}
            area = subdivision or f"{rng.randrange(100):02}"
            known = country or "", area, location
            values.append(_large_record(*known, rng) if self.large else _record(*known))
        return values


def _record(country: str, subdivision: str, location: Mapping[str, float]) -> Value:
    """What dnsemu reads of a City record."""
    return {"country": {"iso_code": country}, "subdivisions": [{"iso_code": subdivision}], "location": location}


def _large_record(country: str, subdivision: str, location: Mapping[str, float], rng: random.Random) -> Value:
    """All that a GeoLite2 City record has: names in eight languages of everything."""
    whole = {"iso_code": country, **_named(rng)}
    return {
        "city": _named(rng),
        "continent": {"code": "EU", **_named(rng)},
        "country": whole,
        "location": {"accuracy_radius": 50, **location, "time_zone": "Europe/Berlin"},
        "postal": {"code": f"{rng.randrange(100_000):05}"},
        "registered_country": whole,
        "subdivisions": [{"iso_code": subdivision, **_named(rng)}],
    }


def _named(rng: random.Random) -> dict[str, Value]:
    names = {language: rng.randbytes(rng.randint(3, 8)).hex() for language in LANGUAGES}
    return {"geoname_id": rng.randrange(1 << 23), "names": names}
