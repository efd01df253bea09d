"""What the sockets call: the authority that is served now, asked."""

from __future__ import annotations

import logging
from collections.abc import Sequence

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

    def to_datagrams(self, packets: Sequence[bytes], sources: Sequence[bytes]) -> list[bytes]:
        """The responses to datagrams, each from the address beside it; an empty one is silence."""
        authority, draws = self._authority, self._draws
        wires = []
        for packet, source in zip(packets, sources, strict=True):
            response = respond(authority, packet, source, UDP, draws)
            wires.append(response.wire if response.__class__ is Response else _unusual(response, packet))
        return wires

    def to_message(self, packet: bytes, source: bytes) -> bytes:
        """The response to a message of a stream; an empty one is silence."""
        return _unusual(respond(self._authority, packet, source, TCP, self._draws), packet)


def _unusual(response: Response | Unowned | None, packet: bytes) -> bytes:
    if isinstance(response, Unowned):
        return response.refused
    if response is None:
        return b""
    if response.fault is not None:
        _log.error("a question could not be answered: %s", packet.hex(), exc_info=response.fault)
    return response.wire
