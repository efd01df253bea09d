"""A server process and those who operate it: saving files, signals, the query log, and all that may go wrong."""

from __future__ import annotations

import fcntl
import json
import os
import re
import shutil
import signal
import socket
import struct
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from http.client import HTTPConnection, HTTPResponse
from pathlib import Path
from typing import Any, NamedTuple, Self

import dns.edns
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import pytest
from e2e.launch import PATIENCE, Launched, launched

import dnsemu
from dnsemu.server.bind import file_descriptors

pytestmark = pytest.mark.e2e
SHIPPED = Path(dnsemu.__file__).parent / "data" / "dnsemu-geo.mmdb"


class Event(NamedTuple):
    """A server-sent event."""

    kind: str
    content: dict[str, Any]


class Events:
    """The events of a server, from the moment on that this was made."""

    def __init__(self, response: HTTPResponse) -> None:
        self._response = response
        assert response.readline() == b": dnsemu\n"

    def until(self, kind: str, **content: object) -> dict[str, Any]:
        """The next event of a kind with these values in it."""
        deadline = time.monotonic() + PATIENCE
        while True:
            event = self._next(deadline)
            if event.kind == kind and content.items() <= event.content.items():
                return event.content

    def _next(self, deadline: float) -> Event:
        fields: dict[str, str] = {}
        for line in iter(self._response.readline, b""):
            assert time.monotonic() < deadline, "no such event"
            name, _, value = line.decode().rstrip("\n").partition(": ")
            if name:
                fields[name] = value
            elif "data" in fields:
                return Event(fields["event"], json.loads(fields["data"]))
        pytest.fail("the events have ended")


class Operated:
    """A server process, as those see it who operate it."""

    def __init__(self, launched: Launched) -> None:
        self.launched = launched
        self.place = launched.http
        host, _, port = self.place.rpartition(":")
        self.http = host, int(port)

    @contextmanager
    def connected(self) -> Iterator[HTTPConnection]:
        connection = HTTPConnection(*self.http, timeout=PATIENCE)
        try:
            yield connection
        finally:
            connection.close()

    def call(self, method: str, path: str, body: object = None) -> tuple[int, Any]:
        """Status and JSON, or text."""
        with self.connected() as connection:
            connection.request(method, path, None if body is None else json.dumps(body))
            answer = connection.getresponse()
            text = answer.read().decode()
            is_json = answer.headers.get_content_type() == "application/json"
            return answer.status, json.loads(text) if is_json else text

    @contextmanager
    def events(self) -> Iterator[Events]:
        with self.connected() as connection:
            connection.request("GET", "/api/v1/events")
            yield Events(connection.getresponse())

    def metrics(self) -> dict[str, float]:
        """All series with their values, as they are written."""
        status, text = self.call("GET", "/metrics")
        assert status == 200
        rows = [line.rpartition(" ") for line in text.splitlines() if not line.startswith("#")]
        return {series: float(value) for series, _, value in rows}

    def ask(
        self, name: str, rdtype: str = "A", *, tcp: bool = False, patience: float = PATIENCE
    ) -> dns.message.Message:
        question = dns.message.make_query(name, rdtype)
        asked = dns.query.tcp if tcp else dns.query.udp
        return asked(question, "127.0.0.1", patience, self.launched.port)

    def value(self, name: str, rdtype: str = "A") -> str:
        """The one value, or the RCODE if there is none."""
        answer = self.ask(name, rdtype)
        values = [value.to_text() for rrset in answer.answer for value in rrset]
        return " ".join(values) or dns.rcode.to_text(answer.rcode())


@contextmanager
def operated(*options: str, **how: Any) -> Iterator[Operated]:
    """A server process for the length of a block."""
    with launched(*options, **how) as one:
        yield Operated(one)


def until(is_so: Callable[[], bool]) -> None:
    """Looks until it is so."""
    deadline = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < deadline, "it did not come to be"
        time.sleep(0.01)


# Reload on save


def zone(name: str, number: int, comment: str = "") -> str:
    """A zone whose name `a` has that number."""
    row = f"{{name: a, type: A, ttl: 60, records: 192.0.2.{number}}}"
    return f"version: 1 # {comment}\nhosted_zones:\n  - name: {name}\n    record_sets:\n      - {row}\n"


class Folder:
    """What is served: a.test of a file, and k.test of a ConfigMap, as Kubernetes mounts it; each has a number.

    No text comes back that was there before in another test.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.round = 0

    def lay_out(self) -> None:
        """Both have number 1."""
        self.round += 1
        for path in self.path.iterdir():
            shutil.rmtree(path) if path.is_dir() else path.unlink()
        self.write("a.yaml", "a.test", 1)
        self.mount("..2026_01", 1)
        (self.path / "mount" / "k.yaml").symlink_to("..data/k.yaml")

    def write(self, file: str, name: str, number: int) -> None:
        """A file, in place."""
        (self.path / file).write_text(zone(name, number, f"round {self.round}"))

    def mount(self, version: str, number: int) -> None:
        """As kubelet updates a ConfigMap: a folder with the files, and a link that comes to lead there."""
        (self.path / "mount" / version).mkdir(parents=True)
        self.write(f"mount/{version}/k.yaml", "k.test", number)
        (self.path / "mount" / "..data_tmp").symlink_to(version)
        (self.path / "mount" / "..data_tmp").rename(self.path / "mount" / "..data")

    def rename_over(self) -> None:
        self.write(".a.yaml.swp", "a.test", 2)
        (self.path / ".a.yaml.swp").replace(self.path / "a.yaml")

    def move_away_and_write(self) -> None:
        """As vim does it with backupcopy=no."""
        (self.path / "a.yaml").rename(self.path / "a.yaml~")
        self.write("a.yaml", "a.test", 2)
        (self.path / "a.yaml~").unlink()

    def write_below(self) -> None:
        (self.path / "deep" / "er").mkdir(parents=True)
        self.write("deep/er/b.yml", "b.test", 2)

    def swap(self) -> None:
        self.mount("..2026_02", 2)
        shutil.rmtree(self.path / "mount" / "..2026_01")

    def empty(self) -> None:
        (self.path / "a.yaml").unlink()
        shutil.rmtree(self.path / "mount")


class Saved(NamedTuple):
    """A server and the folder that it watches."""

    server: Operated
    folder: Folder

    def serves(self, value: str) -> None:
        """Waits until that is the value of a.a.test."""
        until(lambda: self.server.value("a.a.test") == value)


@pytest.fixture(scope="module")
def _saved(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Saved]:
    folder = Folder(tmp_path_factory.mktemp("zones"))
    folder.lay_out()
    with operated(zones=folder.path) as server:
        yield Saved(server, folder)


@pytest.fixture
def saved(_saved: Saved) -> Saved:
    """The folder as it is at first, and served; and whoever watches has seen it."""
    server, folder = _saved
    folder.lay_out()
    folder.write("seen.yaml", "seen.test", folder.round % 256)
    until(lambda: server.value("a.seen.test") == f"192.0.2.{folder.round % 256}")
    assert server.call("POST", "/api/v1/reload")[0] == 200
    assert [server.value(f"a.{one}.test") for one in "ak"] == ["192.0.2.1", "192.0.2.1"]
    return _saved


SAVES: dict[str, tuple[Callable[[Folder], object], str, str]] = {
    "written in place": (lambda folder: folder.write("a.yaml", "a.test", 2), "a.a.test", "192.0.2.2"),
    "renamed over": (Folder.rename_over, "a.a.test", "192.0.2.2"),
    "moved away and written anew": (Folder.move_away_and_write, "a.a.test", "192.0.2.2"),
    "a new file": (lambda folder: folder.write("b.yaml", "b.test", 2), "a.b.test", "192.0.2.2"),
    "a file in a new folder": (Folder.write_below, "a.b.test", "192.0.2.2"),
    "a removed file": (lambda folder: (folder.path / "a.yaml").unlink(), "a.a.test", "REFUSED"),
    "a removed folder": (lambda folder: shutil.rmtree(folder.path / "mount"), "a.k.test", "REFUSED"),
    "a renamed file": (lambda folder: (folder.path / "a.yaml").rename(folder.path / "a.txt"), "a.a.test", "REFUSED"),
    "a link that leads elsewhere, as of Kubernetes": (Folder.swap, "a.k.test", "192.0.2.2"),
}


@pytest.mark.parametrize("save", SAVES)
def test_what_is_saved_is_served(saved: Saved, save: str) -> None:
    change, name, value = SAVES[save]
    change(saved.folder)
    until(lambda: saved.server.value(name) == value)


def test_a_bad_file_keeps_the_old_one_until_it_is_repaired(saved: Saved) -> None:
    last = "dnsemu_config_last_reload_successful"
    failures = 'dnsemu_config_reloads_total{result="failure"}'
    before, logged = saved.server.metrics(), len(saved.server.launched.log)
    file = saved.folder.path / "a.yaml"
    bad = zone("a.test", 256) + "      - {name: b, type: A, tttl: 60, records: 192.0.2.1}\n"
    with saved.server.events() as events:
        file.write_text(bad)
        told = events.until("reload", succeeded=False)
    faults = [
        f"{file}:5:46: error[value-address]: A: '192.0.2.256' is not a valid IPv4 address",
        f"{file}:6:28: error[unknown-key]: the key 'tttl' is not known here",
    ]
    assert [one for one in told["reasons"] if one in faults] == faults
    last_line = f"error   not reloaded: {len(told['reasons'])} errors; what was served before still is"
    lines = [line[9:] for line in saved.server.launched.wait_for_log(last_line)[logged:].splitlines()]
    assert last_line in lines
    for fault in faults:
        assert any(line.startswith(f"error   {fault}") for line in lines), fault
    after = saved.server.metrics()
    assert (before[last], after[last], after[failures] - before[failures]) == (1, 0, 1)
    assert saved.server.value("a.a.test") == "192.0.2.1"
    assert saved.server.call("GET", "/api/v1/status")[1]["configuration"]["hosted_zones"] == 3
    saved.folder.rename_over()
    saved.serves("192.0.2.2")
    repaired = saved.server.metrics()
    assert (repaired[last], repaired[failures]) == (1, after[failures])


def test_a_file_that_is_empty_for_a_while_keeps_the_old_one(saved: Saved) -> None:
    """`generate > a.yaml` empties it first."""
    with (saved.folder.path / "a.yaml").open("w") as file, saved.server.events() as events:
        saved.server.launched.process.send_signal(signal.SIGHUP)
        assert "error[file-empty]" in events.until("reload", succeeded=False)["reasons"][0]
        assert saved.server.value("a.a.test") == "192.0.2.1"
        file.write(zone("a.test", 2, f"round {saved.folder.round}"))
    saved.serves("192.0.2.2")


def test_no_file_at_all_keeps_the_old_ones(saved: Saved) -> None:
    (saved.folder.path / "seen.yaml").unlink()
    until(lambda: saved.server.value("a.seen.test") == "REFUSED")
    with saved.server.events() as events:
        saved.folder.empty()
        told = events.until("reload", succeeded=False)
    assert any("error[no-zones]" in reason for reason in told["reasons"])
    assert "192.0.2.1" in {saved.server.value("a.a.test"), saved.server.value("a.k.test")}


def test_what_was_only_touched_is_not_read_again(saved: Saved) -> None:
    reloads = 'dnsemu_config_reloads_total{result="success"}'
    before = saved.server.metrics()[reloads]
    os.utime(saved.folder.path / "a.yaml")
    saved.folder.write("a.yaml", "a.test", 1)
    saved.folder.rename_over()
    saved.serves("192.0.2.2")
    assert saved.server.metrics()[reloads] - before == 1


def test_what_comes_back_after_a_command_is_noticed_as_well(saved: Saved) -> None:
    """Change a file, say so, change it back: a script that plays with variants of a zone does nothing else."""
    file = saved.folder.path / "a.yaml"
    text = file.read_text()
    for _ in range(3):
        file.write_text(text.replace("192.0.2.1", "192.0.2.2"))
        assert saved.server.call("POST", "/api/v1/reload")[0] == 200
        assert saved.server.value("a.a.test") == "192.0.2.2"
        file.write_text(text)
        saved.serves("192.0.2.1")


def test_a_database_that_comes_later_is_noticed_and_nothing_is_read_twice(saved: Saved) -> None:
    results = {one: f'dnsemu_config_reloads_total{{result="{one}"}}' for one in ("success", "failure")}
    before, database = saved.server.metrics(), saved.folder.path.parent / f"{saved.folder.round}.mmdb"

    def reloads(result: str) -> float:
        return saved.server.metrics()[results[result]] - before[results[result]]

    with saved.server.events() as events:
        named = zone("a.test", 2, f"round {saved.folder.round}") + f"dnsemu: {{geoip: {database}}}\n"
        (saved.folder.path / "a.yaml").write_text(named)
        assert "[geoip]" in " ".join(events.until("reload")["reasons"])
        shutil.copy(SHIPPED, database.with_suffix(".part"))
        database.with_suffix(".part").rename(database)
        assert events.until("reload")["succeeded"]
    assert saved.server.value("a.a.test") == "192.0.2.2"
    saved.folder.write("a.yaml", "a.test", 3)
    saved.serves("192.0.2.3")
    assert (reloads("success"), reloads("failure")) == (2, 1)


def test_without_watching_a_signal_or_a_command_is_what_reloads(saved: Saved) -> None:
    with operated("--no-watch", zones=saved.folder.path) as other:
        saved.folder.rename_over()
        saved.serves("192.0.2.2")
        assert other.value("a.a.test") == "192.0.2.1"
        with other.events() as events:
            other.launched.process.send_signal(signal.SIGHUP)
            assert events.until("reload")["succeeded"]
        assert other.value("a.a.test") == "192.0.2.2"
        saved.folder.write("a.yaml", "a.test", 256)
        with other.events() as events:
            other.launched.process.send_signal(signal.SIGHUP)
            assert not events.until("reload")["succeeded"]
        assert other.value("a.a.test") == "192.0.2.2"
        saved.folder.write("a.yaml", "a.test", 3)
        assert other.call("POST", "/api/v1/reload")[0] == 200
        assert other.value("a.a.test") == "192.0.2.3"
        assert other.metrics()['dnsemu_config_reloads_total{result="success"}'] == 2


# All or nothing, while it is asked

NAMES = 10_000


def versioned(number: int) -> str:
    """Thousands of names, with the same number in all records."""
    records = [
        f'{{name: "", type: MX, ttl: 60, records: ["{number} mail.v.test"]}}',
        f"{{name: mail, type: A, ttl: 60, records: 192.0.2.{number}}}",
        f'{{name: mail, type: AAAA, ttl: 60, records: "2001:db8::{number:x}"}}',
        f"""{{name: one, type: TXT, ttl: 60, records: '"{number}"'}}""",
        *(f"{{name: n{one}, type: A, ttl: 60, records: 192.0.2.{number}}}" for one in range(NAMES)),
    ]
    rows = "\n".join(f"      - {record}" for record in records)
    return f"version: 1\nhosted_zones:\n  - name: v.test\n    record_sets:\n{rows}\n"


def versions(answer: dns.message.Message) -> set[int]:
    """The numbers in all records of an answer."""
    read: Mapping[int, Callable[[Any], int]] = {
        dns.rdatatype.A: lambda value: int(value.address.split(".")[3]),
        dns.rdatatype.AAAA: lambda value: int(value.address.rpartition(":")[2], 16),
        dns.rdatatype.MX: lambda value: value.preference,
        dns.rdatatype.TXT: lambda value: int(value.strings[0]),
    }
    values = [value for rrset in [*answer.answer, *answer.additional] for value in rrset]
    return {read[value.rdtype](value) for value in values}


QUESTIONS = [("v.test", "MX"), (f"n{NAMES - 1}.v.test", "A"), ("one.v.test", "TXT"), ("n0.v.test", "A")]


class Asking:
    """Threads that ask all the time, and what they have seen."""

    def __init__(self, server: Operated) -> None:
        self._server = server
        self._over = threading.Event()
        self.slowest: Counter[str] = Counter()
        self.seen: dict[str, list[int]] = {}
        self.wrong: list[str] = []
        self._threads = [
            threading.Thread(target=self._guarded, args=(one.__name__, one))
            for one in (self.over_udp, self.over_tcp, self.metrics)
        ]

    def __enter__(self) -> Self:
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._over.set()
        for thread in self._threads:
            thread.join(PATIENCE)

    def _guarded(self, name: str, ask: Callable[[Callable[[], None]], None]) -> None:
        began = time.monotonic()

        def tick() -> None:
            nonlocal began
            now = time.monotonic()
            self.slowest[name] = max(self.slowest[name], now - began)  # type: ignore[assignment]
            began = now

        try:
            ask(tick)
        except Exception as error:
            self.wrong.append(f"{name}: {error!r}")

    def over_udp(self, tick: Callable[[], None]) -> None:
        while not self._over.is_set():
            for name, rdtype in QUESTIONS:
                self._note("udp", name, self._server.ask(name, rdtype, patience=5))
                tick()

    def over_tcp(self, tick: Callable[[], None]) -> None:
        """All in one connection, two questions on their way at a time."""
        with socket.create_connection(self._server.launched.address, 5) as sock:
            while not self._over.is_set():
                asked = [dns.message.make_query(*QUESTIONS[number]) for number in (0, 1)]
                for question in asked:
                    dns.query.send_tcp(sock, question, time.time() + 5)
                for question in asked:
                    answer, _ = dns.query.receive_tcp(sock, time.time() + 5)
                    assert question.is_response(answer)
                    self._note("tcp", str(question.question[0].name), answer)
                    tick()

    def metrics(self, tick: Callable[[], None]) -> None:
        while not self._over.is_set():
            assert self._server.metrics()["dnsemu_config_last_reload_successful"] == 1
            tick()

    def _note(self, transport: str, name: str, answer: dns.message.Message) -> None:
        found = versions(answer)
        if len(found) != 1:
            self.wrong.append(f"{name} over {transport} is of {found or 'no version'}: {answer}")
        self.seen.setdefault(transport, []).extend(found)


def test_no_question_is_lost_or_answered_from_two_configurations(tmp_path: Path) -> None:
    """While thousands of names are read again and again, by whoever saves a file and by whoever says so over HTTP.

    Whoever asks one question after another never gets an older answer after a newer one.
    """
    (tmp_path / "v.yaml").write_text(versioned(1))
    with operated(zones=tmp_path) as server, Asking(server) as asking:
        for number in (2, 3):
            (tmp_path / ".v").write_text(versioned(number))
            (tmp_path / ".v").replace(tmp_path / "v.yaml")
            if number % 2:
                until(lambda number=number: versions(server.ask("n7.v.test")) == {number})
            else:
                assert server.call("POST", "/api/v1/reload")[0] == 200
            assert {number} == versions(server.ask("v.test", "MX")) == versions(server.ask("n7.v.test"))
        assert "Traceback" not in server.launched.log
    assert asking.wrong == []
    for transport in ("udp", "tcp"):
        assert set(asking.seen[transport]) == {1, 2, 3}
        assert asking.seen[transport] == sorted(asking.seen[transport])
    # Others have the machine, too; what a reload really costs an answer, benchmarks/operating.py measures.
    assert asking.slowest["over_udp"] < 1
    assert asking.slowest["over_tcp"] < 1
    assert asking.slowest["metrics"] < 5


# The query log


def test_the_log_in_json_and_its_rotation(saved: Saved, tmp_path: Path) -> None:
    file = tmp_path / "queries:a.json"  # what is behind the first colon of the option is the path

    def names(path: Path) -> list[str]:
        return [json.loads(line)["name"] for line in path.read_text().splitlines()] if path.exists() else []

    with operated("--query-log", f"json:{file}", zones=saved.folder.path) as server:
        server.ask("A.a.test", tcp=True)
        subnet = dns.edns.ECSOption.from_text("203.0.113.0/24")
        question = dns.message.make_query("nothing.a.test", "TXT", options=[subnet])
        dns.query.udp(question, "127.0.0.1", PATIENCE, server.launched.port)
        server.ask("nowhere.example")
        until(lambda: len(names(file)) == 3)
        first, second, third = [json.loads(line) for line in file.read_text().splitlines()]
        zone_id = first["zone_id"]
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", first.pop("time"))
        assert first == {
            "zone_id": zone_id,
            "name": "a.a.test.",
            "type": "A",
            "rcode": "NOERROR",
            "transport": "TCP",
            "client": "127.0.0.1",
            "subnet": None,
            "decisions": [],
        }
        assert (second["rcode"], second["type"], second["subnet"]) == ("NXDOMAIN", "TXT", "203.0.113.0/24")
        assert (third["rcode"], third["zone_id"]) == ("REFUSED", None)
        # logrotate with `create`: a new file of that name; and with SIGHUP instead, the old one is renamed only
        file.rename(tmp_path / "queries.1")
        file.touch()
        server.ask("b.a.test")
        until(lambda: names(file) == ["b.a.test."])
        file.rename(tmp_path / "queries.2")
        with server.events() as events:
            server.launched.process.send_signal(signal.SIGHUP)
            assert events.until("reload")["succeeded"]
        until(file.exists)
        server.ask("c.a.test")
        until(lambda: names(file) == ["c.a.test."])
        assert (names(tmp_path / "queries.1")[-1], names(tmp_path / "queries.2")) == (
            "nowhere.example.",
            ["b.a.test."],
        )
        for number in range(50):
            server.ask(f"n{number}.a.test")
        assert server.launched.stop()[0] == 0
    assert names(file)[1:] == [f"n{number}.a.test." for number in range(50)], "what is queued is written at the end"


def test_the_log_as_route_53_writes_it_and_a_folder_that_goes_and_comes_back(saved: Saved, tmp_path: Path) -> None:
    file = tmp_path / "logs" / "queries.log"
    file.parent.mkdir()
    with operated("--query-log", f"route53:{file}", zones=saved.folder.path) as server:
        server.ask("a.a.test", tcp=True)
        server.ask("nowhere.example")
        server.ask("x.a.test", "ANY")
        until(lambda: file.read_text().count("\n") == 2)
        first, second = file.read_text().splitlines()
        shutil.rmtree(file.parent)
        server.ask("a.a.test")
        server.launched.wait_for_log("queries can not be logged: ")
        file.parent.mkdir()
        server.ask("a.k.test")
        log = server.launched.wait_for_log("queries are logged again")
    time_, zone_id = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", r"Z[0-9A-Z]+"
    assert re.fullmatch(rf"1\.0 {time_} {zone_id} a\.a\.test A NOERROR TCP [A-Z]{{3}}\d+ 127\.0\.0\.1 -", first)
    assert re.fullmatch(rf"1\.0 {time_} {zone_id} x\.a\.test ANY NXDOMAIN UDP [A-Z]{{3}}\d+ 127\.0\.0\.1 -", second)
    assert log.count("queries can not be logged: ") == 1
    assert "warning queries are logged again; 1 are missing" in log
    assert [line.split(" ")[3] for line in file.read_text().splitlines()] == ["a.k.test"]


@pytest.mark.skipif(not hasattr(fcntl, "F_SETPIPE_SZ"), reason="only Linux sets the size of a pipe")
def test_nobody_waits_for_a_log_that_is_not_read(tmp_path: Path) -> None:
    """A terminal that is stopped (Ctrl-S), or a program that starts a server and does not read what it says."""
    check = "{id: web, type: TCP, ip_address: 127.0.0.1, port: 1, disabled: true}"
    (tmp_path / "a.yaml").write_text(f"{zone('a.test', 1)}health_checks:\n  - {check}\n")
    read, write = os.pipe()
    fcntl.fcntl(write, fcntl.F_SETPIPE_SZ, 4096)
    try:
        with operated(zones=tmp_path, stderr=write) as server:
            for number in range(200):  # 50 octets a line or more
                status = ("healthy", "unhealthy")[number % 2]
                body = {"status": status, "reason": "x" * 100}
                assert server.call("PUT", "/api/v1/health-checks/web/override", body)[0] == 200
                assert server.value("a.a.test") == "192.0.2.1"
            status, seconds = server.launched.stop()
        assert (status, seconds < 5) == (0, True)
        os.close(write)
        write = -1
        with open(read, "rb", closefd=False) as log:
            assert len(log.read()) > 3000
    finally:
        os.close(read)
        if write >= 0:
            os.close(write)


def test_without_stderr_it_serves(tmp_path: Path) -> None:
    (tmp_path / "a.yaml").write_text(zone("a.test", 1))
    closed = ("sh", "-c", 'exec "$@" 2>&-', "sh", sys.executable, "-m", "dnsemu")
    with launched(zones=tmp_path, program=closed) as server:
        question = dns.message.make_query("a.a.test", "A")
        assert dns.query.udp(question, "127.0.0.1", PATIENCE, server.port).answer
        assert server.stop()[0] == 0


def test_peers_that_ask_and_reset_are_no_reason_to_say_much(saved: Saved) -> None:
    question = dns.message.make_query("a.a.test", "A").to_wire()
    before = len(saved.server.launched.log)
    for _ in range(20):
        with socket.create_connection(saved.server.launched.address, PATIENCE) as sock:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            sock.sendall((len(question).to_bytes(2, "big") + question) * 400)
    assert saved.server.value("a.a.test") == "192.0.2.1"
    saved.server.launched.process.send_signal(signal.SIGHUP)
    assert "reloaded" in saved.server.launched.wait_for_log("reloaded", before)
    assert "raised exception" not in saved.server.launched.log[before:]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="no /dev/full here")
def test_a_full_disk_is_told_once_and_what_is_lost_is_counted(saved: Saved) -> None:
    dropped = "dnsemu_query_log_dropped_total"
    with operated("--query-log", "json:/dev/full", zones=saved.folder.path) as server:
        assert server.metrics()[dropped] == 0
        for number in (1, 2):
            for _ in range(5):
                assert server.value("a.a.test") == "192.0.2.1"
            until(lambda number=number: server.metrics()[dropped] == 5 * number)
        assert server.launched.stop()[0] == 0
        said = [line[9:] for line in server.launched.log.splitlines() if "queries" in line]
    assert said == ["warning queries can not be logged: [Errno 28] No space left on device"]


# What may go wrong


@contextmanager
def connections(server: Operated, port: str, number: int, first: bytes = b"") -> Iterator[None]:
    """Connections to dns or http that stay open, and have said something at first; they come bit by bit."""
    address = server.launched.address if port == "dns" else server.http
    with ExitStack() as stack:
        for count in range(1, number + 1):
            stack.enter_context(socket.create_connection(address, PATIENCE)).sendall(first)
            if not count % 50:
                assert server.call("GET", "/healthz")[0] == 200
        yield


def quickly(server: Operated) -> None:
    """DNS and HTTP answer, each within a second."""
    for ask in (
        lambda: server.ask("a.a.test", patience=5),
        lambda: server.ask("a.a.test", tcp=True, patience=5),
        lambda: server.call("GET", "/ready"),
        lambda: server.call("GET", "/api/v1/status"),
    ):
        began = time.monotonic()
        ask()
        assert time.monotonic() - began < 1


REQUEST = b"GET /ready HTTP/1.1\r\nHost: x\r\n"
HEAD = b"POST /api/v1/resolve HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: %d\r\n\r\n"


@pytest.mark.parametrize("first", [b"", REQUEST, REQUEST + b"\r\n"], ids=["silent", "half", "whole"])
def test_hundreds_of_idle_connections_are_no_matter(saved: Saved, first: bytes) -> None:
    file_descriptors(2048)  # here: macOS gives 256
    with connections(saved.server, "http", 500, first):
        quickly(saved.server)


def test_a_body_that_is_far_too_large_is_413_and_no_matter(saved: Saved) -> None:
    body = b" " * (10 << 20)
    before = saved.server.launched.rss
    with socket.create_connection(saved.server.http, PATIENCE) as sock:
        sock.sendall(HEAD % len(body) + body[:500_000])
        quickly(saved.server)
        try:
            sock.sendall(body[500_000:])
            answer = sock.recv(4096)
        except ConnectionError:  # it need not read what it does not want
            answer = b"HTTP/1.1 413"
    assert answer.startswith(b"HTTP/1.1 413")
    assert saved.server.launched.rss - before < 10 << 20
    quickly(saved.server)


def test_killed_and_started_again_on_the_same_ports_at_once(saved: Saved) -> None:
    with operated(zones=saved.folder.path) as server, ExitStack() as stack:
        port, http = server.launched.port, server.place
        for kind in ("dns", "http"):
            stack.enter_context(connections(server, kind, 5, b"\0"))
        server.ask("a.a.test", tcp=True)
        server.launched.process.kill()
        server.launched.process.wait(PATIENCE)
        with operated("--http", http, zones=saved.folder.path, listen=f"127.0.0.1:{port}") as again:
            assert (again.launched.port, again.place) == (port, http)
            quickly(again)


CHECKS = 30


def test_it_ends_soon_whatever_hangs(tmp_path: Path) -> None:
    """Probes without an answer, somebody who listens to events, open connections of all kinds."""
    with socket.create_server(("127.0.0.1", 0), backlog=CHECKS) as silent, ExitStack() as stack:
        port = silent.getsockname()[1]
        rows = "".join(
            f"  - {{id: hc{number}, type: HTTP, ip_address: 127.0.0.1, port: {port}, dnsemu: {{interval: 100ms}}}}\n"
            for number in range(CHECKS)
        )
        (tmp_path / "a.yaml").write_text(f"{zone('a.test', 1)}health_checks:\n{rows}")
        with operated(zones=tmp_path) as server:
            silent.settimeout(PATIENCE)
            for _ in range(CHECKS):  # each probe has asked, and waits
                probe = stack.enter_context(silent.accept()[0])
                probe.settimeout(PATIENCE)
                assert probe.recv(4)
            stack.enter_context(server.events())
            for first in (b"", REQUEST, REQUEST + b"\r\n", HEAD % 1000 + b"[" * 10):
                stack.enter_context(connections(server, "http", 25, first))
            stack.enter_context(connections(server, "dns", 25, b"\0"))
            quickly(server)
            status, seconds = server.launched.stop()
            log = server.launched.log
    assert status == 0
    assert seconds < 3
    assert "Traceback" not in log
    assert not re.search(r"^[\d:]+ (warning|error) (?!.*health-unused)", log, re.MULTILINE)
