"""Every row of `cases/`: zone, question, answer as dig prints it (`cases/README.md`)."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from answers import by_record_set, dig, layout, question

from dnsemu.app import load_text
from dnsemu.authority import Authority

CASES = Path(__file__).parent / "cases"
DOCUMENT_KEYS = {"title", "zones", "options", "shared", "rows"}
ROW_KEYS = {"rule", "ask", "status", "flags", "answer", "authority", "additional", "edns", "why"}

Row = dict[str, Any]


def _documents() -> list[tuple[str, Row]]:
    found = []
    for path in sorted(CASES.glob("*.yaml")):
        before: Row = {}
        for document in yaml.load_all(path.read_text(), yaml.CBaseLoader):
            assert document.keys() <= DOCUMENT_KEYS, f"{path.name}: {document.keys() - DOCUMENT_KEYS}"
            same = {key: before[key] for key in ("zones", "shared") if "zones" not in document and key in before}
            before = same | document
            found.append((path.stem, before))
    return found


def _rows() -> list[Any]:
    rows = []
    for file, document in _documents():
        for row in document["rows"]:
            assert row.keys() <= ROW_KEYS, f"{file}: {row.keys() - ROW_KEYS} in {row}"
            rows.append(pytest.param(document, row, id=f"{file}: {row['rule']}: {row['ask']}"))
    return rows


@cache
def _authority(zones: str, options: tuple[tuple[str, Any], ...]) -> Authority:
    written = yaml.safe_dump({"dnsemu": {"options": dict(options)}}) if options else ""
    return load_text(zones + written).authority


def _expected(row: Row, shared: dict[str, list[str]]) -> list[str]:
    def records(section: str) -> list[str]:
        stated = row.get(section, [])
        return shared[stated] if isinstance(stated, str) else stated

    with_edns = question(*row["ask"].split()).opt is not None
    sections = (by_record_set(records("answer")), records("authority"), records("additional"))
    edns = row.get("edns", "0 4096" if with_edns else "none")
    return layout(row.get("status", "NOERROR"), row.get("flags", "qr aa rd"), edns, sections)


@pytest.mark.parametrize(("document", "row"), _rows())
def test_answer(document: Row, row: Row) -> None:
    authority = _authority(document["zones"], tuple(document.get("options", {}).items()))
    assert dig(authority, row["ask"]).lines() == _expected(row, document.get("shared", {}))
