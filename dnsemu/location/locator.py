"""Where a client is: what the files say, then the synthetic atlas, then a database of addresses, then the default."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import lru_cache, partial
from hashlib import blake2b
from ipaddress import IPv6Network
from typing import Any, NamedTuple

from dnsemu.location.blocks import MAPPED, Blocks, Chain, Network, scope_at
from dnsemu.location.client import Client, Latencies, Located
from dnsemu.location.geography import Geography
from dnsemu.location.latency import LatencyModel
from dnsemu.location.place import NOWHERE, Place

Database = Callable[[str], tuple[Any, int]]
"""An address as text → its record in a GeoIP2-shaped database, and the prefix length for which that holds."""

NAMED_PLACES = IPv6Network("2001:db8:f000::/36")  # of the documentation range, like the atlas
_KEPT = 16384
DATABASE, DEFAULT, NOBODY = "the database of addresses", "default_location", "nobody"

# Prefixes below which a database repeats its IPv4 part, and how much of the address decides there: 6to4, Teredo.
_TUNNELS = ((b"\x20\x02", 48), (b"\x20\x01\0\0", 64))


class Known(NamedTuple):
    """What is written down about a block of addresses; `place` is None where only latencies are."""

    place: Place | None
    word: str
    region: str | None = None
    latency: Mapping[str, float] | None = None


class _Segment(NamedTuple):
    """A run of addresses that are in the same blocks, `chain`.

    `located`: where all of it is, if that and its scope are the same throughout, for clients of whom at least
    `longest` bits are known. `scope`: the longest that any of its addresses has.
    """

    located: Located | None
    longest: int
    scope: int
    chain: Chain[Known]


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
        first: Iterable[tuple[Network, Known]] = (),
    ) -> None:
        """`written`: blocks whose place is given; `vpcs`: id, what is known, and blocks of each VPC.

        `first`: blocks that come before all else.
        """
        latencies = latencies or LatencyTables()
        written = list(written)
        self.geography = geography
        in_vpcs = [(block, known) for _, known, blocks in vpcs for block in blocks]
        self._blocks: Blocks[Known] = Blocks([first, written, in_vpcs, _atlas(geography)], [MAPPED])
        self._vpcs = {vpc_id: known for vpc_id, known, _ in vpcs}
        self._database = database
        self._default = default
        given = [known.latency for _, known in written if known.latency is not None]
        self._tables = [*given, *(table for _, table in latencies.blocks), *latencies.areas.values()]
        self._numbers = {id(table): number for number, table in enumerate(self._tables)}
        self._table_blocks = Blocks([latencies.blocks], [MAPPED])
        self._table_areas = dict(latencies.areas)
        self.has_latency_blocks = bool(latencies.blocks)
        # Not methods: what holds itself would stay in memory when another configuration is served.
        self.milliseconds = lru_cache(_KEPT)(partial(_milliseconds, model, self._tables))
        self._found = lru_cache(_KEPT)(partial(_make, self._tables))
        self._segments = {octets: self._make_segments(octets) for octets in (4, 16)}

    def locate(self, client: Client) -> Located:
        """Where `client` is. Its `place` is NOWHERE if nobody knows."""
        address = client.address
        starts, segments = self._segments[len(address)]
        number = int.from_bytes(address)
        index = bisect_right(starts, number) - 1
        located, longest, scope, chain = segments[index]
        if located is not None and client.length >= longest:
            return located
        if chain or client.vpc_id is not None or self._database is None:
            return self._look_up(client, chain, scope_at(starts, index, number, 8 * len(address)) or 1)
        record, prefix = self._database(_spelled(address))
        if prefix < scope or len(address) == 16:
            scope = max(scope_at(starts, index, number, 8 * len(address)), _whole_prefix(address, prefix), 1)
        else:
            scope = prefix or 1
        place = None if record is None else self.geography.from_record(record)
        if place is None:
            return self._in_database(None, scope, None)
        return self._found(place, scope, DATABASE, None, -1)

    def _make_segments(self, octets: int) -> tuple[Sequence[int], list[_Segment]]:
        starts, bits = self._blocks.starts(octets), 8 * octets
        made: list[_Segment] = []
        for index, (chain, scope) in enumerate(self._blocks.segments(octets)):
            known, latency = _written(chain, bits)
            located = None
            if known is not None and known.place is not None and scope is not None:
                number = self._number(latency)
                located = self._found(known.place, scope or 1, known.word, known.region, number)
            ends = (starts[index], starts[index + 1] - 1 if index + 1 < len(starts) else (1 << bits) - 1)
            most = max(scope_at(starts, index, end, bits) for end in ends)
            made.append(_Segment(located, max((length for length, _ in chain), default=0), most, chain))
        return starts, made

    def _look_up(self, client: Client, chain: Chain[Known], scope: int) -> Located:
        """Step by step: what is written, the client's VPC, the database, the default."""
        known, latency = _written(chain, client.length)
        if known is None:
            known = self._vpcs.get(client.vpc_id or "")
        if known is not None and known.place is not None:
            return self._found(known.place, scope, known.word, known.region, self._number(latency))
        if self._database is None:
            return self._in_database(None, scope, latency)
        record, prefix = self._database(_spelled(client.address))
        return self._in_database(record, max(scope, _whole_prefix(client.address, prefix)), latency)

    def _in_database(self, record: Any, scope: int, latency: Mapping[str, float] | None) -> Located:
        """Where a record of the database is, or where the default is."""
        place, word = None if record is None else self.geography.from_record(record), DATABASE
        if place is None:
            place, word = (NOWHERE, NOBODY) if self._default is None else (self._default, DEFAULT)
        return self._found(place, scope, word, None, self._number(latency))

    def _number(self, latency: Mapping[str, float] | None) -> int:
        return -1 if latency is None else self._numbers[id(latency)]

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


_Table = Mapping[str, float]


def _make(tables: Sequence[_Table], place: Place, scope: int, word: str, region: str | None, number: int) -> Located:
    """One `Located` for each place and scope: choosers remember what they chose for it."""
    return Located(place, scope, word, region, None if number < 0 else tables[number])


def _milliseconds(model: LatencyModel, tables: Sequence[_Table], latencies: Latencies) -> Mapping[str, float]:
    """Region → round trip in ms, for every region that is known about; none for a client that is nowhere."""
    estimated = model.milliseconds(latencies.coordinates) if latencies.coordinates else {}
    merged = dict(estimated)
    for number in reversed(latencies.tables):
        merged.update({region: round(ms, 1) for region, ms in tables[number].items()})  # R19
    return merged


def _written(chain: Chain[Known], length: int) -> tuple[Known | None, Mapping[str, float] | None]:
    """What is written down about a client of which `length` bits are known: its place, and latencies anyway.

    A longer block does not match a coarser client; one without a place leaves that to the next.
    """
    latency: Mapping[str, float] | None = None
    for prefix, known in chain:
        if prefix <= length:
            latency = known.latency if latency is None else latency
            if known.place is not None:
                return known, latency
    return None, latency


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
    return "%d.%d.%d.%d" % tuple(address) if len(address) == 4 else address.hex(":", 2)  # noqa: UP031 (the fastest)


def _whole_prefix(address: bytes, prefix: int) -> int:
    """The prefix length that decided: below some, a database repeats its IPv4 part and counts from there."""
    for start, bits in _TUNNELS:
        if address.startswith(start):
            return max(prefix, bits)
    return prefix
