"""Endpoints on the loopback that answer a probe as they are told to, in octets."""

from __future__ import annotations

import asyncio
import datetime
import os
import socket
import ssl
import struct
import sys
import time
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa

from dnsemu.errors import Origin
from dnsemu.health.observation import Observation, TimeLimits, Unresolved
from dnsemu.health.probe import probe
from dnsemu.model import HealthCheck

PATIENCE = 10.0  # seconds until a test gives up
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"
SNI_NAME = "www.example.test"

Script = Callable[["Endpoint", asyncio.StreamReader, asyncio.StreamWriter], Awaitable[None]]
"""What an endpoint does with a connection; when it returns, the connection is closed."""


@dataclass
class Endpoint:
    """A server, and what it has seen: requests, the names in client_hellos, how many connections are open."""

    script: Script
    port: int = 0
    requests: list[bytes] = field(default_factory=list)
    names: list[str | None] = field(default_factory=list)
    connected: asyncio.Event = field(default_factory=asyncio.Event)
    left: asyncio.Event = field(default_factory=asyncio.Event)
    sent: int = 0
    _tasks: set[asyncio.Task[Any]] = field(default_factory=set)

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        """One connection."""
        task = asyncio.current_task()
        assert task
        self._tasks.add(task)
        self.connected.set()
        try:
            with suppress(OSError, asyncio.IncompleteReadError):
                await self.script(self, reader, writer)
                writer.close()
                await writer.wait_closed()
        except asyncio.CancelledError:
            pass
        finally:
            writer.transport.abort()
            self._tasks.discard(task)
            self.left.set()

    def note_names(self, tls: ssl.SSLContext) -> None:
        """Have the names of client_hellos noted, before whatever this context does with them."""
        then: Any = tls.sni_callback

        def note(connection: Any, name: str | None, context: ssl.SSLContext) -> int | None:
            self.names.append(name)
            return then(connection, name, context) if then else None

        tls.sni_callback = note

    async def close(self) -> None:
        """End all that is still going on."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks)


@asynccontextmanager
async def endpoint(
    script: Script, host: str = "127.0.0.1", tls: ssl.SSLContext | None = None
) -> AsyncIterator[Endpoint]:
    """A server for the time of the block."""
    seen = Endpoint(script)
    if tls:
        seen.note_names(tls)
    server = await asyncio.start_server(seen.serve, host, 0, ssl=tls)
    seen.port = server.sockets[0].getsockname()[1]
    try:
        yield seen
    finally:
        server.close()
        await seen.close()
        await asyncio.sleep(0)


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


# Scripts


def says(*pieces: bytes, pause: float | None = None) -> Script:
    """Reads the request and answers with these pieces; `pause` seconds between two, or whenever one is on its way."""

    async def script(self: Endpoint, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.requests.append(await reader.readuntil(b"\r\n\r\n"))
        for number, piece in enumerate(pieces):
            if number:
                await asyncio.sleep(pause or 0)
            writer.write(piece)
            self.sent += len(piece)
            await writer.drain()

    return script


def cut(octets: bytes, size: int) -> Sequence[bytes]:
    """Pieces of this size."""
    return [octets[at : at + size] for at in range(0, len(octets), size)]


def floods(first: bytes, then: bytes) -> Script:
    """Never stops sending."""

    async def script(self: Endpoint, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(first)
        while True:
            writer.write(then)
            self.sent += len(then)
            await writer.drain()
            await asyncio.sleep(0)

    return script


def stalls(*pieces: bytes) -> Script:
    """Sends these and nothing more, until the probe leaves."""

    async def script(self: Endpoint, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.writelines(pieces)
        await reader.read()

    return script


silence = stalls()


async def hangs_up(self: Endpoint, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Ends the connection without a word, and without the reset that unread octets would cause."""
    writer.write_eof()
    await reader.read()


def resets(octets: bytes = b"", *, reads: bool = True) -> Script:
    """Sends these octets and a reset."""

    async def script(self: Endpoint, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if reads:
            await reader.readuntil(b"\r\n\r\n")
        sock: socket.socket = writer.get_extra_info("socket")
        writer.write(octets)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        writer.transport.abort()

    return script


def shakes_hands(tls: ssl.SSLContext) -> Script:
    """Does that only; unlike the TLS server of asyncio it says why it does not like a client."""
    chosen = tls.sni_callback

    async def script(self: Endpoint, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        incoming, outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        tls.sni_callback = chosen
        self.note_names(tls)
        connection = tls.wrap_bio(incoming, outgoing, server_side=True)
        is_wanted = True
        while is_wanted and (octets := await reader.read(9999)):
            incoming.write(octets)
            try:
                connection.do_handshake()
            except ssl.SSLError as error:
                is_wanted = isinstance(error, ssl.SSLWantReadError)
            writer.write(outgoing.read())

    return script


# Probing


def check_of(type_: str = "HTTP", **arguments: Any) -> HealthCheck:
    """A health check of 127.0.0.1."""
    if "fqdn" not in arguments:
        arguments.setdefault("ip_address", "127.0.0.1")
    return HealthCheck(arguments.pop("id", "hc"), type_, Origin("test"), **arguments)


async def nowhere(name: str) -> str:
    """No name has an address."""
    raise Unresolved(f"{name} does not exist")


@dataclass
class Probed:
    """What came of a probe, on both sides, and after how many seconds."""

    observation: Observation
    endpoint: Endpoint
    seconds: float

    @property
    def text(self) -> str:
        return self.observation.text

    def __post_init__(self) -> None:
        assert self.text.startswith("Success: " if self.observation.success else "Failure: ")
        assert len(self.text) <= 255
        assert self.text.isprintable()


def probed(
    script: Script,
    type_: str = "HTTP",
    *,
    limits: TimeLimits | None = None,
    tls: ssl.SSLContext | None = None,
    host: str = "127.0.0.1",
    **arguments: Any,
) -> Probed:
    """Probe an endpoint that runs this script."""

    async def run() -> Probed:
        async with endpoint(script, host, tls) as there:
            check = check_of(type_, **{"port": there.port, "ip_address": host} | arguments)
            before, began = asyncio.all_tasks(), time.monotonic()
            observation = await asyncio.wait_for(probe(check, nowhere, limits or TimeLimits()), PATIENCE)
            ours = {task for task in asyncio.all_tasks() - before if task not in there._tasks}
            assert not ours, "the probe left tasks behind"
            return Probed(observation, there, time.monotonic() - began)

    before = descriptors()
    seen = asyncio.run(run())
    assert not descriptors() - before, "a socket is still open"
    return seen


def short(value: object) -> str | None:
    """What tells a row of octets from the others, in the name of a test."""
    return repr(value[:30]) if isinstance(value, bytes) else None


def need_ipv6() -> None:
    """Skip where the system has no IPv6 loopback."""
    try:
        with socket.socket(socket.AF_INET6) as sock:
            sock.bind(("::1", 0))
    except OSError:
        pytest.skip("no IPv6 on the loopback interface")


def descriptors() -> set[str]:
    """Those that are open in this process. What an earlier test has left may be closed at any time."""
    if not Path("/proc/self/fd").exists():
        return set(os.listdir("/dev/fd"))
    found = set()
    for name in os.listdir("/proc/self/fd"):
        with suppress(OSError):  # that of the listing itself
            found.add(os.readlink(f"/proc/self/fd/{name}"))
    return {target for target in found if target.startswith("socket:")}


# Certificates


@dataclass(frozen=True)
class Identity:
    """A key and a self-signed certificate, in one PEM file."""

    file: Path

    def tls(self, least: str = "TLSv1_2", most: str = "TLSv1_2") -> ssl.SSLContext:
        """A server's side, with these versions."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.set_ciphers("DEFAULT:@SECLEVEL=0")
        context.load_cert_chain(self.file)
        with warnings.catch_warnings(action="ignore"):
            context.minimum_version, context.maximum_version = ssl.TLSVersion[least], ssl.TLSVersion[most]
        return context


def make_identity(
    folder: Path, *names: str, common: str = "nobody", expired: bool = False, weak: bool = False
) -> Identity:
    """For these names (SAN) and a common name; weak: RSA with 1,024 bits."""
    key = rsa.generate_private_key(65537, 1024) if weak else ec.generate_private_key(ec.SECP256R1())
    now, day = datetime.datetime.now(datetime.UTC), datetime.timedelta(days=1)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, common)] if common else [])
    building = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - 3 * day)
        .not_valid_after(now + (-day if expired else day))
    )
    if names:
        building = building.add_extension(x509.SubjectAlternativeName([x509.DNSName(one) for one in names]), False)
    file = folder / f"{len(list(folder.iterdir()))}.pem"
    pem = serialization.Encoding.PEM
    private = key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    file.write_bytes(private + building.sign(key, hashes.SHA256()).public_bytes(pem))
    return Identity(file)
