"""What the sockets call: the authority that is served now, asked, and what it answered, counted and shown."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from time import perf_counter, time
from typing import NamedTuple

from dnsemu.authority import Authority, Response, Truncated, Unowned, respond
from dnsemu.draws import Draws
from dnsemu.model import Type
from dnsemu.tally import Tally
from dnsemu.wire import HEADER, Meta, Transport, type_and_class

_log = logging.getLogger(__name__)
SILENCE = ("short", "response")
"""What is wrong with packets that get no answer: too few octets, or a response."""

TYPES = {type_and_class(rdtype): rdtype.name for rdtype in Type} | {type_and_class(Meta.ANY): "ANY"}
"""Types and classes that are told apart when answers are counted."""
DURATIONS = tuple(0.00025 * 2**power for power in range(16))
"""Buckets of the time that answers take, in seconds (CoreDNS: plugin.TimeBuckets)."""

Outcome = Response | Unowned | None


class Kind(NamedTuple):
    """What packets came over, and IP's version."""

    transport: Transport
    family: int


@dataclass(slots=True)
class Batch:
    """Questions that were answered together, with the authority that answered: for those who look on.

    `at`: when, in seconds since the epoch.
    """

    at: float
    kind: Kind
    authority: Authority
    packets: Sequence[bytes]
    sources: Sequence[bytes]
    outcomes: Sequence[Outcome]


class Answers:
    """What is served: responses to packets. `publish` replaces the authority by one assignment, between two packets.

    `tallies`: what was answered, by kind of socket, if it `counts`. `watchers` are called with each batch after it
    was answered, and must be quick about it.
    """

    def __init__(self, authority: Authority, draws: Draws, *, counts: bool = False) -> None:
        self.authority = authority
        self.draws = draws
        self.watchers: list[Callable[[Batch], None]] = []
        self.tallies: dict[Kind, Tally] = {}
        self._counts = counts

    def publish(self, authority: Authority) -> None:
        """Serve another authority from the next packet on."""
        self.authority = authority

    def over(self, transport: Transport, family: int) -> Port:
        """What a socket calls."""
        kind = Kind(transport, family)
        if self._counts and kind not in self.tallies:
            self.tallies[kind] = Tally(TYPES, DURATIONS)
        return Port(self, kind, self.tallies.get(kind))


class Port:
    """Responses to the packets of one socket."""

    def __init__(self, answers: Answers, kind: Kind, tally: Tally | None) -> None:
        self._answers = answers
        self._kind = kind
        self._tally = tally

    def to_message(self, packet: bytes, source: bytes) -> bytes:
        """The response to a message of a stream; an empty one is silence."""
        answers, kind, tally = self._answers, self._kind, self._tally
        authority = answers.authority
        begin = perf_counter()
        outcome = respond(authority, packet, source, kind.transport, answers.draws)
        seconds = perf_counter() - begin
        wire = outcome.wire if outcome.__class__ is Response else self._unusual(outcome, packet)
        if tally is not None and outcome is not None:
            tally.count_one(outcome.counted, seconds)
        if answers.watchers:
            batch = Batch(time(), kind, authority, (packet,), (source,), (outcome,))
            for watch in answers.watchers:
                watch(batch)
        return wire

    def to_packets(self, packets: Sequence[bytes], sources: Sequence[bytes]) -> list[bytes]:
        """The responses to packets, each from the address beside it; an empty one is silence."""
        if len(packets) == 1:
            return [self.to_message(packets[0], sources[0])]
        answers, kind = self._answers, self._kind
        authority, draws, transport = answers.authority, answers.draws, kind.transport
        begin = perf_counter()
        first = respond(authority, packets[0], sources[0], transport, draws)
        seconds = perf_counter() - begin
        outcomes = [first] + [
            respond(authority, packet, source, transport, draws)
            for packet, source in zip(packets[1:], sources[1:], strict=True)
        ]
        wires = [
            one.wire if one.__class__ is Response else self._unusual(one, packet)
            for one, packet in zip(outcomes, packets, strict=True)
        ]
        if self._tally is not None:
            self._tally.count([one.counted for one in outcomes if one is not None])
            if first is not None:
                self._tally.time(first.reply.account, seconds)
        if answers.watchers:
            batch = Batch(time(), kind, authority, packets, sources, outcomes)
            for watch in answers.watchers:
                watch(batch)
        return wires

    def _unusual(self, outcome: Outcome, packet: bytes) -> bytes:
        """What is not said in the usual way: also counted here, as it is rare."""
        tally = self._tally
        if isinstance(outcome, Unowned):
            return outcome.refused
        if outcome is None:
            if tally:
                _add(tally.malformed, SILENCE[len(packet) >= HEADER])
            return b""
        if outcome.fault is not None:
            _log.error("a question could not be answered: %s", packet.hex(), exc_info=outcome.fault)
        if tally and outcome.__class__ is Truncated:
            _add(tally.truncated, outcome.zone_id)
        return outcome.wire


def _add(counts: dict[str, int], key: str) -> None:
    counts[key] = counts.get(key, 0) + 1
