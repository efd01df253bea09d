"""What was asked and how it was answered, to be shown and logged.

`queries_of` makes a `Query` of each packet of a batch, and `Recent` keeps the last ones. `Lines` tells the same as
text, ten times as quickly: it joins what it remembers of other packets.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Hashable, Iterator, Sequence
from functools import lru_cache, partial
from itertools import islice
from socket import AF_INET, AF_INET6, inet_ntop
from typing import NamedTuple, Protocol, TypeVar

import dns.rcode
import dns.rdatatype

from dnsemu.authority import Authority, Response, Truncated, Unowned
from dnsemu.authority.inquiry import Decision
from dnsemu.authority.reply import Reply
from dnsemu.errors import WireError
from dnsemu.location import unmapped
from dnsemu.model import show_name
from dnsemu.routing import Choice
from dnsemu.server.answers import Batch, Outcome
from dnsemu.wire import HEADER, OPT_HEAD, UNUSUAL_OPT, USUAL_OPTS, Transport, name_end, read_edns

_FAMILIES = {4: AF_INET, 16: AF_INET6}  # by octets of an address
_SUBNETS = {1: (AF_INET, 4), 2: (AF_INET6, 16)}  # by the family of a client subnet (RFC 7871 6)
_FLOOD, _FEW = 20_000, 64  # questions in a second, and how many of them are remembered
_MOST_KEPT = 16384  # texts of one kind that are remembered
_TAIL = 5  # octets of a question behind its last label: the root, type, class
_ONE_RECORD = b"\0\0\0\1"  # behind the question: counts of authority and additional section

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
    for packet, source, outcome in zip(batch.packets, batch.sources, batch.outcomes, strict=True):
        yield _query(batch, packet, source, outcome)


def _query(batch: Batch, packet: bytes, source: bytes, outcome: Outcome) -> Query:
    authority = batch.authority
    end = question_end(packet)
    zone_id = outcome.reply.zone_id if outcome else ""
    zone = authority.zones.get(zone_id)
    return Query(
        batch.at,
        show_name(packet[HEADER : end - 4].lower()) if end else "",
        show_type(packet[end - 4 : end]) if end else "",
        show_rcode(outcome.reply.rcode) if outcome else "",
        batch.kind.transport.name,
        show_address(source),
        subnet_of(packet, end),
        zone_id,
        show_name(zone) if zone else "",
        isinstance(outcome, Truncated),
        tuple([decided(authority, *one) for one in outcome.decisions]) if outcome else (),
    )


class Recent:
    """The last queries: a ring of batches, read when somebody looks. `total`: how many there were since the start.

    What is kept for a while is no longer in the processor's nearest cache when it is freed, and that costs a flood of
    questions 2 % of its speed. So a flood, which nobody can read anyway, is remembered for a shorter time.

    All of it is for the thread that answers.
    """

    def __init__(self, most: int = 1000) -> None:
        """`most`: how many are kept; what is a part of a batch is kept with it."""
        self.total = 0
        self._most = most
        self._keeping = most
        self._second = 0.0  # since when questions are counted, and how many there had been then
        self._before = 0
        self._held = 0
        # Each with how many queries it has. A list is a batch that was settled.
        self._kept: deque[tuple[int, Batch | list[Query]]] = deque()

    def watch(self, batch: Batch) -> None:
        """Keep a batch, and let go of what is too old."""
        count = len(batch.packets)
        kept = self._kept
        kept.append((count, batch))
        self.total += count
        self._held += count
        if batch.at - self._second >= 1:
            self._keeping = self._most if self.total - self._before < _FLOOD else min(self._most, _FEW)
            self._second, self._before = batch.at, self.total
        while self._held - kept[0][0] >= self._keeping:
            self._held -= kept.popleft()[0]

    def last(self, limit: int) -> list[Query]:
        """The last `limit` queries, or as many as are kept; newest first."""
        return list(islice(self._backwards(), max(0, min(limit, self._most))))

    def since(self, total: int, most: int) -> tuple[list[Query], int, int]:
        """What came after the first `total` queries: the last `most` of them, oldest first.

        Also the new total, and how many came between and are not among them.
        """
        new = max(0, self.total - total)
        found = self.last(min(new, most))
        return found[::-1], self.total, new - len(found)

    def settle(self) -> None:
        """Read all that is kept, so that nothing holds on to an authority: one that is replaced can be freed."""
        self._kept = deque((count, _read(one)) for count, one in self._kept)

    def clear(self) -> None:
        """Forget all queries; they stay in `total`."""
        self._kept.clear()
        self._held = 0

    def _backwards(self) -> Iterator[Query]:
        for _, one in reversed(self._kept):
            yield from reversed(_read(one))


def _read(one: Batch | list[Query]) -> list[Query]:
    return one if isinstance(one, list) else list(queries_of(one))


# The parts of a query, each as it is shown


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
    return inet_ntop(_FAMILIES[len(address)], address)


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
        show_name(group.name),
        group.type.name,
        policy.name if policy else "",
        tuple([group.members[member].set_identifier or "" for member in choice.members]),
        choice.reason.value,
    )


def is_public(authority: Authority, zone_id: str) -> bool:
    """Whether that is a public hosted zone of the authority."""
    tree = authority.public.zones.get(authority.zones.get(zone_id, b""))
    return tree is not None and tree.zone.zone_id == zone_id


# The same as lines


class Form(Protocol):
    """How lines are written: what one is joined of, in this order.

    The time in seconds since the epoch; the question as it is in a `Query`, and whether it was answered by a public
    hosted zone, empty if it gets no line; who asked; the client subnet; what was decided, and the end of the line.
    """

    def begin(self, at: float) -> str: ...
    def question(self, zone_id: str, name: str, rdtype: str, rcode: str, *, public: bool) -> str: ...
    def client(self, transport: str, address: str) -> str: ...
    def subnet(self, subnet: str | None, *, truncated: bool) -> str: ...
    def decisions(self, decided: Sequence[Decided]) -> str: ...


class _Kept(dict[K, V]):
    """What was made before; begins anew when it is too much."""

    def keep(self, key: K, value: V) -> V:
        if len(self) >= _MOST_KEPT:
            self.clear()
        self[key] = value
        return value


class _Texts(_Kept[K, str]):
    """Texts by what they are made of."""

    def __init__(self, make: Callable[[K], str]) -> None:
        super().__init__()
        self._make = make

    def __missing__(self, key: K) -> str:
        return self.keep(key, self._make(key))


class _Known:
    """What lines say of one authority's answers.

    The questions with a reply that they had: by whole packets without ID, for those without options or capitals, and
    by name in lower case without the root, type and class.
    """

    def __init__(self, form: Form, authority: Authority) -> None:
        self.authority = authority
        self.packets = _Kept[bytes, tuple[Reply, str]]()
        self.questions = _Kept[bytes, tuple[Reply, str]]()
        self.endings = _Texts[tuple[Decision, ...]](
            lambda decisions: form.decisions([decided(authority, *one) for one in decisions])
        )


class Lines:
    """Lines of batches: one for each packet that got an answer, unless the form has none for it."""

    def __init__(self, form: Form) -> None:
        self._form = form
        self._known: _Known | None = None
        self._no_subnet, self._no_decisions = form.subnet(None, truncated=False), form.decisions(())
        self._subnets = _Kept[bytes, str]()  # by the option
        self._clients = {
            transport: _Texts[bytes](
                partial(lambda name, source: form.client(name, show_address(source)), transport.name)
            )
            for transport in Transport
        }

    def of(self, batch: Batch) -> bytes:
        """The lines of a batch. The usual case is one function, as a call costs as much as all the rest."""
        known = self._known
        if known is None or known.authority is not batch.authority:
            known = self._known = _Known(self._form, batch.authority)
        begin, clients, no_subnet = self._form.begin(batch.at), self._clients[batch.kind.transport], self._no_subnet
        ready, endings, no_decisions = known.packets.get, known.endings, self._no_decisions
        lines = []
        for packet, source, outcome in zip(batch.packets, batch.sources, batch.outcomes, strict=True):
            found = ready(packet[2:])
            if found is not None and outcome.__class__ is Response and _is_like(outcome.reply, found[0]):
                if found[1]:
                    decisions = outcome.decisions
                    ending = endings[tuple(decisions)] if decisions else no_decisions
                    lines.append(f"{begin}{found[1]}{clients[source]}{no_subnet}{ending}")
            elif outcome is not None:
                lines.append(self._unusual(known, begin, packet, clients[source], outcome))
        return "".join(lines).encode("utf-8", "backslashreplace")

    def forget(self) -> None:
        """Let go of the authority."""
        self._known = None

    def _unusual(self, known: _Known, begin: str, packet: bytes, client: str, outcome: Response | Unowned) -> str:
        """The line of any packet."""
        # The first zero octet is the name's end, unless it is inside of a label: then this is not found.
        end = packet.find(0, HEADER) + _TAIL
        is_truncated = outcome.__class__ is Truncated
        labels = packet[HEADER : end - _TAIL]
        found = known.questions.get(labels.lower() + outcome.type_class) if outcome.type_class else None
        if found is None or not _is_like(outcome.reply, found[0]):
            end, question = self._read(known, packet, outcome)
        else:
            question = found[1]
            if len(packet) < end + OPT_HEAD and not is_truncated and labels.islower():
                known.packets.keep(packet[2:], found)
        if not question:
            return ""
        subnet = self._no_subnet
        if is_truncated or len(packet) >= end + OPT_HEAD:
            subnet = self._subnet(packet, end, truncated=is_truncated)
        ending = known.endings[tuple(outcome.decisions)] if outcome.decisions else self._no_decisions
        return f"{begin}{question}{client}{subnet}{ending}"

    def _read(self, known: _Known, packet: bytes, outcome: Response | Unowned) -> tuple[int, str]:
        """Where the question ends, 0 if it can not be read, and what a line says of it."""
        end, reply = question_end(packet), outcome.reply
        name, rdtype = (
            (show_name(packet[HEADER : end - 4].lower()), show_type(outcome.type_class)) if end else ("", "")
        )
        public = is_public(known.authority, reply.zone_id)
        question = self._form.question(reply.zone_id, name, rdtype, show_rcode(reply.rcode), public=public)
        if end == packet.find(0, HEADER) + _TAIL:
            known.questions.keep(packet[HEADER : end - _TAIL].lower() + outcome.type_class, (reply, question))
        return end, question

    def _subnet(self, packet: bytes, end: int, *, truncated: bool) -> str:
        """What a line says of the client subnet, if there is one behind the question, which ends at `end`."""
        size, _, is_whole = USUAL_OPTS.get(packet[end : end + OPT_HEAD], UNUSUAL_OPT)
        if truncated or size != len(packet) - end or (packet[8:HEADER] != _ONE_RECORD and not is_whole):
            return self._form.subnet(subnet_of(packet, end), truncated=truncated)
        if is_whole:  # a cookie
            return self._no_subnet
        option = packet[end + OPT_HEAD :]
        shown = self._subnets.get(option)
        if shown is None:
            shown = self._subnets.keep(option, self._form.subnet(subnet_of(packet, end), truncated=False))
        return shown


def _client(form: Form, transport: Transport, source: bytes) -> str:
    return form.client(transport.name, show_address(source))


def _is_like(one: Reply, other: Reply) -> bool:
    """Whether two replies are the same but for their records."""
    return one is other or (one.zone_id == other.zone_id and one.rcode == other.rcode)
