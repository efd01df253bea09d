"""`dnsemu wait`: until a server is ready, until health checks are healthy, and no longer than it is told to."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from cli.test_health import PATIENCE, Operated, closed_port, dnsemu, operated, web_server

LONG = ["--timeout", "1m"]  # whoever waits as long as this has missed something
ZONE = """\
version: 1
hosted_zones: [{name: w.test}]
health_checks:
  - {id: web, type: TCP, ip_address: 127.0.0.1, port: 9}
  - {id: api, type: TCP, ip_address: 127.0.0.1, port: 9}
  - {id: ill, type: TCP, ip_address: 127.0.0.1, port: 9, dnsemu: {initial_status: unhealthy}}
  - {id: ähnlich/wie, type: TCP, ip_address: 127.0.0.1, port: 9}
"""


@pytest.fixture(scope="module")
def zone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("zones") / "wait.yaml"
    file.write_text(ZONE)
    return file


@pytest.fixture(scope="module")
def server(zone: Path) -> Iterator[Operated]:
    """Three checks are healthy, and `ill` is not."""
    with operated(zone) as one:
        yield one


HELD = [[], ["web"], ["web", "api"], ["web", "web"], ["ähnlich/wie", "api", "web"]]


def wanted(names: Sequence[str]) -> list[str]:
    """As options."""
    return [word for name in names for word in ("--healthy", name)]


@pytest.mark.parametrize("names", HELD, ids=len)
@pytest.mark.parametrize("timeout", ["0s", "1m"])
def test_what_is_so_already_is_0_without_a_word(server: Operated, names: Sequence[str], timeout: str) -> None:
    done = server.dnsemu("wait", *wanted(names), "--timeout", timeout)
    assert (done.exit_code, done.output) == (0, "")


@pytest.mark.parametrize("names", [["ill"], ["web", "ill"], ["ill", "web"], ["ill", "ill"]], ids=" ".join)
def test_what_does_not_come_to_be_is_1(server: Operated, names: Sequence[str]) -> None:
    done = server.dnsemu("wait", *wanted(names), "--timeout", "200ms")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == "dnsemu: health check ill is unhealthy after 0.2 s\n"


def test_nobody_there_is_3_and_it_does_not_end_before_the_time_is_over() -> None:
    began = time.monotonic()
    with closed_port() as nobody:
        done = dnsemu("wait", "--http", nobody, "--timeout", "300ms")
    assert (done.exit_code, done.stdout) == (3, "")
    assert done.stderr == f"dnsemu: no answer from http://{nobody}: Connection refused after 0.3 s\n"
    assert time.monotonic() - began >= 0.3


def test_one_that_takes_connections_and_says_nothing_is_3() -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        began = time.monotonic()
        done = dnsemu("wait", "--http", f"127.0.0.1:{silent.getsockname()[1]}", "--timeout", "300ms")
    assert (done.exit_code, done.stdout) == (3, "")
    assert time.monotonic() - began < 10, "it waits for that one answer as long as for any"


@pytest.mark.parametrize(
    "names",
    [
        ["nope"],
        ["web", "nope"],
        ["nope", "ill"],
        ["ill", "nope"],
    ],
    ids=" ".join,
)
def test_a_check_that_there_is_not_is_1_at_once(server: Operated, names: Sequence[str]) -> None:
    """Waiting makes none, and a name that is misspelt is best told before the time is over."""
    done = server.dnsemu("wait", *wanted(names), *LONG)
    assert (done.exit_code, done.stdout, done.stderr) == (1, "", "dnsemu: there is no health check 'nope'\n")


def test_it_waits_for_a_server_that_starts_later(zone: Path) -> None:
    """The server starts when somebody has been there in vain."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    running = threading.Event()
    over = threading.Event()

    def begin() -> None:
        listener.accept()[0].close()
        listener.close()
        with operated(zone, http=port):
            running.set()
            over.wait(PATIENCE)

    thread = threading.Thread(target=begin)
    thread.start()
    try:
        done = dnsemu("wait", "--http", f"127.0.0.1:{port}", "--healthy", "web", *LONG)
    finally:
        over.set()
        thread.join(PATIENCE)
    assert (done.exit_code, done.output) == (0, "")
    assert running.is_set()


class Changing:
    """What a server says of a check, look by look; then for ever the last."""

    def __init__(self, *statuses: str) -> None:
        self.statuses = list(statuses)
        self.asked: list[str] = []

    def answer(self, path: str) -> tuple[int, str, bytes]:
        self.asked.append(path)
        if path == "/ready":
            ready = self.statuses[0] != "not ready"
            if not ready:
                self.statuses.pop(0)
                error = {"error": {"code": "not-ready", "message": "not ready: no sockets", "details": []}}
                return 503, "application/json", json.dumps(error).encode()
            return 200, "text/plain", b"ready\n"
        status = self.statuses.pop(0) if len(self.statuses) > 1 else self.statuses[0]
        return 200, "application/json", json.dumps({"id": "web", "status": status}).encode()


ROWS = [
    ["healthy"],
    ["unhealthy", "healthy"],
    ["unhealthy", "unhealthy", "unhealthy", "healthy"],
    ["not ready", "unhealthy", "healthy"],
    ["not ready", "not ready", "healthy"],
]


@pytest.mark.parametrize("statuses", ROWS, ids=", ".join)
def test_it_looks_until_it_is_so(statuses: Sequence[str]) -> None:
    changing = Changing(*statuses)
    with web_server(changing.answer) as there:
        done = dnsemu("wait", "--http", there, "--healthy", "web", *LONG)
    assert (done.exit_code, done.output) == (0, "")
    assert changing.asked.count("/ready") == len(statuses)
    assert changing.statuses == ["healthy"]


def test_a_server_that_does_not_become_ready_is_1() -> None:
    changing = Changing(*["not ready"] * 1000)
    with web_server(changing.answer) as there:
        done = dnsemu("wait", "--http", there, "--timeout", "200ms")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr == "dnsemu: not ready: no sockets after 0.2 s\n"


def test_all_of_them_have_to_be_healthy_at_a_time(server: Operated) -> None:
    """What was healthy before may not be when the last one is."""
    server.dnsemu("health", "force", "api", "unhealthy")
    done = server.dnsemu("wait", *wanted(["web", "api"]), "--timeout", "0s")
    assert (done.exit_code, done.stderr) == (1, "dnsemu: health check api is unhealthy after 0 s\n")
    server.dnsemu("health", "clear", "api")
    assert server.dnsemu("wait", *wanted(["web", "api"]), "--timeout", "0s").exit_code == 0


@pytest.mark.parametrize(
    "words", [["--timeout", "5"], ["--timeout", "-1s"], ["--timeout", ""], ["--healthy"], ["web"], ["--http", "x:y"]]
)
def test_wrong_words_are_2(words: Sequence[str]) -> None:
    done = dnsemu("wait", *words)
    assert (done.exit_code, done.stdout) == (2, "")


@pytest.mark.e2e
def test_it_ends_when_it_is_interrupted() -> None:
    """It has asked once, and was told nothing: Ctrl-C ends it, and it says nothing about it."""
    with socket.create_server(("127.0.0.1", 0)) as silent:
        argv = [sys.executable, "-m", "dnsemu", "wait", "--http", f"127.0.0.1:{silent.getsockname()[1]}", *LONG]
        with subprocess.Popen(argv, stdout=subprocess.PIPE, stderr=subprocess.STDOUT) as process:
            silent.settimeout(PATIENCE)
            with silent.accept()[0]:
                process.send_signal(2)
                out, _ = process.communicate(timeout=PATIENCE)
    assert (process.returncode, out) == (130, b"")
