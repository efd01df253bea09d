"""Plain counters: what is counted while answering, before anybody gives it names.

A question costs a few microseconds, and a counter with labels would be a good part of that. So what is counted is all
that is at hand when an answer goes out, as one thing, and by one call for a whole batch. It is taken apart when
somebody wants to see it, and `dnsemu.metrics` makes names of it.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import _count_elements  # type: ignore[attr-defined]  # what Counter.update calls, without its checks
from collections.abc import Collection, Hashable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from typing import TypeVar

Account = bytes
"""A zone id (empty for none) and an RCODE as octets: what replies have in common that are counted together."""
Decision = tuple[int, tuple[tuple[int, ...], Hashable, int]]
"""Number of a group, and its choice: numbers of the members taken, the reason, the scope."""
Counted = tuple[Account, bytes, int, tuple[Decision, ...]]
"""All that is counted of an answer. After its account: type and class as they stand in the question, less than four
octets if it could not be read; octets of the response; what was decided."""
Answered = tuple[str, int, bytes]
"""Zone id, RCODE, type and class."""
Decided = tuple[int, int, Hashable]
"""Number of a group, number of a member (`NO_MEMBER`: none), and the reason."""

K = TypeVar("K", bound=Hashable)

NO_MEMBER = -1
OTHER = b""
"""Stands for all types that are not told apart."""
_FEW = 4096  # answers of which none is like another: clients may ask for any type, and members come in any order
_RCODE = 2  # octets of an account that are its RCODE; what follows is the zone id


@cache
def account(zone_id: str, rcode: int) -> Account:
    """The account of a zone id and an RCODE; one object for all replies that have it."""
    return rcode.to_bytes(_RCODE, "big") + zone_id.encode()


@cache
def read_account(octets: Account) -> tuple[str, int]:
    """The zone id and RCODE that an account has."""
    return octets[_RCODE:].decode(), int.from_bytes(octets[:_RCODE], "big")


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

    `truncated`: zone id; `malformed`: why a packet got no answer; `durations`: account, of a sample, in seconds.
    """

    __slots__ = (
        "_answered",
        "_bounds",
        "_decided",
        "_known",
        "_new",
        "_sizes",
        "durations",
        "malformed",
        "truncated",
    )

    def __init__(self, known: Collection[bytes], bounds: Sequence[float]) -> None:
        """`bounds`: buckets of `durations`."""
        self._known = frozenset(known)
        self._bounds = bounds
        self._new: dict[Counted, int] = {}  # is taken apart when somebody wants to know, or when there are many
        self._answered: dict[Answered, int] = {}
        self._sizes: dict[int, int] = {}
        self._decided: dict[Decided, int] = {}
        self.truncated: dict[str, int] = {}
        self.malformed: dict[str, int] = {}
        self.durations: dict[Account, Histogram] = {}

    def count(self, answers: Iterable[Counted]) -> None:
        """Count a batch of answers."""
        _count_elements(self._new, answers)
        if len(self._new) > _FEW:
            self._take_apart()

    def count_one(self, answer: Counted, seconds: float) -> None:
        """Count an answer that came alone, and how long it took: as `count` and `time`, but quicker."""
        new = self._new
        new[answer] = new.get(answer, 0) + 1
        self.time(answer[0], seconds)
        if len(new) > _FEW:
            self._take_apart()

    def time(self, of: Account, seconds: float) -> None:
        """Count how long an answer took."""
        histogram = self.durations.get(of)
        if histogram is None:
            histogram = self.durations[of] = Histogram(self._bounds)
        histogram.observe(seconds)

    def timed(self) -> dict[str, list[Histogram]]:
        """How long answers took, by zone id: a histogram for each RCODE."""
        found: dict[str, list[Histogram]] = {}
        for of, times in self.durations.items():
            found.setdefault(read_account(of)[0], []).append(times)
        return found

    def answered(self) -> dict[Answered, int]:
        """Answers so far; types that are not told apart are `OTHER`."""
        self._take_apart()
        return self._answered

    def sizes(self) -> dict[int, int]:
        """Answers so far, by their octets."""
        self._take_apart()
        return self._sizes

    def decided(self) -> dict[Decided, int]:
        """Decisions so far, by member."""
        self._take_apart()
        return self._decided

    def _take_apart(self) -> None:
        new, self._new = self._new, {}
        for (of, type_class, size, decisions), count in new.items():
            zone_id, rcode = read_account(of)
            _add(self._answered, (zone_id, rcode, type_class if type_class in self._known else OTHER), count)
            _add(self._sizes, size, count)
            for number, (members, reason, _) in decisions:
                for member in members or (NO_MEMBER,):
                    _add(self._decided, (number, member, reason), count)

    def keep(self, zone_ids: Collection[str], numbers: Mapping[int, tuple[int, Sequence[int]]]) -> None:
        """Go on with another configuration: drop what was counted for zones other than these.

        `numbers`: a group's number before → its number now, and the numbers of its members now, `NO_MEMBER` for one
        that is no more. Decisions of other groups are dropped too.
        """
        self._take_apart()
        self._answered = {key: count for key, count in self._answered.items() if key[0] in zone_ids or not key[0]}
        self.truncated = {zone_id: count for zone_id, count in self.truncated.items() if zone_id in zone_ids}
        self.durations = {of: times for of, times in self.durations.items() if read_account(of)[0] in zone_ids}
        before, self._decided = self._decided, {}
        for (number, member, reason), count in before.items():
            now, members = numbers.get(number, (NO_MEMBER, ()))
            if now != NO_MEMBER and (member == NO_MEMBER or members[member] != NO_MEMBER):
                _add(self._decided, (now, member if member == NO_MEMBER else members[member], reason), count)

    def copy(self) -> Tally:
        """The counters as they are now, for another thread to look at."""
        twin = Tally(self._known, self._bounds)
        twin._new, twin._answered = dict(self._new), dict(self._answered)
        twin._sizes, twin._decided = dict(self._sizes), dict(self._decided)
        twin.truncated, twin.malformed = dict(self.truncated), dict(self.malformed)
        twin.durations = {of: times.copy() for of, times in self.durations.items()}
        return twin


def _add(counts: dict[K, int], key: K, count: int) -> None:
    counts[key] = counts.get(key, 0) + count


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
