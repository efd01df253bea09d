"""One look-up in a flat list of blocks says what a walk through all of them would say."""

from __future__ import annotations

import random
from collections.abc import Sequence
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties.strategies import examples

from dnsemu.location import Blocks

Network = IPv4Network | IPv6Network
Layers = Sequence[Sequence[tuple[Network, int]]]
Spans = Sequence[Sequence[tuple[int, int, int, int]]]  # first and last address, prefix length, value

BASES = {
    4: ("0.0.0.0", "10.0.0.0", "10.0.0.128", "10.255.255.255", "127.255.255.255", "128.0.0.0", "255.255.255.255"),
    6: ("::", "::1", "2001:db8::", "2001:db8:0:8000::", "7fff:ffff::", "8000::", "ff" * 2 + ":ffff" * 7),
}
LENGTHS = {4: (0, 1, 7, 8, 9, 23, 24, 25, 30, 31, 32), 6: (0, 1, 31, 32, 33, 48, 49, 63, 64, 126, 127, 128)}
NETWORKS = {  # few bases, so that blocks are nested, adjacent, and begin or end together
    version: sorted(
        {ip_network((base, length), strict=False) for base in BASES[version] for length in LENGTHS[version]}
    )
    for version in (4, 6)
}
SPANS = {
    block: (int(block.network_address), int(block.broadcast_address)) for both in NETWORKS.values() for block in both
}


@st.composite
def worlds(draw: st.DrawFn) -> tuple[int, Layers]:
    """Layers of blocks, each block once a layer, with numbers for values; and the family to ask for."""
    version, number = draw(st.sampled_from((4, 6))), 0
    choice = [*NETWORKS[version], *NETWORKS[10 - version][::9]]
    layers = []
    for _ in range(draw(st.integers(1, 3))):
        blocks = draw(st.lists(st.sampled_from(choice), max_size=6, unique=True))
        layers.append([(block, number + place) for place, block in enumerate(blocks)])
        number += len(blocks)
    return version, layers


def of_family(layers: Layers, version: int) -> Spans:
    return [[(*SPANS[b], b.prefixlen, value) for b, value in layer if b.version == version] for layer in layers]


def walked(layers: Spans, address: int) -> tuple[tuple[int, int], ...]:
    """The blocks that hold an address: layer by layer, the longest first."""
    found: list[tuple[int, int]] = []
    for layer in layers:
        holding = [(length, value) for first, last, length, value in layer if first <= address <= last]
        found += sorted(holding, reverse=True)
    return tuple(found)


def edges(layers: Spans) -> set[int]:
    """Addresses at which blocks begin, and those behind their ends: between two of them nothing changes."""
    return {edge for layer in layers for first, last, _, _ in layer for edge in (first, last + 1)}


def is_uniform(layers: Spans, address: int, free: int) -> bool:
    """Whether all addresses that differ from this one in the last `free` bits only are in the same blocks."""
    first = address >> free << free
    inside = [first, *(edge for edge in edges(layers) if first < edge < first + (1 << free))]
    return len({walked(layers, one) for one in inside}) == 1


@examples(120)
@given(worlds(), st.integers(0, 1 << 32))
def test_as_a_walk_through_all_blocks(world: tuple[int, Layers], seed: int) -> None:
    version, layers = world
    bits, blocks, spans = 32 if version == 4 else 128, Blocks(layers), of_family(layers, version)
    near = {number + off for number in edges(spans) for off in (-1, 0, 1)} | {0, (1 << bits) - 1}
    there = sorted(number for number in near if 0 <= number < 1 << bits)
    for address in random.Random(seed).sample(there, min(len(there), 6)):
        chain, scope = blocks.find(address.to_bytes(bits // 8))
        assert chain == walked(spans, address)
        assert is_uniform(spans, address, bits - scope), "sound: whoever shares the prefix is in the same blocks"
        assert scope == 0 or not is_uniform(spans, address, bits - scope + 1), "and no shorter prefix would do"


OFFICE, FLOOR, DESK = "198.51.100.0/24", "198.51.100.0/26", "198.51.100.5/32"
ROWS = [  # blocks of each layer, an address, the blocks that hold it, the scope
    ([[]], "::", "", 0),
    ([["0.0.0.0/0"]], "255.255.255.255", "0.0.0.0/0", 0),
    ([["::/0"]], "192.0.2.1", "", 0),
    ([["::/0"]], "ffff::", "::/0", 0),
    ([["255.255.255.255/32"]], "255.255.255.255", "255.255.255.255/32", 32),
    ([["255.255.255.255/32"]], "255.255.255.254", "", 32),
    ([["255.255.255.255/32"]], "255.255.255.253", "", 31),
    ([["255.255.255.255/32"]], "0.0.0.0", "", 1),
    ([["ff" * 2 + ":ffff" * 7 + "/128"]], "::", "", 1),
    ([["0.0.0.0/1", "128.0.0.0/1"]], "127.255.255.255", "0.0.0.0/1", 1),
    ([["0.0.0.0/1", "128.0.0.0/1"]], "128.0.0.0", "128.0.0.0/1", 1),
    ([[OFFICE, FLOOR, DESK]], "198.51.100.5", f"{DESK} {FLOOR} {OFFICE}", 32),
    ([[DESK, FLOOR, OFFICE]], "198.51.100.4", f"{FLOOR} {OFFICE}", 32),
    ([[OFFICE, FLOOR]], "198.51.100.5", f"{FLOOR} {OFFICE}", 26),
    ([[OFFICE, FLOOR]], "198.51.100.64", OFFICE, 26),
    ([[OFFICE, FLOOR]], "198.51.100.128", OFFICE, 25),
    ([[OFFICE], [FLOOR]], "198.51.100.5", f"{OFFICE} {FLOOR}", 26),
    ([[FLOOR], [OFFICE]], "198.51.100.5", f"{FLOOR} {OFFICE}", 26),
    ([[OFFICE], [OFFICE]], "198.51.100.5", f"{OFFICE} {OFFICE}", 24),
    ([["198.51.100.0/25", "198.51.100.128/25"]], "198.51.100.128", "198.51.100.128/25", 25),
    ([["10.0.0.0/8"]], "11.0.0.0", "", 8),
    ([["10.0.0.0/8"]], "12.0.0.0", "", 6),
    ([["2001:db8::/32", "192.0.2.0/24"]], "2001:db8::1", "2001:db8::/32", 32),
]


@pytest.mark.parametrize(("layers", "address", "expected", "scope"), ROWS)
def test_rows(layers: list[list[str]], address: str, expected: str, scope: int) -> None:
    blocks = Blocks([[(ip_network(block), block) for block in layer] for layer in layers])
    chain, found = blocks.find(ip_address(address).packed)
    assert [block for _, block in chain] == expected.split()
    assert [length for length, _ in chain] == [ip_network(block).prefixlen for block in expected.split()]
    assert found == scope


def test_many_blocks_are_quickly_laid_flat() -> None:
    """1000 blocks of a CIDR collection, each in the one before or beside it."""
    layer = [(ip_network((number << 12, 24)), number) for number in range(1000)]
    layer += [(ip_network((number << 12, 28)), -number) for number in range(1000)]
    blocks = Blocks([layer])
    assert blocks.find((999 << 12).to_bytes(4)) == (((28, -999), (24, 999)), 28)
    assert blocks.find(((999 << 12) + 16).to_bytes(4)) == (((24, 999),), 28)
