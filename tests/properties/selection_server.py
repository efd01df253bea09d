"""The server's answers in the words of the model. They are read plainly, as many of them are asked for."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from ipaddress import ip_address
from struct import unpack_from
from typing import NamedTuple

import dns.rcode
import dns.rdatatype
from answers import Question, Walked, name_at, question, send, walk
from properties.reference import Record
from properties.selection import Outcome, answers
from properties.selection_world import Client, World, to_yaml

from dnsemu.app import load_text
from dnsemu.authority import Authority
from dnsemu.draws import Draws

_OPT, _CLIENT_SUBNET = 41, 8
_BITS = {"qr": 0x8000, "aa": 0x400, "tc": 0x200, "rd": 0x100, "ra": 0x80, "z": 0x40, "ad": 0x20, "cd": 0x10}


class Heard(NamedTuple):
    """An answer: what the model knows of it, and the rest. `subnet`: address, source length and scope."""

    outcome: Outcome
    flags: str
    authority: frozenset[str]  # types
    additional: frozenset[Record]
    subnet: tuple[str, int, int] | None


def authority_of(world: World) -> Authority:
    return load_text(to_yaml(world)).authority


def explained(world: World, client: Client, name: str, rdtype: str, got: object) -> str:
    """All that is needed to see it again."""
    allowed = answers(world, client, name, rdtype)
    return f"{client} asks {name} {rdtype}\n got     {got}\n allowed {allowed}\n{to_yaml(world)}"


def hear(authority: Authority, client: Client, name: str, rdtype: str, draws: Draws) -> Heard:
    """The answer to a question over TCP, where nothing is left out."""
    asked = _question(name, rdtype, client.words)
    wire, _ = send(authority, asked.packet, asked.transport, draws, asked.source)
    assert wire is not None, "silence"
    return _heard(wire)


@functools.lru_cache(maxsize=10_000)
def _question(name: str, rdtype: str, words: tuple[str, ...]) -> Question:
    return question(name, rdtype, "+tcp", *words)


def _heard(wire: bytes) -> Heard:
    found = [(one.section, _record(wire, one)) for one in walk(wire) if one.rdtype != _OPT]
    answer, authority, additional = ([record for at, record in found if at == section] for section in range(3))
    assert len(answer) == len(set(answer)), "a record stands twice in the answer section"
    bits = int.from_bytes(wire[2:4])
    flags = " ".join(name for name, bit in _BITS.items() if bits & bit)
    types = frozenset(record.type for record in authority)
    outcome = Outcome(dns.rcode.to_text(dns.rcode.Rcode(bits & 0xF)), frozenset(answer), negative="SOA" in types)
    return Heard(outcome, flags, types, frozenset(additional), _subnet(wire))


def _record(wire: bytes, one: Walked) -> Record:
    rdtype = dns.rdatatype.to_text(dns.rdatatype.RdataType(one.rdtype))
    return Record(_text(one.owner), one.ttl, rdtype, _value(wire, one, rdtype))


def _value(wire: bytes, one: Walked, rdtype: str) -> str:
    """As dig prints it; SOA as octets."""
    data = wire[one.data : one.end]
    if rdtype in ("A", "AAAA"):
        return str(ip_address(data))
    if rdtype == "TXT":
        return f'"{data[1:].decode()}"'
    if rdtype == "MX":
        return f"{int.from_bytes(data[:2])} {_text(name_at(wire, one.data + 2)[0])}"
    return _text(name_at(wire, one.data)[0]) if rdtype in ("CNAME", "NS") else data.hex()


@functools.lru_cache(maxsize=1_000)
def _text(name: bytes) -> str:
    """A name's labels, which are letters, digits and asterisks here."""
    labels, at = [], 0
    while name[at]:
        labels.append(name[at + 1 : at + 1 + name[at]].decode())
        at += name[at] + 1
    return "".join(f"{label}." for label in labels)


def _subnet(wire: bytes) -> tuple[str, int, int] | None:
    for code, option in (found for one in walk(wire) if one.rdtype == _OPT for found in _options(wire, one)):
        if code == _CLIENT_SUBNET:
            family, source, scope = unpack_from("!HBB", option)
            return str(ip_address(option[4:].ljust(4 if family == 1 else 16, b"\0"))), source, scope
    return None


def _options(wire: bytes, one: Walked) -> Iterator[tuple[int, bytes]]:
    at = one.data
    while at < one.end:
        code, length = unpack_from("!HH", wire, at)
        yield code, wire[at + 4 : at + 4 + length]
        at += 4 + length
