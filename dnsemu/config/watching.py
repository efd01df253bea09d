"""Noticing that zone files have changed.

Events of the file system make it quick. Mounts lose some of them, so there is a look each second as well, which
needs none. What counts is the digest: a file that was touched, or saved again as it was, has not changed.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable, Collection, Generator, Sequence
from concurrent.futures import Future
from contextlib import closing, suppress
from hashlib import sha256
from pathlib import Path
from threading import Event, Thread, main_thread
from time import monotonic
from typing import NamedTuple

from dnsemu.config.source import MAX_SIZE, MissingPath, find_files

_STEP = 0.05  # seconds; between two looks at files that may still be being written, and two wakings of the thread
_PATIENCE = 1.0  # seconds; for files to come to rest
_GROUPED = 0.2  # seconds; events that come within them are one
_MOST_STEPS = 1000  # on the way to a file; a way that is longer goes in circles
_SUFFIXES = (".yaml", ".yml")

_log = logging.getLogger(__name__)


class Digest(NamedTuple):
    """What files are: SHA-256 over the zone files, in hexadecimal, and of each other file what stat says."""

    zones: str
    others: tuple[tuple[str, tuple[int, ...]], ...] = ()


class Watcher:
    """Tells when the zone files of `paths`, or files that the configuration reads besides, become others.

    `paths` are files and folders, as for `find_files`; they may be missing, and come and go. `also` gives the other
    files as of now, which are told by their stat alone, since they may be large; it is called in another thread.
    `poll` is in seconds.
    """

    def __init__(
        self, paths: Sequence[Path], also: Callable[[], Collection[Path]] = tuple, poll: float = 1.0
    ) -> None:
        self._paths = tuple(paths)
        self._also = also
        self._poll = poll
        self._has_warned = False

    async def changed(self, since: Digest) -> Digest:
        """The digest as soon as it is not `since` and files have come to rest; waits for that until cancelled."""
        stop, promise = _Stop(), Future[Digest]()
        promise.set_running_or_notify_cancel()  # the thread goes by `stop`
        # Not one of the loop's own threads: this one waits all the time, and they are few and wanted for look-ups.
        Thread(target=self._fulfil, args=(promise, since, stop), name="dnsemu-files", daemon=False).start()
        try:
            return await asyncio.wrap_future(promise)
        finally:
            stop.set()

    def digest(self) -> Digest:
        """What the files are now. Blocks while it reads them; never raises OSError.

        What is missing or can not be read counts as that.
        """
        files, missing = self._found()
        parts: list[object] = [*missing, *((str(file), _contents(file)) for file in files)]
        return Digest(sha256(repr(parts).encode()).hexdigest(), self._others())

    def after_reading(self, before: Digest) -> Digest:
        """The digest of what was read, from the one `before` that: reading tells which other files there are.

        Of those that were known it is what they were then, so that what became of them meanwhile is noticed.
        """
        known = dict(before.others)
        return Digest(before.zones, tuple((name, known.get(name, stamp)) for name, stamp in self._others()))

    def _others(self) -> tuple[tuple[str, tuple[int, ...]], ...]:
        return tuple((str(file), _stamp(file).identity) for file in sorted(self._also()))

    def _fulfil(self, promise: Future[Digest], since: Digest, stop: _Stop) -> None:
        try:
            promise.set_result(self._wait(since, stop))
        except BaseException as error:
            promise.set_exception(error)

    def _wait(self, since: Digest, stop: _Stop) -> Digest:
        seen: _Signature | None = None
        while (seen := self._noticed(seen, stop)) is not None:
            if (digest := self._settled(since, stop)) != since:
                return digest
        return since  # to nobody

    def _noticed(self, seen: _Signature | None, stop: _Stop) -> _Signature | None:
        """The signature, as soon as it is not `seen` or an event tells that something has happened nevertheless."""
        with closing(self._ticks(stop)) as ticks:
            for is_event in ticks:
                now = self._signature()
                if is_event or now != seen:
                    _tell_stale(seen or {}, now)
                    return now
        return None  # stopped

    def _settled(self, since: Digest, stop: _Stop) -> Digest:
        """The digest: at once if it is `since`, else when it stays the same, or patience is at its end."""
        digest, end = self.digest(), monotonic() + _PATIENCE
        while digest != since and monotonic() < end and not stop.wait(_STEP):
            before, digest = digest, self.digest()
            if digest == before:
                break
        return digest

    def _ticks(self, stop: _Stop) -> Generator[bool, None, None]:
        """True for an event, False when it is time to look all the same; first when what comes is being watched."""
        try:
            yield from self._events(stop)
        except FileNotFoundError:
            pass  # a folder has gone since it was found; that it has will be seen
        except (OSError, RuntimeError) as error:
            self._warn(error)
        while not stop.is_set():
            yield False
            stop.wait(self._poll)

    def _events(self, stop: _Stop) -> Generator[bool, None, None]:
        from watchfiles import Change, watch  # here, as it takes 80 ms, and nobody waits for this thread

        spots = _spots(self._paths, self._also())
        watched = watch(
            *sorted(spots.folders),
            recursive=False,  # a file's folder may be a home directory
            watch_filter=None,  # with a filter, what it leaves out would put off the next timeout
            debounce=int(_GROUPED * 1000),
            step=int(_STEP * 1000),
            rust_timeout=1,  # ms: one step
            yield_on_timeout=True,
            stop_event=stop,
            debug=False,
            force_polling=False,  # under WSL it would poll: we do
            ignore_permission_denied=True,
        )
        due = monotonic()
        with closing(watched):
            for changes in watched:
                is_event = any(spots.concern(path, is_modified=change is Change.modified) for change, path in changes)
                if is_event or monotonic() >= due:
                    yield is_event
                    due = monotonic() + self._poll

    def _warn(self, error: Exception) -> None:
        if not self._has_warned:
            _log.warning("files can not be watched, so they are looked at each %g s instead: %s", self._poll, error)
        self._has_warned = True

    def _signature(self) -> _Signature:
        """All that can be known without reading files."""
        files, missing = self._found()
        return dict.fromkeys(missing, _NOTHING) | {str(file): _stamp(file) for file in [*files, *self._also()]}

    def _found(self) -> tuple[list[Path], list[str]]:
        found: dict[Path, None] = {}
        missing = []
        for path in self._paths:
            try:
                found.update(dict.fromkeys(find_files([path])))
            except MissingPath as error:
                missing.append(str(error))
        return list(found), missing


class _Stop(Event):
    """Set, or not needed any more, as the interpreter ends and waits for its threads."""

    def is_set(self) -> bool:
        return super().is_set() or not main_thread().is_alive()


class _Stamp(NamedTuple):
    """What stat says of a file. Times in nanoseconds."""

    modified: int
    size: int
    inode: int
    device: int
    changed: int  # tells of a new text of the old size for which the time of the last one was set again
    links: int

    @property
    def identity(self) -> tuple[int, ...]:
        return self[:4]


_NOTHING = _Stamp(0, 0, 0, 0, 0, 0)
_Signature = dict[str, _Stamp]


def _stamp(file: Path) -> _Stamp:
    try:
        found = file.stat()
    except OSError:
        return _NOTHING
    return _Stamp(found.st_mtime_ns, found.st_size, found.st_ino, found.st_dev, found.st_ctime_ns, found.st_nlink)


def _contents(file: Path) -> str:
    """A digest of the file's octets, as many of them as are ever read; the reason why there is none."""
    try:
        if not file.is_file():
            return "no regular file"  # a pipe would be emptied by reading
        with file.open("rb") as stream:
            return sha256(stream.read(MAX_SIZE + 1)).hexdigest()
    except OSError as error:
        return str(error.strerror)


def _tell_stale(before: _Signature, after: _Signature) -> None:
    """A mount of a single file holds on to the old one when another one takes its name: it has no name any more."""
    for name, stamp in after.items():
        if not stamp.links and stamp.inode and before.get(name, _NOTHING).links:
            _log.warning(
                "%s is the old file still: it was replaced where it is mounted from; mount its folder instead", name
            )


class _Spots(NamedTuple):
    """Where something has to happen for the files to become others. All of them real: no links on the way."""

    trees: set[str]  # folders, each entry of which may count
    names: set[str]  # files, folders and links
    folders: set[str]  # to be watched: the trees, and where the names are

    def concern(self, path: str, *, is_modified: bool) -> bool:
        """Whether it may matter that `path` was modified, or else that it was added or removed."""
        folder, name = os.path.split(path)
        if path in self.names or path in self.folders:  # a watch ends with the folder, wherever another one comes
            return True
        return folder in self.trees and not name.startswith(".") and (name.endswith(_SUFFIXES) or not is_modified)


def _spots(paths: Sequence[Path], also: Collection[Path]) -> _Spots:
    spots = _Spots(set(), set(), set())
    for path in (*paths, *also):
        spots.names.update(_trail(os.sep, str(path.absolute())))
    for path in paths:
        _explore(os.path.realpath(path), spots)
    spots.folders.update(filter(os.path.isdir, spots.trees | set(map(os.path.dirname, spots.names))))
    return spots


def _explore(folder: str, spots: _Spots) -> None:
    """What is below a folder, as `find_files` goes through it, and where its links lead."""
    if folder in spots.trees or not os.path.isdir(folder):
        return
    spots.trees.add(folder)
    with suppress(OSError), os.scandir(folder) as entries:
        for entry in entries:
            if entry.name.startswith("."):
                continue
            is_folder = entry.is_dir()
            if entry.is_symlink() and (is_folder or entry.name.endswith(_SUFFIXES)):
                spots.names.update(_trail(folder, entry.name))
            if is_folder:
                _explore(os.path.realpath(entry.path), spots)


def _trail(folder: str, path: str) -> set[str]:
    """What decides which file `path` is, seen from a real folder: each link on the way, and its end.

    A ConfigMap's `zone.yaml` leads to `..data/zone.yaml`, and by the link `..data` to `..2026_x/zone.yaml`.
    """
    here, rest = folder, path.split(os.sep)[::-1]
    passed: set[str] = set()
    for _ in range(_MOST_STEPS):
        if not rest:
            break
        step = os.path.normpath(os.path.join(here, rest.pop()))
        try:
            target = os.readlink(step)
        except FileNotFoundError:
            return passed | {step}
        except OSError:  # it is no link
            here = step
            continue
        if here != os.sep:  # there, links are the system's (/tmp on a Mac), and all that happens would be told
            passed.add(step)
        here = os.sep if os.path.isabs(target) else here
        rest += target.split(os.sep)[::-1]
    return passed | {here}
