"""A server in a thread of its own, on a free port of the loopback interface."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from os import PathLike
from pathlib import Path

import dns.edns
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype

from dnsemu.app import Loaded, Server, Settings, load, load_text
from dnsemu.server import Limits, read_endpoint

TIMEOUT = 5.0  # seconds


class TestServer:
    """A running server, asked over real sockets."""

    __test__ = False  # the name begins with Test, and pytest collects such classes

    def __init__(self, server: Server) -> None:
        self._endpoint = server.endpoints[0]

    @property
    def address(self) -> tuple[str, int]:
        """Where to ask, over UDP and TCP: address and port; the loopback's if it listens on all addresses."""
        return self._endpoint.to_ask()

    def query(
        self, name: str, rdtype: str = "A", *, tcp: bool = False, subnet: str | None = None, edns: bool = True
    ) -> dns.message.Message:
        """The whole answer as dnspython's message; one that was truncated is asked for again over TCP.

        `subnet`: an EDNS client subnet such as `192.0.2.0/24`. Raises dns.exception.Timeout.
        """
        options = [dns.edns.ECSOption.from_text(subnet)] if subnet else []
        question = dns.message.make_query(name, rdtype, use_edns=0 if edns else -1, payload=1232, options=options)
        host, port = self.address
        if tcp:
            return dns.query.tcp(question, host, TIMEOUT, port)
        return dns.query.udp_with_fallback(question, host, TIMEOUT, port)[0]

    def resolve(self, name: str, rdtype: str = "A") -> list[str]:
        """The values of `rdtype` in the answer as texts, sorted; CNAMEs on the way are left out.

        Raises LookupError for any RCODE but NOERROR; a name without that type has no values.
        """
        answer = self.query(name, rdtype)
        if answer.rcode() != dns.rcode.NOERROR:
            raise LookupError(f"{name} {rdtype}: {dns.rcode.to_text(answer.rcode())}")
        wanted = dns.rdatatype.from_text(rdtype)
        return sorted(str(value) for rrset in answer.answer if rrset.rdtype == wanted for value in rrset)


@contextmanager
def serve(
    path: str | PathLike[str] | None = None,
    *,
    text: str | None = None,
    seed: int | None = None,
    host: str = "127.0.0.1",
    limits: Limits | None = None,
    probes: bool = False,
) -> Iterator[TestServer]:
    """Serve a folder or file, or a `text`, until the block ends.

    `seed` makes random choices the same each time; `limits` are those of TCP connections. Health checks have the
    status that they begin with, so that nothing outside decides about a test; with `probes` they ask their endpoints.
    Raises ConfigError with every fault of the configuration, before anything is served.
    """
    endpoint = read_endpoint(f"[{host}]:0" if ":" in host else f"{host}:0")
    server = Server(_load(path, text), [endpoint], seed, limits, Settings(probes=probes))
    running = _Thread(server)
    try:
        running.begin()
        yield TestServer(server)
    finally:
        running.end()


def _load(path: str | PathLike[str] | None, text: str | None) -> Loaded:
    if (path is None) == (text is None):
        raise TypeError("serve() takes either a path or text=…")
    return load_text(text) if text is not None else load([Path(path or "")])


class _Thread:
    """The event loop of a server, in a thread."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="dnsemu", daemon=True)

    def begin(self) -> None:
        """Start, and return when it answers."""
        self._thread.start()
        for step in (self._server.start, self._server.operate):
            asyncio.run_coroutine_threadsafe(step(), self._loop).result(TIMEOUT)

    def end(self) -> None:
        """Close every socket and leave no thread behind."""
        asyncio.run_coroutine_threadsafe(self._server.close(), self._loop).result(TIMEOUT)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(TIMEOUT)
        self._loop.close()
