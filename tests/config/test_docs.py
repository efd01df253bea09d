"""docs/zone-format.md is true: its blocks load, its tables are complete."""

from __future__ import annotations

import ast
import re
from pathlib import Path

import pytest

from dnsemu.app import load_text
from dnsemu.config import schema
from dnsemu.errors import ConfigError, Fault, Severity
from dnsemu.location import named_place
from dnsemu.model import kind_of

ROOT = Path(__file__).parent.parent.parent
TEXT = (ROOT / "docs" / "zone-format.md").read_text("utf-8")
ZONE = "version: 1\nhosted_zones:\n  - name: example.com\n    record_sets:\n"
BLOCKS = re.findall(r"^```yaml ?(.*?)\n(.*?)^```$", TEXT, re.M | re.S)

# A heading of the document, and the mapping whose keys the table below it lists.
TABLES = {
    "The file": schema.File,
    "`hosted_zones[]`": schema.HostedZone,
    "`record_sets[]`": schema.RecordSet,
    "`alias`": schema.Alias,
    "`health_checks[]`": schema.HealthCheck,
    "`cidr_collections[]`": schema.CidrCollection,
    "`dnsemu`": schema.Dnsemu,
    "`options`": schema.Options,
    "`resolver_rules[]`": schema.ResolverRule,
}
# Functions that make faults take the code as a positional argument; codes look like words with hyphens.
MAKERS = re.compile(r"Fault|TextError|warning|_\w*(fault|stop|placed)\w*")
CODE = re.compile(r"[a-z]+(-[a-z]+)+|version|coordinates|geoip")


def _faults(text: str) -> list[Fault]:
    try:
        return load_text(text if not text.startswith("- ") else ZONE + _indented(text)).warnings
    except ConfigError as error:
        return error.faults


def _indented(items: str) -> str:
    return "".join(f"      {line}\n" for line in items.splitlines())


def _section(heading: str) -> str:
    return TEXT.partition(f"### {heading}\n")[2].partition("\n#")[0]


def _codes_in(source: str) -> set[str]:
    calls = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Call)]
    return {
        argument.value
        for call in calls
        if MAKERS.fullmatch(getattr(call.func, "id", getattr(call.func, "attr", "")))
        for argument in call.args[:3]
        if isinstance(argument, ast.Constant) and isinstance(argument.value, str) and CODE.fullmatch(argument.value)
    }


def test_there_are_blocks() -> None:
    assert len(BLOCKS) > 10
    assert {info for info, _ in BLOCKS} == {"", "not-served"}
    assert len(KINDS) == 4


@pytest.mark.parametrize("text", [text for info, text in BLOCKS if not info])
def test_a_block_loads(text: str) -> None:
    assert [str(fault) for fault in _faults(text) if fault.severity is Severity.ERROR] == []


@pytest.mark.parametrize("text", [text for info, text in BLOCKS if info])
def test_a_block_is_not_served_yet(text: str) -> None:
    """When it is, the mark in the document goes."""
    errors = [fault for fault in _faults(text) if fault.severity is Severity.ERROR]
    assert {fault.code for fault in errors} == {"not-served"}


@pytest.mark.parametrize("heading", TABLES)
def test_the_table_has_every_key(heading: str) -> None:
    listed = re.findall(r"^\| (?:\*\*)?`(\w+)`(?:\*\*)? \|", _section(heading), re.M)
    assert listed == list(TABLES[heading].model_fields) or sorted(listed) == sorted(TABLES[heading].model_fields)


@pytest.mark.parametrize("heading", TABLES)
def test_keys_that_are_needed_are_bold(heading: str) -> None:
    bold = set(re.findall(r"^\| \*\*`(\w+)`\*\* \|", _section(heading), re.M))
    assert bold == {name for name, field in TABLES[heading].model_fields.items() if field.is_required()}


def test_the_types_are_all_shown() -> None:
    block = next(text for _, text in BLOCKS if "type: NAPTR" in text)
    assert len(set(re.findall(r"type: (\w+)", block))) == 17


def test_every_code_is_explained_and_every_explained_one_is_there() -> None:
    codes = set()
    for file in sorted((ROOT / "dnsemu").rglob("*.py")):
        codes |= _codes_in(file.read_text("utf-8"))
    rows = re.findall(r"^\| `([a-z-]+)` \| (?:warning: )?\w.*\|$", TEXT.partition("| code | means |")[2], re.M)
    assert rows == sorted(rows)
    assert set(rows) == codes


def test_warnings_are_marked_as_such() -> None:
    marked = set(re.findall(r"^\| `([a-z-]+)` \| warning: ", TEXT, re.M))
    made = set()
    for file in sorted((ROOT / "dnsemu").rglob("*.py")):
        for call in ast.walk(ast.parse(file.read_text("utf-8"))):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") == "warning":
                made |= _codes_in(ast.unparse(call))
    assert marked == made


# The rows of the table of traps: what is written, inside of a record set or of the options, and the code, if any.
RECORD = "      - name: x\n        type: A\n        ttl: 60\n        records: [192.0.2.1]\n"
TRAPS = [
    (RECORD.replace("name: x", "name: 10"), ""),
    (RECORD.replace("type: A", "type: AAAA").replace("[192.0.2.1]", "1:2:3:4:5:6:7:8"), ""),
    (RECORD + "        weighted_routing_policy: {weight: 010}\n        set_identifier: a\n", "wrong-type"),
    (RECORD.replace("ttl: 60", "ttl: 5m"), "wrong-type"),
    ("dnsemu: {options: {refused_opt: yes}}\n", "wrong-type"),
    (RECORD.replace("name: x", "name: @"), "yaml-syntax"),
    (RECORD.replace("name: x", "name: *"), "yaml-syntax"),
    (RECORD.replace("type: A", "type: TXT").replace("[192.0.2.1]", '["v=spf1 -all"]'), "value-quotes"),
    (RECORD.replace("type: A", "type: AAAA").replace("[192.0.2.1]", "[::1]"), "yaml-syntax"),
    ("  - name: example.net\n    comment: a: b\n", "yaml-syntax"),
    ("  - name: example.net\n    comment:\n", "empty-value"),
]


@pytest.mark.parametrize(("text", "code"), TRAPS)
def test_the_table_of_traps(text: str, code: str) -> None:
    before = ZONE if text.startswith("      ") else "version: 1\n"
    before += "hosted_zones:\n" if text.startswith("  - ") else ""
    found = _faults(before + text)
    assert [fault.code for fault in found] == ([code] if code else [])


NAMES = [
    ('""', r"example\.com\."),
    ('"@"', r"example\.com\."),
    ("www", r"www\.example\.com\."),
    ("www.example.com", r"www\.example\.com\."),
    ("www.example.com.", r"www\.example\.com\."),
    ("www.example.org", r"www\.example\.org\.example\.com\."),
    ('"*"', r"\*\.example\.com\."),
    ("a.*", r"a\.\*\.example\.com\."),
    (r"'a\056b'", r"a\\056b\.example\.com\."),
]


@pytest.mark.parametrize(("written", "name"), NAMES)
def test_the_table_of_names(written: str, name: str) -> None:
    """A duplicate says how a name is understood."""
    item = f"      - {{name: {written}, type: A, ttl: 60, records: [192.0.2.1]}}\n"
    (fault,) = _faults(ZONE + item * 2)
    assert re.search(f"DNS name {name},", fault.message)
    assert any(f"`{written}`" in line for line in TEXT.splitlines())


# The rows of the table of resources: names, TTL, whether evaluated, whether for private zones, members of a group.
KINDS = re.findall(r"^\| (\S.*?) \| .* \| (\d+) \| (yes|no) \| (yes|no) \| (one|any) \|$", TEXT, re.M)


@pytest.mark.parametrize(("names", "ttl", "evaluated", "private", "members"), KINDS)
def test_the_table_of_resources(names: str, ttl: str, evaluated: str, private: str, members: str) -> None:
    for name in names.split(", "):
        kind = kind_of(name.removeprefix(r"\*").removesuffix(r"\*").rstrip(".-") + ".amazonaws.com" * ("s3" in name))
        assert kind.ttl == int(ttl)
        assert (kind.evaluated, kind.private, bool(kind.once)) == (
            evaluated == "yes",
            private == "yes",
            members == "one",
        )


def test_the_subnet_that_plays_alice() -> None:
    assert f"+subnet={named_place('alice')}" in TEXT
