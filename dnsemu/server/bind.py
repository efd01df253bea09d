"""Opening the sockets: one number for UDP and TCP, and a useful word where that is not possible."""

from __future__ import annotations

import asyncio
import errno
import resource
import socket
from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_address
from typing import NamedTuple

_RECEIVE_BUFFER = 4 << 20  # octets; a burst of some ten thousand questions
BACKLOG = 256  # connections that wait to be accepted
_AT_A_TIME = 8  # that are accepted before others have their turn
_ATTEMPTS = 32  # to find a number that is free for both


class Endpoint(NamedTuple):
    """An address and a port; port 0 asks for a free one."""

    host: str
    port: int

    def to_ask(self) -> tuple[str, int]:
        """Where to ask what listens here: one can not ask all addresses, but the loopback's is among them."""
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.host, self.host), self.port

    def __str__(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"


class BindError(Exception):
    """A socket could not be opened: which, why, and what to do about it. `why` is errno's number."""

    def __init__(self, message: str, why: int) -> None:
        super().__init__(message)
        self.why = why

    @property
    def without_family(self) -> bool:
        """Whether this machine has no such address: IPv6 switched off, most often."""
        return self.why in (errno.EAFNOSUPPORT, errno.EADDRNOTAVAIL)


class Sockets(NamedTuple):
    """A pair bound to one address and port."""

    endpoint: Endpoint
    udp: socket.socket
    tcp: socket.socket


def read_endpoint(text: str) -> Endpoint:
    """`127.0.0.1:5300`, `[::1]:5300` or `localhost:5300`. Raises ValueError."""
    host, colon, port = text.rpartition(":")
    number = int(port) if port.isascii() and port.isdigit() and len(port) <= 5 else 65536
    bracketed = host.startswith("[") and host.endswith("]")
    if not colon or number > 65535 or (":" in host) != bracketed:
        raise ValueError(f"'{text}' is not HOST:PORT: write 127.0.0.1:5300 or [::1]:5300")
    host = "127.0.0.1" if host == "localhost" else host[1:-1] if bracketed else host
    try:
        return Endpoint(str(ip_address(host)), number)
    except ValueError:
        raise ValueError(f"'{host}' is not an IP address: write 127.0.0.1:5300 or [::1]:5300") from None


def bind(endpoint: Endpoint) -> Sockets:
    """Sockets for UDP and TCP on one number. Raises BindError."""
    for attempt in range(_ATTEMPTS):
        tcp = _open(endpoint, socket.SOCK_STREAM)
        here = Endpoint(endpoint.host, tcp.getsockname()[1])
        try:
            return Sockets(here, _open(here, socket.SOCK_DGRAM), tcp)
        except BindError as error:
            tcp.close()
            if endpoint.port or error.why != errno.EADDRINUSE or attempt == _ATTEMPTS - 1:
                raise
    raise AssertionError("the last attempt returns or raises")


def bind_http(endpoint: Endpoint) -> tuple[Endpoint, socket.socket]:
    """A TCP socket that listens, and where. Raises BindError."""
    sock = _open(endpoint, socket.SOCK_STREAM, "HTTP")
    return Endpoint(endpoint.host, sock.getsockname()[1]), sock


def octets_of(host: str) -> bytes:
    """An address as sockets give it (`fe80::1%eth0` too), in 4 or 16 octets."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    return socket.inet_pton(family, host.partition("%")[0])


def file_descriptors(wanted: int) -> int:
    """How many this process may have; asks for as many as are `wanted` where the system's default is less."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = wanted
    wanted = wanted if hard == resource.RLIM_INFINITY else min(wanted, hard)
    if soft != resource.RLIM_INFINITY and soft < wanted:
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            return wanted
    return unlimited if soft == resource.RLIM_INFINITY else soft


async def accept(connect: Callable[[], asyncio.Protocol], sock: socket.socket) -> asyncio.Server:
    """Accept connections on a bound socket, few at a time: each is a file descriptor before it can be turned away."""
    sock.setblocking(False)
    server = await asyncio.get_running_loop().create_server(connect, sock=sock, backlog=_AT_A_TIME)
    sock.listen(BACKLOG)  # for asyncio a backlog is both
    return server


def is_wildcard(sock: socket.socket) -> bool:
    """Whether the socket takes what comes to any address of the machine."""
    return sock.getsockname()[0] in ("0.0.0.0", "::")


def _open(endpoint: Endpoint, kind: socket.SocketKind, protocol: str = "") -> socket.socket:
    protocol = protocol or ("UDP" if kind is socket.SOCK_DGRAM else "TCP")
    family = socket.AF_INET6 if ":" in endpoint.host else socket.AF_INET
    sock = None
    try:
        sock = socket.socket(family, kind)
        _set_options(sock, family, kind)
        sock.bind(socket.getaddrinfo(endpoint.host, endpoint.port, family, kind)[0][4])
        if kind is socket.SOCK_STREAM:
            sock.listen(BACKLOG)
    except OSError as error:
        if sock:
            sock.close()
        raise BindError(_explain(endpoint, protocol, error), error.errno or 0) from error
    return sock


def _set_options(sock: socket.socket, family: int, kind: socket.SocketKind) -> None:
    if family == socket.AF_INET6:
        sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    if kind is socket.SOCK_STREAM:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    else:
        with suppress(OSError):  # the system's limit may be lower
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, _RECEIVE_BUFFER)


def _explain(endpoint: Endpoint, protocol: str, error: OSError) -> str:
    failed = f"cannot listen on {endpoint} ({protocol})"
    if error.errno == errno.EADDRINUSE:
        from dnsemu.server.holder import holder_of

        option, usual, spare = ("--http", 8053, 8054) if protocol == "HTTP" else ("--listen", 5300, 5353)
        other = usual if endpoint.port != usual else spare
        return (
            f"{failed}: {holder_of(endpoint.port, protocol)} has it\n"
            f"  take another port:     {option} {endpoint._replace(port=other)}   (or port 0 for a free one)\n"
            f"  take another address:  {option} 127.0.0.2:{endpoint.port}\n"
            f"  or stop what holds it"
        )
    if error.errno in (errno.EACCES, errno.EPERM):
        return (
            f"{failed}: ports below 1024 are not for everyone\n"
            f"  take another port:     {'--http' if protocol == 'HTTP' else '--listen'} "
            f"{endpoint._replace(port=8053 if protocol == 'HTTP' else 5300)}\n"
            f"  or allow it (Linux):   sysctl net.ipv4.ip_unprivileged_port_start={endpoint.port}"
        )
    if error.errno == errno.EADDRNOTAVAIL:
        return f"{failed}: this machine does not have that address"
    return f"{failed}: {error.strerror}"
