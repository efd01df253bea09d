"""`respond`: a packet in, a packet out. Pure: no socket, clock, lock, logging or global chance behind it."""

from __future__ import annotations

from functools import cache

from dnsemu.authority.authority import Authority, View
from dnsemu.authority.entries import Drawn
from dnsemu.authority.inquiry import LAST_RESORT, NO_DECISIONS, Decision, Inquiry
from dnsemu.authority.reply import REFUSED, Entry, Reply
from dnsemu.draws import Draws
from dnsemu.errors import WireError
from dnsemu.tally import Account, account
from dnsemu.wire import (
    HEADER,
    MAX_MESSAGE,
    NO_EDNS,
    OPT_HEAD,
    TC,
    UDP,
    UNUSUAL_OPT,
    USUAL_HEADERS,
    USUAL_OPTS,
    Rcode,
    Transport,
    failure,
    name_end,
    read_edns,
    read_header,
    read_subnet,
    truncate,
    with_extended_error,
    with_scope,
    without_options,
)

OTHER_ERROR = 0  # RFC 8914 4.1: what is wrong stands in the text
ALL_UNHEALTHY = b"all members unhealthy, all considered healthy"


class Response:
    """An answer of ours: its `wire` form, the `reply` it was made from, and all that is `counted` of it.

    `question`: its name in lower case, type and class, if it was answered, else empty. `has_unusual_opt`: behind a
    question that was answered stands more than an OPT record without options, or with a cookie.
    """

    __slots__ = ("counted", "has_unusual_opt", "question", "reply", "wire")

    def __init__(
        self,
        wire: bytes,
        reply: Reply,
        question: bytes,
        counted: tuple[Account, bytes, int, tuple[Decision, ...]],
        has_unusual_opt: bool = False,  # noqa: FBT001, FBT002 (naming it would take longer)
    ) -> None:
        """`counted` as `dnsemu.tally` has it."""
        self.wire = wire
        self.reply = reply
        self.question = question
        self.counted = counted
        self.has_unusual_opt = has_unusual_opt

    @property
    def zone_id(self) -> str:
        """The zone that answered; empty if the question reached none."""
        return self.reply.zone_id

    @property
    def rcode(self) -> int:
        """The response code, with the bits that EDNS adds."""
        return self.reply.rcode

    @property
    def decisions(self) -> tuple[Decision, ...]:
        """What routing policies decided for it."""
        return self.counted[3]

    @property
    def fault(self) -> Exception | None:
        """What went wrong, where the RCODE is SERVFAIL: a bug of ours, for the server to log."""
        return None


class Failed(Response):
    """SERVFAIL, because of a `fault`."""

    __slots__ = ("_fault",)

    def __init__(self, refused: Response, fault: Exception) -> None:
        super().__init__(refused.wire, refused.reply, refused.question, refused.counted)
        self._fault = fault

    @property
    def fault(self) -> Exception:
        """The exception that got as far as here."""
        return self._fault


class Truncated(Response):
    """An answer that did not fit: only a part of it, with the TC bit."""

    __slots__ = ()


class Unowned:
    """A question about a name in no zone of ours. `refused` is the response that says so (behaviour 5.9)."""

    __slots__ = ("counted", "refused")
    decisions = NO_DECISIONS
    has_unusual_opt = False
    question = b""
    reply = REFUSED

    def __init__(self, refused: bytes, type_class: bytes) -> None:
        self.refused = refused
        self.counted = REFUSED.account, type_class, len(refused), NO_DECISIONS


def respond(
    authority: Authority, packet: bytes, source: bytes, transport: Transport, draws: Draws
) -> Response | Unowned | None:
    """The response to `packet`; None means silence: a response, or too short to be answered. Never raises.

    `source` is the address it came from, 4 or 16 octets.

    One function on purpose: a call costs as much as a look-up here, and a question is a handful of look-ups.
    """
    try:
        asked = USUAL_HEADERS.get(packet[2:HEADER])
        if asked is None:
            if len(packet) < HEADER or packet[2] & 0x80:
                return None
            asked = read_header(packet[2:HEADER])
        echo, additional = asked

        # The first zero octet ends the name if what is before it is a name we know, or below one. If not, it
        # may be inside of a label, or no name at all, and is read label by label.
        end = packet.find(0, HEADER) + 1
        question_end = end + 4
        name = packet[HEADER:end].lower()
        type_class = packet[end:question_end]
        question = name + type_class
        public, entry = authority.public, None
        view = None if authority.views is None else authority.views.of(source)
        if view is None:
            entry = public.questions.get(question)
            if entry is None and end:
                entry = public.find(name, type_class)
        if entry is None:
            entry, question_end, view = _search(authority, packet, view)
            type_class = packet[question_end - 4 : question_end]
            question = packet[HEADER : question_end - 4].lower() + type_class
        has_unusual_opt = False
        if additional:
            size, edns, is_whole = USUAL_OPTS.get(packet[question_end : question_end + OPT_HEAD], UNUSUAL_OPT)
            if size != len(packet) - question_end or additional != 1:
                edns = read_edns(packet, question_end, additional)
                has_unusual_opt = True
            elif not is_whole:
                edns = read_subnet(packet[question_end + OPT_HEAD :], edns)
                has_unusual_opt = True
            limit, opt, subnet = edns
            if opt:
                echo += 4
        elif len(packet) == question_end:
            limit, opt, subnet = NO_EDNS
        else:
            raise WireError(Rcode.FORMERR)
        if entry is None:
            opt = opt if authority.options.refused_opt else b""
            return Unowned(failure(packet, Rcode.REFUSED, opt, question_end), type_class)
        if view is not None and opt:  # R1
            opt, subnet = without_options(opt), None

        decisions = NO_DECISIONS
        is_last_resort = False
        kind = entry.__class__
        if kind is Reply:
            reply: Reply = entry  # type: ignore[assignment]
        elif kind is Drawn:
            reply, decision = entry.draw(authority.choosers, draws)  # type: ignore[attr-defined]
            decisions = (decision,)
            is_last_resort = decision[1].reason is LAST_RESORT
        else:
            if subnet is None:  # CS2
                inquiry = Inquiry(authority, draws, packet, question_end, source, 8 * len(source))
                if view is not None:
                    inquiry.vpc_id = view.vpc_id
            else:  # CS1
                inquiry = Inquiry(authority, draws, packet, question_end, *subnet)
                inquiry.is_subnet = True
            reply, decisions = entry.choose(inquiry), tuple(inquiry.decisions)
            if subnet is not None:
                opt = with_scope(opt, inquiry.scope)
            is_last_resort = inquiry.is_last_resort
        wire = b"".join((packet[:2], reply.heads[echo], packet[HEADER:question_end], reply.answer, reply.rest, opt))
        if is_last_resort and opt and authority.options.extended_errors:
            told = with_extended_error(opt, OTHER_ERROR, ALL_UNHEALTHY)
            if len(wire) - len(opt) + len(told) <= (limit if transport is UDP else MAX_MESSAGE):  # RFC 8914 3
                wire = wire[: len(wire) - len(opt)] + told
        size = len(wire)
        if size > limit and (transport is UDP or size > MAX_MESSAGE):
            limit = limit if transport is UDP else MAX_MESSAGE
            wire = truncate(wire, question_end, opt, limit, whole=reply.whole)
            size = len(wire)
            if wire[2] & TC:
                counted = (reply.account, type_class, size, decisions)
                return Truncated(wire, reply, question, counted, has_unusual_opt)
        return Response(wire, reply, question, (reply.account, type_class, size, decisions), has_unusual_opt)
    except WireError as error:
        return _refused(packet, error.rcode, error.opt)
    except Exception as fault:
        return Failed(_refused(packet, Rcode.SERVFAIL, b""), fault)


def _search(authority: Authority, packet: bytes, view: View | None) -> tuple[Entry | None, int, View | None]:
    """What answers a question whose name is read label by label, where the question ends, and in which view that is.

    A private zone of the client's VPC hides all else (V2, V5); without one, the client asks as everybody does (V4).
    """
    end = name_end(packet, HEADER)
    name, type_class = packet[HEADER:end].lower(), packet[end : end + 4]
    entry = view.catalogue.search(name, type_class, private=True) if view else None
    if entry is not None:
        return entry, end + 4, view
    catalogue = view.beside(authority.public, name) if view else authority.public
    return catalogue.search(name, type_class), end + 4, None


def _refused(packet: bytes, rcode: int, opt: bytes) -> Response:
    """An error response to a packet that has a whole header."""
    question_end = _question_end(packet)
    wire = failure(packet, rcode, opt or _opt_for(packet, question_end), question_end)
    reply = _no_zone(rcode)
    type_class = packet[max(question_end - 4, 0) : question_end]
    return Response(wire, reply, b"", (reply.account, type_class, len(wire), NO_DECISIONS))


@cache  # a handful of RCODEs
def _no_zone(rcode: int) -> Reply:
    """What stands for a reply where no zone was asked."""
    return Reply(account("", rcode), (), b"", b"", whole=True)


def _opt_for(packet: bytes, question_end: int) -> bytes:
    """The OPT record of an error response: there is one if the question had one that can be read (RFC 6891 7)."""
    records = sum(packet[7:HEADER:2]) if not any(packet[6:HEADER:2]) else 0
    begin = question_end or (HEADER if packet[4:6] == b"\0\0" else 0)
    try:
        return read_edns(packet, begin, records)[1] if begin and records else b""
    except WireError as error:
        return error.opt


def _question_end(packet: bytes) -> int:
    """Where the question of a packet that gets an error ends; 0 if it can not be told."""
    if packet[4:6] != b"\0\1":
        return 0
    try:
        end = name_end(packet, HEADER) + 4
    except WireError:
        return 0
    return end if end <= len(packet) else 0
