"""The options of `dnsemu serve` for operating it: HTTP, who may control, the query log, watching."""

from __future__ import annotations

import json
import logging
import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from urllib.request import urlopen

import psutil
import pytest
from cli.test_serve import LIMIT, ZONE, serving
from click.testing import CliRunner

from dnsemu.cli import serve, wait

pytestmark = pytest.mark.e2e


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with zones/ in it."""
    (tmp_path / "zones").mkdir()
    (tmp_path / "zones" / "example.yaml").write_text(ZONE)
    return tmp_path


def refused(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    """What becomes of a server that can not serve."""
    argv = [sys.executable, "-m", "dnsemu", "serve", "--listen", "127.0.0.1:0", "--port-file", "ports.json", *options]
    done = subprocess.run(argv, cwd=folder, capture_output=True, text=True, timeout=LIMIT, check=False)
    assert "Traceback" not in done.stderr
    assert done.stdout == ""
    assert not (folder / "ports.json").exists()
    return done


def ports(folder: Path) -> dict[str, object]:
    """What is in the port file."""
    found: dict[str, object] = json.loads((folder / "ports.json").read_text())
    return found


def listening(pid: int) -> set[int]:
    """TCP ports that a process listens on."""
    found = psutil.Process(pid).net_connections("tcp")
    return {one.laddr.port for one in found if one.status == psutil.CONN_LISTEN}


# HTTP


def test_the_port_file_tells_where_http_is_and_it_is_there(folder: Path) -> None:
    with serving(folder, "--http", "localhost:0") as running:
        told = ports(folder)
        assert list(told) == ["dns", "http"]
        assert str(told["http"]).startswith("127.0.0.1:")
        with urlopen(f"http://{told['http']}/ready", timeout=LIMIT) as answer:
            assert (answer.status, answer.read()) == (200, b"ready\n")
        with urlopen(f"http://{told['http']}/api/v1/status", timeout=LIMIT) as answer:
            listeners = json.loads(answer.read())["listeners"]
        assert listeners == {"dns": told["dns"], "http": [told["http"]]}
        status, _, logged = running.stop(signal.SIGTERM)
    assert status == 0
    assert f"listening on http://{told['http']}\n" in logged


def test_http_over_ipv6(folder: Path) -> None:
    try:
        with socket.socket(socket.AF_INET6) as probe:
            probe.bind(("::1", 0))
    except OSError:
        pytest.skip("no IPv6 on the loopback interface")
    with serving(folder, "--http", "[::1]:0"):
        told = str(ports(folder)["http"])
        assert told.startswith("[::1]:")
        with urlopen(f"http://{told}/healthz", timeout=LIMIT) as answer:
            assert answer.read() == b"ok\n"
        for place in (told, f"http://{told}"):
            assert CliRunner().invoke(wait.command, ["--http", place]).exit_code == 0


def test_http_can_be_off(folder: Path) -> None:
    with serving(folder, "--http", "off") as running:
        assert ports(folder)["http"] is None
        assert listening(running.process.pid) == {int(running.addresses[0].rpartition(":")[2])}
        assert len(running.ask()) == 5
        status, _, logged = running.stop(signal.SIGTERM)
    assert (status, "http" in logged) == (0, False)


def test_a_port_that_is_taken_is_5_and_its_holder_is_named(folder: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as holder:
        port = holder.getsockname()[1]
        done = refused(folder, "--http", f"127.0.0.1:{port}")
    assert done.returncode == 5
    first, *advice = done.stderr.splitlines()
    assert first.startswith(f"dnsemu: cannot listen on 127.0.0.1:{port} (HTTP): ")
    assert first.endswith(f" (pid {os.getpid()}) has it")
    assert f"  take another port:     --http 127.0.0.1:{8053 if port != 8053 else 8054}" in advice[0]
    assert advice[1] == f"  take another address:  --http 127.0.0.2:{port}"


def test_the_default_port_may_be_taken(folder: Path) -> None:
    """8053 is nobody's: whoever starts a second server did not ask for it, and gets DNS all the same."""
    with socket.socket() as holder, suppress(OSError):  # another server may have it at this very moment
        holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        with suppress(OSError):
            holder.bind(("127.0.0.1", 8053))
            holder.listen()
        argv = [sys.executable, "-m", "dnsemu", "serve", "--listen", "127.0.0.1:0", "--port-file", "ports.json"]
        with subprocess.Popen(argv, cwd=folder, stderr=subprocess.PIPE, text=True) as process:
            assert process.stderr is not None
            try:
                said = [process.stderr.readline() for _ in range(3)]
            finally:
                process.terminate()
            process.communicate(timeout=LIMIT)
    assert re.search(
        r" warning no HTTP and no metrics: cannot listen on 127\.0\.0\.1:8053 \(HTTP\): .* has it; "
        r"--http HOST:PORT takes another port\n",
        said[0],
    )
    assert "listening on 127.0.0.1:" in said[2]
    assert ports(folder)["http"] is None
    assert process.returncode == 0


def test_dns_and_http_do_not_share_a_port(folder: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    done = refused(folder, "--listen", f"127.0.0.1:{port}", "--http", f"127.0.0.1:{port}")
    assert done.returncode == 5
    assert f"cannot listen on 127.0.0.1:{port} (HTTP)" in done.stderr


# Words


@pytest.fixture
def untouched() -> Iterator[None]:
    """`serve` sets up the log and signals of its process before it reads its options: here, that is pytest's."""
    log = logging.getLogger("dnsemu")
    before = log.handlers[:], log.level, log.propagate, signal.getsignal(signal.SIGTERM)
    yield
    log.handlers[:], log.level, log.propagate = before[:3]
    signal.signal(signal.SIGTERM, before[3])


HOST_PORT = "is not HOST:PORT"
USAGE: dict[str, tuple[Sequence[str], str]] = {
    **{
        f"--http '{place}'": (["--http", place], HOST_PORT)
        for place in (
            "",
            "OFF",
            "off ",
            "8053",
            "127.0.0.1",
            "127.0.0.1:http",
            "127.0.0.1:65536",
            "::1:8053",
            "http://[::1]:8053",
        )
    },
    "--http with a name": (["--http", "nowhere.example:8053"], "'nowhere.example' is not an IP address"),
    "--http without a host": (["--http", ":8053"], "'' is not an IP address"),
    **{
        f"--allow-control '{block}'": (["--allow-control", block], "write 172.30.0.0/24 or 172.30.0.1")
        for block in ("", "everybody", "10.0.0.1/8", "10.0.0.0/33", "10.0.0.0/8,192.0.2.0/24", "2001:db8::/129")
    },
    "--allow-control, the second of two": (
        ["--allow-control", "10.0.0.0/8", "--allow-control", "10"],
        "--allow-control",
    ),
    "--allow-control without HTTP": (["--allow-control", "10.0.0.0/8", "--http", "off"], "leave one of them out"),
    **{
        f"--query-log '{form}'": (["--query-log", form], "is neither json nor route53")
        for form in ("", "yes", "JSON", "csv:queries.csv", ":queries.log", "queries.log", "json:", "route53:")
    },
    "--no-watch yes": (["--no-watch=yes"], "--no-watch"),
}


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("case", USAGE)
def test_wrong_words_are_2(case: str) -> None:
    words, message = USAGE[case]
    done = CliRunner().invoke(serve.command, ["nowhere", *words])
    assert (done.exit_code, done.stdout) == (2, "")
    assert message in done.stderr
    assert words[0].partition("=")[0] in done.stderr


@pytest.mark.usefixtures("untouched")
@pytest.mark.parametrize("form", ["json:", "route53:"])
def test_a_colon_without_a_file_is_2(form: str) -> None:
    assert CliRunner().invoke(serve.command, ["nowhere", "--query-log", form]).exit_code == 2


# The query log


@pytest.mark.parametrize(
    ("log", "why"),
    [("json:nowhere/queries.log", "No such file or directory"), ("route53:zones", "Is a directory")],
    ids=["no folder", "a folder"],
)
def test_a_query_log_that_can_not_be_written_is_4(folder: Path, log: str, why: str) -> None:
    done = refused(folder, "--http", "off", "--query-log", log)
    assert done.returncode == 4
    assert done.stderr.splitlines()[-1] == f"dnsemu: --query-log {log.partition(':')[2]} can not be written: {why}"


def test_a_pipe_that_nobody_reads_is_4(folder: Path) -> None:
    os.mkfifo(folder / "queries")
    done = refused(folder, "--http", "off", "--query-log", "json:queries")
    assert done.returncode == 4
    assert "dnsemu: --query-log queries can not be written: " in done.stderr


def test_stdout_has_queries_and_nothing_else(folder: Path) -> None:
    with serving(folder, "--query-log", "json") as running:
        for _ in range(3):
            assert len(running.ask()) == 5
        running.process.send_signal(signal.SIGTERM)
        out, logged = running.process.communicate(timeout=LIMIT)
    assert running.process.returncode == 0
    assert [json.loads(line)["name"] for line in out.splitlines()] == ["www.example.com."] * 3
    assert "www.example.com" not in logged


def test_a_stdout_that_nobody_reads_any_more_does_not_stop_it(folder: Path) -> None:
    """`dnsemu serve --query-log json | head -1`: DNS is more than its log."""
    with serving(folder, "--query-log", "json") as running:
        assert running.process.stdout is not None
        running.process.stdout.close()
        for _ in range(3):
            assert len(running.ask()) == 5
        running.process.send_signal(signal.SIGTERM)
        assert running.process.stderr is not None
        logged = running.process.stderr.read()
        assert running.process.wait(LIMIT) == 0
        running.process.stdout = None  # what closes the block would read it
    assert logged.count("queries can not be logged: ") == 1
    assert "Traceback" not in logged
