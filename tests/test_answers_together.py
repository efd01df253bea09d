"""What the policies, private zones, additional data and explanations make of each other."""

from __future__ import annotations

import pytest
from answers import dig

from dnsemu.app import load_text
from dnsemu.authority import Asked, explain, lines
from dnsemu.draws import Draws
from dnsemu.location import Client
from dnsemu.model import Type, read_name

VIEWS = """
version: 1
hosted_zones:
  - name: example.com
    record_sets:
      - {name: www, type: A, ttl: 60, records: 192.0.2.1}
      - {name: to, type: CNAME, ttl: 60, records: db.corp.example.com}
      - {name: db.corp, type: A, ttl: 60, records: 192.0.2.2}
  - name: sub.example.com
    record_sets: [{name: www, type: A, ttl: 60, records: 192.0.2.3}]
  - name: corp.example.com
    vpc: [{vpc_id: v1, vpc_region: eu-west-1}]
    record_sets: [{name: db, type: A, ttl: 60, records: 10.0.0.1}]
  - name: more.corp.example.com
    vpc: [{vpc_id: v1}]
    record_sets:
      - {name: geo, type: A, ttl: 60, set_identifier: ie,
         geolocation_routing_policy: {country: IE}, records: 10.0.0.2}
dnsemu:
  vpcs: [{vpc_id: v1, cidr_blocks: [10.0.0.0/8]}]
"""
INSIDE = [
    ("www.example.com", ["192.0.2.1"]),
    ("www.sub.example.com", ["192.0.2.3"]),  # a public zone beside the private one
    ("db.corp.example.com", ["10.0.0.1"]),
    ("to.example.com", ["db.corp.example.com."]),  # V5: what the private zone hides is not told by the public one
    ("geo.more.corp.example.com", ["10.0.0.2"]),  # G11: the region is written with the other zone
]


@pytest.mark.parametrize(("name", "values"), INSIDE)
def test_from_inside_a_vpc(name: str, values: list[str]) -> None:
    authority = load_text(VIEWS).authority
    assert dig(authority, f"{name} A +source=10.1.2.3").values == values
    asked = Asked(read_name(name), Type.A, bytes((10, 1, 2, 3)), 32)
    told = explain(authority, asked, Draws(1))
    assert told is not None
    assert [record["value"] for record in told.answer["records"]] == values


def test_from_outside_the_public_zone_goes_on() -> None:
    answer = dig(load_text(VIEWS).authority, "to.example.com A +source=192.0.2.7")
    assert answer.values == ["db.corp.example.com.", "192.0.2.2"]


DOWN = """
version: 1
hosted_zones:
  - name: example.com
    name_servers: [ns1.example.com]
    record_sets:
      - {name: "", type: MX, ttl: 60, records: 10 mail.example.com}
      - {name: "", type: A, ttl: 60, records: 192.0.2.1}
      - {name: ns1, type: A, ttl: 60, set_identifier: a, weighted_routing_policy: {weight: 1},
         records: 192.0.2.2}
      - {name: ns1, type: A, ttl: 60, set_identifier: b, weighted_routing_policy: {weight: 1}, records: 192.0.2.3}
      - {name: mail, type: A, ttl: 60, set_identifier: p, failover_routing_policy: {type: PRIMARY},
         health_check_id: x, records: 192.0.2.4}
      - {name: c, type: CNAME, ttl: 60, set_identifier: a, weighted_routing_policy: {weight: 1},
         records: t.example.com}
      - {name: t, type: A, ttl: 60, set_identifier: a, weighted_routing_policy: {weight: 1}, records: 192.0.2.5}
      - {name: t, type: A, ttl: 60, set_identifier: b, weighted_routing_policy: {weight: 1}, records: 192.0.2.6}
      - {name: long, type: TXT, ttl: 60, set_identifier: a, weighted_routing_policy: {weight: 1}, health_check_id: x,
         records: '"LEFT" "RIGHT"'}
health_checks:
  - {id: x, type: TCP, ip_address: 192.0.2.9, port: 1, dnsemu: {initial_status: unhealthy}}
""".replace("LEFT", "a" * 200).replace("RIGHT", "b" * 210)


def test_the_last_resort_of_additional_data_is_not_that_of_the_answer() -> None:
    authority = load_text(DOWN).authority
    assert "192.0.2.4" in dig(authority, "example.com MX").additional[0]
    for words in ("example.com MX", "example.com ANY"):
        assert "error" not in dig(authority, words).edns
    assert "error" in dig(authority, "mail.example.com A").edns


def test_an_error_costs_no_answer() -> None:
    """RFC 8914 3: what is said about an answer goes before the answer does."""
    answer = dig(load_text(DOWN).authority, "long.example.com TXT +bufsize=512")
    assert (answer.flags, len(answer.answer), answer.edns) == ("qr aa rd", 1, "0 4096")


def test_a_chain_is_told_in_the_order_it_was_followed() -> None:
    """Its hops bring no name servers along, whose addresses are chosen too."""
    authority = load_text(DOWN).authority
    told = explain(authority, Asked(read_name("c.example.com"), Type.A, bytes(4), 32), Draws(1))
    assert told is not None
    assert [step["name"] for step in told.steps if step["step"] == "group"] == ["c.example.com.", "t.example.com."]
    assert lines(told)


MIXED = """
version: 1
dnsemu:
  locations:
    - {cidr: 10.0.0.0/8, country: DE}
    - {cidr: 10.1.0.0/16, country: JP}
"""


def test_one_place_is_one_object() -> None:
    """What a policy remembers of places does not grow with the questions of one client."""
    authority = load_text(MIXED).authority
    clients = [Client(authority.locator, bytes((10, 200, 1, 1)), 32) for _ in range(3)]
    assert len({id(client.located) for client in clients}) == 1
    assert clients[0].located.place.country == "DE"
