"""Whatever the API can print of record sets: the native file that comes of it says the same."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any, NamedTuple

from convert.imports import NS, SOA, ZONE_ID, configuration, faults_of, hosted_zone, notes, records
from hypothesis import given
from hypothesis import strategies as st
from properties.strategies import examples

from dnsemu.config.read import tables
from dnsemu.convert import Imported, Kind, UnusableInput, import_route53
from dnsemu.model import ROOT, RecordSet, Type, read_name, read_value
from dnsemu.routing import (
    Failover,
    IpBased,
    Multivalue,
    Weighted,
    read_geolocation,
    read_geoproximity,
    read_latency,
)

ZONES = ("example.com.", r"a\057b.test.", "com.")
PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789-_")
COLLECTION = "c8c02a88-e5d3-3bb5-2d9f-4d3c8a1f2b6e"
TABLES = tables()


class Pair(NamedTuple):
    """What the API prints, and the native model's way to say it."""

    printed: dict[str, Any]
    meant: object


def _printed_name(wire: bytes) -> str:
    """As the API prints it: octal for all but a few, also for a `*`."""
    labels, at = [], 0
    while wire[at]:
        label = wire[at + 1 : at + 1 + wire[at]]
        labels.append("".join(chr(octet) if octet in PLAIN else f"\\{octet:03o}" for octet in label))
        at += wire[at] + 1
    return ".".join(labels) + "."


def _printed_string(octets: bytes) -> str:
    escapes = {ord('"'): '\\"', ord("\\"): "\\\\"}
    plain = (escapes.get(octet, chr(octet)) if 32 <= octet < 127 else f"\\{octet:03o}" for octet in octets)
    return f'"{"".join(plain)}"'


_LABELS = st.one_of(
    st.sampled_from(
        [b"www", b"*", b"@", b"10", b"no", b"example", b"com", b"a.b", b"0/25", b"1e3", b"~", b"-", b"'"]
    ),
    st.binary(min_size=1, max_size=12),
).map(bytes.lower)
_IDENTIFIERS = st.one_of(
    st.sampled_from(
        ["yes", "10", "a: b", "#", "'", '"', "\\", "{x", "- a", " a ", "ü", "\n", "\x00", "\x85", "😀", "2026-11-20"]
    ),
    st.text(min_size=1, max_size=128),
)
_ADDRESSES = st.ip_addresses(v=4).map(str)
VALUES = {
    "A": _ADDRESSES,
    "AAAA": st.ip_addresses(v=6).map(str),
    "TXT": st.lists(st.binary(max_size=255), min_size=1, max_size=4).map(
        lambda many: " ".join(map(_printed_string, many))
    ),
    "MX": st.builds(
        "{} {}".format, st.integers(0, 65535), st.sampled_from(["mail.example.com", "mail.example.com.", "."])
    ),
    "CAA": st.binary(max_size=40).map(lambda octets: f"0 issue {_printed_string(octets)}"),
    "PTR": st.sampled_from(["host.example.com", r"\052.example.com.", "10.", "no."]),
    "HTTPS": st.sampled_from(['1 . alpn="h2,h3" ipv4hint=192.0.2.1', "0 www.example.com."]),
}


def _group(policy: str) -> st.SearchStrategy[Sequence[Pair]]:
    """What the members of a group have beside values, names and types."""

    def pairs(field: str, *values: tuple[Any, object]) -> Sequence[Pair]:
        return [Pair({field: printed}, meant) for printed, meant in values]

    places = [
        ({"CountryCode": "*"}, (None, "*", None)),
        ({"CountryCode": "NO"}, (None, "NO", None)),
        ({"CountryCode": "UA", "SubdivisionCode": "05"}, (None, "UA", "05")),
        ({"CountryCode": "US", "SubdivisionCode": "WA"}, (None, "US", "WA")),
        ({"ContinentCode": "NA"}, ("NA", None, None)),
    ]
    near = [
        ({"AWSRegion": "eu-central-1", "Bias": -99}, ("eu-central-1", None, None, -99)),
        ({"LocalZoneGroup": "us-west-2-lax-1"}, (None, "us-west-2-lax-1", None, 0)),
        (
            {"Coordinates": {"Latitude": "60.17", "Longitude": "-24.9"}, "Bias": 0},
            (None, None, ("60.17", "-24.9"), 0),
        ),
        ({"Coordinates": {"Latitude": "+8.", "Longitude": "007"}}, (None, None, ("+8.", "007"), 0)),
    ]
    members: dict[str, Sequence[Pair]] = {
        "simple": [Pair({}, None)],
        "weighted": pairs("Weight", *((weight, Weighted(weight)) for weight in (0, 1, 255))),
        "latency": pairs(
            "Region", *((region, read_latency(region, TABLES)) for region in ("eu-west-1", "us-east-1"))
        ),
        "failover": pairs("Failover", ("SECONDARY", Failover("SECONDARY"))),
        "geolocation": pairs("GeoLocation", *((given, read_geolocation(TABLES, *codes)) for given, codes in places)),
        "geoproximity": pairs(
            "GeoProximityLocation", *((given, read_geoproximity(TABLES, *place)) for given, place in near)
        ),
        "ip": pairs(
            "CidrRoutingConfig",
            *(
                ({"CollectionId": COLLECTION, "LocationName": name}, IpBased(COLLECTION, name))
                for name in ("*", "10", "no")
            ),
        ),
        "multivalue": pairs("MultiValueAnswer", (True, Multivalue()), (True, Multivalue())),
    }
    return st.permutations(members[policy])


@st.composite
def _zones(draw: st.DrawFn) -> tuple[str, list[Pair]]:
    """A zone's name, and record sets that the native reader has nothing against."""
    apex = draw(st.sampled_from(ZONES))
    found = []
    for labels in draw(st.lists(st.lists(_LABELS, min_size=1, max_size=4).map(tuple), unique=True, max_size=6)):
        name = b"".join(bytes((len(label),)) + label for label in labels) + read_name(apex)
        rdtype = draw(st.sampled_from(sorted(VALUES)))
        found += draw(_record_sets(name, rdtype))
    return apex, found


@st.composite
def _record_sets(draw: st.DrawFn, name: bytes, rdtype: str) -> list[Pair]:
    """A group: API's record sets and the model's, whose origins do not count."""
    kinds = ["simple", "weighted", "latency", "failover", "geolocation", "geoproximity", "ip", "multivalue"]
    members = draw(_group(draw(st.sampled_from(kinds))))
    identifiers = draw(st.lists(_IDENTIFIERS, min_size=len(members), max_size=len(members), unique=True))
    ttl = draw(st.integers(0, 2_147_483_647))
    found = []
    for member, identifier in zip(members, identifiers, strict=True):
        values = draw(
            st.lists(VALUES[rdtype], min_size=1, max_size=3, unique_by=lambda text: read_value(Type[rdtype], text))
        )
        own = {"SetIdentifier": identifier, **member.printed} if member.printed else {}
        printed = {"Name": _printed_name(name), "Type": rdtype, "TTL": ttl, **own}
        printed["ResourceRecords"] = [{"Value": value} for value in values]
        wire = tuple(read_value(Type[rdtype], value) for value in values)
        found.append(Pair(printed, (name, rdtype, ttl, wire, own.get("SetIdentifier"), member.meant)))
    return found


def _import(*pages: Any) -> Imported:
    octets = [json.dumps(page, ensure_ascii=bool(index % 2)).encode() for index, page in enumerate(pages)]
    return import_route53([(f"{index}.json", page) for index, page in enumerate(octets)], faults_of)


def _said(record_set: RecordSet) -> tuple[Any, ...]:
    """What a record set of the model says, without where it says it."""
    values = tuple(value.rdata for value in record_set.values)
    return (
        record_set.name,
        record_set.type.name,
        record_set.ttl,
        values,
        record_set.set_identifier,
        record_set.policy,
    )


@examples(60)
@given(_zones())
def test_the_model_says_what_the_api_said(drawn: tuple[str, list[Pair]]) -> None:
    apex, pairs = drawn
    own = [{**NS, "Name": apex}, {**SOA, "Name": apex}]
    result = _import(records(*own, *(pair.printed for pair in pairs)), hosted_zone(apex))
    assert faults_of(result.text) == []
    assert {note.kind for note in result.notes} <= {Kind.MADE_UP}  # locations of the CIDR collection
    (zone,) = configuration(result.text).hosted_zones
    assert (zone.name, zone.zone_id) == (read_name(apex), ZONE_ID)
    found = [_said(each) for each in zone.record_sets if each.type not in (Type.NS, Type.SOA)]
    assert sorted(found, key=repr) == sorted((pair.meant for pair in pairs), key=repr)


@examples(40)
@given(_zones(), st.data())
def test_aliases_lead_where_they_led(drawn: tuple[str, list[Pair]], data: st.DataObject) -> None:
    apex, pairs = drawn
    names = sorted({(pair.printed["Name"], pair.printed["Type"]) for pair in pairs})
    outside = ("dualstack.web-1.eu-west-1.elb.amazonaws.com.", "A")
    targets = data.draw(st.lists(st.sampled_from([*names, outside]), min_size=1, max_size=4))
    aliases = [
        {
            "Name": f"alias{number}-0.{apex}",
            "Type": rdtype,
            "AliasTarget": {
                "HostedZoneId": "Z32O12XQLNTSW2" if name == outside[0] else ZONE_ID,
                "DNSName": name,
                "EvaluateTargetHealth": data.draw(st.booleans()),
            },
        }
        for number, (name, rdtype) in enumerate(targets)
    ]
    own = [{**NS, "Name": apex}, {**SOA, "Name": apex}]
    result = _import(records(*own, *(pair.printed for pair in pairs), *aliases), hosted_zone(apex))
    assert [note for note in result.notes if note.kind is not Kind.MADE_UP] == []
    (zone,) = configuration(result.text).hosted_zones
    found = {each.name: each.alias for each in zone.record_sets}
    for printed in aliases:
        target, alias = printed["AliasTarget"], found[read_name(printed["Name"])]
        assert alias is not None
        assert (alias.name, alias.evaluate_target_health) == (
            read_name(target["DNSName"]),
            target["EvaluateTargetHealth"],
        )


_JSON = st.recursive(
    st.one_of(
        st.none(), st.booleans(), st.integers(-5, 400), st.text(max_size=6), st.sampled_from(["A", "x.example.com."])
    ),
    lambda inner: st.one_of(st.lists(inner, max_size=3), st.dictionaries(st.text(max_size=6), inner, max_size=3)),
    max_leaves=6,
)


@examples(80)
@given(_zones(), st.data())
def test_whatever_is_in_a_file_is_refused_or_what_comes_of_it_is_accepted(
    drawn: tuple[str, list[Pair]], data: st.DataObject
) -> None:
    """Also with fields that have other values than the API allows, or that it does not know."""
    apex, pairs = drawn
    record_sets = [dict(pair.printed) for pair in pairs] + [{**NS, "Name": apex}, {**SOA, "Name": apex}]
    fields = (
        "Name",
        "Type",
        "TTL",
        "ResourceRecords",
        "SetIdentifier",
        "Weight",
        "HealthCheckId",
        "AliasTarget",
        "New",
    )
    for _ in range(data.draw(st.integers(1, 3))):
        data.draw(st.sampled_from(record_sets))[data.draw(st.sampled_from(fields))] = data.draw(_JSON)
    try:
        result = _import(records(*record_sets), hosted_zone(apex))
    except UnusableInput as error:
        told = error.reasons
    else:
        told = notes(result)
        assert faults_of(result.text) == []
    assert all(line.isprintable() for line in told)


def test_names_are_printed_as_the_api_prints_them() -> None:
    assert _printed_name(b"\1*\3a.b\7example\3com" + ROOT) == r"\052.a\056b.example.com."
