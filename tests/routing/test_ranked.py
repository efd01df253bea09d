"""The policies that put members in an order for a client: who comes first, who next, who never (2.2).

Healths are letters, H or U, in the order of the members; the last one in a row is who answers, `-` for nobody.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from routing.members import COLLECTION, chooser, client, world

from dnsemu.draws import Draws
from dnsemu.location import NOWHERE, Client, LatencyTables, Place
from dnsemu.routing import Chooser, Failover, Geolocation, Geoproximity, IpBased, Latency, Reason

MATCHED, DEFAULT, FAILOVER, LAST = Reason.MATCHED, Reason.DEFAULT, Reason.FAILOVER, Reason.ALL_UNHEALTHY
NO_MATCH = Reason.NO_MATCH


def taken(found: Chooser, who: Client) -> tuple[str, Reason]:
    """The letter of the member taken, and why."""
    choice = found.choose(who, Draws(0))
    return "".join(chr(ord("a") + member) for member in choice.members) or "-", choice.reason


# Failover


PRIMARY, SECONDARY = Failover("PRIMARY"), Failover("SECONDARY")
FAILOVERS: list[tuple[Sequence[Failover], str, str, Reason]] = [
    ((PRIMARY, SECONDARY), "HH", "a", MATCHED),
    ((PRIMARY, SECONDARY), "HU", "a", MATCHED),
    ((PRIMARY, SECONDARY), "UH", "b", FAILOVER),
    ((PRIMARY, SECONDARY), "UU", "a", LAST),
    ((SECONDARY, PRIMARY), "HH", "b", MATCHED),
    ((SECONDARY, PRIMARY), "HU", "a", FAILOVER),
    ((SECONDARY, PRIMARY), "UU", "b", LAST),
    ((PRIMARY,), "H", "a", MATCHED),
    ((PRIMARY,), "U", "a", LAST),
    ((SECONDARY,), "H", "a", MATCHED),
    ((SECONDARY,), "U", "a", LAST),
]


@pytest.mark.parametrize(("members", "healthy", "who", "why"), FAILOVERS)
def test_failover(members: Sequence[Failover], healthy: str, who: str, why: Reason) -> None:
    """The table of behaviour 1.4; a lone member always answers (F5)."""
    found = chooser(members, healthy)
    assert taken(found, client("DE")) == (who, why)
    assert found.choose(client("DE"), Draws(0)).scope == 0, "the client does not matter"


# Geolocation

WA, US, NA, DE, ALL = (
    Geolocation(None, "US", "WA"),
    Geolocation(None, "US", None),
    Geolocation("NA", None, None),
    Geolocation(None, "DE", None),
    Geolocation(None, "*", None),
)
OF_FOUR: list[tuple[str, str | Place, str, Reason]] = [  # US-WA, US, NA, *
    ("HHHH", "US-WA", "a", MATCHED),
    ("HHHH", "US-TX", "b", MATCHED),
    ("HHHH", "US", "b", MATCHED),
    ("HHHH", "CA", "c", MATCHED),
    ("HHHH", "PR", "c", MATCHED),  # G8: a territory is a country
    ("HHHH", "FR", "d", DEFAULT),
    ("HHHH", NOWHERE, "d", DEFAULT),
    ("HHHH", Place(coordinates=(47.6, -122.3)), "d", DEFAULT),
    ("HHHH", Place("NA"), "c", MATCHED),
    ("UHHH", "US-WA", "b", FAILOVER),
    ("UUHH", "US-WA", "c", FAILOVER),
    ("UUUH", "US-WA", "d", FAILOVER),
    ("UUUU", "US-WA", "a", LAST),
    ("UHHH", "US-TX", "b", MATCHED),
    ("HUUU", "US-TX", "b", LAST),  # never the member for another place (G10)
    ("HHHU", "FR", "d", LAST),
]


@pytest.mark.parametrize(("healthy", "place", "who", "why"), OF_FOUR)
def test_geolocation(healthy: str, place: str | Place, who: str, why: Reason) -> None:
    found = chooser((WA, US, NA, ALL), healthy)
    assert taken(found, client(place)) == (who, why)
    assert found.choose(client(place, scope=17), Draws(0)).scope == 17


@pytest.mark.parametrize(
    ("members", "place", "who"),
    [
        ((WA, NA), "US", "b"),  # A26
        ((WA, DE), "US", "-"),  # G7
        ((WA, DE), NOWHERE, "-"),  # G5
        ((DE, WA), Place("EU", "DE"), "a"),
        ((DE,), Place("EU"), "-"),
    ],
)
def test_geolocation_without_a_default(members: Sequence[Geolocation], place: str | Place, who: str) -> None:
    found = chooser(members, "U" * len(members))
    assert taken(found, client(place)) == (who, LAST if who != "-" else NO_MATCH)
    assert found.choose(client(place, scope=13), Draws(0)).scope == 13, "CS4: who gets nothing is not everybody"


# Latency

LATENCIES = LatencyTables(
    areas={
        ("DE", None): {"eu-west-1": 25, "eu-central-1": 8, "us-east-1": 90, "cn-north-1": 1},
        ("CN", None): {"eu-west-1": 5, "eu-central-1": 6, "us-east-1": 7, "cn-north-1": 300},
        ("FR", None): {"eu-west-1": 10.04, "eu-central-1": 9.96, "us-east-1": 10.06, "cn-north-1": 10.0},
    }
)
REGIONS = [Latency(region) for region in ("us-east-1", "eu-west-1", "eu-central-1", "cn-north-1")]
BY_LATENCY: list[tuple[str, str | Place, str, Sequence[str] | None, str, Reason]] = [
    ("L2", "DE", "HHHU", None, "c", FAILOVER),
    ("L6", "DE", "HHUU", None, "b", FAILOVER),
    ("L6, last resort", "DE", "UUUU", None, "d", LAST),
    ("L5", "CN", "HHHH", None, "d", MATCHED),
    ("L5 beats no health", "CN", "HHHU", None, "b", FAILOVER),
    ("L9, R19: equal to 0.1 ms", "FR", "HHHH", None, "b", MATCHED),
    ("L9 by bytes", "FR", "HHHH", ("a", "é", "b", "Z"), "d", MATCHED),
    ("L9 by bytes, upper case first", "FR", "HHHU", ("a", "b", "B", "Z"), "c", MATCHED),
    ("nobody knows where", NOWHERE, "HHHH", ("b", "10", "9", "a"), "b", MATCHED),
    ("nobody knows where, next", NOWHERE, "HUHH", ("b", "10", "9", "a"), "c", FAILOVER),
]


@pytest.mark.parametrize(("rule", "place", "healthy", "names", "who", "why"), BY_LATENCY)
def test_latency(
    rule: str, place: str | Place, healthy: str, names: Sequence[str] | None, who: str, why: Reason
) -> None:
    found = chooser(REGIONS, healthy, world(latencies=LATENCIES), names)
    assert taken(found, client(place)) == (who, why)
    assert found.choose(client(place, scope=19), Draws(0)).scope == 19


def test_latency_by_the_model() -> None:
    found = chooser(REGIONS, "HHHH")
    assert [taken(found, client(place))[0] for place in ("US-VA", "IE", "AT", "JP", "CN")] == [
        "a",
        "b",
        "c",
        "d",
        "d",
    ]


PRIVATE: list[tuple[str, str | None, str | Place, str, str]] = [
    ("the region of the VPC", "eu-central-1", "eu-central-1", "HHHH", "c"),
    ("even if another one is just as near", "us-east-1", "eu-west-1", "HHHH", "a"),
    ("the nearest", "eu-west-2", "eu-west-2", "HHHH", "b"),
    ("the next if that is unhealthy", "eu-central-1", "eu-central-1", "HHUH", "b"),
    ("a VPC without a region: by where the client is", None, "AT", "HHHH", "c"),
    ("a VPC without a region, and nobody knows where", None, NOWHERE, "HHHH", "a"),
    ("China is no exception", None, "CN", "HHHH", "d"),
]


@pytest.mark.parametrize(("why", "region", "place", "healthy", "who"), PRIVATE)
def test_latency_in_a_private_zone(why: str, region: str | None, place: str | Place, healthy: str, who: str) -> None:
    """L7: distance, not latency."""
    found = chooser(REGIONS, healthy, world(private=True, latencies=LATENCIES))
    assert taken(found, client(place, region=region))[0] == who


# Geoproximity


def at(north: float, east: float, bias: int = 0) -> Geoproximity:
    return Geoproximity(None, None, (north, east), bias)


NEAR, FAR = at(0.0, 0.0), at(0.0, 3.0)
BY_DISTANCE: list[tuple[str, Sequence[Geoproximity], float, bool, str]] = [  # the client is on the equator, east
    ("P4", (NEAR, FAR), 1.4, False, "a"),
    ("P4", (NEAR, FAR), 1.6, False, "b"),
    ("A18: a tie", (FAR, NEAR), 1.5, False, "a"),
    ("P5: 2 degrees halved beat 1.5", (at(0, 0, 50), at(0, 3.5)), 2.0, False, "a"),
    ("P5: and do not beat 0.9", (at(0, 0, 50), at(0, 2.9)), 2.0, False, "b"),
    ("P5: 1 degree made 1.5", (at(0, 0, -50), at(0, 2.6)), 1.0, False, "a"),
    ("P6: 1 degree made 2", (at(0, 0, -50), at(0, 2.9)), 1.0, True, "b"),
    ("P6: a positive bias is the same", (at(0, 0, 50), at(0, 3.5)), 2.0, True, "a"),
    ("-99 is not the end", (at(0, 0, -99), at(0, 90)), 1.0, False, "a"),
    ("-99 was nearly", (at(0, 0, -99), at(0, 90)), 1.0, True, "b"),
    ("over the date line", (at(0, 179.9), at(0, 178.0)), -179.9, False, "a"),
]


@pytest.mark.parametrize(("rule", "members", "east", "legacy", "who"), BY_DISTANCE)
def test_geoproximity(rule: str, members: Sequence[Geoproximity], east: float, legacy: bool, who: str) -> None:
    found = chooser(members, "H" * len(members), world(legacy=legacy))
    assert taken(found, client(Place(coordinates=(0.0, east)))) == (who, MATCHED)


def test_geoproximity_and_health() -> None:
    """P9; a client that is nowhere gets the lowest set identifier (P10)."""
    here, members = client(Place(coordinates=(0.0, 1.0)), scope=33), (FAR, NEAR, at(0, 9))
    for healthy, who in (("HHH", "b"), ("HUH", "a"), ("UUH", "c"), ("UUU", "b")):
        assert taken(chooser(members, healthy), here)[0] == who
    found = chooser(members, "HHH", identifiers=("c", "b", "B"))
    assert taken(found, client())[0] == "c"
    assert found.choose(here, Draws(0)).scope == 33


@pytest.mark.parametrize(
    ("policy", "place"),
    [
        (Geoproximity("eu-west-1", None, None), "IE"),
        (Geoproximity(None, "us-west-2-den-1", None), "US-CO"),
        (at(52.52, 13.4), "DE"),
    ],
)
def test_geoproximity_sites(policy: Geoproximity, place: str) -> None:
    others = (Geoproximity("ap-south-1", None, None), policy, Geoproximity("sa-east-1", None, None))
    assert taken(chooser(others, "HHH"), client(place)) == ("b", MATCHED)


# IP-based

BLOCKS = {
    "wide": ("203.0.0.0/16", "2001:db8::/32"),
    "narrow": ("203.0.113.0/24", "2001:db8:1234::/48"),
    "unused": ("203.0.113.0/26",),
}
W, N, O, F, REST = (IpBased(COLLECTION, name) for name in ("wide", "narrow", "other", "far", "*"))  # noqa: E741
BY_BLOCK: list[tuple[str, Sequence[Any], str, str, str, Reason, int]] = [
    ("I7", (W, N, REST), "HHH", "203.0.113.7/32", "b", MATCHED, 24),
    ("I6", (W, N, REST), "HHH", "203.0.113.0/24", "b", MATCHED, 24),
    ("I6: coarse", (W, N, REST), "HHH", "203.0.112.0/23", "a", MATCHED, 24),
    ("I6: coarser", (W, N, REST), "HHH", "203.0.0.0/16", "a", MATCHED, 18),
    ("I6: coarsest", (W, N, REST), "HHH", "203.0.0.0/15", "c", DEFAULT, 18),
    ("default", (W, N, REST), "HHH", "192.0.2.0/24", "c", DEFAULT, 5),
    ("I10", (W, N), "HH", "192.0.2.0/24", "-", NO_MATCH, 5),
    ("I11", (W, N, REST), "HUH", "203.0.113.7/32", "a", FAILOVER, 24),
    ("I11: next", (W, N, REST), "UUH", "203.0.113.7/32", "c", FAILOVER, 24),
    ("I11: last resort", (W, N, REST), "UUU", "203.0.113.7/32", "b", LAST, 24),
    ("I11: others never", (W, N, REST), "HHU", "192.0.2.0/24", "c", LAST, 5),
    ("I9: a location that nobody names", (W, N), "HH", "203.0.113.1/32", "b", MATCHED, 24),
    ("IPv6, first of the guide's examples", (W, REST), "HH", "2001:db8:1234::/48", "a", MATCHED, 32),
    ("IPv6, second", (N, REST), "HH", "2001:db8::/32", "b", DEFAULT, 36),
    ("the default alone", (REST,), "H", "192.0.2.0/24", "a", DEFAULT, 1),
    ("a location without blocks", (O, REST), "HH", "192.0.2.0/24", "b", DEFAULT, 1),
    ("families are apart, and mapped addresses are IPv4", (N,), "H", "::/1", "-", NO_MATCH, 81),
]


@pytest.mark.parametrize(("rule", "members", "healthy", "subnet", "who", "why", "scope"), BY_BLOCK)
def test_ip_based(
    rule: str, members: Sequence[IpBased], healthy: str, subnet: str, who: str, why: Reason, scope: int
) -> None:
    found = chooser(members, healthy, world(collection={**BLOCKS, "other": ()}))
    assert taken(found, client(subnet=subnet)) == (who, why)
    assert found.choose(client(subnet=subnet), Draws(0)).scope == scope


# All of them


@pytest.mark.parametrize(
    ("members", "scope"),
    [
        ((W, REST), 16 + 96),
        ((ALL,), 20 + 96),
        ((Latency("eu-west-1"),), 20 + 96),
        ((NEAR,), 20 + 96),
        ((PRIMARY,), 0),
    ],
)
def test_the_scope_of_a_mapped_client_is_that_of_the_address_as_it_was_given(
    members: Sequence[Any], scope: int
) -> None:
    who = client("DE", subnet="::ffff:203.0.113.0/120")
    assert chooser(members, "H" * len(members), world(collection=BLOCKS)).choose(who, Draws(0)).scope == scope


def test_what_is_said() -> None:
    """For people, a clause each."""
    rows: list[tuple[Chooser, Client, list[str]]] = [
        (chooser((SECONDARY, PRIMARY), "HH"), client(), ["SECONDARY", "PRIMARY"]),
        (
            chooser((WA, NA, ALL), "HHH"),
            client("US-TX"),
            [
                "US-WA: the client is not in Washington, United States",
                "continent NA: the client is in North America",
                "country *, for every client",
            ],
        ),
        (chooser((NEAR, at(0, 2, 50)), "HH"), client(Place(coordinates=(0.0, 1.0))), GEOPROXIMITY_SAID),
        (chooser((NEAR,), "H"), client(), ["0, 0, and nobody knows where the client is"]),
        (
            chooser(REGIONS[:2], "HH"),
            client(),
            ["us-east-1: nobody knows how far", "eu-west-1: nobody knows how far"],
        ),
        (chooser(REGIONS[1:], "HHH", world(latencies=LATENCIES)), client("CN"), LATENCY_SAID),
        (chooser(REGIONS[:2], "HH", world(private=True)), client("IE", region="eu-west-1"), PRIVATE_SAID),
        (chooser((W, N, O, F, REST), "HHHHH", world(collection=SAID_OF)), client(subnet="203.0.112.0/23"), IP_SAID),
    ]
    for found, who, words in rows:
        assert [verdict.why for verdict in found.judge(who)] == words


GEOPROXIMITY_SAID = ["0, 0: 111 km", "0, 2: 111 km, bias +50: 56 km"]
LATENCY_SAID = ["eu-west-1: 5 ms", "eu-central-1: 6 ms", "cn-north-1: 300 ms, first for clients in China"]
PRIVATE_SAID = ["us-east-1: 5,423 km", "eu-west-1: the region of the VPC"]
SAID_OF = {
    "wide": ("203.0.0.0/16",),
    "narrow": ("203.0.112.0/24",),
    "other": ("203.0.113.0/24",),
    "far": ("10.0.0.0/8",),
}
IP_SAID = [
    "location wide: a /16 around the client",
    "location narrow: a /24 around the client, longer than the client's /23",
    "location other: only a part of the client",
    "location far: no block around the client",
    "location *, for every client",
]


def test_nothing_is_drawn() -> None:
    class Nothing(Draws):
        def next(self, key: bytes) -> int:
            raise AssertionError("chance has no say here")

    for members in ((PRIMARY,), (ALL,), (NEAR,), (Latency("eu-west-1"),), (REST,)):
        assert chooser(members, "H").choose(client("DE"), Nothing(0)).members == (0,)
