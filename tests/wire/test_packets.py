"""Packets that no well-meaning client sends, as bytes: what is answered with an error, what not at all.

Rows are put together from pieces named as in RFC 1035 4.1; `question` is what of the packet the answer repeats.
"""

from __future__ import annotations

from struct import pack
from typing import NamedTuple

import pytest
from answers import HEADER, ID, read, send

from dnsemu.app import load_text
from dnsemu.authority import Authority
from dnsemu.wire import TCP, UDP

AUTHORITY: Authority = load_text("""
version: 1
hosted_zones:
  - name: example.com
    name_servers: [ns1.example.net]
    record_sets:
      - {name: www, type: A, ttl: 60, records: 192.0.2.1}
""").authority

RD = 0x0100
WWW = b"\3www\7example\3com\0"
IN_A = b"\0\1\0\1"
QUESTION = WWW + IN_A
ELSEWHERE = b"\3www\7example\3net\0" + IN_A
ROOT = b"\0"


def header(flags: int = RD, qd: int = 1, an: int = 0, ns: int = 0, ar: int = 0) -> bytes:
    return ID + pack("!HHHHH", flags, qd, an, ns, ar)


def opt(
    data: bytes = b"", *, owner: bytes = ROOT, size: int = 1232, version: int = 0, length: int | None = None
) -> bytes:
    return owner + pack("!HHBBHH", 41, size, 0, version, 0, len(data) if length is None else length) + data


def record(rdtype: int, data: bytes = b"", owner: bytes = ROOT) -> bytes:
    return owner + pack("!HHIH", rdtype, 255, 0, len(data)) + data


TSIG = record(250, bytes(32), owner=b"\3key\0")
A = record(1, bytes(4), owner=b"\xc0\x0c")


class Row(NamedTuple):
    """A packet and its answer: the RCODE, whether there is an OPT record, and the question it repeats."""

    why: str
    packet: bytes
    status: str = "FORMERR"
    edns: str = "none"
    question: bytes = QUESTION


SILENCE = [
    ("empty", b""),
    ("one octet", b"\x42"),
    ("eleven octets", header()[:11]),
    ("a response (RFC 1035 4.1.1: QR)", header(0x8000 | RD) + QUESTION),
    ("a response that says FORMERR", header(0x8001, qd=0)),
    ("a response with an answer", header(0x8400, an=1) + QUESTION + A),
    ("a NOTIFY response (RFC 1996)", header(0xA000) + QUESTION),
]

ROWS = [
    # The header (E11, RFC 9619: QDCOUNT is 1)
    Row("a header alone", header(), question=b""),
    Row("no question", header(qd=0), question=b""),
    Row("no question but OPT", header(qd=0, ar=1) + opt(), edns="0 4096", question=b""),
    Row("two questions", header(qd=2) + QUESTION + QUESTION, question=b""),
    Row("65,535 questions", header(qd=65535) + QUESTION, question=b""),
    Row("a record in the answer section", header(an=1) + QUESTION + A),
    Row("an answer counted that is not there", header(an=1) + QUESTION),
    Row("counts that nothing follows", header(ar=1) + QUESTION),
    Row("one record less than counted", header(ar=2) + QUESTION + opt(), edns="any"),
    # The question
    Row("a name that is cut short", header() + b"\3ww", question=b""),
    Row("a name without its root", header() + b"\3www", question=b""),
    Row("no type and class", header() + WWW, question=b""),
    Row("no class", header() + WWW + b"\0\1", question=b""),
    Row("half a class", header() + WWW + b"\0\1\0", question=b""),
    Row("a pointer to itself", header() + b"\xc0\x0c" + IN_A, question=b""),
    Row("a pointer into the header", header() + b"\3www\xc0\x04" + IN_A, question=b""),
    Row("a pointer forward", header() + b"\xc0\x12" + IN_A + WWW, question=b""),
    Row("an extended label (RFC 6891 5)", header() + b"\x41www\0" + IN_A, question=b""),
    Row("a reserved label type", header() + b"\x80\0" + IN_A, question=b""),
    Row("a name of 256 octets", header() + b"\1a" * 127 + b"\1\0" + IN_A, question=b""),
    Row("a name of 300 octets that ends in ours", header() + b"\1a" * 143 + QUESTION, question=b""),
    # What is behind it
    Row("an octet behind the question", header() + QUESTION + b"\0"),
    Row("an octet behind a question elsewhere", header() + ELSEWHERE + b"\0", question=ELSEWHERE),
    Row("OPT that is not counted", header() + QUESTION + opt()),
    Row("an octet behind OPT", header(ar=1) + QUESTION + opt() + b"\0", edns="any"),
    Row("OPT that is cut short", header(ar=1) + QUESTION + opt()[:-1]),
    Row("OPT whose data is cut short", header(ar=1) + QUESTION + opt(length=4), edns="any"),
    Row("an option that is cut short", header(ar=1) + QUESTION + opt(b"\0\3\0"), edns="any"),
    Row("an option that is longer than OPT", header(ar=1) + QUESTION + opt(b"\0\3\0\5abcd"), edns="any"),
    Row("two OPT records (RFC 6891 6.1.1)", header(ar=2) + QUESTION + opt() + opt(), edns="any"),
    Row("two OPT records, one of another version", header(ar=2) + QUESTION + opt() + opt(version=1), edns="any"),
    Row("OPT not of the root (RFC 6891 6.1.2)", header(ar=1) + QUESTION + opt(owner=b"\1a\0"), edns="any"),
    Row("two client subnets", header(ar=1) + QUESTION + opt(b"\0\x08\0\4\0\1\0\0" * 2), edns="any"),
    # What is unusual and yet understood
    Row("nothing unusual", header() + QUESTION, "NOERROR"),
    Row("TSIG, which means nothing here", header(ar=1) + QUESTION + TSIG, "NOERROR"),
    Row("OPT, then TSIG", header(ar=2) + QUESTION + opt() + TSIG, "NOERROR", "0 4096"),
    Row("some record, then OPT", header(ar=2) + QUESTION + A + opt(), "NOERROR", "0 4096"),
    Row("BADVERS behind some record", header(ar=2) + QUESTION + A + opt(version=7), "BADVERS", "0 4096"),
    Row("all flags that mean nothing in a question", header(0x07E0) + QUESTION, "NOERROR"),
    Row("an RCODE in a question", header(RD | 0xF) + QUESTION, "NOERROR"),
    Row(
        "a name of 255 octets",
        header() + b"\1a" * 121 + QUESTION[4:],
        "NXDOMAIN",
        question=b"\1a" * 121 + QUESTION[4:],
    ),
]


@pytest.mark.parametrize(("why", "packet"), [pytest.param(*row, id=row[0]) for row in SILENCE])
def test_silence(why: str, packet: bytes) -> None:
    assert send(AUTHORITY, packet, UDP) == (None, None)
    assert send(AUTHORITY, packet, TCP) == (None, None)


@pytest.mark.parametrize("transport", [UDP, TCP], ids=["UDP", "TCP"])
@pytest.mark.parametrize("row", [pytest.param(row, id=row.why) for row in ROWS])
def test_packet(row: Row, transport: object) -> None:
    wire, _ = send(AUTHORITY, row.packet, transport)  # type: ignore[arg-type]
    assert wire is not None
    answer = read(wire, row.packet[:HEADER], row.question)
    assert answer.status == row.status
    assert row.edns in (answer.edns, "any")
    assert answer.flags == ("qr aa rd" if row.status in ("NOERROR", "NXDOMAIN") else "qr rd")
    if row.status in ("FORMERR", "BADVERS"):
        assert answer.answer + answer.authority + answer.additional == ()
        assert int.from_bytes(wire[4:6]) == bool(row.question), "QDCOUNT"


@pytest.mark.parametrize("opcode", range(1, 16))
@pytest.mark.parametrize("body", [b"", QUESTION, ELSEWHERE, QUESTION[:5], b"\xff" * 40])
def test_opcodes(opcode: int, body: bytes) -> None:
    """Whatever follows the header of an opcode that is none of ours, it is not implemented (RFC 8906 3.1.4)."""
    wire, _ = send(AUTHORITY, header(RD | opcode << 11, qd=bool(body)) + body)
    assert wire is not None
    assert (wire[2] >> 3 & 0xF, wire[3] & 0xF, wire[6:12]) == (opcode, 4, bytes(6))
    assert wire[2] & 0x87 == 0x81, "QR and RD, neither AA nor TC"


def test_every_cut() -> None:
    """A packet cut anywhere gets FORMERR or silence, and what is repeated of the question was in it."""
    packet = header(ar=2) + QUESTION + opt(b"\0\x08\0\7\0\1\x18\0\xc0\0\2") + TSIG
    for size in range(len(packet)):
        wire, _ = send(AUTHORITY, packet[:size])
        if size < HEADER:
            assert wire is None
        else:
            assert wire is not None
            assert wire[3] & 0xF == 1, size
            assert packet.startswith(wire[HEADER : HEADER + (len(QUESTION) if wire[5] else 0)], HEADER)


def test_every_octet() -> None:
    """A packet with any one octet changed never makes us fail, and what comes can be read."""
    packet = header(ar=1) + QUESTION + opt(b"\0\x08\0\7\0\1\x18\0\xc0\0\2")
    for at in range(2, len(packet)):
        for octet in (0, 1, 0x0C, 0x3F, 0x40, 0xC0, 0xFF):
            changed = packet[:at] + bytes((octet,)) + packet[at + 1 :]
            wire, _ = send(AUTHORITY, changed)
            if changed[2] & 0x80:
                assert wire is None
            else:
                assert wire is not None
                read(wire, changed[:HEADER], QUESTION if at >= HEADER + len(QUESTION) else b"")
