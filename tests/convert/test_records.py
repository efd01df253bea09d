"""Record sets: what the API prints, and the native item that comes of it."""

from __future__ import annotations

from typing import Any

import pytest
from convert.imports import ZONE_ID, a, alias, hosted_zone, imported, items, notes, zone

CLOUDFRONT = "Z2FDTNDATAQYW2"
MADE_UP = "made up: alias target"


def _of(*record_sets: Any) -> list[str]:
    return items(imported(zone(*record_sets), hosted_zone()).text)


# The API's name, and the native one in the zone example.com
NAMES = [
    ("example.com.", '""'),
    ("www.example.com.", "www"),
    ("WWW.Example.COM.", "www"),
    (r"\052.example.com.", '"*"'),
    (r"\052.a.example.com.", '"*.a"'),
    (r"a.\052.example.com.", '"a.*"'),
    (r"\100.example.com.", r"'\100'"),
    (r"a\100b.example.com.", '"a@b"'),
    (r"0\05725.example.com.", "0/25"),
    (r"a\056b.example.com.", r"'a\056b'"),
    (r"a\134b.example.com.", r"'a\134b'"),
    (r"a\040b.example.com.", r"'a\040b'"),
    (r"\374.example.com.", r"'\374'"),
    ("10.example.com.", '"10"'),
    ("no.example.com.", '"no"'),
    ("1e3.example.com.", '"1e3"'),
    ("2001-01-01.example.com.", '"2001-01-01"'),
    ("_dmarc.example.com.", "_dmarc"),
    ("-.example.com.", '"-"'),
    ("example.com.example.com.", "example.com.example.com."),
    ("www.example.com.example.com.", "www.example.com.example.com."),
]


@pytest.mark.parametrize(("name", "native"), NAMES)
def test_names(name: str, native: str) -> None:
    assert _of(a(name)) == [f"{{name: {native}, type: A, ttl: 60, records: 203.0.113.1}}"]


# Fields beside name, type, TTL and value, and the native keys
POLICIES: list[tuple[dict[str, Any], str]] = [
    ({"SetIdentifier": "x", "Weight": 0}, "set_identifier: x, weighted_routing_policy: {weight: 0}"),
    ({"SetIdentifier": "x", "Region": "eu-west-1"}, "set_identifier: x, latency_routing_policy: {region: eu-west-1}"),
    (
        {"SetIdentifier": "x", "Failover": "SECONDARY"},
        "set_identifier: x, failover_routing_policy: {type: SECONDARY}",
    ),
    (
        {"SetIdentifier": "x", "GeoLocation": {"ContinentCode": "NA"}},
        "set_identifier: x, geolocation_routing_policy: {continent: NA}",
    ),
    (
        {"SetIdentifier": "x", "GeoLocation": {"CountryCode": "NO"}},
        'set_identifier: x, geolocation_routing_policy: {country: "NO"}',
    ),
    (
        {"SetIdentifier": "x", "GeoLocation": {"CountryCode": "*"}},
        'set_identifier: x, geolocation_routing_policy: {country: "*"}',
    ),
    (
        {"SetIdentifier": "x", "GeoLocation": {"CountryCode": "US", "SubdivisionCode": "WA"}},
        "set_identifier: x, geolocation_routing_policy: {country: US, subdivision: WA}",
    ),
    (
        {"SetIdentifier": "x", "GeoLocation": {"CountryCode": "UA", "SubdivisionCode": "05"}},
        'set_identifier: x, geolocation_routing_policy: {country: UA, subdivision: "05"}',
    ),
    (
        {"SetIdentifier": "x", "GeoProximityLocation": {"AWSRegion": "eu-central-1", "Bias": -10}},
        "set_identifier: x, geoproximity_routing_policy: {aws_region: eu-central-1, bias: -10}",
    ),
    (
        {"SetIdentifier": "x", "GeoProximityLocation": {"LocalZoneGroup": "us-west-2-lax-1"}},
        "set_identifier: x, geoproximity_routing_policy: {local_zone_group: us-west-2-lax-1}",
    ),
    (
        {"SetIdentifier": "x", "GeoProximityLocation": {"Coordinates": {"Latitude": "-8.5", "Longitude": "+9.25"}}},
        'set_identifier: x, geoproximity_routing_policy: {coordinates: {latitude: -8.5, longitude: "+9.25"}}',
    ),
    ({"SetIdentifier": "x", "MultiValueAnswer": True}, "set_identifier: x, multivalue_answer_routing_policy: true"),
    ({"MultiValueAnswer": False}, ""),
    ({"SetIdentifier": "10", "Weight": 1}, 'set_identifier: "10", weighted_routing_policy: {weight: 1}'),
    ({"SetIdentifier": "a: #b", "Weight": 1}, 'set_identifier: "a: #b", weighted_routing_policy: {weight: 1}'),
    ({"SetIdentifier": "büro 1", "Weight": 1}, 'set_identifier: "büro 1", weighted_routing_policy: {weight: 1}'),
    ({"SetIdentifier": '"it\'s"', "Weight": 1}, "set_identifier: '\"it''s\"', weighted_routing_policy: {weight: 1}"),
    (
        {"SetIdentifier": "tab\there", "Weight": 1},
        'set_identifier: "tab\\there", weighted_routing_policy: {weight: 1}',
    ),
]


@pytest.mark.parametrize(("fields", "native"), POLICIES)
def test_policies(fields: dict[str, Any], native: str) -> None:
    keys = f"name: www, type: A, ttl: 60, {native}, ".replace(", ,", ",")
    assert _of(a("www.example.com.", **fields)) == [f"{{{keys}records: 203.0.113.1}}"]


VALUES = [
    ("A", ["203.0.113.1"], "203.0.113.1"),
    ("A", ["203.0.113.1", "203.0.113.2"], "[203.0.113.1, 203.0.113.2]"),
    ("AAAA", ["2001:db8::1"], '"2001:db8::1"'),
    ("MX", ["10 mail.example.com."], "10 mail.example.com."),
    ("MX", ["0 ."], "0 ."),
    ("PTR", ["1.example.com."], "1.example.com."),
    ("TXT", ['"v=spf1 -all"'], "'\"v=spf1 -all\"'"),
    ("TXT", ['"it\'s"', '"b" "c"'], "['\"it''s\"', '\"b\" \"c\"']"),
    ("TXT", [r'"a \"quote\" and \\ and \303\274"'], r"""'"a \"quote\" and \\ and \303\274"'"""),
    ("TXT", ['""'], "'\"\"'"),
    ("TXT", ['"a, [b], {c}: d # e"'], "'\"a, [b], {c}: d # e\"'"),
    ("CAA", ['0 issue "ca.example.net"'], "'0 issue \"ca.example.net\"'"),
    ("SPF", ['"v=spf1 -all"'], "'\"v=spf1 -all\"'"),
    ("HTTPS", ["1 . alpn=h2,h3 ipv4hint=192.0.2.1"], '"1 . alpn=h2,h3 ipv4hint=192.0.2.1"'),
    ("NAPTR", ['100 10 "U" "E2U+sip" "!^.*$!sip:x@example.com!" .'], None),
    ("TLSA", ["3 1 1 0c72ac70b745ac19998811b131d662c9ac69dbdbe7cb23e5b514b56664c5d3d6"], None),
]


@pytest.mark.parametrize(("rdtype", "values", "native"), VALUES)
def test_values(rdtype: str, values: list[str], native: str | None) -> None:
    (item,) = _of({**a("x.example.com.", *values), "Type": rdtype})
    if native is not None:
        assert item == f"{{name: x, type: {rdtype}, ttl: 60, records: {native}}}"


def test_long_record_sets_stand_in_a_line_for_each_key_and_long_lists_for_each_value() -> None:
    values = [f'"{"x" * 60}{number}"' for number in range(3)]
    text = imported(zone({**a("x.example.com.", *values), "Type": "TXT"})).text
    lines = ["- name: x", "  type: TXT", "  ttl: 60", "  records:", *(f"    - '{value}'" for value in values)]
    assert "".join(f"      {line}\n" for line in lines) in text


def test_values_of_any_length() -> None:
    """Longer than what YAML takes for a key at most."""
    value = " ".join(f'"{letter * 250}"' for letter in "abcdefghijklmno")
    text = imported(zone({**a("x.example.com.", value), "Type": "TXT"})).text
    assert f"        records: '{value}'\n" in text


# The alias, beside www.example.com A; the native item; the note, or none
WILDCARD = a(r"\052.wild.example.com.")
ALIASES: list[tuple[dict[str, Any], str, str]] = [
    (alias("example.com.", "www.example.com."), '{name: "", type: A, alias: {name: www}}', ""),
    (
        alias("x.example.com.", "www.example.com.", health=True),
        "{name: x, type: A, alias: {name: www, evaluate_target_health: true}}",
        "",
    ),
    (alias("x.example.com.", r"\052.wild.example.com."), '{name: x, type: A, alias: {name: "*.wild"}}', ""),
    (alias("x.example.com.", "a.wild.example.com."), "{name: x, type: A, alias: {name: a.wild}}", ""),
    (
        alias("x.example.com.", "D1.cloudfront.net.", CLOUDFRONT),
        "{name: x, type: A, alias: {name: d1.cloudfront.net., zone_id: Z2FDTNDATAQYW2}}",
        f"{MADE_UP} d1.cloudfront.net: 192.0.2.104 (1 alias to it): put in the real addresses",
    ),
    (
        alias("x.example.com.", "gone.example.com."),
        "{name: x, type: A, alias: {name: gone.example.com.}}",
        (
            "incomplete: alias target gone.example.com: it is not among the record sets of its zone, so aliases "
            "to it are answered without records"
        ),
    ),
    (
        alias("x.example.com.", "www.example.org.", "Z0OTHER"),
        "{name: x, type: A, alias: {name: www.example.org., zone_id: Z0OTHER}}",
        f"{MADE_UP} www.example.org: 198.51.100.198 (1 alias to it): put in the real addresses",
    ),
    (
        alias("x.example.com.", "d1.cloudfront.net.", CLOUDFRONT, "HTTPS"),
        "{name: x, type: HTTPS, alias: {name: d1.cloudfront.net., zone_id: Z2FDTNDATAQYW2}}",
        (
            "left out: x.example.com HTTPS: the HTTPS records of d1.cloudfront.net, as dnsemu knows AWS resources by "
            "their addresses only: it answers without records"
        ),
    ),
    (
        alias("x.example.com.", "x.example.org.", "Z0OTHER", "TXT"),
        "",
        "left out: x.example.com TXT: an alias of x.example.org, of which no file has the TXT records",
    ),
    (
        alias("x.example.com.", "a..b.", "Z0OTHER"),
        "",
        "left out: x.example.com A: its alias target 'a..b.' is no name: 'a..b' has an empty label",
    ),
]


@pytest.mark.parametrize(("record_set", "native", "note"), ALIASES)
def test_aliases(record_set: dict[str, Any], native: str, note: str) -> None:
    result = imported(zone(a("www.example.com."), WILDCARD, record_set), hosted_zone())
    assert notes(result) == ([note] if note else [])
    assert [item for item in items(result.text) if "alias: " in item] == ([native] if native else [])


def test_alias_targets_stand_there_once() -> None:
    elb = "web-1.eu-west-1.elb.amazonaws.com."
    result = imported(
        zone(
            alias("a.example.com.", f"dualstack.{elb}", "Z32O12XQLNTSW2"),
            alias("b.example.com.", elb, "Z32O12XQLNTSW2"),
            alias("b.example.com.", elb, "Z32O12XQLNTSW2", "AAAA"),
        )
    )
    name = "dualstack.web-1.eu-west-1.elb.amazonaws.com"
    assert items(result.text)[-1] == f'{{name: {name}, a: 192.0.2.228, aaaa: "2001:db8::e4"}}'
    assert notes(result) == [
        f"{MADE_UP} {name}: 192.0.2.228 and 2001:db8::e4 (3 aliases to it): put in the real addresses"
    ]


def test_made_up_addresses_differ_and_do_not_depend_on_others() -> None:
    names = [f"d{number}.cloudfront.net." for number in range(400)]
    record_sets = [alias(f"x{number}.example.com.", name, CLOUDFRONT) for number, name in enumerate(names)]
    many = [item for item in items(imported(zone(*record_sets)).text) if "cloudfront.net," in item and " a: " in item]
    assert len({item.partition(" a: ")[2] for item in many}) == len(names)
    assert items(imported(zone(record_sets[7])).text)[-1] in many
    assert items(imported(zone(*record_sets, *record_sets)).text) == items(imported(zone(*record_sets)).text)


def test_more_alias_targets_than_there_are_addresses() -> None:
    record_sets = [
        alias(f"x{number}.example.com.", f"d{number}.cloudfront.net.", CLOUDFRONT) for number in range(600)
    ]
    assert len(notes(imported(zone(*record_sets)))) == 600


# What can not be carried over, the note, and how many items are left
LEFT_OUT: list[tuple[dict[str, Any], str, int]] = [
    ({**a("x.example.com.", "x"), "Type": "LOC"}, "x.example.com LOC: dnsemu does not serve records of type LOC", 0),
    (a("x.example.com.", Colour="red"), "x.example.com A: Colour, which is not known here", 1),
    (
        a("x.example.com.", SetIdentifier="é", Weight=1, GeoProximityLocation=None, AliasTarget=None, Extra={}),
        "x.example.com A 'é': Extra, which is not known here",
        1,
    ),
    (
        a("x.example.com.", SetIdentifier="y", GeoLocation={"CountryCode": "NO", "CityCode": "OSL"}),
        "x.example.com A 'y': GeoLocation.CityCode, which is not known here",
        1,
    ),
    (
        {"Name": "x.example.com.", "Type": "A", "TrafficPolicyInstanceId": "1-2"},
        "x.example.com A: the traffic policy instance 1-2 answers for it, which can not be imported",
        0,
    ),
    (a("x.example.org."), "x.example.org A: it is not in the hosted zone example.com", 0),
    (a("a..example.com."), "a..example.com. A: in 0.json: 'a..example.com' has an empty label", 0),
    (a("x.example.com.", "1.2.3"), "x.example.com A: A: '1.2.3' is not a valid IPv4 address", 0),
    (
        a("x.example.com.", SetIdentifier="y", Region="xx-east-1"),
        "x.example.com A 'y': 'xx-east-1' is no region that Route 53 knows (did you mean us-east-1?)",
        0,
    ),
    (
        a("x.example.com.", SetIdentifier="y", NewPolicy={"x": 1}),
        "x.example.com A 'y': NewPolicy, which is not known here",
        0,
    ),
]


@pytest.mark.parametrize(("record_set", "note", "count"), LEFT_OUT)
def test_what_can_not_be_carried_over_is_told(record_set: dict[str, Any], note: str, count: int) -> None:
    result = imported(zone(record_set), hosted_zone())
    assert notes(result)[0].replace("geo-location", "") == f"left out: {note}"
    assert len(items(result.text)) == count


def test_record_sets_of_traffic_policies_are_like_others() -> None:
    result = imported(zone(a("x.example.com.", TrafficPolicyInstanceId="1-2")))
    assert items(result.text) == ["{name: x, type: A, ttl: 60, records: 203.0.113.1}"]
    assert notes(result) == [
        "changed: x.example.com A: made by the traffic policy instance 1-2, and now like any other"
    ]


def test_what_follows_from_what_is_refused_is_told_too() -> None:
    result = imported(zone(a("x.example.com.", "1.2.3"), alias("y.example.com.", "x.example.com.")))
    assert items(result.text) == []
    assert len(notes(result)) == 2
    assert ZONE_ID in notes(result)[1]


def test_control_characters_do_not_reach_the_terminal() -> None:
    (note,) = notes(imported(zone(a("x.example.com.", **{"\x1b[31mred\n": 1}))))
    assert note == r"left out: x.example.com A: \x1b[31mred\n, which is not known here"
