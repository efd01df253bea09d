"""What is sent by mistake or to do harm: it is refused, and the server goes on answering DNS and HTTP."""

from __future__ import annotations

import gzip
import json
import logging
import random
import re
import socket
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, suppress

import pytest
from control.harness import CHECKS, Operated, check_path, checks_zone, operated, read_all
from properties.strategies import EXPLORE

from dnsemu.app import descriptors
from dnsemu.control import listener, routes

MIB = 1 << 20
FORCE = f"{check_path('web')}/override"
CLOSE = b"Host: 127.0.0.1\r\nConnection: close\r\n"


@pytest.fixture
def server(checks: Operated) -> Iterator[Operated]:
    """It has to be as well after each test as before."""
    yield checks
    assert_well(checks)
    assert checks.seems("web") == "healthy"


def assert_well(server: Operated) -> None:
    """It answers, over UDP, TCP and HTTP."""
    assert server.values("n2.fo.test")
    assert server.values("n2.fo.test", tcp=True)
    assert server.call("GET", "/healthz").status == 200


def chunked(octets: bytes, size: int = 65536) -> bytes:
    """As a body of unknown length."""
    parts = [octets[at : at + size] for at in range(0, len(octets), size)]
    return b"".join(b"%x\r\n%s\r\n" % (len(part), part) for part in [*parts, b""])


def request(method: str, path: str, body: bytes = b"", *headers: bytes) -> bytes:
    """A whole request, the last one of its connection."""
    length = b"Content-Length: %d\r\n" % len(body)
    return (
        b"%s %s HTTP/1.1\r\n" % (method.encode(), path.encode()) + CLOSE + b"".join(headers) + length + b"\r\n" + body
    )


def statuses(octets: bytes) -> list[int]:
    """Of the answers in a stream."""
    return [int(status) for status in re.findall(rb"HTTP/1\.[01] (\d{3}) ", octets)]


# Large bodies


def padded(size: int) -> bytes:
    """A body of that size, that forces nothing that was not so."""
    start = b'{"status": "healthy"'
    return start + b" " * (size - len(start) - 1) + b"}"


@pytest.mark.parametrize(("size", "status"), [(MIB, 200), (MIB + 1, 413), (10 * MIB, 413)])
def test_a_body_has_a_mebibyte_at_most(server: Operated, size: int, status: int) -> None:
    reply = server.call("PUT", FORCE, octets=padded(size))
    assert reply.status == status
    assert status == 200 or (reply.error["code"], reply.error["message"]) == (
        "too-large",
        "the body has more than 1 MiB",
    )


@pytest.mark.parametrize(("size", "status"), [(MIB, 200), (MIB + 1, 413), (10 * MIB, 413)])
def test_a_body_of_unknown_length_too(server: Operated, size: int, status: int) -> None:
    head = b"PUT %s HTTP/1.1\r\n" % FORCE.encode() + CLOSE + b"Transfer-Encoding: chunked\r\n\r\n"
    assert statuses(server.raw(head, chunked(padded(size)))) == [status]


@pytest.mark.parametrize(
    "path", ["/api/v1/resolve", "/api/v1/places/192.0.2.0%2F24", "/api/v1/alarms/eu-west-1/x", FORCE]
)
def test_a_large_body_is_refused_wherever_one_is_read(server: Operated, path: str) -> None:
    method = "POST" if path.endswith("resolve") else "PUT"
    assert server.call(method, path, octets=bytes(2 * MIB)).status == 413


def test_it_is_refused_before_all_of_it_is_there(server: Operated) -> None:
    """Or a client could send for ever."""
    with server.connected() as sock:
        sock.sendall(
            b"PUT %s HTTP/1.1\r\n" % FORCE.encode() + CLOSE + b"Content-Length: 100000000\r\n\r\n" + bytes(MIB + 1)
        )
        assert sock.recv(12) == b"HTTP/1.1 413"


def test_a_large_body_that_nobody_reads_does_no_harm(server: Operated) -> None:
    assert statuses(server.raw(request("POST", "/api/v1/reset", bytes(4 * MIB)))) == [413]
    assert statuses(server.raw(request("GET", "/healthz", bytes(4 * MIB)))) == [200]
    assert statuses(server.raw(request("POST", "/nothing", bytes(4 * MIB)))) == [404]


def test_a_large_body_of_one_who_may_not_call_does_no_harm(server: Operated) -> None:
    assert statuses(server.raw(request("PUT", FORCE, bytes(4 * MIB), b"Origin: null\r\n"))) == [403]


@pytest.mark.parametrize("encoding", [b"gzip", b"deflate"])
def test_a_packed_body_is_no_json_and_not_unpacked(server: Operated, encoding: bytes) -> None:
    pack = gzip.compress if encoding == b"gzip" else zlib.compress
    octets = request("PUT", FORCE, pack(padded(20 * MIB)), b"Content-Encoding: %s\r\n" % encoding)
    assert statuses(server.raw(octets)) == [400]


MANY_FAULTS = [
    ("POST", "/api/v1/resolve", [{}] * 20_000),
    ("POST", "/api/v1/resolve", [0] * 20_000),
    ("PUT", FORCE, dict.fromkeys(map(str, range(20_000)), 1)),
]


@pytest.mark.parametrize(("method", "path", "body"), MANY_FAULTS)
def test_nobody_is_told_more_reasons_than_they_can_read(
    server: Operated, method: str, path: str, body: object
) -> None:
    reply = server.call(method, path, body)
    assert reply.status == 400
    assert len(reply.error["details"]) <= 1000


# HTTP that is none

MALFORMED = [
    b"\0",
    b"nonsense\r\n\r\n",
    b"\x16\x03\x01\x02\0\x01\0\x01\xfc\x03\x03" + bytes(32),  # TLS
    b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    b"GET /healthz HTTP/9.9\r\n" + CLOSE + b"\r\n",
    b"GET /healthz HTTP/1.1\r\nConnection: close\r\n\r\n",  # no Host
    b"GET /healthz HTTP/1.1\r\n" + CLOSE + b"Host: evil.example\r\n\r\n",  # two of them
    b"GET /healthz HTTP/1.1\r\nHost : 127.0.0.1\r\nConnection: close\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\n" + CLOSE + b"X: a\r\n b\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\n" + CLOSE + b"X\0: a\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\n" + CLOSE + b"X: a\0b\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\n" + CLOSE + b": a\r\n\r\n",
    b"G\xc3\x8bT /healthz HTTP/1.1\r\n" + CLOSE + b"\r\n",
    b"FETCH /healthz HTTP/1.1\r\n" + CLOSE + b"\r\n",
    b"get /healthz HTTP/1.1\r\n" + CLOSE + b"\r\n",
    b"GET /\xff HTTP/1.1\r\n" + CLOSE + b"\r\n",
    "GET /ü HTTP/1.1\r\n".encode() + CLOSE + b"\r\n",
    b"GET /api/v1/explain?name=\xff HTTP/1.1\r\n" + CLOSE + b"\r\n",
    b"GET /a b HTTP/1.1\r\n" + CLOSE + b"\r\n",
    b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n" + CLOSE + b"\r\n",
    b"GET /healthz?" + b"a" * 100_000 + b" HTTP/1.1\r\n" + CLOSE + b"\r\n",
    b"GET /healthz HTTP/1.1\r\n" + CLOSE + b"X: " + b"a" * 100_000 + b"\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\n" + CLOSE + b"X" * 100_000 + b": a\r\n\r\n",
    b"GET /healthz HTTP/1.1\r\n" + CLOSE + b"X: a\r\n" * 5000 + b"\r\n",
    b"GET /healthz HTTP/1.1\r\n" + CLOSE + b"X: a\r\n" * 200_000 + b"\r\n",
    b"GET /healthz HTTP/1.1\r\n" + CLOSE + b"Cookie: " + b"a=b;" * 20_000 + b"\r\n\r\n",
]
HIDDEN = request("PUT", FORCE, b'{"status": "unhealthy"}')
"""What must not be taken for a request where it stands in another one."""
SMUGGLED = [
    # the headers of a body that is a request, how that stands there
    (b"Content-Length: 0\r\nContent-Length: %(length)d\r\n", HIDDEN),
    (b"Content-Length: %(length)d\r\nContent-Length: 0\r\n", HIDDEN),
    (b"Content-Length: 0, %(length)d\r\n", HIDDEN),
    (b"Content-Length: %(length)d\r\nTransfer-Encoding: chunked\r\n", b"0\r\n\r\n" + HIDDEN),
    (b"Transfer-Encoding: chunked\r\nContent-Length: %(length)d\r\n", b"0\r\n\r\n" + HIDDEN),
    (b"Transfer-Encoding: chunked, identity\r\n", b"0\r\n\r\n" + HIDDEN),
    (b"Transfer-Encoding: identity\r\n", HIDDEN),
    (b"Transfer-Encoding: xchunked\r\n", b"0\r\n\r\n" + HIDDEN),
    (b"Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n", b"0\r\n\r\n" + HIDDEN),
    (b"Transfer-Encoding : chunked\r\n", b"0\r\n\r\n" + HIDDEN),
    (b"Transfer-Encoding:\r\n chunked\r\n", b"0\r\n\r\n" + HIDDEN),
    (b"Transfer-Encoding: \x0bchunked\r\n", b"0\r\n\r\n" + HIDDEN),
    (b"Content-Length: -1\r\n", HIDDEN),
    (b"Content-Length: +1\r\n", HIDDEN),
    (b"Content-Length: 0x1\r\n", HIDDEN),
    (b"Content-Length: 1_0\r\n", HIDDEN),
    (b"Content-Length: 99999999999999999999\r\n", HIDDEN),
    (b"Content-Length: \xd9\xa1\r\n", HIDDEN),
    (b"Transfer-Encoding: chunked\r\n", b"0\n\n" + HIDDEN),
    (b"Transfer-Encoding: chunked\r\n", b"0;\n\r\n\r\n" + HIDDEN),
    (b"Transfer-Encoding: chunked\r\n", b"-0\r\n\r\n" + HIDDEN),
    (b"Transfer-Encoding: chunked\r\n", b"0x0\r\n\r\n" + HIDDEN),
    (b"Transfer-Encoding: chunked\r\n", b"zz\r\n\r\n" + HIDDEN),
    (b"Transfer-Encoding: chunked\r\n", b"\r\n\r\n" + HIDDEN),
    (b"Transfer-Encoding: chunked\r\n", b"ffffffffffffffffff\r\n" + HIDDEN),
    (b"Transfer-Encoding: chunked\r\n", b"1\r\nab\r\n0\r\n\r\n" + HIDDEN),
]


@pytest.mark.parametrize("octets", MALFORMED, ids=lambda octets: repr(octets[:60]))
def test_what_is_no_http_is_refused(server: Operated, octets: bytes) -> None:
    found = statuses(server.raw(octets, b"\r\n\r\n"))
    assert all(400 <= status < 500 for status in found)
    assert len(found) <= 1


@pytest.mark.parametrize(("headers", "octets"), SMUGGLED)
@pytest.mark.parametrize("line", [b"POST /api/v1/resolve", b"POST /api/v1/reset", b"GET /healthz"])
def test_no_request_is_smuggled_in_another_one(server: Operated, line: bytes, headers: bytes, octets: bytes) -> None:
    head = line + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n" + headers.replace(b"%(length)d", b"%d" % len(octets))
    assert statuses(server.raw(head + b"\r\n" + octets)) == [400]
    # the fixture sees to it that nothing was forced


@pytest.mark.parametrize(
    ("line", "status"),
    [
        (b"GET /healthz", 200),
        (b"POST /api/v1/reset", 400),
        (b"POST /api/v1/resolve", 400),
        (b"DELETE /api/v1/places/192.0.2.0%2F24", 400),
        (b"POST /nothing", 404),
        (b"PATCH /healthz", 405),
    ],
)
@pytest.mark.parametrize("origin", [b"", b"Origin: null\r\n"])
def test_a_body_that_nobody_reads_is_no_request(server: Operated, line: bytes, status: int, origin: bytes) -> None:
    """Its connection goes on, or it ends; the request behind it is the next one."""
    head = line + b" HTTP/1.1\r\nHost: 127.0.0.1\r\n" + origin + b"Content-Length: %d\r\n\r\n" % len(HIDDEN)
    found = statuses(server.raw(head + HIDDEN + request("GET", "/ready")))
    assert found[0] == (403 if origin else status)
    assert found[1:] in ([], [200])


def test_requests_may_come_together(server: Operated) -> None:
    """Pipelining: they are answered in their order."""
    octets = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\nGET /nothing HTTP/1.1\r\nHost: a\r\n\r\n" + request(
        "GET", "/ready"
    )
    assert statuses(server.raw(octets)) == [200, 404, 200]


def test_a_client_may_ask_whether_to_go_on(server: Operated) -> None:
    octets = b'{"status": "healthy"}'
    head = request("PUT", FORCE, octets, b"Expect: 100-continue\r\n").removesuffix(octets)
    with server.connected() as sock:
        sock.sendall(head)
        assert sock.recv(65536) == b"HTTP/1.1 100 Continue\r\n\r\n"
        sock.sendall(octets)
        assert statuses(read_all(sock)) == [200]
    assert statuses(server.raw(request("PUT", FORCE, octets, b"Expect: the-impossible\r\n"))) == [417]


@pytest.mark.parametrize("upgrade", [b"websocket", b"h2c", b"TLS/1.3"])
def test_nothing_is_upgraded_to(server: Operated, upgrade: bytes) -> None:
    octets = b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close, Upgrade\r\nUpgrade: %s\r\n\r\n" % upgrade
    assert statuses(server.raw(octets)) == [200]


BASES = [
    request("GET", "/api/v1/health-checks/web"),
    request("POST", "/api/v1/resolve", json.dumps([{"name": "n0.fo.test", "from": "DE"}]).encode()),
    request("PUT", FORCE, b'{"status": "healthy", "for": "30s", "reason": "x"}'),
    request("PUT", "/api/v1/places/2001:db8::%2F32", b'{"coordinates": {"latitude": 1, "longitude": -1.5e1}}'),
    request("GET", "/api/v1/explain?name=n0.fo.test&type=AAAA&from=198.18.56.0%2F24", b"", b"Origin: null\r\n"),
    b"POST /api/v1/resolve HTTP/1.1\r\n"
    + CLOSE
    + b"Transfer-Encoding: chunked\r\n\r\n"
    + chunked(b'{"name": "a.b"}', 4),
]
INTERESTING = [
    b"\0",
    b"\r",
    b"\n",
    b"\r\n",
    b"\r\n\r\n",
    b" ",
    b":",
    b"%",
    b"%2F",
    b"%00",
    b"\xff",
    b"{",
    b'"',
    b"[",
    b"9",
]


def mutated(chance: random.Random) -> bytes:
    """A request with a few mistakes."""
    octets = bytearray(chance.choice(BASES))
    for _ in range(chance.randint(1, 4)):
        at, end = sorted(chance.randrange(len(octets) + 1) for _ in range(2))
        match chance.randrange(5):
            case 0:
                octets[at:at] = chance.choice(INTERESTING) * chance.choice((1, 1, 1, 50))
            case 1:
                octets[at : at + 1] = bytes([chance.randrange(256)])
            case 2:
                del octets[at : min(end, at + 20)]
            case 3:
                octets[at:at] = octets[at:end]
            case _:
                octets[at : at + 2] = chance.choice(INTERESTING)
    return bytes(octets)


def test_requests_with_mistakes_are_answered_or_refused() -> None:
    """Whatever they force: nothing is answered with 500."""
    chance = random.Random() if EXPLORE else random.Random(1)
    with operated(checks_zone(CHECKS)) as server:
        for _ in range(400 * (EXPLORE or 1)):
            octets = mutated(chance)
            with server.connected() as sock:
                with suppress(ConnectionError):
                    sock.sendall(octets)
                    sock.shutdown(socket.SHUT_WR)
                assert 500 not in statuses(read_all(sock)), octets
        assert_well(server)


# Connections


def test_five_hundred_idle_connections_are_in_nobodys_way(server: Operated) -> None:
    with ExitStack() as stack:
        idle = []
        for number in range(500):  # some say nothing, some half of what they have to say
            idle.append(stack.enter_context(server.connected()))
            idle[-1].sendall([b"", b"GET /healthz HTTP/1.1\r\nHost: a\r\n", HIDDEN[:-1]][number % 3])
            if number % 50 == 0:
                assert_well(server)
        server.force("api", "unhealthy")
        assert server.seems("api") == "unhealthy"
        idle[1].sendall(b"Connection: close\r\n\r\n")
        assert statuses(read_all(idle[1])) == [200]


def test_a_slow_body_is_waited_for(server: Operated) -> None:
    octets = request("PUT", FORCE, b'{"status": "healthy", "reason": "slow"}')
    with server.connected() as sock:
        for at in range(0, len(octets), 10):
            sock.sendall(octets[at : at + 10])
            assert_well(server)
        assert statuses(read_all(sock)) == [200]


def test_clients_may_leave_at_any_time(server: Operated) -> None:
    octets = request("POST", "/api/v1/resolve", json.dumps([{"name": "n0.fo.test"}] * 500).encode())
    for length in (1, 20, 60, len(octets) // 2, len(octets) - 1, len(octets)):
        for _ in range(5):
            with server.connected() as sock:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")  # with a reset
                sock.sendall(octets[:length])
    assert_well(server)


def test_one_connection_too_many_is_ended(monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture) -> None:
    monkeypatch.setattr(descriptors, "_HTTP", 20)
    with operated(checks_zone(CHECKS)) as server, ExitStack() as stack:
        request = b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n"
        held = [stack.enter_context(server.connected()) for _ in range(20)]
        for sock in held:
            sock.sendall(request)
            assert sock.recv(65536)
        for _ in range(5):
            assert server.raw(request) == b""
        assert [record.getMessage() for record in caplog.records] == [
            "too many HTTP connections: new ones are closed, the limit is 20"
        ]
        assert server.values("n0.fo.test")
        held[7].sendall(b"GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
        assert statuses(read_all(held[7])) == [200]
        assert server.call("GET", "/healthz").status == 200


def test_connections_without_a_request_are_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(listener, "_KEEPALIVE", 0.1)
    with operated(checks_zone(CHECKS)) as server:
        assert server.raw() == b""
        assert server.raw(b"GET /healthz HT") == b""
        assert statuses(server.raw(b"GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n")) == [200]


@pytest.mark.parametrize(
    ("method", "path"),
    [("POST", "/api/v1/resolve"), ("PUT", FORCE), ("POST", "/api/v1/reset"), ("DELETE", FORCE)],
)
def test_a_body_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch, method: str, path: str) -> None:
    monkeypatch.setattr(routes, "PATIENCE", 0.1)
    with operated(checks_zone(CHECKS)) as server:
        whole = request(method, path, b" " * 100)
        octets = server.raw(whole[:-50].replace(b"Connection: close\r\n", b""))
        assert statuses(octets) == [408]
        assert b'"code":"timeout"' in octets


def test_closing_the_server_ends_all_connections(monkeypatch: pytest.MonkeyPatch) -> None:
    with operated(checks_zone(CHECKS)) as server, ExitStack() as stack:
        waiting = [stack.enter_context(server.connected()) for _ in range(3)]
        for sock, octets in zip(waiting, (b"", HIDDEN[:50], HIDDEN[:-1]), strict=True):
            sock.sendall(octets)
        assert_well(server)
        server.end()
        for sock in waiting:
            assert read_all(sock) == b""


# The log


@pytest.mark.parametrize("octets", [b"GET /\xff HTTP/1.1\r\n" + CLOSE + b"\r\n"])
def test_a_mistake_of_the_peer_is_no_error_of_ours(
    server: Operated, caplog: pytest.LogCaptureFixture, octets: bytes
) -> None:
    server.raw(octets)
    assert [record for record in caplog.records if record.levelno >= logging.WARNING] == []


@pytest.mark.parametrize("reason", ["one\nERROR two", "\x1b[2J", "\u202e"])
def test_a_reason_can_not_write_lines_of_the_log(
    server: Operated, caplog: pytest.LogCaptureFixture, reason: str
) -> None:
    caplog.set_level(logging.INFO, "dnsemu")
    server.call("PUT", FORCE, {"status": "healthy", "reason": reason})
    lines = [record.getMessage() for record in caplog.records]
    assert any("health check web forced healthy" in line for line in lines)
    assert all(line.isprintable() for line in lines)
