"""What a question of one type at one node is answered with: an `Entry`, compiled."""

from __future__ import annotations

from typing import Protocol

from dnsemu.draws import Draws, shuffled
from dnsemu.wire import Heads, Rcode, heads


class Reply:
    """An answer that is ready but for the question: headers and sections as bytes.

    `answer` is the answer section, `rest` the authority and additional sections without OPT. Names that are the
    question's are pointers to it, all others are written out: the bytes are right behind any question. `whole` says
    that the answer is not complete without its `rest`: negative answers and referrals.
    """

    __slots__ = ("answer", "heads", "rcode", "rest", "whole", "zone_id")

    def __init__(
        self, zone_id: str, rcode: int, heads: Heads, answer: bytes, rest: bytes, *, whole: bool = False
    ) -> None:
        self.zone_id = zone_id
        self.rcode = rcode
        self.heads = heads
        self.answer = answer
        self.rest = rest
        self.whole = whole

    def choose(self, draws: Draws) -> Reply:
        """Itself: there is nothing to choose."""
        return self


class Entry(Protocol):
    """Something that a question is answered from."""

    def choose(self, draws: Draws) -> Reply:
        """The reply to one question."""


class Shuffled:
    """A record set of several values, given in a random order each time (S2, behaviour 5.13).

    `first` is what stands before it in the answer section: the CNAMEs that led to it.
    """

    __slots__ = ("first", "key", "records", "reply")

    def __init__(self, reply: Reply, first: bytes, records: tuple[bytes, ...], key: bytes) -> None:
        self.reply = reply
        self.first = first
        self.records = records
        self.key = key

    def choose(self, draws: Draws) -> Reply:
        """The reply with the values in the order of the next draw."""
        reply = self.reply
        answer = self.first + b"".join(shuffled(self.records, draws.next(self.key)))
        return Reply(reply.zone_id, reply.rcode, reply.heads, answer, reply.rest)


class Everything:
    """Every record set of a node, for a question of type ANY (behaviour 5.7, R12)."""

    __slots__ = ("entries", "reply")

    def __init__(self, reply: Reply, entries: tuple[Entry, ...]) -> None:
        self.reply = reply
        self.entries = entries

    def choose(self, draws: Draws) -> Reply:
        """All answers, one behind the other."""
        reply = self.reply
        answer = b"".join(entry.choose(draws).answer for entry in self.entries)
        return Reply(reply.zone_id, reply.rcode, reply.heads, answer, reply.rest)


class Answers:
    """What a name is answered with: entries by type and class (four octets), and `other` for every other type."""

    __slots__ = ("by_type", "other")

    def __init__(self, by_type: dict[bytes, Entry], other: Entry) -> None:
        self.by_type = by_type
        self.other = other


class Node:
    """A name that exists. `other` answers for the types it does not have: NODATA, a CNAME, a referral.

    `beneath` answers for names below it that do not exist: a wildcard's records, a referral, or NXDOMAIN
    (RFC 4592 3.3.1).
    """

    __slots__ = ("beneath", "other")

    def __init__(self, other: Entry, beneath: Answers) -> None:
        self.other = other
        self.beneath = beneath


REFUSED = Reply("", Rcode.REFUSED, heads(Rcode.REFUSED, (0, 0, 0), authoritative=False), b"", b"")
"""For questions that no zone answers: other classes, zone transfers (E9, E10)."""
