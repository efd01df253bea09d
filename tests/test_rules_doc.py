"""Every rule of Route 53 that the code cites is told in docs/route53-rules.md."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
_RULE = re.compile(r"\b(?:AL|CS|[ACDEFGHIKLMPRSVWX])[0-9]{1,2}\b")


def test_cited_rules_are_told() -> None:
    told = set(_RULE.findall((ROOT / "docs" / "route53-rules.md").read_text("utf-8")))
    cited = {
        rule: path.name
        for path in (ROOT / "dnsemu").rglob("*.py")
        for line in path.read_text("utf-8").splitlines()
        if "#" in line or '"""' in line or not re.search(r"[\"\'=]", line)
        for rule in _RULE.findall(line)
    }
    assert cited
    assert {rule: where for rule, where in cited.items() if rule not in told} == {}
