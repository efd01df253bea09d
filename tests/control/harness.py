"""A whole server within reach: its HTTP API called, its DNS asked, its events listened to, its loop looked into."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from email.message import Message
from http.client import HTTPConnection
from ipaddress import ip_network
from pathlib import Path
from typing import Any, NamedTuple, TypeVar
from urllib.parse import quote

import dns.edns
import dns.message
import dns.query
import dns.rdatatype

from dnsemu.app import Loaded, Server, Settings, load, load_text
from dnsemu.app.operations import Operations
from dnsemu.health import Observation
from dnsemu.model import HealthCheck
from dnsemu.server import Endpoint

PATIENCE = 20.0  # seconds until a test gives up; nothing waits that long where all is well
ROOT = Path(__file__).resolve().parents[2]
ALL_POLICIES = ROOT / "zones" / "all-policies.yaml"
UP, DOWN = "192.0.2.1", "192.0.2.2"  # what `fo.test` answers for a check that is healthy, and for one that is not
ARN = "arn:aws:route53-recovery-control::123456789012:controlpanel/0123456789abcdef/routingcontrol/cell-1"
CHECKS: dict[str, dict[str, Any]] = {
    "web": {},
    "api": {},
    "resting": {"disabled": True},
    "mirrored": {"invert_healthcheck": True, "dnsemu": {"initial_status": "unhealthy"}},
    "both": {"type": "CALCULATED", "child_healthchecks": ["web", "api"], "child_health_threshold": 2},
    "alarm": {
        "type": "CLOUDWATCH_METRIC",
        "cloudwatch_alarm_region": "eu-west-1",
        "cloudwatch_alarm_name": "load/p 99 % é",
        "insufficient_data_health_status": "LastKnownStatus",
    },
    "cell": {"type": "RECOVERY_CONTROL", "routing_control_arn": ARN},
}
ODD_IDS = (
    "a b",
    "a/b",
    "/",
    "ümläut ☃",
    "50%2F",
    "%",
    "x/override",
    "override",
    "a?b=c#d",
    "a+b",
    "...",
    "a;b,c&d",
    "'\"",
)
T = TypeVar("T")


def flow(value: object) -> str:
    """A value as YAML, on one line: JSON is YAML."""
    return json.dumps(value)


def failover(number: int, check_id: str) -> str:
    """A name, `n0` for the first, that answers by the health of a check."""
    members = [
        {
            "set_identifier": "p",
            "failover_routing_policy": {"type": "PRIMARY"},
            "health_check_id": check_id,
            "records": UP,
        },
        {"set_identifier": "s", "failover_routing_policy": {"type": "SECONDARY"}, "records": DOWN},
    ]
    return flow({"name": f"n{number}", "type": "A", "ttl": 60, "members": members})


def checks_zone(checks: Mapping[str, Mapping[str, Any]]) -> str:
    """A zone fo.test with a name for each of some checks, TCP checks if nothing else is said of them."""
    names = "\n".join(f"      - {failover(number, check_id)}" for number, check_id in enumerate(checks))
    written = "\n".join(f"  - {flow({'id': check_id, **_whole(keys)})}" for check_id, keys in checks.items())
    return f"version: 1\nhosted_zones:\n  - name: fo.test\n    record_sets:\n{names}\nhealth_checks:\n{written}\n"


def _whole(keys: Mapping[str, Any]) -> Mapping[str, Any]:
    return keys if "type" in keys else {"type": "TCP", "ip_address": "127.0.0.1", "port": 9, **keys}


PLACES = """
version: 1
dnsemu:
  seed: 7
  places:
    alice: {country: DE}
    tenant: {vpc_id: vpc-lab}
  locations:
    - {cidr: 203.0.113.0/24, country: JP}
    - {cidr: 203.0.113.0/28, country: AU}
  vpcs:
    - {vpc_id: vpc-lab, vpc_region: eu-west-1, cidr_blocks: [127.0.0.2/32]}
    - {vpc_id: vpc-far, vpc_region: ap-southeast-2}
hosted_zones:
  - name: t.test
    record_sets:
      - {name: which, type: TXT, ttl: 60, records: '"public"'}
      - name: geo
        type: TXT
        ttl: 60
        members:
          - {set_identifier: de, geolocation_routing_policy: {country: DE}, records: '"DE"'}
          - {set_identifier: jp, geolocation_routing_policy: {country: JP}, records: '"JP"'}
          - {set_identifier: au, geolocation_routing_policy: {country: AU}, records: '"AU"'}
          - {set_identifier: wa, geolocation_routing_policy: {country: US, subdivision: WA}, records: '"US-WA"'}
          - {set_identifier: us, geolocation_routing_policy: {country: US}, records: '"US"'}
          - {set_identifier: af, geolocation_routing_policy: {continent: AF}, records: '"AF"'}
          - {set_identifier: rest, geolocation_routing_policy: {country: "*"}, records: '"elsewhere"'}
      - name: far
        type: TXT
        ttl: 60
        members:
          - {set_identifier: ie, latency_routing_policy: {region: eu-west-1}, records: '"eu-west-1"'}
          - {set_identifier: au, latency_routing_policy: {region: ap-southeast-2}, records: '"ap-southeast-2"'}
          - {set_identifier: va, latency_routing_policy: {region: us-east-1}, records: '"us-east-1"'}
  - name: t.test
    vpc: [{vpc_id: vpc-lab}]
    record_sets:
      - {name: which, type: TXT, ttl: 60, records: '"vpc-lab"'}
      - name: far
        type: TXT
        ttl: 60
        members:
          - {set_identifier: ie, latency_routing_policy: {region: eu-west-1}, records: '"eu-west-1"'}
          - {set_identifier: au, latency_routing_policy: {region: ap-southeast-2}, records: '"ap-southeast-2"'}
  - name: t.test
    vpc: [{vpc_id: vpc-far}]
    record_sets:
      - {name: which, type: TXT, ttl: 60, records: '"vpc-far"'}
"""
"""Names that tell where their client is (`geo`, `far`), and which zone answers (`which`)."""


class Reply(NamedTuple):
    """An answer to an HTTP request."""

    status: int
    headers: Message
    body: bytes

    @property
    def json(self) -> Any:
        """What a JSON answer says."""
        assert self.headers["Content-Type"] == "application/json; charset=utf-8"
        return json.loads(self.body)

    @property
    def ok(self) -> Any:
        """The same of an answer that must be 200."""
        assert self.status == 200, self.body
        return self.json

    @property
    def error(self) -> dict[str, Any]:
        """Of a refusal: code, message and details, in the one shape that all of them have."""
        assert self.status >= 400, self.body
        assert list(self.json) == ["error"]
        error: dict[str, Any] = self.json["error"]
        assert list(error) == ["code", "message", "details"]
        assert isinstance(error["details"], list)
        assert all(isinstance(detail["message"], str) for detail in error["details"])
        return error


class Operated:
    """A server on a loop in a thread of its own. It probes nothing unless it is told to."""

    def __init__(self, server: Server) -> None:
        self.server = server
        self.loop = asyncio.new_event_loop()
        self._is_closed = False
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)

    def begin(self) -> None:
        async def begin() -> None:
            await self.server.start()
            await self.server.operate()

        self._thread.start()
        self.run(begin())

    def end(self) -> None:
        """Close everything; once more does nothing."""
        if self.loop.is_closed():
            return
        self.close()
        self.run(self._leave_nothing())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(PATIENCE)
        self.loop.close()

    def close(self) -> None:
        """Close the server, while its loop goes on; once more does nothing."""
        if not self._is_closed:
            self._is_closed = True
            self.run(self.server.close())

    async def _leave_nothing(self) -> None:
        """Nothing of the server goes on but what ends soon: aiohttp waits for bodies of clients who have left."""
        left = asyncio.all_tasks() - {asyncio.current_task()}
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
        names = {getattr(task.get_coro(), "__qualname__", "") for task in left}
        assert names <= {"RequestHandler.start", "_tell_queries"}, names

    def run(self, coroutine: Any) -> Any:
        """What a coroutine returns, run on the server's loop."""
        return asyncio.run_coroutine_threadsafe(coroutine, self.loop).result(PATIENCE)

    def on_loop(self, function: Callable[[], T]) -> T:
        """What `function` returns, called between two events."""

        async def call() -> T:
            return function()

        result: T = self.run(call())
        return result

    @property
    def operations(self) -> Operations:
        return self.server.operations

    @property
    def http(self) -> tuple[str, int]:
        """Where it listens for HTTP."""
        assert self.server.http is not None
        return self.server.http

    @property
    def dns(self) -> tuple[str, int]:
        """Where it listens for DNS."""
        return self.server.endpoints[0]

    @property
    def url(self) -> str:
        return f"http://{self.server.http}"

    # HTTP

    def call(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        octets: bytes | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> Reply:
        """One request: a `body` as JSON, or `octets` as they are."""
        if body is not None:
            octets = json.dumps(body).encode()
        connection = HTTPConnection(*self.http, timeout=PATIENCE)
        try:
            connection.request(method, path, octets, dict(headers or {}))
            reply = connection.getresponse()
            return Reply(reply.status, reply.headers, reply.read())
        finally:
            connection.close()

    def do(self, method: str, path: str, body: object = None) -> Any:
        """One request that must succeed, and what it gives."""
        return self.call(method, path, body).ok

    def raw(self, *parts: bytes) -> bytes:
        """What comes back for octets until the connection ends, which the server has to see to."""
        with self.connected() as sock:
            with suppress(ConnectionError):
                for part in parts:
                    sock.sendall(part)
            return read_all(sock)

    @contextmanager
    def connected(self) -> Iterator[socket.socket]:
        """A connection to the HTTP port."""
        with socket.create_connection(self.http, PATIENCE) as sock:
            yield sock

    def force(self, check_id: str, status: str, **more: str) -> Any:
        """Force a health check."""
        return self.call("PUT", f"{check_path(check_id)}/override", {"status": status, **more}).ok

    def place(self, block: str, **where: object) -> Any:
        """Set a place."""
        return self.call("PUT", place_path(block), where).ok

    @contextmanager
    def listening(self) -> Iterator[Events]:
        """Its events; it is listened to from the start of the block on."""
        connection = HTTPConnection(*self.http, timeout=PATIENCE)
        try:
            connection.request("GET", "/api/v1/events")
            yield Events(connection.getresponse())
        finally:
            connection.close()

    # DNS

    def ask(
        self, name: str, rdtype: str = "A", *, source: str | None = None, subnet: str | None = None, tcp: bool = False
    ) -> dns.message.Message:
        """The answer to a question over UDP, or over TCP."""
        options = [dns.edns.ECSOption.from_text(subnet)] if subnet else []
        question = dns.message.make_query(name, rdtype, use_edns=0, payload=4096, options=options)
        host, port = self.dns
        asked = dns.query.tcp if tcp else dns.query.udp
        return asked(question, host, PATIENCE, port, source)

    def values(self, name: str, rdtype: str = "A", **how: Any) -> list[str]:
        """The values of that type in the answer, in the order in which they came."""
        wanted = dns.rdatatype.from_text(rdtype)
        return [
            str(value) for rrset in self.ask(name, rdtype, **how).answer if rrset.rdtype == wanted for value in rrset
        ]

    def text(self, name: str, **how: Any) -> str:
        """The one text of a TXT record."""
        (value,) = self.values(name, "TXT", **how)
        return value.strip('"')

    def seems(self, check_id: str, checks: Mapping[str, Any] = CHECKS) -> str:
        """The status of a check, as DNS answers by it."""
        (value,) = self.values(f"n{list(checks).index(check_id)}.fo.test")
        return {UP: "healthy", DOWN: "unhealthy"}[value]


class Event(NamedTuple):
    """A server-sent event."""

    kind: str
    content: dict[str, Any]


class Events:
    """A stream of server-sent events, read as strictly as the format was meant (WHATWG HTML 9.2.6)."""

    def __init__(self, response: Any) -> None:
        self.response = response
        assert response.status == 200, response.read()
        assert response.headers["Content-Type"] == "text/event-stream"
        assert response.headers["Cache-Control"] == "no-store"
        self.comments = 0
        while not self.comments:  # the first one comes when it listens
            self._line()

    def next(self) -> Event:
        """The next event."""
        event = self.next_or_end()
        assert event is not None, "the stream has ended"
        return event

    def next_or_end(self) -> Event | None:
        """The next event; None when the stream ends."""
        fields: dict[str, str] = {}
        while True:
            line = self._line()
            if line is None:
                assert not fields, "the stream ends within an event"
                return None
            if line:
                name, colon, value = line.partition(": ")
                assert colon, line
                assert name in ("event", "data"), line
                assert name not in fields, "one line of each"
                fields[name] = value
            elif fields:
                assert list(fields) == ["event", "data"]
                content = json.loads(fields["data"])
                assert isinstance(content, dict)
                return Event(fields["event"], content)

    def until(self, kind: str, **content: object) -> Event:
        """The next event of a kind, with these values in it."""
        deadline = time.monotonic() + PATIENCE
        while True:
            event = self.next()
            if event.kind == kind and content.items() <= event.content.items():
                return event
            assert time.monotonic() < deadline, f"no such {kind}"

    def _line(self) -> str | None:
        """The next line that is no comment; None at the end."""
        while True:
            octets = self.response.readline()
            if not octets:
                return None
            assert octets.endswith(b"\n"), octets
            line: str = octets.decode("utf-8").removesuffix("\n")
            assert "\r" not in line, line
            if not line.startswith(":"):
                return line
            self.comments += 1
            if self.comments == 1:
                return ""


def check_path(check_id: str) -> str:
    """Of a health check."""
    return f"/api/v1/health-checks/{quote(check_id, safe='')}"


def place_path(block: str) -> str:
    """Of a place."""
    return f"/api/v1/places/{quote(block, safe='')}"


def read_all(sock: socket.socket) -> bytes:
    """What comes until the connection ends, however it ends."""
    octets = b""
    with suppress(ConnectionResetError):
        while more := sock.recv(65536):
            octets += more
    return octets


@contextmanager
def operated(
    text: str | None = None,
    *,
    path: Path | None = None,
    seed: int | None = None,
    allowed: Sequence[str] = (),
    host: str = "127.0.0.1",
    probes: bool = False,
) -> Iterator[Operated]:
    """A server for the length of a block, that serves a `text`, or a `path` that it can read again.

    Unless it `probes`, probing takes for ever, and nothing is sent.
    """

    def read() -> Loaded:
        return load([path]) if path is not None else load_text(text or "")

    settings = Settings(
        http=Endpoint(host, 0),
        allow_control=[ip_network(block) for block in allowed],
        read=read if path is not None else None,
        watcher=None,
    )
    server = Operated(Server(read(), [Endpoint(host, 0)], seed, settings=settings))
    if not probes:
        server.operations.monitor._probe = _for_ever
    server.begin()
    try:
        yield server
    finally:
        server.end()


@contextmanager
def endpoint() -> Iterator[socket.socket]:
    """Somebody who takes TCP connections, for a health check; closed, he takes none."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        yield sock


def anew(server: Operated) -> Operated:
    """The same, without what was said and asked."""
    server.on_loop(server.operations.reset)
    return server


async def _for_ever(check: HealthCheck) -> Observation:
    await asyncio.get_running_loop().create_future()
    raise AssertionError("nobody ends it")
