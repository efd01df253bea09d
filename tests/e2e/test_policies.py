"""The routing policies of zones/all-policies.yaml, asked over sockets by dig, dnspython and Unbound."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from typing import NamedTuple

import dns.edns
import dns.message
import dns.query
import dns.rdatatype
import pytest
from e2e.launch import PATIENCE, ZONES, Launched, launched
from e2e.relay import Relay, relaying
from e2e.test_dig import dig
from e2e.unbound import Resolver, resolving

from dnsemu.config import geography

pytestmark = pytest.mark.e2e
on_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of 127.0.0.0/8")

ZONE = "policies.example"
MANY = [f"192.0.2.{number}" for number in range(71, 80)]


class Row(NamedTuple):
    """A question: `type name`, the apex as @; from an atlas place or a subnet. `values`: `value value`; at a slash,
    one of several. `scope`: in an IPv4 answer."""

    asked: str
    whence: str
    values: str
    ttl: int = 60
    scope: int = 24


ROWS = [
    Row("A simple", "DE", "192.0.2.1 192.0.2.2 192.0.2.3", 300, 0),
    Row("A weighted", "DE", "192.0.2.10 / 192.0.2.11", scope=0),
    Row("A even", "DE", "192.0.2.13 / 192.0.2.14", scope=0),
    Row("A thirds", "DE", "192.0.2.15 / 192.0.2.16", scope=0),
    Row("A latency", "DE", "192.0.2.21"),
    Row("A latency", "US-VA", "192.0.2.20"),
    Row("A latency", "AU", "192.0.2.22"),
    Row("A latency", "ap-southeast-2", "192.0.2.22"),
    Row("A failover", "DE", "192.0.2.31", 30, 0),
    Row("A doomed", "DE", "192.0.2.32", 30, 0),
    Row("A geo", "US-WA", "192.0.2.40"),
    Row("A geo", "US-TX", "192.0.2.41"),
    Row("A geo", "DE", "192.0.2.43"),
    Row("A geo", "NO", "192.0.2.43"),
    Row("A geo", "JP", "192.0.2.44"),
    Row("TXT whereami", "BR", '"in South America"'),
    Row("A near", "DE", "192.0.2.50"),
    Row("A near", "PL", "192.0.2.51"),
    Row("A near", "us-west-2-den-1", "192.0.2.52"),
    Row("A network", "10.20.30.0/24", "192.0.2.61", scope=16),
    Row("A network", "10.200.0.0/24", "192.0.2.60", scope=9),
    Row("A network", "203.0.113.0/24", "192.0.2.62"),
    Row("A network", "203.0.0.0/16", "192.0.2.63", scope=18),
    Row("A @", "DE", "192.0.2.82"),
    Row("A @", "US-NY", "192.0.2.82"),
    Row("A @", "JP", "192.0.2.84"),
    Row("A app", "DE", "198.51.100.10 198.51.100.11", scope=0),
    Row("AAAA app", "DE", "2001:db8::10", scope=0),
    Row("A cdn", "DE", "198.51.100.30 198.51.100.31", scope=0),
    Row("A site", "DE", "198.51.100.40", 5, 0),
    Row("CNAME static", "DE", "cdn.policies.example."),
    Row("A static", "DE", "198.51.100.30 198.51.100.31"),
    Row("CNAME static", "JP", "static.example.net."),
    Row("A some.tenant", "FR", "192.0.2.90"),
    Row("A any.other.tenant", "KR", "192.0.2.91"),
]


def _question(row: Row) -> tuple[str, str]:
    """Name and type."""
    rdtype, name = row.asked.split()
    return ZONE if name == "@" else f"{name}.{ZONE}", rdtype


def _expected(row: Row) -> list[list[str]]:
    """The answers there may be, values sorted."""
    if row.values.startswith('"'):
        return [[row.values]]
    return [sorted(values.split()) for values in row.values.split("/")]


def _subnet(whence: str, *, ipv6: bool = False) -> str:
    block = geography().find(whence)
    assert block is not None
    return str(block.ipv6 if ipv6 else block.ipv4)


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row.asked} from {row.whence}")
def test_dig(server: Launched, row: Row) -> None:
    subnet = row.whence if "/" in row.whence else _subnet(row.whence)
    name, rdtype = _question(row)
    dug = dig(server, name, rdtype, f"+subnet={subnet}")
    records = [line.split(" ", 4) for line in dug.answer]
    assert sorted(value for _, _, _, kind, value in records if kind == rdtype) in _expected(row)
    assert {ttl for _, ttl, _, _, _ in records} == {str(row.ttl)}
    assert re.findall(r"^; CLIENT-SUBNET: (\S+)$", dug.text, re.M) == [f"{subnet}/{row.scope}"]
    assert (dug.status, dug.flags, len(dug.authority)) == ("NOERROR", {"qr", "aa", "rd"}, 4)


@pytest.mark.parametrize("row", [row for row in ROWS if "/" not in row.whence], ids=lambda row: str(row[:2]))
@pytest.mark.parametrize("ask", [dns.query.udp, dns.query.tcp])
def test_dnspython_by_ipv6_subnets(server: Launched, row: Row, ask) -> None:  # type: ignore[no-untyped-def]
    name, rdtype = _question(row)
    option = dns.edns.ECSOption.from_text(_subnet(row.whence, ipv6=True))
    question = dns.message.make_query(name, rdtype, use_edns=0, options=[option])
    reply = ask(question, "127.0.0.1", PATIENCE, server.port)
    found = [one for one in reply.answer if one.rdtype == dns.rdatatype.from_text(rdtype)]
    assert sorted(str(value) for rrset in found for value in rrset) in _expected(row)
    assert {rrset.ttl for rrset in reply.answer} == {row.ttl}
    scopes = [(one.address, one.scopelen) for one in reply.options if isinstance(one, dns.edns.ECSOption)]
    assert scopes == [(option.address, 48 if row.scope else 0)]


def test_eight_of_nine_are_given(server: Launched) -> None:
    seen = [dig(server, f"many.{ZONE}").answer for _ in range(20)]
    values = [{line.split()[-1] for line in answer} for answer in seen]
    assert {len(one) for one in values} == {8}
    assert set().union(*values) == set(MANY)


def test_without_a_client_subnet_the_source_counts(server: Launched) -> None:
    """And nobody knows where 127.0.0.1 is."""
    dug = dig(server, f"geo.{ZONE}")
    assert dug.answer == {f"geo.{ZONE}. 60 IN A 192.0.2.44"}
    assert "CLIENT-SUBNET" not in dug.text


def test_the_last_resort_is_an_extended_error(server: Launched) -> None:
    told = r"EDE: 0 \(Other\): \(all members unhealthy, all considered healthy\)"
    assert re.search(told, dig(server, f"doomed.{ZONE}").text)
    assert re.search(told, dig(server, ZONE, f"+subnet={_subnet('JP')}").text)
    assert "EDE" not in dig(server, f"failover.{ZONE}").text
    assert "EDE" not in dig(server, f"doomed.{ZONE}", "+noedns").text


def test_an_explanation(server: Launched) -> None:
    dug = dig(server, "TXT", f"_explain.near.{ZONE}", f"+subnet={_subnet('PL')}")
    lines = [line.split(" ", 4)[4].strip('"') for line in dug.sections["ANSWER"]]
    assert lines[0] == f"question near.{ZONE}. A"
    assert f"client {_subnet('PL')} (client subnet): Poland, says the atlas: PL" in lines
    assert "choice Helsinki: the smallest distance, biased" in lines
    assert {line.split()[1] for line in dug.answer} == {"0"}


# Private zones


@on_linux
@pytest.mark.parametrize(
    ("asked", "status", "answer"),
    [
        (f"db.{ZONE}", "NOERROR", "60 IN A 172.30.0.9"),
        (f"simple.{ZONE}", "NOERROR", "300 IN A 172.30.0.1"),
        (f"latency.{ZONE}", "NOERROR", "60 IN A 172.30.0.21"),
        (f"weighted.{ZONE}", "NXDOMAIN", ""),
        (f"simple.{ZONE} AAAA", "NOERROR", ""),
    ],
)
def test_a_client_of_the_vpc(server: Launched, asked: str, status: str, answer: str) -> None:
    name, *rdtype = asked.split()
    dug = dig(server, "-b", "127.0.0.2", name, *rdtype, f"+subnet={_subnet('US-VA')}")
    assert (dug.status, dug.flags) == (status, {"qr", "rd", "ra"})
    assert dug.answer == ({f"{name}. {answer}"} if answer else set())
    assert {line.split()[3] for line in dug.authority} == (set() if answer else {"SOA"})
    assert "CLIENT-SUBNET" not in dug.text


@on_linux
def test_a_client_of_the_vpc_sees_public_names_too(server: Launched) -> None:
    question = dns.message.make_query("api.example.com", "A")
    reply = dns.query.udp(question, "127.0.0.1", PATIENCE, server.port, source="127.0.0.2")
    assert [str(value) for rrset in reply.answer for value in rrset] == ["192.0.2.30"]


def test_others_do_not_see_the_private_zone(server: Launched) -> None:
    dug = dig(server, f"db.{ZONE}")
    assert (dug.status, dug.flags) == ("NXDOMAIN", {"qr", "aa", "rd"})


# A resolver that keeps answers by their scope


class Front(NamedTuple):
    """Unbound in front of a relay in front of the server."""

    resolver: Resolver
    relay: Relay

    def values(self, name: str, subnet: str) -> tuple[str, int]:
        """The value that a client gets, and how many questions that took."""
        asked = f"{name}.{ZONE} A"
        before = self.relay.questions[asked]
        (value,) = self.resolver.values(f"{name}.{ZONE}", subnet=subnet)
        return value, self.relay.questions[asked] - before


@pytest.fixture(scope="module")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    with (
        launched("--seed", "42", zones=ZONES / "all-policies.yaml") as server,
        relaying(server.port) as relay,
        resolving(tmp_path_factory.mktemp("front"), ZONE, relay.port, "qname-minimisation: no") as resolver,
    ):
        yield Front(resolver, relay)


@pytest.mark.parametrize(
    ("name", "clients"),
    [
        (
            "geo",
            [
                (_subnet("DE"), "192.0.2.43", 1),
                (_subnet("FR"), "192.0.2.43", 1),
                (_subnet("US-WA"), "192.0.2.40", 1),
                (_subnet("JP"), "192.0.2.44", 1),
                (_subnet("DE"), "192.0.2.43", 0),
                (_subnet("DE").replace(".0/24", ".128/25"), "192.0.2.43", 0),
                (_subnet("US-WA"), "192.0.2.40", 0),
                (_subnet("US-WA", ipv6=True), "192.0.2.40", 1),
                (_subnet("US-WA", ipv6=True).replace("::/48", ":7::/64"), "192.0.2.40", 0),
                (_subnet("JP"), "192.0.2.44", 0),
            ],
        ),
        (
            "network",
            [
                ("203.0.0.0/16", "192.0.2.63", 1),  # the default; its scope keeps it from the office
                ("203.0.113.0/24", "192.0.2.62", 1),
                ("10.20.1.0/24", "192.0.2.61", 1),
                ("10.20.2.0/24", "192.0.2.61", 0),
                ("10.20.255.0/24", "192.0.2.61", 0),
                ("10.200.1.0/24", "192.0.2.60", 1),
                ("10.250.7.0/24", "192.0.2.60", 0),
                ("10.21.0.0/24", "192.0.2.60", 1),
                ("203.0.113.0/24", "192.0.2.62", 0),
            ],
        ),
        (
            "failover",  # for everybody
            [
                (_subnet("DE"), "192.0.2.31", 1),
                (_subnet("JP"), "192.0.2.31", 0),
                ("203.0.113.0/24", "192.0.2.31", 0),
            ],
        ),
    ],
)
def test_unbound_keeps_an_answer_for_its_scope(front: Front, name: str, clients: list[tuple[str, str, int]]) -> None:
    got = [(subnet, *front.values(name, subnet)) for subnet, _, _ in clients]
    assert got == clients
