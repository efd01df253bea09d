"""What was asked and how it was answered, to be shown and logged.

`queries_of` makes a `Query` of each packet of a batch, and `Recent` keeps the last ones. `Lines` tells the same as
text, ten times as quickly: it joins what the packet has and what it remembers of others.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Hashable, Iterator, Sequence
from functools import lru_cache
from itertools import islice
from socket import AF_INET, AF_INET6, inet_ntop
from typing import NamedTuple, Protocol, TypeVar

import dns.rcode
import dns.rdatatype

from dnsemu.authority import Authority, Response, Truncated, Unowned
from dnsemu.authority.inquiry import Decision
from dnsemu.errors import WireError
from dnsemu.location import unmapped
from dnsemu.model import show_name
from dnsemu.routing import Choice
from dnsemu.server.answers import Batch, Kind
from dnsemu.tally import Account, read_account
from dnsemu.wire import HEADER, OPT_HEAD, Transport, name_end, read_edns

_SUBNETS = {1: (AF_INET, 4), 2: (AF_INET6, 16)}  # by the family of a client subnet (RFC 7871 6)
_FLOOD = 20_000  # questions in a second
_SPAN = 0.1  # seconds in which they are counted
_PAUSE = 0.01  # seconds between two batches of a flood that are remembered
_MOST_KEPT = 16384  # texts of one kind that are remembered; what they are made of is for clients to choose
_SHORT = OPT_HEAD + 20 + 12  # octets of a record whose text is remembered: a subnet of 16 octets, and a cookie
_PARTS = 6  # of a line
_USUAL = b"abcdefghijklmnopqrstuvwxyz0123456789-_"  # what `show_name` shows as it is, in labels in lower case
_shown = lru_cache(1024)(show_name)

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Decided(NamedTuple):
    """What one group with a routing policy decided: the members taken, none if nothing matched, and why."""

    name: str
    type: str
    policy: str
    set_identifiers: tuple[str, ...]
    reason: str


class Query(NamedTuple):
    """A packet that came, and what it was answered with.

    `at`: seconds since the epoch. `name`: in lower case, with a trailing dot, as Route 53 prints names; it and `type`
    are empty if they could not be read. `rcode`: empty where there was silence. `transport`: UDP or TCP. `client`:
    the address the packet came from. `subnet`: the client subnet as asked, None without one. `zone_id` and `zone`,
    its name: empty if no zone answered.
    """

    at: float
    name: str
    type: str
    rcode: str
    transport: str
    client: str
    subnet: str | None
    zone_id: str
    zone: str
    truncated: bool
    decisions: tuple[Decided, ...]


def queries_of(batch: Batch) -> Iterator[Query]:
    """The packets of a batch in their order. Any octets will do: nothing is raised."""
    authority, transport = batch.authority, batch.kind.transport.name
    for packet, source, outcome in zip(batch.packets, batch.sources, batch.outcomes, strict=True):
        end = question_end(packet)
        zone_id = outcome.reply.zone_id if outcome else ""
        yield Query(
            batch.at,
            _shown(packet[HEADER : end - 4].lower()) if end else "",
            show_type(packet[end - 4 : end]) if end else "",
            show_rcode(outcome.reply.rcode) if outcome else "",
            transport,
            show_address(source),
            subnet_of(packet, end),
            zone_id,
            _shown(authority.zones[zone_id]) if zone_id in authority.zones else "",
            isinstance(outcome, Truncated),
            tuple([decided(authority, *one) for one in outcome.decisions]) if outcome else (),
        )


class Recent:
    """The last queries: a ring of batches, for the thread that answers. `total`: how many there were since the start.

    What is kept for a while costs its share of the processor's caches, and a flood of questions 2 % of its speed. So
    of a flood, which nobody can read anyway, only a batch now and then is kept.
    """

    def __init__(self, most: int = 1000) -> None:
        """`most`: how many are kept; what is a part of a batch is kept with it."""
        self.total = 0
        self._most = most
        self._since, self._before = 0.0, 0  # since when queries are counted, and how many there had been then
        self._is_flood = False
        self._next = 0.0  # when a batch of a flood is kept again
        self._held = 0
        # What `total` was with it, and how many queries it has; those of a list are settled.
        self._kept: deque[tuple[int, int, Batch | list[Query]]] = deque()

    def watch(self, batch: Batch) -> None:
        """Keep a batch, and let go of what is too old."""
        at, count = batch.at, len(batch.packets)
        self.total += count
        if not 0 <= at - self._since < _SPAN:  # it is over, or the clock was put back
            self._is_flood = self.total - self._before >= _FLOOD * (at - self._since) > 0
            self._since, self._before = at, self.total
        elif self._is_flood and at < self._next:
            return
        self._next = at + _PAUSE
        kept = self._kept
        kept.append((self.total, count, batch))
        self._held += count
        while self._held - kept[0][1] >= self._most:
            self._held -= kept.popleft()[1]

    def last(self, limit: int) -> list[Query]:
        """The last `limit` queries, or as many as are kept; newest first."""
        return [query for _, query in islice(self._backwards(), max(0, min(limit, self._most)))]

    def since(self, total: int, most: int) -> tuple[list[Query], int, int]:
        """What came after the first `total` queries: the last `most` of them that are kept, oldest first.

        Also the new total, and how many came between and are not among them.
        """
        newest = islice(self._backwards(), min(most, self._most))
        found = [query for number, query in newest if number > total]
        return found[::-1], self.total, max(0, self.total - total) - len(found)

    def settle(self) -> None:
        """Read all that is kept, so that nothing holds on to an authority: one that is replaced can be freed."""
        self._kept = deque((number, 1, [query]) for number, query in [*self._backwards()][::-1])

    def clear(self) -> None:
        """Forget all queries; they stay in `total`."""
        self._kept.clear()
        self._held = 0

    def _backwards(self) -> Iterator[tuple[int, Query]]:
        """What is kept, newest first: each the how manieth it is since the start."""
        for number, count, one in reversed(self._kept):
            queries = one if isinstance(one, list) else list(queries_of(one))
            yield from zip(range(number, number - count, -1), reversed(queries), strict=True)


def question_end(packet: bytes) -> int:
    """Where the question ends; 0 unless there is exactly one, which can be read."""
    if packet[4:6] != b"\0\1":
        return 0
    try:
        end = name_end(packet, HEADER) + 4
    except WireError:
        return 0
    return end if end <= len(packet) else 0


@lru_cache(1024)
def show_type(type_class: bytes) -> str:
    """A type by its mnemonic, or as `TYPE65400` (RFC 3597 5). Of `type_class`, the first two of four octets."""
    return dns.rdatatype.to_text(dns.rdatatype.RdataType.make(int.from_bytes(type_class[:2], "big")))


@lru_cache(1024)
def show_rcode(rcode: int) -> str:
    """An RCODE by its mnemonic."""
    return dns.rcode.to_text(dns.rcode.Rcode.make(rcode))


def show_address(address: bytes) -> str:
    """An address of 4 or 16 octets; one of IPv4 as such, also if it came in IPv6's form."""
    address = unmapped(address)
    return inet_ntop(AF_INET if len(address) == 4 else AF_INET6, address)


def subnet_of(packet: bytes, end: int) -> str | None:
    """The client subnet that a question which ends at `end` was asked with, also one of no bits: `192.0.2.0/24`.

    None if there is none, if it has no address (`dig +subnet=0`), or if the records cannot be read.
    """
    if not end or len(packet) < end + OPT_HEAD:
        return None
    records = int.from_bytes(packet[8:10], "big") + int.from_bytes(packet[10:HEADER], "big")
    try:
        _, opt, _ = read_edns(packet, end, records)
    except WireError:
        return None
    echoed = opt[OPT_HEAD:]  # family, source prefix length, scope, address: as asked (RFC 7871 7.2.1)
    family = _SUBNETS.get(int.from_bytes(echoed[:2], "big"))
    if family is None:
        return None
    address = echoed[4:].ljust(family[1], b"\0")
    return f"{inet_ntop(family[0], address)}/{echoed[2]}"


def decided(authority: Authority, number: int, choice: Choice) -> Decided:
    """What the group of that number chose."""
    group = authority.routing.groups[number]
    policy = group.first.policy
    return Decided(
        _shown(group.name),
        group.type.name,
        policy.name if policy else "",
        tuple([group.members[member].set_identifier or "" for member in choice.members]),
        choice.reason.value,
    )


class Form(Protocol):
    """What a line is joined of, in this order: fields of a `Query`.

    If `before` is empty there is no line. The name is given to `after`; its first label may have been left out, and
    stands before that.
    """

    def begin(self, at: float) -> str: ...
    def before(self, authority: Authority, zone_id: str) -> str: ...
    def after(self, name: str, rdtype: str, rcode: str) -> str: ...
    def client(self, transport: str, address: str) -> str: ...
    def subnet(self, subnet: str | None, *, truncated: bool) -> str: ...
    def decisions(self, decided: Sequence[Decided]) -> str: ...


def _keep(kept: dict[K, V], key: K, value: V) -> V:
    if len(kept) >= _MOST_KEPT:
        kept.clear()
    kept[key] = value
    return value


_Sayings = tuple[bytes, dict[bytes, bytes]]
"""What lines say of answers of one zone with one RCODE: what comes before the name, empty if there are no lines; and
what comes after its first label, by the rest of it with type and class."""


class _Known:
    """What lines say of one authority's answers: by their accounts, and, without a subnet, by their decisions."""

    def __init__(self, form: Form, authority: Authority) -> None:
        self.authority = authority
        self._form = form
        self.answered: dict[Account, _Sayings] = {}
        self._afters = 0  # how many there are in all of them
        self.ends: dict[tuple[Decision, ...], bytes] = {}

    def is_about(self, other: Authority) -> bool:
        """Whether an authority is the same but for health and places."""
        return self.authority.public is other.public and self.authority.routing.groups is other.routing.groups

    def answered_of(self, account: Account) -> _Sayings:
        """What is said of an account; remembered if there are lines, as who looks there takes it that there are."""
        if account in self.answered:
            return self.answered[account]
        before = _octets(self._form.before(self.authority, read_account(account)[0]))
        return _keep(self.answered, account, (before, {})) if before else (before, {})

    def keep_after(self, afters: dict[bytes, bytes], rest: bytes, after: bytes) -> None:
        """Remember what comes after a label."""
        if self._afters >= _MOST_KEPT:
            self.answered.clear()
            self._afters = 0
        self._afters += 1
        afters[rest] = after

    def end_of(self, decisions: tuple[Decision, ...]) -> bytes:
        """What is said of decisions; remembered."""
        if decisions in self.ends:
            return self.ends[decisions]
        told = self._form.decisions([decided(self.authority, *one) for one in decisions])
        return _keep(self.ends, decisions, _octets(self._form.subnet(None, truncated=False) + told))


class Lines:
    """Lines of batches: one for each packet that got an answer, unless the form has none for it.

    `known`: what is remembered of the authority that answered last; None lets go of it.
    """

    def __init__(self, form: Form) -> None:
        self._form = form
        self.known: _Known | None = None
        self._no_subnet = _octets(form.subnet(None, truncated=False))
        self._nothing = self._no_subnet + _octets(form.decisions(()))
        self._subnets: dict[bytes, bytes] = {}  # by the record behind the question
        self._clients: dict[Transport, dict[bytes, bytes]] = {kind: {} for kind in Transport}

    def of(self, batch: Batch) -> tuple[bytes, int]:
        """The lines of a batch, and their number. One function on purpose: a call costs as much as all the rest.

        What is remembered is little, of names only what is behind the first label: texts of ten thousand questions
        would not be in the processor's caches when they are wanted, and to fetch them takes longer than to make them.
        """
        known = self.known
        if known is None or not known.is_about(batch.authority):
            known = self.known = _Known(self._form, batch.authority)
        answered, ends, clients = known.answered, known.ends, self._clients[batch.kind.transport]
        begin, nothing = _octets(self._form.begin(batch.at)), self._nothing
        parts: list[bytes] = []
        for packet, source, outcome in zip(batch.packets, batch.sources, batch.outcomes, strict=True):
            if outcome is None:
                continue
            question = outcome.question
            try:
                before, afters = answered[outcome.reply.account]
                rest = question[0] + 1
                label, after, client = question[1:rest], afters[question[rest:]], clients[source]
                decisions = outcome.counted[3]
                end = ends[decisions] if decisions else nothing
            except LookupError:  # something is not known yet, or there is no question
                parts += self._read(known, begin, batch.kind, packet, source, outcome)
                continue
            if outcome.has_unusual_opt:
                end = self._end(known, packet, outcome)
            if (label.isalnum() or not label.translate(None, _USUAL)) and outcome.__class__ is not Truncated:
                parts += (begin, before, label, after, client, end)
            else:
                parts += self._read(known, begin, batch.kind, packet, source, outcome)
        return b"".join(parts), len(parts) // _PARTS

    def _read(
        self, known: _Known, begin: bytes, kind: Kind, packet: bytes, source: bytes, outcome: Response | Unowned
    ) -> tuple[bytes, ...]:
        """The parts of any line; none if there is none. Remembers what there is to remember."""
        before, afters = known.answered_of(outcome.reply.account)
        if not before:
            return ()
        label, after = self._name(known, afters, packet, outcome)
        clients = self._clients[kind.transport]
        if source not in clients:
            _keep(clients, source, _octets(self._form.client(kind.transport.name, show_address(source))))
        return begin, before, label, after, clients[source], self._end(known, packet, outcome)

    def _name(
        self, known: _Known, afters: dict[bytes, bytes], packet: bytes, outcome: Response | Unowned
    ) -> tuple[bytes, bytes]:
        """The first label or nothing, and what comes after it."""
        end, rcode = question_end(packet), show_rcode(outcome.reply.rcode)
        if not end:
            return b"", _octets(self._form.after("", "", rcode))
        name, type_class = packet[HEADER : end - 4].lower(), packet[end - 4 : end]
        label, rest = name[1 : name[0] + 1], name[name[0] + 1 :]
        # Not the root, no single label, none that has to be escaped.
        can_be_cut = len(rest) > 1 and not label.translate(None, _USUAL)
        after = _octets(
            self._form.after(f".{_shown(rest)}" if can_be_cut else _shown(name), show_type(type_class), rcode)
        )
        if not can_be_cut:
            return b"", after
        if outcome.question:
            known.keep_after(afters, rest + type_class, after)
        return label, after

    def _end(self, known: _Known, packet: bytes, outcome: Response | Unowned) -> bytes:
        """The subnet and the decisions."""
        end = HEADER + len(outcome.question) if outcome.question else question_end(packet)
        subnet = self._subnet(packet, end, truncated=outcome.__class__ is Truncated)
        return subnet + known.end_of(outcome.decisions)[len(self._no_subnet) :]

    def _subnet(self, packet: bytes, end: int, *, truncated: bool = False) -> bytes:
        """What a line says of the client subnet behind the question, which ends at `end`, if there is one."""
        if truncated or not end:
            return _octets(self._form.subnet(subnet_of(packet, end), truncated=truncated))
        if packet[8:HEADER] != b"\0\0\0\1":  # not one record
            return _octets(self._form.subnet(subnet_of(packet, end), truncated=False))
        record = packet[end:]
        shown = self._subnets.get(record)
        if shown is None:
            shown = _octets(self._form.subnet(subnet_of(packet, end), truncated=False))
            if len(record) <= _SHORT:
                _keep(self._subnets, record, shown)
        return shown


def _octets(text: str) -> bytes:
    return text.encode("utf-8", "backslashreplace")
