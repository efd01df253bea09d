"""What an answer says of how it was found: an extended error where no member of a group was healthy (RFC 8914).

The error is the "other" one, 0, with a text; it says that the answer was given all the same (H5).
"""

from __future__ import annotations

from typing import NamedTuple

import dns.edns
import dns.flags
import dns.message
import pytest
from answers import question, send, walk

from dnsemu.app import load_text
from dnsemu.authority import Authority
from dnsemu.draws import Draws

TEXT = "all members unhealthy, all considered healthy"
GEO = "198.18.56.0/24"  # Germany in the atlas


def _group(name: str, *members: str, rdtype: str = "A", ttl: str = "        ttl: 60\n") -> str:
    rows = "".join(f"          - {{set_identifier: m{number}, {one}}}\n" for number, one in enumerate(members))
    return f"      - name: {name}\n        type: {rdtype}\n{ttl}        members:\n{rows}"


def _weight(weight: int, rest: str) -> str:
    return f"weighted_routing_policy: {{weight: {weight}}}, {rest}"


def _place(place: str, rest: str) -> str:
    return f"geolocation_routing_policy: {{{place}}}, {rest}"


def _alias(name: str, evaluate: str = "true") -> str:
    return f"alias: {{name: {name}, evaluate_target_health: {evaluate}}}"


UP, DOWN = ("health_check_id: up, records: 192.0.2.1", "health_check_id: down, records: 192.0.2.2")
PRIMARY, SECONDARY = ("failover_routing_policy: {type: PRIMARY}", "failover_routing_policy: {type: SECONDARY}")
ILL = "health_check_id: down, records"
IP_BASED = _group("ip", f"cidr_routing_policy: {{collection_id: c, location_name: l}}, {DOWN}")
LONG = [f"multivalue_answer_routing_policy: true, {ILL}: '\"{number}{'x' * 120}\"'" for number in range(8)]

ZONE = f"""
version: 1
hosted_zones:
  - name: example.com
    name_servers: [ns1.example.net]
    record_sets:
      - {{name: simple, type: A, ttl: 60, records: 192.0.2.3}}
      - {{name: simple-ill, type: A, ttl: 60, {DOWN}}}
      - {{name: alias, type: A, alias: {{name: weighted, evaluate_target_health: true}}}}
      - {{name: cname, type: CNAME, ttl: 60, records: weighted.example.com}}
      - {{name: "*.wild", type: A, alias: {{name: weighted}}}}
{_group("weighted", _weight(1, DOWN), _weight(0, DOWN))}
{_group("well", _weight(1, UP), _weight(1, DOWN))}
{_group("zeros", _weight(1, DOWN), _weight(0, UP))}
{_group("multivalue", *[f"multivalue_answer_routing_policy: true, {ILL}: 192.0.2.{n}" for n in range(3)])}
{_group("failover", f"{PRIMARY}, {DOWN}", f"{SECONDARY}, {DOWN}")}
{_group("secondary", f"{PRIMARY}, {DOWN}", f"{SECONDARY}, {UP}")}
{_group("latency", f"latency_routing_policy: {{region: eu-west-1}}, {DOWN}")}
{_group("near", f"geoproximity_routing_policy: {{aws_region: eu-west-1}}, {DOWN}")}
{_group("geo", _place("country: DE", DOWN), _place("country: FR", UP))}
{_group("next", _place("country: DE", DOWN), _place("continent: EU", UP))}
{IP_BASED}
{_group("nested", _weight(1, _alias("weighted")), _weight(1, _alias("failover")), ttl="")}
{_group("kept", _weight(1, _alias("weighted", "false")), ttl="")}
{_group("around", _weight(1, _alias("weighted")), _weight(1, UP + ", ttl: 60"), ttl="")}
{_group("long", *LONG, rdtype="TXT")}
health_checks:
  - {{id: up, type: TCP, ip_address: 192.0.2.250, port: 80}}
  - {{id: down, type: TCP, ip_address: 192.0.2.251, port: 80, dnsemu: {{initial_status: unhealthy}}}}
cidr_collections:
  - {{id: c, name: c, locations: [{{name: l, cidr_blocks: [198.18.56.0/24]}}]}}
dnsemu:
  vpcs: [{{vpc_id: vpc-a, vpc_region: eu-west-1, cidr_blocks: [10.1.0.0/16]}}]
"""
PRIVATE = ZONE.replace("    name_servers: [ns1.example.net]", "    vpc: [{vpc_id: vpc-a}]").replace(IP_BASED, "")
AUTHORITY = load_text(ZONE).authority
SILENT = load_text(ZONE + "  options: {extended_errors: false}\n").authority


class Findings(NamedTuple):
    """An answer, the text of its extended error, and its client subnet with the scope; None where it has none."""

    message: dns.message.Message
    wire: bytes
    error: str | None
    subnet: str | None


def find(words: str, authority: Authority = AUTHORITY) -> Findings:
    name, *rest = words.split()
    asked = question(f"{name}.example.com", *(rest or ["A"]))
    wire, _ = send(authority, asked.packet, asked.transport, Draws(0), asked.source)
    assert wire is not None
    message = dns.message.from_wire(wire)
    errors = [option for option in message.options if isinstance(option, dns.edns.EDEOption)]
    subnets = [option for option in message.options if isinstance(option, dns.edns.ECSOption)]
    assert len(errors) <= 1
    assert all(option.code == 0 for option in errors)
    assert len(message.options) == len(errors) + len(subnets)
    shown = [f"{option.address}/{option.srclen}/{option.scopelen}" for option in subnets]
    return Findings(message, wire, errors[0].text if errors else None, shown[0] if shown else None)


LAST_RESORTS = [
    *(
        "weighted A",
        "multivalue A",
        "failover A",
        "latency A",
        "near A",
        f"geo A +subnet={GEO}",
        f"ip A +subnet={GEO}",
    ),
    *("alias A", "cname A", "x.wild A", "weighted ANY"),
    "nested A",  # at the root, and again below (H13)
    "kept A",  # below, though the root is healthy (H7)
    *("weighted A +tcp", "weighted A +dnssec", "weighted A +cookie +nsid", "weighted A +bufsize=512"),
]


@pytest.mark.parametrize("words", LAST_RESORTS)
def test_the_last_resort_is_told(words: str) -> None:
    found = find(words)
    assert found.error == TEXT
    assert found.message.rcode() == 0
    assert found.message.answer


NONE = [
    *("simple A", "simple-ill A", "well A", "zeros A", "secondary A", "around A", "weighted AAAA", "nowhere A"),
    *(f"next A +subnet={GEO}", "geo A +subnet=198.18.74.0/24", "geo A", "ip A"),
    *("weighted A CH", "weighted A +opcode=4", "cname CNAME"),
]


@pytest.mark.parametrize("words", NONE)
def test_nothing_is_told_where_nothing_is_wrong(words: str) -> None:
    assert find(words).error is None


@pytest.mark.parametrize("words", LAST_RESORTS)
def test_it_can_be_turned_off(words: str) -> None:
    found = find(words, SILENT)
    assert found.error is None
    assert found.message.answer == find(words).message.answer


def test_nothing_is_told_without_edns() -> None:
    found = find("weighted A +noedns")
    assert (found.message.edns, found.message.options) == (-1, ())


@pytest.mark.parametrize(
    ("words", "subnet"),
    [
        (f"weighted A +subnet={GEO}", "198.18.56.0/24/0"),
        (f"latency A +subnet={GEO}", "198.18.56.0/24/24"),
        (f"ip A +subnet={GEO}", "198.18.56.0/24/24"),
        ("latency A +subnet=2001:db8:1038::/48", "2001:db8:1038::/48/48"),
        ("weighted A +subnet=0.0.0.0/0", "0.0.0.0/0/0"),
        (f"weighted A +subnet={GEO} +dnssec +cookie", "198.18.56.0/24/0"),
    ],
)
def test_beside_a_client_subnet(words: str, subnet: str) -> None:
    found = find(words)
    assert (found.error, found.subnet) == (TEXT, subnet)
    assert [option.otype for option in found.message.options] == [dns.edns.ECS, dns.edns.EDE]
    assert bool(found.message.ednsflags & 0x8000) == ("+dnssec" in words)


def test_in_a_private_zone() -> None:
    """R1: no client subnet; the error is told."""
    authority = load_text(PRIVATE).authority
    for words in ("weighted A +source=10.1.0.1", f"weighted A +source=10.1.0.1 +subnet={GEO}"):
        found = find(words, authority)
        assert (found.error, found.subnet) == (TEXT, None)
    assert find("well A +source=10.1.0.1", authority).error is None


@pytest.mark.parametrize("more", ["", " +subnet=0.0.0.0/0", " +subnet=2001:db8::/56 +dnssec"])
def test_where_the_answer_is_cut(more: str) -> None:
    """The error goes before anything else does (RFC 8914 3), nothing is too long, and the OPT record is the last."""
    whole = find(f"long TXT +tcp{more}")
    assert whole.error == TEXT
    assert not whole.message.flags & dns.flags.TC
    for size in range(512, len(whole.wire) + 3):
        found = find(f"long TXT +bufsize={size}{more}")
        assert found.error == (TEXT if size >= len(whole.wire) else None)
        assert len(found.wire) <= size
        assert bool(found.message.flags & dns.flags.TC) == (not found.message.answer)
        assert [one.rdtype for one in walk(found.wire)][-1] == 41
        assert (found.wire == whole.wire) == (size >= len(whole.wire))
