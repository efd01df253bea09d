"""The query log: what is in a line, and that nothing but a line is ever lost."""

from __future__ import annotations

import errno
import gc
import json
import logging
import os
import random
import re
import threading
import time
import weakref
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import dns.edns
import dns.message
import pytest
from server.harness import PATIENCE, until
from server.test_queries import (
    AUTHORITY,
    INSIDE,
    OUTSIDE,
    ROWS,
    ZONES,
    answered,
    authority_of,
    garbage,
    header,
    question,
    raw,
    subnet,
    with_opt,
)

from dnsemu.app import load
from dnsemu.server import Batch, Query, QueryLog, queries_of, query_lines, query_log
from dnsemu.wire import TCP

FIELDS = re.compile(
    r"(?P<version>1\.0) "
    r"(?P<time>\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z) "
    r"(?P<zone>Z[A-Z0-9]+) "
    r"(?P<name>\.|[a-z0-9*_\\-]+(?:\.[a-z0-9*_\\-]+)*) "
    r"(?P<type>[A-Z][A-Z0-9]*) "
    r"(?P<rcode>NOERROR|NXDOMAIN) "
    r"(?P<transport>UDP|TCP) "
    r"(?P<edge>[A-Z]{3}\d+) "
    r"(?P<client>[0-9a-f.:]+) "
    r"(?P<subnet>[0-9a-f.:]+/\d{1,3}|-)"
)
PUBLIC = {"ZPUBLIC", "ZBOTH"}
ALL = [packet for packet, _ in ROWS.values()]
BIG = b"\3big\1t\4test"
_CLASS_257 = question()[:12] + b"\1a\0\1\1\1\1"
_ONE_MORE = raw(b"\3www\1t\4test", behind=b"x")
ALIKE = [
    *(_CLASS_257 + b"x", _CLASS_257 + b"y", question()[:12] + b"\1a\1\1\1\1\0"),
    *(_ONE_MORE, _ONE_MORE, _ONE_MORE, header(b"\1\0\0\2", _ONE_MORE)),
]
"""First a name, type and class that are, without the root, what the third packet has instead of a name; then a
question that can be read, and the same where two are promised.
"""
DECIDED = [question(f"{name}.t.test") for name in ("w", "one", "or", "mv", "geo")]


def time_of(at: float) -> str:
    moment = datetime.fromtimestamp(at, UTC)
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond // 1000:03d}Z"


def as_object(query: Query) -> dict[str, Any]:
    """What a line of JSON must say of a query."""
    told = query._asdict()
    told["time"] = time_of(told.pop("at"))
    told["zone_id"] = query.zone_id or None
    del told["zone"]
    if not query.truncated:
        del told["truncated"]
    told["decisions"] = [one._asdict() | {"set_identifiers": list(one.set_identifiers)} for one in query.decisions]
    return told


def as_fields(query: Query) -> dict[str, str]:
    """What the ten fields must say of it."""
    return {
        "version": "1.0",
        "time": time_of(query.at),
        "zone": query.zone_id,
        "name": query.name[:-1] or ".",
        "type": query.type,
        "rcode": query.rcode,
        "transport": query.transport,
        "edge": "LOC1",
        "client": query.client,
        "subnet": query.subnet or "-",
    }


def read_fields(line: str) -> dict[str, str]:
    match = FIELDS.fullmatch(line)
    assert match, line
    return match.groupdict()


class Lines(logging.Handler):
    """Keeps what the query log has to say about itself."""

    def __init__(self) -> None:
        super().__init__()
        self.texts: list[str] = []
        self.exceptions: list[bool] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.texts.append(record.getMessage())
        self.exceptions.append(record.exc_info is not None)


def test_the_document_shows_lines_as_they_are() -> None:
    root = Path(__file__).parents[2]
    text, zones = (root / "docs" / "query-log.md").read_text("utf-8"), load([root / "zones"]).authority
    asked = dns.message.make_query("geo.policies.example", "A", options=[dns.edns.ECSOption("198.18.56.0", 24)])
    at = datetime(2026, 11, 20, 10, 4, 52, 120_000, UTC).timestamp()
    batch = replace(answered([asked.to_wire()], "127.0.0.1", authority=zones), at=at)
    for form in (query_lines.Json(), query_lines.Route53("LOC1")):
        lines, count = query_lines.Lines(form).of(batch)
        assert count == 1
        assert f"\n{lines.decode()}```" in text
    (query,) = queries_of(batch)
    fields = re.findall(r"^\| `(\w+)` \|", text, re.M)
    shown = json.loads(text.split("```json")[1].split("```")[0])
    assert [field for field in fields if field != "truncated"] == list(shown)
    assert {*fields, "zone"} - {"time"} == {*query._fields} - {"at"}


@pytest.fixture
def said() -> Iterator[Lines]:
    lines, log = Lines(), logging.getLogger("dnsemu.server.query_log")
    log.addHandler(lines)
    yield lines
    log.removeHandler(lines)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    return tmp_path / "queries.log"


@pytest.fixture
def start(file: Path) -> Iterator[Callable[..., QueryLog]]:
    """Starts logs to `file`; none of them looks into its queue before it is told to."""
    logs = []

    def begin(form: Any = "json", path: Path | None = file, **words: Any) -> QueryLog:
        log = QueryLog(form, path, **{"interval": PATIENCE} | words)
        log.start()
        logs.append(log)
        return log

    yield begin
    for log in logs:
        log.close(PATIENCE)


def flush(log: QueryLog) -> None:
    assert log.flush(PATIENCE)


def batch(*names: str) -> Batch:
    return answered([question(f"{name}.t.test") for name in names])


def names_in(file: Path) -> list[str]:
    """The first labels of what was asked for."""
    return [json.loads(line)["name"].partition(".")[0] for line in file.read_text().splitlines()]


# What is in a line


def many_batches() -> list[Batch]:
    """Every row and every decision, again and again, beside each other and alone, from everywhere."""
    both = [question("a.both.test"), question("a.both.test", "AAAA"), with_opt(subnet("c00002", 24))]
    cut = [with_opt(labels=BIG, rdtype=16), with_opt(subnet("c00002", 24), labels=BIG, rdtype=16)]
    sources = [OUTSIDE, INSIDE, OUTSIDE, "192.0.2.54"]
    again = [*ALL, *DECIDED, *both, *cut, *ALIKE]
    return [
        *(answered(again) for _ in range(3)),
        answered(again, transport=TCP),
        answered(again, "2001:db8::35", family=6),
        answered(again, "::ffff:192.0.2.53", family=6),
        *(answered([packet]) for packet in again),
        *(answered([one] * 4, sources) for one in both * 3),
        answered(random.Random(3).sample(again * 4, 4 * len(again))),
        answered(garbage(1500)),
        answered(garbage(1500)),  # once more
    ]


@pytest.mark.parametrize("kept", [16384, 3])
def test_json_says_the_same_as_queries(
    start: Callable[..., QueryLog], file: Path, monkeypatch: pytest.MonkeyPatch, kept: int
) -> None:
    monkeypatch.setattr(query_lines, "_MOST_KEPT", kept)
    log, batches = start(), many_batches()
    for one in batches:
        log.watch(one)
    log.close(PATIENCE)
    told = [json.loads(line) for line in file.read_text().splitlines()]
    assert told == [as_object(query) for one in batches for query in queries_of(one) if query.rcode]
    assert (log.written, log.dropped) == (len(told), 0)


@pytest.mark.parametrize("kept", [16384, 3])
def test_the_ten_fields_say_the_same_as_queries_of_public_zones(
    start: Callable[..., QueryLog], file: Path, monkeypatch: pytest.MonkeyPatch, kept: int
) -> None:
    monkeypatch.setattr(query_lines, "_MOST_KEPT", kept)
    log, batches = start("route53"), many_batches()
    for one in batches:
        log.watch(one)
    log.close(PATIENCE)
    told = [read_fields(line) for line in file.read_text().splitlines()]
    expected = [query for one in batches for query in queries_of(one) if query.zone_id in PUBLIC]
    assert told == [as_fields(query) for query in expected]
    assert (log.written, log.dropped) == (len(told), 0)


def test_texts_that_are_remembered_are_bounded(monkeypatch: pytest.MonkeyPatch, file: Path) -> None:
    monkeypatch.setattr(query_lines, "_MOST_KEPT", 3)
    log = QueryLog("json", file)
    for one in many_batches():
        log.watch(one)
        known, lines = log._lines.known, log._lines
        assert known is not None
        kept = [known.answered, known.ends, lines._subnets, *lines._clients.values()]
        assert max(map(len, kept)) <= 3
        assert sum(len(afters) for _, afters in known.answered.values()) <= 3
        assert max(map(len, lines._subnets), default=0) < 64  # of what is as long as a client likes it to be


@pytest.mark.parametrize(
    ("at", "shown"),
    [
        (1780532737.5409994, "2026-06-04T00:25:37.540Z"),
        (1780532737.9999999, "2026-06-04T00:25:38.000Z"),
        (1780532737.9994, "2026-06-04T00:25:37.999Z"),
        (1780532737.0, "2026-06-04T00:25:37.000Z"),
    ],
)
def test_times_are_cut_to_milliseconds(at: float, shown: str) -> None:
    assert query_lines._time(at) == shown


def test_lines_as_they_are_written(start: Callable[..., QueryLog], file: Path) -> None:
    log = start()
    asked = answered([question("no.t.test"), question("w.t.test"), question("nobody.example")])
    log.watch(replace(asked, at=1513152962.1309))
    log.close(PATIENCE)
    assert file.read_bytes() == (
        b'{"time": "2017-12-13T08:16:02.130Z", "zone_id": "ZPUBLIC", "name": "no.t.test.", "type": "A",'
        b' "rcode": "NXDOMAIN", "transport": "UDP", "client": "192.0.2.53", "subnet": null, "decisions": []}\n'
        b'{"time": "2017-12-13T08:16:02.130Z", "zone_id": "ZPUBLIC", "name": "w.t.test.", "type": "A",'
        b' "rcode": "NOERROR", "transport": "UDP", "client": "192.0.2.53", "subnet": null, "decisions":'
        b' [{"name": "w.t.test.", "type": "A", "policy": "weighted",'
        b' "set_identifiers": ["bl\\"ue \\u00fc\\t\\u2028"], "reason": "matched"}]}\n'
        b'{"time": "2017-12-13T08:16:02.130Z", "zone_id": null, "name": "nobody.example.", "type": "A",'
        b' "rcode": "REFUSED", "transport": "UDP", "client": "192.0.2.53", "subnet": null, "decisions": []}\n'
    )


def test_the_ten_fields_as_they_are_written(start: Callable[..., QueryLog], file: Path) -> None:
    log = start("route53", edge="FRA6")
    packets = [question("no.t.test", "ANY"), with_opt(subnet("c0a8de", 24)), question("nobody.example")]
    log.watch(replace(answered(packets, transport=TCP), at=1513152962.1309))
    log.close(PATIENCE)
    assert file.read_text() == (
        "1.0 2017-12-13T08:16:02.130Z ZPUBLIC no.t.test ANY NXDOMAIN TCP FRA6 192.0.2.53 -\n"
        "1.0 2017-12-13T08:16:02.130Z ZPUBLIC www.t.test A NOERROR TCP FRA6 192.0.2.53 192.168.222.0/24\n"
    )


def test_the_root_zone_is_a_dot(start: Callable[..., QueryLog], file: Path) -> None:
    text = 'hosted_zones: [{name: "t.test", zone_id: Z1, record_sets: []}]'
    authority = authority_of(text)
    form = query_lines.Route53("LOC1")
    assert form.before(authority, "Z1") == "Z1 "
    assert form.after(".", "NS", "NOERROR") == ". NS NOERROR "


def test_another_authority(start: Callable[..., QueryLog], file: Path) -> None:
    """The same questions, and what was remembered of the one before is not said of the other."""
    other = authority_of(ZONES.replace("ZPUBLIC", "ZOTHER").replace('bl\\"ue', "red"))
    log, packets = start(), [question(), question("w.t.test")] * 20
    batches = [answered(packets), answered(packets), answered(packets, authority=other), answered(packets)]
    for one in batches:
        log.watch(one)
    log.close(PATIENCE)
    told = [json.loads(line) for line in file.read_text().splitlines()]
    assert told == [as_object(query) for one in batches for query in queries_of(one)]
    assert {one["zone_id"] for one in told} == {"ZPUBLIC", "ZOTHER"}


def test_other_health_and_other_places_are_no_reason_to_forget(start: Callable[..., QueryLog]) -> None:
    log = start()
    log.watch(answered(DECIDED))
    known = log._lines.known
    log.watch(answered(DECIDED, authority=AUTHORITY.with_health({"gone": False}).with_places([])))
    assert log._lines.known is known is not None


def test_an_authority_that_nobody_asks_is_let_go(start: Callable[..., QueryLog]) -> None:
    log, authority = start(), authority_of()
    tree = weakref.ref(authority.public.zones[b"\1t\4test\0"])
    log.watch(answered([*ALL, *DECIDED] * 2, authority=authority))
    flush(log)
    flush(log)
    del authority
    gc.collect()
    assert tree() is None


# Where it is written to


def test_stdout(start: Callable[..., QueryLog], capfd: pytest.CaptureFixture[str]) -> None:
    log = start(path=None)
    log.watch(batch("a", "b"))
    log.reopen()
    flush(log)
    log.watch(batch("c"))
    log.close(PATIENCE)
    assert [json.loads(line)["name"] for line in capfd.readouterr().out.splitlines()] == [
        f"{c}.t.test." for c in "abc"
    ]
    os.fstat(1)  # it is not ours to close


def test_no_stdout(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.__stdout__", None)
    with pytest.raises(OSError, match="there is no stdout"):
        QueryLog("json", None).start()


@pytest.mark.parametrize("name", ["missing/queries.log", "."])
def test_a_file_that_can_not_be_opened_at_the_start(tmp_path: Path, name: str) -> None:
    with pytest.raises(OSError, match=r"No such file|Is a directory"):
        QueryLog("json", tmp_path / name).start()


def test_a_pipe_without_a_reader_is_no_reason_to_wait(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(OSError, match=os.strerror(errno.ENXIO)):
        QueryLog("json", tmp_path / "pipe").start()


def test_it_writes_by_itself(start: Callable[..., QueryLog], file: Path) -> None:
    log = start(interval=0.001)
    log.watch(batch("a"))
    until(lambda: log.written == 1)
    assert names_in(file) == ["a"]


def test_it_writes_at_once_what_is_much(
    start: Callable[..., QueryLog], file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(query_log, "_CHUNK", 1000)
    log = start()
    log.watch(batch("a"))
    log.watch(batch(*"bcdefghijk"))
    until(lambda: log.written == 11)


def test_it_goes_on_behind_what_is_there(start: Callable[..., QueryLog], file: Path) -> None:
    file.write_text("before\n")
    log = start()
    log.watch(batch("a"))
    log.close(PATIENCE)
    assert [line[:7] for line in file.read_text().splitlines()] == ["before", '{"time"']


def test_a_line_that_was_not_finished_before(start: Callable[..., QueryLog], file: Path) -> None:
    file.write_text('{"time": "20')
    log = start()
    log.watch(batch("a"))
    log.close(PATIENCE)
    first, second = file.read_text().splitlines()
    assert first == '{"time": "20'
    assert json.loads(second)["name"] == "a.t.test."


@pytest.mark.parametrize("how", ["renamed", "removed", "replaced", "emptied", "renamed, and told to"])
def test_rotation(start: Callable[..., QueryLog], file: Path, how: str) -> None:
    log, old = start(), file.with_name("old")
    log.watch(batch("a"))
    flush(log)
    if how == "removed":
        file.unlink()
    elif how == "emptied":
        os.truncate(file, 0)
    else:
        file.rename(old)
    if how == "replaced":
        file.write_text("")
    if how == "renamed, and told to":
        log.reopen()
        flush(log)
        assert file.exists()
    log.watch(batch("b"))
    flush(log)
    log.watch(batch("c"))
    log.close(PATIENCE)
    assert names_in(file) == ["b", "c"]
    assert not old.exists() or names_in(old) == ["a"]
    assert (log.written, log.dropped) == (3, 0)


def lowest_free() -> int:
    """The number that the next open file gets."""
    number = os.dup(1)
    os.close(number)
    return number


def test_rotation_leaves_no_file_open(start: Callable[..., QueryLog], file: Path) -> None:
    before = lowest_free()
    log = start()
    for number in range(5):
        log.watch(batch("a"))
        flush(log)
        file.rename(file.with_name(f"old{number}"))
        log.reopen()
        flush(log)
    assert lowest_free() == before + 1
    log.close(PATIENCE)
    log.close(PATIENCE)
    assert lowest_free() == before


def test_its_folder_vanishes_and_comes_back(start: Callable[..., QueryLog], tmp_path: Path, said: Lines) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    log = start(path=folder / "log")
    log.watch(batch("a"))
    flush(log)
    folder.rename(tmp_path / "away")
    for _ in range(5):
        log.watch(batch("b", "c"))
        flush(log)
    assert (log.written, log.dropped) == (1, 10)
    folder.mkdir()
    for name in ("d", "e"):
        log.watch(batch(name))
        flush(log)
    assert names_in(folder / "log") == ["d", "e"]
    assert names_in(tmp_path / "away" / "log") == ["a"]
    assert said.texts == [
        f"queries can not be logged: [Errno 2] No such file or directory: '{folder / 'log'}'",
        "queries are logged again; 10 are missing",
    ]


# What can not be written


class Disk:
    """What `os.write` does: takes `room` octets, then none."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, log: QueryLog) -> None:
        self.room = 1 << 30
        self._log = log
        self._write = os.write
        monkeypatch.setattr("dnsemu.server.query_log.os.write", self.write)

    def write(self, fd: int, octets: bytes) -> int:
        if fd != self._log._target._fd:
            return self._write(fd, octets)
        if not self.room:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        taken = self._write(fd, octets[: self.room])
        self.room -= taken
        return taken


@pytest.mark.parametrize(("more", "readable"), [(0, "abcgh"), (1, "abcgh"), (100, "abcgh"), (-1, "abcdgh")])
def test_a_full_disk(
    start: Callable[..., QueryLog], file: Path, monkeypatch: pytest.MonkeyPatch, said: Lines, more: int, readable: str
) -> None:
    """There is room for two lines and `more` octets, or all but one octet, then for nothing, for one, for all."""
    log = start()
    disk = Disk(monkeypatch, log)
    log.watch(batch("a"))
    flush(log)
    size = file.stat().st_size
    disk.room = 2 * size + more % size
    log.watch(batch("b", "c", "d", "e"))
    flush(log)
    assert (log.written, log.dropped) == (3, 2)
    for room in (0, 1):
        disk.room = room
        log.watch(batch("f"))
        flush(log)
    assert (log.written, log.dropped) == (3, 4)
    disk.room = 1 << 30
    for name in ("g", "h"):
        log.watch(batch(name))
        flush(log)
    lines = [line for line in file.read_text().splitlines() if len(line) == size - 1]
    assert "".join(json.loads(line)["name"][0] for line in lines) == readable
    assert (log.written, log.dropped) == (5, 4)
    assert said.texts == [
        f"queries can not be logged: [Errno {errno.ENOSPC}] {os.strerror(errno.ENOSPC)}",
        "queries are logged again; 4 are missing",
    ]


def test_a_file_that_is_emptied_behind_half_a_line(
    start: Callable[..., QueryLog], file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    log = start()
    disk = Disk(monkeypatch, log)
    disk.room = 50
    log.watch(batch("a"))
    flush(log)
    os.truncate(file, 0)
    disk.room = 1 << 30
    log.watch(batch("b"))
    log.close(PATIENCE)
    assert names_in(file) == ["b"]
    assert not file.read_bytes().startswith(b"\n")


@pytest.fixture
def pipe() -> Iterator[tuple[int, int]]:
    """A pipe's ends: to read from, to write to."""
    ends = os.pipe()
    yield ends
    for end in ends:
        os.close(end)


def blocked(log: QueryLog, end: int) -> None:
    """Let it write to a pipe that nobody reads, as stdout may be, until it waits there."""
    log._target._path, log._target._fd = None, end
    log.watch(batch(*["a" * 60] * 800))  # more than a pipe holds
    log._wake.set()
    until(lambda: not log._queue)


def test_a_pipe_that_nobody_reads(start: Callable[..., QueryLog], pipe: tuple[int, int]) -> None:
    log, some = start(most=250_000), batch(*"ab" * 32)
    blocked(log, pipe[1])
    slowest = 0.0
    for _ in range(200):
        begun = time.perf_counter()
        log.watch(some)
        slowest = max(slowest, time.perf_counter() - begun)
    assert slowest < PATIENCE / 10
    assert not log.flush(0.01)
    queued = sum(lines.count(b"\n") for lines, _ in log._queue)
    assert sum(len(lines) for lines, _ in log._queue) <= 250_000
    assert (queued + log.dropped, log.written) == (200 * 64, 0)
    begun = time.perf_counter()
    log.close(0.05)
    assert time.perf_counter() - begun < PATIENCE / 2
    assert (log.dropped, log._queue) == (200 * 64, type(log._queue)())
    log.watch(some)
    assert log.dropped == 201 * 64


def test_a_pipe_that_is_read_late(start: Callable[..., QueryLog], pipe: tuple[int, int], said: Lines) -> None:
    log, some = start(most=250_000), batch(*"ab" * 32)
    blocked(log, pipe[1])
    while not log.dropped:
        log.watch(some)
    got = read_all(pipe[0])
    assert log.flush(PATIENCE)
    log.watch(some)
    assert log.flush(PATIENCE)
    log.close(PATIENCE)
    os.write(pipe[1], b"end\n")
    lines = got().splitlines()
    assert len([json.loads(line) for line in lines]) == log.written
    assert log.dropped == 64
    assert said.texts == [
        "queries can not be logged: they come faster than they can be written",
        "queries are logged again; 64 are missing",
    ]


def test_what_is_queued_while_it_writes_is_written_at_the_end(
    start: Callable[..., QueryLog], pipe: tuple[int, int]
) -> None:
    log = start()
    blocked(log, pipe[1])
    log.watch(batch("b", "c"))
    closing = threading.Thread(target=log.close, args=(PATIENCE,))
    closing.start()
    until(lambda: log._is_closing)
    got = read_all(pipe[0])
    closing.join(PATIENCE)
    os.write(pipe[1], b"end\n")
    assert [json.loads(line)["name"] for line in got().splitlines()][-2:] == ["b.t.test.", "c.t.test."]
    assert (log.written, log.dropped) == (802, 0)


def read_all(end: int) -> Callable[[], str]:
    """Reads on in a thread, up to a line `end`; what is returned waits for that."""
    parts: list[bytes] = []

    def read() -> None:
        while not b"".join(parts[-2:]).endswith(b"end\n"):
            parts.append(os.read(end, 65536))

    thread = threading.Thread(target=read, daemon=True)
    thread.start()

    def wait() -> str:
        thread.join(PATIENCE)
        return b"".join(parts).decode().removesuffix("end\n")

    return wait


def test_a_named_pipe_that_is_full(start: Callable[..., QueryLog], tmp_path: Path, said: Lines) -> None:
    """It does not wait for one: what does not fit is dropped, and the next line begins on a line of its own."""
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    try:
        log = start(path=path)
        log.watch(batch(*["a" * 60] * 800))
        flush(log)
        assert log.written > 0
        assert log.dropped == 800 - log.written
        got = os.read(reader, 1 << 20)
        log.watch(batch("b"))
        flush(log)
        got += os.read(reader, 1 << 20)
        lines = got.decode().splitlines()
        assert [json.loads(line)["name"][0] for line in lines if line.endswith("}")] == ["a"] * (log.written - 1) + [
            "b"
        ]
        assert len(lines) in (log.written, log.written + 1)
        assert said.texts[0].startswith(f"queries can not be logged: [Errno {errno.EAGAIN}] ")
        assert len(said.texts) == 2
    finally:
        os.close(reader)


def test_a_reader_that_has_gone(start: Callable[..., QueryLog], tmp_path: Path, said: Lines) -> None:
    path = tmp_path / "pipe"
    os.mkfifo(path)
    reader = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
    log = start(path=path)
    os.close(reader)
    for _ in range(3):
        log.watch(batch("a", "b"))
        flush(log)
    assert (log.written, log.dropped) == (0, 6)
    assert said.texts == ["queries can not be logged: [Errno 32] Broken pipe"]


@pytest.mark.parametrize("form", ["json", "route53"])
def test_memory_is_bounded(file: Path, form: Any) -> None:
    """Nobody writes yet."""
    log, some = QueryLog(form, file, most=10_000), batch(*"ab" * 32)
    for _ in range(1000):
        log.watch(some)
    queued = sum(lines.count(b"\n") for lines, _ in log._queue)
    assert 10_000 < sum(len(lines) for lines, _ in log._queue) < 10_000 + 64 * 200
    assert queued + log.dropped == 64_000


def test_a_log_that_was_not_started_can_be_closed(file: Path) -> None:
    log = QueryLog("json", file)
    log.watch(batch("a", "b"))
    log.close(PATIENCE)
    assert (log.written, log.dropped, file.exists()) == (0, 2, False)


def test_what_comes_behind_the_end_is_dropped(start: Callable[..., QueryLog], file: Path) -> None:
    log = start()
    log.watch(batch("a"))
    log.close(PATIENCE)
    log.watch(batch("b", "c"))
    assert (names_in(file), log.written, log.dropped) == (["a"], 1, 2)


def test_what_came_before_the_start_is_written(file: Path) -> None:
    log = QueryLog("json", file)
    log.watch(batch("a"))
    log.start()
    log.close(PATIENCE)
    assert names_in(file) == ["a"]


def test_closed_by_two_while_questions_come(start: Callable[..., QueryLog], file: Path) -> None:
    for _ in range(20):
        log, some = start(interval=0.0001), batch(*"abcd")
        before = len(file.read_text().splitlines())
        asked = 0
        closers = [threading.Thread(target=log.close, args=(PATIENCE,)) for _ in range(2)]
        for count in range(300):
            log.watch(some)
            asked += 4
            if count == 100:
                for closer in closers:
                    closer.start()
        for closer in closers:
            closer.join(PATIENCE)
        log.close(PATIENCE)
        assert log.written + log.dropped == asked
        assert len(file.read_text().splitlines()) - before == log.written


def test_a_bug_of_ours_is_told_once_and_hurts_nobody(
    start: Callable[..., QueryLog], file: Path, monkeypatch: pytest.MonkeyPatch, said: Lines
) -> None:
    log = start()

    def fail(*_: object) -> str:
        raise ZeroDivisionError("a bug of ours")

    with monkeypatch.context() as patch:
        patch.setattr(query_lines.Json, "after", fail)
        for _ in range(3):
            log.watch(batch("a", "b"))
            flush(log)
    for name in "cd":
        log.watch(batch(name))
        flush(log)
    assert names_in(file) == ["c", "d"]
    assert (log.written, log.dropped) == (2, 6)
    assert said.texts == ["queries can not be logged: a bug of ours", "queries are logged again; 6 are missing"]
    assert said.exceptions == [True, False]


def test_many_lines_are_written_in_parts(
    start: Callable[..., QueryLog], file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(query_log, "_CHUNK", 1000)
    sizes = []
    log = start()
    write = log._target.write
    monkeypatch.setattr(log._target, "write", lambda octets: (sizes.append(len(octets)), write(octets)))
    for name in "abcdefghijklmnopqrstuvwxyz":
        log.watch(batch(name))
    log.close(PATIENCE)
    assert "".join(names_in(file)) == "abcdefghijklmnopqrstuvwxyz"
    assert max(sizes) < 1200 < sum(sizes)
