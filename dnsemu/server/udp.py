"""UDP: datagrams from a socket, answered in place. How they are read depends on the system.

Linux takes and gives up to 64 datagrams with one system call (`mmsg`); elsewhere the socket is drained one by one
(`drain`). Both are callbacks of the event loop, for when the socket has something to read.
"""

from __future__ import annotations

import socket
import struct
import sys
from collections.abc import Callable, Sequence
from typing import Protocol

from dnsemu.server.drain import Drain

Answer = Callable[[Sequence[bytes], Sequence[bytes]], list[bytes]]
"""The responses to packets that came from the addresses beside them (4 or 16 octets); an empty one is silence."""


class Reader(Protocol):
    """Answers what is waiting in a socket."""

    def __call__(self) -> None:
        """Called when the socket has something to read."""


def reader(sock: socket.socket, answer: Answer) -> Reader:
    """The best way to read `sock` here."""
    if sys.platform == "linux" and struct.calcsize("P") == 8:
        from dnsemu.server.mmsg import Batches

        return Batches(sock, answer)
    return Drain(sock, answer)
