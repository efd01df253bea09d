"""Random small zones, questions and packets. Few labels, so that names meet: nested zones, wildcards, cuts, loops."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import replace
from typing import Any, NamedTuple

import dns.edns
import dns.flags
import dns.message
import dns.name
import dns.rdatatype
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from properties.reference import RecordSet, Zone, find, find_cut, to_yaml, zone_of

from dnsemu.app import load_text
from dnsemu.authority import Authority

# DNSEMU_EXPLORE=20 asks for forty times as many examples, other ones each time.
EXPLORE = int(os.environ.get("DNSEMU_EXPLORE", "0"))


def examples(count: int) -> Callable[[Any], Any]:
    """How many examples a property is tried with when exploring, and half of them else.

    Then they are the same ones each time, so that a failure is found again.

    Only exploring looks for the smallest failing example: that can take minutes.
    """
    return settings(
        max_examples=count * EXPLORE or count // 2,
        derandomize=not EXPLORE,
        database=None,
        deadline=None,
        phases=(Phase.explicit, Phase.generate, *((Phase.shrink,) if EXPLORE else ())),
        suppress_health_check=list(HealthCheck),
    )


LABELS = ("a", "*", "b")
ZONE_NAMES = ("t.test.", "a.t.test.", "b.a.t.test.", "b.t.test.", "a.*.t.test.", "other.example.")
ALL_TYPES = (
    *("A", "NS", "CNAME", "SOA", "PTR", "MX", "TXT", "AAAA", "SRV"),
    *("NAPTR", "DS", "SSHFP", "TLSA", "SVCB", "HTTPS", "SPF", "CAA"),
)
DATA = {
    "A": ("192.0.2.1", "192.0.2.2", "192.0.2.3"),
    "AAAA": ("2001:db8::1", "2001:db8::2"),
    "TXT": ('"a"', '"b" "c"', '""'),
    "SPF": ('"v=spf1 -all"',),
    "CAA": ('0 issue "ca.example.net"',),
    "DS": ("1 13 2 " + "ab" * 32, "2 13 2 " + "cd" * 32),
    "SSHFP": ("4 2 " + "ef" * 32,),
    "TLSA": ("3 1 1 " + "01" * 32,),
    "NAPTR": ('100 10 "S" "SIP+D2U" "" _sip._udp.t.test.',),
    "HTTPS": ("1 . alpn=h2 ipv4hint=192.0.2.1",),
    "SVCB": ("1 a.t.test. port=853",),
    "PTR": ("a.t.test.",),
}
POINTING = {"NS": "{}", "CNAME": "{}", "MX": "10 {}", "SRV": "1 2 3 {}"}


class World(NamedTuple):
    """Zones, as the reference takes them and compiled by the server."""

    zones: list[Zone]
    authority: Authority


def worlds() -> st.SearchStrategy[World]:
    """One to four zones, several of them nested."""
    names = st.lists(st.sampled_from(ZONE_NAMES), min_size=1, max_size=4, unique=True)
    return names.flatmap(lambda chosen: st.tuples(*(_zone(name) for name in chosen))).map(_world)


def _world(zones: Sequence[Zone]) -> World:
    valid = [without_lost_aliases(zone, zones) for zone in zones]
    return World(valid, load_text(to_yaml(valid)).authority)


@st.composite
def _zone(draw: st.DrawFn, name: str) -> Zone:
    drawn = draw(st.lists(_record_set(name), max_size=9))
    servers = draw(st.lists(_inside(name) | _anywhere(), min_size=1, max_size=3, unique=True))
    return Zone(name, tuple(_permitted(drawn, name)), tuple(servers))


def _inside(zone: str) -> st.SearchStrategy[str]:
    return st.lists(st.sampled_from(LABELS), max_size=2).map(lambda labels: ".".join([*labels, zone]))


def _anywhere() -> st.SearchStrategy[str]:
    return st.sampled_from(ZONE_NAMES).flatmap(_inside)


@st.composite
def _record_set(draw: st.DrawFn, zone: str) -> RecordSet:
    name = draw(_inside(zone))
    rdtype = draw(st.sampled_from(("CNAME", "NS", "A", "MX", "CNAME", "NS", "A", *ALL_TYPES)))
    ttl = draw(st.sampled_from((0, 1, 300, 2147483647)))
    if rdtype not in ("NS", "SOA") and draw(st.integers(0, 3)) == 0:
        return RecordSet(name, rdtype, alias=draw(_inside(zone)))
    return RecordSet(name, rdtype, ttl, draw(_values(zone, rdtype)))


def _values(zone: str, rdtype: str) -> st.SearchStrategy[tuple[str, ...]]:
    most = 1 if rdtype in ("CNAME", "SOA") else 3
    if rdtype == "SOA":
        return st.just(("ns.example.net. hostmaster.example.net. 7 6 5 4 3",))
    if rdtype in POINTING:
        targets = _inside(zone) | _anywhere()
        return st.lists(targets.map(POINTING[rdtype].format), min_size=1, max_size=most, unique=True).map(tuple)
    return st.lists(st.sampled_from(DATA[rdtype]), min_size=1, max_size=most, unique=True).map(tuple)


def _permitted(drawn: list[RecordSet], apex: str) -> list[RecordSet]:
    """What Route 53 takes: one record set a name and type, CNAMEs alone, NS not at wildcards, SOA at the apex."""
    kept: dict[tuple[str, str], RecordSet] = {}
    for one in drawn:
        beside = {rdtype for name, rdtype in kept if name == one.name}
        alone = "CNAME" in beside or (beside and one.type == "CNAME")
        misplaced = (
            (one.type == "CNAME" and one.name == apex)
            or (one.type == "NS" and one.name.startswith("*."))
            or (one.type == "SOA" and one.name != apex)
        )
        if not alone and not misplaced:
            kept.setdefault((one.name, one.type), one)
    return list(kept.values())


def without_lost_aliases(zone: Zone, zones: Sequence[Zone]) -> Zone:
    """The zone without aliases whose target is not there, is answered elsewhere, or leads back to them."""
    while lost := [one for one in zone.record_sets if one.alias and not _leads_somewhere(zone, zones, one)]:
        zone = replace(zone, record_sets=tuple(one for one in zone.record_sets if one is not lost[0]))
    return zone


def _leads_somewhere(zone: Zone, zones: Sequence[Zone], one: RecordSet) -> bool:
    seen = [one]
    while one.alias:
        if zone_of(zones, one.alias) is not zone and zone_of(zones, one.alias) != zone:
            return False
        following = (find(zone, one.alias) or {}).get(one.type)
        if find_cut(zone, one.alias) or following is None or following in seen:
            return False
        one = following
        seen.append(one)
    return True


# Questions


def names_to_ask(zones: Sequence[Zone]) -> list[str]:
    """Every name that the zones mention, those above it, near misses, and one far away."""
    found = {"far.example."}
    for zone in zones:
        for one in zone.all:
            mentioned = [one.name, *(value.split()[-1] for value in one.values if one.type in POINTING)]
            for name in mentioned:
                found |= {name, f"a.{name}", f"x.{name}", name.partition(".")[2]}
    return sorted(name for name in found if name)


def questions(world: World) -> st.SearchStrategy[dns.message.Message]:
    """Questions about names that are there, nearly there, and not; with all that EDNS may carry."""
    return _questions(names_to_ask(world.zones))


@st.composite
def _questions(draw: st.DrawFn, names: Sequence[str]) -> dns.message.Message:
    name = dns.name.from_text(draw(st.sampled_from(names)))
    mask = draw(st.integers(0, (1 << 16) - 1))
    rdtype = draw(st.sampled_from((*ALL_TYPES, "ANY", "AXFR", "IXFR", "DNSKEY", "TYPE65280")))
    message = dns.message.make_query(_respelled(name, mask), rdtype)
    message.id = draw(st.integers(0, 0xFFFF))
    message.flags = draw(st.sampled_from((0, dns.flags.RD, dns.flags.CD, dns.flags.RD | dns.flags.CD | dns.flags.AD)))
    if draw(st.booleans()):
        flags = draw(st.sampled_from((0, dns.flags.DO)))
        options = draw(st.lists(_options(), max_size=3, unique_by=lambda option: option.otype))
        payload = draw(st.sampled_from((0, 511, 512, 513, 700, 1232, 4095, 4096, 4097, 65535)))
        message.use_edns(0, flags, payload, options=options)
    return message


def _options() -> st.SearchStrategy[dns.edns.Option]:
    subnets = ("192.0.2.0/24", "198.51.100.7/32", "0.0.0.0/0", "2001:db8::/56", "::/0", "203.0.112.0/20")
    generic = dns.edns.GenericOption
    return st.one_of(
        st.sampled_from(subnets).map(dns.edns.ECSOption.from_text),
        st.binary(min_size=8, max_size=8).map(lambda cookie: generic(dns.edns.OptionType.COOKIE, cookie)),
        st.just(generic(dns.edns.OptionType.NSID, b"")),
        st.binary(max_size=40).map(lambda padding: generic(dns.edns.OptionType.PADDING, padding)),
        st.binary(max_size=20).map(lambda octets: generic(65001, octets)),
    )


def _respelled(name: dns.name.Name, mask: int) -> dns.name.Name:
    """Upper case where the mask has ones, as resolvers do that use 0x20."""
    text = name.to_text()
    return dns.name.from_text("".join(c.upper() if mask >> (at % 16) & 1 else c for at, c in enumerate(text)))


# Packets


def mutated(packet: bytes, rng: Any) -> bytes:
    """A packet with one to four things wrong: octets changed, left out, put in, doubled; cut off, counts changed.

    Mostly an octet is changed, which leaves most packets readable.
    """
    octets = bytearray(packet)
    for _ in range(rng.choice((1, 1, 1, 2, 3, 4))):
        at = rng.randrange(len(octets) + 1)
        kind = rng.choice((0, 0, 0, 0, 0, 1, 2, 3, 4, 5, 6))
        if kind == 0 and octets:
            octets[at % len(octets)] = rng.randrange(256)
        elif kind == 1:
            del octets[at : at + rng.randint(1, 4)]
        elif kind == 2:
            octets[at:at] = rng.randbytes(rng.randint(1, 4))
        elif kind == 3:
            octets[at:at] = octets[at : at + rng.randint(1, 40)]
        elif kind == 4:
            del octets[at:]
        elif kind == 5 and len(octets) >= 12:
            octets[rng.randint(4, 11)] = rng.choice((0, 1, 2, 255))
        elif kind == 6 and len(octets) >= 12:
            octets[rng.randint(2, 3)] ^= 1 << rng.randrange(8)
    return bytes(octets)
