"""Which hosted zone record sets are of: several pages, zones, files, in any order."""

from __future__ import annotations

from itertools import permutations
from typing import Any

import pytest
from convert.imports import (
    NS,
    SOA,
    ZONE_ID,
    a,
    alias,
    configuration,
    hosted_zone,
    imported,
    items,
    notes,
    records,
    zone,
)

from dnsemu.convert import UnusableInput
from dnsemu.model import show_name

SECOND = {"NextRecordName": "b.example.com.", "NextRecordType": "A", "IsTruncated": True, "MaxItems": "3"}
THIRD = {"NextRecordName": "c.example.com.", "NextRecordType": "A", "IsTruncated": True, "MaxItems": "1"}
PAGES = {
    "one": records(NS, SOA, a("a.example.com."), **SECOND),
    "two": records(a("b.example.com."), **THIRD),
    "three": records(a("c.example.com."), IsTruncated=False, MaxItems="1"),
}
PRIVATE_NS = {
    **NS,
    "ResourceRecords": [
        {"Value": "ns-1536.awsdns-00.co.uk."},
        {"Value": "ns-0.awsdns-00.com."},
        {"Value": "ns-1024.awsdns-00.org."},
        {"Value": "ns-512.awsdns-00.net."},
    ],
}
VPCS = [{"VPCRegion": "eu-west-1", "VPCId": "vpc-0a1b2c3d"}]


def _in_zone(name: str, *record_sets: Any, servers: tuple[str, ...] = ("ns-1.awsdns-00.com.",)) -> dict[str, Any]:
    ns = {**NS, "Name": name, "ResourceRecords": [{"Value": server} for server in servers]}
    return records(ns, {**SOA, "Name": name}, *record_sets)


def _zones(text: str) -> dict[str, list[str]]:
    """Names of record sets by zone, but for SOA and NS."""
    zones = configuration(text).hosted_zones
    return {
        f"{show_name(zone.name)}{' (private)' if zone.vpcs else ''}": [
            show_name(each.name) for each in zone.record_sets if each.type not in (2, 6)
        ]
        for zone in zones
    }


@pytest.mark.parametrize("order", list(permutations(PAGES)))
def test_pages_join_in_any_order(order: tuple[str, ...]) -> None:
    result = imported(**{name: PAGES[name] for name in order})
    assert notes(result) == []
    assert result.text == imported(**PAGES).text
    assert _zones(result.text) == {"example.com.": ["a.example.com.", "b.example.com.", "c.example.com."]}


def test_pages_in_one_file() -> None:
    """As a loop around the command writes them."""
    pages = [records(NS, SOA, NextToken="eyJ=="), records(a("b.example.com."))]
    assert _zones(imported(*pages).text) == {"example.com.": ["b.example.com."]}


def test_the_same_again_is_no_loss() -> None:
    result = imported(zone(a("a.example.com.")), zone(a("a.example.com."), a("b.example.com.")))
    assert notes(result) == []
    assert _zones(result.text) == {"example.com.": ["a.example.com.", "b.example.com."]}


def test_two_that_differ() -> None:
    result = imported(zone(a("a.example.com.")), zone(a("a.example.com.", "203.0.113.9")))
    assert notes(result) == ["left out: a.example.com A: a second one that differs from the first"]
    assert items(result.text) == ["{name: a, type: A, ttl: 60, records: 203.0.113.1}"]


GOES_ON = "incomplete: hosted zone example.com: the list goes on (NextToken, IsTruncated): give its other pages too"
# Files, and what is told about record sets that are not in them
INCOMPLETE: list[tuple[list[dict[str, Any]], str]] = [
    ([records(NS, SOA, NextToken="eyJ==")], GOES_ON),
    ([records(NS, SOA, IsTruncated=True)], GOES_ON),
    ([records(NS, SOA, NextRecordName="b.example.com.", NextRecordType="A")], GOES_ON),
    ([records(NS, SOA, NextRecordName="b..", NextRecordType="A")], GOES_ON),
    ([PAGES["one"], PAGES["two"]], GOES_ON),
    ([PAGES["one"], PAGES["three"]], ""),  # what is missing in the middle, the count would tell
    ([zone()], ""),
    (
        [PAGES["one"], PAGES["three"], hosted_zone(ResourceRecordSetCount=5)],
        "incomplete: hosted zone example.com: it has 5 record sets on AWS, and 4 in the files",
    ),
    ([zone(), hosted_zone(ResourceRecordSetCount=2)], ""),
    ([records(NS, SOA, NextToken="eyJ=="), hosted_zone(ResourceRecordSetCount=2)], ""),
]


@pytest.mark.parametrize(("pages", "note"), INCOMPLETE)
def test_what_is_missing_is_told(pages: list[dict[str, Any]], note: str) -> None:
    assert notes(imported(*pages)) == ([note] if note else [])


def test_several_zones() -> None:
    result = imported(
        _in_zone("example.com.", a("a.example.com.")),
        _in_zone("dev.example.com.", a("a.dev.example.com.")),
        _in_zone("example.org."),
    )
    assert _zones(result.text) == {
        "example.com.": ["a.example.com."],
        "dev.example.com.": ["a.dev.example.com."],
        "example.org.": [],
    }
    assert result.summary == "3 hosted zones with 8 record sets"


def test_a_page_without_soa_belongs_to_the_zone_that_lacks_its_end() -> None:
    dev, rest = _in_zone("dev.example.com."), records(a("a.dev.example.com."))
    whole, cut = _in_zone("example.com."), {**_in_zone("example.com."), "NextToken": "eyJ=="}
    assert _zones(imported(dev, whole, rest).text)["dev.example.com."] == ["a.dev.example.com."]
    assert _zones(imported(dev, cut, rest).text)["example.com."] == ["a.dev.example.com."]


def test_the_zone_of_a_list_without_soa_is_that_of_get_hosted_zone() -> None:
    delegation = {"NameServers": ["ns-1.awsdns-00.com", "ns-600.awsdns-11.net"]}
    result = imported(records(a("a.example.com.")), hosted_zone(DelegationSet=delegation))
    (found,) = configuration(result.text).hosted_zones
    assert {show_name(server) for server in found.name_servers} == {"ns-1.awsdns-00.com.", "ns-600.awsdns-11.net."}
    assert _zones(result.text) == {"example.com.": ["a.example.com."]}


REFUSED = [
    (
        [records(a("a.example.com."))],
        (
            "0.json: no SOA among these record sets, so nothing says of which hosted zone they are: give all "
            "pages of the list, or the output of aws route53 get-hosted-zone too"
        ),
    ),
    (
        [records(SOA, {**SOA, "Name": "example.org."})],
        "0.json: one list with the SOAs of example.com and example.org: each hosted zone needs a list of its own",
    ),
    (
        [{"HostedZones": [], "IsTruncated": False}],
        (
            "nothing to import: there are no record sets; give what aws route53 list-resource-record-sets "
            "--hosted-zone-id ID prints"
        ),
    ),
]


@pytest.mark.parametrize(("pages", "reason"), REFUSED)
def test_what_no_zone_comes_of(pages: list[dict[str, Any]], reason: str) -> None:
    with pytest.raises(UnusableInput) as raised:
        imported(*pages)
    assert raised.value.reasons == [reason]


# Files beside the record sets of example.com, and the zone's id
ZONE_IDS: list[tuple[list[dict[str, Any]], str]] = [
    ([zone(), hosted_zone()], ZONE_ID),
    ([zone(), {"HostedZones": [hosted_zone()["HostedZone"]], "IsTruncated": False}], ZONE_ID),
    ([zone(a("a.example.com."), alias("b.example.com.", "a.example.com."))], ZONE_ID),
    ([zone(a("a.example.com."), alias("b.example.com.", "a.example.com.")), hosted_zone(zone_id="Z1")], ZONE_ID),
    ([zone(alias("b.example.com.", "a.example.com.", "Z2"))], ""),
    ([zone(), hosted_zone("example.org.")], ""),
    ([zone(), hosted_zone(), hosted_zone(zone_id="Z2", DelegationSet={"NameServers": ["a.example"]})], ZONE_ID),
    (
        [
            zone(),
            hosted_zone(zone_id="Z1", DelegationSet={"NameServers": ["a.example"]}),
            hosted_zone(DelegationSet={"NameServers": ["ns-412.awsdns-51.com", "ns-1871.awsdns-41.co.uk"]}),
        ],
        ZONE_ID,
    ),
]


@pytest.mark.parametrize(("pages", "zone_id"), ZONE_IDS)
def test_the_id_of_a_zone(pages: list[dict[str, Any]], zone_id: str) -> None:
    text = imported(*pages).text
    assert ("zone_id: " in text.partition("record_sets")[0]) == bool(zone_id)
    assert not zone_id or f"    zone_id: {zone_id}\n" in text


def test_a_comment() -> None:
    text = imported(zone(), hosted_zone(Config={"Comment": "Example: the public zone"})).text
    assert '    comment: "Example: the public zone"\n' in text


def test_zones_without_record_sets_are_told_in_one_line() -> None:
    others = [hosted_zone(f"{letter}.example.", f"Z{letter}")["HostedZone"] for letter in "abcde"]
    result = imported(zone(), {"HostedZones": others})
    assert notes(result) == [
        "left out: 5 hosted zones: no file has the record sets of a.example, b.example, c.example, …"
    ]


def test_what_is_not_known_of_a_zone_is_told() -> None:
    result = imported(zone(), hosted_zone(Shape="round", Features={"AcceleratedRecoveryStatus": "ENABLED"}))
    assert notes(result) == ["left out: hosted zone example.com: Shape, which is not known here"]


def test_a_private_zone() -> None:
    result = imported(zone(a("db.example.com.", "10.0.0.1")), hosted_zone(VPCs=[*VPCS, {"VPCId": "vpc-2"}]))
    assert "    vpc: [{vpc_id: vpc-0a1b2c3d, vpc_region: eu-west-1}, {vpc_id: vpc-2}]\n" in result.text
    assert notes(result) == [
        (
            "incomplete: private hosted zone example.com: nobody is in its VPCs, until dnsemu: vpcs says which "
            "addresses belong to them"
        )
    ]


def test_a_public_and_a_private_zone_of_one_name() -> None:
    public, private = zone(a("a.example.com.")), records(PRIVATE_NS, SOA, a("db.example.com."))
    result = imported(public, private, hosted_zone(zone_id="Z1"), hosted_zone(zone_id="Z2", VPCs=VPCS))
    assert _zones(result.text) == {"example.com.": ["a.example.com."], "example.com. (private)": ["db.example.com."]}
    order = [result.text.index(part) for part in ("zone_id: Z1", "name: a,", "zone_id: Z2", "name: db,")]
    assert order == sorted(order)


def test_a_private_zone_whose_vpcs_no_file_has() -> None:
    hint = "give the output of aws route53 get-hosted-zone, which says the VPCs of a private one"
    private = {"HostedZones": [hosted_zone(Config={"PrivateZone": True})["HostedZone"]]}
    result = imported(records(PRIVATE_NS, SOA, a("db.example.com.")), private)
    assert _zones(result.text) == {"example.com.": ["db.example.com."]}
    assert notes(result) == [
        f"changed: hosted zone example.com: a private one, imported as a public one: {hint}",
    ]
    both = imported(records(PRIVATE_NS, SOA, a("db.example.com.")), zone(a("a.example.com.")), private)
    assert _zones(both.text) == {"example.com.": ["a.example.com."]}
    assert notes(both) == [f"left out: hosted zone example.com: all of a second one of that name: {hint}"]
