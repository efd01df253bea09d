"""Explaining tells the answer that would come next, by what was decided for it, and disturbs nothing.

Zones are those of `strategies` (chains of CNAMEs, wildcards, cuts, nested zones) and of `selection_zones` (every
policy, aliases of them and into nothing, private zones).
"""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any

import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import pytest
from answers import Question, question, walk
from hypothesis import given
from hypothesis import strategies as st
from properties import selection_zones, strategies
from properties.selection_clients import clients, questions
from properties.selection_world import Client, World, to_yaml
from properties.strategies import ALL_TYPES, examples, names_to_ask

from dnsemu.app import load_text
from dnsemu.authority import Asked, Authority, Explanation, Response, Unowned, as_json, explain, lines, respond
from dnsemu.authority.tree import ZoneTree
from dnsemu.draws import Draws
from dnsemu.model import Type, read_name
from dnsemu.wire import Rcode, type_and_class

Record = tuple[str, int, str, str]


@dataclass(frozen=True)
class Both:
    """What is told, and what is answered to the same question."""

    told: Explanation | None
    outcome: Response | Unowned

    @property
    def records(self) -> list[Record]:
        """The answer section."""
        assert isinstance(self.outcome, Response)
        return list(_records(self.outcome.wire))

    @property
    def answer(self) -> Any:
        """The answer as it is told."""
        assert self.told is not None
        return self.told.answer


def _records(wire: bytes) -> Iterator[Record]:
    for one in walk(wire):
        if one.section == 0:
            rdtype = dns.rdatatype.RdataType(one.rdtype)
            data = dns.rdata.from_wire(dns.rdataclass.IN, rdtype, wire, one.data, one.end - one.data)
            owner, _ = dns.name.from_wire(one.owner, 0)
            yield str(owner), one.ttl, rdtype.name, data.to_text()


def both(authority: Authority, asked: Asked, packet: Question, draws: Draws) -> Both:
    """Explained, then answered."""
    told = explain(authority, asked, draws)
    outcome = respond(authority, packet.packet, ip_address(packet.source).packed, packet.transport, draws)
    assert outcome is not None
    return Both(told, outcome)


def view_of(authority: Authority, source: str, name: str, rdtype: str) -> str | None:
    """The VPC whose private zones answer, if any does."""
    view = authority.views.of(ip_address(source).packed) if authority.views else None
    type_class = type_and_class(Type[rdtype])
    return view.vpc_id if view and view.catalogue.search(read_name(name), type_class, private=True) else None


def asked_by(authority: Authority, client: Client, name: str, rdtype: str) -> Asked:
    """The question as explaining takes it; in a private zone the client subnet says nothing (CS3)."""
    vpc_id = view_of(authority, client.source, name, rdtype)
    is_subnet = client.told is not None and vpc_id is None
    network = ip_network(client.subnet if is_subnet else client.source)
    address = network.network_address.packed
    return Asked(read_name(name), Type[rdtype], address, network.prefixlen, vpc_id, is_subnet=is_subnet)


def check(one: Both) -> None:
    """What is told is what is answered, and fit to be printed."""
    assert (one.told is None) == isinstance(one.outcome, Unowned)
    if one.told is None:
        return
    assert isinstance(one.outcome, Response)
    assert one.outcome.fault is None
    assert one.answer["rcode"] == Rcode(one.outcome.rcode).name
    told = [(each["name"], each["ttl"], each["type"], each["value"]) for each in one.answer["records"]]
    assert told == one.records
    assert one.told.zone is not None
    assert one.told.zone["zone_id"] == one.outcome.zone_id
    check_members(one)
    check_shares(one)
    check_form(one.told)


def check_members(one: Both) -> None:
    """The members that are taken are those whose values are in the answer: of each group, and of each record."""
    assert one.told is not None
    groups = [step for step in one.told.steps if step["step"] == "group"]
    answered = {value for _, _, _, value in one.records}
    for group in groups:
        for member in group.get("members", ()):
            assert not member["taken"] or answered.issuperset(member["values"])
            assert not member["taken"] or (member["matched"] and member["share"] > 0)
    given = [step["values"] for step in one.told.steps if step["step"] == "alias" and "values" in step]
    given += [member["values"] for group in groups for member in group.get("members", ()) if member["taken"]]
    if all("members" in group or _is_alias(one.told, group) for group in groups):
        assert answered == {value for values in given for value in values}


def _is_alias(told: Explanation, group: Any) -> bool:
    """Whether a simple group is one that leads on to another."""
    following = told.steps[told.steps.index(group) + 1 :][:1]
    return bool(following) and following[0]["step"] == "alias"


def check_shares(one: Both) -> None:
    """Every value that is asked for and answered has a share, and none has one that is nothing."""
    assert one.told is not None
    values = {value for _, _, rdtype, value in one.records if rdtype == one.told.question["type"]}
    assert values <= one.told.shares.keys()
    assert all(0 < share <= 1 + 1e-9 for share in one.told.shares.values())


def check_form(told: Explanation) -> None:
    """Printable single lines, and JSON."""
    text = lines(told)
    assert all(line.isprintable() and line.strip() and len(line) < 1000 for line in text)
    assert text[0].startswith("question ")
    assert json.loads(json.dumps(as_json(told)))["text"] == text


# Random zones


@examples(15)
@given(strategies.worlds(), st.integers(0, 1 << 32))
def test_zones_of_all_shapes(world: strategies.World, seed: int) -> None:
    """Chains of CNAMEs, wildcards, empty non-terminals, cuts, aliases, nested zones, and names nowhere."""
    rng, draws, client = random.Random(seed), Draws(seed), Client()
    names = names_to_ask(world.zones)
    for name in rng.sample(names, min(len(names), 12)):
        for rdtype in rng.sample(ALL_TYPES, 3):
            asked, packet = asked_by(world.authority, client, name, rdtype), question(name, rdtype, "+tcp")
            check(both(world.authority, asked, packet, draws))


@examples(15)
@given(selection_zones.worlds(), st.integers(0, 1 << 32))
def test_zones_with_policies(world: World, seed: int) -> None:
    authority, rng, draws = load_text(to_yaml(world)).authority, random.Random(seed), Draws(seed)
    for client in clients(world, rng, 4):
        for name, rdtype in questions(world, rng, 4):
            asked = asked_by(authority, client, name, rdtype)
            packet = question(name, rdtype, "+tcp", *client.words)
            found = both(authority, asked, packet, draws)
            check(found)
            if asked.is_subnet and found.told is not None:
                assert found.answer["scope"] == scope_of(found.outcome)


def scope_of(outcome: Response | Unowned) -> int:
    assert isinstance(outcome, Response)
    (opt,) = [one for one in walk(outcome.wire) if one.rdtype == dns.rdatatype.OPT]
    assert outcome.wire[opt.data : opt.data + 2] == b"\0\x08"
    return outcome.wire[opt.data + 7]


@examples(15)
@given(selection_zones.worlds(), st.integers(0, 1 << 32))
def test_explaining_disturbs_nothing(world: World, seed: int) -> None:
    """The answers are those that come without it, however often it is done in between, over DNS too."""
    authority, rng = load_text(to_yaml(world)).authority, random.Random(seed)
    asks = list(zip(clients(world, rng, 10), questions(world, rng, 10), strict=True)) * 2
    alone, beside, wires = Draws(seed), Draws(seed), []
    for client, (name, rdtype) in asks:
        packet = question(name, rdtype, "+tcp", *client.words)
        before = [explain(authority, asked_by(authority, client, name, rdtype), beside) for _ in range(2)]
        assert before[0] == before[1]
        over_dns = question(f"_explain.{name}", "TXT", "+tcp", *client.words)
        respond(authority, over_dns.packet, ip_address(client.source).packed, packet.transport, beside)
        source = ip_address(client.source).packed
        wires.append([respond(authority, packet.packet, source, packet.transport, d) for d in (alone, beside)])
    for one, other in wires:
        assert type(one) is type(other)
        assert not isinstance(one, Response) or (isinstance(other, Response) and one.wire == other.wire)


# Over DNS


@examples(10)
@given(selection_zones.worlds(), st.integers(0, 1 << 32))
def test_over_dns_the_same_lines(world: World, seed: int) -> None:
    authority, rng, draws = load_text(to_yaml(world)).authority, random.Random(seed), Draws(seed)
    for client, (name, rdtype) in zip(clients(world, rng, 8), questions(world, rng, 8), strict=True):
        if "*" in name or "::ffff:" in "".join(client.words):  # mapped: told as what it is mapped to
            continue
        packet = question(f"_explain._{rdtype.lower()}.{name}", "TXT", "+tcp", *client.words)
        expected = explain(authority, asked_by(authority, client, name, rdtype), draws)
        outcome = respond(authority, packet.packet, ip_address(client.source).packed, packet.transport, draws)
        if expected is None:
            assert isinstance(outcome, Unowned)
            continue
        assert isinstance(outcome, Response)
        assert strings(outcome.wire) == lines(expected)
        assert {ttl for _, ttl, _, _ in _records(outcome.wire)} == {0}


def strings(wire: bytes) -> list[str]:
    """The TXT records of an answer, the strings of each joined."""
    found = []
    for one in walk(wire):
        if one.section == 0 and one.rdtype == dns.rdatatype.TXT:
            data = dns.rdata.from_wire(dns.rdataclass.IN, dns.rdatatype.TXT, wire, one.data, one.end - one.data)
            found.append(b"".join(data.strings).decode())
    return found


def scope_over(client: Client, authority: Authority, name: str, rdtype: str) -> int:
    packet = question(name, rdtype, "+tcp", *client.words)
    outcome = respond(authority, packet.packet, ip_address(client.source).packed, packet.transport, Draws(0))
    assert outcome is not None
    return scope_of(outcome)


# Fixed zones


def members(name: str, rdtype: str, *lines_of: str, ttl: str = "ttl: 60") -> str:
    rows = "".join(f"          - {{set_identifier: m{n}, {one}}}\n" for n, one in enumerate(lines_of, 1))
    return f"      - name: {name}\n        type: {rdtype}\n        {ttl}\n        members:\n{rows}"


def weighted(name: str, *rows: tuple[int, str], rdtype: str = "A", ttl: str = "ttl: 60") -> str:
    policies = (f"weighted_routing_policy: {{weight: {weight}}}, {rest}" for weight, rest in rows)
    return members(name, rdtype, *policies, ttl=ttl)


def multivalue(name: str, count: int, check: str = "") -> str:
    policy = f"multivalue_answer_routing_policy: true, {check}records: 192.0.2."
    return members(name, "A", *(f"{policy}{100 + n}" for n in range(count)))


def to(name: str) -> str:
    return f"alias: {{name: {name}, evaluate_target_health: true}}"


DOWN = "health_check_id: down, "
ZONE = f"""
version: 1
hosted_zones:
  - name: example.com
    zone_id: Z0EXAMPLE
    name_servers: [ns1.example.net]
    record_sets:
      - {{name: plain, type: A, ttl: 60, records: [192.0.2.1, 192.0.2.2]}}
      - {{name: alias, type: A, alias: {{name: plain}}}}
      - {{name: six, type: AAAA, ttl: 60, records: "2001:db8::1"}}
      - {{name: mail, type: TXT, ttl: 60, records: '"x"'}}
      - {{name: mail, type: MX, ttl: 60, records: 10 plain.example.com}}
      - {{name: mail, type: SRV, ttl: 60, records: 1 2 3 plain.example.com}}
      - {{name: www, type: CNAME, ttl: 60, records: plain.example.com}}
      - {{name: _txt.mail, type: A, ttl: 60, records: 192.0.2.3}}
      - {{name: a.b.ent, type: A, ttl: 60, records: 192.0.2.4}}
      - {{name: "*.wild", type: TXT, ttl: 60, records: '"wild"'}}
      - {{name: _explain.own, type: TXT, ttl: 60, records: '"mine"'}}
      - {{name: _explain.own-a, type: A, ttl: 60, records: 192.0.2.5}}
      - {{name: deep._explain.own-ent, type: A, ttl: 60, records: 192.0.2.6}}
      - {{name: cut, type: NS, ttl: 60, records: ns.example.net}}
      - {{name: cut, type: DS, ttl: 60, records: 1 13 2 {"ab" * 32}}}
      - {{name: elsewhere, type: CNAME, ttl: 60, records: far.example}}
      - {{name: nothing, type: A, alias: {{name: lb.us-east-1.elb.amazonaws.com}}}}
      - {{name: long, type: TXT, ttl: 60, records: '"{"x" * 250}" "{"y" * 250}"'}}
{weighted("w", (90, "records: 192.0.2.10"), (10, "records: 192.0.2.11"), (0, "records: 192.0.2.12"))}
{weighted("half", (1, "records: [192.0.2.20, 192.0.2.21]"), (1, "records: 192.0.2.20"))}
{weighted("tree", (3, to("w")), (1, to("half")), ttl="")}
{weighted("cname", (1, "records: w.example.com"), (3, "records: nowhere.example.com"), rdtype="CNAME")}
{multivalue("nine", 9)}
{multivalue("ill", 3, DOWN)}
{multivalue("hundred", 100)}
      - {{name: geo, type: A, ttl: 60, set_identifier: de, geolocation_routing_policy: {{country: DE}},
         records: 192.0.2.30}}
      - {{name: sub, type: NS, ttl: 60, records: ns.example.net}}
      - {{name: a.sub, type: TXT, ttl: 60, records: '"hidden"'}}
  - name: sub.example.com
    zone_id: Z0SUB
    record_sets:
      - {{name: a, type: MX, ttl: 60, records: 10 plain.example.com}}
health_checks:
  - {{id: down, type: TCP, ip_address: 192.0.2.250, port: 80, dnsemu: {{initial_status: unhealthy}}}}
dnsemu:
  alias_targets:
    - {{name: lb.us-east-1.elb.amazonaws.com, aaaa: "2001:db8::2"}}
""".replace("        \n        members", "        members")
AUTHORITY = load_text(ZONE).authority
DE4, DE6 = "198.18.56.0/24", "2001:db8:1038::/48"


def txt(name: str, *words: str, authority: Authority = AUTHORITY) -> list[str]:
    """The lines that come for `_explain.` and a name."""
    packet = question(name, "TXT", "+tcp", "+noedns", *words)
    outcome = respond(authority, packet.packet, ip_address(packet.source).packed, packet.transport, Draws(0))
    assert isinstance(outcome, Response)
    return strings(outcome.wire)


TYPES = [  # a name behind `_explain.`, the question that is explained
    ("plain", "plain.example.com. A"),
    ("www", "www.example.com. A"),
    ("six", "six.example.com. AAAA"),
    ("mail", "mail.example.com. MX"),
    ("nowhere", "nowhere.example.com. A"),
    ("ent", "ent.example.com. A"),
    ("b.ent", "b.ent.example.com. A"),
    ("_aaaa.plain", "plain.example.com. AAAA"),
    ("_AAAA.Plain", "plain.example.com. AAAA"),
    ("_txt.mail", "_txt.mail.example.com. A"),  # a name that is there
    ("_srv.mail", "mail.example.com. SRV"),
    ("_soa.plain", "plain.example.com. SOA"),
    ("_any.plain", "_any.plain.example.com. A"),  # no type
    ("_type1.plain", "_type1.plain.example.com. A"),
    ("_aaaa._txt.plain", "_txt.plain.example.com. AAAA"),
    ("cut", "cut.example.com. NS"),
    ("x.wild", "x.wild.example.com. TXT"),
]


@pytest.mark.parametrize(("name", "explained"), TYPES)
def test_which_type_is_explained(name: str, explained: str) -> None:
    assert txt(f"_explain.{name}.example.com")[0] == f"question {explained}"


def test_the_apex_is_explained_too() -> None:
    assert txt("_explain.example.com")[0] == "question example.com. NS"
    assert txt("_explain._soa.example.com")[0] == "question example.com. SOA"
    assert txt("_explain._A.SUB.example.com")[0] == "question sub.example.com. A"


def test_what_is_hidden_has_no_say_in_the_type() -> None:
    assert txt("_explain.a.sub.example.com")[0] == "question a.sub.example.com. MX"


OWN = [  # who owns a name that begins with _explain, is asked for what it has
    ("_explain.own", "TXT", "NOERROR", ["mine"]),
    ("_explain.own", "A", "NOERROR", []),
    ("_explain.own-a", "TXT", "NOERROR", []),
    ("_explain.own-ent", "TXT", "NOERROR", []),
    ("_explain.x.wild", "A", "NOERROR", []),
    ("_explain.plain", "A", "NXDOMAIN", []),
    ("_explain.plain", "MX", "NXDOMAIN", []),
    ("_explained.plain", "TXT", "NXDOMAIN", []),
    ("x._explain.plain", "TXT", "NXDOMAIN", []),
    ("explain.plain", "TXT", "NXDOMAIN", []),
]


@pytest.mark.parametrize(("name", "rdtype", "rcode", "values"), OWN)
def test_it_gives_way_to_what_is_there(name: str, rdtype: str, rcode: str, values: list[str]) -> None:
    packet = question(f"{name}.example.com", rdtype, "+tcp")
    outcome = respond(AUTHORITY, packet.packet, ip_address("127.0.0.1").packed, packet.transport, Draws(0))
    assert isinstance(outcome, Response)
    assert (Rcode(outcome.rcode).name, strings(outcome.wire)) == (rcode, values)


def test_it_does_not_give_way_to_a_wildcard() -> None:
    assert txt("x.wild.example.com") == ["wild"]
    assert txt("_explain.wild.example.com")[0] == "question wild.example.com. A"
    assert txt("_explain.x.wild.example.com")[0] == "question x.wild.example.com. TXT"


def test_it_can_be_turned_off() -> None:
    off = load_text(ZONE + "  options: {explain_txt: false}\n").authority
    for name, rcode, values in (("plain", 3, []), ("x.wild", 0, ["wild"]), ("own", 0, ["mine"])):
        packet = question(f"_explain.{name}.example.com", "TXT", "+tcp")
        outcome = respond(off, packet.packet, ip_address("127.0.0.1").packed, packet.transport, Draws(0))
        assert isinstance(outcome, Response)
        assert (outcome.rcode, strings(outcome.wire)) == (rcode, values)


def test_names_in_no_zone() -> None:
    asked = Asked(read_name("far.example"), Type.A, bytes(4), 32)
    assert explain(AUTHORITY, asked, Draws(0)) is None
    packet = question("_explain.com", "TXT")
    outcome = respond(AUTHORITY, packet.packet, bytes(4), packet.transport, Draws(0))
    assert isinstance(outcome, Unowned)


def test_a_long_explanation_comes_over_tcp() -> None:
    packet = question("_explain.hundred.example.com", "TXT")
    outcome = respond(AUTHORITY, packet.packet, bytes(4), packet.transport, Draws(0))
    assert isinstance(outcome, Response)
    assert outcome.wire[2] & 2, "TC"
    assert len(outcome.wire) <= 1232
    text = txt("_explain.hundred.example.com")
    assert sum(line.startswith(("  * ", "  - ")) for line in text) == 100
    assert sum(line.startswith("  * ") for line in text) == 8


def test_a_long_line_is_several_strings_of_one_record() -> None:
    packet = question("_explain._txt.long.example.com", "TXT", "+tcp")
    outcome = respond(AUTHORITY, packet.packet, bytes(4), packet.transport, Draws(0))
    assert isinstance(outcome, Response)
    (line,) = [line for line in strings(outcome.wire) if line.startswith("  long.")]
    assert line == f'  long.example.com. 60 TXT "{"x" * 250}" "{"y" * 250}"'


@pytest.mark.parametrize("name", ["geo", "plain", "w"])
@pytest.mark.parametrize("subnet", [DE4, DE6, "192.0.2.0/24", "0.0.0.0/0"])
def test_an_explanation_has_the_scope_of_what_it_explains(name: str, subnet: str) -> None:
    client = Client(subnet=subnet)
    explained = scope_over(client, AUTHORITY, f"_explain.{name}.example.com", "TXT")
    assert explained == scope_over(client, AUTHORITY, f"{name}.example.com", "A")


def test_so_for_a_mapped_subnet() -> None:
    client = Client(subnet="::ffff:198.18.56.0/120")
    assert scope_over(client, AUTHORITY, "geo.example.com", "A") == 120
    assert scope_over(client, AUTHORITY, "_explain.geo.example.com", "TXT") == 120


# What is told


def told(name: str, rdtype: str = "A", subnet: str = "") -> Explanation:
    network = ip_network(subnet or "127.0.0.1")
    asked = Asked(
        read_name(f"{name}.example.com"),
        Type[rdtype],
        network.network_address.packed,
        network.prefixlen,
        is_subnet=bool(subnet),
    )
    found = explain(AUTHORITY, asked, Draws(0))
    assert found is not None
    return found


STEPS = [  # name, type, client; the kinds of steps; RCODE; number of records
    ("plain", "A", "", "name group", "NOERROR", 2),
    ("plain", "MX", "", "name", "NOERROR", 0),
    ("www", "A", "", "name group cname name group", "NOERROR", 3),
    ("www", "CNAME", "", "name group", "NOERROR", 1),
    ("www", "MX", "", "name group cname name", "NOERROR", 1),
    ("elsewhere", "A", "", "name group", "NOERROR", 1),
    ("x.wild", "TXT", "", "name group", "NOERROR", 1),
    ("ent", "A", "", "name", "NOERROR", 0),
    ("nowhere", "A", "", "name", "NXDOMAIN", 0),
    ("a.cut", "A", "", "name", "NOERROR", 0),
    ("nothing", "A", "", "name group alias", "NOERROR", 0),
    ("alias", "A", "", "name group alias group", "NOERROR", 2),
    ("geo", "A", DE4, "name group", "NOERROR", 1),
    ("geo", "A", "", "name group", "NOERROR", 0),
]


@pytest.mark.parametrize(("name", "rdtype", "subnet", "steps", "rcode", "records"), STEPS)
def test_steps(name: str, rdtype: str, subnet: str, steps: str, rcode: str, records: int) -> None:
    found = told(name, rdtype, subnet)
    assert [step["step"] for step in found.steps] == steps.split()
    assert (found.answer["rcode"], len(found.answer["records"])) == (rcode, records)


def test_where_the_ttl_comes_from() -> None:
    for name, rdtype, source in (
        ("plain", "A", "plain.example.com. A"),
        ("www", "A", "plain.example.com. A"),
        ("alias", "A", "plain.example.com. A"),
        ("x.wild", "TXT", "*.wild.example.com. TXT"),
        ("nowhere", "A", "the SOA of example.com."),
        ("geo", "A", "de of geo.example.com. A"),
    ):
        assert told(name, rdtype, DE4).answer["ttl_from"] == source


def test_a_referral_takes_no_ttl_from_the_soa() -> None:
    assert "SOA" not in told("a.cut").answer["ttl_from"]


def test_ds_at_a_cut_is_answered_and_told_so() -> None:
    """D4: it is the parent's."""
    found = told("cut", "DS")
    assert [step["step"] for step in found.steps] == ["name", "group"]
    assert found.shares == {f"1 13 2 {'ab' * 32}": 1.0}


def test_the_last_resort_is_told() -> None:
    (group,) = [step for step in told("ill").steps if step["step"] == "group"]
    assert group["reason"] == "all_unhealthy"
    assert "last resort" in group["because"]
    assert [(one["healthy"], one["taken"]) for one in group["members"]] == [(False, True)] * 3


# Shares and frequencies

SHARES: list[tuple[str, dict[str, float]]] = [
    ("w", {"10": 0.9, "11": 0.1}),
    ("half", {"20": 1.0, "21": 0.5}),
    ("tree", {"10": 0.675, "11": 0.075, "20": 0.25, "21": 0.125}),
    ("cname", {"10": 0.225, "11": 0.025}),
    ("nine", {str(100 + number): 8 / 9 for number in range(9)}),
    ("ill", {str(100 + number): 1.0 for number in range(3)}),
    ("plain", {"1": 1.0, "2": 1.0}),
    ("www", {"1": 1.0, "2": 1.0}),
    ("nowhere", {}),
]


@pytest.mark.parametrize(("name", "shares"), SHARES)
def test_shares_are_how_often_values_come(name: str, shares: dict[str, float]) -> None:
    found = {value.removeprefix("192.0.2."): share for value, share in told(name).shares.items()}
    assert found == pytest.approx(shares)
    packet, draws, seen, times = question(f"{name}.example.com", "A", "+tcp"), Draws(1), Counter[str](), 1500
    for _ in range(times):
        outcome = respond(AUTHORITY, packet.packet, bytes(4), packet.transport, draws)
        assert isinstance(outcome, Response)
        seen.update(
            {str(outcome.wire[one.end - 1]) for one in walk(outcome.wire) if one.section == 0 and one.rdtype == 1}
        )
    assert seen.keys() == shares.keys()
    for value, share in shares.items():
        assert abs(seen[value] - times * share) < 5 * (times * share * (1 - share)) ** 0.5 + 1e-6


# What is known to be wrong

ODD = """
version: 1
hosted_zones:
  - name: example.com
    vpc: [{vpc_id: "vpc-\\u001b[31m", vpc_region: eu-west-1}]
    record_sets:
      - {name: w, type: A, ttl: 60, set_identifier: "a\\nb\\u202e", weighted_routing_policy: {weight: 1},
         health_check_id: "c\\r", records: 192.0.2.1}
health_checks:
  - {id: "c\\r", type: TCP, ip_address: 192.0.2.250, port: 80}
"""


def test_lines_can_be_printed_whatever_a_file_holds() -> None:
    asked = Asked(read_name("w.example.com"), Type.A, bytes(4), 32, "vpc-\x1b[31m")
    found = explain(load_text(ODD).authority, asked, Draws(0))
    assert found is not None
    check_form(found)


CIRCLE = "version: 1\nhosted_zones:\n  - name: example.com\n    record_sets:\n" + "".join(
    weighted(name, *((1, f"records: {other}.example.com") for other in "ab"), rdtype="CNAME") for name in "ab"
)


def test_names_that_lead_to_each_other_are_soon_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """With ten names in the circle, nothing else would be answered for years."""
    monkeypatch.setattr("dnsemu.authority.shares.MAX_CHAIN", 8)
    spot, looked = ZoneTree.spot, []
    authority = load_text(CIRCLE).authority
    monkeypatch.setattr(ZoneTree, "spot", lambda tree, name: looked.append(name) or spot(tree, name))
    assert explain(authority, Asked(read_name("a.example.com"), Type.A, bytes(4), 32), Draws(0))
    assert len(looked) < 100


def test_an_explanation_is_explained() -> None:
    found = told("_explain.plain", "TXT")
    assert found.answer["rcode"] == "NOERROR"
    assert not any("NXDOMAIN" in line for line in lines(found))
