"""Where a client is: what the files say, then the synthetic atlas, then a database of addresses, then the default."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache
from hashlib import blake2b
from ipaddress import IPv6Network
from typing import Any, NamedTuple

from dnsemu.location.blocks import Blocks, Network
from dnsemu.location.client import Client, Latencies, Located
from dnsemu.location.geography import Geography
from dnsemu.location.latency import LatencyModel
from dnsemu.location.place import NOWHERE, Place

Database = Callable[[str], tuple[Any, int]]
"""An address as text → its record in a GeoIP2-shaped database, and the prefix length for which that holds."""

NAMED_PLACES = IPv6Network("2001:db8:f000::/36")  # of the documentation range, like the atlas
_KEPT = 16384

# Prefixes below which a database repeats its IPv4 part, and how much of the address decides there: 6to4, Teredo.
_TUNNELS = ((b"\x20\x02", 48), (b"\x20\x01\0\0", 64))


class Known(NamedTuple):
    """What is written down about a block of addresses; `place` is None where only latencies are."""

    place: Place | None
    word: str
    region: str | None = None
    latency: Mapping[str, float] | None = None


class LatencyTables(NamedTuple):
    """`latencies` of a configuration: by block, and by country and subdivision (None: the country as a whole)."""

    blocks: Sequence[tuple[Network, Mapping[str, float]]] = ()
    areas: Mapping[tuple[str, str | None], Mapping[str, float]] = {}


class Locator:
    """Looks clients up (surface: who asks, and from where)."""

    def __init__(
        self,
        geography: Geography,
        model: LatencyModel,
        written: Iterable[tuple[Network, Known]] = (),
        vpcs: Sequence[tuple[str, Known, Sequence[Network]]] = (),
        database: Database | None = None,
        default: Place | None = None,
        latencies: LatencyTables | None = None,
    ) -> None:
        """`written`: blocks whose place is given; `vpcs`: id, what is known, and blocks of each VPC."""
        latencies = latencies or LatencyTables()
        written = list(written)
        self.geography = geography
        self._model = model
        in_vpcs = [(block, known) for _, known, blocks in vpcs for block in blocks]
        self._blocks: Blocks[Known] = Blocks([written, in_vpcs, _atlas(geography)])
        self._vpcs = {vpc_id: known for vpc_id, known, _ in vpcs}
        self._database = database
        self._default = default
        given = [known.latency for _, known in written if known.latency is not None]
        self._tables = [*given, *(table for _, table in latencies.blocks), *latencies.areas.values()]
        self._numbers = {id(table): number for number, table in enumerate(self._tables)}
        self._table_blocks = Blocks([latencies.blocks])
        self._table_areas = dict(latencies.areas)
        self.milliseconds = lru_cache(_KEPT)(self._milliseconds)

    def locate(self, client: Client) -> Located:
        """Where `client` is. Its `place` is NOWHERE if nobody knows."""
        chain, scope = self._blocks.find(client.address)
        scope = scope or 1  # 0 would be for everybody (CS4)
        latency: Mapping[str, float] | None = None
        for length, known in chain:
            if length <= client.length:  # a longer one does not match a coarser client
                latency = known.latency if latency is None else latency
                if known.place is not None:
                    return Located(known.place, scope, known.word, known.region, latency)
        in_vpc = self._vpcs.get(client.vpc_id or "")
        if in_vpc is not None and in_vpc.place is not None:
            return Located(in_vpc.place, scope, in_vpc.word, in_vpc.region, latency)
        if self._database is not None:
            record, prefix = self._database(_spelled(client.address))
            scope = max(scope, _whole_prefix(client.address, prefix))
            place = self.geography.from_record(record)
            if place is not None:
                return Located(place, scope, "the database of addresses", None, latency)
        if self._default is not None:
            return Located(self._default, scope, "default_location", None, latency)
        return Located(NOWHERE, scope, "nobody", None, latency)

    def latencies(self, client: Client) -> tuple[Latencies, int]:
        """What decides how far the regions are from `client`, and the scope of that.

        Tables in front, those of its address, then those of the longest block, or of its subdivision or country.
        """
        located = client.located
        place, scope = located.place, located.scope
        given: list[Mapping[str, float]] = [] if located.latency is None else [located.latency]
        chain, excluded = self._table_blocks.find(client.address)
        table = next((table for length, table in chain if length <= client.length), None)
        if table is None and place.country is not None:
            areas = self._table_areas
            table = areas.get((place.country, place.subdivision)) or areas.get((place.country, None))
        if table is not None:
            given.append(table)
        numbers = tuple([self._numbers[id(table)] for table in given])
        return Latencies(place.coordinates, numbers, place.country == "CN"), max(scope, excluded)

    def _milliseconds(self, latencies: Latencies) -> Mapping[str, float]:
        """Region → round trip in ms, for every region that is known about; none for a client that is nowhere."""
        estimated = self._model.milliseconds(latencies.coordinates) if latencies.coordinates else {}
        merged = dict(estimated)
        for number in reversed(latencies.tables):
            merged.update({region: round(ms, 1) for region, ms in self._tables[number].items()})  # R19
        return merged


def named_place(name: str) -> IPv6Network:
    """The addresses that play a named place: a /64 of `NAMED_PLACES`, by the name alone."""
    number = int.from_bytes(blake2b(name.encode(), digest_size=4).digest()) >> 4
    return IPv6Network((int(NAMED_PLACES.network_address) + (number << 64), 64))


def _atlas(geography: Geography) -> list[tuple[Network, Known]]:
    blocks: list[tuple[Network, Known]] = []
    for block in geography.atlas:
        known = Known(block.place, f"the atlas: {block.code}")
        blocks += [(block.ipv4, known), (block.ipv6, known)]
    return blocks


def _spelled(address: bytes) -> str:
    """An address as text, quickly."""
    return ".".join(map(str, address)) if len(address) == 4 else address.hex(":", 2)


def _whole_prefix(address: bytes, prefix: int) -> int:
    """The prefix length that decided: below some, a database repeats its IPv4 part and counts from there."""
    if len(address) == 16:
        for start, bits in _TUNNELS:
            if address.startswith(start):
                return max(prefix, bits)
    return prefix
