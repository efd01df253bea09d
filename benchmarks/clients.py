"""Who asks: /24s of clients, as three octets, and databases that say where they are."""

import random
from collections.abc import Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, ip_network
from pathlib import Path

from mmdb import Value, write_database
from world import client_subnet

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
    """A database of addresses with so many /24s, spread over so many places; its records as large as GeoLite2's?"""

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
        """The /24s, as integers of 24 bits, sorted."""
        known = range(int(ATLAS.network_address) >> 8, int(ATLAS.broadcast_address) >> 8)
        drawn = random.Random("prefixes").sample(range(FIRST, LAST), self.entries + len(known))
        return sorted([prefix for prefix in drawn if prefix not in known][: self.entries])

    def _values(self) -> list[Value]:
        """Places around those of the atlas, at most some 200 km from them."""
        rng = random.Random("places")
        values = []
        for number in range(self.places):
            _, country, subdivision, coordinates = rng.choice(geography().atlas).place
            north, east = coordinates or (0, 0)
            at = [round(degrees + rng.uniform(-2, 2), 4) for degrees in (north, east)]
            area = subdivision or f"{rng.randrange(100):02}"
            values.append(_record(country or "", area, at) | (_names(number, country or "") if self.large else {}))
        return values


def _record(country: str, subdivision: str, at: Sequence[float]) -> dict[str, Value]:
    """What dnsemu reads of a City record."""
    return {
        "country": {"iso_code": country},
        "subdivisions": [{"iso_code": subdivision}],
        "location": {"latitude": at[0], "longitude": at[1]},
    }
