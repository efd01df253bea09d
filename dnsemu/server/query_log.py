"""The query log: a line for each query, in one of two forms, written by a thread of its own.

Who answers makes the lines, as nobody else can do it as quickly: what they are made of is at hand, and need not be
kept. The thread takes what has come some ten times a second. What it can not write is dropped and counted: nobody
waits for a disk or a pipe.
"""

from __future__ import annotations

import errno
import logging
import os
import select
import stat
import sys
import threading
from collections import deque
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Literal

from dnsemu.server.answers import Batch
from dnsemu.server.query_lines import Json, Lines, Route53

_log = logging.getLogger(__name__)

MOST = 16 << 20  # octets that wait: half a second at full load
INTERVAL = 0.1  # seconds between two looks at the queue
_CHUNK = 1 << 20  # octets that are written at once, and early; each time costs who answers some switches of threads
_PATIENCE = 100  # milliseconds for a full pipe to be read on


class QueryLog:
    """Writes what it watches to a file or to stdout, from `start` to `close`. `written`: how many lines."""

    def __init__(
        self,
        form: Literal["json", "route53"],
        file: Path | None,
        *,
        edge: str = "LOC1",
        most: int = MOST,
        interval: float = INTERVAL,
    ) -> None:
        """`json`: a line for every packet that got an answer; `route53`: for every answer of a public hosted zone.

        `file`: None is stdout. `edge`: the edge location that `route53` has a field for. `most`: octets of lines that
        may wait; `interval`: for how many seconds they do.
        """
        self.written = 0
        self._most, self._interval = most, interval
        self._lines = Lines(Json() if form == "json" else Route53(edge))
        self._target = _Target(file)
        self._trouble = _Trouble()
        self._queue: deque[tuple[bytes, int]] = deque()  # lines, and their number
        # Each of these is set by one thread alone, so nobody waits for a lock: the one that answers, and the writer.
        self._put = self._refused = 0
        self._taken = self._lost = self._noticed = 0
        self._bug: Exception | None = None
        self._failure: Exception | str | None = None
        self._is_idle = True
        self._is_closing = False
        self._wake = threading.Event()
        self._waiting: deque[threading.Event] = deque()
        self._thread: threading.Thread | None = None

    @property
    def dropped(self) -> int:
        """Queries that were lost: too much was waiting, or it could not be written."""
        return self._refused + self._lost

    def start(self) -> None:
        """Open the file and begin to write. Raises OSError."""
        self._target.open()
        self._thread = threading.Thread(target=self._run, name="query-log", daemon=True)
        self._thread.start()

    def watch(self, batch: Batch) -> None:
        """Queue the lines of a batch, or drop it if too much is waiting."""
        self._is_idle = False
        if self._put - self._taken > self._most:
            self._refused += len(batch.packets)
            return
        try:
            lines = self._lines.of(batch)
        except Exception as bug:  # is no reason to answer nothing
            self._bug = bug
            self._refused += len(batch.packets)
            return
        self._put += len(lines[0])
        self._queue.append(lines)
        if self._put - self._taken > _CHUNK and not self._wake.is_set():
            self._wake.set()

    def flush(self, timeout: float) -> bool:
        """Wait until all that is queued is written or lost, `timeout` seconds at most; whether it is."""
        done = threading.Event()
        self._waiting.append(done)
        self._wake.set()
        return done.wait(timeout)

    def reopen(self) -> None:
        """Close the file and open what has its name now: for SIGHUP. That it was rotated is noticed without."""
        self._target.is_old = True
        self._wake.set()

    def close(self, timeout: float) -> None:
        """Write what is queued, for `timeout` seconds at most, and drop the rest."""
        self._most = -1
        self._is_closing = True
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout)
        with suppress(IndexError):
            while True:
                self._refused += self._queue.popleft()[1]

    def _run(self) -> None:
        while not self._is_closing:
            self._wake.wait(self._interval)
            self._wake.clear()
            self._write_queued()
        self._write_queued()
        self._target.close()

    def _write_queued(self) -> None:
        """Write what is queued now, and tell who waits for that."""
        waiting = [self._waiting.popleft() for _ in range(len(self._waiting))]
        written, self._failure = self.written, None
        for octets, lines in self._chunks():
            self._write(octets, lines)
        refused = self._refused
        if refused > self._noticed and self._failure is None:
            self._failure = self._bug or "they come faster than they can be written"
        self._noticed, self._bug = refused, None
        self._trouble.tell(self._failure, self.dropped, is_over=self.written > written)
        for done in waiting:
            done.set()

    def _chunks(self) -> Iterator[tuple[bytes, int]]:
        """What is queued now, in parts: lines, and their number."""
        if self._is_idle:
            self._lines.known = None  # an authority that nobody asks may have been replaced
        self._is_idle = True
        parts, size, lines = [b""] * self._target.is_old, 0, 0
        for _ in range(len(self._queue)):
            octets, count = self._queue.popleft()
            parts.append(octets)
            size, lines = size + len(octets), lines + count
            if size > _CHUNK:
                yield b"".join(parts), lines
                parts, size, lines = [], 0, 0
        if parts:
            yield b"".join(parts), lines

    def _write(self, octets: bytes, lines: int) -> None:
        whole = lines
        try:
            self._target.write(octets)
        except OSError as error:
            self._failure = error
            whole = octets.count(b"\n", 0, self._target.written)
        self.written += whole
        self._lost += lines - whole
        self._taken += len(octets)


class _Trouble:
    """Tells once that queries are lost, and once that they are written again."""

    def __init__(self) -> None:
        self._is_on = False
        self._lost_before = 0

    def tell(self, failure: Exception | str | None, lost: int, *, is_over: bool) -> None:
        """What went wrong now, and how many queries are lost since the start. `is_over`: some were written, too."""
        if failure is not None and not self._is_on:
            self._is_on = True
            bug = None if isinstance(failure, OSError | str) else failure
            _log.warning("queries can not be logged: %s", failure, exc_info=bug)
        elif failure is None and self._is_on and is_over:
            self._is_on = False
            _log.warning("queries are logged again; %d are missing", lost - self._lost_before)
        if not self._is_on:
            self._lost_before = lost


class _Target:
    """What lines are written to: stdout, or a file, which may be renamed, removed or emptied meanwhile.

    `written`: octets of the last `write`. `is_old`: it is to be opened again.
    """

    def __init__(self, path: Path | None) -> None:
        self.written = 0
        self.is_old = False
        self._path = path
        self._fd = -1
        self._identity = (0, 0)
        self._is_torn = False  # its last line is a part of one

    def open(self) -> None:
        """Raises OSError."""
        if self._path is None:
            if sys.__stdout__ is None:  # 1 could be any file by now
                raise OSError(errno.EBADF, "there is no stdout")
            self._fd = 1
            return
        # O_NONBLOCK is for pipes: without a reader, or with one that does not read, they would wait for ever.
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_NONBLOCK | os.O_NOCTTY | os.O_CLOEXEC
        self._fd = os.open(self._path, flags, 0o644)
        found = os.fstat(self._fd)
        self._identity = found.st_dev, found.st_ino
        self._is_torn = stat.S_ISREG(found.st_mode) and _is_torn(self._path)

    def close(self) -> None:
        """Close the file."""
        if self._path is not None and self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def write(self, lines: bytes) -> None:
        """Write lines, or as many octets of them as can be. Raises OSError."""
        self.written = 0
        self._follow()
        if lines and self._is_torn:
            os.write(self._fd, b"\n")
            self._is_torn = False
        octets = memoryview(lines)
        try:
            while self.written < len(lines):
                self.written += self._write_some(octets[self.written :])
        finally:
            self._is_torn |= self.written > 0 and lines[self.written - 1] != ord("\n")

    def _write_some(self, octets: memoryview) -> int:
        try:
            return os.write(self._fd, octets)
        except BlockingIOError:
            poll = select.poll()
            poll.register(self._fd, select.POLLOUT)
            if not poll.poll(_PATIENCE):
                raise
            return 0

    def _follow(self) -> None:
        """Open the file again if it is not the one of that name any more. Raises OSError."""
        if self._path is None:
            self.is_old = False
            return
        if self._fd >= 0 and not self.is_old:
            with suppress(OSError):
                found = os.stat(self._path)
                if (found.st_dev, found.st_ino) == self._identity:
                    self._is_torn &= found.st_size > 0 or not stat.S_ISREG(found.st_mode)
                    return
        self.is_old = False
        self.close()
        self.open()


def _is_torn(path: Path) -> bool:
    """Whether the last line of a file is a part of one: who wrote it was stopped."""
    with suppress(OSError), path.open("rb") as file:
        if file.seek(0, os.SEEK_END):
            file.seek(-1, os.SEEK_END)
            return file.read() != b"\n"
    return False
