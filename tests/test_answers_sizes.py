"""How large an answer may be, and what is left of one that is too large (behaviour 5.8 E1 – E3).

The whole answer comes over TCP. Over UDP comes what of it fits, cut between record sets: additional data goes first,
then the name servers behind an answer, both without TC; TC says that something is missing that was asked for.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

import pytest
from answers import HEADER, ask, dig, question, send, walk

from dnsemu.app import load_text
from dnsemu.authority import Authority

OPT = 11  # octets of an OPT record without options
RECORD = 12  # octets of a record without its data, its owner a pointer
TC = 2


def _zone(*record_sets: str, name: str = "example.com", servers: str = "ns1.example.net") -> Authority:
    lines = ["version: 1", "hosted_zones:", f"  - name: {name}", f"    name_servers: [{servers}]", "    record_sets:"]
    return load_text("\n".join([*lines, *(f"      - {{{record_set}}}" for record_set in record_sets), ""])).authority


def _addresses(name: str, count: int, first: int = 0) -> list[str]:
    v4 = ", ".join(f"192.0.2.{first + index}" for index in range(count))
    v6 = ", ".join(f'"2001:db8::{first + index:x}"' for index in range(count))
    return [f"name: {name}, type: A, ttl: 60, records: [{v4}]", f"name: {name}, type: AAAA, ttl: 60, records: [{v6}]"]


def _text(octets: int) -> str:
    """A TXT value of so many octets on the wire."""
    assert octets > 1
    whole, rest = divmod(octets, 201)
    strings = ["x" * 200] * whole + (["x" * (rest - 1)] if rest else [])
    return "'" + " ".join(f'"{string}"' for string in strings) + "'"


def _texts(octets: int, count: int = 2) -> Authority:
    """A zone with a TXT record set of so many octets, in `count` values."""
    each, rest = divmod(octets - count * RECORD, count)
    values = [_text(each + rest * (not at)).replace('"xxx', f'"{at:03}', 1) for at in range(count)]
    return _zone(f"name: t, type: TXT, ttl: 60, records: [{', '.join(values)}]")


@cache
def _rich() -> Authority:
    """A zone whose answers have much in every section."""
    hosts = [f"host{index}" for index in range(8)]
    every = [record_set for at, host in enumerate(hosts) for record_set in _addresses(host, 3, at * 4)]
    mail = ", ".join(f"{at} {host}.example.com" for at, host in enumerate(hosts))
    servers = ", ".join(f"{host}.cut.example.com" for host in hosts)
    glue = [record_set for at, host in enumerate(hosts) for record_set in _addresses(f"{host}.cut", 2, at * 4)]
    long = "a" * 60
    chain = [f"name: {long}{at}, type: CNAME, ttl: 60, records: {long}{at + 1}.example.com" for at in range(8)]
    texts = ", ".join(_text(20 + at) for at in range(40))
    return _zone(
        *every,
        f"name: mail, type: MX, ttl: 60, records: [{mail}]",
        f"name: cut, type: NS, ttl: 60, records: [{servers}]",
        *glue,
        *chain,
        f"name: forty, type: TXT, ttl: 60, records: [{texts}]",
        *_addresses("forty", 20),
        "name: forty, type: MX, ttl: 60, records: 10 host1.example.com",
        "name: to-forty, type: CNAME, ttl: 60, records: forty.example.com",
        "name: to-mail, type: CNAME, ttl: 60, records: mail.example.com",
        servers="ns1.example.net, ns2.example.net, host0.example.com, host1.example.com",
    )


@cache
def _large_soa() -> Authority:
    deep = ".".join(["a" * 63] * 3)
    soa = f"name: '', type: SOA, ttl: 60, records: {deep}.primary.example.net {deep}.mailbox.example.net 1 2 3 4 5"
    return _zone(soa, "name: www, type: A, ttl: 60, records: 192.0.2.1", name=f"{'b' * 63}.example.com")


# Zone, question, and the sections that must be whole for an answer without TC.
POSITIVE, WHOLE = {0}, {0, 1, 2}
SWEPT = [
    pytest.param(_rich, "mail.example.com MX", POSITIVE, id="an answer with addresses"),
    pytest.param(_rich, "to-mail.example.com MX", POSITIVE, id="an answer behind a CNAME"),
    pytest.param(_rich, "forty.example.com TXT", POSITIVE, id="a record set that is too large by itself (5.14)"),
    pytest.param(_rich, "to-forty.example.com TXT", POSITIVE, id="the same behind a CNAME that fits"),
    pytest.param(_rich, "forty.example.com ANY", POSITIVE, id="several record sets"),
    pytest.param(_rich, "forty.example.com A", POSITIVE, id="name servers and their addresses"),
    pytest.param(_rich, "example.com NS", POSITIVE, id="the apex NS"),
    pytest.param(_rich, "www.cut.example.com A", WHOLE, id="a referral: RFC 9471 3.1"),
    pytest.param(_rich, f"{'a' * 60}0.example.com A", WHOLE, id="CNAMEs to a name that is missing"),
    pytest.param(_large_soa, f"www.{'b' * 63}.example.com MX", WHOLE, id="NODATA"),
    pytest.param(_large_soa, f"{'c' * 63}.{'b' * 63}.example.com A", WHOLE, id="NXDOMAIN"),
]


@pytest.mark.parametrize("edns", [True, False], ids=["EDNS", "no EDNS"])
@pytest.mark.parametrize(("zone", "words", "needed"), SWEPT)
def test_every_limit(zone: Callable[[], Authority], words: str, needed: set[int], edns: bool) -> None:
    """At every limit comes the longest run of whole record sets that fits; TC if something needed is missing."""
    authority = zone()
    name, rdtype = words.split()
    opt = OPT if edns else 0
    whole = ask(authority, name, rdtype, "+tcp", *([] if edns else ["+noedns"])).wire
    assert not whole[2] & TC
    ends = _record_set_ends(whole, bool(opt))
    whole_sets = _sets(whole)
    around = {end + opt + near for _, end in ends for near in (-1, 0, 1)}
    for limit in sorted(limit for limit in around | {512, 4096} if 512 <= limit <= 4096) if edns else [512]:
        asked = question(name, rdtype, f"+bufsize={limit}" if edns else "+noedns")
        wire, _ = send(authority, asked.packet)
        assert wire
        fit = [end for end in ends if end[1] + opt <= limit]
        missing = {section for section, _ in ends[len(fit) :]}
        assert len(wire) == (fit[-1][1] if fit else HEADER + len(asked.body)) + opt, limit
        assert bool(wire[2] & TC) == bool(missing & needed), limit
        assert _sets(wire)[: len(fit)] == whole_sets[: len(fit)], limit


def _record_set_ends(wire: bytes, edns: bool) -> list[tuple[int, int]]:
    """Section and end of every record set of a message, OPT aside."""
    ends: dict[tuple[int, bytes, int], tuple[int, int]] = {}
    for record in list(walk(wire))[: -1 if edns else None]:
        ends[record.section, record.owner, record.rdtype] = (record.section, record.end)
    return list(ends.values())


def _sets(wire: bytes) -> list[tuple[int, bytes, int, frozenset[bytes]]]:
    """The record sets of a message with their data, whose order is random."""
    found: dict[tuple[int, bytes, int], set[bytes]] = {}
    for record in walk(wire):
        found.setdefault((record.section, record.owner, record.rdtype), set()).add(wire[record.data : record.end])
    return [(*key, frozenset(data)) for key, data in found.items()]


# What a client can say about its limit → the limit (E1, E2, RFC 6891 6.2.3).
LIMITS = {
    "+noedns": 512,
    "+bufsize=0": 512,
    "+bufsize=100": 512,
    "+bufsize=511": 512,
    "+bufsize=512": 512,
    "+bufsize=513": 513,
    "+bufsize=1232": 1232,
    "+bufsize=1400": 1400,
    "+bufsize=4095": 4095,
    "+bufsize=4096": 4096,
    "+bufsize=4097": 4096,
    "+bufsize=65535": 4096,
}


@pytest.mark.parametrize(("said", "limit"), LIMITS.items())
def test_limit(said: str, limit: int) -> None:
    """An answer section that reaches the limit exactly fits; one octet more does not."""
    opt = 0 if said == "+noedns" else OPT
    room = limit - HEADER - len(question("t.example.com", "TXT").body) - opt
    fits = ask(_texts(room), "t.example.com", "TXT", said)
    assert (len(fits.wire), fits.flags, len(fits.answer)) == (limit, "qr aa rd", 2)
    authority = _texts(room + 1)
    cut = ask(authority, "t.example.com", "TXT", said)
    assert (cut.status, cut.flags, cut.answer, cut.authority, cut.additional) == (
        "NOERROR",
        "qr aa tc rd",
        (),
        (),
        (),
    )
    assert cut.edns == ("none" if said == "+noedns" else "0 4096"), "RFC 6891 7: OPT stays"
    over_tcp = ask(authority, "t.example.com", "TXT", said, "+tcp")
    assert (over_tcp.flags, len(over_tcp.answer), len(over_tcp.authority)) == ("qr aa rd", 2, 1)


def test_options_of_the_answer_count() -> None:
    """A client subnet in OPT takes room from the records."""
    words = "+bufsize=600", "+subnet=192.0.2.0/24"
    room = 600 - HEADER - len(question("t.example.com", "TXT").body) - OPT - 11
    fits = ask(_texts(room), "t.example.com", "TXT", *words)
    assert (len(fits.wire), fits.flags, fits.edns) == (600, "qr aa rd", "0 4096, subnet 192.0.2.0/24/0")
    cut = ask(_texts(room + 1), "t.example.com", "TXT", *words)
    assert (cut.answer, cut.flags, cut.edns) == ((), "qr aa tc rd", "0 4096, subnet 192.0.2.0/24/0")


@pytest.mark.parametrize("edns", ["+bufsize=512", "+noedns"])
def test_tcp_holds_64_kibibytes(edns: str) -> None:
    """65,535 octets fit behind TCP's length field; what does not is cut as over UDP."""
    opt = 0 if edns == "+noedns" else OPT
    room = 65535 - HEADER - len(question("t.example.com", "TXT").body) - opt
    fits = ask(_texts(room, 32), "t.example.com", "TXT", "+tcp", edns)
    assert (fits.flags, len(fits.answer), fits.authority, len(fits.wire)) == ("qr aa rd", 32, (), 65535)
    cut = ask(_texts(room + 1, 32), "t.example.com", "TXT", "+tcp", edns)
    assert (cut.flags, cut.answer, cut.authority) == ("qr aa tc rd", (), ())


def test_truncated_answers_can_be_read() -> None:
    """Both readers take what is left, at a few limits of every kind of answer."""
    for zone, words, _ in (param.values for param in SWEPT):
        for limit in (512, 700, 1232):
            answer = dig(zone(), f"{words} +bufsize={limit} +cd +dnssec")
            assert len(answer.wire) <= limit
            assert answer.edns == "0 do 4096"


def test_order_of_dropping() -> None:
    """The same question at smaller and smaller limits: additional, name servers, TC (E3)."""
    answers = [dig(_rich(), f"mail.example.com MX +bufsize={limit}") for limit in (4096, 900, 512)]
    additional = [len(answer.additional) for answer in answers]
    assert [len(answer.answer) for answer in answers] == [8, 8, 8]
    assert additional == sorted(additional, reverse=True)
    assert additional[0] == 48
    assert all(answer.flags == "qr aa rd" for answer in answers)
