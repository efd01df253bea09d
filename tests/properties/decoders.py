"""Reading messages in two independent ways, and plainly, octet by octet."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple
from unittest import mock

import dns.message
import dns.opcode
import dns.rrset
import dnslib
import dnslib.dns
from dnslib.label import DNSBuffer

OPT = 41
QR, AA, TC, RD, RA, Z, AD, CD = 0x8000, 0x0400, 0x0200, 0x0100, 0x0080, 0x0040, 0x0020, 0x0010
_HEADER = struct.Struct("!HHHHHH")
_RECORD = struct.Struct("!HHIH")
# What dnslib lacks (SVCB, SPF) or can not read (hints of HTTPS) is left as octets, and so compared.
_OPAQUE = {"SVCB": 64, "HTTPS": 65, "SPF": 99}


class Raw(NamedTuple):
    """One record: its owner's octets as they stand, what is before its data, its data, and where it ends."""

    section: int
    owner: bytes
    type: int
    rdclass: int
    ttl: int
    data: bytes
    end: int


class Plain(NamedTuple):
    """A message taken apart by nothing but RFC 1035, section 4."""

    id: int
    flags: int
    counts: tuple[int, int, int, int]
    question: bytes
    records: list[Raw]
    end: int

    @property
    def opt(self) -> Raw | None:
        """The OPT record."""
        return next((record for record in self.records if record.type == OPT), None)

    @property
    def rcode(self) -> int:
        """The response code with its upper bits from OPT."""
        return (self.flags & 0xF) | ((self.opt.ttl >> 24) << 4 if self.opt else 0)


def take_apart(wire: bytes) -> Plain:
    """Raises ValueError, IndexError or struct.error for what is not a message with one question, or with none."""
    ident, flags, *counts = _HEADER.unpack_from(wire)
    at = _HEADER.size
    if counts[0] > 1:
        raise ValueError("more than one question")
    if counts[0]:
        at = _skip_name(wire, at) + 4
    if at > len(wire):
        raise ValueError("the question is not whole")
    records = list(_records(wire, at, counts[1:]))
    end = records[-1].end if records else at
    return Plain(ident, flags, (counts[0], counts[1], counts[2], counts[3]), wire[12:at], records, end)


def _records(wire: bytes, at: int, counts: list[int]) -> Iterator[Raw]:
    for section, count in enumerate(counts, 1):
        for _ in range(count):
            owner_end = _skip_name(wire, at)
            rdtype, rdclass, ttl, length = _RECORD.unpack_from(wire, owner_end)
            end = owner_end + 10 + length
            if end > len(wire):
                raise ValueError("the last record is not whole")
            yield Raw(section, wire[at:owner_end], rdtype, rdclass, ttl, wire[owner_end + 10 : end], end)
            at = end


def _skip_name(wire: bytes, at: int) -> int:
    while length := wire[at]:
        if length >= 0xC0:
            return at + 2
        if length > 63:
            raise ValueError("an unknown kind of label")
        at += length + 1
    return at + 1


def advertised(packet: bytes) -> int:
    """The octets that a UDP response to `packet` may have: 512 without EDNS, never more than 4096 with it."""
    try:
        opt = take_apart(packet).opt
    except (ValueError, IndexError, struct.error):
        return 512
    return min(max(opt.rdclass, 512), 4096) if opt else 512


def decode(wire: bytes) -> dns.message.Message:
    """The message as dnspython reads it, once dnslib has read the same octets as the same records."""
    plain = take_apart(wire)
    assert plain.end == len(wire), "something stands behind the last record"
    if plain.flags & 0x7800 == dns.opcode.UPDATE << 11:  # the sections of an update have other rules
        wire = bytes((wire[0], wire[1], wire[2] & 0x87)) + wire[3:]
    message = dns.message.from_wire(wire, one_rr_per_rrset=True)
    if _is_utf8(plain.question):
        _compare(message, _by_dnslib(wire, {record.type for record in plain.records}))
    return message


def _is_utf8(question: bytes) -> bool:
    """Whether dnslib takes the labels."""
    try:
        question[:-4].decode()
    except UnicodeDecodeError:
        return False
    return True


def _by_dnslib(wire: bytes, types: set[int]) -> dnslib.DNSRecord:
    if types.isdisjoint(_OPAQUE.values()):
        return dnslib.DNSRecord.parse(wire)
    known = {name: value for name, value in dnslib.dns.RDMAP.items() if name not in _OPAQUE}
    with mock.patch.dict(dnslib.dns.RDMAP, known, clear=True):
        return dnslib.DNSRecord.parse(wire)


def _compare(message: dns.message.Message, other: dnslib.DNSRecord) -> None:
    assert (other.header.id, other.header.bitmap & 0x7FFF) == (message.id, message.flags & 0x7FFF)
    asked = [(one.qname.label, one.qtype, one.qclass) for one in other.questions]
    assert asked == [(one.name.labels[:-1], one.rdtype, one.rdclass) for one in message.question]
    additional = [one for one in other.ar if one.rtype != OPT]
    for theirs, ours in (
        (other.rr, message.answer),
        (other.auth, message.authority),
        (additional, message.additional),
    ):
        assert [_dnslib_record(one) for one in theirs] == [_dnspython_record(one) for one in ours]


def _dnspython_record(one: dns.rrset.RRset) -> tuple[object, ...]:
    return one.name.labels[:-1], one.rdtype, one.rdclass, one.ttl, one[0].to_wire()


def _dnslib_record(one: dnslib.RR) -> tuple[object, ...]:
    buffer = _WithoutPointers()
    one.rdata.pack(buffer)
    return one.rname.label, one.rtype, one.rclass, one.ttl, bytes(buffer.data)


class _WithoutPointers(DNSBuffer):
    """Writes out every name."""

    encode_name = DNSBuffer.encode_name_nocompress
