"""TCP (RFC 7766): many questions on a connection, answered as they come, in bounded time and memory."""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from dnsemu.server.bind import octets_of

_log = logging.getLogger(__name__)
_HEADER = 12


@dataclass(frozen=True, slots=True)
class Limits:
    """What connections may take: seconds without a question, seconds in all, how many there may be."""

    idle: float = 15.0
    lifetime: float = 300.0
    connections: int = 1024
    per_client: int = 128


@dataclass(slots=True)
class Connections:
    """The connections that are open, and those of each client."""

    limits: Limits
    open: set[Connection] = field(default_factory=set)
    clients: Counter[str] = field(default_factory=Counter)
    is_full: bool = False  # since somebody was turned away, until somebody leaves

    def admit(self, connection: Connection, client: str) -> bool:
        """Count a new connection in; False if there are too many."""
        if len(self.open) >= self.limits.connections or self.clients[client] >= self.limits.per_client:
            if not self.is_full:
                _log.warning("too many TCP connections: new ones are closed, the first is from %s", client)
            self.is_full = True
            return False
        self.open.add(connection)
        self.clients[client] += 1
        return True

    def release(self, connection: Connection, client: str) -> None:
        """Count a connection out."""
        if connection in self.open:
            self.open.remove(connection)
            self.is_full = False
            self.clients[client] -= 1
            if not self.clients[client]:
                del self.clients[client]


class Connection(asyncio.Protocol):
    """One connection. While the peer does not read its answers, no more of its questions are read."""

    def __init__(self, answer: Callable[[bytes, bytes], bytes], connections: Connections) -> None:
        self._answer = answer
        self._connections = connections
        self._pending = bytearray()
        self._client = ""
        self._source = b"\0\0\0\0"
        self._blocked = self._ended = False
        self._unsent = 0
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        """A peer has connected."""
        self._transport: asyncio.Transport = transport
        peer = transport.get_extra_info("peername")
        if peer:  # none if the peer has gone already
            self._client, self._source = peer[0], octets_of(peer[0])
        if not self._connections.admit(self, self._client):
            transport.abort()
            return
        self._loop = asyncio.get_running_loop()
        self._closes = self._loop.time() + self._connections.limits.lifetime
        self._wait_for_question()

    def connection_lost(self, exc: Exception | None) -> None:
        """The connection has ended, by whoever."""
        if self._timer:
            self._timer.cancel()
        self._connections.release(self, self._client)
        self._pending.clear()

    def data_received(self, data: bytes) -> None:
        """Some octets: parts of messages, or many of them."""
        self._pending += data
        self._answer_pending()

    def eof_received(self) -> bool:
        """The peer will ask no more; what it asked is still answered."""
        self._ended = True
        if not self._blocked:
            self._transport.close()
        return True

    def pause_writing(self) -> None:
        """The peer does not keep up with reading its answers."""
        self._blocked = True
        self._unsent = self._transport.get_write_buffer_size()
        self._transport.pause_reading()

    def resume_writing(self) -> None:
        """The peer has read on."""
        self._blocked = False
        self._transport.resume_reading()
        self._wait_for_question()
        self._answer_pending()

    def close(self) -> None:
        """End the connection at once; what is not yet sent is lost."""
        self._transport.abort()

    def _answer_pending(self) -> None:
        """Answers whole messages, as long as the peer reads (RFC 7766 6.2.1.1, 8)."""
        pending, at = self._pending, 0
        closing = self._transport.is_closing  # a peer may have gone while its questions were waiting
        while not self._blocked and not closing() and len(pending) - at >= 2:
            end = at + 2 + int.from_bytes(pending[at : at + 2], "big")
            if end - at - 2 < _HEADER:  # no message is that short: this stream is no DNS
                self._transport.abort()
                return
            if end > len(pending):
                break
            wire = self._answer(bytes(pending[at + 2 : end]), self._source)
            at = end
            if wire:
                self._transport.write(len(wire).to_bytes(2, "big") + wire)
        if at:
            del pending[:at]
            if not self._blocked:
                self._wait_for_question()
        if self._ended and not self._blocked:
            self._transport.close()

    def _wait_for_question(self) -> None:
        """Only a whole question moves the end; octets that trickle in do not."""
        if self._timer:
            self._timer.cancel()
        idle_end = self._loop.time() + self._connections.limits.idle
        self._timer = self._loop.call_at(min(idle_end, self._closes), self._expire)

    def _expire(self) -> None:
        """The time is over, unless the peer has at least read on, if slowly."""
        unsent = self._transport.get_write_buffer_size()
        if self._blocked and unsent < self._unsent and self._loop.time() < self._closes:
            self._unsent = unsent
            self._wait_for_question()
        else:
            self._transport.abort()
