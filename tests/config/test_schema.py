"""The JSON Schema for editors takes what the loader takes, and refuses typos."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from dnsemu.app import load
from dnsemu.config import json_schema
from dnsemu.errors import ConfigError

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
DATABASE = ROOT / "dnsemu" / "data" / "dnsemu-geo.mmdb"
EXAMPLES = [*sorted((ROOT / "zones").rglob("*.yaml")), HERE / "example.yaml"]


class _Editor(yaml.SafeLoader):
    """Reads as editors do, by YAML 1.2's core schema: `NO` is a text."""

    yaml_implicit_resolvers: dict[str, Any] = {}  # noqa: RUF012


for _tag, _pattern, _first in (
    ("bool", r"true|false", "tf"),
    ("int", r"[-+]?[0-9]+", "-+0123456789"),
    ("float", r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?", "-+.0123456789"),
    ("null", r"null|~|", ["n", "~", ""]),
    ("merge", r"<<", "<"),
):
    _Editor.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first))


def _mistakes(text: str) -> list[str]:
    validator = jsonschema.Draft202012Validator(json_schema())
    return [error.message for error in validator.iter_errors(yaml.load(text, _Editor))]


def test_it_is_a_schema() -> None:
    jsonschema.Draft202012Validator.check_schema(json_schema())


@pytest.mark.parametrize("file", EXAMPLES, ids=lambda file: file.name)
def test_examples_are_valid(file: Path) -> None:
    assert _mistakes(file.read_text("utf-8")) == []


def test_the_example_is_only_refused_for_what_is_not_served(tmp_path: Path) -> None:
    """Everything that a file may hold: all of it is read and found right."""
    (tmp_path / "example.yaml").write_text((HERE / "example.yaml").read_text("utf-8"))
    (tmp_path / "GeoLite2-City.mmdb").symlink_to(DATABASE)
    with pytest.raises(ConfigError) as raised:
        load([tmp_path])
    assert [(fault.code, fault.message.partition(" ")[0]) for fault in raised.value.faults] == [
        ("not-served", "forward"),
        ("not-served", "resolver_rules"),
    ]


def test_the_rest_of_the_example_is_served(tmp_path: Path) -> None:
    text = (HERE / "example.yaml").read_text("utf-8").partition("resolver_rules:")[0]
    (tmp_path / "example.yaml").write_text(text.replace("forward: system", "forward: off"))
    (tmp_path / "GeoLite2-City.mmdb").symlink_to(DATABASE)
    assert load([tmp_path]).warnings == []


TYPOS = [
    "hosted_zone: []",
    "version: 2",
    "hosted_zones: [{nmae: example.com}]",
    "hosted_zones: [{name: example.com, record_set: []}]",
    "hosted_zones: [{name: example.com, record_sets: [{name: x, type: a, ttl: 60, records: [192.0.2.1]}]}]",
    "hosted_zones: [{name: example.com, record_sets: [{name: x, type: A, tll: 60, records: [192.0.2.1]}]}]",
    "hosted_zones: [{name: example.com, record_sets: [{name: x, type: A, ttl: 1h, records: [192.0.2.1]}]}]",
    "hosted_zones: [{name: example.com, record_sets: [{type: A, ttl: 60, records: [192.0.2.1]}]}]",
    "hosted_zones: [{name: example.com, record_sets: [{name: x, type: A, ttl: 60, records: []}]}]",
    "hosted_zones: [{name: example.com, record_sets: [{name: x, type: A, alias: {nam: y}}]}]",
    "hosted_zones: [{name: example.com, record_sets: [{name: x, type: A, weighted_routing_policy: {wieght: 2}}]}]",
    "hosted_zones: [{name: example.com, record_sets: [{name: x, type: A, failover_routing_policy: {type: PRIM}}]}]",
    "health_checks: [{id: web}]",
    "health_checks: [{id: web, type: http}]",
    "health_checks: [{id: web, type: HTTP, request_interval: 20}]",
    "health_checks: [{id: web, type: HTTP, regions: [us-east-1]}]",
    "health_checks: [{id: web, type: HTTP, dnsemu: {interval: 10}}]",
    "cidr_collections: [{id: c}]",
    "dnsemu: {sede: 1}",
    "dnsemu: {options: {any: some}}",
    "dnsemu: {places: {alice: {contry: DE}}}",
    "dnsemu: {locations: [{country: DE}]}",
    "resolver_rules: [{domain_name: a.example, rule_type: forward}]",
]  # fmt: skip


SET = "hosted_zones: [{{name: example.com, record_sets: [{{name: x, type: A, {0}}}]}}]"
RANGES = [
    SET.format("ttl: -1, records: [192.0.2.1]"),
    SET.format("ttl: 2147483648, records: [192.0.2.1]"),
    SET.format("weighted_routing_policy: {weight: 256}"),
    SET.format("geoproximity_routing_policy: {aws_region: eu-west-1, bias: 100}"),
    SET.format("set_identifier: ''"),
    "hosted_zones: [{name: example.com, zone_id: z1}]",
    "health_checks: [{id: web, type: HTTP, port: 0}]",
    "health_checks: [{id: web, type: HTTP, failure_threshold: 11}]",
    "cidr_collections: [{id: c, name: c, locations: [{name: '*', cidr_blocks: []}]}]",
    "dnsemu: {seed: -1}",
]


@pytest.mark.parametrize("text", RANGES)
def test_what_is_out_of_range_is_refused(text: str) -> None:
    assert _mistakes(text)


@pytest.mark.parametrize("text", TYPOS)
def test_typos_are_refused(text: str) -> None:
    assert _mistakes(text)


# What the loader takes, and YAML reads as numbers or truth values.
TAKEN = [
    "hosted_zones: [{name: 10.in-addr.arpa, record_sets: [{name: 10, type: PTR, ttl: 60, records: [a.example]}]}]",
    "hosted_zones: [{name: example.com, record_sets: [{name: true, type: A, ttl: 0, records: 192.0.2.1}]}]",
    "hosted_zones: [{name: example.com, record_sets: [{name: '', type: TXT, ttl: 60, records: ['\"a\"']}]}]",
    "hosted_zones: [{name: example.com, name_servers: ns1.example.com, comment: 2026}]",
    "dnsemu: {forward: [1.1.1.1, 1.0.0.1]}",
    "dnsemu: {places: {10: {coordinates: {latitude: 60, longitude: '24.9'}}}}",
    "dnsemu: {latencies: {DE: {eu-west-1: 25.5}}}",
]


@pytest.mark.parametrize("text", TAKEN)
def test_what_the_loader_takes_is_valid(text: str) -> None:
    assert _mistakes(text) == []
