"""The query log: a line for each query, written by a thread of its own.

Who answers does no more than queue batches as they are. Some ten times a second the thread makes lines of them
(`queries.Lines`) and writes them. What can not be written is dropped and counted: nobody waits for a disk or a pipe.
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
from collections.abc import Iterator, Sequence
from contextlib import suppress
from datetime import UTC, datetime
from json import JSONEncoder
from pathlib import Path
from typing import Literal

from dnsemu.authority import Authority
from dnsemu.server.answers import Batch
from dnsemu.server.queries import Decided, Lines

_log = logging.getLogger(__name__)

MOST = 65536  # queries that wait: a third of a second at full load, some 30 MB
INTERVAL = 0.1  # seconds between two looks at the queue
_CHUNK = 256 * 1024  # octets that are made and written at once: a millisecond in which nobody is answered
_STALE = 1.0  # seconds in the queue after which a batch is stuck
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

        `file`: None is stdout. `edge`: the edge location that `route53` has a field for. `most`: queries that may
        wait; `interval`: for how many seconds they do.
        """
        self.written = 0
        self._most, self._interval = most, interval
        self._lines = Lines(_Json() if form == "json" else _Route53(edge))
        self._target = _Target(file)
        self._trouble = _Trouble()
        self._queue: deque[Batch] = deque()
        # Counters are set by one thread each, so nobody waits for a lock: the one that answers, the one that writes.
        self._put = self._refused = 0
        self._taken = self._lost = 0
        self._newest: Authority | None = None
        self._is_closing = False
        self._wake = threading.Event()
        self._waiting: deque[threading.Event] = deque()
        self._thread: threading.Thread | None = None
        self._failure: Exception | str | None = None  # of this round

    @property
    def dropped(self) -> int:
        """Queries that were lost: the queue was full, or their lines could not be written."""
        return self._refused + self._lost

    def start(self) -> None:
        """Open the file and begin to write. Raises OSError."""
        self._target.open()
        self._thread = threading.Thread(target=self._run, name="query-log", daemon=True)
        self._thread.start()

    def watch(self, batch: Batch) -> None:
        """Queue a batch, or drop it if the queue is full."""
        if batch.authority is not self._newest:
            self._newest = batch.authority
            self._drop_stuck(batch.at)
        count = len(batch.packets)
        if self._put - self._taken + count > self._most:
            self._refused += count
        else:
            self._put += count
            self._queue.append(batch)

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
        self._drop_stuck(float("inf"))

    def _drop_stuck(self, now: float) -> None:
        """Drop what waits since long ago: if nobody reads a pipe, it would keep every authority there was."""
        with suppress(IndexError):  # the other thread takes from the queue, too
            while now - self._queue[0].at > _STALE:
                count = len(self._queue.popleft().packets)
                self._put -= count
                self._refused += count

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
        refused, written, self._failure = self._refused, self.written, None
        for chunk in self._chunks():
            self._write(chunk)
        if self._failure is None and self._refused > refused:
            self._failure = "they come faster than they can be written"
        self._trouble.tell(self._failure, self.dropped, is_over=self.written > written)
        for done in waiting:
            done.set()

    def _chunks(self) -> Iterator[bytes]:
        """The lines of what is queued now, some at a time."""
        made, size = [b""] * self._target.is_old, 0
        if not self._queue:
            self._newest = None  # an authority that nobody asks may have been replaced
            self._lines.forget()
        for _ in range(len(self._queue)):
            lines = self._next_lines()
            made.append(lines)
            size += len(lines)
            if size > _CHUNK:
                yield b"".join(made)
                made, size = [], 0
        if made:
            yield b"".join(made)

    def _next_lines(self) -> bytes:
        try:
            batch = self._queue.popleft()
        except IndexError:  # it was dropped meanwhile
            return b""
        self._taken += len(batch.packets)
        try:
            return self._lines.of(batch)
        except Exception as bug:  # is no reason to log nothing any more
            self._lost += len(batch.packets)
            self._failure = bug
            return b""

    def _write(self, octets: bytes) -> None:
        try:
            self._target.write(octets)
        except OSError as error:
            self._failure = error
        whole = octets.count(b"\n", 0, self._target.written)
        self.written += whole
        self._lost += octets.count(b"\n") - whole


class _Trouble:
    """Tells once that queries are lost, and once that they are written again."""

    def __init__(self) -> None:
        self._lost_before: int | None = None

    def tell(self, failure: Exception | str | None, lost: int, *, is_over: bool) -> None:
        """What went wrong now, and how many queries are lost since the start. `is_over`: some are written, too."""
        if failure is None:
            if self._lost_before is not None and is_over:
                _log.warning("queries are logged again; %d are missing", lost - self._lost_before)
                self._lost_before = None
        elif self._lost_before is None:
            self._lost_before = lost
            bug = None if isinstance(failure, OSError | str) else failure
            _log.warning("queries can not be logged: %s", failure, exc_info=bug)


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


class _Json:
    """An object with the fields of a `Query`, but the zone's name; null for what there is not."""

    def begin(self, at: float) -> str:
        return f'{{"time": "{_time(at)}", '

    def question(self, zone_id: str, name: str, rdtype: str, rcode: str, *, public: bool) -> str:
        zone = _quoted(zone_id) if zone_id else "null"
        return f'"zone_id": {zone}, "name": {_quoted(name)}, "type": "{rdtype}", "rcode": "{rcode}", '

    def client(self, transport: str, address: str) -> str:
        return f'"transport": "{transport}", "client": "{address}", '

    def subnet(self, subnet: str | None, *, truncated: bool) -> str:
        shown = f'"{subnet}"' if subnet else "null"
        return f'"subnet": {shown}, "truncated": true, ' if truncated else f'"subnet": {shown}, '

    def decisions(self, decided: Sequence[Decided]) -> str:
        return f'"decisions": [{", ".join(map(_decision, decided))}]}}\n'


def _decision(one: Decided) -> str:
    identifiers = ", ".join(map(_quoted, one.set_identifiers))
    return (
        f'{{"name": {_quoted(one.name)}, "type": "{one.type}", "policy": "{one.policy}", '
        f'"set_identifiers": [{identifiers}], "reason": "{one.reason}"}}'
    )


class _Route53:
    """The ten fields of Route 53's own log, which has the answers of public hosted zones alone (behaviour 7.7)."""

    def __init__(self, edge: str) -> None:
        self._edge = edge

    def begin(self, at: float) -> str:
        return f"1.0 {_time(at)} "

    def question(self, zone_id: str, name: str, rdtype: str, rcode: str, *, public: bool) -> str:
        return f"{zone_id} {name.removesuffix('.') or '.'} {rdtype} {rcode} " if public else ""

    def client(self, transport: str, address: str) -> str:
        return f"{transport} {self._edge} {address} "

    def subnet(self, subnet: str | None, *, truncated: bool) -> str:
        return subnet or "-"

    def decisions(self, decided: Sequence[Decided]) -> str:
        return "\n"


_quoted = JSONEncoder().encode


def _time(at: float) -> str:
    """As `2017-12-13T08:16:02.130Z`."""
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")
