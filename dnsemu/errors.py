"""The two kinds of error: the operator's text (`ConfigError`) and the peer's bytes (`WireError`).

Anything else that is raised is a bug of ours.
"""

from __future__ import annotations

from collections.abc import Sequence
from enum import Enum
from typing import NamedTuple


class Origin(NamedTuple):
    """Where a value was written: lines and columns count from 1; line 0 means the file as a whole."""

    file: str
    line: int = 0
    column: int = 0

    def __str__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}" if self.line else self.file


class Severity(Enum):
    """Errors stop a configuration from being served; warnings do only under `check --strict`."""

    ERROR = "error"
    WARNING = "warning"


class Fault(NamedTuple):
    """One reason why a configuration is wrong or doubtful.

    `code` is stable and listed in docs/zone-format.md; `hint` says what to write instead.
    """

    origin: Origin
    code: str
    message: str
    hint: str = ""
    severity: Severity = Severity.ERROR

    def __str__(self) -> str:
        return f"{self.origin}: {self.severity.value}[{self.code}]: {self.message}"


def warning(origin: Origin, code: str, message: str, hint: str = "") -> Fault:
    """A fault that does not stop the configuration from being served."""
    return Fault(origin, code, message, hint, Severity.WARNING)


def counted_faults(faults: Sequence[Fault]) -> str:
    """`2 errors, 1 warning`."""
    counts = [(sum(fault.severity is severity for fault in faults), severity.value) for severity in Severity]
    return ", ".join(f"{count} {word}{'s' if count != 1 else ''}" for count, word in counts if count)


def printable(text: str) -> str:
    """What somebody wrote, for a terminal or a log: characters that can not be printed as their escapes."""
    if text.isprintable():
        return text
    return "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text)


class ConfigError(Exception):
    """Everything that is wrong with a configuration, all at once, in the order of files and lines.

    `texts` is what stands in the files that faults point into, for whoever prints them; `others` are files that it
    names and that are no zone files.
    """

    def __init__(
        self, faults: Sequence[Fault], texts: dict[str, str] | None = None, others: Sequence[str] = ()
    ) -> None:
        super().__init__("\n".join(str(fault) for fault in faults))
        self.faults = list(faults)
        self.texts = texts or {}
        self.others = list(others)


class TextError(ValueError):
    """A text that is not what its place needs; the reader adds the place and makes it a `Fault`.

    `path` leads from the place to the part that is wrong, if the place is a mapping.
    """

    def __init__(self, code: str, message: str, hint: str = "", path: tuple[str, ...] = ()) -> None:
        super().__init__(message)
        self.code = code
        self.message = message
        self.hint = hint
        self.path = path


class WireError(Exception):
    """A question that gets an error for an answer: `rcode` (RFC 1035 4.1.1, RFC 6891 9), with or without OPT.

    `opt` is the OPT record of the response, empty where the question had none that could be read.
    """

    def __init__(self, rcode: int, opt: bytes = b"") -> None:
        super().__init__(rcode)
        self.rcode = rcode
        self.opt = opt
