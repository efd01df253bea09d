"""Multivalue answer routing (behaviour 1.8)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar

from dnsemu.draws import Draws, sampled
from dnsemu.errors import Fault
from dnsemu.location import Client
from dnsemu.model import RecordSet, Type
from dnsemu.routing.choice import Choice, Outcome, Reason, Verdict, World
from dnsemu.routing.contract import ROUTED_TYPES, check_members, check_one_ttl, describe

TYPES = ROUTED_TYPES - {Type.CNAME}
MOST = 8  # members in one answer (M1, M6)


@dataclass(frozen=True, slots=True)
class Multivalue:
    """Has no parameters."""

    name: ClassVar[str] = "multivalue"
    by_client: ClassVar[bool] = False

    def check(self, members: Sequence[RecordSet]) -> list[Fault]:
        """No alias members, no CNAME (M5), one TTL (A32)."""
        aliases = [
            Fault(
                member.origin,
                "policy-alias",
                f"{describe(member)}: a multivalue record set can not be an alias",
            )
            for member in members
            if member.alias
        ]
        return [*check_members(members, self.name, TYPES), *aliases, *check_one_ttl(members, self.name)]

    def outcomes(self, members: Sequence[RecordSet], can_fail: Sequence[bool]) -> Iterator[Outcome]:
        """Any member; all of them count if none is healthy (M4)."""
        for member in range(len(members)):
            yield member, Reason.MATCHED
            if all(can_fail):
                yield member, Reason.ALL_UNHEALTHY

    def chooser(self, members: Sequence[RecordSet], healthy: tuple[bool, ...], key: bytes, world: World) -> _Chooser:
        """Chance, all alike."""
        return _Chooser(healthy, key)


class _Chooser:
    """Up to eight of the healthy members; up to eight of all if none is healthy (M1, M4). In random order."""

    criterion = "up to eight of the healthy ones, by chance"

    def __init__(self, healthy: tuple[bool, ...], key: bytes) -> None:
        self._key, self._healthy = key, healthy
        everyone = tuple(range(len(healthy)))
        well = tuple(member for member in everyone if healthy[member])
        self._pool, self._reason = (well, Reason.MATCHED) if well else (everyone, Reason.ALL_UNHEALTHY)
        self._count = min(MOST, len(self._pool))

    def with_health(self, healthy: tuple[bool, ...]) -> _Chooser:
        return _Chooser(healthy, self._key)

    def choose(self, client: Client, draws: Draws) -> Choice:
        return Choice(tuple(sampled(self._pool, self._count, draws.next(self._key))), self._reason)

    def judge(self, client: Client) -> list[Verdict]:
        share = self._count / len(self._pool)
        why = "in every answer" if share == 1 else f"one of {len(self._pool)}, of which an answer has {self._count}"
        return [
            Verdict(True, share, why) if member in self._pool else Verdict(False, 0.0, "not in the pool")
            for member in range(len(self._healthy))
        ]
