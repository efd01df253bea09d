"""Rows about choosing: small zones in a notation of their own, and who must answer.

A line is a group, `name policy: member, member …`; a member is `identifier rule health target`:

    rule      weight; region; P or S; EU:, NO, US-WA or * (geolocation); latitude/longitude/bias; location; +
    health    H healthy, U unhealthy, - without a health check
    target    nothing; ->name an alias; =>name an alias that evaluates its target's health

Members without a target have their identifier as a TXT value. `R1 1/3, R2 2/3` is an expectation, `` is NODATA.
"""

from __future__ import annotations

import re
from fractions import Fraction
from typing import Any

from properties.selection_places import ATLAS
from properties.selection_world import COLLECTION, Client, Group, Member, World, Zone

APEX = "t.test."
CHECKS = {"healthy": True, "unhealthy": False}
_CHECK_OF = {"H": "healthy", "U": "unhealthy", "-": ""}


def groups(*lines: str) -> tuple[Group, ...]:
    """The groups of some lines."""
    found = []
    for line in lines:
        head, members = line.split(": ", 1)
        name, policy = head.split()
        parts = [_member(policy, part.split()) for part in members.split(", ")]
        found.append(Group(f"{name}.{APEX}", "TXT", policy, tuple(parts)))
    return tuple(found)


def _member(policy: str, words: list[str]) -> Member:
    identifier, rule, health, target = (*words, "")[:4]
    check = _CHECK_OF[health]
    if target:
        name = f"{target[2:]}.{APEX}"
        return Member(identifier, _rule(policy, rule), check, alias=name, evaluate=target[0] == "=")
    return Member(identifier, _rule(policy, rule), check, values=(f'"{identifier}"',))


def _rule(policy: str, text: str) -> Any:
    if policy == "weighted":
        return {"weight": int(text)}
    if policy == "latency":
        return {"region": text}
    if policy == "failover":
        return {"type": {"P": "PRIMARY", "S": "SECONDARY"}[text]}
    if policy == "geolocation":
        return area(text)
    if policy == "geoproximity":
        north, east, bias = text.split("/")
        return {"coordinates": {"latitude": north, "longitude": east}, "bias": int(bias)}
    if policy == "ip-based":
        return {"collection_id": COLLECTION, "location_name": text}
    return True if policy == "multivalue" else None


def area(text: str) -> dict[str, str]:
    """`EU:` is a continent, `US-WA` a state, `*` everywhere."""
    if text.endswith(":"):
        return {"continent": text[:-1]}
    country, dash, subdivision = text.partition("-")
    return {"country": country, "subdivision": subdivision} if dash else {"country": country}


def expected(text: str) -> dict[frozenset[str], Fraction]:
    """Sets of identifiers with their probability: `A 1/2, B 1/2`; `A+B` is both at once, `A` alone is certain."""
    if not text:
        return {frozenset(): Fraction(1)}
    pairs = (re.fullmatch(r"(\S+)(?: (\S+))?", part) for part in text.split(", "))
    return {frozenset(pair[1].split("+")): Fraction(pair[2] or 1) for pair in pairs if pair}


def world_of(lines: tuple[str, ...]) -> World:
    """A row's groups, and what they look at."""
    latencies = {
        "US": {"us-east-1": 20, "ap-southeast-2": 200},
        "CN": {"cn-north-1": 50, "ap-northeast-1": 10},
        "DE": {"eu-west-1": 20.04, "eu-west-2": 19.96},
        "US-WA": {"us-east-1": 60, "ap-southeast-2": 50},
        "203.0.113.128/26": {"eu-west-1": 10, "eu-west-2": 20},
    }
    collection = {"wide": ("2001:db8::/32",), "narrow": ("2001:db8:1234::/48",), "office": ("203.0.113.0/24",)}
    collection["half"] = ("128.0.0.0/1",)
    near = {"cidr": "2001:db8:1180::/44", "latency": {"us-east-1": 1}}
    north = {"cidr": "192.0.2.0/24", "coordinates": {"latitude": "0", "longitude": "0"}, "latency": {"us-east-1": 1}}
    zone = Zone("t.test.", groups(*lines))
    return World((zone,), CHECKS, collection=collection, locations=(north, near), latencies=latencies)


def client_of(text: str) -> Client:
    """A place of the atlas, a client subnet, the place of the row above, or nobody known."""
    return Client(subnet={"north": "192.0.2.0/24", "": ""}.get(text) or (ATLAS[text][0] if text in ATLAS else text))


TRUTH = {  # 1.2: weights 1, 1, 0
    "HHH": "R1 1/2, R2 1/2",
    "HHU": "R1 1/2, R2 1/2",
    "UHU": "R2",
    "UUH": "R3",
    "UUU": "R1 1/2, R2 1/2",
    "HH-": "R1 1/2, R2 1/2",
    "UH-": "R2",
    "UU-": "R3",
}
GEO = "r geolocation: wa US-WA {}, us US {}, na NA: {}, all * {}"
TREE = (  # 2.4, figure of scenarios 1 to 5
    "r latency: near us-east-1 {} {}w, far ap-southeast-2 - =>v",
    "w weighted: a 1 {}, b 3 {}",
    "v weighted: c 1 H, d 1 U",
)


def tree(health: str = "-", arrow: str = "=>", a: str = "U", b: str = "U") -> tuple[str, ...]:
    """The figure, with the health of the nearer branch and of what is in it."""
    return TREE[0].format(health, arrow), TREE[1].format(a, b), TREE[2]


# rule, client, what is expected of r, lines
ROWS: list[tuple[str, str, str, tuple[str, ...]]] = [
    *(
        (f"1.2 {states}", "", wanted, ("r weighted: R1 1 {}, R2 1 {}, R3 0 {}".format(*states),))
        for states, wanted in TRUTH.items()
    ),
    ("W2", "", "A 1/256, B 255/256", ("r weighted: A 1 -, B 255 -",)),
    ("W3", "", "A", ("r weighted: A 1 -, B 0 -",)),
    ("W4", "", "A 1/3, B 1/3, C 1/3", ("r weighted: A 0 -, B 0 -, C 0 -",)),
    ("W6", "", "A 1/3, B 2/3", ("r weighted: A 10 H, B 20 H, C 20 U",)),
    ("W7", "", "B 1/2, C 1/2", ("r weighted: A 1 U, B 0 H, C 0 -, D 0 U",)),
    ("W8", "", "A 1/3, B 2/3", ("r weighted: A 1 U, B 2 U, C 0 U",)),
    ("W12", "", "B", ("r weighted: A 1 - =>x, B 0 -", "x simple: X 0 U")),
    ("A9 some healthy", "", "A 1/2, C 1/2", ("r weighted: A 0 H, B 0 U, C 0 -",)),
    ("A9 all unhealthy", "", "A 1/2, B 1/2", ("r weighted: A 0 U, B 0 U",)),
    ("A11", "", "X", ("r failover: P P - =>x, S S -", "x weighted: X 0 H, Y 5 U")),
    (
        "1.2 trees",
        "",
        "A 1/4, B 1/2, C 1/4",
        ("r weighted: X 3 - ->x, C 1 -", "x weighted: A 1 -, B 2 -"),
    ),
    ("1.4 row 1", "", "P", ("r failover: P P H, S S H",)),
    ("1.4 row 1, no HC", "", "X", ("r failover: P P - =>x, S S -", "x simple: X 0 -")),
    ("1.4 row 2", "", "S", ("r failover: P P U, S S H",)),
    ("1.4 row 3", "", "S", ("r failover: P P U, S S -",)),
    ("1.4 row 4", "", "P", ("r failover: P P U, S S U",)),
    ("1.4 row 5", "", "S", ("r failover: S S U",)),
    ("F5", "", "P", ("r failover: P P U",)),
    ("1.5 Seattle", "US-WA", "wa", (GEO.format(*"HHHH"),)),
    ("1.5 Texas", "US-TX", "us", (GEO.format(*"HHHH"),)),
    ("1.5 no state", "US", "us", (GEO.format(*"HHHH"),)),
    ("1.5 Canada", "CA", "na", (GEO.format(*"HHHH"),)),
    ("1.5 France", "FR", "all", (GEO.format(*"HHHH"),)),
    ("1.5 unmapped", "", "all", (GEO.format(*"HHHH"),)),
    ("1.5 France without *", "FR", "", ("r geolocation: us US -, na NA: -",)),
    ("G5 unmapped without *", "", "", ("r geolocation: us US -, na NA: -",)),
    ("1.5 WA unhealthy", "US-WA", "us", (GEO.format(*"UHHH"),)),
    ("1.5 WA, US unhealthy", "US-WA", "na", (GEO.format(*"UUHH"),)),
    ("1.5 all but * unhealthy", "US-WA", "all", (GEO.format(*"UUUH"),)),
    ("1.5 all unhealthy", "US-WA", "wa", (GEO.format(*"UUUU"),)),
    ("G8", "PR", "na", (GEO.format(*"HHHH"),)),
    ("G10 never another place's", "FR", "fr", ("r geolocation: fr FR U, de DE H",)),
    ("G6, A26", "US", "na", ("r geolocation: wa US-WA -, na NA: -, all * -",)),
    ("A27", "US-WA", "all", ("r geolocation: wa US-WA U, us US U, all * -",)),
    ("G1 Crimea", "UA-11", "ua", ("r geolocation: ru RU -, ua UA-11 -",)),
    ("1.5 codes of both kinds", "NA", "af", ("r geolocation: na NA: -, af AF: -",)),
    ("P5 +50", "north", "B", ("r geoproximity: A 0.9/0/0 -, B 1.35/0/50 -",)),
    ("P5 -50", "north", "A", ("r geoproximity: A 0.9/0/-50 -, B 1.62/0/0 -",)),
    ("P9", "north", "B", ("r geoproximity: A 0.1/0/0 U, B 9/0/0 H",)),
    ("P9 all", "north", "A", ("r geoproximity: A 0.1/0/0 U, B 9/0/0 U",)),
    ("A18", "north", "A", ("r geoproximity: a 1/0/0 -, A -1/0/0 -",)),
    ("A19", "", "A", ("r geoproximity: a 1/0/0 -, A 50/50/0 -",)),
    ("1.7 first", "2001:db8:1234::/48", "A", ("r ip-based: A wide -, D * -",)),
    ("1.7 second", "2001:db8::/32", "D", ("r ip-based: A narrow -, D * -",)),
    ("I6", "203.0.0.0/16", "D", ("r ip-based: A office -, D * -",)),
    ("I6 at the edge", "2001:db8:1234::/47", "A", ("r ip-based: A wide -, B narrow -, D * -",)),
    ("I7", "2001:db8:1234:5::/64", "B", ("r ip-based: A wide -, B narrow -, D * -",)),
    ("I9", "2001:db8:1234:5::/64", "A", ("r ip-based: A wide -, D * -",)),
    ("I10", "203.0.0.0/16", "", ("r ip-based: A office -",)),
    ("I11 next", "2001:db8:1234:5::/64", "A", ("r ip-based: A wide -, B narrow U, D * -",)),
    ("I11 all", "2001:db8:1234:5::/64", "B", ("r ip-based: A wide U, B narrow U, D * U",)),
    ("M1", "", "A+B+C", ("r multivalue: A + H, B + -, C + -, D + U",)),
    ("M4", "", "A+B", ("r multivalue: A + U, B + U",)),
    ("L2", "US-VA", "near", ("r latency: near us-east-1 H, far ap-southeast-2 H",)),
    ("5: the smallest area's latencies", "US-WA", "far", ("r latency: near us-east-1 H, far ap-southeast-2 H",)),
    ("5: the block's latencies", "203.0.113.129/32", "A", ("r latency: A eu-west-1 -, B eu-west-2 -",)),
    ("5: an atlas block longer than the client", "2001:db8:1180::/45", "D", ("r geolocation: A CA -, D * -",)),
    ("5: a block longer than the client", "203.0.113.128/25", "B", ("r latency: b eu-west-1 -, B eu-west-2 -",)),
    ("L6", "US-VA", "far", ("r latency: near us-east-1 U, far ap-southeast-2 H",)),
    ("L6 all", "US-VA", "near", ("r latency: near us-east-1 U, far ap-southeast-2 U",)),
    ("L5", "CN", "cn", ("r latency: cn cn-north-1 H, jp ap-northeast-1 H",)),
    ("L5, L6", "CN", "jp", ("r latency: cn cn-north-1 U, jp ap-northeast-1 H",)),
    ("L9, R19", "DE", "A", ("r latency: a eu-west-2 -, A eu-west-1 -",)),
    ("2.4 scenario 1", "US-VA", "c", tree()),
    ("2.4 scenario 2", "US-VA", "a 1/4, b 3/4", tree(arrow="->")),
    ("2.4 scenario 3", "US-VA", "b", tree(b="-")),
    ("2.4 scenario 4", "US-VA", "c", tree("U", a="H", b="H")),
    ("2.4 scenario 5", "US-VA", "a 1/4, b 3/4", (*tree()[:2], "v weighted: c 1 U, d 1 U")),
    (
        "2.4 scenario 6, one left",
        "",
        "b",
        ("r failover: p P - =>w, s S -", "w weighted: a 1 U, b 1 H, c 1 U"),
    ),
    ("2.4 scenario 6", "", "s", ("r failover: p P - =>w, s S -", "w weighted: a 1 U, b 1 U, c 1 U")),
    ("R5 never hidden", "", "x", ("r simple: x 0 U",)),
    ("R5 counts", "", "S", ("r failover: P P - =>x, S S -", "x simple: x 0 U")),
    ("R7", "FR", "", ("r failover: P P - =>g, S S -", "g geolocation: de DE -")),
    ("H9 check", "", "S", ("r failover: P P U =>x, S S -", "x simple: x 0 H")),
    ("H10", "", "x", ("r weighted: A 1 H ->x, B 0 H", "x simple: x 0 U")),
    ("H12", "", "b", ("r failover: P P - =>w, S S -", "w weighted: a 9 U, b 1 -")),
    ("H13", "FR", "fr", ("r failover: P P - =>g, S S U", "g geolocation: fr FR U, all * U")),
]
