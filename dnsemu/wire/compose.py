"""Answers as bytes: headers made beforehand, joining, and what is left of an answer that is too long."""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from functools import cache
from struct import Struct
from typing import NamedTuple

from dnsemu.wire.codes import HEADER, POINTER_TO_QNAME, type_and_class
from dnsemu.wire.query import AA, CD, QR, RA, RD, TC

_FIELDS = Struct("!BBHHHH")
_COUNTS = Struct("!HHH")
_RECORD = Struct("!HHIH")
MAX_MESSAGE = 65535  # octets behind TCP's length field (RFC 1035 4.2.2)

Heads = tuple[bytes, ...]
"""Ten octets behind the message ID, by what is echoed (RD 1, CD 2), plus 4 if an OPT record follows."""


class Transport(Enum):
    """What carries a question and its answer; over UDP the asker sets the limit, over TCP the length field."""

    UDP = "udp"
    TCP = "tcp"


UDP, TCP = Transport.UDP, Transport.TCP


@cache  # a pure function of few arguments: thousands of names share one tuple
def heads(rcode: int, counts: tuple[int, int, int], *, authoritative: bool = True, recursive: bool = False) -> Heads:
    """The eight headers of an answer with `counts` records in its sections (RFC 1035 4.1.1); AD is 0.

    `recursive` sets RA: for what a resolver answers.
    """
    answers, authorities, additional = counts
    upper = QR | (AA if authoritative else 0)
    lower = (RA if recursive else 0) | rcode & 0xF
    return tuple(
        _FIELDS.pack(upper | (echo & RD), (echo >> 1) * CD | lower, 1, answers, authorities, additional + opt)
        for opt in (0, 1)
        for echo in range(4)
    )


def record_body(rdtype: int, ttl: int, rdata: bytes) -> bytes:
    """A record without its owner (RFC 1035 4.1.3): type, class IN, TTL in seconds, length, data."""
    return type_and_class(rdtype) + ttl.to_bytes(4, "big") + len(rdata).to_bytes(2, "big") + rdata


def failure(packet: bytes, rcode: int, opt: bytes, question_end: int = 0) -> bytes:
    """An error response: the header, the question up to `question_end` if it could be read, and `opt`.

    RD, CD and opcode are copied from the packet, which has a whole header.
    """
    upper = QR | packet[2] & (0x78 | RD)
    lower = packet[3] & CD | rcode & 0xF
    fields = _FIELDS.pack(upper, lower, 1 if question_end else 0, 0, 0, 1 if opt else 0)
    return packet[:2] + fields + packet[HEADER : question_end or HEADER] + opt


class Section(NamedTuple):
    """One record set of a composed message: which section it is in (0 … 2), where it ends, how many records."""

    section: int
    end: int
    records: int


def truncate(message: bytes, begin: int, opt: bytes, limit: int, *, whole: bool) -> bytes:
    """What of `message` fits into `limit` octets, cut between record sets (behaviour 5.8 E3, RFC 2181 9).

    `begin` is where its records begin. Without `whole`, additional data goes first and then the authority section,
    both without TC; with it, TC tells that a part is missing: the SOA of a negative answer, the name servers of a
    referral, their addresses (RFC 9471 2.1).
    """
    counts = list(_COUNTS.unpack_from(message, 6))
    room = limit - len(opt)
    kept, taken = begin, [0, 0, 0]
    sections = record_sets(message, begin, (counts[0], counts[1], counts[2] - bool(opt)))
    for section, end, records in sections:
        if end > room:
            return _cut(message[:kept], taken, opt, truncated=whole or section == 0)
        kept = end
        taken[section] += records
    return message


def record_sets(message: bytes, at: int, counts: tuple[int, int, int]) -> list[Section]:
    """The record sets of a message of ours from `at` on: neighbours of one owner and type in one section."""
    found: list[Section] = []
    before = b""
    for section, count in enumerate(counts):
        for index in range(count):
            begin = at
            at = _owner_end(message, at)
            identity = message[begin : at + 2]
            at += 10 + _RECORD.unpack_from(message, at)[3]
            if index and identity == before:
                found[-1] = Section(section, at, found[-1].records + 1)
            else:
                found.append(Section(section, at, 1))
            before = identity
    return found


def records_of(name: bytes, section: bytes) -> Iterator[tuple[bytes, int, int, bytes]]:
    """Owner, type, TTL and data of the records of a section of ours that answers a question for `name`."""
    at = 0
    while at < len(section):
        begin, at = at, _owner_end(section, at)
        rdtype, _, ttl, length = _RECORD.unpack_from(section, at)
        at += 10 + length
        owner = section[begin : at - 10 - length]
        yield name if owner == POINTER_TO_QNAME else owner, rdtype, ttl, section[at - length : at]


def _owner_end(message: bytes, at: int) -> int:
    if message[at : at + 2] == POINTER_TO_QNAME:
        return at + 2
    while message[at]:
        at += message[at] + 1
    return at + 1


def _cut(message: bytes, taken: list[int], opt: bytes, *, truncated: bool) -> bytes:
    flags = message[2] | (TC if truncated else 0)
    counts = _COUNTS.pack(taken[0], taken[1], taken[2] + bool(opt))
    return message[:2] + bytes((flags,)) + message[3:6] + counts + message[HEADER:] + opt
