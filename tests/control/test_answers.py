"""Answers over HTTP are those over DNS, explanations are those of the command, and what was asked is shown."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import dns.message
import dns.rcode
import dns.rdatatype
import pytest
from click.testing import CliRunner
from control.harness import ALL_POLICIES, Operated, operated

from dnsemu.app import load
from dnsemu.cli import explain as explain_command
from dnsemu.config import geography
from dnsemu.location import read_whence
from dnsemu.model import show_name

CLIENTS = (
    "127.0.0.1",
    "DE",
    "US-WA",
    "US-NY",
    "JP",
    "NO",
    "PL",
    "alice",
    "10.20.30.0/24",
    "203.0.113.0/24",
    "2001:db8::/32",
)
Record = tuple[str, int, str, str]


def everything() -> list[tuple[str, str]]:
    """Each name and type of the public zone, and some that it has not."""
    configuration = load([ALL_POLICIES]).configuration
    zone = next(zone for zone in configuration.hosted_zones if not zone.vpcs)
    asked = {(show_name(one.name), one.type.name) for one in zone.record_sets}
    asked |= {("policies.example", "SOA"), ("policies.example", "NS"), ("policies.example", "TXT")}
    asked |= {("nothing.policies.example", "A"), ("x.tenant.policies.example", "A"), ("tenant.policies.example", "A")}
    asked |= {("SIMPLE.Policies.EXAMPLE", "A"), ("static.policies.example", "A"), ("static.policies.example", "AAAA")}
    asked |= {("www.other.example", "A"), ("example", "NS"), ("simple.policies.example.", "TYPE1")}
    return sorted(asked)


def over_dns(server: Operated, name: str, rdtype: str, whence: str) -> tuple[str, list[Record], int]:
    """RCODE, records in their order and the client subnet's scope; owners in lower case, as over HTTP."""
    who = read_whence(whence, geography(), {"alice": None})
    reply = server.ask(name, rdtype, subnet=who.subnet if who.is_subnet else None)
    records = [
        (str(rrset.name).lower(), int(rrset.ttl), dns.rdatatype.to_text(rrset.rdtype), value.to_text())
        for rrset in reply.answer
        for value in rrset
    ]
    scope = max((option.scopelen for option in reply.options if hasattr(option, "scopelen")), default=0)
    return dns.rcode.to_text(reply.rcode()), records, scope


def over_http(server: Operated, question: dict[str, str]) -> tuple[str, list[Record], int]:
    """The same, as it was resolved."""
    given = server.call("POST", "/api/v1/resolve", question).ok
    return as_told(given)


def as_told(given: Any) -> tuple[str, list[Record], int]:
    records = [(one["name"], one["ttl"], one["type"], one["value"]) for one in given["records"]]
    return given["rcode"], records, given["scope"]


@pytest.fixture(scope="module")
def twins() -> Iterator[tuple[Operated, Operated]]:
    """Two servers of one seed."""
    with operated(path=ALL_POLICIES) as one, operated(path=ALL_POLICIES) as other:
        yield one, other


def anew(twins: tuple[Operated, Operated]) -> tuple[Operated, Operated]:
    for server in twins:
        server.on_loop(server.operations.reset)
    return twins


@pytest.mark.parametrize("whence", CLIENTS)
def test_what_is_resolved_is_what_dns_answers(twins: tuple[Operated, Operated], whence: str) -> None:
    """The same seed, in the same order: chance is the same."""
    asked, resolved = anew(twins)
    questions = [{"name": name, "type": rdtype, "from": whence} for name, rdtype in everything() * 2]
    given = resolved.call("POST", "/api/v1/resolve", questions).ok
    assert len(given) == len(questions)
    for question, one in zip(questions, given, strict=True):
        expected = over_dns(asked, question["name"], question["type"], whence)
        assert (question, *as_told(one)) == (question, *expected)


def test_a_question_alone_is_answered_as_one_of_a_list(twins: tuple[Operated, Operated]) -> None:
    one, other = anew(twins)
    question = {"name": "weighted.policies.example"}
    single = [one.call("POST", "/api/v1/resolve", question).ok for _ in range(20)]
    assert single == other.call("POST", "/api/v1/resolve", [question] * 20).ok
    assert len({json.dumps(given) for given in single}) > 1


def test_dns_and_http_draw_from_one_chance(twins: tuple[Operated, Operated]) -> None:
    asked, both = anew(twins)
    name = "weighted.policies.example"
    expected = [over_dns(asked, name, "A", "127.0.0.1") for _ in range(30)]
    mixed = [
        over_dns(both, name, "A", "127.0.0.1") if number % 3 else over_http(both, {"name": name})
        for number in range(30)
    ]
    assert mixed == expected


def test_private_zones_are_resolved_for_clients_of_their_vpc(policies: Operated) -> None:
    for whence in ("127.0.0.2", "database"):
        given = policies.call("POST", "/api/v1/resolve", {"name": "db.policies.example", "from": whence}).ok
        assert [record["value"] for record in given["records"]] == ["172.30.0.9"]
    given = policies.call("POST", "/api/v1/resolve", {"name": "db.policies.example"}).ok
    assert (given["rcode"], given["records"]) == ("NXDOMAIN", [])


def test_an_answer_says_what_was_asked_and_decided(policies: Operated) -> None:
    given = policies.call("POST", "/api/v1/resolve", {"name": "geo.policies.example", "type": "a", "from": "DE"}).ok
    assert given == {
        "name": "geo.policies.example",
        "type": "A",
        "from": "DE",
        "zone_id": "ZRK84FY5M1H1KGTF2WV8",
        "rcode": "NOERROR",
        "records": [{"name": "geo.policies.example.", "ttl": 60, "type": "A", "value": "192.0.2.43"}],
        "scope": 24,
        "decisions": [
            {
                "name": "geo.policies.example.",
                "type": "A",
                "policy": "geolocation",
                "set_identifiers": ["EU"],
                "reason": "matched",
            }
        ],
    }


def test_a_name_in_no_hosted_zone_is_refused_as_dns_does(policies: Operated) -> None:
    given = policies.call("POST", "/api/v1/resolve", {"name": "www.other.example"}).ok
    assert (given["rcode"], given["zone_id"], given["records"], given["decisions"]) == ("REFUSED", None, [], [])


def test_an_empty_list_has_an_empty_answer(policies: Operated) -> None:
    assert policies.call("POST", "/api/v1/resolve", []).ok == []


def test_nothing_is_drawn_for_a_list_with_a_mistake(twins: tuple[Operated, Operated]) -> None:
    one, other = anew(twins)
    question = {"name": "weighted.policies.example"}
    for mistake in ({"name": "x..y"}, {"name": ""}):
        assert one.call("POST", "/api/v1/resolve", [question] * 5 + [mistake]).status == 400
    assert [over_http(one, question) for _ in range(20)] == [over_http(other, question) for _ in range(20)]


def test_a_list_is_answered_on_one_snapshot(checks: Operated) -> None:
    """While health goes to and fro, and DNS is answered."""
    flips, going = [0], [True]

    def flip() -> None:
        checks.operations.monitor.force("web", healthy=bool(flips[0] % 2))
        flips[0] += 1
        if going[0]:
            checks.loop.call_soon(flip)

    checks.on_loop(flip)
    try:
        answers = []
        for _ in range(5):
            before = flips[0]
            given = checks.call("POST", "/api/v1/resolve", [{"name": "n0.fo.test"}] * 1000).ok
            assert flips[0] - before > 10
            values = {record["value"] for one in given for record in one["records"]}
            assert len(values) == 1
            answers += values
    finally:
        going[0] = False


def test_an_explanation_over_dns_is_resolved_too(policies: Operated) -> None:
    name = "_explain.geo.policies.example"
    given = over_http(policies, {"name": name, "type": "TXT", "from": "DE"})
    assert given == over_dns(policies, name, "TXT", "DE")


# Explanations

EXPLAINED = [
    ("simple.policies.example", "A", "127.0.0.1"),
    ("weighted.policies.example", "A", "127.0.0.1"),
    ("latency.policies.example", "A", "DE"),
    ("failover.policies.example", "A", "127.0.0.1"),
    ("doomed.policies.example", "A", "10.0.0.0/8"),
    ("geo.policies.example", "A", "US-WA"),
    ("near.policies.example", "A", "alice"),
    ("network.policies.example", "A", "10.20.30.0/24"),
    ("many.policies.example", "A", "127.0.0.1"),
    ("policies.example", "A", "US-NY"),
    ("static.policies.example", "A", "FR"),
    ("x.tenant.policies.example", "A", "2001:db8::1"),
    ("site.policies.example", "AAAA", "127.0.0.1"),
    ("nothing.policies.example", "MX", "JP"),
    ("db.policies.example", "A", "database"),
    ("latency.policies.example", "A", "127.0.0.2"),
]


def explained(server: Operated, name: str, rdtype: str, whence: str) -> Any:
    return server.call("GET", f"/api/v1/explain?name={name}&type={rdtype}&from={whence.replace('/', '%2F')}").ok


def by_command(path: Path, name: str, rdtype: str, whence: str) -> Any:
    arguments = [name, rdtype, str(path), "--from", whence, "--format", "json"]
    done = CliRunner().invoke(explain_command.command, arguments)
    assert done.exit_code == 0, done.output
    return json.loads(done.stdout)


@pytest.mark.parametrize(("name", "rdtype", "whence"), EXPLAINED)
def test_it_is_explained_as_the_command_does(policies: Operated, name: str, rdtype: str, whence: str) -> None:
    assert explained(policies, name, rdtype, whence) == by_command(ALL_POLICIES, name, rdtype, whence)


def test_it_is_explained_with_the_health_that_is(policies: Operated, tmp_path: Path) -> None:
    path = tmp_path / "all-policies.yaml"
    path.write_text(
        ALL_POLICIES.read_text("utf-8").replace("initial_status: unhealthy", "initial_status: healthy"), "utf-8"
    )
    policies.force("down", "healthy")
    for name in ("failover", "doomed", "geo", "thirds", "many", "shop"):
        name = f"{name}.policies.example"
        assert explained(policies, name, "A", "NO") == by_command(path, name, "A", "NO")


def test_explaining_tells_the_next_answer_and_draws_nothing(twins: tuple[Operated, Operated]) -> None:
    one, other = anew(twins)
    name = "weighted.policies.example"
    seen = set()
    for _ in range(20):
        told = [explained(one, name, "A", "127.0.0.1")["answer"]["records"] for _ in range(2)]
        (record,) = told[0]
        assert told[0] == told[1]
        assert over_dns(one, name, "A", "127.0.0.1")[1] == over_dns(other, name, "A", "127.0.0.1")[1]
        seen.add(record["value"])
    assert len(seen) > 1


@pytest.mark.parametrize(("name", "rdtype", "whence"), [row for row in EXPLAINED if row[2] in CLIENTS])
def test_the_answer_that_was_told_comes(policies: Operated, name: str, rdtype: str, whence: str) -> None:
    told = as_told(explained(policies, name, rdtype, whence)["answer"])
    assert over_dns(policies, name, rdtype, whence) == told


# What was asked


def last(server: Operated, limit: int | None = None) -> Any:
    return server.call("GET", f"/api/v1/queries{f'?limit={limit}' if limit else ''}").ok["queries"]


def test_queries_tell_what_was_asked_and_why_it_was_answered_so(policies: Operated) -> None:
    policies.ask("Geo.policies.example", subnet="198.18.56.0/24")
    (query,) = last(policies)
    assert query.pop("at").endswith("Z")
    assert query == {
        "name": "geo.policies.example.",
        "type": "A",
        "rcode": "NOERROR",
        "transport": "UDP",
        "client": "127.0.0.1",
        "subnet": "198.18.56.0/24",
        "zone_id": "ZRK84FY5M1H1KGTF2WV8",
        "zone": "policies.example.",
        "truncated": False,
        "decisions": [
            {
                "name": "geo.policies.example.",
                "type": "A",
                "policy": "geolocation",
                "set_identifiers": ["EU"],
                "reason": "matched",
            }
        ],
    }


DECIDED = [
    # name, client subnet; policy, set identifiers and reason of each decision
    ("simple", None, []),
    ("failover", None, ["failover two failover"]),
    ("doomed", None, ["failover one all_unhealthy"]),
    ("geo", "198.18.56.0/24", ["geolocation EU matched"]),
    ("geo", "192.0.2.0/24", ["geolocation rest default"]),
    ("network", "203.0.113.0/24", ["IP-based office matched"]),
    ("latency", "198.18.56.0/24", ["latency Frankfurt matched"]),
    ("america.shop", None, ["weighted a all_unhealthy", "weighted b all_unhealthy"]),
    ("site", None, ["failover sorry failover"]),
]


@pytest.mark.parametrize(("name", "subnet", "decisions"), DECIDED)
def test_decisions_are_told(policies: Operated, name: str, subnet: str | None, decisions: list[str]) -> None:
    policies.ask(f"{name}.policies.example", subnet=subnet)
    (query,) = last(policies)
    found = [f"{one['policy']} {','.join(one['set_identifiers'])} {one['reason']}" for one in query["decisions"]]
    if len(decisions) == 2:  # one of two, by chance
        assert found[0] in decisions
    else:
        assert found == decisions


def test_the_newest_comes_first(places: Operated) -> None:
    for number in range(5):
        places.ask(f"q{number}.t.test", "TXT", tcp=number % 2 == 1)
    found = last(places)
    assert [one["name"] for one in found] == [f"q{number}.t.test." for number in reversed(range(5))]
    assert [one["transport"] for one in found] == ["UDP", "TCP", "UDP", "TCP", "UDP"]
    assert {one["rcode"] for one in found} == {"NXDOMAIN"}
    assert [one["at"] for one in found] == sorted((one["at"] for one in found), reverse=True)
    assert last(places, 2) == found[:2]


def test_a_hundred_are_shown_unless_more_are_wanted_and_a_thousand_are_kept(places: Operated) -> None:
    before = places.call("GET", "/api/v1/status").ok["queries"]
    packets = [dns.message.make_query(f"q{number}.t.test", "A").to_wire() for number in range(1100)]
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(20)
        sock.connect(places.dns)
        for packet in packets:
            sock.send(packet)
            sock.recv(4096)
    assert len(last(places)) == 100
    assert [one["name"] for one in last(places, 1000)] == [f"q{1099 - number}.t.test." for number in range(1000)]
    assert places.call("GET", "/api/v1/status").ok["queries"] == before + 1100


def test_what_can_not_be_read_is_shown_too(places: Operated) -> None:
    question = dns.message.make_query("which.t.test", "TXT").to_wire()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(20)
        sock.connect(places.dns)
        for packet in (b"short", question[:2] + b"\x80" + question[3:], question[:14]):  # cut, a response, cut
            sock.send(packet)
        sock.recv(4096)  # FORMERR, for the last one
    found = [(one["name"], one["type"], one["rcode"], one["zone"]) for one in last(places)]
    assert found == [("", "", "FORMERR", None), ("which.t.test.", "TXT", None, None), ("", "", None, None)]


def test_names_that_no_zone_has_are_shown(places: Operated) -> None:
    places.ask("www.other.example", "AAAA")
    (query,) = last(places)
    assert (query["rcode"], query["zone_id"], query["zone"], query["decisions"]) == ("REFUSED", None, None, [])


def test_odd_names_and_types_are_shown_as_route_53_writes_them(places: Operated) -> None:
    places.ask(r"\000\"\195\188 .t.test", "TYPE65280")
    (query,) = last(places)
    assert query["name"] == r"\000\042\303\274\040.t.test."
    assert query["type"] == "TYPE65280"


def test_an_answer_that_was_cut_is_marked() -> None:
    big = {"name": "big", "type": "TXT", "ttl": 1, "records": [f'"{letter * 200}"' for letter in "abcdefgh"]}
    text = f"version: 1\nhosted_zones: [{{name: t.test, record_sets: [{json.dumps(big)}]}}]"
    with operated(text) as server, socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(20)
        sock.connect(server.dns)
        sock.send(dns.message.make_query("big.t.test", "TXT").to_wire())
        assert len(sock.recv(4096)) <= 512
        server.ask("big.t.test", "TXT", tcp=True)
        assert [one["truncated"] for one in last(server)] == [False, True]


def test_what_was_asked_over_http_is_not_shown(places: Operated) -> None:
    places.do("POST", "/api/v1/resolve", {"name": "which.t.test", "type": "TXT"})
    explained(places, "which.t.test", "TXT", "127.0.0.1")
    assert last(places) == []
