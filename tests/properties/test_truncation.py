"""What does not fit is cut between record sets: additional data first, then the courtesy of the authority section,
both without TC; what is left of an answer is the beginning of the whole one."""

from __future__ import annotations

import dns.message
import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties.decoders import AA, TC, Plain, Raw, decode, take_apart
from properties.strategies import examples

from dnsemu.app import load_text
from dnsemu.authority import Authority, Response, respond
from dnsemu.draws import Draws
from dnsemu.wire import TCP, UDP, Transport

SERVERS = [f"ns{number}.big.test" for number in range(1, 5)]


def big_zone(values: int, servers: int, length: int) -> Authority:
    """A zone whose answers are as large as wanted in every section."""
    names = ", ".join(SERVERS[:servers])
    texts = ", ".join(f"""'"{number:03d}{"x" * length}"'""" for number in range(values))
    mail = ", ".join(f"10 m{number}.big.test" for number in range(values))
    addresses = "\n".join(
        f"      - {{name: {name}, type: {rdtype}, ttl: 60, records: '{value}'}}"
        for name in [*(server.split(".")[0] for server in SERVERS), *(f"m{number}" for number in range(values))]
        for rdtype, value in (("A", "192.0.2.1"), ("AAAA", "2001:db8::1"))
    )
    return load_text(f"""
version: 1
hosted_zones:
  - name: big.test
    name_servers: [{names}]
    record_sets:
      - {{name: txt, type: TXT, ttl: 60, records: [{texts}]}}
      - {{name: mail, type: MX, ttl: 60, records: [{mail}]}}
      - {{name: mail, type: A, ttl: 60, records: 192.0.2.7}}
      - {{name: chain, type: CNAME, ttl: 60, records: txt.big.test}}
      - {{name: cut, type: NS, ttl: 60, records: [{", ".join(f"ns{n}.cut.big.test" for n in range(values))}]}}
      - {{name: ns0.cut, type: A, ttl: 60, records: 192.0.2.9}}
{addresses}
""").authority


def ask(authority: Authority, packet: bytes, transport: Transport) -> Plain:
    """The same draw each time, so that the whole answer and the cut one have their values in one order."""
    got = respond(authority, packet, b"\x7f\0\0\1", transport, Draws(3))
    assert isinstance(got, Response)
    assert got.fault is None
    decode(got.wire)
    return take_apart(got.wire)


@examples(30)
@given(
    values=st.integers(1, 40),
    servers=st.integers(1, 4),
    length=st.integers(1, 200),
    asked=st.lists(
        st.tuples(
            st.sampled_from([("txt", "TXT"), ("mail", "MX"), ("mail", "ANY"), ("chain", "TXT"), ("x.cut", "A"),
                             ("txt", "AAAA"), ("", "NS"), ("gone", "A")]),
            st.none() | st.integers(512, 4096),
        ),
        min_size=5,
        max_size=10,
    ),
)  # fmt: skip
def test_a_cut_answer_is_the_beginning_of_the_whole(
    values: int, servers: int, length: int, asked: list[tuple[tuple[str, str], int | None]]
) -> None:
    authority = big_zone(values, servers, length)
    for (name, rdtype), size in asked:
        message = dns.message.make_query(f"{name}.big.test".lstrip("."), rdtype, id=1)
        if size:
            message.use_edns(0, payload=size)
        packet = message.to_wire()
        whole, cut = ask(authority, packet, TCP), ask(authority, packet, UDP)
        check_cut(whole, cut, size or 512)


def check_cut(whole: Plain, cut: Plain, limit: int) -> None:
    """Behaviour 5.8 E3."""
    assert cut.end <= limit
    assert not whole.flags & TC
    assert cut.flags & ~TC == whole.flags
    kept, full = sections(cut), sections(whole)
    for one, other in zip(kept, full, strict=True):
        assert one == other[: len(one)]
    if whole.end <= limit:
        assert kept == full
    dropped = [len(one) < len(other) for one, other in zip(kept, full, strict=True)]
    assert not dropped[1] or not kept[2], "addresses were kept where what they belong to was dropped"
    needed = 1 if full[0] else 2
    assert bool(cut.flags & TC) == (not fits(whole, needed, limit)) or is_referral(whole)
    for records, rest in zip(kept, full, strict=True):
        assert between_sets(rest, len(records))


def sections(message: Plain) -> list[list[Raw]]:
    """Answer, authority and additional records, without OPT and where they stand."""
    records = [record._replace(end=0) for record in message.records if record != message.opt]
    return [[record for record in records if record.section == number] for number in (1, 2, 3)]


def fits(whole: Plain, needed: int, limit: int) -> bool:
    """Whether the sections that must be there fit beside OPT."""
    ends = [record.end for record in whole.records if record.section <= needed]
    return max(ends) + (11 if whole.opt else 0) <= limit


def is_referral(whole: Plain) -> bool:
    """Whose glue, if it does not fit, is worth a TC as well (RFC 9471)."""
    return not whole.flags & AA


def between_sets(records: list[Raw], at: int) -> bool:
    """Whether a cut at `at` goes through no record set."""
    if at in (0, len(records)):
        return True
    before, behind = records[at - 1], records[at]
    return (before.owner, before.type) != (behind.owner, behind.type)


@pytest.mark.parametrize("size", [None, 0, 511, 512])
def test_512_octets_are_the_least(size: int | None) -> None:
    authority = big_zone(2, 1, 190)
    message = dns.message.make_query("txt.big.test", "TXT")
    if size is not None:
        message.use_edns(0, payload=size)
    reply = ask(authority, message.to_wire(), UDP)
    assert not reply.flags & TC
    assert len(sections(reply)[0]) == 2


def test_4096_octets_are_the_most_over_udp() -> None:
    authority = big_zone(40, 1, 200)
    message = dns.message.make_query("txt.big.test", "TXT", use_edns=0, payload=65535)
    assert ask(authority, message.to_wire(), UDP).flags & TC


def test_over_tcp_64_kilobytes_are_the_most() -> None:
    values = ", ".join(f"""'"{number:03d}{"x" * 240}"'""" for number in range(400))
    text = f"""
version: 1
hosted_zones:
  - name: big.test
    record_sets: [{{name: txt, type: TXT, ttl: 60, records: [{values}]}}]
"""
    got = respond(
        load_text(text).authority,
        dns.message.make_query("txt.big.test", "TXT").to_wire(),
        b"\x7f\0\0\1",
        TCP,
        Draws(1),
    )
    assert isinstance(got, Response)
    assert len(got.wire) <= 65535
    assert decode(got.wire).flags & TC
