"""What was asked and how it was answered, as lines of text for the query log.

`Lines` tells what a `Query` does, ten times as quickly: it joins what the packet has and what it remembers of others.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence
from datetime import UTC, datetime
from functools import lru_cache
from json import JSONEncoder
from typing import Protocol, TypeVar

from dnsemu.authority import Authority, Response, Truncated, Unowned
from dnsemu.authority.inquiry import Decision
from dnsemu.model import show_name
from dnsemu.server.answers import Batch, Kind
from dnsemu.server.queries import Decided, decided, question_end, show_address, show_rcode, show_type, subnet_of
from dnsemu.tally import Account, read_account
from dnsemu.wire import HEADER, OPT_HEAD, Transport

_MOST_KEPT = 16384  # texts of one kind that are remembered; what they are made of is for clients to choose
_SHORT = OPT_HEAD + 20 + 12  # octets of a record whose text is remembered: a subnet of 16 octets, and a cookie
_PARTS = 6  # of a line
_USUAL = b"abcdefghijklmnopqrstuvwxyz0123456789-_"  # what `show_name` shows as it is, in labels in lower case
_shown = lru_cache(1024)(show_name)

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


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


class Json:
    """An object with the fields of a `Query`, but the zone's name; null for what there is not."""

    def begin(self, at: float) -> str:
        return f'{{"time": "{_time(at)}", '

    def before(self, authority: Authority, zone_id: str) -> str:
        return f'"zone_id": {_quoted(zone_id) if zone_id else "null"}, "name": "'

    def after(self, name: str, rdtype: str, rcode: str) -> str:
        return f'{_quoted(name)[1:]}, "type": "{rdtype}", "rcode": "{rcode}", '

    def client(self, transport: str, address: str) -> str:
        return f'"transport": "{transport}", "client": "{address}", '

    def subnet(self, subnet: str | None, *, truncated: bool) -> str:
        shown = f'"{subnet}"' if subnet else "null"
        return f'"subnet": {shown}, "truncated": true, ' if truncated else f'"subnet": {shown}, '

    def decisions(self, decided: Sequence[Decided]) -> str:
        return f'"decisions": [{", ".join(map(_decision, decided))}]}}\n'


def _decision(one: Decided) -> str:
    identifiers = ", ".join(map(_quoted, one.set_identifiers))
    return (
        f'{{"name": {_quoted(one.name)}, "type": "{one.type}", "policy": "{one.policy}", '
        f'"set_identifiers": [{identifiers}], "reason": "{one.reason}"}}'
    )


class Route53:
    """The ten fields of Route 53's own log, which has the answers of public hosted zones alone (behaviour 7.7)."""

    def __init__(self, edge: str) -> None:
        self._edge = edge

    def begin(self, at: float) -> str:
        return f"1.0 {_time(at)} "

    def before(self, authority: Authority, zone_id: str) -> str:
        tree = authority.public.zones.get(authority.zones.get(zone_id, b""))
        if tree is None or tree.zone.zone_id != zone_id:  # a private hosted zone, or none
            return ""
        return f"{zone_id} "

    def after(self, name: str, rdtype: str, rcode: str) -> str:
        return f"{name.removesuffix('.') or '.'} {rdtype} {rcode} "

    def client(self, transport: str, address: str) -> str:
        return f"{transport} {self._edge} {address} "

    def subnet(self, subnet: str | None, *, truncated: bool) -> str:
        return subnet or "-"

    def decisions(self, decided: Sequence[Decided]) -> str:
        return "\n"


_quoted = JSONEncoder().encode


def _time(at: float) -> str:
    """As `2017-12-13T08:16:02.130Z`."""
    second = int(at)
    micro = round((at - second) * 1e6)
    return f"{_show_second(second + micro // 1_000_000)}.{micro % 1_000_000 // 1000:03d}Z"


@lru_cache(2)
def _show_second(at: int) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S")
