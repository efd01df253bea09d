"""What commands have in common: exit statuses, and how faults are printed."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from enum import IntEnum
from functools import lru_cache
from typing import NoReturn
from unicodedata import combining, east_asian_width

import click

from dnsemu.errors import Fault, Severity

_COLOURS = {Severity.ERROR: "red", Severity.WARNING: "yellow"}


class Exit(IntEnum):
    """Exit statuses."""

    DONE = 0
    NEGATIVE = 1
    USAGE = 2
    UNREACHABLE = 3
    UNREADABLE = 4
    CANNOT_BIND = 5
    INTERRUPTED = 130


def fail(message: str, status: Exit) -> NoReturn:
    """Say why, and leave."""
    click.echo(f"dnsemu: {message}", err=True)
    sys.exit(status)


def human(fault: Fault, texts: dict[str, str]) -> str:
    """A fault with its line, a caret below, and its hint."""
    where = click.style(f"{fault.origin}:", bold=True)
    what = click.style(f"{fault.severity.value}[{fault.code}]:", fg=_COLOURS[fault.severity], bold=True)
    text = [f"{where} {what} {fault.message}", *_excerpt(fault, texts)]
    if fault.hint:
        text.append(f"    {click.style('hint:', bold=True)} {fault.hint}")
    return "\n".join(text)


def print_faults(faults: Sequence[Fault], texts: dict[str, str]) -> None:
    """All of them, on stderr."""
    for fault in faults:
        click.echo(human(fault, texts), err=True)


def _excerpt(fault: Fault, texts: dict[str, str]) -> list[str]:
    """The line that a fault points to and a caret; of a long line, the part around it."""
    of_file = _lines(texts.get(fault.origin.file, ""))
    if not 0 < fault.origin.line <= len(of_file):
        return []
    line, column = of_file[fault.origin.line - 1].rstrip().replace("\t", " "), fault.origin.column - 1
    begin = max(0, column - 60) if len(line) > 120 else 0
    shown = line[begin : begin + 120]
    return [f"    {shown}", f"    {' ' * (column - begin)}{click.style('^', fg='green', bold=True)}"]


@lru_cache(maxsize=4)  # faults come file by file, and a file may have thousands
def _lines(text: str) -> list[str]:
    return text.split("\n")


def counted(count: int, what: str) -> str:
    """`1 error`, `2 errors`."""
    return f"{count} {what}{'s' if count != 1 else ''}"


def status_of(faults: Sequence[Fault], *, strict: bool = False) -> Exit:
    """The exit status that faults come to."""
    if any(fault.code == "file-unreadable" for fault in faults):
        return Exit.UNREADABLE
    negative = any(strict or fault.severity is Severity.ERROR for fault in faults)
    return Exit.NEGATIVE if negative else Exit.DONE


def as_json(faults: Sequence[Fault]) -> str:
    """An array with one object a fault."""
    return json.dumps(
        [
            {
                "file": fault.origin.file,
                "line": fault.origin.line,
                "column": fault.origin.column,
                "severity": fault.severity.value,
                "code": fault.code,
                "message": fault.message,
                "hint": fault.hint,
            }
            for fault in faults
        ],
        indent=2,
    )


def as_github(fault: Fault) -> str:
    """A workflow command that GitHub shows beside the line."""
    message = fault.message + (f" ({fault.hint})" if fault.hint else "")
    place = f"file={_escaped(fault.origin.file, ',:')}"
    if fault.origin.line:
        place += f",line={fault.origin.line},col={fault.origin.column}"
    return f"::{fault.severity.value} {place},title={fault.code}::{_escaped(message)}"


def _escaped(text: str, more: str = "") -> str:
    """As workflow commands have it; `more` characters are special in their properties."""
    for character in f"%\r\n{more}":
        text = text.replace(character, f"%{ord(character):02X}")
    return text


def columns_of(text: str) -> int:
    """How many columns of a terminal a text takes: characters of East Asia two, those that only add a mark none."""
    return sum(0 if combining(one) else 1 + (east_asian_width(one) in "WF") for one in text)
