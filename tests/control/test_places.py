"""Places that are set over HTTP: where clients are then, and in which VPC, over DNS and over HTTP."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import pytest
from control.harness import PLACES, Operated, operated, place_path

from dnsemu.app import load_text

from_linux_only = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of 127.0.0.0/8")
ELSEWHERE = "elsewhere"


def resolved(server: Operated, name: str, whence: str) -> str:
    """The one text of a TXT record, as `POST /api/v1/resolve` gives it."""
    (record,) = server.call("POST", "/api/v1/resolve", {"name": name, "type": "TXT", "from": whence}).ok["records"]
    return str(record["value"]).strip('"')


def told(server: Operated, name: str, whence: str) -> str:
    """The same, as `GET /api/v1/explain` gives it."""
    (record,) = server.call("GET", f"/api/v1/explain?name={name}&type=TXT&from={whence}").ok["answer"]["records"]
    return str(record["value"]).strip('"')


WHEREABOUTS: list[tuple[dict[str, object], str]] = [
    ({"country": "DE"}, "DE"),
    ({"country": "US"}, "US"),
    ({"country": "US", "subdivision": "WA"}, "US-WA"),
    ({"country": "US", "subdivision": "TX"}, "US"),
    ({"continent": "AF"}, "AF"),
    ({"continent": "EU"}, ELSEWHERE),
    ({"country": "FR"}, ELSEWHERE),
    ({"region": "eu-central-1"}, "DE"),
    ({"region": "ap-northeast-1"}, "JP"),
    ({"coordinates": {"latitude": 52.52, "longitude": 13.4}, "country": "DE"}, "DE"),
    ({"coordinates": {"latitude": -90, "longitude": 180}}, ELSEWHERE),
]


@pytest.mark.parametrize(("where", "answer"), WHEREABOUTS)
def test_clients_are_where_they_are_said_to_be(places: Operated, where: dict[str, object], answer: str) -> None:
    given = places.place("127.0.0.1/32", **where)
    assert {key: given[key] for key in where} == where
    assert places.text("geo.t.test") == answer
    assert resolved(places, "geo.t.test", "127.0.0.1") == answer
    assert told(places, "geo.t.test", "127.0.0.1") == answer


def test_a_place_holds_before_the_reply_leaves(places: Operated) -> None:
    for number in range(10):
        for country in ("DE", "JP"):
            places.place("127.0.0.0/8", country=country)
            assert places.text("geo.t.test") == country, number


def test_a_place_is_where_the_nearest_region_is_asked_from(places: Operated) -> None:
    for where, region in (({"country": "IE"}, "eu-west-1"), ({"country": "NZ"}, "ap-southeast-2")):
        places.place("127.0.0.0/8", **where)
        assert places.text("far.t.test") == region


def test_delete_brings_back_what_was(places: Operated) -> None:
    assert places.text("geo.t.test", subnet="203.0.113.0/24") == "JP"
    places.place("203.0.113.0/24", country="DE")
    assert places.text("geo.t.test", subnet="203.0.113.0/24") == "DE"
    assert places.call("DELETE", place_path("203.0.113.0/24")).ok == {"done": True}
    assert places.text("geo.t.test", subnet="203.0.113.0/24") == "JP"
    assert places.call("DELETE", place_path("203.0.113.0/24")).status == 404


def test_the_last_word_on_a_block_counts(places: Operated) -> None:
    places.place("127.0.0.0/8", country="DE")
    places.place("127.0.0.0/8", country="JP")
    assert [one["country"] for one in places.call("GET", "/api/v1/places").ok["places"]] == ["JP"]
    assert places.text("geo.t.test") == "JP"


PRECEDENCE: list[tuple[dict[str, str], str, str]] = [
    # places that are set, by block; a client, and where it is then. The files say 203.0.113.0/24 is in JP, /28 in AU
    ({}, "203.0.113.1", "AU"),
    ({}, "203.0.113.0/28", "AU"),
    ({}, "203.0.113.0/24", "JP"),
    ({}, "203.0.113.200", "JP"),
    ({"203.0.113.0/24": "DE"}, "203.0.113.200", "DE"),
    ({"203.0.113.0/24": "DE"}, "203.0.113.1", "DE"),  # whatever the files say below it
    ({"0.0.0.0/0": "DE"}, "203.0.113.1", "DE"),
    ({"0.0.0.0/0": "DE"}, "198.18.56.1", "DE"),
    ({"0.0.0.0/0": "DE"}, "198.18.92.0/24", "DE"),
    ({"0.0.0.0/0": "DE", "203.0.113.0/24": "JP"}, "203.0.113.1", "JP"),
    ({"203.0.113.0/24": "JP", "0.0.0.0/0": "DE"}, "203.0.113.1", "JP"),
    ({"203.0.113.0/24": "DE", "203.0.113.64/26": "JP"}, "203.0.113.100", "JP"),
    ({"203.0.113.0/24": "DE", "203.0.113.64/26": "JP"}, "203.0.113.128", "DE"),
    ({"203.0.113.0/24": "DE", "203.0.113.64/26": "JP"}, "203.0.113.0/24", "DE"),  # longer than what is known of it
    ({"203.0.113.64/26": "DE"}, "203.0.113.0/24", "JP"),
    ({"203.0.113.100/32": "DE"}, "203.0.113.100", "DE"),
    ({"203.0.113.100/32": "DE"}, "203.0.113.101", "JP"),
    ({"::/0": "DE"}, "203.0.113.200", "JP"),
    ({"::/0": "DE"}, "2001:db8::1", "DE"),
    ({"::/0": "DE"}, "::ffff:203.0.113.200", "JP"),
    ({"2001:db8::/32": "DE", "2001:db8:1::/48": "JP"}, "2001:db8:1::1", "JP"),
    ({"2001:db8::/32": "DE", "2001:db8:1::/48": "JP"}, "2001:db8:1::/48", "JP"),
    ({"2001:db8::/32": "DE", "2001:db8:1::/48": "JP"}, "2001:db8:1::/40", "DE"),
    ({"::ffff:203.0.113.0/120": "DE"}, "203.0.113.200", "DE"),
    ({"203.0.113.0/24": "DE"}, "::ffff:203.0.113.200", "DE"),
]


@pytest.mark.parametrize(("blocks", "client", "answer"), PRECEDENCE)
def test_places_win_over_locations_and_the_longest_prefix_wins(
    places: Operated, blocks: dict[str, str], client: str, answer: str
) -> None:
    for block, country in blocks.items():
        places.place(block, country=country)
    assert resolved(places, "geo.t.test", client) == told(places, "geo.t.test", client) == answer
    if "/" in client:
        assert places.text("geo.t.test", subnet=client) == answer


def test_the_answer_holds_for_the_block_alone(places: Operated) -> None:
    def scope() -> int:
        (option,) = places.ask("geo.t.test", "TXT", subnet="192.0.2.128/32").options
        return int(option.scopelen)  # type: ignore[attr-defined]

    places.place("0.0.0.0/0", country="DE")
    assert scope() < 24  # for more than the block below, which is not there yet
    places.place("192.0.2.0/24", country="JP")
    assert scope() == 24


def test_a_place_hides_all_below_it_and_missing_fields_follow_from_the_tables(places: Operated) -> None:
    places.place("203.0.113.0/24", country="DE")
    client = places.call("GET", "/api/v1/explain?name=geo.t.test&type=TXT&from=203.0.113.1").ok["client"]
    assert (client["continent"], client["country"], client["subdivision"]) == ("EU", "DE", None)
    assert client["word"] == "the place set for 203.0.113.0/24"
    assert client["coordinates"] is not None


# VPCs


VPCS: list[tuple[dict[str, dict[str, object]], str, str]] = [
    # places that are set; a source address, and whose zone answers it. The files say 127.0.0.2 is in vpc-lab
    ({}, "127.0.0.1", "public"),
    ({"127.0.0.1/32": {"vpc_id": "vpc-lab"}}, "127.0.0.1", "vpc-lab"),
    ({"127.0.0.1/32": {"vpc_id": "vpc-far"}}, "127.0.0.1", "vpc-far"),
    ({"127.0.0.1/32": {"vpc_id": "vpc-far", "country": "DE"}}, "127.0.0.1", "vpc-far"),
    ({"127.0.0.0/8": {"vpc_id": "vpc-far"}}, "127.0.0.1", "vpc-far"),
    ({"0.0.0.0/0": {"vpc_id": "vpc-far"}}, "127.0.0.1", "vpc-far"),
    ({"::/0": {"vpc_id": "vpc-far"}}, "127.0.0.1", "public"),
    ({"127.0.0.0/8": {"vpc_id": "vpc-far"}, "127.0.0.1/32": {"vpc_id": "vpc-lab"}}, "127.0.0.1", "vpc-lab"),
    ({"127.0.0.1/32": {"vpc_id": "vpc-lab"}, "127.0.0.0/8": {"vpc_id": "vpc-far"}}, "127.0.0.1", "vpc-lab"),
    ({"127.0.0.0/8": {"vpc_id": "vpc-far"}, "127.0.0.1/32": {"country": "DE"}}, "127.0.0.1", "vpc-far"),
    ({}, "127.0.0.2", "vpc-lab"),
    ({"127.0.0.2/32": {"country": "DE"}}, "127.0.0.2", "vpc-lab"),
    ({"127.0.0.2/32": {"vpc_id": "vpc-far"}}, "127.0.0.2", "vpc-far"),
    ({"127.0.0.0/8": {"vpc_id": "vpc-far"}}, "127.0.0.2", "vpc-far"),  # places come first, whatever is longer
]


@pytest.mark.parametrize(
    ("blocks", "source", "answer"),
    [pytest.param(*row, marks=from_linux_only if row[1] != "127.0.0.1" else []) for row in VPCS],
)
def test_vpc_id_puts_sources_into_a_vpc(
    places: Operated, blocks: dict[str, dict[str, object]], source: str, answer: str
) -> None:
    for block, where in blocks.items():
        places.place(block, **where)
    assert places.text("which.t.test", source=source) == answer
    assert places.text("which.t.test", source=source, tcp=True) == answer
    assert resolved(places, "which.t.test", source) == told(places, "which.t.test", source) == answer


@pytest.mark.parametrize(
    ("block", "answer"),
    [
        ("127.0.0.1/32", "vpc-far"),
        ("::ffff:127.0.0.1/128", "vpc-far"),
        ("::/0", "public"),
    ],
)
def test_a_mapped_address_is_in_the_vpc_of_its_ipv4_address(places: Operated, block: str, answer: str) -> None:
    places.place(block, vpc_id="vpc-far")
    assert resolved(places, "which.t.test", "::ffff:127.0.0.1") == places.text("which.t.test") == answer


def test_a_vpc_is_where_its_region_is_unless_the_place_says_otherwise(places: Operated) -> None:
    places.place("127.0.0.1/32", vpc_id="vpc-lab")
    assert places.text("far.t.test") == resolved(places, "far.t.test", "127.0.0.1") == "eu-west-1"
    places.place("127.0.0.1/32", vpc_id="vpc-lab", region="ap-southeast-2")
    assert places.text("far.t.test") == resolved(places, "far.t.test", "127.0.0.1") == "ap-southeast-2"


def test_a_client_subnet_brings_nobody_into_a_vpc_over_dns(places: Operated) -> None:
    places.place("192.0.2.0/24", vpc_id="vpc-lab")
    assert places.text("which.t.test", subnet="192.0.2.0/24") == "public"
    assert resolved(places, "which.t.test", "192.0.2.0/24") == "vpc-lab"  # `from` plays a client of the VPC


def test_delete_takes_them_out_of_the_vpc(places: Operated) -> None:
    places.place("127.0.0.1/32", vpc_id="vpc-lab")
    places.call("DELETE", place_path("127.0.0.1/32"))
    assert places.text("which.t.test") == resolved(places, "which.t.test", "127.0.0.1") == "public"


def test_the_vpcs_are_told_where_there_is_no_such_one(places: Operated) -> None:
    error = places.call("PUT", place_path("127.0.0.1/32"), {"vpc_id": "vpc-labs"}).error
    told = "there is no VPC 'vpc-labs'; known: vpc-far, vpc-lab"
    assert error["message"] == f"the body is not what it should be: vpc_id: {told}"
    assert [(one["path"], one["message"]) for one in error["details"]] == [("vpc_id", told)]


def test_a_named_place_plays_a_client_of_its_vpc(places: Operated) -> None:
    assert resolved(places, "which.t.test", "tenant") == told(places, "which.t.test", "tenant") == "vpc-lab"
    assert resolved(places, "geo.t.test", "alice") == told(places, "geo.t.test", "alice") == "DE"


# The list


def test_places_are_listed_as_they_were_given(places: Operated) -> None:
    given = [
        places.place("192.0.2.0/24", country="US", subdivision="WA"),
        places.place("2001:db8::/32", coordinates={"latitude": 1.5, "longitude": -2}),
        places.place("10.0.0.0/8", continent="EU", vpc_id="vpc-lab"),
    ]
    nothing = dict.fromkeys(("continent", "country", "subdivision", "coordinates", "region", "vpc_id"))
    assert given == [
        nothing | {"cidr": "192.0.2.0/24", "country": "US", "subdivision": "WA"},
        nothing | {"cidr": "2001:db8::/32", "coordinates": {"latitude": 1.5, "longitude": -2.0}},
        nothing | {"cidr": "10.0.0.0/8", "continent": "EU", "vpc_id": "vpc-lab"},
    ]
    assert places.call("GET", "/api/v1/places").ok == {"places": given}
    assert places.call("GET", "/api/v1/status").ok["overrides"] == {"health": 0, "place": 3}


# What is set, and reloads


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "zones.yaml"
    path.write_text(PLACES, encoding="utf-8")
    return path


def test_places_survive_a_reload(file: Path) -> None:
    with operated(path=file) as server:
        server.place("127.0.0.1/32", country="DE", vpc_id="vpc-far")
        server.place("203.0.113.0/24", country="US")
        file.write_text(PLACES.replace('"vpc-far"', '"vpc-far anew"'), encoding="utf-8")
        server.do("POST", "/api/v1/reload")
        assert server.text("which.t.test") == "vpc-far anew"
        assert resolved(server, "geo.t.test", "203.0.113.1") == "US"


def test_a_place_in_a_vpc_that_is_gone_is_in_none(file: Path) -> None:
    with operated(path=file) as server:
        server.place("127.0.0.1/32", country="DE", vpc_id="vpc-far")
        without = PLACES[: PLACES.rindex("  - name: t.test")].replace(
            "    - {vpc_id: vpc-far, vpc_region: ap-southeast-2}\n", ""
        )
        assert "vpc-far" not in without
        assert load_text(without)
        file.write_text(without, encoding="utf-8")
        server.do("POST", "/api/v1/reload")
        assert server.text("which.t.test") == resolved(server, "which.t.test", "127.0.0.1") == "public"
        assert server.text("geo.t.test") == "DE"


def test_many_places_are_told_apart(places: Operated) -> None:
    countries = ("DE", "JP", "AU")
    for number in range(12):
        places.place(f"192.0.2.{number}/32", country=countries[number % 3])
    asked: list[Any] = [{"name": "geo.t.test", "type": "TXT", "from": f"192.0.2.{number}"} for number in range(12)]
    found = [one["records"][0]["value"].strip('"') for one in places.call("POST", "/api/v1/resolve", asked).ok]
    assert found == [countries[number % 3] for number in range(12)]
