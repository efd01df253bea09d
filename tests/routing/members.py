"""Groups, clients and the world around them as plain values, for choosers that are called directly."""

from __future__ import annotations

from collections.abc import Sequence
from ipaddress import ip_network
from typing import Any, cast

from location.shipped import LATENCIES, text_of

from dnsemu.draws import Draws
from dnsemu.errors import Origin
from dnsemu.location import (
    NOWHERE,
    Client,
    Geography,
    LatencyTables,
    Located,
    Locator,
    Place,
    read_geography,
)
from dnsemu.model import CidrCollection, RecordSet, Type
from dnsemu.routing import Chooser, World

HERE = Origin("a test")
COLLECTION = "corp"
KEY = b"key"


def geography() -> Geography:
    """Without the atlas: where clients are is said by each test."""
    return read_geography(lambda name: "" if name == "atlas.csv" else text_of(name))


GEOGRAPHY = geography()
LOCATOR = Locator(GEOGRAPHY, LATENCIES)


def world(
    *,
    collection: dict[str, Sequence[str]] | None = None,
    legacy: bool = False,
    private: bool = False,
    latencies: LatencyTables | None = None,
) -> World:
    """What policies look at beside the group and the client. `collection`: location → blocks."""
    locator = Locator(GEOGRAPHY, LATENCIES, latencies=latencies) if latencies else LOCATOR
    blocks = {name: tuple(map(ip_network, its)) for name, its in (collection or {}).items()}
    collections = {COLLECTION: CidrCollection(COLLECTION, COLLECTION, blocks, HERE)}
    return World(lambda: locator, collections, legacy_bias=legacy, private=private)


WORLD = world()


def chooser(
    policies: Sequence[Any],
    healthy: Sequence[bool] | str,
    around: World = WORLD,
    identifiers: Sequence[str] | None = None,
) -> Chooser:
    """The chooser of a group of these policies. `healthy`: also as `HHU`. Identifiers are a, b, c … if not said."""
    names = identifiers or [chr(ord("a") + number) for number in range(len(policies))]
    members = [
        RecordSet(b"\0", Type.A, HERE, set_identifier=name, policy=policy)
        for name, policy in zip(names, policies, strict=True)
    ]
    states = tuple(letter == "H" for letter in healthy) if isinstance(healthy, str) else tuple(healthy)
    return cast("Chooser", policies[0].chooser(members, states, KEY, around))


class Says:
    """Says where everybody is."""

    def __init__(self, located: Located) -> None:
        self._located = located

    def locate(self, client: Client) -> Located:
        return self._located


def client(
    place: Place | str = NOWHERE, subnet: str = "192.0.2.0/24", scope: int = 20, region: str | None = None
) -> Client:
    """Somebody at a place, given as `DE`, `US-WA`, `eu-west-1` too, whom the atlas and the database do not know."""
    network = ip_network(subnet)
    where = place_of(place) if isinstance(place, str) else place
    says = Says(Located(where, scope, "a test", region))
    return Client(lambda: says, network.network_address.packed, network.prefixlen)


def place_of(code: str) -> Place:
    """A country, a state or a region."""
    country, _, rest = code.partition("-")
    if not rest:
        return GEOGRAPHY.of_country(code)
    return GEOGRAPHY.of_region(code) if country.islower() else GEOGRAPHY.of_subdivision(country, rest)


class Fixed(Draws):
    """Draws that are all the same number."""

    def __init__(self, number: int) -> None:
        super().__init__(0)
        self.number = number
        self.keys: list[bytes] = []

    def next(self, key: bytes) -> int:
        self.keys.append(key)
        return self.number
