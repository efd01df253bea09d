"""Every file of tests/broken says in its first lines what is wrong with it: exactly that, in that order.

`# 5:13: error[value-address]: …` is a fault as it is printed, without the file's name; a row that ends in `…` fixes
only what stands before. Of files joined into one configuration (a folder of tests/broken/joins), each has the rows of
the faults that lie in it.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from dnsemu.app import load
from dnsemu.errors import ConfigError, Fault, Severity

BROKEN = Path(__file__).parent.parent / "broken"


def _rows(file: Path) -> list[str]:
    """The expected faults: the comment lines that a file begins with."""
    rows = []
    for line in file.read_text("utf-8").split("\n"):
        if not line.startswith("# "):
            break
        rows.append(line.removeprefix("# "))
    return rows


def _faults(path: Path) -> list[Fault]:
    try:
        return load([path]).warnings
    except ConfigError as error:
        return error.faults


def _shown(faults: list[Fault], expected: list[str]) -> list[str]:
    rows = [str(fault).removeprefix(f"{fault.origin.file}:") for fault in faults]
    return [
        row[: len(wanted) - 1] + "…" if wanted.endswith("…") else row
        for row, wanted in zip(rows, expected + rows, strict=False)
    ]


def _names(folder: Path, pattern: str) -> list[object]:
    found = sorted(folder.glob(pattern))
    return [
        pytest.param(
            path.name,
            id=path.stem,
        )
        for path in found
    ]


@pytest.mark.parametrize("name", _names(BROKEN, "*.yaml"))
def test_one_bad_file(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(BROKEN)
    expected = _rows(Path(name))
    assert expected, "the file does not say what is wrong with it"
    faults = _faults(Path(name))
    assert _shown(faults, expected) == expected
    assert any(fault.severity is Severity.ERROR for fault in faults)


@pytest.mark.parametrize("name", _names(BROKEN / "warnings", "*.yaml"))
def test_one_doubtful_file(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(BROKEN / "warnings")
    expected = _rows(Path(name))
    assert expected, "the file does not say what is doubtful about it"
    assert all(": warning[" in row for row in expected)
    assert _shown(_faults(Path(name)), expected) == expected


@pytest.mark.parametrize("name", _names(BROKEN / "joins", "*"))
def test_files_that_do_not_go_together(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(BROKEN / "joins" / name)
    files = sorted(Path().glob("*.yaml"))
    expected = [row for file in files for row in _rows(file)]
    assert len(files) > 1
    assert expected, "no file says what is wrong"
    faults = _faults(Path())
    assert _shown(faults, expected) == expected
    assert [fault.origin.file for fault in faults] == [str(file) for file in files for _ in _rows(file)]
