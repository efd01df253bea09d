"""Asks the endpoint of a health check once, as a health checker does (behaviour 3.1, 3.3, 3.4)."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import socket
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass

from dnsemu.health.certificates import Secure, carries, reason_of, server_name
from dnsemu.health.http import SEARCHED, Channel, Exchange, Failed, Status, request_of
from dnsemu.health.observation import Observation, Resolve, TimeLimits, Unresolved
from dnsemu.model import HealthCheck

_log = logging.getLogger(__name__)
_USUAL = TimeLimits()
_MOST_TEXT = 255  # characters


async def probe(check: HealthCheck, resolve: Resolve, limits: TimeLimits = _USUAL) -> Observation:
    """Ask the endpoint of a check that is probed, once. Never raises; if it is cancelled, no socket stays open.

    An endpoint that is given by its name alone is looked up with `resolve`, which takes the time that it takes. Where
    TLS is tried again without SNI, the limits and the times are those of the second connection.
    """
    trail = _Trail()
    try:
        trail.address = check.ip_address or await _resolved(check.fqdn or "", resolve)
        text = await (_ask_tcp if check.type == "TCP" else _ask_http)(check, trail, limits)
    except Failed as failed:
        return trail.observation(f"Failure: {failed}")
    except Exception:
        _log.exception("the probe of health check %s went wrong", check.id)
        return trail.observation("Failure: The health checker itself went wrong.")
    return trail.observation(f"Success: {text}", success=True)


@dataclass(slots=True)
class _Trail:
    """What a probe has come by so far; as in Observation."""

    address: str | None = None
    connect: float | None = None
    tls: float | None = None
    first_byte: float | None = None

    def observation(self, text: str, *, success: bool = False) -> Observation:
        return Observation(success, _printable(text), self.address, self.connect, self.tls, self.first_byte)


class _OtherName(Exception):
    """SNI was sent, and the certificate that came is not one for this name."""


async def _resolved(name: str, resolve: Resolve) -> str:
    try:
        return await resolve(name)
    except Unresolved as reason:
        raise Failed(f"DNS resolution failed: {reason}") from None


async def _ask_tcp(check: HealthCheck, trail: _Trail, limits: TimeLimits) -> str:
    (await _connect(check, trail, limits.tcp)).close()
    return "TCP connection established"


async def _ask_http(check: HealthCheck, trail: _Trail, limits: TimeLimits) -> str:
    name = server_name(check) if check.type.startswith("HTTPS") else None
    try:
        return await _converse(check, trail, limits, name)
    except _OtherName:
        return await _converse(check, trail, limits, None)


async def _converse(check: HealthCheck, trail: _Trail, limits: TimeLimits, name: str | None) -> str:
    """Ask over a new connection, with `name` as SNI. Raises Failed, and _OtherName for want of that name."""
    with await _connect(check, trail, limits.connect) as sock:
        limit = _Limit(limits.status)
        is_tls = check.type.startswith("HTTPS")
        exchange = Exchange(await _secured(sock, trail, limit, name) if is_tls else _Plain(sock))
        try:
            status = await _status(check, exchange, limit)
        finally:
            trail.first_byte = exchange.first_byte
        await _read_on(check, exchange, status, _Limit(limits.body))
    return str(status)


async def _secured(sock: socket.socket, trail: _Trail, limit: _Limit, name: str | None) -> Channel:
    began = asyncio.get_running_loop().time()
    channel = Secure(sock, name)
    async with limit.on("the TLS handshake"):
        try:
            await channel.handshake()
        except ssl.SSLError as error:
            hint = " An endpoint has to speak TLS 1.0, 1.1 or 1.2." if "protocol" in reason_of(error) else ""
            raise Failed(f"TLS handshake failed: {reason_of(error)}.{hint}") from None
        trail.tls = asyncio.get_running_loop().time() - began
        if name and not await carries(channel.certificate, name):
            raise _OtherName
    return channel


async def _status(check: HealthCheck, exchange: Exchange, limit: _Limit) -> Status:
    async with limit.on("the status line"):
        await exchange.ask(request_of(check))
        status = await exchange.status()
    if not status.is_healthy:
        raise Failed(f"{status}. A status from 200 to 399 would be a success.")
    return status


async def _read_on(check: HealthCheck, exchange: Exchange, status: Status, limit: _Limit) -> None:
    """The headers always have to be right; the body counts only if there is a string to search for."""
    async with limit.on("the response headers"):
        response = await exchange.headers()
    if not check.type.endswith("_STR_MATCH"):
        return
    async with limit.on("the response body"):
        body = await exchange.body(response)
    if (check.search_string or "").encode("utf-8", "surrogatepass") not in body:
        raise Failed(f"{status}. The search string is not within the first {SEARCHED:,} bytes of the response body.")


async def _connect(check: HealthCheck, trail: _Trail, limit: float) -> socket.socket:
    """A new connection to the endpoint, which does not block."""
    loop = asyncio.get_running_loop()
    trail.connect = trail.tls = None
    began = loop.time()
    try:
        async with asyncio.timeout(limit):
            sock = await _connected(trail.address or "", check.port)
    except TimeoutError:
        raise Failed("The health checker could not establish a connection within the timeout limit.") from None
    except OSError as error:
        raise Failed(f"The health checker could not establish a connection: {_reason(error)}.") from None
    trail.connect = loop.time() - began
    return sock


async def _connected(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    socket.inet_pton(family, address)  # asyncio would look up anything else
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setblocking(False)
        with suppress(ConnectionResetError):  # whoever refuses says so otherwise: this one has accepted, and left
            await asyncio.get_running_loop().sock_connect(sock, (address, port))
        if is_connected_to_itself(sock, port):
            raise OSError(errno.ECONNREFUSED, "")
    except BaseException:
        sock.close()
        raise
    return sock


def is_connected_to_itself(sock: socket.socket, port: int) -> bool:
    """Where nobody listens, but the kernel chose that very port as ours, a connection meets itself (RFC 9293 3.5)."""
    own = sock.getsockname()
    return bool(own[1] == port and own == sock.getpeername())


class _Plain:
    """A connected socket as a channel."""

    def __init__(self, sock: socket.socket) -> None:
        self._sock = sock
        self._loop = asyncio.get_running_loop()

    async def send(self, octets: bytes) -> None:
        await self._loop.sock_sendall(self._sock, octets)

    async def receive(self, most: int) -> bytes:
        return await self._loop.sock_recv(self._sock, most)


class _Limit:
    """A time limit from now on, for several steps one after the other."""

    def __init__(self, seconds: float) -> None:
        self._seconds = seconds
        self._end = asyncio.get_running_loop().time() + seconds

    @asynccontextmanager
    async def on(self, step: str) -> AsyncIterator[None]:
        """Raise Failed if what is done inside takes too long, or the connection ends."""
        try:
            async with asyncio.timeout_at(self._end):
                yield
        except TimeoutError:
            raise Failed(f"The endpoint did not finish {step} within {self._seconds:g} s.") from None
        except EOFError:
            raise Failed(f"The endpoint closed the connection before it finished {step}.") from None
        except OSError as error:
            raise Failed(f"The connection broke before the endpoint finished {step}: {_reason(error)}.") from None


def _reason(error: OSError) -> str:
    if isinstance(error, ssl.SSLError):
        return reason_of(error)
    return os.strerror(error.errno).lower() if error.errno else str(error)


def _printable(text: str) -> str:
    """Some of it comes from endpoints: no control characters, and not too much."""
    if len(text) > _MOST_TEXT:
        text = f"{text[: _MOST_TEXT - 1]}…"
    return text if text.isprintable() else "".join(letter if letter.isprintable() else "\ufffd" for letter in text)
