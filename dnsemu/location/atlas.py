"""The synthetic atlas: addresses that are somewhere by definition, with no database, and for ever the same."""

from __future__ import annotations

import csv
from collections.abc import Callable
from ipaddress import IPv4Network, IPv6Network
from typing import NamedTuple

from dnsemu.location.place import Place


class AtlasBlock(NamedTuple):
    """The addresses of one place: a /24 of 198.18.0.0/15 and a /48 of 2001:db8:1000::/36 (docs/atlas.md).

    `kind`: country, subdivision, region or local_zone_group. `code`: `DE`, `US-VA`, `eu-west-1`,
    `us-west-2-den-1`.
    """

    code: str
    kind: str
    name: str
    ipv4: IPv4Network
    ipv6: IPv6Network
    place: Place


def read_atlas(text: str, place_of: Callable[[str, str], Place]) -> tuple[AtlasBlock, ...]:
    """The blocks of atlas.csv; `place_of` gives the place of a kind and a code."""
    return tuple(
        AtlasBlock(code, kind, name, IPv4Network(ipv4), IPv6Network(ipv6), place_of(kind, code))
        for code, kind, name, ipv4, ipv6 in list(csv.reader(text.splitlines()))[1:]
    )
