"""Unbound, with this server as its stub zone: letter case randomised, client subnets sent, names minimised."""

from __future__ import annotations

from collections.abc import Iterator

import dns.edns
import dns.rcode
import dns.rdatatype
import pytest
from e2e.launch import launched
from e2e.unbound import Resolver, resolving

pytestmark = pytest.mark.e2e

LONG = " ".join(f'"{number:03d}{"x" * 240}"' for number in range(12))
ZONE = f"""
version: 1
hosted_zones:
  - name: example.com
    record_sets:
      - {{name: "", type: A, alias: {{name: lb}}}}
      - {{name: lb, type: A, ttl: 60, records: [192.0.2.10, 192.0.2.11]}}
      - {{name: plain, type: A, ttl: 60, records: 192.0.2.1}}
      - {{name: one, type: CNAME, ttl: 60, records: two.example.com}}
      - {{name: two, type: CNAME, ttl: 60, records: three.deep.below.example.com}}
      - {{name: three.deep.below, type: A, ttl: 60, records: 192.0.2.3}}
      - {{name: to-apex, type: CNAME, ttl: 60, records: example.com}}
      - {{name: "*.wild", type: A, ttl: 60, records: 192.0.2.4}}
      - {{name: long, type: TXT, ttl: 60, records: '{LONG}'}}
      - {{name: mail, type: MX, ttl: 60, records: [10 lb.example.com, 20 plain.example.com]}}
"""
OPTIONS = (
    "use-caps-for-id: yes",
    "qname-minimisation: yes",
    "qname-minimisation-strict: yes",
    "client-subnet-always-forward: yes",
)


@pytest.fixture(scope="module")
def resolver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Resolver]:
    folder = tmp_path_factory.mktemp("unbound")
    (folder / "zone.yaml").write_text(ZONE, encoding="utf-8")
    with (
        launched(zones=folder / "zone.yaml") as server,
        resolving(folder, "example.com", server.port, *OPTIONS) as one,
    ):
        yield one


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("plain.example.com", {"192.0.2.1"}),
        ("PLAIN.Example.com", {"192.0.2.1"}),
        ("example.com", {"192.0.2.10", "192.0.2.11"}),
        ("one.example.com", {"192.0.2.3"}),
        ("to-apex.example.com", {"192.0.2.10", "192.0.2.11"}),
        ("a.wild.example.com", {"192.0.2.4"}),
        ("a.b.c.wild.example.com", {"192.0.2.4"}),
        ("three.deep.below.example.com", {"192.0.2.3"}),
    ],
)
def test_it_resolves(resolver: Resolver, name: str, values: set[str]) -> None:
    assert resolver.values(name) == values


def test_mail(resolver: Resolver) -> None:
    assert resolver.values("mail.example.com", "MX") == {"10 lb.example.com.", "20 plain.example.com."}


@pytest.mark.parametrize("name", ["gone.example.com", "a.b.gone.example.com", "x.three.deep.below.example.com"])
def test_a_name_that_is_not_there(resolver: Resolver, name: str) -> None:
    reply = resolver.ask(name)
    assert reply.rcode() == dns.rcode.NXDOMAIN
    assert [rrset.rdtype for rrset in reply.authority] == [dns.rdatatype.SOA]


@pytest.mark.parametrize("name", ["plain.example.com", "deep.below.example.com", "wild.example.com"])
def test_a_name_without_that_type(resolver: Resolver, name: str) -> None:
    reply = resolver.ask(name, "AAAA")
    assert (reply.rcode(), reply.answer) == (dns.rcode.NOERROR, [])


def test_a_large_answer_by_way_of_tcp(resolver: Resolver) -> None:
    assert resolver.values("long.example.com", "TXT") == {LONG}
    assert "initiate TCP query" in resolver.log


def test_with_a_client_subnet(resolver: Resolver) -> None:
    reply = resolver.ask("subnet.wild.example.com", subnet="192.0.2.0/24")
    assert reply.rcode() == dns.rcode.NOERROR
    assert reply.answer[0][0].to_text() == "192.0.2.4"
    (option,) = reply.options
    assert isinstance(option, dns.edns.ECSOption)
    assert (option.address, option.srclen, option.scopelen) == ("192.0.2.0", 24, 0)
    assert "answer has edns subnet 192.0.2.0/24 scope /0" in resolver.log


def test_a_foreign_name_fails_and_leaves_the_machine_in_peace(resolver: Resolver) -> None:
    assert resolver.ask("far.example").rcode() == dns.rcode.SERVFAIL


def test_letter_case_never_came_back_wrong(resolver: Resolver) -> None:
    """Unbound falls back and asks again, more slowly, when 0x20 fails."""
    resolver.values("case.wild.example.com")
    assert "qname perturbed to" in resolver.log
    assert "capsforid" not in resolver.log.lower()
