"""The atlas: every place has its block, inside the range of its kind, and keeps it for ever (docs/atlas.md)."""

from __future__ import annotations

import re
from hashlib import sha256
from ipaddress import IPv4Network, IPv6Network, ip_address
from itertools import combinations
from pathlib import Path

import pytest
from location.shipped import GEOGRAPHY, TABLES

from dnsemu.location import AtlasBlock, Place

IPV4 = IPv4Network("198.18.0.0/15")
IPV6 = IPv6Network("2001:db8:1000::/36")
DOC = (Path(__file__).resolve().parents[2] / "docs" / "atlas.md").read_text("utf-8")
# First block, last block, last block that was taken when this was pinned.
RANGES = {
    "country": (0, 271, 249),
    "US state": (272, 335, 322),
    "Ukrainian oblast": (336, 367, 362),
    "AWS region": (368, 431, 408),
    "local zone group": (432, 511, 472),
}
PINNED = "2f23b6d8a8195fb27839fff726f3151e02fe66d5dad9ac31a78f0eeda52b1ba3"


def number(block: AtlasBlock) -> int:
    return int(block.ipv4[0]) - int(IPV4[0]) >> 8


def kind(block: AtlasBlock) -> str:
    if block.kind == "subdivision":
        return "US state" if block.code.startswith("US-") else "Ukrainian oblast"
    return {"country": "country", "region": "AWS region", "local_zone_group": "local zone group"}[block.kind]


def test_blocks() -> None:
    for block in GEOGRAPHY.atlas:
        assert block.ipv4.prefixlen == 24
        assert block.ipv6.prefixlen == 48
        assert block.ipv4.subnet_of(IPV4)
        assert block.ipv6.subnet_of(IPV6)
        assert int(block.ipv6[0]) - int(IPV6[0]) == number(block) << 80
        first, last, _ = RANGES[kind(block)]
        assert first <= number(block) <= last


def test_nothing_twice() -> None:
    for values in zip(*((block.code.lower(), block.ipv4, block.ipv6) for block in GEOGRAPHY.atlas), strict=True):
        assert len(set(values)) == len(GEOGRAPHY.atlas)


def test_every_place_has_a_block() -> None:
    codes = {block.code for block in GEOGRAPHY.atlas}
    areas = {f"{country}-{code}" for country, codes in TABLES.subdivisions.items() for code in codes}
    assert codes >= TABLES.countries | areas | TABLES.regions | TABLES.local_zone_groups


def test_what_was_given_is_never_given_again() -> None:
    """Do not change the digest: a new place takes the first free block of its kind."""
    old = [block for block in GEOGRAPHY.atlas if number(block) <= RANGES[kind(block)][2]]
    text = "\n".join(f"{block.code} {block.ipv4} {block.ipv6}" for block in sorted(old, key=number))
    assert sha256(text.encode()).hexdigest() == PINNED


def test_new_ones_leave_no_gap() -> None:
    for name, (first, _, last) in RANGES.items():
        numbers = [number(block) for block in GEOGRAPHY.atlas if kind(block) == name]
        assert numbers == list(range(first, first + len(numbers)))
        assert numbers[-1] >= last


@pytest.mark.parametrize("name", RANGES)
def test_ranges_are_told(name: str) -> None:
    first, last, _ = RANGES[name]
    taken = sum(kind(block) == name for block in GEOGRAPHY.atlas)
    ipv4 = f"{IPV4[first << 8]} – {IPV4[(last << 8) + 255]}"
    ipv6 = " – ".join(str(ip_address(int(IPV6[0]) + (block << 80))) for block in (first, last))
    assert f"| {name} | {first} – {last} | {ipv4} | {ipv6} | from {first + taken} |" in DOC


def test_ranges_do_not_overlap() -> None:
    for (a, b, _), (c, d, _) in combinations(RANGES.values(), 2):
        assert b < c or d < a


def test_examples_are_right() -> None:
    told = re.findall(r"^\| `(\S+)` \| (\S+) \| (\S+) \|$", DOC, re.MULTILINE)
    assert len(told) == 5
    for code, ipv4, ipv6 in told:
        block = GEOGRAPHY.find(code)
        assert block is not None
        assert (str(block.ipv4), str(block.ipv6)) == (ipv4, ipv6)


FOUND = [
    # typed, code, kind, name, place
    ("DE", "DE", "country", "Germany", GEOGRAPHY.of_country("DE")),
    ("de", "DE", "country", "Germany", GEOGRAPHY.of_country("DE")),
    (" de\n", "DE", "country", "Germany", GEOGRAPHY.of_country("DE")),
    ("us-de", "US-DE", "subdivision", "Delaware", GEOGRAPHY.of_subdivision("US", "DE")),
    ("US-VA", "US-VA", "subdivision", "Virginia", GEOGRAPHY.of_subdivision("US", "VA")),
    ("VA", "VA", "country", "Vatican City", GEOGRAPHY.of_country("VA")),
    ("UA-30", "UA-30", "subdivision", "Kyiv", GEOGRAPHY.of_subdivision("UA", "30")),
    ("EU-West-1", "eu-west-1", "region", "Europe (Ireland)", GEOGRAPHY.of_region("eu-west-1")),
    (
        "us-west-2-den-1",
        "us-west-2-den-1",
        "local_zone_group",
        "Denver",
        GEOGRAPHY.of_local_zone_group("us-west-2-den-1"),
    ),
]


@pytest.mark.parametrize(("typed", "code", "kind", "name", "place"), FOUND)
def test_find(typed: str, code: str, kind: str, name: str, place: Place) -> None:
    block = GEOGRAPHY.find(typed)
    assert block is not None
    assert (block.code, block.kind, block.name, block.place) == (code, kind, name, place)


@pytest.mark.parametrize("code", ["", "XX", "UK", "US-", "VA-US", "us-west-2-den-1a", "Germany"])
def test_find_nothing(code: str) -> None:
    assert GEOGRAPHY.find(code) is None
