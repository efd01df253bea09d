"""Probes of real endpoints: where they go, how connections end, and what is left behind."""

from __future__ import annotations

import asyncio
import socket
import struct
from collections.abc import Iterator
from threading import Event, Thread

import pytest
from health.endpoints import (
    OK,
    PATIENCE,
    Script,
    check_of,
    descriptors,
    endpoint,
    full,
    hangs_up,
    need_ipv6,
    nowhere,
    only_linux,
    probed,
    resets,
    says,
    silence,
    stalls,
)

from dnsemu.health.observation import Observation, Unresolved
from dnsemu.health.probe import is_connected_to_itself, probe

pytestmark = pytest.mark.e2e

LINE, FIELDS = b"HTTP/1.1 200 OK\r\n", b"Server: x\r\nContent-Length: 3\r\n\r\n"


@pytest.fixture(autouse=True)
def _no_socket_stays_open() -> Iterator[None]:
    before = descriptors()
    yield
    assert not descriptors() - before


async def local(name: str) -> str:
    return "127.0.0.1"


def asked(type_: str, **arguments: object) -> Observation:
    """Of an endpoint that is not there; every name is 127.0.0.1."""
    return asyncio.run(probe(check_of(type_, **arguments), local))


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
            assert descriptors() - before
            task.cancel()
            with pytest.raises(asyncio.CancelledError):
                await task
            if script:
                await asyncio.wait_for(there.left.wait(), PATIENCE)
                await asyncio.sleep(0)
            assert not descriptors() - before

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
