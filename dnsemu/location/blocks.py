"""Which of many CIDR blocks hold an address, with one look-up."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Network, IPv6Network
from typing import Generic, TypeVar

T = TypeVar("T")
MAPPED = IPv6Network("::ffff:0:0/96")
"""Addresses that map IPv4 (RFC 4291 2.5.5.2): they are in IPv4's blocks, whatever is around them in IPv6."""
Network = IPv4Network | IPv6Network
Chain = tuple[tuple[int, T], ...]
"""Blocks that hold an address, those that count first in front: prefix length and value of each."""


class Blocks(Generic[T]):
    """CIDR blocks of both families, laid flat: a sorted list of addresses at which other blocks begin to hold.

    Blocks come in layers. Of those that hold an address, an earlier layer's go before a later one's, and in a layer
    the longest prefix goes first.
    """

    __slots__ = ("_flat",)

    def __init__(self, layers: Sequence[Iterable[tuple[Network, T]]], apart: Sequence[IPv6Network] = ()) -> None:
        """`apart`: blocks that no prefix may be around of, though they are nobody's here."""
        listed = [list(layer) for layer in layers]
        self._flat = {octets: _flatten(listed, octets, apart) for octets in (4, 16)}

    def find(self, address: bytes) -> tuple[Chain[T], int]:
        """The blocks that hold an address of 4 or 16 octets, and the scope of that.

        The scope is the shortest prefix length at which all addresses that share the prefix are in the same blocks.
        """
        starts, chains = self._flat[len(address)]
        number = int.from_bytes(address)
        index = bisect_right(starts, number) - 1
        return chains[index], scope_at(starts, index, number, 8 * len(address))

    def starts(self, octets: int) -> Sequence[int]:
        """The addresses of a family, as integers, at which its segments begin: runs that are in the same blocks."""
        return self._flat[octets][0]

    def segments(self, octets: int) -> list[tuple[Chain[T], int | None]]:
        """The segments of a family: blocks around each, and its scope where that is the same for all of it."""
        starts, chains = self._flat[octets]
        ends = [*starts[1:], 1 << 8 * octets]
        bits = 8 * octets
        return [
            (chain, _one_prefix(*run, bits))
            for chain, run in zip(chains, zip(starts, ends, strict=True), strict=True)
        ]


def scope_at(starts: Sequence[int], index: int, number: int, bits: int) -> int:
    """The shortest length at which the prefix of an address of `bits` bits lies within the segment `index`."""
    free = bits
    if index:
        free = (number ^ starts[index] - 1).bit_length() - 1
    if index + 1 < len(starts):
        free = min(free, (number ^ starts[index + 1]).bit_length() - 1)
    return bits - free


def _one_prefix(start: int, end: int, bits: int) -> int | None:
    """The length of the prefix that all addresses from `start` to before `end` share, and no others."""
    size = end - start
    return None if size & (size - 1) or start % size else bits + 1 - size.bit_length()


def _flatten(
    layers: list[list[tuple[Network, T]]], octets: int, apart: Sequence[IPv6Network]
) -> tuple[list[int], list[Chain[T]]]:
    """Where segments begin, the first at 0, and the blocks that hold each."""
    flat = [_segments(layer, octets) for layer in layers]
    borders = {start for segments in flat for start, _ in segments}
    if octets == 16:
        borders |= {int(block.network_address) for block in apart}
        borders |= {int(block.broadcast_address) + 1 for block in apart}
    starts = sorted(borders)
    chains: list[Chain[T]] = [() for _ in starts]
    for segments in flat:
        begins = [start for start, _ in segments]
        for index, start in enumerate(starts):
            chains[index] += segments[bisect_right(begins, start) - 1][1]
    return starts, chains


def _segments(layer: list[tuple[Network, T]], octets: int) -> list[tuple[int, Chain[T]]]:
    """One layer: blocks either hold one another or have nothing in common, so a stack of open ones will do."""
    bits = 8 * octets
    blocks = [
        (int(block.network_address), block.prefixlen, value) for block, value in layer if block.max_prefixlen == bits
    ]
    segments: list[tuple[int, Chain[T]]] = [(0, ())]
    opened: list[tuple[int, Chain[T]]] = []

    def close(until: int) -> None:
        while opened and opened[-1][0] <= until:
            end, _ = opened.pop()
            _put(segments, end, opened[-1][1] if opened else ())

    for start, length, value in sorted(blocks, key=lambda block: block[:2]):
        close(start)
        chain = ((length, value), *(opened[-1][1] if opened else ()))
        _put(segments, start, chain)
        opened.append((start + (1 << bits - length), chain))
    close(1 << bits)
    return [segment for segment in segments if segment[0] < 1 << bits]


def _put(segments: list[tuple[int, Chain[T]]], start: int, chain: Chain[T]) -> None:
    """What holds from `start` on; what was said of the same start is no more so."""
    if segments[-1][0] == start:
        segments.pop()
    segments.append((start, chain))
