"""`dnsemu health`: what it prints of every kind of check, how it forces them, and what it says where it can not."""

from __future__ import annotations

import asyncio
import gc
import json
import re
import socket
import threading
import unicodedata
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, TypeVar
from urllib.request import urlopen

import click
import dns.message
import dns.query
import pytest
from click.testing import CliRunner, Result

from dnsemu.app import Server, Settings, load
from dnsemu.cli import explain, health, reload, reset, wait
from dnsemu.health import Observation
from dnsemu.server import Endpoint

PATIENCE = 20.0  # seconds, for what takes a fraction of one
T = TypeVar("T")

COMMANDS: dict[str, click.Command] = {
    "health": health.command,
    "wait": wait.command,
    "reload": reload.command,
    "reset": reset.command,
    "explain": explain.command,
}


class Operated:
    """A server in a thread of its own, that serves a path and probes nothing; and the commands that operate it."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)

    def begin(self) -> None:
        async def begin() -> None:
            await self.server.start()
            await self.server.operate()

        self._thread.start()
        self._run(begin())

    def end(self) -> None:
        self._run(self.server.close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(PATIENCE)
        self._loop.close()

    def on_loop(self, function: Callable[[], T]) -> T:
        """What `function` returns, called between two events."""

        async def call() -> T:
            return function()

        found: T = self._run(call())
        return found

    def observe(self, check_id: str, *results: Observation, at: float = 1_795_168_800.0) -> None:
        """A probe of each checker has come to this."""
        ledger = self.server.operations.monitor.ledger
        for number, result in enumerate(results):
            self.on_loop(lambda number=number, result=result: ledger.observe(check_id, number, result, at))

    @property
    def place(self) -> str:
        """HOST:PORT of its HTTP API."""
        return str(self.server.http)

    def api(self, path: str) -> Any:
        """What the API says."""
        with urlopen(f"http://{self.place}/api/v1/{path}", timeout=PATIENCE) as answer:
            return json.loads(answer.read())

    def dnsemu(self, *words: str, color: bool = False) -> Result:
        """A command that is told where the server is."""
        return dnsemu(*words, "--http", self.place, color=color)

    def ask(self, name: str, rdtype: str = "A") -> list[str]:
        """The values that come over DNS."""
        host, port = self.server.endpoints[0]
        answer = dns.query.udp(dns.message.make_query(name, rdtype), host, PATIENCE, port)
        return [value.to_text() for rrset in answer.answer for value in rrset]

    def _run(self, coroutine: Any) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(PATIENCE)


@contextmanager
def operated(path: Path, *, http: int = 0, readable: bool = True) -> Iterator[Operated]:
    """A server for the length of a block; on the port `http`, or a free one."""
    settings = Settings(
        http=Endpoint("127.0.0.1", http), read=(lambda: load([path])) if readable else None, probes=False
    )
    server = Operated(Server(load([path]), [Endpoint("127.0.0.1", 0)], settings=settings))
    server.begin()
    try:
        yield server
    finally:
        server.end()


def dnsemu(*words: str, color: bool = False) -> Result:
    """What becomes of a command; a traceback is no way to end."""
    done = CliRunner().invoke(COMMANDS[words[0]], words[1:], color=color)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return done


@contextmanager
def web_server(answer: Callable[[str], tuple[int, str, bytes]], name: str = "dnsemu/0.0") -> Iterator[str]:
    """HOST:PORT of a web server, of what `name` ever: `answer` makes status, content type and body of a path."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.rfile.read(int(self.headers.get("Content-Length", 0)))
            status, content_type, body = answer(self.path)
            self.send_response(status)
            self.send_header("Content-Type", content_type)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_PUT = do_POST = do_DELETE = do_GET  # noqa: N815 (http.server's names)

        def version_string(self) -> str:
            return name

        def log_message(self, *words: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        try:
            yield f"127.0.0.1:{server.server_port}"
        finally:
            server.shutdown()
            thread.join()


@contextmanager
def closed_port() -> Iterator[str]:
    """HOST:PORT where nobody listens, and nobody else will."""
    with socket.socket() as held:
        held.bind(("127.0.0.1", 0))
        yield f"127.0.0.1:{held.getsockname()[1]}"


@pytest.fixture
def nobody() -> Iterator[str]:
    """HOST:PORT where nobody is."""
    with closed_port() as place:
        yield place


ARN = "arn:aws:route53-recovery-control::111122223333:controlpanel/0123456789abcdef/routingcontrol/fedcba9876543210"
ZONE = f"""\
version: 1
hosted_zones:
  - name: h.test
    record_sets:
      - name: fo
        type: A
        ttl: 30
        members:
          - {{set_identifier: p, failover_routing_policy: {{type: PRIMARY}}, health_check_id: web,
             records: 192.0.2.1}}
          - {{set_identifier: s, failover_routing_policy: {{type: SECONDARY}}, records: 192.0.2.2}}
health_checks:
  - {{id: web, type: HTTP, fqdn: www.h.test, ip_address: 127.0.0.1, port: 8080, resource_path: /health}}
  - {{id: tcp, type: TCP, ip_address: "::1", port: 9, dnsemu: {{interval: 1500ms, checkers: 3}}}}
  - {{id: named, type: HTTPS_STR_MATCH, fqdn: nowhere.h.test, search_string: yes, failure_threshold: 1}}
  - {{id: mirrored, type: TCP, ip_address: 127.0.0.1, port: 9, invert_healthcheck: true}}
  - {{id: "off", type: TCP, ip_address: 127.0.0.1, port: 9, disabled: true}}
  - {{id: nay, type: TCP, ip_address: 127.0.0.1, port: 9, disabled: true, invert_healthcheck: true}}
  - {{id: both, type: CALCULATED, child_healthchecks: [web, tcp], child_health_threshold: 2}}
  - {{id: alarm, type: CLOUDWATCH_METRIC, cloudwatch_alarm_region: eu-west-1, cloudwatch_alarm_name: too much,
     insufficient_data_health_status: Unhealthy}}
  - {{id: control, type: RECOVERY_CONTROL, routing_control_arn: "{ARN}"}}
"""
OK = Observation(True, "Success: HTTP Status Code 200, OK", "127.0.0.1", 0.00125, None, 0.0305)
TCP_OK = Observation(True, "Success: TCP connection established", "::1", 0.001)
CLOSED = Observation(
    False, "Failure: The health checker could not establish a connection: connection refused.", "127.0.0.1"
)
UNRESOLVED = Observation(False, "Failure: DNS resolution failed: nowhere.h.test. does not exist")
TLS = Observation(False, "Failure: HTTP Status Code 503, Busy.", "127.0.0.1", 0.001, 0.02, 1.0)


@pytest.fixture(scope="module")
def _server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operated]:
    file = tmp_path_factory.mktemp("zones") / "health.yaml"
    file.write_text(ZONE)
    with operated(file) as server:
        yield server


@pytest.fixture
def server(_server: Operated) -> Operated:
    """A server with health checks of all kinds, of which nothing is known or forced."""
    operations = _server.server.operations
    checks = operations.served.configuration.health_checks
    _server.on_loop(operations.reset)
    _server.on_loop(lambda: (operations.monitor.replace(()), operations.monitor.replace(checks)))
    return _server


def said(server: Operated, kind: str, path: str, state: str) -> None:
    """An alarm or a routing control was heard of."""
    monitor = server.server.operations.monitor
    if kind == "alarm":
        region, _, name = path.partition("/")
        server.on_loop(lambda: monitor.set_alarm(region, name, state))
    else:
        server.on_loop(lambda: monitor.set_control(path, state))


# list


def read_table(text: str) -> dict[str, dict[str, str]]:
    """The rows of a table by their first cells; a cell begins below its title."""
    title, *lines = text.splitlines()
    begins = [found.start() for found in re.finditer(r"\S+", title)]
    names = title.split()
    rows = [
        {name: line[begin:end].strip() for name, begin, end in zip(names, begins, [*begins[1:], None], strict=True)}
        for line in lines
    ]
    for line in lines:
        assert all(line[begin - 1] == " " and line[begin] != " " for begin in begins[1:]), line
    return {row[names[0]]: row for row in rows}


def listed(server: Operated) -> dict[str, dict[str, str]]:
    done = server.dnsemu("health", "list")
    assert (done.exit_code, done.stderr) == (0, "")
    return read_table(done.stdout)


def test_nothing_is_known_at_first(server: Operated) -> None:
    rows = listed(server)
    assert {name: (row["TYPE"], row["STATUS"], row["WHY"]) for name, row in rows.items()} == {
        "web": ("HTTP", "healthy", "not probed yet"),
        "tcp": ("TCP", "healthy", "not probed yet"),
        "named": ("HTTPS_STR_MATCH", "healthy", "not probed yet"),
        "mirrored": ("TCP", "unhealthy", "not probed yet (inverted)"),
        "off": ("TCP", "healthy", "disabled"),
        "nay": ("TCP", "unhealthy", "disabled, and inverted"),
        "both": ("CALCULATED", "healthy", "2 of 2 children healthy, 2 needed"),
        "alarm": ("CLOUDWATCH_METRIC", "unhealthy", "alarm too much in eu-west-1: not heard of yet"),
        "control": ("RECOVERY_CONTROL", "healthy", "routing control fedcba9876543210: not heard of yet"),
    }
    for row in rows.values():
        assert re.fullmatch(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", row["SINCE"])


REFUSES = "could not establish a connection: connection refused."
WHY: dict[str, tuple[str, Callable[[Operated], object], str, str]] = {
    "a success": ("web", lambda s: s.observe("web", OK), "healthy", "HTTP Status Code 200, OK"),
    "a failure that is not yet one too many": ("web", lambda s: s.observe("web", CLOSED), "healthy", REFUSES),
    "a failure that is": (
        "named",
        lambda s: s.observe("named", UNRESOLVED),
        "unhealthy",
        "DNS resolution failed: nowhere.h.test. does not exist",
    ),
    "one of three checkers": (
        "tcp",
        lambda s: s.observe("tcp", CLOSED),
        "healthy",
        f"100 % of 3 checkers; {REFUSES}",
    ),
    "an inverted one": (
        "mirrored",
        lambda s: s.observe("mirrored", TCP_OK),
        "unhealthy",
        "TCP connection established (inverted)",
    ),
    "a child that is forced": (
        "both",
        lambda s: s.dnsemu("health", "force", "web", "unhealthy"),
        "unhealthy",
        "1 of 2 children healthy, 2 needed",
    ),
    "an alarm": (
        "alarm",
        lambda s: said(s, "alarm", "eu-west-1/too much", "OK"),
        "healthy",
        "alarm too much in eu-west-1: OK",
    ),
    "a routing control": (
        "control",
        lambda s: said(s, "control", "fedcba9876543210", "Off"),
        "unhealthy",
        "routing control fedcba9876543210: Off",
    ),
    "forced": ("web", lambda s: s.dnsemu("health", "force", "web", "unhealthy"), "unhealthy", "forced"),
    "forced for a reason": (
        "off",
        lambda s: s.dnsemu("health", "force", "off", "unhealthy", "--reason", "Grüße aus 東京: what if?"),
        "unhealthy",
        "forced: Grüße aus 東京: what if?",
    ),
    "forced for a reason in the words of checkers": (
        "off",
        lambda s: s.dnsemu("health", "force", "off", "unhealthy", "--reason", "Failure: The endpoint is ill"),
        "unhealthy",
        "forced: Failure: The endpoint is ill",
    ),
}


@pytest.mark.parametrize(
    "case",
    WHY,
)
def test_the_list_says_where_a_status_comes_from(server: Operated, case: str) -> None:
    check_id, happen, status, why = WHY[case]
    happen(server)
    row = listed(server)[check_id]
    assert (row["STATUS"], row["WHY"]) == (status, why)


def test_the_list_as_json_is_what_the_api_says(server: Operated) -> None:
    server.observe("web", OK)
    done = server.dnsemu("health", "list", "--format", "json")
    assert (done.exit_code, done.stderr) == (0, "")
    assert json.loads(done.stdout) == server.api("health-checks")["health_checks"]


@pytest.mark.parametrize("form", ["human", "json"])
def test_checks_are_listed_in_the_order_of_the_files(server: Operated, form: str) -> None:
    done = server.dnsemu("health", "list", "--format", form)
    names = [one["id"] for one in json.loads(done.stdout)] if form == "json" else list(read_table(done.stdout))
    assert names == re.findall(r"\{id: \"?(\w+)", ZONE)


def test_rows_of_ordinary_checks_fit_on_a_line(server: Operated) -> None:
    server.observe("web", CLOSED)
    server.observe("named", UNRESOLVED)
    server.observe("tcp", TCP_OK, TCP_OK, CLOSED)
    for line in server.dnsemu("health", "list").stdout.splitlines():
        assert len(line) < 120, line


@pytest.fixture
def other(tmp_path: Path) -> Callable[[str], Any]:
    """Makes a context with a server of other health checks."""

    def make(text: str) -> Any:
        (tmp_path / "other.yaml").write_text(f"version: 1\nhosted_zones: [{{name: h.test}}]\n{text}")
        return operated(tmp_path / "other.yaml")

    return make


def test_no_health_checks_are_no_table(other: Callable[[str], Any]) -> None:
    with other("") as server:
        done = server.dnsemu("health", "list")
        assert (done.exit_code, done.stdout, done.stderr) == (0, "", "There are no health checks.\n")
        done = server.dnsemu("health", "list", "--format", "json")
        assert (done.exit_code, json.loads(done.stdout), done.stderr) == (0, [], "")
        done = server.dnsemu("health", "clear", "--all")
        assert (done.exit_code, done.stdout, done.stderr) == (0, "", "Nothing is forced.\n")


ODD = ["a/b", "a b", "..", "a?b=c#d", "50%25", "x/override", "Größe", "健康檢查", "e\u0301", "-x", "a+b&c;d"]


def id_of(number: int) -> str:
    """For the names of tests: they are plain."""
    return f"odd-{number}"


@pytest.fixture(scope="module")
def odd(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Operated]:
    """A server whose checks are called strangely."""
    file = tmp_path_factory.mktemp("odd") / "odd.yaml"
    checks = [{"id": name, "type": "TCP", "ip_address": "127.0.0.1", "port": 9} for name in [*ODD, "y" * 64]]
    file.write_text(f"version: 1\nhosted_zones: [{{name: h.test}}]\nhealth_checks: {json.dumps(checks)}\n")
    with operated(file) as server:
        yield server


@pytest.mark.parametrize("number", range(len(ODD)), ids=id_of)
def test_any_id_can_be_shown_forced_and_cleared(odd: Operated, number: int) -> None:
    name = ODD[number]

    def health(word: str, *more: str) -> str:
        done = dnsemu("health", word, "--http", odd.place, "--", name, *more)
        assert (done.exit_code, done.stderr) == (0, "")
        return done.stdout

    assert health("show").startswith(f"{name} (TCP) is healthy since ")
    assert health("force", "unhealthy") == f"{name} is unhealthy, forced\n"
    assert [one["id"] for one in odd.api("health-checks")["health_checks"] if one["forced"]] == [name]
    assert health("clear") == f"{name} is healthy, not forced\n"


def columns(text: str) -> int:
    """How many columns of a terminal a text takes."""
    return sum(0 if unicodedata.combining(one) else 1 + (unicodedata.east_asian_width(one) in "WF") for one in text)


def test_columns_stand_below_each_other_whatever_the_ids(odd: Operated) -> None:
    title, *lines = odd.dnsemu("health", "list").stdout.splitlines()
    begin = columns(title[: title.index("TYPE")])
    assert {columns(line[: line.index("TCP")]) for line in lines} == {begin}


# show


def shown(server: Operated, check_id: str) -> str:
    """What is printed, with times as T."""
    done = server.dnsemu("health", "show", check_id)
    assert (done.exit_code, done.stderr) == (0, "")
    return re.sub(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "T", done.stdout)


SHOWN: dict[str, tuple[str, Callable[[Operated], object], str]] = {
    "with one checker": (
        "web",
        lambda s: s.observe("web", OK),
        """\
web (HTTP) is healthy since T
  why        Success: HTTP Status Code 200, OK
  endpoint   http://www.h.test:8080/health at 127.0.0.1
  interval   30 s, turned by 3 results in a row
  probes     1 succeeded, 0 failed
  turned     unhealthy never, healthy never
  checker    us-east-1: healthy
             Success: HTTP Status Code 200, OK
             T, 127.0.0.1, connect 1.25 ms, first byte 30.5 ms
""",
    ),
    "with several checkers, one of which has not probed": (
        "tcp",
        lambda s: s.observe("tcp", TCP_OK, CLOSED),
        """\
tcp (TCP) is healthy since T
  why        100 % of 3 checkers; Success: TCP connection established
  endpoint   tcp://[::1]:9
  interval   1.5 s, turned by 3 results in a row
  probes     1 succeeded, 1 failed
  turned     unhealthy never, healthy never
  checker    us-east-1: healthy
             Success: TCP connection established
             T, ::1, connect 1 ms
  checker    us-west-1: healthy
             Failure: The health checker could not establish a connection: connection refused.
             T, 127.0.0.1
  checker    us-west-2: healthy
             not probed yet
""",
    ),
    "without an address": (
        "named",
        lambda s: s.observe("named", UNRESOLVED),
        """\
named (HTTPS_STR_MATCH) is unhealthy since T
  why        Failure: DNS resolution failed: nowhere.h.test. does not exist
  endpoint   https://nowhere.h.test:443/
  interval   30 s, turned by 1 results in a row
  probes     0 succeeded, 1 failed
  turned     unhealthy once, healthy never
  checker    us-east-1: unhealthy
             Failure: DNS resolution failed: nowhere.h.test. does not exist
             T, no address
""",
    ),
    "with TLS": (
        "named",
        lambda s: s.observe("named", TLS),
        """\
named (HTTPS_STR_MATCH) is unhealthy since T
  why        Failure: HTTP Status Code 503, Busy.
  endpoint   https://nowhere.h.test:443/
  interval   30 s, turned by 1 results in a row
  probes     0 succeeded, 1 failed
  turned     unhealthy once, healthy never
  checker    us-east-1: unhealthy
             Failure: HTTP Status Code 503, Busy.
             T, 127.0.0.1, connect 1 ms, TLS 20 ms, first byte 1000 ms
""",
    ),
    "with children": (
        "both",
        lambda s: s.dnsemu("health", "force", "tcp", "unhealthy"),
        """\
both (CALCULATED) is unhealthy since T
  why        1 of 2 children healthy, 2 needed
  turned     unhealthy once, healthy never
  child      web is healthy
  child      tcp is unhealthy
""",
    ),
    "of an alarm": (
        "alarm",
        lambda s: said(s, "alarm", "eu-west-1/too much", "INSUFFICIENT_DATA"),
        """\
alarm (CLOUDWATCH_METRIC) is unhealthy since T
  why        alarm too much in eu-west-1: INSUFFICIENT_DATA
  turned     unhealthy never, healthy never
""",
    ),
    "forced for a while": (
        "web",
        lambda s: s.dnsemu("health", "force", "web", "unhealthy", "--for", "1h", "--reason", "what if"),
        """\
web (HTTP) is unhealthy since T
  why        forced: what if
  otherwise  healthy
  until      T
  endpoint   http://www.h.test:8080/health at 127.0.0.1
  interval   30 s, turned by 3 results in a row
  probes     0 succeeded, 0 failed
  turned     unhealthy once, healthy never
  checker    us-east-1: healthy
             not probed yet
""",
    ),
    "forced until it is cleared": (
        "control",
        lambda s: s.dnsemu("health", "force", "control", "healthy"),
        """\
control (RECOVERY_CONTROL) is healthy since T
  why        forced
  otherwise  healthy
  until      it is cleared
  turned     unhealthy never, healthy never
""",
    ),
}


@pytest.mark.parametrize("case", SHOWN)
def test_one_check_is_shown_whole(server: Operated, case: str) -> None:
    check_id, happen, text = SHOWN[case]
    happen(server)
    assert shown(server, check_id).replace("by 1 result ", "by 1 results ") == text


@pytest.mark.parametrize("check_id", ["web", "tcp", "both", "alarm", "control", "nay"])
def test_one_check_as_json_is_what_the_api_says(server: Operated, check_id: str) -> None:
    done = server.dnsemu("health", "show", check_id, "--format", "json")
    assert (done.exit_code, done.stderr) == (0, "")
    assert json.loads(done.stdout) == server.api(f"health-checks/{check_id}")


# force and clear


def test_what_is_forced_holds_when_the_command_ends(server: Operated) -> None:
    for status, value in [("unhealthy", "192.0.2.2"), ("healthy", "192.0.2.1"), ("unhealthy", "192.0.2.2")]:
        done = server.dnsemu("health", "force", "web", status)
        assert (done.exit_code, done.stdout, done.stderr) == (0, f"web is {status}, forced\n", "")
        assert server.ask("fo.h.test") == [value]
    done = server.dnsemu("health", "clear", "web")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "web is healthy, not forced\n", "")
    assert server.ask("fo.h.test") == ["192.0.2.1"]


@pytest.mark.parametrize(
    ("duration", "seconds"), [("30000ms", 30), ("30s", 30), ("90m", 5400), ("5400s", 5400), ("24h", 86400)]
)
def test_for_how_long_is_told_as_until_when(server: Operated, duration: str, seconds: int) -> None:
    done = server.dnsemu("health", "force", "tcp", "unhealthy", "--for", duration)
    check = server.api("health-checks/tcp")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == f"tcp is unhealthy, forced until {check['forced']['until']}\n"
    lasts = datetime.fromisoformat(check["forced"]["until"]) - datetime.fromisoformat(check["since"])
    assert abs(lasts.total_seconds() - seconds) < 0.1


def test_the_last_word_counts(server: Operated) -> None:
    server.dnsemu("health", "force", "web", "unhealthy", "--for", "1h", "--reason", "first")
    server.dnsemu("health", "force", "web", "healthy")
    assert server.api("health-checks/web")["forced"] == {"status": "healthy", "reason": "", "until": None}


def test_all_that_are_forced_are_cleared(server: Operated) -> None:
    server.observe("named", UNRESOLVED)
    for name in ("web", "named", "alarm"):
        server.dnsemu("health", "force", name, "healthy")
    done = server.dnsemu("health", "clear", "--all")
    assert (done.exit_code, done.stderr) == (0, "")
    assert sorted(done.stdout.splitlines()) == [
        "alarm is unhealthy, not forced",
        "named is unhealthy, not forced",
        "web is healthy, not forced",
    ]
    done = server.dnsemu("health", "clear", "--all")
    assert (done.exit_code, done.stdout, done.stderr) == (0, "", "Nothing is forced.\n")


def test_clearing_what_is_not_forced_is_no_mistake(server: Operated) -> None:
    done = server.dnsemu("health", "clear", "nay")
    assert (done.exit_code, done.output) == (0, "nay is unhealthy, not forced\n")


# Colour


@pytest.mark.parametrize(
    "words",
    [["list"], ["show", "web"], ["show", "both"], ["force", "web", "unhealthy"], ["clear", "web"]],
    ids=" ".join,
)
def test_colour_is_for_terminals(server: Operated, words: Sequence[str]) -> None:
    plain, coloured = [server.dnsemu("health", *words, color=color).stdout for color in (False, True)]
    assert "\x1b" not in plain
    assert "\x1b[32mhealthy" in coloured or "\x1b[31munhealthy" in coloured
    assert re.sub(r"\x1b\[\d+m", "", coloured) == plain


@pytest.mark.parametrize("words", [["list"], ["show", "web"]], ids=" ".join)
def test_a_reason_can_not_play_with_the_terminal(server: Operated, words: Sequence[str]) -> None:
    server.dnsemu("health", "force", "web", "unhealthy", "--reason", "one\x1b[2J\x9b31mtwo\nthree\rfour\x07")
    out = server.dnsemu("health", *words, color=True).stdout
    assert re.sub(r"\x1b\[[0-9]*m", "", out).replace("\n", "").isprintable()
    assert any(all(word in line for word in ("one", "two", "three", "four")) for line in out.splitlines())


# What can not be


REFUSED: dict[str, tuple[list[str], str]] = {
    "show unknown": (["health", "show", "nope"], "there is no health check 'nope'"),
    "force unknown": (["health", "force", "nope", "healthy"], "there is no health check 'nope'"),
    "clear unknown": (["health", "clear", "nope"], "there is no health check 'nope'"),
    "show in capitals": (["health", "show", "WEB"], "there is no health check 'WEB'"),
    "show with a slash": (["health", "show", "web/override"], "there is no health check 'web/override'"),
    "force for too long a reason": (
        ["health", "force", "web", "healthy", "--reason", "x" * 1025],
        "the body is not what it should be: reason: String should have at most 1024 characters",
    ),
}


@pytest.mark.parametrize("case", REFUSED)
def test_what_the_server_does_not_do_is_1(server: Operated, case: str) -> None:
    words, message = REFUSED[case]
    done = server.dnsemu(*words)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.splitlines()[-1] == f"dnsemu: {message}"


def test_for_centuries_is_possible_or_refused(server: Operated) -> None:
    done = server.dnsemu("health", "force", "web", "healthy", "--for", "99999999h")
    assert "bug" not in done.output
    assert server.dnsemu("health", "list").exit_code == 0


USAGE = {
    "": "Usage: ",
    "frobnicate": "No such command 'frobnicate'",
    "show": "Missing argument 'ID'",
    "show web tcp": "unexpected extra argument",
    "force web": "Missing argument",
    "force web sick": "'sick' is not one of 'healthy', 'unhealthy'",
    "force web Healthy": "'Healthy' is not one of 'healthy', 'unhealthy'",
    "force web healthy --for 0s": "0 is no time at all",
    "force web healthy --for 30": "write 500ms, 10s or 2m",
    "force web healthy --for 1.5s": "write 500ms, 10s or 2m",
    "force web healthy --for -1s": "write 500ms, 10s or 2m",
    "force web healthy --for soon": "write 500ms, 10s or 2m",
    "clear": "say which: ID, or --all",
    "clear web --all": "say which: ID, or --all",
    "list --format yaml": "'yaml' is not one of 'human', 'json'",
    "list --http ftp://127.0.0.1:8053": "is no URL of a server: write http://127.0.0.1:8053",
    "list --http https://127.0.0.1:8053": "is no URL of a server",
    "list --http 127.0.0.1:dns": "is no URL of a server",
    "list --http 127.0.0.1:65536": "is no URL of a server",
    "list --http 127.0.0.1:0": "is no URL of a server",
    "list --http ::1:8053": "is no URL of a server",
    "list --http http://127.0.0.1:8053/api/v1": "is no URL of a server",
    "list --http http://": "is no URL of a server",
}


@pytest.mark.parametrize("words", USAGE)
def test_wrong_words_are_2(words: str) -> None:
    done = dnsemu("health", *words.split())
    assert (done.exit_code, done.stdout) == (2, "")
    assert USAGE[words] in done.stderr


ALL = {
    "health list": [],
    "health show": ["web"],
    "health force": ["web", "healthy"],
    "health clear": ["web"],
    "health clear --all": [],
    "reload": [],
    "reset": [],
    "explain": ["fo.h.test"],
    "wait": ["--timeout", "1ms"],
}
"""All commands that need a server."""


@pytest.mark.parametrize("words", ALL)
def test_nobody_there_is_3(words: str, nobody: str) -> None:
    done = dnsemu(*words.split(), *ALL[words], "--http", nobody)
    assert (done.exit_code, done.stdout) == (3, "")
    assert done.stderr.startswith(f"dnsemu: no answer from http://{nobody}: Connection refused")
    assert len(done.stderr.splitlines()) == 1


@pytest.mark.parametrize("words", ALL)
def test_a_name_that_can_be_none_is_3(words: str) -> None:
    done = dnsemu(*words.split(), *ALL[words], "--http", f"http://{'a' * 64}.test:8053")
    assert (done.exit_code, done.stdout) == (3, "")


FOREIGN: dict[str, tuple[int, str, bytes]] = {
    "a page": (200, "text/html", b"<title>It works!</title>"),
    "a list": (200, "application/json", b"[]"),
    "an object": (200, "application/json", b"{}"),
    "null": (200, "application/json", b"null"),
    "no JSON": (200, "application/json", b"{nope"),
    "an error of another kind": (500, "application/json", b'{"error": {"code": 500, "message": null, "details": 7}}'),
    "details of another kind": (400, "application/json", b'{"error": {"message": "no", "details": [7]}}'),
}
"""What another web server may answer: a port is a number, and 8053 is nobody's."""
OTHER = "SimpleHTTP/0.6 Python/3.11.7"


@pytest.mark.parametrize(
    "case",
    FOREIGN,
)
def test_what_another_program_says_is_no_reason_for_a_traceback(case: str) -> None:
    def listed() -> tuple[int, str, int]:
        done = dnsemu("health", "list", "--http", there)
        return done.exit_code, done.stdout, len(done.stderr.splitlines())

    with web_server(lambda path: FOREIGN[case], OTHER) as there:
        assert listed() == (3, "", 1)
    gc.collect()  # so that it is this test which fails if a socket is still open


@pytest.mark.parametrize("words", ALL)
def test_another_program_there_is_as_if_nobody_were(words: str) -> None:
    with web_server(lambda path: FOREIGN["a page"], OTHER) as there:
        done = dnsemu(*words.split(), *ALL[words], "--http", there)
    assert (done.exit_code, done.stdout) == (3, "")
    assert len(done.stderr.splitlines()) == 1


def test_octets_that_are_no_text_are_as_if_nobody_were() -> None:
    with web_server(lambda path: (200, "application/json", b"\xff\xfe"), OTHER) as there:
        done = dnsemu("health", "list", "--http", there)
    assert (done.exit_code, done.stdout) == (3, "")


def test_a_connection_that_ends_is_as_if_nobody_were() -> None:
    """As of a proxy of a container engine, while nobody listens in the container."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        hanging_up = threading.Thread(target=lambda: listener.accept()[0].close())
        hanging_up.start()
        done = dnsemu("health", "list", "--http", f"127.0.0.1:{listener.getsockname()[1]}")
        hanging_up.join(PATIENCE)
    assert (done.exit_code, done.stdout) == (3, "")
    assert done.stderr.startswith("dnsemu: no answer from http://127.0.0.1:")


@pytest.mark.parametrize(
    ("status", "code", "message"),
    [
        (403, "forbidden", "192.0.2.7 may not change anything: call it from this machine"),
        (409, "conflict", "what is served does not come from files"),
        (503, "busy", "64 are listening already"),
    ],
)
@pytest.mark.parametrize("words", ["health force", "health clear", "reload", "reset"])
def test_a_refusal_is_1_and_is_told(words: str, status: int, code: str, message: str) -> None:
    body = json.dumps({"error": {"code": code, "message": message, "details": [{"message": "one reason"}]}})
    with web_server(lambda path: (status, "application/json", body.encode())) as there:
        done = dnsemu(*words.split(), *ALL[words], "--http", there)
    assert (done.exit_code, done.stdout, done.stderr) == (1, "", f"one reason\ndnsemu: {message}\n")


def test_the_place_may_be_written_as_a_url(server: Operated) -> None:
    for place in (
        f"http://{server.place}",
        f"http://{server.place}/",
        server.place.replace("127.0.0.1", "localhost"),
    ):
        assert dnsemu("health", "list", "--http", place).exit_code == 0


def test_proxies_are_left_out(server: Operated, nobody: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server is here or in a container beside; no proxy knows it."""
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, f"http://{nobody}")
    monkeypatch.delenv("no_proxy", raising=False)
    assert server.dnsemu("health", "list").exit_code == 0
