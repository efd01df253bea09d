"""How far an answer holds (RFC 7871): no client inside of its scope gets another one.

A cache that keeps an answer for a network gives it to every client there that asks as exactly as the one before, or
more exactly. So those are asked about: at the edges of every block that the configuration mentions, of the atlas, and
anywhere. The same seed each time takes chance out of it. What stands in the additional section is bound to no network
(RFC 7871 7.3.1).
"""

from __future__ import annotations

import random
from collections.abc import Iterator, Sequence
from dataclasses import replace
from ipaddress import ip_network

import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties.selection import Chooser, zone_for
from properties.selection_clients import IN_ATLAS, SOURCES, around, blocks_of, questions
from properties.selection_places import ATLAS, Network, in_atlas, mapped, plain
from properties.selection_reach import must_look, reached
from properties.selection_rows import client_of, world_of
from properties.selection_server import Heard, authority_of, explained, hear
from properties.selection_world import AWARE, Client, World
from properties.selection_zones import worlds
from properties.strategies import examples

from dnsemu.draws import Draws

ASKED_AGAIN = 10  # clients inside of a scope
REAL = tuple(  # addresses that the shipped database knows
    ip_network(block)
    for block in (
        *("8.8.8.0/24", "128.0.0.0/9", "31.13.0.0/17", "1.1.1.1/32", "64.0.0.0/2"),
        *("2a00:1450::/32", "2600::/12"),
    )
)
AROUND_ATLAS = around(IN_ATLAS)


def subnets(world: World, rng: random.Random, count: int) -> list[str]:
    """Client subnets at edges, in the atlas, of the real world, and such that say nothing."""
    edges = around(blocks_of(world)) or list(IN_ATLAS)
    four = [mapped(one) for one in (*edges, *IN_ATLAS) if one.version == 4]
    kinds = (edges, edges, AROUND_ATLAS, AROUND_ATLAS, REAL, four, ("", "0.0.0.0/0", "::/0"))
    return [str(rng.choice(rng.choice(kinds))) for _ in range(count)]


@examples(30)
@given(worlds(), st.integers(0, 1 << 32))
def test_a_scope_is_sound_and_says_whether_the_client_was_looked_at(world: World, seed: int) -> None:
    authority, rng = authority_of(world), random.Random(seed)
    edges = around(blocks_of(world))
    edges += [mapped(one) for one in edges if one.version == 4]
    for subnet, (name, rdtype) in zip(subnets(world, rng, 15), questions(world, rng, 15), strict=True):
        client = Client(rng.choice(SOURCES), subnet)
        first = hear(authority, client, name, rdtype, Draws(seed))
        assert is_echoed(world, client, name, rdtype, first), explained(world, client, name, rdtype, first)
        for other in others(client, first, [*edges, *rng.sample(AROUND_ATLAS, 200)], rng):
            again = hear(authority, replace(client, subnet=str(other)), name, rdtype, Draws(seed))
            assert again.outcome == first.outcome, explained(world, client, name, rdtype, (first, str(other), again))


def is_echoed(world: World, client: Client, name: str, rdtype: str, got: Heard) -> bool:
    """Whether the subnet comes back, if there was one; with scope 0 if nobody looked at it, else with another."""
    zone = zone_for(world, client, name)
    if not client.subnet or zone is None or zone.vpcs:
        return got.subnet is None
    asked = ip_network(client.subnet)
    if got.subnet is None or got.subnet[:2] != (str(asked.network_address), asked.prefixlen):
        return False
    aware = any(group.policy in AWARE for group in reached(replace(world, zones=(zone,)), name, rdtype))
    if not aware or not client.told:
        return got.subnet[2] == 0
    return got.subnet[2] > 0 or not must_look(Chooser(world, client, zone), name, rdtype)


def others(client: Client, first: Heard, edges: Sequence[Network], rng: random.Random) -> list[Network]:
    """Other client subnets that the answer is for."""
    if not client.told or first.subnet is None:
        return []
    asked, scope = ip_network(client.subnet), first.subnet[2]
    if scope > asked.prefixlen and is_coarse(asked, edges):
        return []
    covered = ip_network((str(asked.network_address), scope), strict=False)
    least = max(scope, asked.prefixlen)
    found = [*inside(covered, least, edges), *(anywhere(covered, least, rng) for _ in range(4))]
    return rng.sample(found, min(len(found), ASKED_AGAIN))


def is_coarse(asked: Network, edges: Sequence[Network]) -> bool:
    """Whether a longer block begins where the subnet does: then no scope can say for whom the answer is."""
    longer = any(edge.prefixlen > asked.prefixlen and asked.network_address in edge for edge in edges)
    one = plain(asked)
    smallest = ip_network((str(one.network_address), 24 if one.version == 4 else 48), strict=False)
    return longer or (smallest.prefixlen > one.prefixlen and in_atlas(smallest) is not None)


def inside(covered: Network, least: int, edges: Sequence[Network]) -> Iterator[Network]:
    """Networks at edges, each at least so long."""
    for edge in edges:
        if edge.version == covered.version and edge.network_address in covered:
            yield ip_network((str(edge.network_address), max(edge.prefixlen, least)), strict=False)


def anywhere(covered: Network, least: int, rng: random.Random) -> Network:
    """Any network inside of another, at least so long."""
    address = covered.network_address + rng.randrange(covered.num_addresses)
    return ip_network((str(address), rng.randint(least, covered.max_prefixlen)), strict=False)


GEO = "r geolocation: de DE -, us US -"
WITH_DEFAULT = "r geolocation: de DE -, all * -"
# client subnet, the least and the longest scope that is sound and of any use, lines
ROWS = {
    "W: nobody looks": ("DE", 0, 0, ("r weighted: A 1 -, B 1 -",)),
    "an alias to one that looks": ("DE", 24, 24, ("r simple: A 0 - ->g", GEO.replace("r", "g", 1))),
    "geolocation, matched": ("DE", 24, 24, (GEO,)),
    "geolocation, an address": (ATLAS["DE"][0].replace(".0/24", ".9/32"), 24, 24, (GEO,)),
    "geolocation, NODATA": ("FR", 24, 24, (GEO,)),
    "geolocation, the default": ("FR", 24, 24, (WITH_DEFAULT,)),
    "geolocation, IPv6": (ATLAS["DE"][1].replace("::/48", ":1::/64"), 48, 48, (GEO,)),
    "geoproximity": ("192.0.2.128/25", 24, 24, ("r geoproximity: A 1/0/0 -, B 2/0/0 -",)),
    "latency": ("DE", 24, 24, ("r latency: A eu-west-1 -, B eu-west-2 -",)),
    "latency, beside a block with latencies": (
        *("203.0.113.0/25", 25, 25),
        ("r latency: A eu-west-1 -, B eu-west-2 -",),
    ),
    "latency, in it": ("203.0.113.129/32", 26, 26, ("r latency: A eu-west-1 -, B eu-west-2 -",)),
    "IP-based, matched": ("2001:db8:7::/48", 36, 48, ("r ip-based: A wide -, B narrow -",)),
    "IP-based, the longer one": ("2001:db8:1234:5::/64", 48, 48, ("r ip-based: A wide -, B narrow -",)),
    "IP-based, IPv6 without mapped addresses": ("2001:db8:7::/48", 3, 48, ("r ip-based: A half -, D * -",)),
    "IP-based, too coarse": ("203.0.0.0/16", 18, 24, ("r ip-based: A office -, D * -",)),
    "IP-based, the default": ("203.0.114.0/24", 23, 24, ("r ip-based: A office -, D * -",)),
}


@pytest.mark.parametrize(("subnet", "least", "most", "lines"), ROWS.values(), ids=ROWS)
def test_rows(subnet: str, least: int, most: int, lines: tuple[str, ...]) -> None:
    got = hear(authority_of(world_of(lines)), client_of(subnet), "r.t.test.", "TXT", Draws(0))
    assert got.subnet
    assert least <= got.subnet[2] <= most
