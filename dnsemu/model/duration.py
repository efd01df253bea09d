"""Lengths of time as people write them: `500ms`, `10s`, `2m`."""

from __future__ import annotations

import re

from dnsemu.errors import TextError

DURATION = r"(0|[1-9][0-9]{0,8})(ms|s|m|h)"
_MILLISECONDS = {"ms": 1, "s": 1000, "m": 60_000, "h": 3_600_000}


def read_duration(text: str) -> int:
    """Milliseconds. Raises TextError."""
    found = re.fullmatch(DURATION, text)
    if not found:
        raise TextError("wrong-type", f"a time is needed here, not '{text}'", "write 500ms, 10s or 2m")
    return int(found[1]) * _MILLISECONDS[found[2]]


def show_duration(milliseconds: int) -> str:
    """In the largest unit that it is a whole number of."""
    for unit, size in reversed(_MILLISECONDS.items()):
        if milliseconds % size == 0:
            return f"{milliseconds // size}{unit}"
    raise AssertionError("a whole number of milliseconds is one")
