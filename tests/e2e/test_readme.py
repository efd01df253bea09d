"""What README.md shows is what happens."""

from __future__ import annotations

import platform
import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from e2e.launch import ROOT, launched
from e2e.transcript import commands, consoles, played

from dnsemu import __version__
from dnsemu.app import load_text
from dnsemu.cli import COMMANDS, check, init

pytestmark = pytest.mark.e2e

README = (ROOT / "README.md").read_text("utf-8")


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.M | re.S)


@pytest.mark.parametrize("block", [block for block in consoles(README) if "make serve" not in block])
def test_a_transcript(block: str) -> None:
    assert played(block) == list(commands(block))


def test_what_serve_prints() -> None:
    shown = next(block for block in consoles(README) if "make serve" in block)
    expected = [line.split(" ", 1)[1].split(" on ")[0] for line in shown.splitlines()[1:]]
    with launched() as server:
        log = server.wait_for_log("http://")
    printed = [line.split(" ", 1)[1].split(" on ")[0] for line in log.splitlines()]
    assert printed[: len(expected)] == expected


def test_zone_files() -> None:
    (text,) = _blocks("yaml")
    assert load_text(text).warnings == []


def test_a_zone_of_ones_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """`init`, then `check` as printed."""
    monkeypatch.chdir(tmp_path)
    assert CliRunner().invoke(init.command, ["my-zones"]).exit_code == 0
    done = CliRunner().invoke(check.command, ["my-zones"])
    assert (done.exit_code, done.stdout) == (0, "ok: 1 hosted zone, 9 record sets\n")
    assert (tmp_path / "my-zones" / "dnsemu.schema.json").exists()


def test_the_test_kit(tmp_path: Path) -> None:
    (code,) = _blocks("python")
    (tmp_path / "zones").symlink_to(ROOT / "zones")
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


def test_all_commands_are_told() -> None:
    told = re.findall(r"^\| `dnsemu (\w+)", README, re.M)
    assert sorted(told) == sorted(COMMANDS)


def test_the_database_gets_its_credit() -> None:
    """As its licence asks, here and by the program."""
    assert "[IP Geolocation by DB-IP](https://db-ip.com)" in README
    for words in (["--version", "--verbose"], ["--verbose", "--version"]):
        argv = [sys.executable, "-m", "dnsemu", *words]
        done = subprocess.run(argv, capture_output=True, text=True, check=True)
        version, python, credit = done.stdout.splitlines()
        assert version == f"dnsemu {__version__}"
        assert python.startswith(f"Python {platform.python_version()}, ")
        assert credit == "IP Geolocation by DB-IP, https://db-ip.com (CC BY 4.0)"


def test_verbose_alone_is_refused() -> None:
    argv = [sys.executable, "-m", "dnsemu", "--verbose", "schema"]
    done = subprocess.run(argv, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--verbose goes with --version" in done.stderr


def test_links_lead_somewhere() -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if "://" not in link]
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
