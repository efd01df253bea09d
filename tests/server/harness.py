"""A server within reach: its loop can be held up, its connections looked at, its authority replaced."""

from __future__ import annotations

import asyncio
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from typing import TypeVar

import dns.message
import pytest

from dnsemu.app import load_text
from dnsemu.draws import Draws
from dnsemu.server import Answers, Endpoint, Limits, Serving, bind

PATIENCE = 10.0  # seconds until a test gives up; nothing waits that long where all is well
T = TypeVar("T")

_TEXTS = ", ".join(f"""'"{number:03d}{"x" * 240}"'""" for number in range(120))
ZONE = f"""
version: 1
hosted_zones:
  - name: t.test
    record_sets:
      - {{name: www, type: A, ttl: 60, records: 192.0.2.1}}
      - {{name: big, type: TXT, ttl: 60, records: [{_TEXTS}]}}
"""
BIG = 30_000  # octets; the answer for big.t.test has a few more


class Running:
    """A server on a loop in a thread of its own."""

    def __init__(self, serving: Serving, answers: Answers) -> None:
        self.serving, self.answers = serving, answers
        self.loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self.loop.run_forever, daemon=True)

    @property
    def address(self) -> tuple[str, int]:
        """Of its first endpoint."""
        return self.serving.endpoints[0].host, self.serving.endpoints[0].port

    def begin(self) -> None:
        self._thread.start()
        asyncio.run_coroutine_threadsafe(self.serving.start(), self.loop).result(PATIENCE)

    def end(self) -> None:
        """Close everything; once more does nothing."""
        if self.loop.is_closed():
            return
        asyncio.run_coroutine_threadsafe(self.serving.close(), self.loop).result(PATIENCE)
        self.loop.call_soon_threadsafe(self.loop.stop)
        self._thread.join(PATIENCE)
        self.loop.close()

    def on_loop(self, function: Callable[[], T]) -> T:
        """What `function` returns, called between two events."""

        async def call() -> T:
            return function()

        return asyncio.run_coroutine_threadsafe(call(), self.loop).result(PATIENCE)

    @contextmanager
    def held_up(self) -> Iterator[None]:
        """The loop does nothing meanwhile: what is sent waits in the sockets."""
        reached, released = threading.Event(), threading.Event()

        def hold() -> None:
            reached.set()
            released.wait(PATIENCE)

        self.loop.call_soon_threadsafe(hold)
        assert reached.wait(PATIENCE)
        try:
            yield
        finally:
            released.set()

    def connections(self) -> int:
        """How many TCP connections it counts."""
        return self.on_loop(lambda: len(self.serving._connections.open))

    def held_for_peers(self) -> int:
        """Octets of questions and answers that it keeps in memory for all its connections."""
        return self.on_loop(
            lambda: sum(
                len(one._pending) + one._transport.get_write_buffer_size() for one in self.serving._connections.open
            )
        )


@contextmanager
def running(text: str = ZONE, host: str = "127.0.0.1", limits: Limits | None = None) -> Iterator[Running]:
    """A server for the length of a block; `host` without IPv6 skips the test."""
    answers = Answers(load_text(text).authority, Draws(1))
    server = Running(Serving([bind(Endpoint(host, 0))], answers, limits or Limits()), answers)
    server.begin()
    try:
        yield server
    finally:
        server.end()


def need_ipv6() -> None:
    """Skip where the system has no IPv6 loopback."""
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
            sock.bind(("::1", 0))
    except OSError:
        pytest.skip("no IPv6 on the loopback interface")


def until(condition: Callable[[], bool]) -> None:
    """Wait for what has no event to wait for, looking again and again."""
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "it did not come to pass"
        time.sleep(0.002)


# Questions and answers on sockets


def question(name: str = "www.t.test", rdtype: str = "A", ident: int = 1) -> bytes:
    """In wire form, without EDNS."""
    return dns.message.make_query(name, rdtype, id=ident).to_wire()


def framed(message: bytes) -> bytes:
    """With TCP's length before it."""
    return struct.pack("!H", len(message)) + message


@contextmanager
def connected(address: tuple[str, int], kind: socket.SocketKind = socket.SOCK_STREAM) -> Iterator[socket.socket]:
    """A client's socket."""
    family = socket.AF_INET6 if ":" in address[0] else socket.AF_INET
    with socket.socket(family, kind) as sock:
        sock.settimeout(PATIENCE)
        sock.connect(address)
        yield sock


def take(sock: socket.socket) -> bytes | None:
    """The next message of a stream; None when the stream has ended, however it did."""
    head = exactly(sock, 2)
    return exactly(sock, int.from_bytes(head, "big")) if head else None


def exactly(sock: socket.socket, size: int) -> bytes | None:
    octets = b""
    while len(octets) < size:
        try:
            more = sock.recv(size - len(octets))
        except ConnectionResetError:
            return None
        if not more:
            return None
        octets += more
    return octets


def has_ended(sock: socket.socket) -> bool:
    """Wait for the end of a stream: False if something else came before it."""
    with suppress(ConnectionResetError):
        return sock.recv(1) == b""
    return True


def ident(message: bytes | None) -> int:
    assert message is not None, "the stream has ended"
    return int.from_bytes(message[:2], "big")
