"""The log: on stderr, one line an event."""

from __future__ import annotations

import json
import logging
import sys
from datetime import UTC, datetime

import click

from dnsemu.errors import Fault

_COLOURS = {"warning": "yellow", "error": "red"}


def log_to_stderr(level: str, form: str) -> None:
    """Log what is at least as grave as `level`; `form` is text or json."""
    stream = logging.StreamHandler()
    stream.setFormatter(_Json() if form == "json" else _Text(colour=sys.stderr.isatty()))
    root = logging.getLogger("dnsemu")
    root.handlers[:] = [stream]
    root.setLevel(level.upper())
    root.propagate = False


def logs_json() -> bool:
    """Whether the log is for programs."""
    return any(isinstance(stream.formatter, _Json) for stream in logging.getLogger("dnsemu").handlers)


class _Text(logging.Formatter):
    """`10:04:52 info    listening on 127.0.0.1:5300 (UDP and TCP)`"""

    def __init__(self, *, colour: bool) -> None:
        super().__init__()
        self._colour = colour

    def format(self, record: logging.LogRecord) -> str:
        level = record.levelname.lower()
        shown = click.style(f"{level:7}", fg=_COLOURS.get(level)) if self._colour else f"{level:7}"
        text = f"{datetime.fromtimestamp(record.created):%H:%M:%S} {shown} {record.getMessage()}"
        return f"{text}\n{self.formatException(record.exc_info)}" if record.exc_info else text


class _Json(logging.Formatter):
    """`{"time": "2026-11-20T10:04:52.120Z", "level": "info", "message": …}`"""

    def format(self, record: logging.LogRecord) -> str:
        time = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="milliseconds")
        event: dict[str, object] = {
            "time": time.replace("+00:00", "Z"),
            "level": record.levelname.lower(),
            "message": record.getMessage(),
        }
        fault: Fault | None = getattr(record, "fault", None)
        if fault is not None:
            event |= {"code": fault.code, "hint": fault.hint}
            event |= {"file": fault.origin.file, "line": fault.origin.line, "column": fault.origin.column}
        if record.exc_info:
            event["exception"] = self.formatException(record.exc_info)
        return json.dumps(event)
