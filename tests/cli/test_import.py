"""`dnsemu import`: exit statuses, stdout and stderr; docs/import.md shows what happens."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from convert.imports import DATA, a, configuration, faults_of, zone

from dnsemu.cli import import_

DOC = (Path(__file__).resolve().parents[2] / "docs" / "import.md").read_text("utf-8")
BLOCKS = {name: text for _, name, text in re.findall(r"^```(\w+) ([\w.]+)\n(.*?)^```$", DOC, re.M | re.S)}
ZONE = json.dumps(zone(a("www.example.com.")))
TEXT = """\
# From Amazon Route 53, by dnsemu import --from route53: {}
version: 1
hosted_zones:
  - name: example.com
    record_sets:
      - {{name: "", type: NS, ttl: 172800, records: [ns-412.awsdns-51.com., ns-1871.awsdns-41.co.uk.]}}
      - {{name: "", type: SOA, ttl: 900, records: ns-412.awsdns-51.com. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400}}
      - {{name: www, type: A, ttl: 60, records: 203.0.113.1}}
"""  # noqa: E501
IMPORTED = "imported: 1 hosted zone with 3 record sets\n"


def _import(*arguments: str | Path, stdin: str | bytes = "") -> Result:
    return CliRunner().invoke(import_.command, [str(argument) for argument in arguments], input=stdin)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder to be in, with a good file, and a bad one."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "zone.json").write_text(ZONE)
    (tmp_path / "bad.json").write_text('{"Changes": []}')
    return tmp_path


# Arguments, standard input, exit status, stdout, stderr
ROWS = [
    ("--from route53 zone.json", "", 0, TEXT.format("zone.json"), IMPORTED),
    ("--from route53 -", ZONE, 0, TEXT.format("standard input"), IMPORTED),
    ("--from route53 zone.json zone.json", "", 0, TEXT.format("zone.json"), IMPORTED),
    ("--from route53 zone.json -", '{"HealthChecks": []}', 0, TEXT.format("standard input, zone.json"), IMPORTED),
    ("--from route53 nowhere zone.json", "", 4, "", "dnsemu: nowhere can not be read: No such file or directory\n"),
    ("--from route53 . bad.json", "", 4, "", "dnsemu: . can not be read: Is a directory\n"),
]


@pytest.mark.parametrize(("arguments", "stdin", "status", "stdout", "stderr"), ROWS)
def test_import(folder: Path, arguments: str, stdin: str, status: int, stdout: str, stderr: str) -> None:
    done = _import(*arguments.split(), stdin=stdin)
    assert (done.exit_code, done.stdout, done.stderr) == (status, stdout, stderr)


# Arguments, and how each line of stderr begins
NOTHING = [
    ("bad.json", ["dnsemu: bad.json: its keys (Changes) are not those of a list of Route 53: "]),
    ("zone.json bad.json", ["dnsemu: bad.json: its keys"]),
    ("bad.json -", ["dnsemu: bad.json: its keys", "dnsemu: standard input: the file is empty: what is needed"]),
]


@pytest.mark.parametrize(("arguments", "lines"), NOTHING)
def test_nothing_to_import_is_status_1(folder: Path, arguments: str, lines: list[str]) -> None:
    done = _import("--from", "route53", *arguments.split())
    assert (done.exit_code, done.stdout) == (1, "")
    told = done.stderr.splitlines()
    assert len(told) == len(lines)
    assert all(line.startswith(begin) for line, begin in zip(told, lines, strict=True))


@pytest.mark.parametrize(
    "arguments", ["", "zone.json", "--from route53", "--from bind zone.json", "--from route53 - -"]
)
def test_wrong_use(folder: Path, arguments: str) -> None:
    done = _import(*arguments.split())
    assert (done.exit_code, done.stdout) == (2, "")
    assert "Error:" in done.stderr


def test_losses_do_not_change_the_exit_status(folder: Path) -> None:
    (folder / "zone.json").write_text(json.dumps(zone(a("x.example.com.", "1.2.3"))))
    done = _import("--from", "route53", "zone.json")
    assert done.exit_code == 0
    assert done.stderr.splitlines() == [
        "left out: x.example.com A: A: '1.2.3' is not a valid IPv4 address",
        "imported: 1 hosted zone with 2 record sets",
    ]


def test_the_file_is_utf8_wherever_it_goes(folder: Path) -> None:
    """Also where the terminal is not."""
    record_set = a("x.example.com.", SetIdentifier="büro", Weight=1, New=1)
    (folder / "zone.json").write_text(json.dumps(zone(record_set)))
    argv = [sys.executable, "-m", "dnsemu", "import", "--from", "route53", "zone.json"]
    environment = {"LC_ALL": "C", "PYTHONUTF8": "0", "PYTHONCOERCECLOCALE": "0", "PATH": "/usr/bin:/bin"}
    done = subprocess.run(argv, cwd=folder, env=environment, capture_output=True, check=False)
    assert done.returncode == 0
    assert 'set_identifier: "büro"' in done.stdout.decode("utf-8")
    assert b"left out: x.example.com A" in done.stderr
    assert b"Traceback" not in done.stderr


def test_a_whole_account(tmp_path: Path) -> None:
    """Every kind of file, every policy, every type of health check."""
    done = _import("--from", "route53", *sorted(DATA.glob("*.json")))
    assert (done.exit_code, faults_of(done.stdout)) == (0, [])
    assert [line.partition(":")[0] for line in done.stderr.splitlines()] == ["left out"] * 3 + ["made up"] * 6 + [
        "imported"
    ]
    read = configuration(done.stdout)
    (found,) = read.hosted_zones
    policies = {each.policy.name for each in found.record_sets if each.policy}
    assert len(policies) == 7
    assert len(found.record_sets) == 37
    assert len({check.type for check in read.health_checks}) == 7
    assert [collection.name for collection in read.cidr_collections] == ["example-ltd"]


def test_what_the_document_shows(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "records.json").write_text(BLOCKS["records.json"])
    done = _import("--from", "route53", "records.json")
    assert (done.exit_code, done.stdout, done.stderr) == (0, BLOCKS["imported.yaml"], BLOCKS["messages"])


def test_the_commands_of_the_document(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As they stand there, with an `aws` that prints the files of the tests."""
    names = {"list-resource-record-sets": "records", "list-health-checks": "checks", "list-cidr-blocks": "blocks"}
    (commands,) = re.findall(r"^```sh\n(.*?)^```$", DOC, re.M | re.S)
    asked = dict(re.findall(r"^aws route53 ([\w-]+).* > (\S+)$", commands, re.M))
    assert asked == {command: f"{name}.json" for command, name in names.items()}
    monkeypatch.chdir(tmp_path)
    for file in asked.values():
        (tmp_path / file).write_bytes((DATA / file).read_bytes())
    (line,) = re.findall(r"^dnsemu import (.*) > zones/imported.yaml$", commands, re.M)
    done = _import(*line.split())
    assert (done.exit_code, faults_of(done.stdout)) == (0, [])


def test_links_of_the_document_lead_somewhere() -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", DOC) if "://" not in link]
    assert [link for link in links if not (Path(__file__).resolve().parents[2] / "docs" / link).exists()] == []
