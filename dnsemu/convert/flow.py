"""YAML in flow style, as text that the native reader, and any other YAML reader, takes for the same text."""

from __future__ import annotations

import re
import sys
from collections.abc import Mapping, Sequence
from typing import TypeAlias, Union

import yaml

Value: TypeAlias = Union[str, int, bool, "Sequence[Value]", "Mapping[str, Value]"]

_PLAIN = re.compile(r"[A-Za-z0-9_/][A-Za-z0-9_./+-]*( [A-Za-z0-9_./+-]+)*")
_NUMBER = re.compile(r"-?(0|[1-9][0-9]*)(\.[0-9]+)?")
_GUESSED = yaml.SafeLoader.yaml_implicit_resolvers
_MORE_GUESSES = re.compile(r"[yYnN]|0o[0-7]+|[0-9.]+[eE][0-9+-]+|nan|inf(inity)?", re.IGNORECASE)


class Number(str):
    """A text that is a number to others: without quotes, if it looks like one."""

    __slots__ = ()


def flow(value: Value) -> str:
    """`{name: www, type: A, records: [192.0.2.1]}`"""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, str):
        return value if isinstance(value, Number) and _NUMBER.fullmatch(value) else _scalar(value)
    if isinstance(value, Mapping):
        return f"{{{', '.join(f'{key}: {flow(item)}' for key, item in value.items())}}}"
    return f"[{', '.join(map(flow, value))}]"


def _scalar(text: str) -> str:
    """Without quotes where nobody could take it for anything else; in single ones what holds quotes itself."""
    if _PLAIN.fullmatch(text) and not _is_guessed(text):
        return text
    if not text.isprintable():
        dumped: str = yaml.dump(text, default_style='"', width=sys.maxsize, allow_unicode=True)
        return dumped.removesuffix("\n")
    if '"' in text or "\\" in text:
        return f"'{text.replace(chr(39), chr(39) * 2)}'"
    return f'"{text}"'


def _is_guessed(text: str) -> bool:
    """Whether readers that guess take it for a number, a date or a truth value (YAML 1.1, 1.2)."""
    if _MORE_GUESSES.fullmatch(text):
        return True
    return any(pattern.match(text) for _, pattern in _GUESSED.get(text[0], ()))
