"""`dnsemu query` and `dnsemu healthcheck` against a server of ours."""

from __future__ import annotations

import json
import re
import socket
from collections.abc import Iterator

import pytest
from click.testing import CliRunner, Result

from dnsemu.cli import ask, healthcheck, query
from dnsemu.testing import TestServer, serve

ZONE = """\
version: 1
hosted_zones:
  - name: example.com
    name_servers: [ns1.example.net]
    record_sets:
      - {name: www, type: A, ttl: 300, records: [192.0.2.1]}
      - {name: www, type: TXT, ttl: 60, records: ['"hello" "world"']}
      - {name: alias, type: CNAME, ttl: 60, records: [www.example.com]}
      - name: long
        type: TXT
        ttl: 60
        records:
LONG
"""
LONG = "\n".join(f"""          - '"{number:02d}{"x" * 200}"'""" for number in range(20))

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def server() -> Iterator[TestServer]:
    with serve(text=ZONE.replace("LONG", LONG)) as running:
        yield running


def _ask(server: TestServer, *arguments: str) -> Result:
    host, port = server.address
    return CliRunner().invoke(query.command, [*arguments, "--server", f"{host}:{port}"])


# Arguments, and a pattern for the whole of stdout.
SHORT = [
    ("www.example.com --short", r"192\.0\.2\.1\n"),
    ("www.example.com. A --short", r"192\.0\.2\.1\n"),
    ("WWW.EXAMPLE.COM a --short", r"192\.0\.2\.1\n"),
    ("www.example.com TXT --short", r'"hello" "world"\n'),
    ("www.example.com AAAA --short", ""),
    ("nowhere.example.com --short", ""),
    ("alias.example.com --short", r"www\.example\.com\.\n192\.0\.2\.1\n"),
    ("example.com SOA --short", r"ns1\.example\.net\. awsdns-hostmaster\.amazon\.com\. 1 7200 900 1209600 86400\n"),
    ("www.example.com TYPE1 --short", r"192\.0\.2\.1\n"),
    ("www.example.com --short --tcp", r"192\.0\.2\.1\n"),
    ("long.example.com TXT --short", r'("\d\dx{200}"\n){20}'),
    ("long.example.com TXT --short --tcp", r'("\d\dx{200}"\n){20}'),
]


@pytest.mark.parametrize(("arguments", "pattern"), SHORT)
def test_short(server: TestServer, arguments: str, pattern: str) -> None:
    done = _ask(server, *arguments.split())
    assert (done.exit_code, done.stderr) == (0, "")
    assert re.fullmatch(pattern, done.stdout)


def test_human(server: TestServer) -> None:
    done = _ask(server, "www.example.com")
    host, port = server.address
    assert done.exit_code == 0
    assert re.fullmatch(
        ";; NOERROR, flags qr aa rd\n\n;; ANSWER\nwww.example.com.  300  A  192.0.2.1\n\n"
        ";; AUTHORITY\nexample.com.  172800  NS  ns1.example.net.\n\n"
        rf";; \d+ bytes from {host}:{port} in \d+\.\d ms\n",
        done.stdout,
    )


def test_human_with_columns(server: TestServer) -> None:
    done = _ask(server, "alias.example.com")
    assert (
        "alias.example.com.   60  CNAME  www.example.com.\nwww.example.com.    300  A      192.0.2.1\n" in done.stdout
    )


@pytest.mark.parametrize(
    ("name", "rcode"),
    [("nowhere.example.com", "NXDOMAIN"), ("www.example.net", "REFUSED"), ("www.example.com", "NOERROR")],
)
def test_an_answer_is_an_answer_whatever_its_rcode(server: TestServer, name: str, rcode: str) -> None:
    done = _ask(server, name)
    assert done.exit_code == 0
    assert done.stdout.startswith(f";; {rcode}, flags qr ")


def test_json(server: TestServer) -> None:
    done = _ask(server, "www.example.com", "--format", "json")
    assert json.loads(done.stdout) == {
        "rcode": "NOERROR",
        "flags": ["qr", "aa", "rd"],
        "edns": [],
        "answer": [{"name": "www.example.com.", "ttl": 300, "type": "A", "value": "192.0.2.1"}],
        "authority": [{"name": "example.com.", "ttl": 172800, "type": "NS", "value": "ns1.example.net."}],
        "additional": [],
    }


@pytest.mark.parametrize(
    "arguments", [["www.example.com", "NOTYPE"], ["a..b"], ["a" * 64], ["bücher.example", "A", "B"]]
)
def test_wrong_use(server: TestServer, arguments: list[str]) -> None:
    done = _ask(server, *arguments)
    assert (done.exit_code, done.stdout) == (2, "")
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "server", ["127.0.0.1", "127.0.0.1:x", "127.0.0.1:65536", "::1:53", "nowhere.example:53", ""]
)
def test_wrong_server(server: str) -> None:
    done = CliRunner().invoke(query.command, ["www.example.com", "--server", server])
    assert (done.exit_code, done.stdout) == (2, "")
    assert "127.0.0.1:5300" in done.stderr


@pytest.fixture
def nobody(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An address that takes questions and never answers."""
    monkeypatch.setattr(ask, "TIMEOUT", 0.1)
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as silent:
        silent.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{silent.getsockname()[1]}"


@pytest.mark.parametrize("arguments", [[], ["--tcp"], ["--short"], ["--format", "json"]])
def test_a_server_that_is_not_reachable(nobody: str, arguments: list[str]) -> None:
    done = CliRunner().invoke(query.command, ["www.example.com", "--server", nobody, *arguments])
    assert (done.exit_code, done.stdout) == (3, "")
    assert done.stderr.startswith(f"dnsemu: no answer from {nobody}: ")
    assert "is dnsemu serve running?" in done.stderr


def test_healthcheck(server: TestServer) -> None:
    host, port = server.address
    done = CliRunner().invoke(healthcheck.command, ["--server", f"{host}:{port}"])
    assert (done.exit_code, done.output) == (0, "")


def test_healthcheck_of_nobody(nobody: str) -> None:
    done = CliRunner().invoke(healthcheck.command, ["--server", nobody])
    assert (done.exit_code, done.stdout) == (3, "")
    assert f"no answer from {nobody}" in done.stderr
