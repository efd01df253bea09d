"""Probes of real endpoints: connecting, time limits, and what they leave behind."""

from __future__ import annotations

import asyncio
import socket
import struct
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from threading import Event, Thread

import pytest
from health.endpoints import (
    OK,
    PATIENCE,
    Endpoint,
    Script,
    check_of,
    descriptors,
    endpoint,
    floods,
    hangs_up,
    need_ipv6,
    nowhere,
    probed,
    resets,
    says,
    silence,
    stalls,
)

from dnsemu.health.observation import Observation, TimeLimits, Unresolved
from dnsemu.health.probe import is_connected_to_itself, probe

pytestmark = pytest.mark.e2e

TIMEOUT = "Failure: The health checker could not establish a connection within the timeout limit."
SHORT = TimeLimits(tcp=0.1, connect=0.1, status=0.1, body=0.1)


@pytest.fixture(autouse=True)
def _no_socket_stays_open() -> Iterator[None]:
    before = descriptors()
    yield
    assert descriptors() == before


async def local(name: str) -> str:
    return "127.0.0.1"


def asked(type_: str, **arguments: object) -> Observation:
    """Of an endpoint that is not there; every name is 127.0.0.1."""
    return asyncio.run(probe(check_of(type_, **arguments), local, SHORT))


# Where


def test_tcp() -> None:
    seen = probed(silence, "TCP")
    assert seen.text == "Success: TCP connection established"
    assert seen.observation.address == "127.0.0.1"
    assert 0 < (seen.observation.connect or 0) < 1
    assert (seen.observation.tls, seen.observation.first_byte) == (None, None)


@pytest.mark.parametrize("type_", ["TCP", "HTTP"])
def test_ipv6(type_: str) -> None:
    need_ipv6()
    seen = probed(says(OK), type_, host="::1")
    assert seen.observation.success
    assert seen.observation.address == "::1"


def test_a_name_alone_is_looked_up() -> None:
    async def run() -> Observation:
        asked = []

        async def resolve(name: str) -> str:
            asked.append(name)
            return "127.0.0.1"

        async with endpoint(says(OK)) as there:
            seen = await probe(check_of(fqdn="a.example.test", port=there.port), resolve)
            assert asked == ["a.example.test"]
            return seen

    assert asyncio.run(run())[:3] == (True, "Success: HTTP Status Code 200, OK", "127.0.0.1")


def test_an_address_is_not_looked_up() -> None:
    assert probed(says(OK), fqdn="a.example.test").observation.success


@pytest.mark.parametrize("type_", ["TCP", "HTTP", "HTTPS_STR_MATCH"])
def test_a_name_without_an_address(type_: str) -> None:
    seen = asyncio.run(probe(check_of(type_, fqdn="gone.example.test", port=80), nowhere))
    assert seen == Observation(False, "Failure: DNS resolution failed: gone.example.test does not exist")


def test_a_long_reason_is_cut() -> None:
    async def resolve(name: str) -> str:
        raise Unresolved("\x1b[31m" + "x" * 1000)

    text = asyncio.run(probe(check_of(fqdn="gone.example.test"), resolve)).text
    assert text.startswith("Failure: DNS resolution failed: \ufffd[31mxxx")
    assert len(text) == 255
    assert text.endswith("x…")


# Connections that do not come about


@pytest.mark.parametrize("type_", ["TCP", "HTTP", "HTTPS"])
def test_a_closed_port(type_: str) -> None:
    with socket.socket() as sock:
        sock.bind(("127.0.0.1", 0))  # and does not listen
        seen = asked(type_, port=sock.getsockname()[1])
    text = "Failure: The health checker could not establish a connection: connection refused."
    assert seen == Observation(False, text, "127.0.0.1")


@pytest.mark.parametrize("address", ["nonsense", "127.0.0.1.example.test", "fe80::1%lo", "1:2", "127.1"])
def test_what_is_no_address_is_not_looked_up(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket, "getaddrinfo", None)
    seen = asked("TCP", ip_address=address, port=80)
    assert seen.text.startswith("Failure: The health checker could not establish a connection: ")


def test_a_connection_to_itself_is_none() -> None:
    with socket.socket() as sock, socket.create_server(("127.0.0.1", 0)) as other:
        sock.bind(("127.0.0.1", 0))
        sock.connect(sock.getsockname())
        assert is_connected_to_itself(sock, sock.getsockname()[1])
        with socket.create_connection(other.getsockname()) as usual:
            assert not is_connected_to_itself(usual, other.getsockname()[1])
            assert not is_connected_to_itself(usual, usual.getsockname()[1])


@asynccontextmanager
async def full() -> AsyncIterator[int]:
    """The port of a server that has no room for another connection: Linux leaves it unanswered."""
    with socket.create_server(("127.0.0.1", 0), backlog=0) as server:
        waiting = [socket.socket() for _ in range(4)]
        for sock in waiting:
            sock.setblocking(False)
            sock.connect_ex(server.getsockname())
        yield server.getsockname()[1]
        for sock in waiting:
            sock.close()


only_linux = pytest.mark.skipif(sys.platform != "linux", reason="only Linux ignores connections above the backlog")


@only_linux
@pytest.mark.parametrize(
    ("type_", "limits"),
    [("TCP", TimeLimits(tcp=0.1)), ("HTTP", TimeLimits(connect=0.1)), ("HTTPS_STR_MATCH", TimeLimits(connect=0.1))],
)
def test_the_time_to_connect_is_limited(type_: str, limits: TimeLimits) -> None:
    async def run() -> tuple[Observation, float]:
        async with full() as port:
            began = asyncio.get_running_loop().time()
            seen = await probe(check_of(type_, port=port), local, limits)
            return seen, asyncio.get_running_loop().time() - began

    seen, seconds = asyncio.run(run())
    assert seen == Observation(False, TIMEOUT, "127.0.0.1")
    assert 0.09 < seconds < 1.5


# Endpoints that are slow

LINE, FIELDS = b"HTTP/1.1 200 OK\r\n", b"Server: x\r\nContent-Length: 3\r\n\r\n"
DEFLATE = b"Content-Encoding: deflate\r\n\r\n"
NOTHING = b"\0\0\0\xff\xff"  # a block of no octets


def late(status: float = 0, fields: float = 0, body: float = 0) -> Script:
    """Waits so many seconds before each of the three."""

    async def script(self: Endpoint, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for seconds, octets in ((status, LINE), (fields, FIELDS), (body, b"yes")):
            await asyncio.sleep(seconds)
            writer.write(octets)
        await reader.read()

    return script


SLOW = [
    (silence, "HTTP", "the status line"),
    (silence, "HTTPS", "the TLS handshake"),
    (says(*(LINE[at : at + 1] for at in range(len(LINE))), pause=0.05), "HTTP", "the status line"),
    (stalls(LINE, FIELDS[:-1]), "HTTP_STR_MATCH", "the response headers"),
    (says(LINE, *(b"a: b\r\n",) * 99, pause=0.05), "HTTP", "the response headers"),
    (stalls(LINE, FIELDS, b"ye"), "HTTP_STR_MATCH", "the response body"),
    (says(LINE + b"\r\n", *(b"yes",) * 99, pause=0.05), "HTTP_STR_MATCH", "the response body"),
    (floods(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 99), "HTTP", "the status line"),
    (floods(LINE + DEFLATE, NOTHING * 99), "HTTP_STR_MATCH", "the response body"),
]


@pytest.mark.parametrize(("script", "type_", "step"), SLOW)
def test_the_time_for_a_response_is_limited(script: Script, type_: str, step: str) -> None:
    seen = probed(script, type_, limits=SHORT, search_string="yes")
    assert seen.text == f"Failure: The endpoint did not finish {step} within 0.1 s."
    assert 0.09 < seen.seconds < 1.5
    assert seen.observation.connect is not None


@pytest.mark.parametrize(
    ("script", "step"),
    [
        (late(status=0.3), "the status line"),
        (late(fields=0.3), "the response headers"),
        (late(fields=0.15, body=0.15), "the response body"),
    ],
)
def test_what_comes_too_late(script: Script, step: str) -> None:
    seen = probed(script, "HTTP_STR_MATCH", limits=TimeLimits(status=0.2, body=0.2), search_string="yes")
    assert seen.text == f"Failure: The endpoint did not finish {step} within 0.2 s."


@pytest.mark.parametrize(
    ("script", "limits"),
    [
        (late(status=0.3), TimeLimits(connect=0.2, status=9, body=0.2)),
        (late(fields=0.3), TimeLimits(connect=0.2, status=0.2, body=9)),
    ],
)
def test_each_limit_is_for_its_own_step(script: Script, limits: TimeLimits) -> None:
    assert probed(script, limits=limits).observation.success


def test_the_time_for_the_response_begins_at_the_status_line() -> None:
    limits = TimeLimits(connect=1, status=0.5, body=0.5)
    seen = probed(late(status=0.3, fields=0.15, body=0.15), "HTTP_STR_MATCH", limits=limits, search_string="yes")
    assert seen.observation.success
    assert 0.29 < (seen.observation.first_byte or 0) < 0.5


def test_the_body_is_not_waited_for_where_nobody_searches_it() -> None:
    seen = probed(late(body=PATIENCE))
    assert seen.observation.success
    assert seen.seconds < 1


# Connections that end

ENDS = [
    (hangs_up, "HTTP", "the status line"),
    (hangs_up, "HTTPS", "the TLS handshake"),
    (says(LINE[:-1]), "HTTP", "the status line"),
    (says(LINE), "HTTP", "the response headers"),
    (says(LINE + FIELDS[:-2]), "HTTP", "the response headers"),
    (says(b"HTTP/1.1 103 Early Hints\r\n\r\n"), "HTTP", "the status line"),
]


@pytest.mark.parametrize(("script", "type_", "step"), ENDS)
def test_a_connection_that_the_endpoint_closes(script: Script, type_: str, step: str) -> None:
    assert probed(script, type_).text == f"Failure: The endpoint closed the connection before it finished {step}."


RESETS = [
    (resets(), "HTTP", "the status line"),
    (resets(reads=False), "HTTPS", "the TLS handshake"),
    (resets(LINE), "HTTP", "the response headers"),
    (resets(LINE + FIELDS), "HTTP_STR_MATCH", "the response body"),
]


@pytest.mark.parametrize(("script", "type_", "step"), RESETS)
def test_a_connection_that_the_endpoint_resets(script: Script, type_: str, step: str) -> None:
    text = probed(script, type_, search_string="yes").text
    assert text == f"Failure: The connection broke before the endpoint finished {step}: connection reset by peer."


def test_who_accepts_and_resets_has_accepted() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        ending = Event()
        thread = Thread(target=accept_and_reset, args=(server, ending))
        thread.start()
        seen = [asked("TCP", port=server.getsockname()[1]).text for _ in range(50)]
        ending.set()
        asked("TCP", port=server.getsockname()[1])
        thread.join()
    assert set(seen) == {"Success: TCP connection established"}


def accept_and_reset(server: socket.socket, ending: Event) -> None:
    """As fast as it can, which is sometimes before the probe has looked."""
    while not ending.is_set():
        server.accept()[0].close()


def test_what_came_before_a_reset_counts() -> None:
    for reads in (True, False) * 5:
        assert probed(resets(OK, reads=reads)).text == "Success: HTTP Status Code 200, OK"


# Probes that are cancelled, and what must not happen


@pytest.mark.parametrize(
    ("script", "type_"),
    [(silence, "HTTP"), (silence, "HTTPS"), (stalls(LINE, FIELDS), "HTTP_STR_MATCH"), (None, "TCP")],
)
@only_linux
def test_a_cancelled_probe_leaves_nothing_open(script: Script | None, type_: str) -> None:
    async def run() -> None:
        async with endpoint(script or silence) as there, full() as dead:
            before = descriptors()
            check = check_of(type_, port=there.port if script else dead)
            task = asyncio.create_task(probe(check, local))
            if script:
                await asyncio.wait_for(there.connected.wait(), PATIENCE)
            for _ in range(5):
                await asyncio.sleep(0)
            assert descriptors() > before
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            if script:
                await asyncio.wait_for(there.left.wait(), PATIENCE)
                await asyncio.sleep(0)
            assert descriptors() == before

    asyncio.run(run())


def test_a_cancelled_look_up() -> None:
    async def run() -> None:
        waiting = asyncio.Event()

        async def resolve(name: str) -> str:
            waiting.set()
            await asyncio.sleep(PATIENCE)
            raise AssertionError

        task = asyncio.create_task(probe(check_of(fqdn="slow.example.test"), resolve))
        await waiting.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task

    asyncio.run(run())


def test_our_own_mistakes_are_logged_and_are_failures(caplog: pytest.LogCaptureFixture) -> None:
    async def resolve(name: str) -> str:
        raise RuntimeError("oops")

    seen = asyncio.run(probe(check_of(fqdn="a.example.test", id="hc-7"), resolve))
    assert seen == Observation(False, "Failure: The health checker itself went wrong.")
    assert "hc-7" in caplog.text
    assert "oops" in caplog.text


def test_many_probes_at_once() -> None:
    async def run() -> list[Observation]:
        async with endpoint(says(OK)) as there:
            check = check_of(port=there.port)
            return await asyncio.gather(*(probe(check, nowhere) for _ in range(60)))

    assert {seen.text for seen in asyncio.run(run())} == {"Success: HTTP Status Code 200, OK"}
