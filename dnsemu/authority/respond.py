"""`respond`: a packet in, a packet out. Pure: no socket, clock, lock, logging or global chance behind it."""

from __future__ import annotations

from dnsemu.authority.authority import Authority, find
from dnsemu.authority.reply import REFUSED, Entry, Node
from dnsemu.draws import Draws
from dnsemu.errors import WireError
from dnsemu.wire import (
    HEADER,
    MAX_MESSAGE,
    NO_EDNS,
    UDP,
    USUAL_HEADERS,
    Meta,
    Rcode,
    Transport,
    failure,
    name_end,
    read_edns,
    read_header,
    truncate,
    type_and_class,
)

_CLASS_IN = b"\0\1"
_TRANSFERS = frozenset({type_and_class(Meta.AXFR), type_and_class(Meta.IXFR)})


class Response:
    """An answer of ours: its `wire` form, the zone's id (empty if none was reached), and its RCODE.

    `fault` is what went wrong where the RCODE is SERVFAIL: a bug of ours, for the server to log.
    """

    __slots__ = ("fault", "rcode", "wire", "zone_id")

    def __init__(self, wire: bytes, zone_id: str, rcode: int, fault: Exception | None = None) -> None:
        self.wire = wire
        self.zone_id = zone_id
        self.rcode = rcode
        self.fault = fault


class Unowned:
    """A question about a name in no zone of ours. `refused` is the response that says so (behaviour 5.9)."""

    __slots__ = ("refused",)

    def __init__(self, refused: bytes) -> None:
        self.refused = refused


def respond(authority: Authority, packet: bytes, transport: Transport, draws: Draws) -> Response | Unowned | None:
    """The response to `packet`; None means silence: a response, or too short to be answered. Never raises."""
    try:
        asked = USUAL_HEADERS.get(packet[2:HEADER])
        if asked is None:
            if len(packet) < HEADER or packet[2] & 0x80:
                return None
            asked = read_header(packet[2:HEADER])
        echo, additional = asked

        # The first zero octet ends the name if what is before it is a name we know. If it is not, it may not be
        # a name at all, and is read label by label.
        end = packet.find(0, HEADER)
        node = authority.names.get(packet[HEADER : end + 1].lower())
        if node is None:
            end = name_end(packet, HEADER)
            node = find(authority.names, packet[HEADER : end + 1].lower())
        question_end = end + 5
        if additional:
            limit, opt = read_edns(packet, question_end, additional)
            if opt:
                echo += 4
        elif len(packet) == question_end:
            limit, opt = NO_EDNS
        else:
            raise WireError(Rcode.FORMERR)
        if node is None:
            return Unowned(
                failure(packet, Rcode.REFUSED, opt if authority.options.refused_opt else b"", question_end)
            )

        entry = node.answers.get(packet[end + 1 : question_end])
        if entry is None:
            entry = _other(node, packet[end + 1 : question_end])
        reply = entry.choose(draws)
        wire = b"".join((packet[:2], reply.heads[echo], packet[HEADER:question_end], reply.answer, reply.rest, opt))
        if len(wire) > limit and (transport is UDP or len(wire) > MAX_MESSAGE):
            wire = truncate(wire, question_end, opt, limit if transport is UDP else MAX_MESSAGE)
        return Response(wire, reply.zone_id, reply.rcode)
    except WireError as error:
        return Response(failure(packet, error.rcode, error.opt, _question_end(packet)), "", error.rcode)
    except Exception as fault:
        return Response(failure(packet, Rcode.SERVFAIL, b"", _question_end(packet)), "", Rcode.SERVFAIL, fault)


def _other(node: Node, type_class: bytes) -> Entry:
    """The entry for a type that the node does not have, for another class than IN, or a transfer."""
    if type_class[2:] != _CLASS_IN or type_class in _TRANSFERS:
        return REFUSED
    return node.other


def _question_end(packet: bytes) -> int:
    """Where the question of a packet that gets an error ends; 0 if it can not be told."""
    if packet[4:6] != b"\0\1":
        return 0
    try:
        end = name_end(packet, HEADER) + 5
    except WireError:
        return 0
    return end if end <= len(packet) else 0
