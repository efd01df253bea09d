"""Weighted routing (behaviour 1.2)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import ClassVar, cast

from dnsemu.draws import Draws
from dnsemu.errors import Fault
from dnsemu.location import Client
from dnsemu.model import RecordSet
from dnsemu.routing.choice import Choice, Outcome, Reason, Verdict, World
from dnsemu.routing.contract import check_members, check_one_ttl

MAX_WEIGHT = 255  # W1


@dataclass(frozen=True, slots=True)
class Weighted:
    """`weight`: 0 … 255."""

    weight: int
    name: ClassVar[str] = "weighted"
    by_client: ClassVar[bool] = False

    def check(self, members: Sequence[RecordSet]) -> list[Fault]:
        """One TTL for all members (C11, R8)."""
        return [*check_members(members, self.name), *check_one_ttl(members, self.name)]

    def outcomes(self, members: Sequence[RecordSet], can_fail: Sequence[bool]) -> Iterator[Outcome]:
        """Those with a weight; the others if all with one are unhealthy (W7)."""
        heavy = [member for member, one in enumerate(members) if cast("Weighted", one.policy).weight]
        for member in range(len(members)):
            if not heavy or member in heavy:
                yield member, Reason.MATCHED
                if all(can_fail):
                    yield member, Reason.ALL_UNHEALTHY
            elif all(can_fail[one] for one in heavy):
                yield member, Reason.FAILOVER

    def chooser(self, members: Sequence[RecordSet], healthy: tuple[bool, ...], key: bytes, world: World) -> _Chooser:
        """Chance, by weight."""
        return _Chooser([cast("Weighted", member.policy).weight for member in members], healthy, key)


class _Chooser:
    """A member of the pool, as likely as its weight in the sum of weights (W2), whoever asks or has asked (W5)."""

    criterion = "drawn by weight"

    def __init__(self, weights: Sequence[int], healthy: tuple[bool, ...], key: bytes) -> None:
        self._weights, self._healthy, self._key = weights, healthy, key
        self._pool, reason = _pool(weights, healthy)
        self._choices = [Choice((member,), reason) for member in self._pool]
        self._shares = [weights[member] for member in self._pool]
        if not any(self._shares):  # W4
            self._shares = [1] * len(self._pool)
        self._ends = list(accumulate(self._shares))
        self._sum = self._ends[-1]

    def with_health(self, healthy: tuple[bool, ...]) -> _Chooser:
        return _Chooser(self._weights, healthy, self._key)

    def choose(self, client: Client, draws: Draws) -> Choice:
        return self._choices[bisect_right(self._ends, draws.next(self._key) * self._sum >> 64)]

    def judge(self, client: Client) -> list[Verdict]:
        shares = dict(zip(self._pool, self._shares, strict=True))
        return [
            Verdict(member in shares, shares.get(member, 0) / self._sum, self._why(member, weight))
            for member, weight in enumerate(self._weights)
        ]

    def _why(self, member: int, weight: int) -> str:
        if member in self._pool:
            return f"weight {weight} of {sum(self._weights[one] for one in self._pool)}"
        return f"weight {weight}, not in the pool"


def _pool(weights: Sequence[int], healthy: Sequence[bool]) -> tuple[list[int], Reason]:
    """The members that answers are drawn from: healthy ones before others, weights above 0 before 0 (W3–W9, A9)."""
    everyone = range(len(weights))
    heavy = [member for member in everyone if weights[member]]
    for among in (heavy, [member for member in everyone if not weights[member]]):
        pool = [member for member in among if healthy[member]]
        if pool:
            return pool, Reason.FAILOVER if heavy and among is not heavy else Reason.MATCHED
    return heavy or list(everyone), Reason.ALL_UNHEALTHY
