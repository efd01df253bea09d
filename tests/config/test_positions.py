"""Where faults point to, what their hints say, and that all of them come at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from dnsemu.app import load, load_text
from dnsemu.cli.output import human
from dnsemu.errors import ConfigError, Fault

BROKEN = Path(__file__).parent.parent / "broken"


def faults_of(text: str) -> list[Fault]:
    with pytest.raises(ConfigError) as raised:
        load_text(text, "f.yaml")
    return raised.value.faults


ZONE = """\
version: 1
hosted_zones:
  - name: example.com
    record_sets:
"""


def lines(*rows: str) -> str:
    return "version: 1\n" + "".join(f"{row}\n" for row in rows)


def record(*rows: str) -> str:
    """A zone with one record set, in block style: a caret beside the thing is on another line."""
    return ZONE + "      - name: x\n" + "".join(f"        {row}\n" for row in rows)


def member(*rows: str, parent: str = "ttl: 60") -> str:
    """A record set whose only member has `rows`."""
    first, *others = rows
    return record("type: A", parent, "members:", f"  - {first}", *(f"    {row}" for row in others))


A = "type: A"
TTL = "ttl: 60"
VALUES = "records: [192.0.2.1]"
ID = "set_identifier: a"
WEIGHT = "weighted_routing_policy: {weight: 1}"

# Texts in which «…» marks what the first fault has to point at.
MARKED = {
    "key": record("«tll»: 60", A, TTL, VALUES),
    "key of a zone": lines("hosted_zones:", "  - name: example.com", "    «record_set»: []"),
    "key on top": lines("«zones»: []"),
    "value": record("type: «AA»", TTL, VALUES),
    "value after spaces": record(A, "ttl:    «1h»", VALUES),
    "value on a line of its own": record(A, "ttl:", "  «1h»", VALUES),
    "value in quotes": record(A, "ttl: «'1h'»", VALUES),
    "value that stands for a list": record(A, TTL, "records: «192.0.2»"),
    "item": record(A, TTL, "records:", "  - 192.0.2.1", "  - «192.0.2»"),
    "item of a flow list": record(A, TTL, "records: [192.0.2.1,   «192.0.2»]"),
    "item of a nested list": lines(
        "cidr_collections:", "  - id: c", "    name: c", "    locations:", "      - name: a", "        cidr_blocks:",
        "          - 203.0.113.0/24", "          - «nonsense»",
    ),
    "item of regions": lines(
        "health_checks:", "  - id: web", "    type: HTTP", "    ip_address: 192.0.2.9", "    regions:",
        "      - us-east-1", "      - us-west-1", "      - «eu-central-9»",
    ),
    "after umlauts": lines("# grüße", "hosted_zones:", "  - {name: example.com, comment: 'äöü', «nmae»: x}"),
    "after an emoji": lines("hosted_zones:", "  - {name: example.com, comment: '😀', «nmae»: x}"),
    "in a file of Windows": lines("hosted_zones:\r", "  - «nmae»: x\r", "    name: example.com\r"),
    "value of a member's parent": member(ID, WEIGHT, parent="records: [«192.0.2»]"),
    "key of a member's parent": member(ID, WEIGHT, VALUES, parent="«tl»: 60"),
    "value of a member": member(ID, WEIGHT, "records:", "  - «192.0.2»"),
    "weight of a member": member(ID, "weighted_routing_policy:", "  weight: «256»", VALUES),
    "member that lacks its identifier": member("«weighted_routing_policy»: {weight: 1}", VALUES),
    "alias target": record(A, "alias:", "  evaluate_target_health: true", "  name: «nowhere»"),
    "second value of a CNAME": record("type: CNAME", TTL, "records:", "  - a.example.net", "  - «b.example.net»"),
    "child": lines(
        "health_checks:", "  - id: all", "    type: CALCULATED", "    child_health_threshold: 1",
        "    child_healthchecks:", "      - «nobody»",
    ),
    "health of an alias target": lines(
        "health_checks:", "  - {id: web, type: TCP, ip_address: 192.0.2.9, port: 80}", "dnsemu:", "  alias_targets:",
        "    - name: lb.us-east-1.elb.amazonaws.com", "      health_check_id: web", "      healthy: «true»",
    ),
    "address of an alias target": lines(
        "dnsemu:", "  alias_targets:", "    - name: lb.us-east-1.elb.amazonaws.com", "      a:",
        "        - 192.0.2.1", "        - «192.0.2»",
    ),
    "block of a location": lines(
        "dnsemu:", "  locations:", "    - {cidr: 192.0.2.0/24, country: DE}", "    - country: DE",
        "      cidr: «192.0.2.0/24»",
    ),
    "key of latencies": lines("dnsemu:", "  latencies:", "    «Germany»: {eu-west-1: 10}"),
    "database": lines("dnsemu:", "  geoip: «nowhere.mmdb»"),
}  # fmt: skip
BESIDE = {
    "subdivision": record(A, TTL, ID, "geolocation_routing_policy:", "  country: US", "  subdivision: «XX»", VALUES),
    "longitude": record(
        A, TTL, ID, "geoproximity_routing_policy:", "  bias: 10", "  coordinates:", "    latitude: 60",
        "    longitude: «999»", VALUES,
    ),
    "health check": record(A, TTL, ID, WEIGHT, "health_check_id: «nobody»", VALUES),
    "CIDR collection": record(
        A, TTL, ID, "cidr_routing_policy:", '  location_name: "*"', "  collection_id: «nobody»", VALUES
    ),
    "zone of an alias": record(A, "alias:", '  name: ""', "  zone_id: «Z2FDTNDATAQYW2»"),
    "region of a place": lines("dnsemu:", "  default_location:", "    continent: EU", "    region: «eu-wst-1»"),
    "region of latencies": lines("dnsemu:", "  latencies:", "    DE:", "      eu-west-1: 10", "      «eu-wst-1»: 10"),
    "region of a VPC": lines("dnsemu:", "  vpcs:", "    - vpc_id: vpc-lab", "      vpc_region: «eu-wst-1»"),
    "merge key": record(A, TTL, VALUES, "«<<»: more"),
}  # fmt: skip


def _check_mark(marked: str) -> None:
    before = marked.partition("«")[0]
    fault = faults_of(marked.replace("«", "").replace("»", ""))[0]
    line = before.count("\n") + 1
    assert (fault.origin.line, fault.origin.column) == (line, len(before.rpartition("\n")[2]) + 1), str(fault)


@pytest.mark.parametrize("marked", MARKED.values(), ids=MARKED)
def test_a_fault_points_at_what_is_wrong(marked: str) -> None:
    _check_mark(marked)


@pytest.mark.parametrize("marked", BESIDE.values(), ids=BESIDE)
def test_a_fault_in_a_mapping_points_at_what_is_wrong(marked: str) -> None:
    _check_mark(marked)


# Files of tests/broken, and what the hint of their first fault says.
HINTS = [
    ("key-unknown-top", "did you mean hosted_zones?"),
    ("key-unknown-zone", "did you mean record_sets?"),
    ("key-unknown-health-check", "did you mean port?"),
    ("key-unknown-cidr", "did you mean locations?"),
    ("key-unknown-dnsemu", "did you mean seed?"),
    ("key-unknown-option", "cname_chase"),
    ("key-unknown-aws-dialect", "did you mean hosted_zones?"),
    ("type-lower-case", "did you mean AAAA?"),
    ("type-alias", "SVCB"),
    ("shape-version-2", "write version: 1"),
    ("scalar-weight-010", "write 10"),
    ("latency-region-unknown", "did you mean eu-west-1?"),
    ("latency-region-upper-case", "did you mean eu-west-1?"),
    ("geolocation-country-lower-case", "did you mean NO?"),
    ("geolocation-continent-unknown", "did you mean EU?"),
    ("geolocation-subdivision-of-other-country", "US"),
    ("geoproximity-local-zone", "us-west-2-den-1"),
    ("failover-type-lower-case", "did you mean PRIMARY?"),
    ("failover-primary-without-health-check", "health_check_id"),
    ("failover-alias-without-evaluation", "evaluate_target_health: true"),
    ("health-type-lower-case", "did you mean HTTP?"),
    ("health-unknown", "did you mean web?"),
    ("health-dnsemu-interval", "500ms"),
    ("ip-based-collection-unknown", "did you mean corp?"),
    ("ip-based-location-unknown", "did you mean office?"),
    ("cidr-block-host-bits", "write 203.0.113.0/24"),
    ("cidr-block-0", '"*"'),
    ("zone-name-idn", "xn--bcher-kva.example"),
    ("name-outside-zone", "trailing dot"),
    ("name-space", r"\040"),
    ("simple-twice", "put all values into the record set at simple-twice.yaml:6:9"),
    ("place-cname-apex", "alias"),
    ("place-cname-after-a", "A, TXT"),
    ("alias-zone-id-wrong", "leave it out"),
    ("value-txt-unquoted", "'\"v=spf1 -all\"'"),
    ("value-txt-string-256", '"part one" "part two"'),
    ("value-txt-not-ascii", r"\303\274"),
    ("value-mx-host-missing", "<preference> <host>"),
    ("value-https-key-unknown", "alpn"),
    ("value-caa-unquoted", '"ca.example.net"'),
    ("yaml-tab-in-list", "spaces"),
    ("yaml-colon-in-text", "quotes"),
    ("yaml-two-documents", "a file of its own"),
    ("yaml-tag", "leave it out"),
    ("yaml-key-twice", "yaml-key-twice.yaml:6:28"),
    ("yaml-value-empty-text", '""'),
    ("option-ent", "did you mean nxdomain?"),
    ("yaml-tab", "spaces"),
    ("yaml-at-sign", "quotes"),
    ("yaml-star", "quotes"),
    ("alias-target-aws", "alias_targets"),
    ("geolocation-country-uk", "GB"),
    ("value-txt-mixed", '\'"a" "b"\''),
    ("name-idn", "xn--strae-oqa"),  # IDNA 2008; "strasse" is another name
    ("alias-evaluate-cloudfront", "write evaluate_target_health: false"),
    ("alias-private-cloudfront", "public zone"),
    ("alias-once-s3-failover", "only one of them"),
    ("alias-health-twice", "leave one of them out"),
    ("alias-type-aws-cname", "A, AAAA, HTTPS"),
    ("alias-target-other-type", "there is A"),
    ("alias-target-aws-misspelt", "alias_targets"),
    ("alias-zone-id-aws-target-missing", "a CloudFront distribution"),
    ("places-empty", "write a country, a continent, coordinates or a region"),
    ("places-latencies-place", "US-VA"),
    ("places-latencies-host-bits", "write 198.51.100.0/24"),
    ("places-geoip-missing", "the folder of this file"),
    ("places-geoip-no-database", "GeoIP2"),
    ("vpc-block-of-two", "longest prefix"),
    ("vpc-region-differs", "in one region"),
    ("zone-vpc-same-name-same-vpc", "one private zone of a name"),
    ("ip-based-in-private-zone", "all other policies"),
]


def _first_fault(name: str, monkeypatch: pytest.MonkeyPatch) -> Fault:
    monkeypatch.chdir(BROKEN)
    with pytest.raises(ConfigError) as raised:
        load([Path(f"{name}.yaml")])
    return raised.value.faults[0]


@pytest.mark.parametrize(("name", "hint"), HINTS)
def test_hint(name: str, hint: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert hint in _first_fault(name, monkeypatch).hint


def test_a_number_that_is_too_long_is_not_proposed_again() -> None:
    (fault,) = faults_of(ZONE + f"      - {{name: x, type: A, ttl: {'9' * 30}, records: [192.0.2.1]}}\n")
    assert "9" * 30 not in fault.hint


@pytest.mark.parametrize("text", [r'"\e[31mx"', r'"a\nb"', r'"\052"', r'"a\x00b"'])
def test_messages_are_printable(text: str) -> None:
    """YAML's own escapes (`"\\052"` is an octet 0 and `52`) do not reach the terminal."""
    for fault in faults_of(ZONE + f"      - {{name: {text}, type: A, ttl: 60, records: [{text}]}}\n"):
        assert (fault.message + fault.hint).isprintable()


MANY = """\
version: 1
hosted_zones:
  - name: example.com
    comnent: demo
    record_sets:
      - {name: a, type: A, ttl: -5, records: [192.0.2.1]}
      - {name: b, type: A, ttl: 60, records: [192.0.2.256, 192.0.2.1, 192.0.2]}
      - {name: c, type: TX, ttl: 60, records: ['"t"']}
      - {name: "", type: CNAME, ttl: 60, records: [a.example.net]}
      - {name: d, type: A, ttl: 60, records: [192.0.2.1]}
      - {name: d, type: A, ttl: 60, records: [192.0.2.1]}
  - name: example..net
health_checks:
  - {id: web, type: TCP, ip_address: 192.0.2.9}
cidr_collections:
  - {id: c, name: c, locations: [{name: a, cidr_blocks: [203.0.113.0/25]}]}
dnsemu:
  geoip: ./nowhere.mmdb
"""


def test_all_faults_at_once_in_the_order_of_lines() -> None:
    found = [(fault.origin.line, fault.code) for fault in faults_of(MANY)]
    assert found == [
        (4, "unknown-key"),
        (6, "out-of-range"),
        (7, "value-address"),
        (7, "value-address"),
        (8, "record-type"),
        (9, "cname-apex"),
        (11, "duplicate-record-set"),
        (12, "name-label-empty"),
        (14, "missing-key"),
        (16, "cidr-length"),
        (18, "geoip"),
    ]


def test_what_refers_to_something_unreadable_is_not_at_fault() -> None:
    """One mistake, one message: neither the alias nor the calculated check is told about."""
    (fault,) = faults_of(
        ZONE
        + "      - {name: t, type: A, ttl: 60, records: [192.0.2]}\n"
        + "      - {name: x, type: A, alias: {name: t}}\n"
    )
    assert fault.code == "value-address"


def test_the_line_with_a_caret_below_it_and_the_hint() -> None:
    text = "version: 1\nhosted_zone: []\n"
    (fault,) = faults_of(text)
    assert human(fault, {"f.yaml": text}).split("\n") == [
        "\x1b[1mf.yaml:2:1:\x1b[0m \x1b[31m\x1b[1merror[unknown-key]:\x1b[0m the key 'hosted_zone' is not known here",
        "    hosted_zone: []",
        "    \x1b[32m\x1b[1m^\x1b[0m",
        "    \x1b[1mhint:\x1b[0m did you mean hosted_zones?",
    ]


def test_a_long_line_is_shown_around_the_caret() -> None:
    text = ZONE + f"      - {{name: {'x' * 60}, comment: {'c' * 200}, type: A, ttl: 60, records: [192.0.2.1]}}\n"
    fault = faults_of(text)[0]
    _, line, caret, *_ = human(fault, {"f.yaml": text}).split("\n")
    column = caret.index("\x1b[32m")
    assert line[column:].startswith("comment:")
    assert len(line) <= 124


def test_faults_of_lines_that_do_not_exist_are_printed_without_them() -> None:
    (fault,) = faults_of("version: 1\nhosted_zones: [\n")
    assert fault.origin.line == 3
    assert human(fault, {}).count("\n") == 0
    assert human(fault, {"f.yaml": "version: 1"}).count("\n") == 0
