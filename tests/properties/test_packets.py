"""Whatever comes in: nothing is raised, a response is never answered, and what goes out is sound."""

from __future__ import annotations

import random
from functools import cache
from pathlib import Path

import dns.message
import dns.rcode
import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties.decoders import AA, AD, CD, OPT, QR, RA, RD, TC, Plain, Z, advertised, decode, take_apart
from properties.strategies import examples, mutated, questions, worlds

from dnsemu.app import load
from dnsemu.authority import Authority, Response, Unowned, respond
from dnsemu.draws import Draws
from dnsemu.wire import TCP, UDP

ZONES = Path(__file__).resolve().parents[2] / "zones"
LARGE = """
version: 1
hosted_zones:
  - name: t.test
    name_servers: [ns1.t.test, ns2.t.test]
    record_sets:
      - {name: ns1, type: A, ttl: 60, records: 192.0.2.1}
      - {name: ns2, type: AAAA, ttl: 60, records: "2001:db8::2"}
"""


def reply_to(authority: Authority, packet: bytes, transport: object = UDP) -> bytes | None:
    """What is sent back; None for silence."""
    got = respond(authority, packet, b"\x7f\0\0\1", transport, Draws(7))  # type: ignore[arg-type]
    if isinstance(got, Response):
        assert got.fault is None
        return got.wire
    return got.refused if isinstance(got, Unowned) else None


def check(authority: Authority, packet: bytes) -> None:
    """Everything that holds of a reply, whatever the packet is."""
    for transport, limit in ((UDP, advertised(packet)), (TCP, 65535)):
        wire = reply_to(authority, packet, transport)
        if len(packet) < 12 or packet[2] & 0x80:
            assert wire is None
            continue
        assert wire is not None
        assert len(wire) <= limit
        decode(wire)
        check_header(packet, take_apart(wire))


def check_header(packet: bytes, reply: Plain) -> None:
    """RFC 1035 4.1.1 and what Route 53 does with the bits."""
    asked = int.from_bytes(packet[2:4], "big")
    assert reply.id == int.from_bytes(packet[:2], "big")
    assert reply.flags & QR
    assert reply.flags & 0x7800 == asked & 0x7800
    assert reply.flags & (RD | CD) == asked & (RD | CD)
    assert not reply.flags & (RA | AD | Z)
    assert reply.question in (b"", packet[12 : 12 + len(reply.question)])
    if reply.rcode in (dns.rcode.FORMERR, dns.rcode.NOTIMP, dns.rcode.REFUSED, dns.rcode.BADVERS):
        assert not reply.flags & (AA | TC)
        assert [record for record in reply.records if record.type != OPT] == []


@cache
def example() -> Authority:
    return load([ZONES]).authority


@examples(40)
@given(st.data())
def test_answers_to_questions_are_sound(data: st.DataObject) -> None:
    world = data.draw(worlds())
    for _ in range(10):
        packet = data.draw(questions(world)).to_wire()
        check(world.authority, packet)
        check_edns(world.authority, packet)


def check_edns(authority: Authority, packet: bytes) -> None:
    """The question's bytes come back; OPT only if it was there: version 0, size 4096, DO and client subnet echoed."""
    asked, reply = take_apart(packet), take_apart(reply_to(authority, packet) or b"")
    assert reply.question == asked.question
    refused_as_unowned = isinstance(respond(authority, packet, b"\x7f\0\0\1", UDP, Draws(7)), Unowned)
    assert (reply.opt is None) == (asked.opt is None or refused_as_unowned)
    if asked.opt and reply.opt:
        assert reply.opt.rdclass == 4096
        assert reply.opt.ttl == asked.opt.ttl & 0x8000
        assert reply.opt.data == client_subnet(asked.opt.data)


def client_subnet(options: bytes) -> bytes:
    """The client subnet option among the options, as it is; nothing else is answered (behaviour 5.8, 5.10)."""
    at = 0
    while at < len(options):
        end = at + 4 + int.from_bytes(options[at + 2 : at + 4], "big")
        if options[at : at + 2] == b"\0\x08":
            return options[at:end]
        at = end
    return b""


@examples(25)
@given(st.data())
def test_mutated_questions_are_answered_or_not_but_soundly(data: st.DataObject) -> None:
    world = data.draw(worlds())
    packets = [data.draw(questions(world)).to_wire() for _ in range(3)]
    rng = random.Random(data.draw(st.integers(0, 1 << 32)))
    for _ in range(60):
        check(world.authority, mutated(rng.choice(packets), rng))


def test_mutations_of_an_ordinary_question() -> None:
    rng = random.Random(53)
    question = dns.message.make_query("www.example.com", "A", use_edns=0, payload=1232, id=1).to_wire()
    for _ in range(3000):
        check(example(), mutated(question, rng))


@examples(400)
@given(st.binary(max_size=80))
def test_random_octets(octets: bytes) -> None:
    check(example(), octets)


@examples(400)
@given(st.binary(min_size=2, max_size=2), st.integers(0, 255), st.binary(max_size=60))
def test_random_octets_behind_an_ordinary_header(flags: bytes, additional: int, octets: bytes) -> None:
    check(example(), b"\x12\x34" + flags + b"\0\1\0\0\0\0\0" + bytes((additional % 3,)) + octets)


def test_a_reply_is_never_answered() -> None:
    rng = random.Random(5)
    question = dns.message.make_query("mail.example.com", "MX", use_edns=0, id=7).to_wire()
    reply = reply_to(example(), question)
    assert reply
    for packet in (reply, *(mutated(reply, rng) for _ in range(500))):
        if len(packet) < 12 or packet[2] & 0x80:
            assert reply_to(example(), packet, UDP) is None
            assert reply_to(example(), packet, TCP) is None


@pytest.mark.parametrize("length", range(12))
def test_what_has_no_whole_header_is_not_answered(length: int) -> None:
    question = dns.message.make_query("example.com", "A").to_wire()
    assert reply_to(example(), question[:length]) is None
