"""The examples of docs/testing.md do what they show."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).resolve().parents[2]
EXAMPLES = re.findall(r"^```python\n(.*?)^```$", (ROOT / "docs" / "testing.md").read_text("utf-8"), re.M | re.S)


def test_there_are_examples() -> None:
    assert len(EXAMPLES) == 4


@pytest.mark.parametrize("number", range(len(EXAMPLES)))
def test_example(tmp_path: Path, number: int) -> None:
    """As a program, or as a test of somebody's if it has tests; where zones/ is at hand."""
    file = tmp_path / "test_example.py"
    file.write_text(EXAMPLES[number], encoding="utf-8")
    (tmp_path / "zones").symlink_to(ROOT / "zones")
    is_test = "\ndef test_" in EXAMPLES[number]
    argv = [sys.executable, *(["-m", "pytest", "-q", "-p", "no:cacheprovider"] if is_test else ["-W", "error"]), file]
    done = subprocess.run(argv, cwd=tmp_path, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert not is_test or "2 passed" in done.stdout
