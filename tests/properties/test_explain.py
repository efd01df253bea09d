"""Explaining tells the answer that would come next, by what was decided for it, and disturbs nothing.

Zones are those of `strategies` (chains of CNAMEs, wildcards, cuts, nested zones) and of `selection_zones` (every
policy, aliases of them and into nothing, private zones).
"""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address, ip_network
from typing import Any

import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype
from answers import Question, question, walk
from hypothesis import given
from hypothesis import strategies as st
from properties import selection_zones, strategies
from properties.selection import zone_for
from properties.selection_clients import clients, questions
from properties.selection_world import Client, World, to_yaml
from properties.strategies import ALL_TYPES, examples, names_to_ask

from dnsemu.app import load_text
from dnsemu.authority import Asked, Authority, Explanation, Response, Unowned, as_json, explain, lines, respond
from dnsemu.draws import Draws
from dnsemu.model import Type, read_name
from dnsemu.wire import Rcode

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


def asked_by(client: Client, name: str, rdtype: str, *, private: bool = False) -> Asked:
    """The question as explaining takes it; in a private zone the client subnet says nothing (CS3)."""
    is_subnet = client.told is not None and not private
    network = ip_network(client.subnet if is_subnet else client.source)
    address = network.network_address.packed
    return Asked(read_name(name), Type[rdtype], address, network.prefixlen, is_subnet=is_subnet)


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
    written = as_json(told)
    assert json.loads(json.dumps(written)) == json.loads(json.dumps(written, default=str)), "nothing but JSON"
    assert written["text"] == text


# Random zones


@examples(40)
@given(strategies.worlds(), st.integers(0, 1 << 32))
def test_zones_of_all_shapes(world: strategies.World, seed: int) -> None:
    """Chains of CNAMEs, wildcards, empty non-terminals, cuts, aliases, nested zones, and names nowhere."""
    rng, draws, client = random.Random(seed), Draws(seed), Client()
    names = names_to_ask(world.zones)
    for name in rng.sample(names, min(len(names), 12)):
        for rdtype in rng.sample(ALL_TYPES, 3):
            asked, packet = asked_by(client, name, rdtype), question(name, rdtype, "+tcp")
            check(both(world.authority, asked, packet, draws))


@examples(40)
@given(selection_zones.worlds(), st.integers(0, 1 << 32))
def test_zones_with_policies(world: World, seed: int) -> None:
    authority, rng, draws = load_text(to_yaml(world)).authority, random.Random(seed), Draws(seed)
    for client in clients(world, rng, 4):
        for name, rdtype in questions(world, rng, 4):
            zone = zone_for(world, client, name)
            asked = asked_by(client, name, rdtype, private=zone is not None and bool(zone.vpcs))
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
        before = [explain(authority, asked_by(client, name, rdtype), beside) for _ in range(2)]
        assert before[0] == before[1]
        over_dns = question(f"_explain.{name}", "TXT", "+tcp", *client.words)
        respond(authority, over_dns.packet, ip_address(client.source).packed, packet.transport, beside)
        source = ip_address(client.source).packed
        wires.append([respond(authority, packet.packet, source, packet.transport, d) for d in (alone, beside)])
    for one, other in wires:
        assert type(one) is type(other)
        assert not isinstance(one, Response) or (isinstance(other, Response) and one.wire == other.wire)


# Over DNS


@examples(25)
@given(selection_zones.worlds(), st.integers(0, 1 << 32))
def test_over_dns_the_same_lines(world: World, seed: int) -> None:
    authority, rng, draws = load_text(to_yaml(world)).authority, random.Random(seed), Draws(seed)
    for client, (name, rdtype) in zip(clients(world, rng, 8), questions(world, rng, 8), strict=True):
        zone, owner = zone_for(world, client, name), f"_explain._{rdtype.lower()}.{name}"
        if zone is None or "*" in name:
            continue
        asked = asked_by(client, name, rdtype, private=bool(zone.vpcs))
        packet = question(owner, "TXT", "+tcp", *client.words)
        expected = explain(authority, with_vpc(world, client, asked, private=bool(zone.vpcs)), draws)
        outcome = respond(authority, packet.packet, ip_address(client.source).packed, packet.transport, draws)
        assert isinstance(outcome, Response)
        assert expected is not None
        assert strings(outcome.wire) == lines(expected)
        assert {ttl for _, ttl, _, _ in _records(outcome.wire)} == {0}


def with_vpc(world: World, client: Client, asked: Asked, *, private: bool) -> Asked:
    """A client of a private zone is told to be in its VPC."""
    vpc = world.vpc_of(client.address)
    return asked._replace(vpc_id=vpc.name) if private and vpc is not None else asked


def strings(wire: bytes) -> list[str]:
    """The TXT records of an answer, the strings of each joined."""
    found = []
    for one in walk(wire):
        if one.section == 0 and one.rdtype == dns.rdatatype.TXT:
            data = dns.rdata.from_wire(dns.rdataclass.IN, dns.rdatatype.TXT, wire, one.data, one.end - one.data)
            found.append(b"".join(data.strings).decode())
    return found
