"""Lookups in 9,662 small random zones, as BIND, Knot, NSD and PowerDNS answer them (data/ferret/README.md).

At least three of the four agree on RCODE, AA, the answer section, and the SOA or NS of the authority section of every
one of them. We must say the same, without exception, but for the apex NS that Route 53 adds to positive answers.
Route 53 would hold every one of these zones, so they go through all the rules. Each is moved below an origin of its
own by a suffix to all of its names, so that one authority holds many, names inside a zone stay inside, and names
outside stay outside.
"""

from __future__ import annotations

import gzip
import json
from collections import Counter
from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import dns.message
import dns.rcode
import dns.rdatatype
from answers import Question, name_at, send, walk

from dnsemu.authority import Sources, compile_authority
from dnsemu.errors import Origin
from dnsemu.model import Configuration, HostedZone, RecordSet, Type, Value, read_name, read_value

DATA = Path(__file__).parent / "data" / "ferret" / "ferret.jsonl.gz"
LOOKUPS = 9662
BATCH = 25  # zones in one authority
ORIGIN = Origin("ferret")
WITH_NAMES: dict[int, int] = {Type.NS: 1, Type.CNAME: 1, Type.SOA: 2}  # how many names their data begins with


Record = tuple[bytes, int, int, bytes]  # owner, type, TTL, data: all in wire form, names without compression


class Said(NamedTuple):
    """What servers must agree on."""

    rcode: int
    authoritative: bool
    answer: frozenset[Record]
    authority: frozenset[Record]


class Lookup(NamedTuple):
    """A question in a zone, and what at least three servers say."""

    number: int
    zone: HostedZone
    name: str
    rdtype: int
    expected: Said


def test_lookups() -> None:
    lookups = _lookups()
    wrong = {}
    for at in range(0, LOOKUPS, BATCH):
        batch = lookups[at : at + BATCH]
        authority, _ = compile_authority(Configuration(hosted_zones=[lookup.zone for lookup in batch]), _nowhere)
        for lookup in batch:
            wire, _ = send(authority, Question(lookup.name, lookup.rdtype).packet)
            assert wire
            if _said(wire, lookup.zone.name) != lookup.expected:
                wrong[lookup.number] = f"{dns.message.from_wire(wire)}\nexpected: {lookup.expected}"
    assert wrong == {}
    assert len(lookups) == LOOKUPS


def _said(wire: bytes, apex: bytes) -> Said:
    """What a message of ours says. dnspython would take half of the time of this test."""
    sections: list[set[Record]] = [set(), set(), set()]
    for record in walk(wire):
        data = _data_at(wire, record.data, record.end, record.rdtype)
        sections[record.section].add((record.owner, record.rdtype, record.ttl, data))
    said = Said(wire[3] & 0xF, bool(wire[2] & 4), frozenset(sections[0]), frozenset(sections[1]))
    return _without_courtesy(said, apex)


def _data_at(wire: bytes, at: int, end: int, rdtype: int) -> bytes:
    names = b""
    for _ in range(WITH_NAMES.get(rdtype, 0)):
        name, at = name_at(wire, at)
        names += name
    return names + wire[at:end]


def _nowhere() -> Sources:
    raise AssertionError("nothing here depends on where a client is")


def _lookups() -> list[Lookup]:
    with gzip.open(DATA, "rt") as lines:
        return [_lookup(json.loads(line), _Moved(f"z{at % BATCH}.ferret.test.")) for at, line in enumerate(lines)]


class _Moved:
    """Moves names below `origin`, those in texts of records too."""

    def __init__(self, origin: str) -> None:
        self._origin = origin

    def name(self, name: str) -> str:
        return self._origin if name == "." else name + self._origin

    def record_data(self, rdtype: Type, text: str) -> str:
        if rdtype not in WITH_NAMES:
            return text
        return " ".join(self.name(word) if word.endswith(".") else word for word in text.split())

    def record(self, line: str) -> Record:
        owner, ttl, _, name, text = line.split(" ", 4)
        rdtype = Type[name]
        return _name(self.name(owner)), rdtype, int(ttl), _value(rdtype, self.record_data(rdtype, text)).rdata


def _lookup(row: dict[str, Any], moved: _Moved) -> Lookup:
    zone = _zone(row, moved)
    said: Counter[Said] = Counter()
    for reply in row["doc"]["Expected Response"]:
        said[_without_courtesy(_read(reply["Response"], moved), zone.name)] += len(reply["Server/s"].split())
    most, servers = said.most_common(1)[0]
    assert servers >= 3, f"{row['n']}: the servers do not agree"
    query = row["doc"]["Query"]
    return Lookup(row["n"], zone, moved.name(query["Name"]), dns.rdatatype.from_text(query["Type"]), most)


def _zone(row: dict[str, Any], moved: _Moved) -> HostedZone:
    sets: dict[tuple[str, str], RecordSet] = {}
    for owner, ttl, rdtype, text in row["zone"]:
        values = sets[owner, rdtype].values if (owner, rdtype) in sets else ()
        values = (*values, _value(Type[rdtype], moved.record_data(Type[rdtype], text)))
        sets[owner, rdtype] = RecordSet(_name(moved.name(owner)), Type[rdtype], ORIGIN, ttl, values)
    return HostedZone(_name(moved.name(row["origin"])), f"Z{row['n']}", (), ORIGIN, tuple(sets.values()))


# The same few texts come again and again.
_name = cache(read_name)


@cache
def _value(rdtype: Type, text: str) -> Value:
    return Value(read_value(rdtype, text), ORIGIN)


def _read(lines: Sequence[str], moved: _Moved) -> Said:
    """One reply of the data."""
    sections: dict[str, list[str]] = {"header": []}
    for line in lines:
        if line.startswith(";"):
            sections[line] = []
        else:
            sections[list(sections)[-1]].append(line)
    header = dict(line.partition(" ")[::2] for line in sections["header"])
    records = [frozenset(moved.record(line) for line in sections[title]) for title in (";ANSWER", ";AUTHORITY")]
    return Said(dns.rcode.from_text(header["rcode"]), "AA" in header["flags"].split(), *records)


def _without_courtesy(said: Said, apex: bytes) -> Said:
    """Without the apex NS of a positive answer; of the authority section SOA and NS alone count."""
    positive = bool(said.answer)
    counted = {
        record
        for record in said.authority
        if record[1] == Type.SOA or (record[1] == Type.NS and not (positive and record[0] == apex))
    }
    return said._replace(authority=frozenset(counted))
