"""What README.md shows is what happens."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest
from click.testing import CliRunner
from e2e.launch import ROOT, launched, need

from dnsemu.app import load_text
from dnsemu.cli import COMMANDS, check, init

pytestmark = pytest.mark.e2e

README = (ROOT / "README.md").read_text("utf-8")


def _blocks(language: str) -> list[str]:
    return re.findall(rf"^```{language}\n(.*?)^```$", README, re.M | re.S)


def _sections(dig: str) -> list[str]:
    """The records of dig's output, in their order but for that of a record set; and the status."""
    records = [re.sub(r"\s+", " ", line) for line in dig.splitlines() if line and not line.startswith((";", "$"))]
    status = re.search(r"status: (\w+)", dig)
    flags = re.search(r"flags: ([^;]*);", dig)
    assert status
    assert flags
    return [status[1], flags[1], *sorted(records)]


def test_dig() -> None:
    shown = next(block for block in _blocks("console") if "dig" in block)
    command = shown.splitlines()[0].removeprefix("$ ").split()
    with launched() as server:
        argv = [need("dig", "bind9-dnsutils"), *command[1:]]
        argv[argv.index("-p") + 1] = str(server.port)
        printed = subprocess.run(argv, capture_output=True, text=True, timeout=20, check=True).stdout
    assert _sections(printed) == _sections(shown)


def test_what_serve_prints() -> None:
    shown = next(block for block in _blocks("console") if "make serve" in block)
    expected = [line.split(" ", 1)[1].split(" on ")[0] for line in shown.splitlines()[1:]]
    with launched() as server:
        log = server.log
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


def test_links_lead_somewhere() -> None:
    links = [link for link in re.findall(r"\]\(([^)]+)\)", README) if "://" not in link]
    assert links
    assert [link for link in links if not (ROOT / link).exists()] == []
