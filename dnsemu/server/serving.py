"""The sockets of a server, from open to closed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

from dnsemu.server.answers import Answers
from dnsemu.server.bind import BACKLOG, Endpoint, Sockets
from dnsemu.server.tcp import Connection, Connections, Limits
from dnsemu.server.udp import reader


class Serving:
    """Answers questions that come to `sockets`, which it owns, on the running loop."""

    def __init__(self, sockets: Sequence[Sockets], answers: Answers, limits: Limits) -> None:
        self._sockets = sockets
        self._answers = answers
        self._connections = Connections(limits)
        self._listeners: list[asyncio.Server] = []

    @property
    def endpoints(self) -> list[Endpoint]:
        """Where it listens, with the port numbers that were found for port 0."""
        return [pair.endpoint for pair in self._sockets]

    async def start(self) -> None:
        """Begin to answer."""
        loop = asyncio.get_running_loop()
        for pair in self._sockets:
            loop.add_reader(pair.udp, reader(pair.udp, self._answers.to_datagrams))
            pair.tcp.setblocking(False)
            listener = await loop.create_server(self._connect, sock=pair.tcp, backlog=BACKLOG)
            self._listeners.append(listener)

    async def close(self) -> None:
        """Stop, and close every socket and connection."""
        loop = asyncio.get_running_loop()
        for pair in self._sockets:
            loop.remove_reader(pair.udp)
            pair.udp.close()
        for listener in self._listeners:
            listener.close()
        for connection in tuple(self._connections.open):
            connection.close()
        await asyncio.sleep(0)  # lets the connections hear of it

    def _connect(self) -> Connection:
        return Connection(self._answers.to_message, self._connections)
