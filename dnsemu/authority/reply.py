"""What a question of one type at one node is answered with: an `Entry`, compiled."""

from __future__ import annotations

from struct import Struct
from typing import Protocol

from dnsemu.authority.inquiry import Inquiry
from dnsemu.tally import Account, account, read_account
from dnsemu.wire import AA, RA, Heads, Rcode, heads

_COUNTS = Struct("!HHH")


class Reply:
    """An answer that is ready but for the question: headers and sections as bytes.

    `answer` is the answer section, `rest` the authority and additional sections without OPT. Names that are the
    question's are pointers to it, all others are written out: the bytes are right behind any question. `whole` says
    that the answer is not complete without its `rest`: negative answers and referrals. `account`: of its zone id and
    RCODE (`dnsemu.tally`).
    """

    __slots__ = ("account", "answer", "heads", "rest", "whole")

    def __init__(self, account: Account, heads: Heads, answer: bytes, rest: bytes, *, whole: bool = False) -> None:
        self.account = account
        self.heads = heads
        self.answer = answer
        self.rest = rest
        self.whole = whole

    def choose(self, inquiry: Inquiry) -> Reply:
        """Itself: there is nothing to choose."""
        return self

    @property
    def zone_id(self) -> str:
        """The zone that answers; empty if the question reached none."""
        return read_account(self.account)[0]

    @property
    def rcode(self) -> int:
        """The response code, with the bits that EDNS adds."""
        return read_account(self.account)[1]

    @property
    def counts(self) -> tuple[int, int, int]:
        """Records in its answer, authority and additional section, without OPT."""
        answers, authorities, additional = _COUNTS.unpack_from(self.heads[0], 4)
        return answers, authorities, additional

    def with_sections(self, answer: bytes, answers: int, more: bytes = b"", additional: int = 0) -> Reply:
        """Like it, with another answer section, and `more` behind its additional section."""
        _, authorities, before = self.counts
        ready = heads_like(self.heads, (answers, authorities, before + additional), self.rcode)
        return Reply(self.account, ready, answer, self.rest + more, whole=self.whole)


def heads_like(ready: Heads, counts: tuple[int, int, int], rcode: int) -> Heads:
    """Headers with the AA and RA bits of others."""
    upper, lower = ready[0][:2]
    return heads(rcode, counts, authoritative=bool(upper & AA), recursive=bool(lower & RA))


class Entry(Protocol):
    """Something that a question is answered from."""

    def choose(self, inquiry: Inquiry) -> Reply:
        """The reply to one question."""


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


REFUSED = Reply(account("", Rcode.REFUSED), heads(Rcode.REFUSED, (0, 0, 0), authoritative=False), b"", b"")
"""For questions that no zone answers: other classes, zone transfers (E9, E10)."""
