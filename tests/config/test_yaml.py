"""YAML's traps: scalars stay text until the field's type is known, and nothing is guessed."""

from __future__ import annotations

import time

import pytest

from dnsemu.app import load_text
from dnsemu.errors import ConfigError, Fault
from dnsemu.model import RecordSet, show_name
from dnsemu.routing import Geolocation

ZONE = "version: 1\nhosted_zones:\n  - name: example.com\n    record_sets:\n"


def faults_of(text: str) -> list[Fault]:
    try:
        return load_text(text).warnings
    except ConfigError as error:
        return error.faults


def loaded(*lines: str) -> list[RecordSet]:
    """The record sets that `lines` add to a zone."""
    text = ZONE + "".join(f"      {line}\n" for line in lines)
    return [each for each in load_text(text).configuration.hosted_zones[0].record_sets if each.type not in (2, 6)]


# Scalars that YAML 1.1 would take for something else, and what they are here.
NAMES = [
    ("10", "10.example.com."),
    ("010", "010.example.com."),
    ("0x1F", "0x1f.example.com."),
    ("1.5", "1.5.example.com."),
    ("1e3", "1e3.example.com."),
    ("no", "no.example.com."),
    ("NO", "no.example.com."),
    ("yes", "yes.example.com."),
    ("on", "on.example.com."),
    ("true", "true.example.com."),
    ("null", "null.example.com."),
    ("~", r"\176.example.com."),
    ("2026-11-20", "2026-11-20.example.com."),
    ("=", r"\075.example.com."),
    ("_sip._tcp", "_sip._tcp.example.com."),
    ('"*"', "*.example.com."),
    ("'@'", "example.com."),
    ('""', "example.com."),
    ('"10"', "10.example.com."),
    ("'\\052'", "*.example.com."),
]


@pytest.mark.parametrize(("written", "name"), NAMES)
def test_a_name_is_a_text(written: str, name: str) -> None:
    (record_set,) = loaded(f"- {{name: {written}, type: A, ttl: 60, records: [192.0.2.1]}}")
    assert show_name(record_set.name) == name


@pytest.mark.parametrize("country", ["NO", '"NO"', "'NO'"])
def test_norway(country: str) -> None:
    policy = f"geolocation_routing_policy: {{country: {country}}}"
    found = faults_of(
        f"{ZONE}      - {{name: x, type: A, ttl: 60, set_identifier: a, {policy}, records: [192.0.2.1]}}\n"
    )
    assert [fault.code for fault in found] == ["policy-default"]
    assert Geolocation(None, "NO", None).country == "NO"


@pytest.mark.parametrize(
    "value",
    ["2001:db8::1", "1:2:3:4:5:6:7:8", "'::'", "'::1'", "12:34:56:01:02:03:04:05", "1::2"],
)
def test_an_ipv6_address_is_never_a_number(value: str) -> None:
    (record_set,) = loaded("- name: x", "  type: AAAA", "  ttl: 60", f"  records: {value}")
    assert len(record_set.values[0].rdata) == 16


def test_an_ipv4_address_is_never_a_number() -> None:
    (record_set,) = loaded("- {name: x, type: A, ttl: 60, records: [10.0.0.1]}")
    assert record_set.values[0].rdata == b"\n\0\0\1"


@pytest.mark.parametrize("written", ["60", '"60"', "'60'", "0", "2147483647"])
def test_a_whole_number(written: str) -> None:
    (record_set,) = loaded(f"- {{name: x, type: A, ttl: {written}, records: [192.0.2.1]}}")
    assert record_set.ttl == int(written.strip("'\""))


@pytest.mark.parametrize(
    "written",
    [
        "010",
        "0x10",
        "0o10",
        "1_000",
        "1,000",
        "+60",
        "60.0",
        "6e1",
        "1:00",
        "60s",
        "-0",
        "٦٠",
        "true",
        "null",
        "~",
        "''",
    ],
)
def test_no_whole_number(written: str) -> None:
    (fault,) = faults_of(
        f"{ZONE}      - name: x\n        type: A\n        ttl: {written}\n        records: [192.0.2.1]\n"
    )
    assert fault.code == "wrong-type"


@pytest.mark.parametrize("written", ["yes", "no", "on", "off", "y", "True", "TRUE", "1", "0", "null"])
def test_no_truth_value(written: str) -> None:
    (fault,) = faults_of(f"version: 1\ndnsemu: {{options: {{refused_opt: {written}}}}}\n")
    assert (fault.code, fault.message) == ("wrong-type", f"true or false is needed here, not '{written}'")


@pytest.mark.parametrize("written", ["true", "false", '"true"'])
def test_truth_values(written: str) -> None:
    configuration = load_text(f"version: 1\ndnsemu: {{options: {{refused_opt: {written}}}}}\n").configuration
    assert configuration.options.refused_opt is ("true" in written)


def test_one_value_may_stand_without_a_list() -> None:
    (record_set,) = loaded("- {name: x, type: A, ttl: 60, records: 192.0.2.1}")
    assert len(record_set.values) == 1


def test_a_text_over_several_lines() -> None:
    (record_set,) = loaded(
        "- name: x", "  type: TXT", "  ttl: 60", "  records:", "    - >-", '      "one"', '      "two"'
    )
    assert record_set.values[0].rdata == b"\3one\3two"


def test_anchors_and_merge_keys() -> None:
    first, second = loaded(
        "- &base {name: a, type: A, ttl: 60, records: &values [192.0.2.1]}",
        "- {<<: *base, name: b, ttl: 30}",
    )
    assert (show_name(second.name), second.ttl) == ("b.example.com.", 30)
    assert first.values[0].rdata == second.values[0].rdata


def test_a_list_of_merge_keys_the_first_wins() -> None:
    *_, merged = loaded(
        "- &a {name: a, type: A, ttl: 10, records: [192.0.2.1]}",
        "- &b {name: b, type: A, ttl: 20, records: [192.0.2.2]}",
        "- {<<: [*b, *a], name: c}",
    )
    assert merged.ttl == 20


def test_anchors_for_values() -> None:
    *_, last = loaded(
        "- {name: a, type: A, ttl: &ttl 60, records: &values [192.0.2.1]}",
        "- {name: b, type: A, ttl: *ttl, records: *values}",
    )
    assert last.ttl == 60


@pytest.mark.parametrize("text", ["---\nversion: 1\n", "%YAML 1.2\n---\nversion: 1\n", "version: 1\n...\n"])
def test_one_document(text: str) -> None:
    assert faults_of(text) == []


@pytest.mark.parametrize("text", ["version: 1\n---\n", "version: 1\n---\nversion: 1\n", "---\n---\nversion: 1\n"])
def test_two_documents(text: str) -> None:
    (fault,) = faults_of(text)
    assert fault.code == "yaml-documents"


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("[" * 100_000, "yaml-depth"),
        ("{a: " * 100_000, "yaml-depth"),
        ("- " * 100_000, "yaml-depth"),
        ("? " * 100_000, "yaml-depth"),
        ("version: 1\nx: " + "[" * 25 + "]" * 25, "yaml-depth"),
        ("&a [*a]", "yaml-alias"),
        ("a: &x {b: *x}", "yaml-alias"),
        ("a: *nobody", "yaml-alias"),
        ("!!python/object/apply:os.system [ls]", "yaml-tag"),
        ("a: !include b.yaml", "yaml-tag"),
        ("a: !!binary aGFsbG8=", "yaml-tag"),
        ("? {a: b}\n: c", "yaml-key"),
        ("[a]: b", "yaml-key"),
        ("<<: a", "yaml-merge"),
        ("<<: [a]", "yaml-merge"),
        ("a: b: c", "yaml-syntax"),
        ("a: 'b", "yaml-syntax"),
        ('a: "\\q"', "yaml-syntax"),
        ("a: |\n\tb", "yaml-syntax"),
        ("a: `b`", "yaml-syntax"),
        ("%TAG\n---\n", "yaml-syntax"),
        ("%YAML 9.9\n---\nversion: 1", "yaml-syntax"),
        ("a: b\n a: c", "yaml-syntax"),
        ("}", "yaml-syntax"),
    ],
)
def test_yaml_that_is_refused(text: str, code: str) -> None:
    assert code in [fault.code for fault in faults_of(text)]


def _bomb(levels: int, width: int) -> str:
    rows = ["a0: &a0 [" + ", ".join(["x"] * width) + "]"]
    for level in range(1, levels):
        rows.append(f"a{level}: &a{level} [" + ", ".join([f"*a{level - 1}"] * width) + "]")
    return "\n".join(rows)


@pytest.mark.parametrize(("levels", "width"), [(9, 10), (20, 4), (40, 2), (3, 1000)])
def test_alias_bombs_are_refused_at_once(levels: int, width: int) -> None:
    began = time.perf_counter()
    codes = [fault.code for fault in faults_of(_bomb(levels, width))]
    assert "yaml-alias-bomb" in codes
    assert time.perf_counter() - began < 2


def test_a_modest_use_of_aliases_is_no_bomb() -> None:
    values = "- {name: a, type: A, ttl: 60, records: &v [" + ", ".join(f"10.0.0.{n}" for n in range(100)) + "]}"
    assert len(loaded(values, *(f"- {{name: b{n}, type: A, ttl: 60, records: *v}}" for n in range(100)))) == 101


@pytest.mark.parametrize("rows", [5_000])
def test_many_mistakes_are_told_in_reasonable_time(rows: int) -> None:
    """A wrong file of some size, as a generator with a bug writes it."""
    began = time.perf_counter()
    found = faults_of(ZONE + "      - {name: x, type: A, tll: 60, ttl: 60, records: [192.0.2.1]}\n" * rows)
    assert len(found) >= rows
    assert time.perf_counter() - began < 10
