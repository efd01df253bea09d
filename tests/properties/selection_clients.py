"""Clients that come near the edges of what a configuration says, and questions that reach all of it."""

from __future__ import annotations

import random
from collections.abc import Iterable
from ipaddress import IPv4Address, IPv6Address, ip_network

from properties.reference import is_below
from properties.selection import find
from properties.selection_places import ATLAS, Network, in_atlas, mapped
from properties.selection_world import Client, World, Zone
from properties.selection_zones import LATENCY_AREAS, PLACES

UNKNOWN = tuple(  # to the shipped database
    ip_network(block)
    for block in (
        *("0.0.0.0/8", "10.0.0.0/8", "127.0.0.0/8", "192.0.2.0/24", "198.18.0.0/15", "198.51.100.0/24"),
        *("203.0.113.0/24", "2001:db8::/32", "fd00::/8", "::/104"),
    )
)


SOURCES = (
    *("10.1.2.3", "10.1.200.4", "10.1.64.7", "10.2.0.9", "2001:db8:a::5", "127.0.0.1", "::1", "::ffff:10.1.0.9"),
    ATLAS["FR"][0].replace(".0/24", ".7"),
)
IN_ATLAS = tuple(ip_network(block) for place in PLACES for block in ATLAS[place])


def clients(world: World, rng: random.Random, count: int) -> list[Client]:
    """Clients at the edges of all blocks that matter, in the atlas, and nowhere; most with a client subnet."""
    near = [*around(blocks_of(world)), *around(rng.sample(IN_ATLAS, 3))]
    near = [network for network in near if is_foreseen(network)]
    return [Client(_source(rng, near), _subnet(rng, near)) for _ in range(count)]


def _source(rng: random.Random, near: list[Network]) -> str:
    """Where packets come from: VPCs, the loopback interface, anywhere."""
    last = ip_network(rng.choice(near)[-1])
    return str(last[0]) if rng.random() < 0.5 and is_foreseen(last) else rng.choice(SOURCES)


def _subnet(rng: random.Random, near: list[Network]) -> str:
    one = rng.choice((rng.choice(near), rng.choice(IN_ATLAS)))
    kind = rng.random()
    if kind < 0.3:
        return "" if kind < 0.2 else rng.choice(("0.0.0.0/0", "::/0"))
    return str(mapped(one) if kind < 0.4 and one.version == 4 else one)


def blocks_of(world: World) -> list[Network]:
    """Every block that the configuration mentions."""
    blocks = {block for them in world.collection.values() for block in them}
    blocks |= {location["cidr"] for location in world.locations} | {key for key in world.latencies if "/" in key}
    blocks |= {block for vpc in world.vpcs for block in vpc.blocks}
    return sorted({ip_network(block) for block in blocks}, key=str)


def around(blocks: Iterable[Network]) -> list[Network]:
    """Networks that touch the edges of blocks: their halves, ends and neighbours, and what they are halves of."""
    found: dict[Network, None] = {}
    for block in blocks:
        length, most = block.prefixlen, block.max_prefixlen
        for address in (block.network_address, block.broadcast_address):
            for longer in (-8, -1, 0, 1, 5, most):
                found[_network(int(address), min(max(length + longer, 1), most), block.version)] = None
        for beside in (int(block.network_address) - 1, int(block.broadcast_address) + 1):
            if 0 <= beside < 1 << most:
                found[_network(beside, max(length, 1), block.version)] = None
    return list(found)


def _network(address: int, length: int, version: int) -> Network:
    kind = IPv4Address if version == 4 else IPv6Address
    return ip_network((str(kind(address)), length), strict=False)


def is_foreseen(network: Network) -> bool:
    """Whether the shipped database says nothing about its first address, and no latency from there is estimated."""
    place = in_atlas(network)
    known = place is None or place.country in LATENCY_AREAS
    return known and any(network.network_address in block for block in UNKNOWN)


def questions(world: World, rng: random.Random, count: int) -> list[tuple[str, str]]:
    """Mostly what is there, one way or another; some that may not be."""
    known = [(group.name, group.type) for zone in world.zones for group in zone.groups]
    names = sorted({name for name, _ in known})
    names += [f"{label}.{zone.name}" for zone in world.zones for label in ("q", "q.b", "x.a", "b", "x.e")]
    strays = [(name, rdtype) for name in names for rdtype in ("A", "MX", "CNAME")]
    strays += [(name, rdtype) for name in names for zone in world.zones for rdtype in _types(zone, name)]
    return [rng.choice(known if rng.random() < 0.7 else strays) for _ in range(count)]


def _types(zone: Zone, name: str) -> Iterable[str]:
    return (find(zone, name) or {}) if is_below(name, zone.name) else ()
