"""Who holds a port. Imported only when one is taken."""

from __future__ import annotations

import socket
from contextlib import suppress

import psutil


def holder_of(port: int, protocol: str) -> str:
    """The program that holds `port`, as `name (pid 123)`; "another program" where the system does not say."""
    kind = socket.SOCK_DGRAM if protocol == "UDP" else socket.SOCK_STREAM
    with suppress(psutil.Error, OSError):
        for connection in psutil.net_connections("inet"):
            listens = kind == socket.SOCK_DGRAM or connection.status == psutil.CONN_LISTEN
            if connection.type == kind and connection.laddr and connection.laddr.port == port and listens:
                return _name(connection.pid)
    return "another program"


def _name(pid: int | None) -> str:
    if pid is None:
        return "another user's program"
    try:
        return f"{psutil.Process(pid).name()} (pid {pid})"
    except psutil.Error:
        return f"the program with pid {pid}"
