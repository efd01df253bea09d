"""The log: on stderr, one line an event."""

from __future__ import annotations

import json
import logging
import os
import select
import sys
import threading
from collections import deque
from datetime import UTC, datetime
from time import monotonic

import click

from dnsemu.errors import Fault

_COLOURS = {"warning": "yellow", "error": "red"}


MOST = 50_000  # lines that wait for somebody to read stderr
_PATIENCE = 1.0  # seconds for what is left at the end
_LOGGERS = ("dnsemu", "asyncio")


def log_to_stderr(level: str, form: str) -> None:
    """Log what is at least as grave as `level`; `form` is text or json."""
    stream = logging.StreamHandler() if sys.stderr is not None else logging.NullHandler()
    stream.setFormatter(_Json() if form == "json" else _Text(colour=sys.stderr is not None and sys.stderr.isatty()))
    _log_to(stream)
    logging.getLogger("dnsemu").setLevel(level.upper())
    logging.getLogger("asyncio").setLevel(max(logging.WARNING, logging.getLogger("dnsemu").level))


def _log_to(handler: logging.Handler) -> None:
    for name in _LOGGERS:
        logger = logging.getLogger(name)
        logger.handlers[:] = [handler]
        logger.propagate = False


def log_without_waiting() -> None:
    """From now on a thread writes the log: who serves does not wait for whoever reads stderr, if anybody does."""
    if sys.stderr is None:
        return
    before = logging.getLogger("dnsemu").handlers[0]
    before.flush()
    after = _Unwaited(sys.stderr.fileno())
    after.setFormatter(before.formatter)
    _log_to(after)


def logs_json() -> bool:
    """Whether the log is for programs."""
    return any(isinstance(stream.formatter, _Json) for stream in logging.getLogger("dnsemu").handlers)


class _Unwaited(logging.Handler):
    """Lines for a file that may be a pipe or a terminal which nobody reads. What there is no room for is counted."""

    def __init__(self, file: int) -> None:
        super().__init__()
        self._file = file
        self._lines: deque[str] = deque()
        self._lost = 0
        self._is_done = threading.Event()
        self._wake = threading.Event()
        threading.Thread(target=self._run, name="log", daemon=True).start()

    def emit(self, record: logging.LogRecord) -> None:
        """Queue a line, or drop it."""
        try:
            line = f"{self.format(record)}\n"
        except Exception:
            self.handleError(record)
            return
        if len(self._lines) >= MOST:
            self._lost += 1
            return
        if self._lost:
            lost, self._lost = self._lost, 0
            told = logging.LogRecord(
                "dnsemu", logging.WARNING, "", 0, "%d lines of the log are missing", (lost,), None
            )
            line = f"{self.format(told)}\n{line}"
        self._lines.append(line)
        self._wake.set()

    def flush(self) -> None:
        """Wait until all is written; not for long."""
        end = monotonic() + _PATIENCE
        while self._lines and (left := end - monotonic()) > 0:
            self._is_done.clear()
            self._wake.set()
            self._is_done.wait(left)

    def _run(self) -> None:
        while True:
            self._wake.wait()
            self._wake.clear()
            while self._lines:
                self._write(self._lines[0].encode("utf-8", "backslashreplace"))
                self._lines.popleft()
            self._is_done.set()

    def _write(self, octets: bytes) -> None:
        while octets:
            try:
                octets = octets[os.write(self._file, octets) :]
            except BlockingIOError:
                select.select([], [self._file], [])
            except OSError:  # nobody will ever read it
                return


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
