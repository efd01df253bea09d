"""Health checks and CIDR collections: what the API prints, and the native items that come of it."""

from __future__ import annotations

from typing import Any

import pytest
from convert.imports import a, imported, items, notes, zone

from dnsemu.config.checks import _ARGUMENTS
from dnsemu.convert.checks import ARGUMENTS

ID = "1a5c0b1e-6f0d-4c63-9a54-0c2b7c1f9e01"
ENDPOINT = {"RequestInterval": 30, "FailureThreshold": 3}
NO = {"MeasureLatency": False, "Inverted": False, "Disabled": False, "EnableSNI": False}
STAND_IN = f"{{id: {ID}, type: TCP, ip_address: 192.0.2.1, port: 80, disabled: true}}"
COLLECTION = "c8c02a88-e5d3-3bb5-2d9f-4d3c8a1f2b6e"
OTHER = "0cc02a88-e5d3-3bb5-2d9f-4d3c8a1f2b6e"


def _check(check_id: str = ID, *, beside: dict[str, Any] | None = None, **config: Any) -> dict[str, Any]:
    """A health check, as `list-health-checks` prints it; `beside` its settings."""
    return {
        "Id": check_id,
        "CallerReference": "1",
        "HealthCheckConfig": config,
        "HealthCheckVersion": 1,
        **(beside or {}),
    }


def _checks(*checks: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"HealthChecks": list(checks), "IsTruncated": False, "MaxItems": "100", **more}


def _used(*ids: str) -> dict[str, Any]:
    """A zone whose record sets use these health checks."""
    fields = [{"SetIdentifier": check_id, "Weight": 1, "HealthCheckId": check_id} for check_id in ids]
    return zone(*(a("www.example.com.", **each) for each in fields))


CONFIGS: list[tuple[dict[str, Any], str]] = [
    (
        {"Type": "HTTP", "FullyQualifiedDomainName": "a.example", "Port": 80, "ResourcePath": "/x", **ENDPOINT, **NO},
        "type: HTTP, fqdn: a.example, port: 80, resource_path: /x, request_interval: 30, failure_threshold: 3",
    ),
    (
        {"Type": "HTTPS", "IPAddress": "2001:4860:4860:0:0:0:0:8842", "Port": 443, **NO},
        'type: HTTPS, ip_address: "2001:4860:4860:0:0:0:0:8842", port: 443, enable_sni: false',
    ),
    (
        {"Type": "HTTPS_STR_MATCH", "IPAddress": "203.0.113.1", "SearchString": 'a: "b"', "EnableSNI": True},
        "type: HTTPS_STR_MATCH, ip_address: 203.0.113.1, search_string: 'a: \"b\"', enable_sni: true",
    ),
    (
        {
            "Type": "HTTP_STR_MATCH",
            "IPAddress": "203.0.113.1",
            "SearchString": "ok",
            "Inverted": True,
            "Disabled": True,
        },
        "type: HTTP_STR_MATCH, ip_address: 203.0.113.1, search_string: ok, invert_healthcheck: true, disabled: true",
    ),
    (
        {"Type": "TCP", "IPAddress": "203.0.113.1", "Port": 5432, "MeasureLatency": True, "ResourcePath": ""},
        "type: TCP, ip_address: 203.0.113.1, port: 5432, measure_latency: true",
    ),
    (
        {"Type": "TCP", "IPAddress": "203.0.113.1", "Port": 1, "Regions": ["us-east-1", "eu-west-1", "sa-east-1"]},
        "type: TCP, ip_address: 203.0.113.1, port: 1, regions: [us-east-1, eu-west-1, sa-east-1]",
    ),
    (
        {"Type": "TCP", "IPAddress": "203.0.113.1", "Port": 1, "EnableSNI": True},  # AWS prints it for all types
        "type: TCP, ip_address: 203.0.113.1, port: 1",
    ),
    (
        {"Type": "CALCULATED", "ChildHealthChecks": [], "HealthThreshold": 0, **NO},
        "type: CALCULATED, child_healthchecks: [], child_health_threshold: 0",
    ),
    (
        {
            "Type": "CLOUDWATCH_METRIC",
            "AlarmIdentifier": {"Region": "eu-west-1", "Name": "cpu: high"},
            "InsufficientDataHealthStatus": "LastKnownStatus",
            **NO,
        },
        (
            'type: CLOUDWATCH_METRIC, cloudwatch_alarm_region: eu-west-1, cloudwatch_alarm_name: "cpu: high", '
            "insufficient_data_health_status: LastKnownStatus"
        ),
    ),
    (
        {"Type": "RECOVERY_CONTROL", "RoutingControlArn": "arn:aws:x", **NO},
        'type: RECOVERY_CONTROL, routing_control_arn: "arn:aws:x"',
    ),
]


@pytest.mark.parametrize(("config", "native"), CONFIGS)
def test_settings(config: dict[str, Any], native: str) -> None:
    result = imported(_used(ID), _checks(_check(**config)))
    assert notes(result) == []
    assert items(result.text)[-1] == f"{{id: {ID}, {native}}}"


def test_the_arguments_of_each_type_are_those_of_the_native_format() -> None:
    assert {key: set(names) for key, names in ARGUMENTS.items()} == {
        key: set(names) for key, names in _ARGUMENTS.items()
    }


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"Type": "ICMP", "IPAddress": "203.0.113.1"}, "'ICMP' is not one of HTTP, "),
    ({"Type": "TCP", "IPAddress": "203.0.113.1"}, "a health check of type TCP needs port"),
    ({"Type": "TCP", "IPAddress": "203.0.113.1", "Port": 1, "Regions": ["us-east-1"]}, "regions has too few items: "),
    (
        {"Type": "CLOUDWATCH_METRIC", "AlarmIdentifier": {"Region": "us-iso-east-1", "Name": "x"}},
        "'us-iso-east-1' is ",
    ),
]


@pytest.mark.parametrize(("config", "reason"), REFUSED)
def test_a_stand_in_for_what_is_refused(config: dict[str, Any], reason: str) -> None:
    result = imported(_used(ID), _checks(_check(**config)))
    (note,) = notes(result)
    assert note.startswith(f"left out: health check {ID}: a stand-in is there now: {reason}")
    assert items(result.text)[-1] == STAND_IN
    assert f"  # made up: the real one is refused\n  - {STAND_IN}\n" in result.text


def test_what_can_not_be_carried_over_is_told() -> None:
    config = {"Type": "TCP", "IPAddress": "203.0.113.1", "Port": 1, "SearchString": "x", "Colour": "red"}
    result = imported(_used(ID), _checks(_check(beside={"LinkedService": {}, "Shape": 1}, **config)))
    assert notes(result) == [
        f"left out: health check {ID}: Shape, which is not known here",
        f"left out: health check {ID}: HealthCheckConfig.Colour, which is not known here",
        f"left out: health check {ID}: search_string, which checks of type TCP do not have",
    ]
    alarm = {"CloudWatchAlarmConfiguration": {"Period": 60}}
    assert (
        notes(imported(_used(ID), _checks(_check(beside=alarm, Type="TCP", IPAddress="203.0.113.1", Port=1)))) == []
    )


def test_a_stand_in_for_what_no_file_has() -> None:
    result = imported(_used(ID))
    assert notes(result) == [
        f"made up: health check {ID}: no file has it: it is always healthy, until you put in the real one"
    ]
    assert items(result.text)[-1] == STAND_IN
    assert imported(_used(ID, "2")).text.count("# made up: no file had it") == 1


def test_only_what_is_used_comes_along() -> None:
    probed = {"Type": "TCP", "IPAddress": "203.0.113.1", "Port": 1}
    parent = _check("p", Type="CALCULATED", ChildHealthChecks=["c1", "c2"], HealthThreshold=1)
    result = imported(
        _used("p"), _checks(parent, _check("c1", **probed), *(_check(f"u{i}", **probed) for i in range(3)))
    )
    assert [item.partition(",")[0] for item in items(result.text)[1:]] == ["{id: c1", "{id: c2", "{id: p"]
    assert notes(result) == [
        "left out: 3 health checks: unused by the record sets here: u0, u1, …",
        "made up: health check c2: no file has it: it is always healthy, until you put in the real one",
    ]


def test_without_zones_all_health_checks_come_along() -> None:
    probed = {"Type": "TCP", "IPAddress": "203.0.113.1", "Port": 1}
    result = imported(_checks(_check("b", **probed)), {"HealthCheck": _check("a", **probed)})
    assert [item.partition(",")[0] for item in items(result.text)] == ["{id: a", "{id: b"]
    assert (notes(result), result.summary) == ([], "2 health checks")


@pytest.mark.parametrize("more", [{"IsTruncated": True, "NextMarker": "x"}, {"NextToken": "eyJ"}])
def test_pages_of_health_checks(more: dict[str, Any]) -> None:
    first = {**_checks(), **more}
    told = "incomplete: health checks: the list goes on (NextToken, IsTruncated): give its other pages too"
    assert notes(imported(zone(), first)) == [told]
    assert notes(imported(zone(), first, _checks())) == []


def _ip_based(*locations: str, collection: str = COLLECTION, name: str = "ip.example.com.") -> list[dict[str, Any]]:
    return [
        a(name, SetIdentifier=location, CidrRoutingConfig={"CollectionId": collection, "LocationName": location})
        for location in locations
    ]


def _blocks(*blocks: tuple[str, str], **more: Any) -> dict[str, Any]:
    """`list-cidr-blocks`"""
    return {"CidrBlocks": [{"CidrBlock": block, "LocationName": name} for name, block in blocks], **more}


def _collections(**names: str) -> dict[str, Any]:
    """`list-cidr-collections`"""
    collections = [{"Arn": f"arn:{key}", "Id": key, "Name": name, "Version": 1} for key, name in names.items()]
    return {"CidrCollections": collections}


def test_blocks_are_of_the_only_collection() -> None:
    blocks = _blocks(("office", "203.0.113.0/24"), ("lab", "198.51.100.0/24"), ("office", "2001:db8::/32"))
    result = imported(zone(*_ip_based("office", "*")), blocks, _collections(**{COLLECTION: "corp"}))
    assert notes(result) == []
    assert result.text.endswith(
        f"cidr_collections:\n  - id: {COLLECTION}\n    name: corp\n    locations:\n"
        "      - {name: lab, cidr_blocks: [198.51.100.0/24]}\n"
        '      - {name: office, cidr_blocks: [203.0.113.0/24, "2001:db8::/32"]}\n'
    )


def test_what_no_file_has_of_a_collection_is_made_up() -> None:
    result = imported(zone(*_ip_based("office", "*")))
    assert notes(result) == [
        f"made up: CIDR collection {COLLECTION}, location office: no file has its blocks: it is empty",
        f"made up: CIDR collection {COLLECTION}: its name, which aws route53 list-cidr-collections prints",
    ]
    assert f"name: {COLLECTION}" in result.text


def test_with_several_collections_the_name_of_the_file_decides() -> None:
    record_sets = [*_ip_based("office"), *_ip_based("lab", collection=OTHER, name="ip2.example.com.")]
    names = _collections(**{COLLECTION: "corp", OTHER: "lab"})
    blocks = {"office": _blocks(("office", "203.0.113.0/24")), "lab": _blocks(("lab", "198.51.100.0/24"))}
    result = imported(zone(*record_sets), names, **{f"a-{COLLECTION}": blocks["office"], OTHER: blocks["lab"]})
    assert notes(result) == []
    assert items(result.text)[-2:] == [
        "{name: lab, cidr_blocks: [198.51.100.0/24]}",
        "{name: office, cidr_blocks: [203.0.113.0/24]}",
    ]
    told = notes(imported(zone(*record_sets), names, blocks["office"]))
    hint = "write the collection's id into the name of the file"
    assert told[0] == f"left out: 2.json: 1 CIDR block of one of 2 collections: {hint}"
    assert len(told) == 3


def test_collections_that_nothing_uses() -> None:
    names = _collections(**{COLLECTION: "corp", OTHER: "lab"})
    blocks = _blocks(("office", "203.0.113.0/24"))
    result = imported(zone(*_ip_based("office")), names, **{COLLECTION: blocks, OTHER: _blocks()})
    assert notes(result) == [f"left out: CIDR collection {OTHER}: no record set here uses it"]
    told = notes(imported(zone(), _blocks(("x", "203.0.113.0/24"))))
    assert told == ["left out: 1.json: 1 CIDR block, as no record set here uses a CIDR collection"]


def test_collections_alone() -> None:
    result = imported(_collections(**{COLLECTION: "corp"}), _blocks(("office", "203.0.113.0/24")))
    assert (notes(result), result.summary) == ([], "1 CIDR collection")
    assert items(result.text) == ["{name: office, cidr_blocks: [203.0.113.0/24]}"]


def test_locations_and_pages_of_blocks() -> None:
    locations = {"CidrLocations": [{"LocationName": "*"}, {"LocationName": "office"}]}
    page = _blocks(("office", "203.0.113.0/24"), NextToken="eyJ")
    name = _collections(**{COLLECTION: "corp"})
    result = imported(zone(*_ip_based("office")), locations, name)
    assert (notes(result), items(result.text)[-1]) == ([], "{name: office, cidr_blocks: []}")
    told = (
        f"incomplete: CIDR collection {COLLECTION}: the list of its blocks goes on (NextToken): give its other pages"
    )
    assert notes(imported(zone(*_ip_based("office")), page, name)) == [f"{told} too"]
    assert notes(imported(zone(*_ip_based("office")), page, _blocks(), name)) == []


def test_blocks_that_are_refused_leave_their_location_behind() -> None:
    result = imported(
        zone(*_ip_based("office")), _blocks(("office", "203.0.113.1/24")), _collections(**{COLLECTION: "c"})
    )
    (note,) = notes(result)
    assert note.startswith(
        f"left out: CIDR collection {COLLECTION}, location office: a stand-in is there now: not a CIDR"
    )
    assert items(result.text)[-1] == "{name: office, cidr_blocks: []}"
