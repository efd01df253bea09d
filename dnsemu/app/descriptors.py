"""File descriptors, and who may have how many of them."""

from __future__ import annotations

from typing import NamedTuple

from dnsemu.server.bind import file_descriptors

_OTHERS = 64  # sockets that listen, files, and a connection more, to turn it away
_HTTP = 1024
_PROBES = 20_000


class Shares(NamedTuple):
    """How many connections over TCP, connections over HTTP, and probes there may be at a time."""

    tcp: int
    http: int
    probes: int


def shares(tcp: int) -> Shares:
    """The shares in what this process can have, with at most so many connections over TCP.

    Asks for as many as may ever be wanted: a reload can bring any number of health checks.
    """
    return share(file_descriptors(_OTHERS + tcp + _HTTP + _PROBES), tcp)


def share(descriptors: int, tcp: int) -> Shares:
    """Half of what is left for probes, if it is not enough for all; nobody can take what is somebody else's."""
    free = descriptors - min(_OTHERS, descriptors // 2)
    quarter = max(free // 4, 1)
    for_tcp, for_http = min(tcp, quarter), min(_HTTP, quarter)
    return Shares(for_tcp, for_http, max(min(free - for_tcp - for_http, _PROBES), 1))
