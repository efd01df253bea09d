"""What the sockets call: the authority that is served now, asked."""

from __future__ import annotations

import logging

from dnsemu.authority import Authority, Response, Unowned, respond
from dnsemu.draws import Draws
from dnsemu.wire import TCP, UDP

_log = logging.getLogger(__name__)


class Answers:
    """Responses to packets. `publish` replaces the authority by one assignment, between two packets."""

    def __init__(self, authority: Authority, draws: Draws) -> None:
        self._authority = authority
        self._draws = draws

    def publish(self, authority: Authority) -> None:
        """Serve another authority from the next packet on."""
        self._authority = authority

    def over_udp(self, packet: bytes) -> bytes | None:
        """The response to a datagram, or None for silence."""
        response = respond(self._authority, packet, UDP, self._draws)
        if response.__class__ is Response and response.fault is None:
            return response.wire
        return _unusual(response, packet)

    def over_tcp(self, packet: bytes) -> bytes | None:
        """The response to a message of a stream, or None for silence."""
        return _unusual(respond(self._authority, packet, TCP, self._draws), packet)


def _unusual(response: Response | Unowned | None, packet: bytes) -> bytes | None:
    if isinstance(response, Unowned):
        return response.refused
    if response is None:
        return None
    if response.fault is not None:
        _log.error("a question could not be answered: %s", packet.hex(), exc_info=response.fault)
    return response.wire
