"""What is said of packets, whatever they are; and the last ones, kept."""

from __future__ import annotations

import gc
import random
import weakref
from collections.abc import Sequence
from dataclasses import replace
from ipaddress import ip_address
from typing import Any

import dns.flags
import dns.message
import dns.rcode
import pytest
from properties.strategies import mutated

from dnsemu.app import load_text
from dnsemu.authority import Authority
from dnsemu.draws import Draws
from dnsemu.server import Answers, Batch, Query, Recent, queries_of
from dnsemu.server.queries import Decided, show_rcode
from dnsemu.wire import TCP, UDP, Rcode, Transport

_TEXTS = ", ".join(f"""'"{number}{"x" * 200}"'""" for number in range(9))
ZONES = rf"""
version: 1
hosted_zones:
  - name: t.test
    zone_id: ZPUBLIC
    record_sets:
      - {{name: www, type: A, ttl: 60, records: 192.0.2.1}}
      - {{name: four, type: A, ttl: 60, records: [192.0.2.1, 192.0.2.2, 192.0.2.3, 192.0.2.4]}}
      - {{name: "*.wild", type: A, ttl: 60, records: 192.0.2.1}}
      - {{name: big, type: TXT, ttl: 60, records: [{_TEXTS}]}}
      - {{name: one, type: CNAME, ttl: 60, records: w.t.test}}
      - name: w
        type: A
        ttl: 60
        members:
          - {{set_identifier: "bl\"ue \u00fc\t\u2028", weighted_routing_policy: {{weight: 1}}, records: 192.0.2.10}}
          - {{set_identifier: "zero\\", weighted_routing_policy: {{weight: 0}}, records: 192.0.2.11}}
      - name: or
        type: CNAME
        ttl: 60
        members:
          - {{set_identifier: there, weighted_routing_policy: {{weight: 1}}, records: www.t.test}}
          - {{set_identifier: not, weighted_routing_policy: {{weight: 1}}, records: no.t.test}}
      - name: mv
        type: A
        ttl: 60
        members:
          - {{set_identifier: a, multivalue_answer_routing_policy: true, records: 192.0.2.70}}
          - {{set_identifier: b, multivalue_answer_routing_policy: true, records: 192.0.2.71}}
          - {{set_identifier: c, multivalue_answer_routing_policy: true, records: 192.0.2.72}}
      - name: geo
        type: A
        ttl: 60
        members:
          - {{set_identifier: de, geolocation_routing_policy: {{country: DE}}, records: 192.0.2.40}}
  - name: both.test
    zone_id: ZBOTH
    record_sets: [{{name: a, type: A, ttl: 60, records: 192.0.2.1}}]
  - name: both.test
    zone_id: ZPRIVATE
    vpc: [{{vpc_id: vpc-1}}]
    record_sets: [{{name: a, type: A, ttl: 60, records: 192.0.2.2}}]
dnsemu:
  vpcs: [{{vpc_id: vpc-1, vpc_region: eu-west-1, cidr_blocks: [10.0.0.0/8]}}]
"""
OUTSIDE, INSIDE = "192.0.2.53", "10.1.2.3"


def authority_of(text: str = ZONES) -> Authority:
    return load_text(text).authority


AUTHORITY = authority_of()


def answered(
    packets: Sequence[bytes],
    source: str | Sequence[str] = OUTSIDE,
    transport: Transport = UDP,
    authority: Authority = AUTHORITY,
    family: int = 4,
) -> Batch:
    """What those who watch are given when packets are answered together."""
    batches: list[Batch] = []
    answers = Answers(authority, Draws(1))
    answers.watchers.append(batches.append)
    sources = [source] * len(packets) if isinstance(source, str) else source
    answers.over(transport, family).to_packets(packets, [ip_address(one).packed for one in sources])
    return batches[0]


def question(name: str = "www.t.test", rdtype: str = "A", rdclass: str = "IN", **edns: Any) -> bytes:
    return dns.message.make_query(name, rdtype, rdclass, id=7, **edns).to_wire()


def raw(labels: bytes, rdtype: int = 1, behind: bytes = b"", counts: bytes = b"\0\1\0\0\0\0\0\0") -> bytes:
    """A question whose name is given as octets, without the root."""
    return b"\0\7\1\0" + counts + labels + b"\0" + rdtype.to_bytes(2, "big") + b"\0\1" + behind


def opt(options: bytes = b"", version: int = 0) -> bytes:
    return b"\0\0\x29\x04\xd0\0" + bytes((version,)) + b"\0\0" + len(options).to_bytes(2, "big") + options


def subnet(octets: str, source: int, family: int = 1, scope: int = 0) -> bytes:
    """The option as it is sent; `octets` of the address in hexadecimal."""
    data = family.to_bytes(2, "big") + bytes((source, scope)) + bytes.fromhex(octets)
    return b"\0\x08" + len(data).to_bytes(2, "big") + data


ONE_MORE = b"\0\1\0\0\0\0\0\1"
COOKIE = b"\0\x0a\0\x08abcdefgh"
WWW = b"\3www\1t\4test"


def with_opt(*options: bytes, labels: bytes = WWW, rdtype: int = 1, version: int = 0) -> bytes:
    return raw(labels, rdtype, opt(b"".join(options), version), ONE_MORE)


def header(octets: bytes, packet: bytes) -> bytes:
    """The packet with other octets behind its ID."""
    return packet[:2] + octets + packet[2 + len(octets) :]


ANSWERED = {"zone_id": "ZPUBLIC", "zone": "t.test.", "rcode": "NOERROR"}
REFUSED = {"zone_id": "", "zone": "", "rcode": "REFUSED", "decisions": ()}
UNREAD = {"name": "", "type": "", "zone_id": "", "zone": "", "subnet": None}

ROWS: dict[str, tuple[bytes, dict[str, object]]] = {
    "an answer": (
        question(),
        {**ANSWERED, "name": "www.t.test.", "type": "A", "transport": "UDP", "client": OUTSIDE}
        | {"subnet": None, "truncated": False, "decisions": ()},
    ),
    "capitals": (question("wWw.T.tEST"), ANSWERED | {"name": "www.t.test."}),
    "values in random order": (question("four.t.test"), ANSWERED | {"name": "four.t.test."}),
    "a wildcard": (question("x.wild.t.test"), ANSWERED | {"name": "x.wild.t.test."}),
    "the wildcard itself": (question("*.wild.t.test"), ANSWERED | {"name": "*.wild.t.test."}),
    "the apex": (question("t.test", "SOA"), ANSWERED | {"name": "t.test.", "type": "SOA"}),
    "no such name": (question("no.t.test"), ANSWERED | {"rcode": "NXDOMAIN", "name": "no.t.test."}),
    "no such type": (question("www.t.test", "AAAA"), ANSWERED | {"type": "AAAA"}),
    "ANY": (question("www.t.test", "ANY"), ANSWERED | {"type": "ANY"}),
    "an unknown type": (question("www.t.test", "TYPE65400"), ANSWERED | {"type": "TYPE65400"}),
    # Types whose numbers are capitals in ASCII: 65 and 97, 0x4141 and 0x6161
    "HTTPS": (raw(WWW, 65), ANSWERED | {"type": "HTTPS"}),
    "EID is 97": (raw(WWW, 97), ANSWERED | {"type": "TYPE97"}),
    "TYPE16705": (raw(WWW, 0x4141), ANSWERED | {"type": "TYPE16705"}),
    "TYPE24929": (raw(WWW, 0x6161), ANSWERED | {"type": "TYPE24929"}),
    "a zone transfer": (question("t.test", "AXFR"), REFUSED | {"name": "t.test.", "type": "AXFR"}),
    "class CH": (question("version.bind", "TXT", "CH"), REFUSED | {"name": "version.bind.", "type": "TXT"}),
    "nobody's name": (question("example.net"), REFUSED | {"name": "example.net.", "type": "A"}),
    "the root": (question(".", "NS"), REFUSED | {"name": ".", "type": "NS"}),
    # Octets that a name may have as well as any
    "a zero in a label": (raw(b"\4w\0wW\1t\4test"), ANSWERED | {"rcode": "NXDOMAIN", "name": r"w\000ww.t.test."}),
    "a dot in a label": (raw(b"\3w.w\1t\4test"), ANSWERED | {"rcode": "NXDOMAIN", "name": r"w\056w.t.test."}),
    "a space": (raw(b"\3w w\1t\4test"), ANSWERED | {"rcode": "NXDOMAIN", "name": r"w\040w.t.test."}),
    "a line end": (raw(b"\2\r\n\1t\4test"), ANSWERED | {"rcode": "NXDOMAIN", "name": r"\015\012.t.test."}),
    "high octets": (raw(b"\2\xff\x80\1t\4test"), ANSWERED | {"rcode": "NXDOMAIN", "name": r"\377\200.t.test."}),
    "quote, backslash": (raw(b'\2"\\\1t\4test'), ANSWERED | {"rcode": "NXDOMAIN", "name": r"\042\134.t.test."}),
    "the longest name": (
        raw(b"\x3f" + b"a" * 63 + b"\x3f" + b"b" * 63 + b"\x3f" + b"c" * 63 + b"\x35" + b"d" * 53 + b"\1t\4test"),
        ANSWERED | {"rcode": "NXDOMAIN", "name": f"{'a' * 63}.{'b' * 63}.{'c' * 63}.{'d' * 53}.t.test."},
    ),
    # EDNS
    "EDNS without options": (with_opt(), ANSWERED | {"subnet": None}),
    "a cookie": (with_opt(COOKIE), ANSWERED | {"subnet": None}),
    "a client subnet": (with_opt(subnet("c00002", 24)), ANSWERED | {"subnet": "192.0.2.0/24"}),
    "in capitals": (with_opt(subnet("c00002", 24), labels=WWW.upper()), ANSWERED | {"subnet": "192.0.2.0/24"}),
    "a whole address": (with_opt(subnet("c0000207", 32)), ANSWERED | {"subnet": "192.0.2.7/32"}),
    "twenty bits": (with_opt(subnet("cb0070", 20)), ANSWERED | {"subnet": "203.0.112.0/20"}),
    "no bits": (with_opt(subnet("", 0)), ANSWERED | {"subnet": "0.0.0.0/0"}),
    "no bits of IPv6": (with_opt(subnet("", 0, 2)), ANSWERED | {"subnet": "::/0"}),
    "no family": (with_opt(subnet("", 0, 0)), ANSWERED | {"subnet": None}),
    "IPv6": (with_opt(subnet("20010db8000001", 56, 2)), ANSWERED | {"subnet": "2001:db8:0:100::/56"}),
    "a mapped one": (
        with_opt(subnet("00" * 10 + "ffffc00002", 120, 2)),
        ANSWERED | {"subnet": "::ffff:192.0.2.0/120"},
    ),
    "behind a cookie": (with_opt(COOKIE, subnet("c00002", 24)), ANSWERED | {"subnet": "192.0.2.0/24"}),
    "before a cookie": (with_opt(subnet("c00002", 24), COOKIE), ANSWERED | {"subnet": "192.0.2.0/24"}),
    "behind another record": (
        raw(WWW, behind=b"\xc0\x0c\0\1\0\1\0\0\0\0\0\0" + opt(subnet("c00002", 24)), counts=b"\0\1\0\0\0\0\0\2"),
        ANSWERED | {"subnet": "192.0.2.0/24"},
    ),
    "a record that is not OPT": (
        raw(WWW, behind=b"\0\0\1\0\1\0\0\0\0\0\x0b" + subnet("c00002", 24), counts=ONE_MORE),
        ANSWERED | {"subnet": None},
    ),
    # Errors
    "a subnet too long": (
        with_opt(subnet("c0000200", 24)),
        {"rcode": "FORMERR", "name": "www.t.test.", "subnet": None},
    ),
    "two subnets": (with_opt(subnet("c0", 8), subnet("c1", 8)), {"rcode": "FORMERR", "subnet": None}),
    "a subnet with a scope": (with_opt(subnet("c00002", 24, scope=24)), {"rcode": "FORMERR", "subnet": None}),
    "one record too few": (
        header(b"\1\0\0\1\0\0\0\0\0\2", with_opt(subnet("c00002", 24))),
        {"rcode": "FORMERR", "name": "www.t.test.", "type": "A", "subnet": None},
    ),
    "EDNS version 1": (
        with_opt(subnet("c00002", 24), version=1),
        {"rcode": "BADVERS", "name": "www.t.test.", "subnet": None},
    ),
    "something behind": (
        raw(WWW, behind=b"x"),
        {"rcode": "FORMERR", "name": "www.t.test.", "type": "A", "zone_id": ""},
    ),
    "NOTIFY": (header(b"\x20", question()), {"rcode": "NOTIMP", "name": "www.t.test.", "type": "A", "zone_id": ""}),
    "no question": (header(b"\1\0\0\0", raw(b"")), UNREAD | {"rcode": "FORMERR"}),
    "two questions": (header(b"\1\0\0\2", question()), UNREAD | {"rcode": "FORMERR"}),
    "a pointer": (raw(b"\3www\xc0\x0c"), UNREAD | {"rcode": "FORMERR"}),
    "a label that leaves": (raw(b"\x3fwww"), UNREAD | {"rcode": "FORMERR"}),
    "a name too long": (raw((b"\x3f" + b"a" * 63) * 4), UNREAD | {"rcode": "FORMERR"}),
    "no type": (question()[:-4], UNREAD | {"rcode": "FORMERR"}),
    "no name": (question()[:12], UNREAD | {"rcode": "FORMERR"}),
    "no zero": (question()[:12] + b"\3www\3www", UNREAD | {"rcode": "FORMERR"}),
    # Silence
    "a response": (header(b"\x81", question()), {"rcode": "", "name": "www.t.test.", "type": "A", "zone_id": ""}),
    "a bad response": (header(b"\x81\0\0\2", question()), UNREAD | {"rcode": ""}),
    "eleven octets": (question()[:11], UNREAD | {"rcode": ""}),
    "one octet": (b"\0", UNREAD | {"rcode": ""}),
    "nothing": (b"", UNREAD | {"rcode": ""}),
}


def query(packet: bytes, source: str = OUTSIDE, transport: Transport = UDP) -> Query:
    (found,) = queries_of(answered([packet], source, transport))
    return found


@pytest.mark.parametrize("row", ROWS)
def test_what_is_said_of_a_packet(row: str) -> None:
    packet, expected = ROWS[row]
    found = query(packet)._asdict()
    assert {key: found[key] for key in expected} == expected


def test_all_packets_of_a_batch_in_their_order() -> None:
    batch = answered([packet for packet, _ in ROWS.values()])
    assert [found._replace(at=0) for found in queries_of(batch)] == [
        query(packet)._replace(at=0) for packet, _ in ROWS.values()
    ]
    assert {found.at for found in queries_of(batch)} == {batch.at}


@pytest.mark.parametrize(
    ("source", "shown"),
    [("192.0.2.53", "192.0.2.53"), ("2001:db8::35", "2001:db8::35"), ("::ffff:192.0.2.53", "192.0.2.53")],
)
def test_the_client(source: str, shown: str) -> None:
    assert query(question(), source).client == shown


def test_a_private_zone() -> None:
    inside, outside = query(question("a.both.test"), INSIDE), query(question("a.both.test"), OUTSIDE)
    assert (inside.zone_id, inside.zone) == ("ZPRIVATE", "both.test.")
    assert (outside.zone_id, outside.zone) == ("ZBOTH", "both.test.")


def test_a_private_zone_takes_no_client_subnet_but_it_was_asked() -> None:
    asked = query(with_opt(subnet("c00002", 24), labels=b"\1a\4both\4test"), INSIDE)
    assert (asked.zone_id, asked.subnet) == ("ZPRIVATE", "192.0.2.0/24")


@pytest.mark.parametrize(("transport", "truncated"), [(UDP, True), (TCP, False)])
def test_a_truncated_answer(transport: Transport, truncated: bool) -> None:
    found = query(question("big.t.test", "TXT"), transport=transport)
    assert (found.transport, found.truncated, found.rcode) == (transport.name, truncated, "NOERROR")


class _Broken:
    def choose(self, inquiry: object) -> None:
        raise ZeroDivisionError


def test_a_bug_of_ours() -> None:
    authority = authority_of()
    packet = question()
    authority.public.questions[packet[12:]] = _Broken()  # type: ignore[index]
    (found,) = queries_of(answered([packet], authority=authority))
    assert (found.rcode, found.name, found.type, found.zone_id) == ("SERVFAIL", "www.t.test.", "A", "")


WEIGHTED = Decided("w.t.test.", "A", "weighted", ('bl"ue ü\t\u2028',), "matched")
GEOLOCATION = Decided("geo.t.test.", "A", "geolocation", ("de",), "matched")


@pytest.mark.parametrize(
    ("packet", "decisions"),
    [
        (question("w.t.test"), (WEIGHTED,)),
        (question("one.t.test"), (WEIGHTED,)),
        (question("w.t.test", "ANY"), (WEIGHTED,)),
        (with_opt(subnet("c61238", 24), labels=b"\3geo\1t\4test"), (GEOLOCATION,)),
        (question("geo.t.test"), (GEOLOCATION._replace(set_identifiers=(), reason="no_match"),)),
        (question("www.t.test"), ()),
    ],
)  # fmt: skip
def test_what_was_decided(packet: bytes, decisions: tuple[Decided, ...]) -> None:
    assert query(packet).decisions == decisions


def test_all_members_that_were_taken_in_the_order_of_the_answer() -> None:
    batch = answered([question("mv.t.test")] * 20)
    for packet, outcome, found in zip(batch.packets, batch.outcomes, queries_of(batch), strict=True):
        assert packet
        values = [one.to_text() for one in dns.message.from_wire(outcome.wire).answer[0]]  # type: ignore[union-attr]
        (decision,) = found.decisions
        assert [f"192.0.2.7{'abc'.index(one)}" for one in decision.set_identifiers] == values


@pytest.mark.parametrize("rcode", list(Rcode))
def test_rcodes_by_their_names(rcode: Rcode) -> None:
    assert show_rcode(rcode) == rcode.name


def test_an_rcode_without_a_name_has_its_number() -> None:
    assert show_rcode(3841) == "3841"


def garbage(count: int, seed: int = 5) -> list[bytes]:
    """Packets of the rows with some things wrong."""
    rng = random.Random(seed)
    packets = [packet for packet, _ in ROWS.values()]
    return [mutated(rng.choice(packets), rng) for _ in range(count)]


def test_nothing_is_raised_whatever_comes() -> None:
    for found in queries_of(answered(garbage(3000))):
        assert isinstance(found, Query)
        assert (found.name == "") == (found.type == "")
        assert found.name.isascii()
        assert found.name.isprintable()


# The last ones


def names(queries: Sequence[Query]) -> str:
    """Their first letters."""
    return "".join(found.name[0] for found in queries)


def batch_of(letters: str) -> Batch:
    return answered([question(f"{letter}.t.test") for letter in letters])


@pytest.fixture(params=["as they came", "settled"])
def watch(request: pytest.FixtureRequest) -> Any:
    """Shows batches to a ring, which is settled after each or not."""

    def show(recent: Recent, *batches: str) -> None:
        for letters in batches:
            recent.watch(batch_of(letters))
            if request.param == "settled":
                recent.settle()

    return show


def test_the_last_ones_newest_first(watch: Any) -> None:
    recent = Recent()
    assert recent.last(10) == []
    watch(recent, "abc", "d", "ef")
    assert [names(recent.last(limit)) for limit in (0, 1, 3, 6, 100)] == ["", "f", "fed", "fedcba", "fedcba"]
    assert names(recent.last(-1)) == ""
    assert recent.total == 6


def test_no_more_than_that_many_are_kept(watch: Any) -> None:
    recent = Recent(4)
    watch(recent, "abc", "d", "ef", "g")
    assert names(recent.last(100)) == "gfed"
    watch(recent, "hijklmn")
    assert names(recent.last(100)) == "nmlk"
    assert recent.total == 14


@pytest.mark.parametrize("size", [1, 7, 64])
def test_memory_is_bounded(size: int) -> None:
    recent, batch = Recent(100), batch_of("a" * size)
    for _ in range(1000):
        recent.watch(batch)
    held = [count for _, count, _ in recent._kept]
    assert 100 <= sum(held) == recent._held < 100 + size
    assert len(recent.last(1000)) == 100
    assert recent.total == 1000 * size


def test_of_a_flood_a_batch_now_and_then_is_remembered() -> None:
    recent, some = Recent(), batch_of("abcdefgh" * 8)

    def watch_from(at: float, times: int) -> None:
        """In steps of 0.1 ms."""
        for time in range(times):
            recent.watch(replace(some, at=at + time / 10_000))

    watch_from(1000.0, 400)
    assert len(recent.last(1000)) == 1000  # nobody knows yet that it is one
    recent.clear()
    watch_from(1001.0, 450)
    assert len(recent.last(1000)) == 5 * 64  # each 10 ms
    seen = recent.total
    recent.watch(replace(batch_of("z"), at=1001.5))
    assert names(recent.last(3)) == "zhg"
    found, now, missing = recent.since(seen - 50 * 64, 1000)  # 49 batches of which nobody knows, but one
    assert (names(found)[-3:], now, len(found) + missing) == ("ghz", seen + 1, 50 * 64 + 1)
    assert len(found) == 65
    recent.clear()
    watch_from(1003.0, 2)
    assert recent.total == 852 * 64 + 1
    watch_from(1004.0, 20)
    assert len(recent.last(1000)) == 1000


@pytest.mark.parametrize("passed", [-3600.0, -0.5, 3600.0])
def test_after_a_flood_all_is_remembered_again_whatever_the_clock_says(passed: float) -> None:
    recent, flood = Recent(), batch_of("a" * 64)
    for time in range(800):
        recent.watch(replace(flood, at=1000.0 + time / 400))
    recent.clear()
    recent.watch(replace(flood, at=1002.02))
    recent.watch(replace(flood, at=1002.021))
    assert len(recent.last(1000)) == 64, "it is a flood"
    recent.clear()
    for time in range(10):
        recent.watch(replace(batch_of("b"), at=1002.0 + passed + time / 1000))
    assert len(recent.last(1000)) == 10


def test_since_then(watch: Any) -> None:
    recent = Recent(5)
    watch(recent, "ab")
    assert recent.since(0, 10)[1:] == (2, 0)
    watch(recent, "c", "de")
    for total, most, shown, lost in [
        (2, 10, "cde", 0),
        (0, 10, "abcde", 0),
        (2, 2, "de", 1),
        (4, 10, "e", 0),
        (5, 10, "", 0),
        (2, 0, "", 3),
        (9, 10, "", 0),  # of another server
    ]:
        found, now, missing = recent.since(total, most)
        assert (names(found), now, missing) == (shown, 5, lost)
    watch(recent, "fgh")
    found, now, missing = recent.since(2, 10)
    assert (names(found), now, missing) == ("defgh", 8, 1)


def test_what_is_cleared_stays_in_the_total(watch: Any) -> None:
    recent = Recent()
    watch(recent, "abc")
    recent.clear()
    assert (recent.last(10), recent.total) == ([], 3)
    watch(recent, "d")
    assert (names(recent.last(10)), recent.total) == ("d", 4)
    found, now, missing = recent.since(1, 10)
    assert (names(found), now, missing) == ("d", 4, 2)


def test_settled_queries_say_the_same_and_let_the_authority_go() -> None:
    authority = authority_of()
    tree = weakref.ref(authority.public.zones[b"\1t\4test\0"])
    recent = Recent()
    recent.watch(answered([packet for packet, _ in ROWS.values()], authority=authority))
    before = recent.last(1000)
    recent.settle()
    assert recent.last(1000) == before
    del authority
    gc.collect()
    assert tree() is None
