"""Every row of `cases/`: zone, question, answer as dig prints it (`cases/README.md`)."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from answers import HEADER, Answer, Question, by_record_set, layout, question, read, send

from dnsemu.app import load_text
from dnsemu.authority import Authority
from dnsemu.draws import Draws

CASES = Path(__file__).parent / "cases"
DOCUMENT_KEYS = {"title", "zones", "options", "shared", "rows"}
ROW_KEYS = {"rule", "ask", "status", "flags", "answer", "one_of", "authority", "additional", "edns", "why"}
ASKS = 200  # of a row with `one_of`; an answer that comes one time in eight is missing after them with p < 3e-12

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
            for words in row["ask"] if isinstance(row["ask"], list) else [row["ask"]]:
                rows.append(pytest.param(document, row, words, id=f"{file}: {row['rule']}: {words}"))
    return rows


@cache
def _authority(zones: str, options: tuple[tuple[str, Any], ...]) -> Authority:
    written = yaml.safe_dump({"dnsemu": {"options": dict(options)}}) if options else ""
    return load_text(zones + written).authority


def _answers(authority: Authority, asked: Question, times: int) -> list[Answer]:
    """The different answers to one question asked several times."""
    draws = Draws(0)
    wires = {send(authority, asked.packet, asked.transport, draws, asked.source)[0] for _ in range(times)}
    assert None not in wires, "silence"
    return [read(wire, asked.packet[:HEADER], asked.body) for wire in wires if wire]


def _expected(row: Row, edns: str, shared: dict[str, list[str]]) -> list[list[str]]:
    def records(stated: str | list[str]) -> list[str]:
        return shared[stated] if isinstance(stated, str) else stated

    rest = records(row.get("authority", [])), records(row.get("additional", []))
    status, flags = row.get("status", "NOERROR"), row.get("flags", "qr aa rd")
    choices = row.get("one_of", [row.get("answer", [])])
    return sorted(layout(status, flags, edns, (by_record_set(records(choice)), *rest)) for choice in choices)


def _edns(stated: str, got: str) -> str:
    """What is stated, with the scope that came for a `LOW-HIGH` at its end that it lies in."""
    (same, _, bounds), (other, _, scope) = stated.rpartition("/"), got.rpartition("/")
    low, dash, high = bounds.partition("-")
    return got if dash and same == other and int(low) <= int(scope) <= int(high) else stated


@pytest.mark.parametrize(("document", "row", "words"), _rows())
def test_answer(document: Row, row: Row, words: str) -> None:
    authority = _authority(document["zones"], tuple(document.get("options", {}).items()))
    asked = question(*words.split())
    got = _answers(authority, asked, ASKS if "one_of" in row else 1)
    edns = _edns(row.get("edns", "0 4096" if asked.opt else "none"), got[0].edns)
    assert sorted({tuple(answer.lines()) for answer in got}) == [
        tuple(lines) for lines in _expected(row, edns, document.get("shared", {}))
    ]
