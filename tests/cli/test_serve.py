"""`dnsemu serve` as a program: starting, stopping, and what it says when it can not."""

from __future__ import annotations

import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path

import dns.message
import dns.query
import pytest

from dnsemu.server import read_endpoint

pytestmark = pytest.mark.e2e

ZONE = """\
version: 1
hosted_zones:
  - name: example.com
    record_sets:
      - {name: www, type: A, ttl: 60, records: [192.0.2.1, 192.0.2.2, 192.0.2.3, 192.0.2.4, 192.0.2.5]}
"""
LIMIT = 20.0  # seconds, for what takes a fraction of one


class Running:
    """A server in a process of its own."""

    def __init__(self, process: subprocess.Popen[str], port_file: Path) -> None:
        self.process = process
        self._port_file = port_file

    def wait_until_ready(self) -> None:
        """Looks for the port file; a server that has ended is a failure at once."""
        until = time.monotonic() + LIMIT
        while not self._port_file.exists():
            try:
                self.process.wait(0.02)
            except subprocess.TimeoutExpired:
                assert time.monotonic() < until, "the server did not become ready"
            else:
                pytest.fail(f"the server ended with {self.process.returncode}: {self.process.stderr.read()}")

    @property
    def addresses(self) -> list[str]:
        return json.loads(self._port_file.read_text())["dns"]

    def ask(self, number: int = 0) -> list[str]:
        """The addresses of www.example.com, in the order of the answer."""
        host, _, port = self.addresses[number].rpartition(":")
        question = dns.message.make_query("www.example.com", "A")
        answer = dns.query.udp(question, host.strip("[]"), LIMIT, int(port))
        return [str(value) for rrset in answer.answer for value in rrset]

    def stop(self, number: int) -> tuple[int, float, str]:
        """Exit status, seconds until the end, and what was logged."""
        began = time.monotonic()
        self.process.send_signal(number)
        _, logged = self.process.communicate(timeout=LIMIT)
        return self.process.returncode, time.monotonic() - began, logged


SERVE = [sys.executable, "-m", "dnsemu", "serve"]


def _http(arguments: Sequence[str]) -> list[str]:
    """The usual port of HTTP may be another test's."""
    return [*arguments] if "--http" in arguments else [*arguments, "--http", "off"]


@contextmanager
def serving(folder: Path, *arguments: str, zone: str = ZONE, listen: str = "127.0.0.1:0") -> Iterator[Running]:
    """A server, ready; it is ended with the block."""
    (folder / "zones").mkdir(exist_ok=True)
    (folder / "zones" / "example.yaml").write_text(zone)
    (folder / "ports.json").unlink(missing_ok=True)
    with ExitStack() as stack:
        process = subprocess.Popen(
            [
                sys.executable,
                "-m",
                "dnsemu",
                "serve",
                "--listen",
                listen,
                "--port-file",
                "ports.json",
                *_http(arguments),
            ],
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        stack.callback(_end, process)
        running = Running(process, folder / "ports.json")
        running.wait_until_ready()
        yield running


def _end(process: subprocess.Popen[str]) -> None:
    if process.poll() is None:
        process.kill()
    process.communicate(timeout=LIMIT)


def _refused(folder: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "dnsemu", "serve", *_http(arguments)],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=LIMIT,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with zones/ in it."""
    (tmp_path / "zones").mkdir()
    (tmp_path / "zones" / "example.yaml").write_text(ZONE)
    return tmp_path


# stopping


@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 0), (signal.SIGINT, 130)])
def test_a_signal_ends_it_within_a_second(folder: Path, number: int, status: int) -> None:
    with serving(folder) as running:
        assert len(running.ask()) == 5
        ended, seconds, logged = running.stop(number)
    assert ended == status
    assert seconds < 1
    assert "stopping" in logged
    assert "Traceback" not in logged


def test_an_open_connection_does_not_hold_it(folder: Path) -> None:
    with serving(folder) as running:
        host, _, port = running.addresses[0].rpartition(":")
        with socket.create_connection((host, int(port)), LIMIT) as connection:
            connection.sendall(b"\0")
            ended, seconds, _ = running.stop(signal.SIGTERM)
    assert ended == 0
    assert seconds < 1


# starting


def test_port_0_gives_one_number_for_udp_and_tcp(folder: Path) -> None:
    with serving(folder) as running:
        (address,) = running.addresses
        host, _, port = address.rpartition(":")
        assert host == "127.0.0.1"
        assert int(port) > 0
        answer = dns.query.tcp(dns.message.make_query("www.example.com", "A"), host, LIMIT, int(port))
        assert len(answer.answer[0]) == 5


def test_several_addresses(folder: Path) -> None:
    with serving(folder, "--listen", "127.0.0.2:0") as running:
        assert [address.rpartition(":")[0] for address in running.addresses] == ["127.0.0.1", "127.0.0.2"]
        assert len(running.ask(0)) == len(running.ask(1)) == 5


def test_ipv6(folder: Path) -> None:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        pytest.skip("no IPv6 on the loopback interface")
    with serving(folder, listen="[::1]:0") as running:
        assert running.addresses[0].startswith("[::1]:")
        assert len(running.ask()) == 5


def test_the_port_file_of_an_earlier_run_is_taken_away(folder: Path) -> None:
    (folder / "ports.json").write_text('{"dns": ["127.0.0.1:9"]}')
    done = _refused(folder, "nowhere", "--port-file", "ports.json")
    assert done.returncode == 4
    assert not (folder / "ports.json").exists()


def test_the_log_says_what_is_served_and_where(folder: Path) -> None:
    with serving(folder) as running:
        (address,) = running.addresses
        *_, logged = running.stop(signal.SIGTERM)
    assert re.search(r"^\d\d:\d\d:\d\d info    serving example\.com\. \(Z[0-9A-Z]+, 3 record sets\)$", logged, re.M)
    assert f"listening on {address} (UDP and TCP)\n" in logged
    assert "\x1b" not in logged


def test_the_log_as_json(folder: Path) -> None:
    with serving(folder, "--log-format", "json") as running:
        *_, logged = running.stop(signal.SIGTERM)
    events = [json.loads(line) for line in logged.splitlines()]
    assert [event["message"].split()[0] for event in events] == ["serving", "listening", "stopping"]
    for event in events:
        assert event["level"] == "info"
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", event["time"])


def test_the_log_as_json_with_a_doubtful_zone(folder: Path) -> None:
    with serving(folder, "--log-format", "json", zone=ZONE.replace("example.com", "my.local")) as running:
        *_, logged = running.stop(signal.SIGTERM)
    assert [json.loads(line) for line in logged.splitlines()]


def test_a_quiet_log(folder: Path) -> None:
    with serving(folder, "--log-level", "warning") as running:
        *_, logged = running.stop(signal.SIGTERM)
    assert logged == ""


def test_a_doubtful_zone_is_served(folder: Path) -> None:
    with serving(folder, zone=ZONE + "  - name: my.local\n") as running:
        assert len(running.ask()) == 5
        *_, logged = running.stop(signal.SIGTERM)
    assert "zones/example.yaml:6:11: warning[zone-special]" in logged


# chance


def _orders(folder: Path, *arguments: str, zone: str = ZONE) -> list[list[str]]:
    with serving(folder, *arguments, zone=zone) as running:
        return [running.ask() for _ in range(12)]


def test_a_seed_gives_the_same_order_twice(folder: Path) -> None:
    first = _orders(folder, "--seed", "7")
    assert _orders(folder, "--seed", "7") == first
    assert len({tuple(order) for order in first}) > 1


def test_the_seed_of_the_command_line_beats_that_of_the_file(folder: Path) -> None:
    seeded = ZONE + "dnsemu: {seed: 8}\n"
    of_file = _orders(folder, zone=seeded)
    assert _orders(folder, zone=seeded) == of_file
    assert _orders(folder, "--seed", "7", zone=seeded) == _orders(folder, "--seed", "7") != of_file


def test_without_a_seed_chance_is_chance(folder: Path) -> None:
    assert _orders(folder) != _orders(folder)


# what can not be served


@pytest.mark.parametrize("listen", ["5300", "127.0.0.1:dns", "nowhere.example:5300"])
def test_a_wrong_address_is_status_2(folder: Path, listen: str) -> None:
    done = _refused(folder, "--listen", listen)
    assert (done.returncode, done.stdout) == (2, "")
    assert "--listen" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "text",
    [
        *("", ":", "5300", "127.0.0.1", "127.0.0.1:", "127.0.0.1:dns", "127.0.0.1:65536", "127.0.0.1:-1", "::1:5300"),
        *("[::1]", "[::1:5300", "::1]:5300", "[127.0.0.1]:5300", "127.0.0.256:5300", "nowhere.example:5300"),
        *("127.0.0:5300", "127.0.0.1:٥٣", "127.0.0.1: 53", " 127.0.0.1:53"),
    ],
)
def test_addresses_that_are_none(text: str) -> None:
    with pytest.raises(ValueError, match=r"127\.0\.0\.1:5300"):
        read_endpoint(text)


@pytest.mark.parametrize(
    "arguments", [["--seed", "-1"], ["--seed", "x"], ["--log-level", "loud"], ["--port-file", "."]]
)
def test_wrong_options_are_status_2(folder: Path, arguments: list[str]) -> None:
    done = _refused(folder, *arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr


@contextmanager
def _holder(kind: socket.SocketKind) -> Iterator[socket.socket]:
    """A socket on a number that is free for the other protocol."""
    with ExitStack() as stack:
        for _ in range(50):
            held = stack.enter_context(socket.socket(socket.AF_INET, kind))
            held.bind(("127.0.0.1", 0))
            other = socket.SOCK_DGRAM if kind is socket.SOCK_STREAM else socket.SOCK_STREAM
            with socket.socket(socket.AF_INET, other) as probe, suppress(OSError):
                probe.bind(held.getsockname())
                break
        if kind is socket.SOCK_STREAM:
            held.listen()
        yield held


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM], ids=["TCP", "UDP"])
def test_a_taken_port_is_status_5_and_the_holder_is_named(folder: Path, kind: socket.SocketKind) -> None:
    with _holder(kind) as holder:
        port = holder.getsockname()[1]
        done = _refused(folder, "--listen", f"127.0.0.1:{port}", "--port-file", "ports.json")
    assert (done.returncode, done.stdout) == (5, "")
    assert f"cannot listen on 127.0.0.1:{port} ({'TCP' if kind is socket.SOCK_STREAM else 'UDP'})" in done.stderr
    assert f"(pid {os.getpid()}) has it" in done.stderr
    assert "--listen" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (folder / "ports.json").exists()


def test_an_address_that_is_not_ours_is_status_5(folder: Path) -> None:
    done = _refused(folder, "--listen", "192.0.2.1:5300")
    assert (done.returncode, done.stdout) == (5, "")
    assert done.stderr.endswith("this machine does not have that address\n")


def test_a_broken_zone_is_status_1(folder: Path) -> None:
    broken = ZONE.replace("192.0.2.5", "192.0.2.256").replace("example.com", "example.net")
    (folder / "zones" / "broken.yaml").write_text(broken)
    done = _refused(folder, "--listen", "127.0.0.1:0", "--port-file", "ports.json")
    assert (done.returncode, done.stdout) == (1, "")
    assert (
        "zones/broken.yaml:5:93: error[value-address]: A: '192.0.2.256' is not a valid IPv4 address\n" in done.stderr
    )
    assert done.stderr.endswith("dnsemu: not serving: 1 error\n")
    assert not (folder / "ports.json").exists()


def test_what_is_not_served_yet_is_status_1(folder: Path) -> None:
    (folder / "zones" / "more.yaml").write_text("version: 1\ndnsemu: {forward: system}\n")
    done = _refused(folder, "--listen", "127.0.0.1:0")
    assert done.returncode == 1
    assert "error[not-served]: forward can be read" in done.stderr


def test_a_missing_path_is_status_4(folder: Path) -> None:
    done = _refused(folder, "nowhere", "--listen", "127.0.0.1:0")
    assert (done.returncode, done.stdout) == (4, "")
    assert done.stderr.startswith("dnsemu: there is no file or folder nowhere; ")


def test_a_missing_folder_zones_is_status_4(tmp_path: Path) -> None:
    assert _refused(tmp_path, "--listen", "127.0.0.1:0").returncode == 4


def test_a_folder_without_zones_is_status_1(tmp_path: Path) -> None:
    done = _refused(tmp_path, ".", "--listen", "127.0.0.1:0")
    assert done.returncode == 1
    assert "error[no-zones]" in done.stderr


def test_a_port_file_in_a_folder_that_is_not_there(folder: Path) -> None:
    done = _refused(folder, "--listen", "127.0.0.1:0", "--port-file", "nowhere/ports.json")
    assert "Traceback" not in done.stderr
    assert done.returncode in (2, 4)
