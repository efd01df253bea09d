"""Every rule of Route 53 that the code or a table of answers cites is told in docs/route53-rules.md."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_RULE = re.compile(r"\b(?:AL|CS|[ACDEFGHIKLMPRSVWX])[0-9]{1,2}\b")
_OF_ROW = re.compile(r"\brule: ([^,}\n]+)")
TOLD = set(_RULE.findall((ROOT / "docs" / "route53-rules.md").read_text("utf-8")))


def test_cited_rules_are_told() -> None:
    cited = {
        rule: path.name
        for path in (ROOT / "dnsemu").rglob("*.py")
        for line in path.read_text("utf-8").splitlines()
        if "#" in line or '"""' in line or not re.search(r"[\"\'=]", line)
        for rule in _RULE.findall(line)
    }
    assert cited
    assert {rule: where for rule, where in cited.items() if rule not in TOLD} == {}


def test_rules_of_rows_are_told() -> None:
    cited = {
        rule: path.name
        for path in (ROOT / "tests" / "cases").glob("*.yaml")
        for words in _OF_ROW.findall(path.read_text("utf-8"))
        for rule in _RULE.findall(words)
    }
    assert cited
    assert {rule: where for rule, where in cited.items() if rule not in TOLD} == {}
