"""Where a client is taken to be, on whose word, and for whom else that holds (surface: who asks, and from where)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import IPv6Network, ip_address, ip_network
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from location.shipped import GEOGRAPHY, LATENCIES, text_of
from properties.strategies import examples

from dnsemu.location import (
    NAMED_PLACES,
    NOWHERE,
    Client,
    Known,
    LatencyTables,
    Located,
    Locator,
    Place,
    named_place,
    read_geography,
)

JAPAN, NORWAY, FRANCE = (GEOGRAPHY.of_country(code) for code in ("JP", "NO", "FR"))
VIRGINIA, IRELAND = GEOGRAPHY.of_subdivision("US", "VA"), GEOGRAPHY.of_region("eu-west-1")
EUROPE, BERLIN = Place("EU"), Place(coordinates=(52.52, 13.4))
GERMAN = {"country": {"iso_code": "DE"}}
GERMANY = GEOGRAPHY.of_country("DE")
TABLE = {"eu-west-1": 5.0}


class Stub:
    """A database of addresses: records by prefix of the text of an address; counts what it is asked."""

    def __init__(self, records: Mapping[str, tuple[Any, int]]) -> None:
        self._records = records
        self.asked: list[str] = []

    def __call__(self, address: str) -> tuple[Any, int]:
        self.asked.append(address)
        found = [self._records[prefix] for prefix in self._records if address.startswith(prefix)]
        return found[0] if found else (None, 8)


DATABASE = {"203.0.": (GERMAN, 17), "10.": (GERMAN, 9), "2001:0db8:aaaa": (GERMAN, 44)}


def known(place: Place | None, word: str, region: str | None = None, latency: Any = None) -> Known:
    return Known(place, word, region, latency)


def blocks(rows: Mapping[str, Known]) -> list[tuple[Any, Known]]:
    return [(ip_network(block), what) for block, what in rows.items()]


WRITTEN = {
    "198.51.100.0/24": known(JAPAN, "office"),
    "198.51.100.128/25": known(NORWAY, "floor"),
    "198.51.100.192/26": known(None, "latencies alone", latency=TABLE),
    "198.18.74.0/25": known(JAPAN, "over the atlas"),  # the lower half of France
    "10.2.0.0/17": known(JAPAN, "over a VPC"),
    "203.0.113.0/24": known(EUROPE, "a continent"),
    "203.0.112.0/24": known(BERLIN, "coordinates"),
    "2001:db8:1038:8000::/49": known(None, "latencies in Germany", latency=TABLE),
}
VPC = known(IRELAND, "vpc-a in eu-west-1", "eu-west-1")
VPCS = [
    ("vpc-a", VPC, [ip_network(block) for block in ("10.2.0.0/16", "198.18.74.0/24")]),
    ("vpc-b", known(None, "vpc-b"), [ip_network("10.3.0.0/16")]),
]


def locator(
    *, default: Place | None = None, latencies: LatencyTables | None = None, database: Any = None, written: Any = None
) -> Locator:
    rows = blocks(WRITTEN if written is None else written)
    return Locator(GEOGRAPHY, LATENCIES, rows, VPCS, database or Stub(DATABASE), default, latencies)


WITHOUT_ATLAS = read_geography(lambda name: "" if name == "atlas.csv" else text_of(name))


def with_database(record: Any, prefix: int, default: Place | None = None, written: Any = ()) -> Locator:
    """Who knows nothing but what a database says of everybody."""
    return Locator(WITHOUT_ATLAS, LATENCIES, written, database=Stub({"": (record, prefix)}), default=default)


def client_of(where: Locator, text: str, vpc_id: str | None = None) -> Client:
    """A client from `198.51.100.7` or `198.51.100.0/24`."""
    network = ip_network(text, strict=False)
    client = Client(lambda: where, network.network_address.packed, network.prefixlen)
    client.vpc_id = vpc_id
    return client


def said(found: Located) -> tuple[Place, int, str]:
    return found.place, found.scope, found.word


def located(where: Locator, text: str, vpc_id: str | None = None) -> Located:
    return client_of(where, text, vpc_id).located


# The order

ATLAS_DE, ATLAS_FR = "the atlas: DE", "the atlas: FR"
DATA, DEFAULT = "the database of addresses", "default_location"
ORDER = [  # why, client, its VPC, where it is, who says so, the scope
    ("what is written", "198.51.100.7", None, JAPAN, "office", 25),
    ("the longest block", "198.51.100.130", None, NORWAY, "floor", 26),
    ("a block without a place hides nothing", "198.51.100.200", None, NORWAY, "floor", 26),
    ("a coarse client is not in a longer block", "198.51.100.128/25", None, NORWAY, "floor", 26),
    ("nor its first address", "198.51.100.0/23", None, VIRGINIA, DEFAULT, 25),
    ("and a very coarse one", "198.51.0.0/16", None, VIRGINIA, DEFAULT, 18),
    ("what is written before the atlas", "198.18.74.7", None, JAPAN, "over the atlas", 25),
    ("what is written before a VPC", "10.2.0.1", None, JAPAN, "over a VPC", 17),
    ("what is written before a VPC, told by its name", "10.2.0.1", "vpc-a", JAPAN, "over a VPC", 17),
    ("a continent hides the country below it", "203.0.113.7", None, EUROPE, "a continent", 24),
    ("coordinates hide it too", "203.0.112.7", None, BERLIN, "coordinates", 24),
    ("a VPC by its blocks", "10.2.128.1", None, IRELAND, VPC.word, 17),
    ("a VPC before the atlas", "198.18.74.200", None, IRELAND, VPC.word, 25),
    ("a coarse client is not in the VPC's block", "10.2.0.0/15", None, GERMANY, DATA, 17),
    ("the atlas, IPv4", "198.18.56.7", None, GERMANY, ATLAS_DE, 24),
    ("the atlas, IPv6", "2001:db8:1038::7", None, GERMANY, ATLAS_DE, 49),
    ("the atlas below latencies", "2001:db8:1038:8000::7", None, GERMANY, ATLAS_DE, 49),
    ("the atlas for a block of just its size", "198.18.56.0/24", None, GERMANY, ATLAS_DE, 24),
    ("the atlas not for a coarse client", "198.18.56.0/23", None, VIRGINIA, DEFAULT, 24),
    ("the atlas before a VPC, told by its name", "198.18.56.7", "vpc-a", GERMANY, ATLAS_DE, 24),
    ("a VPC, told by its name, before the database", "203.0.1.1", "vpc-a", IRELAND, VPC.word, 18),
    ("a VPC without a region says nothing", "10.3.0.1", "vpc-b", GERMANY, DATA, 16),
    ("a VPC that nobody knows", "203.0.1.1", "vpc-x", GERMANY, DATA, 18),
    ("the database", "203.0.1.1", None, GERMANY, DATA, 18),
    ("the database, by a prefix of its own", "10.128.0.1", None, GERMANY, DATA, 9),
    ("the database, IPv6", "2001:db8:aaaa::1", None, GERMANY, DATA, 44),
    ("the default", "192.0.2.1", None, VIRGINIA, DEFAULT, 8),
    ("a mapped address is its IPv4 address", "::ffff:198.51.100.7", None, JAPAN, "office", 25),
    ("a mapped block too", "::ffff:198.18.56.0/120", None, GERMANY, ATLAS_DE, 24),
]


WITH_DEFAULT = locator(default=VIRGINIA)


@pytest.mark.parametrize(("why", "text", "vpc_id", "place", "word", "scope"), ORDER, ids=[row[0] for row in ORDER])
def test_the_order(why: str, text: str, vpc_id: str | None, place: Place, word: str, scope: int) -> None:
    found = located(WITH_DEFAULT, text, vpc_id)
    assert (found.place, found.word, found.scope) == (place, word, scope)


def test_nobody_knows() -> None:
    found = located(locator(), "192.0.2.1")
    assert (found.place, found.word, found.region, found.latency) == (NOWHERE, "nobody", None, None)


@pytest.mark.parametrize(
    ("text", "asked"),
    [
        ("203.0.1.1", ["203.0.1.1"]),
        ("2001:db8:aaaa::1", ["2001:0db8:aaaa:0000:0000:0000:0000:0001"]),
        ("::ffff:203.0.1.1", ["203.0.1.1"]),
        ("198.18.56.7", []),
        ("203.0.113.7", []),
    ],
)
def test_the_database_is_asked_only_where_nothing_else_is_known(text: str, asked: list[str]) -> None:
    database = Stub(DATABASE)
    assert located(locator(database=database), text)
    assert database.asked == asked


def test_without_a_database() -> None:
    where = Locator(GEOGRAPHY, LATENCIES, default=NORWAY)
    assert said(located(where, "1.2.3.4")) == (NORWAY, 1, DEFAULT)
    assert located(where, "198.18.56.7").place == GERMANY


def test_a_scope_is_never_nobody_in_particular() -> None:
    """0 would be for everybody (CS4), though nothing tells clients apart here."""
    where = with_database(GERMAN, 0, written=blocks({"0.0.0.0/0": known(JAPAN, "all of IPv4")}))
    everywhere = Locator(GEOGRAPHY, LATENCIES, database=Stub({"": (GERMAN, 0)}))
    assert said(located(where, "1.2.3.4")) == (JAPAN, 1, "all of IPv4")
    assert said(located(where, "fe80::1")) == (GERMANY, 1, DATA)
    assert said(located(everywhere, "1.2.3.4")) == (GERMANY, 1, DATA)


def test_the_region_of_a_vpc_and_of_a_place() -> None:
    where = locator(written={"192.0.2.0/24": known(IRELAND, "written", "eu-west-1")})
    assert located(where, "192.0.2.1").region == "eu-west-1"
    assert located(where, "10.2.1.1").region == "eu-west-1"
    assert located(where, "1.2.3.4", "vpc-a").region == "eu-west-1"
    assert located(where, "198.18.56.7", "vpc-a").region is None


# Databases

TUNNELS = [  # client, the prefix length that a database tells, the scope
    ("2002:cb00:7101::1", 16, 48),  # 6to4: the IPv4 address is in the bits up to 48
    ("2002:cb00:7101::1", 34, 48),
    ("2002:cb00:7101::1", 48, 48),
    ("2002:cb00:7101::1", 50, 50),
    ("2001:0:cb00:7101::1", 20, 64),  # Teredo: the server's, in those up to 64
    ("2001:0:cb00:7101::1", 63, 64),
    ("2001:0:cb00:7101::1", 80, 80),
    ("2001:1:cb00:7101::1", 35, 35),
    ("2003::1", 20, 20),
    ("32.2.0.1", 9, 9),  # 0x20 0x02, and no tunnel
    ("32.1.0.0", 9, 9),
]


@pytest.mark.parametrize(("text", "prefix", "scope"), TUNNELS)
def test_tunnels(text: str, prefix: int, scope: int) -> None:
    assert located(with_database(GERMAN, prefix), text).scope == scope


ODD: list[Any] = [
    *(None, "", "DE", b"DE", 0, 1.5, True, [], {}, [GERMAN], {"country": "DE"}, {"country": None}),
    *({"country": {"iso_code": code}} for code in (None, 49, "", "de", "DEU", "XX", "EU", ["DE"], {"DE": "DE"})),
    *({"location": {"latitude": 1.0}}, {"location": []}, {"location": {"latitude": "1", "longitude": "2"}}),
    *({"location": {"latitude": float("nan"), "longitude": 0.0}}, {"location": {"latitude": 91, "longitude": 0}}),
    *({"continent": "EU"}, {"continent": {"code": "XX"}}, {"subdivisions": [{"iso_code": "VA"}]}),
]


@pytest.mark.parametrize("record", ODD, ids=repr)
def test_a_record_that_says_nothing(record: Any) -> None:
    """The default, but for nobody beyond the record's prefix."""
    where = with_database(record, 21, NORWAY)
    assert said(located(where, "203.0.113.7")) == (NORWAY, 21, DEFAULT)


@pytest.mark.parametrize(
    ("record", "place"),
    [
        ({"continent": {"code": "EU"}}, EUROPE),
        ({"location": {"latitude": 52.52, "longitude": 13.4}}, BERLIN),
        ({"country": {"iso_code": "DE"}, "subdivisions": 7, "location": None}, GERMANY),
        ({"country": {"iso_code": "US"}, "subdivisions": [{"iso_code": "VA"}]}, VIRGINIA),
    ],
)
def test_a_record_that_says_a_little(record: Any, place: Place) -> None:
    assert said(located(with_database(record, 21), "203.0.113.7")) == (place, 21, DATA)


SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.sampled_from(("DE", "US", "VA", "EU", ""))
KEYS = st.sampled_from(("country", "continent", "subdivisions", "location", "iso_code", "code", "latitude"))
RECORDS = st.recursive(SCALARS, lambda inner: st.lists(inner, max_size=2) | st.dictionaries(KEYS, inner, max_size=3))


@examples(100)
@given(RECORDS, st.integers(1, 32))
def test_no_record_makes_it_fail(record: Any, prefix: int) -> None:
    found = located(with_database(record, prefix, NORWAY), "192.0.2.1")
    assert found.word in (DATA, DEFAULT)
    assert found.scope == prefix


# Latencies

AREAS: dict[tuple[str, str | None], dict[str, float]] = {
    ("US", None): {"us-east-1": 20.0},
    ("US", "VA"): {"us-east-1": 2.04, "sa-east-1": 120.06},
    ("JP", None): {"eu-west-1": 1000.0},
}
GIVEN_BLOCKS = {"198.51.0.0/16": {"eu-west-1": 77.0, "us-east-1": 66.0}, "198.51.100.0/25": {"eu-west-1": 7.0}}
LATENCY_WRITTEN = {
    "192.0.2.0/24": known(VIRGINIA, "Virginia"),
    "192.0.2.128/25": known(GEOGRAPHY.of_subdivision("US", "WA"), "Washington", latency={"eu-west-1": 1.0}),
    "192.0.2.192/26": known(None, "faster", latency={"eu-west-1": 0.5, "us-east-1": 0.1}),
    "203.0.113.0/24": known(JAPAN, "Japan", latency={"us-east-1": 3.0}),
    "203.0.113.128/25": known(NORWAY, "Norway"),
    "198.51.100.0/26": known(JAPAN, "Japan by number"),
    "198.51.101.0/24": known(GEOGRAPHY.of_country("CN"), "China"),
}
NOWHERE_AT_ALL: dict[str, float] = {}
MERGED = [  # why, client, region -> ms as said; all others are estimated
    ("subdivision before country", "192.0.2.1", {"us-east-1": 2.0, "sa-east-1": 120.1}),
    ("the block's, then the country's", "192.0.2.129", {"eu-west-1": 1.0, "us-east-1": 20.0}),
    ("the longest block's alone, with the place around it", "192.0.2.200", {"eu-west-1": 0.5, "us-east-1": 0.1}),
    ("a coarse client is not in the longer block", "192.0.2.128/25", {"eu-west-1": 1.0, "us-east-1": 20.0}),
    ("the block's before the country's", "203.0.113.1", {"us-east-1": 3.0, "eu-west-1": 1000.0}),
    ("a place hides latencies around it", "203.0.113.129", {}),
    ("latencies by block before those of a country", "198.51.100.1", {"eu-west-1": 7.0}),
    ("latencies by block, the longest alone", "198.51.101.1", {"eu-west-1": 77.0, "us-east-1": 66.0}),
    ("nothing said", "198.18.56.1", {}),
]


TABLES = LatencyTables([(ip_network(block), row) for block, row in GIVEN_BLOCKS.items()], AREAS)
WITH_TABLES = locator(written=LATENCY_WRITTEN, latencies=TABLES)


def milliseconds(text: str) -> tuple[Mapping[str, float], Place, int]:
    client = client_of(WITH_TABLES, text)
    latencies, scope = WITH_TABLES.latencies(client)
    return WITH_TABLES.milliseconds(latencies), client.located.place, scope


@pytest.mark.parametrize(("why", "text", "said"), MERGED, ids=[row[0] for row in MERGED])
def test_latencies_merge(why: str, text: str, said: dict[str, float]) -> None:
    found, place, _ = milliseconds(text)
    assert place.coordinates is not None
    assert found == {**LATENCIES.milliseconds(place.coordinates), **said}


def test_who_is_nowhere_has_the_latencies_that_are_given() -> None:
    assert milliseconds("198.51.0.1")[0] == {"eu-west-1": 77.0, "us-east-1": 66.0}
    assert milliseconds("198.52.0.1")[0] == NOWHERE_AT_ALL


@pytest.mark.parametrize(
    ("text", "scope"), [("198.51.100.1", 26), ("198.51.100.70", 26), ("198.51.100.130", 25), ("198.52.0.0/14", 14)]
)
def test_the_scope_of_latencies(text: str, scope: int) -> None:
    assert milliseconds(text)[2] == scope


def test_clients_that_are_alike_are_one_for_what_remembers_them() -> None:
    where = locator(written=LATENCY_WRITTEN, latencies=LatencyTables((), AREAS))
    one, other = (where.latencies(client_of(where, text))[0] for text in ("192.0.2.1", "192.0.2.77"))
    assert one == other
    assert hash(one) == hash(other)
    assert not one.in_china
    assert where.milliseconds(one) is where.milliseconds(other)
    assert where.latencies(client_of(where, "198.51.101.1"))[0].in_china


# Named places

FOREVER = [
    ("alice", "2001:db8:f6dc:f3c5::/64"),
    ("bob", "2001:db8:ff90:189e::/64"),
    ("office", "2001:db8:fd21:b994::/64"),
    ("é", "2001:db8:f954:544c::/64"),
]


@pytest.mark.parametrize(("name", "block"), FOREVER)
def test_a_named_place_has_its_addresses_for_ever(name: str, block: str) -> None:
    """People write them into scripts: `dig +subnet=…`."""
    assert named_place(name) == IPv6Network(block)


def test_named_places_do_not_meet_each_other_or_the_atlas() -> None:
    names: Sequence[str] = [f"{word}{number}" for word in ("user", "a", "Ω") for number in range(300)]
    found = {named_place(name) for name in names}
    assert len(found) == len(names)
    assert all(block.prefixlen == 64 and block.subnet_of(NAMED_PLACES) for block in found)
    assert not any(block.ipv6.overlaps(NAMED_PLACES) for block in GEOGRAPHY.atlas)
    assert ip_address("2001:db8::") in IPv6Network("2001:db8::/32")
    assert NAMED_PLACES.subnet_of(IPv6Network("2001:db8::/32")), "the range for documentation (RFC 3849)"
