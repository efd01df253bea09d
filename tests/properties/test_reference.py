"""Compiled answers are what a plain look-up comes to: thousands of zones and questions, by two resolvers."""

from __future__ import annotations

import functools
import itertools
import random

import dns.flags
import dns.message
import dns.rcode
import dns.rdata
import dns.rdataclass
import dns.rdatatype
import dns.rrset
import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties.reference import MAX_CHAIN, REFUSED, Answer, Record, RecordSet, Zone, resolve, to_yaml
from properties.strategies import World, examples, names_to_ask, worlds

from dnsemu.app import load_text
from dnsemu.authority import Authority, Response, Unowned, respond
from dnsemu.draws import Draws
from dnsemu.wire import TCP

TYPES = ("A", "MX", "NS", "DS", "CNAME", "ANY", "TXT", "SOA")


QUESTIONS = 100  # about each world


@examples(60)
@given(worlds(), st.integers(0, 1 << 32))
def test_compiled_answers_are_those_of_a_full_look_up(world: World, seed: int) -> None:
    asked = list(itertools.product(names_to_ask(world.zones), TYPES))
    for name, rdtype in random.Random(seed).sample(asked, min(QUESTIONS, len(asked))):
        same = ask(world.authority, name, rdtype) == plainly(world.zones, name, rdtype)
        assert same, explained(world, name, rdtype)


def explained(world: World, name: str, rdtype: str) -> str:
    """All that is needed to see it again."""
    got, wanted = ask(world.authority, name, rdtype), plainly(world.zones, name, rdtype)
    return f"{name} {rdtype}\n got   {got}\n wanted {wanted}\n{to_yaml(world.zones)}"


DS = "1 13 2 " + "ab" * 32

# Rows: what random zones seldom come to.
ROWS = {
    "DS at a cut is the parent's, also behind a CNAME": (
        ["t.test.: to.t.test. 1 CNAME cut.t.test. | cut.t.test. 2 NS ns.far. | cut.t.test. 3 DS " + DS],
        ["to.t.test. DS", "cut.t.test. DS", "to.t.test. A", "x.cut.t.test. DS"],
    ),
    "no DS at a cut is NODATA, also behind a CNAME": (
        ["t.test.: to.t.test. 60 CNAME cut.t.test. | cut.t.test. 60 NS ns.far."],
        ["to.t.test. DS", "cut.t.test. DS"],
    ),
    "DS of a hosted apex comes from the zone above": (
        ["t.test.: a.t.test. 60 DS " + DS, "a.t.test.: ", "b.a.t.test.: "],
        ["a.t.test. DS", "b.a.t.test. DS", "t.test. DS", "x.a.t.test. DS"],
    ),
    "a hosted apex below a cut of the zone above": (
        ["t.test.: a.t.test. 60 NS ns.far.", "b.a.t.test.: b.a.t.test. 60 A 192.0.2.1"],
        ["b.a.t.test. DS", "b.a.t.test. A", "c.a.t.test. A", "a.t.test. DS"],
    ),
    "a wildcard covers a name server's name: its address is not there twice": (
        ["t.test.: t.test. 60 NS a.b.t.test. | *.t.test. 60 A 192.0.2.1 | *.t.test. 60 MX 1 a.b.t.test."],
        ["a.b.t.test. A", "a.b.t.test. MX", "a.b.t.test. ANY", "x.t.test. MX", "t.test. NS"],
    ),
    "the wildcard's own name is a name server": (
        ["t.test.: t.test. 60 NS *.t.test. | *.t.test. 60 A 192.0.2.1"],
        ["x.t.test. A", "*.t.test. A", "t.test. NS", "x.t.test. ANY"],
    ),
    "R9: a CNAME into another hosted zone stands alone, one below a cut brings the referral": (
        [
            "t.test.: o.t.test. 1 CNAME w.a.t.test. | d.t.test. 2 NS n.d.t.test. | i.t.test. 4 CNAME w.d.t.test.",
            "a.t.test.: w.a.t.test. 60 A 192.0.2.1",
        ],
        ["o.t.test. A", "i.t.test. A", "i.t.test. DS", "i.t.test. CNAME"],
    ),
    "R10: an asterisk in the middle is a letter": (
        ["lit.test.: a.*.lit.test. 60 A 192.0.2.1"],
        ["x.lit.test. A", "*.lit.test. A", "a.*.lit.test. A", "b.*.lit.test. A"],
    ),
    "R12: ANY at a CNAME is the CNAME": (
        ["t.test.: to.t.test. 60 CNAME b.t.test. | b.t.test. 60 A 192.0.2.1 | *.w.t.test. 60 CNAME b.t.test."],
        ["to.t.test. ANY", "x.w.t.test. ANY"],
    ),
    "a CNAME chain that turns in a circle": (
        ["t.test.: a.t.test. 60 CNAME b.t.test. | b.t.test. 60 CNAME a.t.test. | s.t.test. 60 CNAME s.t.test."],
        ["a.t.test. A", "s.t.test. A", "s.t.test. CNAME"],
    ),
    "a circle through a wildcard": (
        ["t.test.: *.t.test. 60 CNAME b.a.t.test. | *.a.t.test. 60 CNAME x.t.test."],
        ["x.t.test. A", "y.t.test. A", "b.a.t.test. A", "c.a.t.test. A"],
    ),
    "a chain that ends where nothing is, or nothing of that type": (
        ['t.test.: a.t.test. 60 CNAME gone.t.test. | b.t.test. 60 CNAME txt.t.test. | txt.t.test. 60 TXT "t"'],
        ["a.t.test. A", "b.t.test. A", "b.t.test. TXT"],
    ),
    "an alias at a wildcard, of a wildcard, and of an alias": (
        ["t.test.: *.t.test. A ALIAS x.a.t.test. | *.a.t.test. 60 A 192.0.2.1 | t.test. A ALIAS y.t.test."],
        ["x.t.test. A", "t.test. A", "t.test. AAAA", "q.a.t.test. A"],
    ),
    "a CNAME alias": (
        ["t.test.: a.t.test. CNAME ALIAS b.t.test. | b.t.test. 5 CNAME c.t.test. | c.t.test. 6 A 192.0.2.1"],
        ["a.t.test. A", "a.t.test. CNAME", "a.t.test. TXT"],
    ),
}


@pytest.mark.parametrize(("lines", "asked"), ROWS.values(), ids=ROWS)
def test_rows(lines: list[str], asked: list[str]) -> None:
    hosted = zones(*lines)
    authority = load_text(to_yaml(hosted)).authority
    for name, rdtype in (question.split() for question in asked):
        assert ask(authority, name, rdtype) == plainly(hosted, name, rdtype), (name, rdtype)


@pytest.mark.parametrize("first", ["n0.t.test.", "x.w.t.test."])
@pytest.mark.parametrize("links", [1, MAX_CHAIN - 1, MAX_CHAIN, MAX_CHAIN + 1, 40])
def test_a_long_cname_chain_ends_where_it_must(first: str, links: int) -> None:
    """Also one that begins at a wildcard, which is one more way to the same chain."""
    chain = [f"n{number}.t.test. 60 CNAME n{number + 1}.t.test." for number in range(links)]
    hosted = zones(" | ".join([
        "t.test.: *.w.t.test. 60 CNAME n1.t.test.", *chain, f"n{links}.t.test. 60 A 192.0.2.1"
    ]))  # fmt: skip
    got = ask(load_text(to_yaml(hosted)).authority, first, "A")
    assert got == plainly(hosted, first, "A")
    assert len(got.answer) <= MAX_CHAIN + 1


def ask(authority: Authority, name: str, rdtype: str) -> Answer:
    """The server's answer, in the reference's words."""
    question = dns.message.make_query(name, rdtype, use_edns=0, payload=4096, id=1)
    got = respond(authority, question.to_wire(), b"\x7f\0\0\1", TCP, Draws(1))
    if isinstance(got, Unowned):
        assert dns.message.from_wire(got.refused).rcode() == dns.rcode.REFUSED
        return REFUSED
    assert isinstance(got, Response)
    assert got.fault is None
    message = dns.message.from_wire(got.wire, one_rr_per_rrset=True)
    assert message.opt is not None
    sections = [[_record(one) for one in section] for section in message.sections[1:]]
    for records in sections:
        assert len(records) == len(set(records)), "a record stands twice in a section"
    answer, authority_section, additional = sections
    authoritative = bool(message.flags & dns.flags.AA)
    rcode = dns.rcode.to_text(message.rcode())
    return Answer(rcode, authoritative, set(answer), authority_section, set(additional))


def plainly(zones: list[Zone], name: str, rdtype: str) -> Answer:
    """The reference's answer, with its values as dnspython prints them."""
    answer = resolve(zones, name, rdtype)
    return Answer(
        answer.rcode,
        answer.authoritative,
        {_printed(one) for one in answer.answer},
        [_printed(one) for one in answer.authority],
        {_printed(one) for one in answer.additional},
    )


def _record(one: dns.rrset.RRset) -> Record:
    return Record(one.name.to_text(), one.ttl, dns.rdatatype.to_text(one.rdtype), one[0].to_text())


@functools.cache
def _printed(one: Record) -> Record:
    rdata = dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.from_text(one.type), one.value)
    return one._replace(value=rdata.to_text())


def zones(*lines: str) -> list[Zone]:
    """`name: record | record | …`; a record is `owner ttl type value` or `owner type ALIAS target`."""
    found = []
    for line in lines:
        name, _, records = line.partition(": ")
        sets: dict[tuple[str, str], RecordSet] = {}
        for words in (record.split(maxsplit=3) for record in records.split(" | ") if record):
            if words[2] == "ALIAS":
                sets[words[0], words[1]] = RecordSet(words[0], words[1], alias=words[3])
            else:
                before = sets.get((words[0], words[2]))
                values = (*(before.values if before else ()), words[3])
                sets[words[0], words[2]] = RecordSet(words[0], words[2], int(words[1]), values)
        found.append(Zone(name, tuple(sets.values()), ("ns.example.net.",)))
    return found
