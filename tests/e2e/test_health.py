"""Failover as it is: endpoints are killed and revived, and dig, events, metrics and commands tell the same of it."""

from __future__ import annotations

import json
import re
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from pathlib import Path
from typing import Any

import click
import pytest
from click.testing import CliRunner
from e2e.launch import PATIENCE, need
from e2e.test_dig import dig
from e2e.test_operating import operated, until
from health.endpoints import make_identity, need_ipv6

from dnsemu.cli import explain, health, wait

pytestmark = pytest.mark.e2e


class Endpoint:
    """A server that answers 200 to whatever it is asked, as long as it lives; its port is its own, dead or alive."""

    def __init__(self, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None) -> None:
        self._address: tuple[str, int] = (host, 0)
        self._tls = tls
        self._threads: list[threading.Thread] = []
        self.asked = 0
        self.lives = False
        self._hold()

    @property
    def port(self) -> int:
        return self._address[1]

    def revive(self) -> None:
        self.lives = True
        self._sock.listen()
        self._threads.append(threading.Thread(target=self._serve, args=(self._sock,)))
        self._threads[-1].start()

    def kill(self) -> None:
        """Whoever connects is refused from now on."""
        self.lives = False
        with suppress(OSError):  # on a Mac there is nothing to shut down
            self._sock.shutdown(socket.SHUT_RDWR)
        self._sock.close()
        self._hold()

    def end(self) -> None:
        self.kill()
        self._sock.close()
        for thread in self._threads:
            thread.join(PATIENCE)

    def _hold(self) -> None:
        self._sock = socket.socket(socket.AF_INET6 if ":" in self._address[0] else socket.AF_INET)
        self._sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._sock.bind(self._address)
        self._address = self._sock.getsockname()[:2]

    def _serve(self, listener: socket.socket) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            with connection, suppress(OSError):
                connection.settimeout(PATIENCE)
                if self._tls is None:
                    self._answer(connection)
                else:
                    with self._tls.wrap_socket(connection, server_side=True) as secure:
                        self._answer(secure)

    def _answer(self, connection: socket.socket) -> None:
        request = b""
        while not request.endswith(b"\r\n\r\n"):
            octets = connection.recv(4096)
            if not octets:  # it only wanted to connect
                break
            request += octets
        self.asked += 1
        connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\nall is well")


PLACES = {"http": "127.0.0.1", "https": "127.0.0.1", "tcp": "127.0.0.1", "named": "127.0.0.1", "six": "::1"}
"""Health checks, each of an endpoint of its own there."""

CHECKS = {
    "http": "type: HTTP, ip_address: 127.0.0.1, fqdn: www.example.com, resource_path: /health",
    "https": "type: HTTPS_STR_MATCH, ip_address: 127.0.0.1, search_string: is well",
    "tcp": "type: TCP, ip_address: 127.0.0.1",
    "named": "type: HTTP, fqdn: app.h.test",
    "six": 'type: TCP, ip_address: "::1"',
}
NAMES = """\
      - {name: app, type: A, ttl: 30, records: 127.0.0.1}
      - name: mv
        type: A
        ttl: 30
        members:
          - {set_identifier: a, multivalue_answer_routing_policy: true, health_check_id: http, records: 192.0.2.31}
          - {set_identifier: b, multivalue_answer_routing_policy: true, health_check_id: tcp, records: 192.0.2.32}
          - {set_identifier: c, multivalue_answer_routing_policy: true, health_check_id: named, records: 192.0.2.33}
      - name: w
        type: A
        ttl: 30
        members:
          - {set_identifier: a, weighted_routing_policy: {weight: 1}, health_check_id: http, records: 192.0.2.41}
          - {set_identifier: b, weighted_routing_policy: {weight: 1}, health_check_id: tcp, records: 192.0.2.42}
          - {set_identifier: c, weighted_routing_policy: {weight: 0}, health_check_id: named, records: 192.0.2.43}
"""
FAILOVER = """\
      - name: {check}
        type: A
        ttl: 30
        members:
          - {{set_identifier: p, failover_routing_policy: {{type: PRIMARY}}, health_check_id: {check},
             records: 192.0.2.1}}
          - {{set_identifier: s, failover_routing_policy: {{type: SECONDARY}}, records: 192.0.2.2}}
"""
BOTH = "  - {id: both, type: CALCULATED, child_healthchecks: [http, tcp], child_health_threshold: 1}\n"


class World:
    """A server, the endpoints that it probes, and the file that it serves."""

    def __init__(self, folder: Path, stack: ExitStack) -> None:
        identity = make_identity(folder, "nobody.example")
        self.endpoints = {
            check: Endpoint(host, identity.tls() if check == "https" else None)
            for check, host in PLACES.items()
            if host != "::1" or _has_ipv6()
        }
        for endpoint in self.endpoints.values():
            stack.callback(endpoint.end)
            endpoint.revive()
        self.file = folder / "h.yaml"
        self.file.write_text(self._zone())
        self.server = stack.enter_context(operated(zones=self.file))

    def _zone(self) -> str:
        names = NAMES + "".join(FAILOVER.format(check=check) for check in [*self.endpoints, "both"])
        checks = BOTH + "".join(
            f"  - {{id: {check}, {CHECKS[check]}, port: {endpoint.port}, dnsemu: {{interval: 100ms}}}}\n"
            for check, endpoint in self.endpoints.items()
        )
        return f"version: 1\nhosted_zones:\n  - name: h.test\n    record_sets:\n{names}health_checks:\n{checks}"

    def dig(self, name: str) -> set[str]:
        """The values that dig prints."""
        return {line.split()[-1] for line in dig(self.server.launched, f"{name}.h.test").answer}

    def dnsemu(self, command: click.Command, *words: str) -> str:
        """What a command prints."""
        done = CliRunner().invoke(command, [*words, "--http", self.server.place])
        assert (done.exit_code, done.stderr) == (0, ""), done.output
        return done.stdout

    def kill(self, *checks: str) -> None:
        """Until it has come around."""
        with self.server.events() as events:
            for check in checks:
                self.endpoints[check].kill()
            left = set(checks)
            while left:
                left.discard(events.until("transition", status="unhealthy")["health_check_id"])

    def revive(self, *checks: str) -> None:
        """Until it has come around."""
        for check in checks:
            self.endpoints[check].revive()
        wanted = [word for check in checks for word in ("--healthy", check)]
        assert self.dnsemu(wait.command, *wanted, "--timeout", "20s") == ""


def _has_ipv6() -> bool:
    with suppress(OSError), socket.socket(socket.AF_INET6) as sock:
        sock.bind(("::1", 0))
        return True
    return False


@pytest.fixture(scope="module")
def _world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    with ExitStack() as stack:
        yield World(tmp_path_factory.mktemp("health"), stack)


@pytest.fixture
def world(_world: World) -> World:
    """All endpoints live, each check has probed, and nothing is forced."""
    need("dig", "bind9-dnsutils")
    for endpoint in _world.endpoints.values():
        if not endpoint.lives:  # a test has failed
            endpoint.revive()
    CliRunner().invoke(health.command, ["clear", "--all", "--http", _world.server.place])
    until(lambda: all(seen["success"] for check in _checks(_world) for seen in _observed(check)))
    until(lambda: {check["status"] for check in _checks(_world)} == {"healthy"})
    return _world


def _checks(world: World) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = world.server.call("GET", "/api/v1/health-checks")[1]["health_checks"]
    return found


def _observed(check: dict[str, Any]) -> list[dict[str, Any]]:
    return [checker["observation"] or {"success": False} for checker in check["checkers"]]


UP, DOWN = {"192.0.2.1"}, {"192.0.2.2"}


@pytest.mark.parametrize("check", PLACES)
def test_answers_follow_an_endpoint(world: World, check: str) -> None:
    if PLACES[check] == "::1":
        need_ipv6()
    kind = re.search(r"type: (\w+)", CHECKS[check])
    assert kind
    assert world.dig(check) == UP
    before = world.server.metrics()
    with world.server.events() as events:
        world.kill(check)
        died = events.until("transition", health_check_id=check)
        until(lambda: world.dig(check) == DOWN)
        shown = json.loads(world.dnsemu(health.command, "show", check, "--format", "json"))
        during = world.server.metrics()
        why = world.dnsemu(explain.command, f"{check}.h.test")
        listed = world.dnsemu(health.command, "list").splitlines()
        world.revive(check)
        revived = events.until("transition", health_check_id=check)
        until(lambda: world.dig(check) == UP)
    after = world.server.metrics()

    refused = "Failure: The health checker could not establish a connection: connection refused."
    assert (died["status"], revived["status"]) == ("unhealthy", "healthy")
    assert died["why"] == refused
    assert revived["why"].startswith("Success: ")
    for line in (
        f"health check {check} is UNHEALTHY: {died['why']}",
        f"health check {check} is healthy: {revived['why']}",
    ):
        assert line in world.server.launched.wait_for_log(line)
    assert (shown["status"], shown["since"], shown["forced"]) == ("unhealthy", died["at"], None)
    assert shown["checkers"][0]["observation"]["text"] == refused
    assert re.search(rf"^  - p +PRIMARY +UNHEALTHY \(health check {check}\) +192\.0\.2\.1$", why, re.MULTILINE)
    row = next(line.split() for line in listed if line.split()[0] == check)
    assert row[:3] == [check, kind[1], "unhealthy"]
    status = f'dnsemu_health_check_status{{health_check_id="{check}",type="{kind[1]}"}}'
    member = f'dnsemu_record_set_healthy{{name="{check}.h.test.",set_identifier="p",type="A",zone="h.test."}}'
    for series in (status, _ordered(during, member)):
        assert (before[series], during[series], after[series]) == (1, 0, 1)
    turned = 'dnsemu_health_check_transitions_total{health_check_id="%s",to="%s"}'
    assert [after[turned % (check, to)] - before[turned % (check, to)] for to in ("unhealthy", "healthy")] == [1, 1]
    failed = f'dnsemu_health_check_probes_total{{health_check_id="{check}",result="failure"}}'
    assert after[failed] - before[failed] >= 3


def _ordered(metrics: dict[str, float], series: str) -> str:
    """A series as it is written, whatever the order of its labels."""
    name, labels = series[:-1].split("{")
    wanted = sorted(labels.split(","))
    (found,) = [
        one for one in metrics if one.startswith(f"{name}{{") and sorted(one[len(name) + 1 : -1].split(",")) == wanted
    ]
    return found


def test_answers_of_groups_follow_their_endpoints(world: World) -> None:
    assert world.dig("mv") == {"192.0.2.31", "192.0.2.32", "192.0.2.33"}
    assert {world.server.value("w.h.test") for _ in range(40)} == {"192.0.2.41", "192.0.2.42"}
    world.kill("http")
    until(lambda: world.dig("mv") == {"192.0.2.32", "192.0.2.33"})
    assert {world.server.value("w.h.test") for _ in range(20)} == {"192.0.2.42"}
    assert world.dig("both") == UP
    world.kill("tcp")
    until(lambda: world.dig("mv") == {"192.0.2.33"})
    assert {world.server.value("w.h.test") for _ in range(20)} == {"192.0.2.43"}, (
        "the one of weight 0 is what is left"
    )
    assert world.dig("both") == DOWN
    world.kill("named")
    until(lambda: world.dig("mv") == {"192.0.2.31", "192.0.2.32", "192.0.2.33"})
    assert {world.server.value("w.h.test") for _ in range(40)} == {"192.0.2.41", "192.0.2.42"}, (
        "all considered healthy"
    )
    world.revive("tcp")
    until(lambda: world.dig("mv") == {"192.0.2.32"})
    assert world.dig("both") == UP
    world.revive("http", "named")
    until(lambda: world.dig("mv") == {"192.0.2.31", "192.0.2.32", "192.0.2.33"})


def test_what_is_forced_is_above_what_is_probed(world: World) -> None:
    with world.server.events() as events:
        world.dnsemu(health.command, "force", "tcp", "unhealthy", "--reason", "drill")
        assert world.dig("tcp") == DOWN
        assert events.until("transition", health_check_id="tcp")["why"] == "forced: drill"
    metrics = world.server.metrics()
    assert metrics['dnsemu_health_check_forced{health_check_id="tcp"}'] == 1
    assert metrics['dnsemu_overrides{kind="health"}'] == 1
    world.endpoints["tcp"].kill()
    until(
        lambda: (
            not _observed(_check(world, "tcp"))[0]["success"]
            and _check(world, "tcp")["unforced_status"] == "unhealthy"
        )
    )
    world.dnsemu(health.command, "force", "tcp", "healthy")
    assert world.dig("tcp") == UP
    assert world.dnsemu(health.command, "clear", "tcp") == "tcp is unhealthy, not forced\n"
    assert world.dig("tcp") == DOWN
    world.revive("tcp")
    assert world.server.metrics()['dnsemu_overrides{kind="health"}'] == 0


def _check(world: World, check: str) -> dict[str, Any]:
    found: dict[str, Any] = world.server.call("GET", f"/api/v1/health-checks/{check}")[1]
    return found


def test_a_reload_forgets_no_status(world: World) -> None:
    world.kill("http")
    until(lambda: world.dig("http") == DOWN)
    text = world.file.read_text()
    world.file.write_text(text.replace("192.0.2.2}", "192.0.2.99}"))
    until(lambda: world.server.value("http.h.test") != "192.0.2.2")
    assert world.dig("http") == {"192.0.2.99"}
    assert _check(world, "http")["transitions"]["unhealthy"] >= 1
    world.file.write_text(text)
    until(lambda: world.server.value("http.h.test") != "192.0.2.99")
    assert world.dig("http") == DOWN
    world.revive("http")
    assert world.dig("tcp") == UP


def test_all_tell_the_same(world: World) -> None:
    """Probes go on meanwhile, so counts are compared as lower and upper bounds."""
    asked = {check: endpoint.asked for check, endpoint in world.endpoints.items()}
    first = {check["id"]: check for check in _checks(world)}
    metrics = world.server.metrics()
    last = {check["id"]: check for check in json.loads(world.dnsemu(health.command, "list", "--format", "json"))}
    assert list(first) == list(last)
    for check in world.endpoints:
        for result in ("success", "failure"):
            counted = metrics[f'dnsemu_health_check_probes_total{{health_check_id="{check}",result="{result}"}}']
            assert first[check]["probes"][result] <= counted <= last[check]["probes"][result]
        assert sum(last[check]["probes"].values()) >= asked[check] - 1
        for to in ("healthy", "unhealthy"):
            counted = metrics[f'dnsemu_health_check_transitions_total{{health_check_id="{check}",to="{to}"}}']
            assert first[check]["transitions"][to] == counted == last[check]["transitions"][to]
        kind = first[check]["type"]
        assert metrics[f'dnsemu_health_check_status{{health_check_id="{check}",type="{kind}"}}'] == 1
        assert metrics[f'dnsemu_health_check_percentage_healthy{{health_check_id="{check}"}}'] == 100
        phases = re.findall(
            rf'_probe_duration_seconds_count{{health_check_id="{check}",phase="(\w+)"}}', "\n".join(metrics)
        )
        assert phases == ["connect", "tls", "first_byte"] if check == "https" else phases[0] == "connect"
    assert metrics['dnsemu_health_check_children_healthy{health_check_id="both"}'] == 2


def test_it_is_asked_by_name_and_by_host(world: World) -> None:
    """What dig, curl and a checker on AWS would be given: the name is resolved by the served zone itself."""
    (seen,) = _observed(_check(world, "named"))
    assert seen["address"] == "127.0.0.1"
    assert _check(world, "named")["endpoint"] == f"http://app.h.test:{world.endpoints['named'].port}/"
    began = time.monotonic()
    assert world.dnsemu(wait.command, "--healthy", "named", "--healthy", "both") == ""
    assert time.monotonic() - began < PATIENCE
