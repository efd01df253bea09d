"""Plain counters: what is counted while answering, before anybody gives it names.

A question costs a few microseconds, and a counter with labels would be a good part of that. So the keys are what is
at hand when an answer goes out (an account, four octets of a question, a decision as it was taken), and counting is
one call for a whole batch. `dnsemu.metrics` makes names of them when somebody wants to see them.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import _count_elements  # type: ignore[attr-defined]  # what Counter.update calls, without its checks
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain

Answered = tuple[str, int, bytes]
"""Zone id (empty for none), RCODE, and type and class as they stand in the question."""
Account = bytes
"""What answers of one zone with one RCODE are counted on: octets, as those are quickest."""
Decision = tuple[int, tuple[tuple[int, ...], Hashable, int]]
"""Number of a group, and its choice: numbers of the members taken, the reason, the scope."""
Decided = tuple[int, int, Hashable]
"""Number of a group, number of a member (`NO_MEMBER`: none), and the reason."""


NO_MEMBER = -1
OTHER = bytes(4)
"""Stands for all types that are not told apart; itself it is none."""
_FEW = 4096  # keys; clients may ask for any of 2^32 types and classes
_RCODE = 2  # octets of an account that are its RCODE; what follows is the zone id


@cache
def account(zone_id: str, rcode: int) -> Account:
    """The account of a zone id (empty for none) and an RCODE, always the same object."""
    return rcode.to_bytes(_RCODE, "big") + zone_id.encode()


def read_account(octets: Account) -> tuple[str, int]:
    """The zone id and RCODE that an account has."""
    return octets[_RCODE:].decode(), int.from_bytes(octets[:_RCODE], "big")


def _by_key(answered: Mapping[Answered, int]) -> dict[bytes, int]:
    return {account(zone_id, rcode) + type_class: count for (zone_id, rcode, type_class), count in answered.items()}


def _read_key(octets: bytes) -> Answered:
    """Only where no zone was asked there may be less than a whole type and class."""
    if len(octets) < _RCODE + len(OTHER):
        octets = octets[:_RCODE] + OTHER
    return *read_account(octets[: -len(OTHER)]), octets[-len(OTHER) :]


class Histogram:
    """Observations in buckets; `bounds` are the buckets' upper ends, each included (as Prometheus has it)."""

    __slots__ = ("bounds", "counts", "sum")

    def __init__(self, bounds: Sequence[float]) -> None:
        self.bounds = bounds
        self.counts = [0] * (len(bounds) + 1)
        self.sum = 0.0

    def observe(self, value: float, times: int = 1) -> None:
        """Count an observation that was made so many times."""
        self.counts[bisect_left(self.bounds, value)] += times
        self.sum += value * times

    def copy(self) -> Histogram:
        """As it is now."""
        twin = Histogram(self.bounds)
        twin.counts, twin.sum = list(self.counts), self.sum
        return twin


class Tally:
    """What sockets of one kind have answered. `known`: types and classes that are told apart.

    `sizes`: octets of a response, 0 for silence; `truncated`: zone id; `malformed`: why a packet got no answer;
    `durations`: account, of a sample, in seconds.
    """

    __slots__ = (
        "_answered",
        "_bounds",
        "_choices",
        "_decided",
        "_known",
        "_most",
        "durations",
        "malformed",
        "sizes",
        "truncated",
    )

    def __init__(self, known: Collection[bytes], bounds: Sequence[float]) -> None:
        """`bounds`: buckets of `durations`."""
        self._known = frozenset(known)
        self._bounds = bounds
        self._most = _FEW
        self._answered: dict[bytes, int] = {}  # by account, then type and class
        self._choices: dict[Decision, int] = {}
        self._decided: dict[Decided, int] = {}
        self.sizes: dict[int, int] = {}
        self.truncated: dict[str, int] = {}
        self.malformed: dict[str, int] = {}
        self.durations: dict[Account, Histogram] = {}

    def count(self, keys: Iterable[bytes], wires: Iterable[bytes]) -> None:
        """Count a batch of answers. `keys`: their accounts, each with type and class of the question behind it.

        Where the question could not be read, there is no more than a part of those.
        """
        _count_elements(self._answered, keys)
        _count_elements(self.sizes, map(len, wires))
        if len(self._answered) > self._most:
            self._fold()

    def count_one(self, account: Account, type_class: bytes, size: int, seconds: float) -> None:
        """Count an answer that came alone, and how long it took: as `count` and `time`, but quicker."""
        answered, sizes, key = self._answered, self.sizes, account + type_class
        answered[key] = answered.get(key, 0) + 1
        sizes[size] = sizes.get(size, 0) + 1
        self.time(account, seconds)
        if len(answered) > self._most:
            self._fold()

    def _fold(self) -> None:
        """Types that are not told apart become one."""
        self._answered = _by_key(self.answered())
        self._most = max(_FEW, 2 * len(self._answered))

    def count_decisions(self, decided: Sequence[Sequence[Decision]]) -> None:
        """Count the decisions of a batch, those of each answer together."""
        _count_elements(self._choices, chain.from_iterable(decided))
        if len(self._choices) > _FEW:  # members that are drawn come in very many orders
            self._decided, self._choices = self.decided(), {}

    def time(self, account: Account, seconds: float) -> None:
        """Count how long an answer took."""
        histogram = self.durations.get(account)
        if histogram is None:
            histogram = self.durations[account] = Histogram(self._bounds)
        histogram.observe(seconds)

    def timed(self) -> dict[str, list[Histogram]]:
        """How long answers took, by zone id: a histogram for each RCODE."""
        found: dict[str, list[Histogram]] = {}
        for account, times in self.durations.items():
            found.setdefault(read_account(account)[0], []).append(times)
        return found

    def answered(self) -> dict[Answered, int]:
        """Answers so far; types that are not told apart are `OTHER`."""
        found: dict[Answered, int] = {}
        for octets, count in self._answered.items():
            zone_id, rcode, type_class = _read_key(octets)
            key = zone_id, rcode, type_class if type_class in self._known else OTHER
            found[key] = found.get(key, 0) + count
        return found

    def decided(self) -> dict[Decided, int]:
        """Decisions so far, by member."""
        found = dict(self._decided)
        for (number, (members, reason, _)), count in self._choices.items():
            for member in members or (NO_MEMBER,):
                key = number, member, reason
                found[key] = found.get(key, 0) + count
        return found

    def keep(self, zone_ids: Collection[str], numbers: Mapping[int, tuple[int, Sequence[int]]]) -> None:
        """Go on with another configuration: drop what was counted for zones other than these.

        `numbers`: a group's number before → its number now, and the numbers of its members now, `NO_MEMBER` for one
        that is no more. Decisions of other groups are dropped too.
        """
        before = self.decided()
        self._answered = _by_key(
            {key: count for key, count in self.answered().items() if key[0] in zone_ids or not key[0]}
        )
        self.truncated = {zone_id: count for zone_id, count in self.truncated.items() if zone_id in zone_ids}
        self.durations = {
            account: times for account, times in self.durations.items() if read_account(account)[0] in zone_ids
        }
        self._choices, self._decided = {}, {}
        for (number, member, reason), count in before.items():
            now, members = numbers.get(number, (NO_MEMBER, ()))
            if now != NO_MEMBER and (member == NO_MEMBER or members[member] != NO_MEMBER):
                key = now, member if member == NO_MEMBER else members[member], reason
                self._decided[key] = self._decided.get(key, 0) + count

    def copy(self) -> Tally:
        """The counters as they are now, for another thread to look at."""
        twin = Tally(self._known, self._bounds)
        twin._answered, twin.sizes = dict(self._answered), dict(self.sizes)
        twin._choices, twin._decided = dict(self._choices), dict(self._decided)
        twin.truncated, twin.malformed = dict(self.truncated), dict(self.malformed)
        twin.durations = {account: times.copy() for account, times in self.durations.items()}
        return twin


@dataclass(slots=True)
class Reloads:
    """How often the configuration was read, and what came of it. `at`: seconds since the epoch."""

    at: float
    succeeded: int = 0
    failed: int = 0
    was_successful: bool = True

    def note(self, now: float, *, succeeded: bool) -> None:
        """One more."""
        self.was_successful = succeeded
        if succeeded:
            self.succeeded += 1
            self.at = now
        else:
            self.failed += 1
