"""Entries that make their reply when they are asked: by chance, by a routing policy, or of several parts."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dnsemu.authority.inquiry import LAST_RESORT, NOBODY, Decision, Inquiry
from dnsemu.authority.reply import Answers, Entry, Reply, heads_like
from dnsemu.draws import Draws, shuffled
from dnsemu.routing import Chooser

MAX_CHAIN = 16  # CNAMEs followed for one question; the asker goes on from the last (5.5 "several steps")


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

    def choose(self, inquiry: Inquiry) -> Reply:
        """The reply with the values in the order of the next draw."""
        reply = self.reply
        answer = self.first + b"".join(shuffled(self.records, inquiry.draws.next(self.key)))
        return Reply(reply.account, reply.heads, answer, reply.rest)


class Routed:
    """A group with a routing policy: the chosen member's entry answers, `nothing` if none is chosen."""

    __slots__ = ("branches", "nothing", "number")

    def __init__(self, number: int, branches: tuple[Entry, ...], nothing: Reply) -> None:
        """`number`: that of the group in the authority; `branches`: what each member is answered with."""
        self.number = number
        self.branches = branches
        self.nothing = nothing

    def choose(self, inquiry: Inquiry) -> Reply:
        """The chosen member's reply."""
        number = self.number  # as Inquiry.choose, without the call: this is the answer path
        choice = members, reason, scope = inquiry.choosers[number].choose(inquiry, inquiry.draws)
        inquiry.decisions.append((number, choice))
        if scope > inquiry.scope:
            inquiry.scope = scope
        if reason is LAST_RESORT:
            inquiry.is_last_resort = True
        if not members:
            return self.nothing
        branch = self.branches[members[0]]
        return branch if branch.__class__ is Reply else branch.choose(inquiry)


class Drawn(Routed):
    """A group with a routing policy to which it does not matter who asks, and whose members' replies are ready.

    Such groups are asked often, and answered without an `Inquiry`.
    """

    branches: tuple[Reply, ...]

    def draw(self, choosers: Sequence[Chooser], draws: Draws) -> tuple[Reply, Decision]:
        """The chosen member's reply, and the decision; there always is one."""
        number = self.number
        choice = choosers[number].choose(NOBODY, draws)
        return self.branches[choice[0][0]], (number, choice)


class Several:
    """A group whose answers join members: multivalue. Each record is given once (M7)."""

    __slots__ = ("first", "heads", "key", "number", "records", "reply")

    def __init__(
        self, number: int, reply: Reply, first: bytes, records: tuple[tuple[bytes, ...], ...], key: bytes
    ) -> None:
        """`reply`: of all records of all members; `first`: the CNAMEs that led here."""
        self.number = number
        self.reply = reply
        self.first = first
        self.records = records
        self.key = key
        before, *others = reply.counts
        before -= sum(map(len, records))
        self.heads = [
            heads_like(reply.heads, (before + count, others[0], others[1]), reply.rcode)
            for count in range(sum(map(len, records)) + 1)
        ]

    def choose(self, inquiry: Inquiry) -> Reply:
        """The chosen members' records, in random order."""
        members, records, reply = inquiry.choose(self.number), self.records, self.reply
        chosen = [record for member in members for record in records[member]]
        if len(set(chosen)) < len(chosen):
            chosen = list(dict.fromkeys(chosen))
        if len(chosen) > len(members):  # members come in random order already
            chosen = shuffled(chosen, inquiry.draws.next(self.key))
        return Reply(reply.account, self.heads[len(chosen)], self.first + b"".join(chosen), reply.rest)


class Added:
    """An answer with additional data that is chosen too: addresses of names with a routing policy (5.2.5)."""

    __slots__ = ("entry", "more")

    def __init__(self, entry: Entry, more: tuple[Entry, ...]) -> None:
        self.entry = entry
        self.more = more

    def choose(self, inquiry: Inquiry) -> Reply:
        """The entry's reply, with the answers of the others as additional data."""
        reply = self.entry.choose(inquiry)
        was_last_resort = inquiry.is_last_resort  # that is said of the answer alone
        others = [entry.choose(inquiry) for entry in self.more]
        inquiry.is_last_resort = was_last_resort
        octets = b"".join([other.answer for other in others])
        answers = reply.counts[0]
        return reply.with_sections(reply.answer, answers, octets, sum(other.counts[0] for other in others))


class Everything:
    """Every record set of a node, for a question of type ANY (behaviour 5.7, R12)."""

    __slots__ = ("entries", "nothing", "reply")

    def __init__(self, reply: Reply, entries: tuple[Entry, ...], nothing: Reply) -> None:
        """`reply`: without an answer section; `nothing`: if no group has an answer for the client."""
        self.reply = reply
        self.entries = entries
        self.nothing = nothing

    def choose(self, inquiry: Inquiry) -> Reply:
        """All answers, one behind the other."""
        replies = [entry.choose(inquiry) for entry in self.entries]
        count = sum(reply.counts[0] for reply in replies)
        return (
            self.reply.with_sections(b"".join([reply.answer for reply in replies]), count) if count else self.nothing
        )


class Hop(Reply):
    """A CNAME alone, with where it leads to."""

    __slots__ = ("target",)

    def __init__(self, reply: Reply, target: bytes) -> None:
        super().__init__(reply.account, reply.heads, reply.answer, reply.rest)
        self.target = target

    def with_sections(self, answer: bytes, answers: int, more: bytes = b"", additional: int = 0) -> Reply:
        """Like it, with other sections."""
        return Hop(super().with_sections(answer, answers, more, additional), self.target)


class Chase:
    """A chain of CNAMEs, some of which are chosen by a routing policy, followed at the question (behaviour 5.5).

    `first`: CNAMEs that stand before, as octets and their number; `begin`: gives the first `Hop`; `onward`: what each
    name of the zone that a CNAME may lead to is answered with, its owner written out.
    """

    __slots__ = ("alone", "begin", "first", "onward", "seen")

    def __init__(
        self,
        first: tuple[bytes, int],
        begin: Entry,
        onward: Mapping[bytes, Answers],
        alone: Entry,
        seen: Sequence[bytes] = (),
    ) -> None:
        """`alone`: what goes with a chain that ends with a CNAME; `seen`: names that those before led through."""
        self.first = first
        self.begin = begin
        self.onward = onward
        self.alone = alone
        self.seen = frozenset(seen)

    def choose(self, inquiry: Inquiry) -> Reply:
        """What the chain comes to: a hop that leads out of the zone, or in a circle, ends it."""
        octets, count = self.first
        seen = {*self.seen, inquiry.name}
        reply = self.begin.choose(inquiry)
        ready = reply.heads
        while isinstance(reply, Hop):
            onward = self.onward.get(reply.target)
            if onward is None or reply.target in seen or count + 1 >= MAX_CHAIN:
                octets, count = octets + reply.answer, count + 1
                reply = self.alone.choose(inquiry)
                break
            seen.add(reply.target)
            octets, count = octets + reply.answer, count + 1
            reply = (onward.by_type.get(inquiry.type_class) or onward.other).choose(inquiry)
        answers, authorities, additional = reply.counts
        ready = heads_like(ready, (count + answers, authorities, additional), reply.rcode)
        return Reply(reply.account, ready, octets + reply.answer, reply.rest, whole=reply.whole)
