"""The sockets of a server, from open to closed."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from functools import partial
from ipaddress import ip_address

from dnsemu.server.answers import Answers
from dnsemu.server.bind import Endpoint, Sockets, accept
from dnsemu.server.tcp import Connection, Connections, Limits
from dnsemu.server.udp import reader
from dnsemu.wire import TCP, UDP


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
            version = ip_address(pair.endpoint.host).version
            loop.add_reader(pair.udp, reader(pair.udp, self._answers.over(UDP, version).to_packets))
            connect = partial(Connection, self._answers.over(TCP, version).to_message, self._connections)
            self._listeners.append(await accept(connect, pair.tcp))

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
