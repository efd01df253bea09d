"""CIDR collections: the named address blocks of IP-based routing (behaviour 1.7)."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network

from dnsemu.errors import Origin

Network = IPv4Network | IPv6Network


@dataclass(frozen=True, slots=True)
class CidrCollection:
    """A collection: location name → blocks."""

    id: str
    name: str
    locations: dict[str, tuple[Network, ...]]
    origin: Origin
