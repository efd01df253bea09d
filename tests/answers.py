"""Ask an authority a question written as for dig, and read the answer with two independent readers.

`ask(authority, "www.example.com", "A", "+tcp")` gives an `Answer`; `dig(authority, "www.example.com A +tcp")` is the
same from one text. The question is made by hand, byte by byte, so that it can be wrong in every way; the answer is
read by dnspython and by dnslib, which must agree, and must repeat the question's bytes.

Words behind the name, as dig's, except that nothing is sent that is not asked for (no cookie, no AD):

    TYPE, CLASS     A, TYPE1000 …; IN, CH, HS, ANY behind the type, CLASS7 …
    +tcp            over TCP
    +noedns +edns=N +bufsize=N +dnssec +ednsflags=N +ednsopt=CODE[:HEX] +subnet=ADDRESS/LENGTH +cookie +nsid +expire
    +norec +cd +ad +zflag +aaflag +raflag +tcflag +opcode=N +header-only
    +source=ADDRESS the address that the question comes from, 127.0.0.1 if not said
"""

from __future__ import annotations

import ipaddress
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from itertools import groupby
from struct import pack, unpack_from
from typing import NamedTuple
from unittest.mock import patch

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.opcode
import dns.rcode
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import dnslib

from dnsemu.authority import Authority, Response, Unowned, respond
from dnsemu.draws import Draws
from dnsemu.wire import TCP, UDP, Transport

ID = b"\x42\x17"
HEADER = 12  # octets
_BITS = {"+norec": 0, "+cd": 0x10, "+ad": 0x20, "+zflag": 0x40, "+raflag": 0x80, "+tcflag": 0x200, "+aaflag": 0x400}
_RD = 0x100
_SENT = {"+nsid": (3, b""), "+expire": (9, b""), "+cookie": (10, bytes(range(8)))}
_SECTIONS = ("answer", "authority", "additional")


@dataclass(frozen=True)
class Opt:
    """What an OPT record of a question says (RFC 6891 6.1)."""

    version: int = 0
    size: int = 1232
    flags: int = 0
    options: tuple[tuple[int, bytes], ...] = ()

    def wire(self) -> bytes:
        """The record."""
        data = b"".join(pack("!HH", code, len(octets)) + octets for code, octets in self.options)
        return b"\0" + pack("!HHBBHH", 41, self.size, 0, self.version, self.flags, len(data)) + data


@dataclass(frozen=True)
class Question:
    """A question, as a packet and what carries it."""

    name: str
    rdtype: int = 1
    rdclass: int = 1
    flags: int = _RD
    opt: Opt | None = field(default_factory=Opt)
    transport: Transport = UDP
    header_only: bool = False
    source: str = "127.0.0.1"

    @property
    def body(self) -> bytes:
        """The question section."""
        if self.header_only:
            return b""
        return dns.name.from_text(self.name).to_wire() + pack("!HH", self.rdtype, self.rdclass)

    @property
    def packet(self) -> bytes:
        """The whole message."""
        opt = self.opt.wire() if self.opt else b""
        counts = pack("!HHHHH", self.flags, 0 if self.header_only else 1, 0, 0, 1 if opt else 0)
        return ID + counts + self.body + opt


def question(name: str, *words: str) -> Question:
    """A question from dig's words."""
    asked = Question(name)
    for place, word in enumerate(words):
        asked = _option(asked, word) if word.startswith("+") else _type_or_class(asked, word, place)
    return asked


def _type_or_class(asked: Question, word: str, place: int) -> Question:
    if place:
        return replace(asked, rdclass=int(dns.rdataclass.from_text(word)))
    return replace(asked, rdtype=int(dns.rdatatype.from_text(word)))


def _option(asked: Question, word: str) -> Question:
    key, _, value = word.partition("=")
    if key == "+norec":
        return replace(asked, flags=asked.flags & ~_RD)
    if key in _BITS:
        return replace(asked, flags=asked.flags | _BITS[key])
    if key == "+opcode":
        return replace(asked, flags=asked.flags | int(value) << 11)
    if key == "+source":
        return replace(asked, source=value)
    if key == "+header-only":
        return replace(asked, header_only=True)
    if key == "+tcp":
        return replace(asked, transport=TCP)
    if key == "+noedns":
        return replace(asked, opt=None)
    assert asked.opt is not None, f"{word} behind +noedns"
    return replace(asked, opt=_opt(asked.opt, key, value))


def _opt(opt: Opt, key: str, value: str) -> Opt:
    if key == "+edns":
        return replace(opt, version=int(value))
    if key == "+bufsize":
        return replace(opt, size=int(value))
    if key == "+dnssec":
        return replace(opt, flags=opt.flags | 0x8000)
    if key == "+ednsflags":
        return replace(opt, flags=opt.flags | int(value, 16))
    if key == "+ednsopt":
        code, _, octets = value.partition(":")
        return replace(opt, options=(*opt.options, (int(code), bytes.fromhex(octets))))
    if key == "+subnet":
        return replace(opt, options=(*opt.options, (8, _subnet(value))))
    return replace(opt, options=(*opt.options, _SENT[key]))


def _subnet(text: str) -> bytes:
    """The client subnet option (RFC 7871 6). dig sends family 0 for `+subnet=0`."""
    if text == "0":
        return bytes(4)
    network = ipaddress.ip_network(text, strict=False)
    address = network.network_address.packed[: (network.prefixlen + 7) // 8]
    return pack("!HBB", 1 if network.version == 4 else 2, network.prefixlen, 0) + address


@dataclass(frozen=True)
class Answer:
    """An answer as text, as dig would print it; `edns` is "none" without an OPT record."""

    status: str
    flags: str
    answer: tuple[str, ...]
    authority: tuple[str, ...]
    additional: tuple[str, ...]
    edns: str
    wire: bytes = field(repr=False)
    zone_id: str | None = None  # None: the name is in no zone of ours

    def lines(self) -> list[str]:
        """All of it but the bytes, for comparing; values of a record set in the answer stand in random order."""
        sections = (by_record_set(self.answer), self.authority, self.additional)
        return layout(self.status, self.flags, self.edns, sections)

    @property
    def values(self) -> list[str]:
        """The answer section's values, in their order: the last fields of its records."""
        return [record.split(" ", 4)[4] for record in self.answer]


def layout(status: str, flags: str, edns: str, sections: Iterable[Iterable[str]]) -> list[str]:
    """An answer's lines, as dig would print it."""
    lines = [f";; status: {status}", f";; flags: {flags}", f";; EDNS: {edns}"]
    for title, records in zip(_SECTIONS, sections, strict=True):
        lines += [f";; {title}", *records]
    return lines


def by_record_set(records: Sequence[str]) -> list[str]:
    """Records with the values of each record set sorted; the order of the record sets stays."""
    runs = groupby(records, key=lambda record: (record.split()[0], record.split()[3]))
    return [record for _, run in runs for record in sorted(run)]


def ask(
    authority: Authority, name: str, rdtype: str = "A", *words: str, seed: int = 0, draws: Draws | None = None
) -> Answer:
    """The answer to a question, read twice. Fails if there is none, or a `fault` behind it."""
    asked = question(name, rdtype, *words)
    wire, zone_id = send(authority, asked.packet, asked.transport, draws or Draws(seed), asked.source)
    assert wire is not None, "silence"
    return replace(read(wire, asked.packet[:HEADER], asked.body), zone_id=zone_id)


def dig(authority: Authority, words: str, *, seed: int = 0, draws: Draws | None = None) -> Answer:
    """The answer to a question in one text: `dig(authority, "www.example.com A +tcp")`."""
    return ask(authority, *words.split(), seed=seed, draws=draws)


def send(
    authority: Authority,
    packet: bytes,
    transport: Transport = UDP,
    draws: Draws | None = None,
    source: str = "127.0.0.1",
) -> tuple[bytes | None, str | None]:
    """The bytes that come back, None for silence; and the zone's id, None if the name is in no zone."""
    outcome = respond(authority, packet, ipaddress.ip_address(source).packed, transport, draws or Draws(0))
    if isinstance(outcome, Unowned):
        return outcome.refused, None
    if isinstance(outcome, Response):
        assert outcome.fault is None, f"{outcome.fault!r}"
        return outcome.wire, outcome.zone_id
    return None, None


def read(wire: bytes, header: bytes, body: bytes) -> Answer:
    """Read an answer with both readers. `header` and `body` (the question section) are those of the question."""
    assert wire[:2] == header[:2], "another message's id"
    assert wire[HEADER : HEADER + len(body)] == body, "the question is not repeated as it was asked"
    message = _parse(wire)
    asked, _ = name_at(wire, HEADER) if wire[5] else (b"", HEADER)
    if asked.isascii():  # dnslib can not read other labels
        _agree(message, wire)
    return Answer(
        status=dns.rcode.to_text(message.rcode()),
        flags=_flags(wire),
        answer=_records(message.answer),
        authority=_records(message.authority),
        additional=_records(message.additional),
        edns=_edns(message),
        wire=wire,
    )


class Walked(NamedTuple):
    """A record of a message: section (0 … 2), owner in wire form, type, TTL; where its data begins and it ends."""

    section: int
    owner: bytes
    rdtype: int
    ttl: int
    data: int
    end: int


def walk(wire: bytes) -> Iterator[Walked]:
    """The records of a message, without reading their data."""
    questions, *counts = unpack_from("!HHHH", wire, 4)
    at = HEADER
    for _ in range(questions):
        at = name_at(wire, at)[1] + 4
    for section, count in enumerate(counts):
        for _ in range(count):
            owner, at = name_at(wire, at)
            rdtype, _, ttl, length = unpack_from("!HHIH", wire, at)
            yield Walked(section, owner, rdtype, ttl, at + 10, at + 10 + length)
            at += 10 + length


def name_at(wire: bytes, at: int) -> tuple[bytes, int]:
    """The name at `at` without compression, and the offset behind it."""
    begin = at
    while 0 < wire[at] < 0xC0:
        at += wire[at] + 1
    if not wire[at]:
        return wire[begin : at + 1], at + 1
    rest, _ = name_at(wire, int.from_bytes(wire[at : at + 2], "big") & 0x3FFF)
    return wire[begin:at] + rest, at + 2


def _parse(wire: bytes) -> dns.message.Message:
    # dnspython knows no client subnet of family 0; left out, it keeps the option's bytes.
    with patch.dict("dns.edns._type_to_class") as known:
        known.pop(dns.edns.ECS, None)
        known.pop(dns.edns.OptionType.EDE, None)
        return dns.message.from_wire(wire, one_rr_per_rrset=True)


def _agree(message: dns.message.Message, wire: bytes) -> None:
    """dnslib sees what dnspython sees: what dnslib read, written out anew by dnslib, reads the same."""
    with patch.dict(dnslib.RDMAP):
        dnslib.RDMAP.pop("HTTPS", None)  # dnslib can not read hints; left out, it keeps the bytes (SVCB, SPF alike)
        other = dnslib.DNSRecord.parse(wire)
    counts = (len(other.questions), len(other.rr), len(other.auth), len(other.ar))
    assert counts == unpack_from("!HHHH", wire, 4)
    assert other.header.rcode == message.rcode() & 0xF
    bits = {"qr": dns.flags.QR, "aa": dns.flags.AA, "tc": dns.flags.TC, "rd": dns.flags.RD, "ra": dns.flags.RA}
    assert all(bool(getattr(other.header, name)) == bool(message.flags & bit) for name, bit in bits.items())
    opts = [record for record in other.ar if record.rtype == dns.rdatatype.OPT]
    assert [
        (opt.edns_len, opt.edns_ver, bool(opt.edns_do), opt.edns_rcode << 4 | other.header.rcode) for opt in opts
    ] == ([(message.payload, message.edns, bool(message.ednsflags & dns.flags.DO), message.rcode())] if opts else [])
    options = [(option.code, bytes(option.data)) for opt in opts for option in opt.rdata]
    assert options == [(option.otype, option.data) for option in message.options]
    again = _parse(bytes(other.pack()))
    for title in ("question", *_SECTIONS):
        assert [str(record) for record in again.section_from_number(_number(title))] == [
            str(record) for record in message.section_from_number(_number(title))
        ], f"dnspython and dnslib read another {title} section"


def _number(title: str) -> int:
    return ("question", *_SECTIONS).index(title)


def _flags(wire: bytes) -> str:
    """dig's order; bits that no answer of ours may have are shown, so that they are seen. Opcode if not QUERY."""
    upper, lower = wire[2], wire[3]
    names = [("qr", upper & 0x80), ("aa", upper & 4), ("tc", upper & 2), ("rd", upper & 1)]
    names += [("ra", lower & 0x80), ("z", lower & 0x40), ("ad", lower & 0x20), ("cd", lower & 0x10)]
    opcode = upper >> 3 & 0xF
    return " ".join([name for name, bit in names if bit] + ([f"opcode={opcode}"] if opcode else []))


def _records(section: Iterable[dns.rrset.RRset]) -> tuple[str, ...]:
    return tuple(f"{rrset.name} {rrset.ttl} {rrset.to_text().split(' ', 2)[2]}" for rrset in section)


def _edns(message: dns.message.Message) -> str:
    if message.edns < 0:
        return "none"
    flags = " do" if message.ednsflags & dns.flags.DO else ""
    rest = f" flags={message.ednsflags & 0x7FFF:#x}" if message.ednsflags & 0x7FFF else ""
    options = "".join(f", {_shown(option)}" for option in message.options)
    return f"{message.edns}{flags}{rest} {message.payload}{options}"


def _shown(option: dns.edns.Option) -> str:
    assert isinstance(option, dns.edns.GenericOption)
    if option.otype == dns.edns.OptionType.EDE:
        return f"error {int.from_bytes(option.data[:2])} {option.data[2:].decode()}"
    if option.otype != dns.edns.ECS:
        return f"option {int(option.otype)} {option.data.hex()}".rstrip()
    family, source, scope = unpack_from("!HBB", option.data)
    address = option.data[4:].ljust({1: 4, 2: 16}.get(family, 0), b"\0")
    return f"subnet {ipaddress.ip_address(address) if address else 0}/{source}/{scope}"
