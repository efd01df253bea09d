"""Continuous integration fails when a test is skipped for a reason that nobody foresaw."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

TESTS = Path(__file__).resolve().parents[1]
BODY = """
import pytest

def test_that_runs(): pass

@pytest.mark.skipif(True, reason={reason!r})
def test_that_is_marked(): pass

def test_that_skips_itself(): pytest.skip({reason!r})

@pytest.mark.xfail(reason={reason!r})
def test_that_fails(): assert False
"""
FORESEEN = ["no IPv6 on the loopback interface", "needs dig (Debian: apt install bind9-dnsutils)"]


def outcome(folder: Path, ci: str) -> tuple[int, str]:
    """Exit status and output of pytest in a folder, with nothing but this plugin."""
    (folder / "pytest.ini").write_text("[pytest]\n", encoding="utf-8")
    argv = [sys.executable, "-m", "pytest", "-q", "-p", "skips", "-p", "no:cacheprovider", str(folder)]
    environment = {**os.environ, "CI": ci, "PYTHONPATH": str(TESTS), "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}
    done = subprocess.run(argv, cwd=folder, env=environment, capture_output=True, text=True, timeout=60, check=False)
    return done.returncode, done.stdout


def write(folder: Path, reasons: list[str]) -> None:
    for number, reason in enumerate(reasons):
        (folder / f"test_{number}.py").write_text(BODY.format(reason=reason), encoding="utf-8")


def test_ci_fails_for_a_skip_that_is_not_foreseen(tmp_path: Path) -> None:
    write(tmp_path, [*FORESEEN, "no time today"])
    (tmp_path / "test_module.py").write_text('import pytest\npytest.importorskip("not_there")\n', encoding="utf-8")
    status, printed = outcome(tmp_path, ci="true")
    assert status == 1, printed
    assert "test_2.py::test_that_skips_itself: no time today" in printed
    assert "test_2.py::test_that_is_marked: no time today" in printed
    assert "test_module.py: could not import 'not_there'" in printed
    assert "test_0.py::" not in printed
    assert "test_1.py::" not in printed


@pytest.mark.parametrize(("ci", "reasons"), [("true", FORESEEN), ("", ["no time today"])])
def test_other_skips_are_nobodys_business(tmp_path: Path, ci: str, reasons: list[str]) -> None:
    write(tmp_path, reasons)
    status, printed = outcome(tmp_path, ci)
    assert status == 0, printed
