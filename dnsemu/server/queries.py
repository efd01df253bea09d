"""What was asked and how it was answered, to be shown.

`queries_of` makes a `Query` of each packet of a batch, and `Recent` keeps the last ones.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from functools import lru_cache
from itertools import islice
from socket import AF_INET, AF_INET6, inet_ntop
from typing import NamedTuple

import dns.rcode
import dns.rdatatype

from dnsemu.authority import Authority, Truncated
from dnsemu.errors import WireError
from dnsemu.location import unmapped
from dnsemu.model import show_name
from dnsemu.routing import Choice
from dnsemu.server.answers import Batch
from dnsemu.wire import HEADER, OPT_HEAD, name_end, read_edns

_SUBNETS = {1: (AF_INET, 4), 2: (AF_INET6, 16)}  # by the family of a client subnet (RFC 7871 6)
_FLOOD = 20_000  # questions in a second
_SPAN = 0.1  # seconds in which they are counted
_PAUSE = 0.01  # seconds between two batches of a flood that are remembered
_shown = lru_cache(1024)(show_name)


class Decided(NamedTuple):
    """What one group with a routing policy decided: the members taken, none if nothing matched, and why."""

    name: str
    type: str
    policy: str
    set_identifiers: tuple[str, ...]
    reason: str


class Query(NamedTuple):
    """A packet that came, and what it was answered with.

    `at`: seconds since the epoch. `name`: in lower case, with a trailing dot, as Route 53 prints names; it and `type`
    are empty if they could not be read. `rcode`: empty where there was silence. `transport`: UDP or TCP. `client`:
    the address the packet came from. `subnet`: the client subnet as asked, None without one. `zone_id` and `zone`,
    its name: empty if no zone answered.
    """

    at: float
    name: str
    type: str
    rcode: str
    transport: str
    client: str
    subnet: str | None
    zone_id: str
    zone: str
    truncated: bool
    decisions: tuple[Decided, ...]


def queries_of(batch: Batch) -> Iterator[Query]:
    """The packets of a batch in their order. Any octets will do: nothing is raised."""
    authority, transport = batch.authority, batch.kind.transport.name
    for packet, source, outcome in zip(batch.packets, batch.sources, batch.outcomes, strict=True):
        end = question_end(packet)
        zone_id = outcome.reply.zone_id if outcome else ""
        yield Query(
            batch.at,
            _shown(packet[HEADER : end - 4].lower()) if end else "",
            show_type(packet[end - 4 : end]) if end else "",
            show_rcode(outcome.reply.rcode) if outcome else "",
            transport,
            show_address(source),
            subnet_of(packet, end),
            zone_id,
            _shown(authority.zones[zone_id]) if zone_id in authority.zones else "",
            isinstance(outcome, Truncated),
            tuple([decided(authority, *one) for one in outcome.decisions]) if outcome else (),
        )


class Recent:
    """The last queries: a ring of batches, for the thread that answers. `total`: how many there were since the start.

    What is kept for a while costs its share of the processor's caches, and a flood of questions 2 % of its speed. So
    of a flood, which nobody can read anyway, only a batch now and then is kept.
    """

    def __init__(self, most: int = 1000) -> None:
        """`most`: how many are kept; what is a part of a batch is kept with it."""
        self.total = 0
        self._most = most
        self._since, self._before = 0.0, 0  # since when queries are counted, and how many there had been then
        self._is_flood = False
        self._next = 0.0  # when a batch of a flood is kept again
        self._held = 0
        # What `total` was with it, and how many queries it has; those of a list are settled.
        self._kept: deque[tuple[int, int, Batch | list[Query]]] = deque()

    def watch(self, batch: Batch) -> None:
        """Keep a batch, and let go of what is too old."""
        at, count = batch.at, len(batch.packets)
        self.total += count
        if not 0 <= at - self._since < _SPAN:  # it is over, or the clock was put back
            self._is_flood = self.total - self._before >= _FLOOD * (at - self._since) > 0
            self._since, self._before = at, self.total
        elif self._is_flood and at < self._next:
            return
        self._next = at + _PAUSE
        kept = self._kept
        kept.append((self.total, count, batch))
        self._held += count
        while self._held - kept[0][1] >= self._most:
            self._held -= kept.popleft()[1]

    def last(self, limit: int) -> list[Query]:
        """The last `limit` queries, or as many as are kept; newest first."""
        return [query for _, query in islice(self._backwards(), max(0, min(limit, self._most)))]

    def since(self, total: int, most: int) -> tuple[list[Query], int, int]:
        """What came after the first `total` queries: the last `most` of them that are kept, oldest first.

        Also the new total, and how many came between and are not among them.
        """
        newest = islice(self._backwards(), min(most, self._most))
        found = [query for number, query in newest if number > total]
        return found[::-1], self.total, max(0, self.total - total) - len(found)

    def settle(self) -> None:
        """Read all that is kept, so that nothing holds on to an authority: one that is replaced can be freed."""
        self._kept = deque((number, 1, [query]) for number, query in [*self._backwards()][::-1])

    def clear(self) -> None:
        """Forget all queries; they stay in `total`."""
        self._kept.clear()
        self._held = 0

    def _backwards(self) -> Iterator[tuple[int, Query]]:
        """What is kept, newest first: each the how manieth it is since the start."""
        for number, count, one in reversed(self._kept):
            queries = one if isinstance(one, list) else list(queries_of(one))
            yield from zip(range(number, number - count, -1), reversed(queries), strict=True)


def question_end(packet: bytes) -> int:
    """Where the question ends; 0 unless there is exactly one, which can be read."""
    if packet[4:6] != b"\0\1":
        return 0
    try:
        end = name_end(packet, HEADER) + 4
    except WireError:
        return 0
    return end if end <= len(packet) else 0


@lru_cache(1024)
def show_type(type_class: bytes) -> str:
    """A type by its mnemonic, or as `TYPE65400` (RFC 3597 5). Of `type_class`, the first two of four octets."""
    return dns.rdatatype.to_text(dns.rdatatype.RdataType.make(int.from_bytes(type_class[:2], "big")))


@lru_cache(1024)
def show_rcode(rcode: int) -> str:
    """An RCODE by its mnemonic."""
    return dns.rcode.to_text(dns.rcode.Rcode.make(rcode))


def show_address(address: bytes) -> str:
    """An address of 4 or 16 octets; one of IPv4 as such, also if it came in IPv6's form."""
    address = unmapped(address)
    return inet_ntop(AF_INET if len(address) == 4 else AF_INET6, address)


def subnet_of(packet: bytes, end: int) -> str | None:
    """The client subnet that a question which ends at `end` was asked with, also one of no bits: `192.0.2.0/24`.

    None if there is none, if it has no address (`dig +subnet=0`), or if the records cannot be read.
    """
    if not end or len(packet) < end + OPT_HEAD:
        return None
    records = int.from_bytes(packet[8:10], "big") + int.from_bytes(packet[10:HEADER], "big")
    try:
        _, opt, _ = read_edns(packet, end, records)
    except WireError:
        return None
    echoed = opt[OPT_HEAD:]  # family, source prefix length, scope, address: as asked (RFC 7871 7.2.1)
    family = _SUBNETS.get(int.from_bytes(echoed[:2], "big"))
    if family is None:
        return None
    address = echoed[4:].ljust(family[1], b"\0")
    return f"{inet_ntop(family[0], address)}/{echoed[2]}"


def decided(authority: Authority, number: int, choice: Choice) -> Decided:
    """What the group of that number chose."""
    group = authority.routing.groups[number]
    policy = group.first.policy
    return Decided(
        _shown(group.name),
        group.type.name,
        policy.name if policy else "",
        tuple([group.members[member].set_identifier or "" for member in choice.members]),
        choice.reason.value,
    )
