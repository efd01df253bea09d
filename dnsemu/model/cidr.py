"""CIDR collections: the named address blocks of IP-based routing (behaviour 1.7)."""

from __future__ import annotations

from dataclasses import dataclass
from ipaddress import IPv4Network, IPv6Network, ip_network

from dnsemu.errors import Origin

Network = IPv4Network | IPv6Network


def unmapped_block(block: Network) -> Network:
    """The block of IPv4 addresses that one of IPv6 maps (`::ffff:192.0.2.0/120`), else the block itself."""
    if isinstance(block, IPv6Network) and block.prefixlen >= 96 and (mapped := block.network_address.ipv4_mapped):
        return ip_network((mapped, block.prefixlen - 96))
    return block


@dataclass(frozen=True, slots=True)
class CidrCollection:
    """A collection: location name → blocks."""

    id: str
    name: str
    locations: dict[str, tuple[Network, ...]]
    origin: Origin
