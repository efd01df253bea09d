"""Files that are not the JSON of the AWS CLI: which of them are read all the same, and what is said of others."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import yaml
from convert.imports import DATA, a, faults_of, imported, items, zone

from dnsemu.convert import UnusableInput, import_route53

NEEDED = (
    "what is needed is what aws route53 list-resource-record-sets prints, or list-health-checks, list-cidr-blocks"
)
ROWS: list[tuple[bytes, str]] = [
    (b"", f"the file is empty: {NEEDED}"),
    (b" \n\n", f"the file is empty: {NEEDED}"),
    (b"hello", f"this is neither JSON nor YAML of the AWS CLI: {NEEDED}"),
    (b"a: [b", f"this is neither JSON nor YAML of the AWS CLI: {NEEDED}"),
    (b"\xff\xd8\xff\xe0", f"this is no text, neither in UTF-8 nor in UTF-16: {NEEDED}"),
    (
        b"RESOURCERECORDSETS\texample.com.\t300\tA\n",
        "this was printed with --output text: print it with --output json",
    ),
    (b"------------\n|  ListHostedZones  |\n", "this was printed with --output table: print it with --output json"),
    (b'<?xml version="1.0"?><ListResourceRecordSetsResponse/>', f"this is XML: {NEEDED}"),
    (
        b"\nAn error occurred (AccessDenied) when calling the ListHostedZones operation",
        "this is an error message of aws",
    ),
    (b'{"ResourceRecordSets": [', "this is not JSON: Expecting value in line 1, column 25"),
    (b'{"ResourceRecordSets":\n [1,]}', "this is not JSON: "),
    (b'{"a": 1} x', "this is not JSON: Expecting value in line 1, column 10"),
    (b'{"a": ' + b"[" * 100_000, f"this is nested too deep: {NEEDED}"),
    (b"[]", "this is a list, as --query prints it: leave --query out"),
    (b'[{"Name": "example.com."}]', "this is a list, as --query prints it: leave --query out"),
    (b"{}", f"its keys (none) are not those of a list of Route 53: {NEEDED}"),
    (b'{"Changes": [], "Comment": ""}', f"its keys (Changes, Comment) are not those of a list of Route 53: {NEEDED}"),
    (
        b"version: 1\nhosted_zones: []",
        f"its keys (version, hosted_zones) are not those of a list of Route 53: {NEEDED}",
    ),
    (
        b'{"ResourceRecordSets": []}',
        "an empty list of record sets; a hosted zone has at least two: is the --hosted-zone-id right?",
    ),
    (b'{"ResourceRecordSets": {}}', "ResourceRecordSets: input should be a valid list"),
    (b'{"ResourceRecordSets": null}', "ResourceRecordSets: input should be a valid list"),
    (
        b'{"ResourceRecordSets": [{"Name": "a.", "Type": "A", "TTL": "x"}, {"Name": 1}]}',
        (
            "ResourceRecordSets[0].TTL: input should be a valid integer, unable to parse string as an integer "
            "(and 2 more like this)"
        ),
    ),
    (b'{"HealthChecks": [{"Id": "1"}]}', "HealthChecks[0].HealthCheckConfig: field required"),
    (b'{"ResourceRecordSets": [{"Name": "\\ud800.", "Type": "A"}]}', "\\ud800 is half a character, which is no text"),
    (
        b"ResourceRecordSets: []\nResourceRecordSets: []\n",
        "the key ResourceRecordSets stands there twice: give each ",
    ),
    (b"a: &a [*a]\n", f"this is neither JSON nor YAML of the AWS CLI: {NEEDED}"),
]


@pytest.mark.parametrize(("octets", "reason"), ROWS)
def test_what_can_not_be_read_gets_one_reason(octets: bytes, reason: str) -> None:
    with pytest.raises(UnusableInput) as raised:
        import_route53([("x.json", octets)], faults_of)
    (told,) = raised.value.reasons
    assert told.startswith(f"x.json: {reason}")
    assert told.isprintable()


def test_every_file_gets_its_reason() -> None:
    good = json.dumps(zone()).encode()
    with pytest.raises(UnusableInput) as raised:
        import_route53([("a", b"{}"), ("b", good), ("c", b"[]")], faults_of)
    assert [reason[:2] for reason in raised.value.reasons] == ["a:", "c:"]


RECORDS = json.dumps(zone(a("no.example.com.", SetIdentifier="no", GeoLocation={"CountryCode": "NO"})))
CHECKS = '{"HealthChecks": []}'
READ = [
    RECORDS.encode("utf-8-sig"),
    RECORDS.encode("utf-16"),
    RECORDS.encode("utf-16-le"),
    f"\n{RECORDS}\n{CHECKS}\n\n".encode(),
    f"{CHECKS}{RECORDS}".encode(),
    yaml.safe_dump(json.loads(RECORDS)).encode(),
    yaml.safe_dump_all([json.loads(RECORDS), json.loads(CHECKS)]).encode(),
    yaml.safe_dump(json.loads(RECORDS)).replace("'", "").encode(),  # the CLI does not quote NO
]


@pytest.mark.parametrize("octets", READ)
def test_other_spellings(octets: bytes) -> None:
    result = import_route53([("x", octets)], faults_of)
    keys = 'set_identifier: "no", geolocation_routing_policy: {country: "NO"}, records: 203.0.113.1'
    assert items(result.text) == [f'{{name: "no", type: A, ttl: 60, {keys}}}']


def test_what_the_cli_prints_as_yaml_is_the_same() -> None:
    pages = [json.loads(file.read_text()) for file in sorted(DATA.glob("*.json"))]
    files = [(f"{index}.json", yaml.safe_dump(page).encode()) for index, page in enumerate(pages)]
    assert import_route53(files, faults_of) == imported(*pages)


def test_the_head_says_where_it_comes_from() -> None:
    by_name = imported(**{f"f{number}": zone() for number in range(10)}).text
    names = ", ".join(f"f{number}.json" for number in range(8))
    assert by_name.startswith(
        f"# From Amazon Route 53, by dnsemu import --from route53: {names} and 2 more\nversion: 1\n"
    )
    octets = json.dumps(zone()).encode()
    odd = import_route53([("a\nb\x1b", octets)], faults_of).text
    assert odd.startswith("# From Amazon Route 53, by dnsemu import --from route53: a\\nb\\x1b\n")


def test_the_repository_has_what_it_needs() -> None:
    assert {file.name for file in Path(DATA).iterdir()} >= {"records.json", "checks.json", "blocks.json"}
