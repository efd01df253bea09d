"""UDP without batches: one system call for each datagram in, one for each out. Works everywhere."""

from __future__ import annotations

import errno
import logging
import socket
import sys
from collections.abc import Callable, Sequence
from typing import Any

from dnsemu.server.bind import is_wildcard, octets_of

_log = logging.getLogger(__name__)
_ROUND = 256  # datagrams before other sockets have their turn
_LARGEST = 65535


class Drain:
    """Reads a socket until it is empty. A socket on all addresses answers from the address that was asked."""

    def __init__(
        self, sock: socket.socket, answer: Callable[[Sequence[bytes], Sequence[bytes]], list[bytes]]
    ) -> None:
        sock.setblocking(False)
        self._sock = sock
        self._answer = answer
        self._ancillary = 0
        if is_wildcard(sock) and want_packet_info(sock):
            self._ancillary = socket.CMSG_SPACE(32)

    def __call__(self) -> None:
        """Answer what is waiting, up to a round's worth."""
        for _ in range(_ROUND):
            try:
                packet, ancillary, _, peer = self._sock.recvmsg(_LARGEST, self._ancillary)
            except (BlockingIOError, InterruptedError):
                return
            except OSError as error:  # an ICMP error that a reply before caused: of that reply, not of this socket
                _log.debug("receiving failed: %s", error)
                continue
            for wire in filter(None, self._answer((packet,), (octets_of(peer[0]),))):
                self._send(wire, ancillary, peer)

    def _send(self, wire: bytes, ancillary: list[Any], peer: Any) -> None:
        try:
            self._sock.sendmsg([wire], ancillary, 0, peer)
        except OSError as error:  # a full buffer or no way back: the asker will ask again
            if error.errno not in (errno.EAGAIN, errno.ENOBUFS):
                _log.debug("replying to %s failed: %s", peer, error)


def want_packet_info(sock: socket.socket) -> bool:
    """Ask for the address each datagram came to, in the form that a reply can give back; False if unknown here."""
    try:
        if sock.family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_RECVPKTINFO, 1)
        else:
            sock.setsockopt(socket.IPPROTO_IP, ip_pktinfo(), 1)
    except (AttributeError, OSError):
        return False
    return True


def ip_pktinfo() -> int:
    """The number of IP_PKTINFO, which Python names only from 3.14 on."""
    named: int | None = getattr(socket, "IP_PKTINFO", None)
    return named if named is not None else 26 if sys.platform == "darwin" else 8
