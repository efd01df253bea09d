"""Finding files and decoding them. Every way in which that can fail is a fault with the file's name."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from os import fsdecode
from pathlib import Path
from typing import NamedTuple

from dnsemu.errors import Fault, Origin

MAX_SIZE = 32 * 1024 * 1024  # octets; half a million record sets
_SUFFIXES = (".yaml", ".yml")
_SKIPPED = "scenarios"


class Source(NamedTuple):
    """A file's name as it is shown, and its text."""

    name: str
    text: str


class MissingPath(Exception):
    """A path that was named is not there or can not be read (exit status 4)."""


def find_files(paths: Sequence[Path]) -> list[Path]:
    """The zone files of `paths`: files as they are, folders with what is in them, sorted and recursive.

    Names that begin with a dot are left out, and so are folders called `scenarios`. Raises MissingPath.
    """
    found: dict[Path, None] = {}
    for path in paths:
        try:
            if not path.exists():
                raise MissingPath(f"there is no file or folder {path}")
            files = sorted(_walk(path)) if path.is_dir() else [path]
        except OSError as error:
            raise MissingPath(f"{fsdecode(error.filename or path)} can not be read: {error.strerror}") from None
        found.update(dict.fromkeys(files))
    return list(found)


def read_sources(files: Iterable[Path]) -> tuple[list[Source], list[Fault]]:
    """The texts of `files`, and a fault for each that has none."""
    read = [_read(file) for file in files]
    return [item for item in read if isinstance(item, Source)], [item for item in read if isinstance(item, Fault)]


def _walk(folder: Path, above: tuple[Path, ...] = ()) -> Iterator[Path]:
    inside = (*above, folder.resolve())
    for entry in folder.iterdir():
        if entry.name.startswith("."):
            continue
        if entry.is_dir():
            if entry.name != _SKIPPED and entry.resolve() not in inside:  # a link may lead back up
                yield from _walk(entry, inside)
        elif entry.suffix in _SUFFIXES and not entry.is_fifo():
            yield entry


def _read(file: Path) -> Source | Fault:
    name = str(file)
    try:
        with file.open("rb") as stream:
            octets = stream.read(MAX_SIZE + 1)
    except OSError as error:
        return Fault(Origin(name), "file-unreadable", f"the file can not be read: {error.strerror}")
    if len(octets) > MAX_SIZE:
        return Fault(
            Origin(name),
            "file-too-large",
            f"the file has more than {MAX_SIZE >> 20} MiB",
            "split it: all files of a folder are one configuration",
        )
    return decode(name, octets)


def decode(name: str, octets: bytes) -> Source | Fault:
    """UTF-8 text, with or without a byte order mark; a fault that says where it is not."""
    if octets.startswith((b"\xff\xfe", b"\xfe\xff")):
        return Fault(Origin(name, 1, 1), "file-encoding", "the file is UTF-16, not UTF-8", "save it as UTF-8")
    try:
        return Source(name, octets.decode("utf-8-sig"))
    except UnicodeDecodeError as error:
        before = octets[: error.start]
        line = before.count(b"\n") + 1
        column = len(before[before.rfind(b"\n") + 1 :].decode("utf-8-sig")) + 1
        return Fault(
            Origin(name, line, column),
            "file-encoding",
            f"the octet 0x{octets[error.start]:02x} here is not UTF-8 text",
        )
