"""What docs/routing-policies.md shows is what happens, and what zones/all-policies.yaml says to try can be tried."""

from __future__ import annotations

import re
import shlex
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from e2e.launch import ROOT
from e2e.transcript import DEFAULT_PORT, commands, consoles, played

from dnsemu.app import load, load_text
from dnsemu.cli import check, init

pytestmark = pytest.mark.e2e

DOCUMENT = (ROOT / "docs" / "routing-policies.md").read_text("utf-8")
ZONE = ROOT / "zones" / "all-policies.yaml"
TEMPLATE = ROOT / "dnsemu" / "data" / "templates" / "all-policies.yaml"
TO_TRY = re.findall(r"^ *#   ((?:dig|dnsemu) .*?)(?:  .*)?$", ZONE.read_text("utf-8"), re.M)
POLICIES = ("simple", "weighted", "latency", "failover", "geolocation", "geoproximity", "IP-based", "multivalue")
from_linux_only = pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of 127.0.0.0/8")


@pytest.mark.parametrize(
    "block",
    [
        pytest.param(block, id=block.split("\n")[0][2:60], marks=[from_linux_only] if "-b 127.0.0.2" in block else [])
        for block in consoles(DOCUMENT)
    ],
)
def test_a_transcript(block: str) -> None:
    assert played(block) == list(commands(block))


def test_every_policy_has_a_row_and_a_section_with_an_example() -> None:
    rows = re.findall(r"^\| ([\w-]+) \|(?: [^|]+ \|){6}$", DOCUMENT, re.M)
    assert rows[1:] == list(POLICIES)
    for policy in POLICIES:
        section = DOCUMENT.partition(f"## {policy[0].upper()}{policy[1:]}\n")[2].partition("\n## ")[0]
        assert consoles(section), policy


def test_yaml_loads() -> None:
    blocks = re.findall(r"^```yaml\n(.*?)^```$", DOCUMENT, re.M | re.S)
    assert blocks
    for text in blocks:
        assert load_text(text).warnings == []


def test_links_lead_somewhere() -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", DOCUMENT) if "://" not in link]
    headings = re.findall(r"^## (.*)$", DOCUMENT, re.M)
    anchors = {f"#{re.sub(r'[^a-z -]', '', heading.lower()).replace(' ', '-')}" for heading in headings}
    assert [link for link in links if link.startswith("#") and link not in anchors] == []
    files = [link.partition("#")[0] for link in links if not link.startswith("#")]
    assert [file for file in files if not (ROOT / "docs" / file).exists()] == []


# The zone


@pytest.mark.parametrize("command", TO_TRY)
def test_what_the_zone_says_to_try(command: str) -> None:
    """It names a name of the zone, and gets an answer: no error, and records unless it says that there are none."""
    words = shlex.split(command)
    if "-b" in words and sys.platform != "linux":
        pytest.skip("only Linux has all of 127.0.0.0/8")
    if words[0] == "dig":
        words[1:1] = ["@127.0.0.1", "-p", DEFAULT_PORT, *(["+noall", "+answer"] if "+short" not in words else [])]
    ((_, printed),) = played(f"$ {shlex.join(words)}\n")
    assert bool(printed) != ("-b 127.0.0.2 weighted" in command)


def test_there_is_something_to_try() -> None:
    assert len(TO_TRY) > 10


def test_the_zone_has_every_policy() -> None:
    zones = load([ZONE]).configuration.hosted_zones
    policies = {record_set.policy.name for record_set in zones[0].record_sets if record_set.policy}
    assert policies == {*POLICIES} - {"simple"}
    assert [bool(zone.vpcs) for zone in zones] == [False, True]


def test_the_template_is_the_zone(tmp_path: Path) -> None:
    assert TEMPLATE.read_text("utf-8") == ZONE.read_text("utf-8")
    assert CliRunner().invoke(init.command, [str(tmp_path), "--template", "all-policies"]).exit_code == 0
    done = CliRunner().invoke(check.command, [str(tmp_path), "--strict"])
    assert (done.exit_code, done.stderr) == (0, "")
    assert (tmp_path / "all-policies.yaml").read_text("utf-8") == ZONE.read_text("utf-8")
