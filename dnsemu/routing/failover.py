"""Failover routing (behaviour 1.4)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, cast

from dnsemu.draws import Draws
from dnsemu.errors import Fault, warning
from dnsemu.location import Client
from dnsemu.model import RecordSet, kind_of
from dnsemu.routing.choice import Choice, Outcome, Ranked, Reason, World
from dnsemu.routing.contract import check_distinct, check_members, describe


@dataclass(frozen=True, slots=True)
class Failover:
    """`role`: PRIMARY or SECONDARY."""

    role: str
    name: ClassVar[str] = "failover"
    by_client: ClassVar[bool] = False

    def check(self, members: Sequence[RecordSet]) -> list[Fault]:
        """One of each role (F1), aliases evaluate their targets, a primary has a health check (F3, R3)."""
        faults = [*check_members(members, self.name), *_check_health(members)]
        faults += check_distinct(members, lambda member: member.policy, "failover type")
        if len(members) == 1:
            faults.append(
                warning(
                    members[0].origin,
                    "failover-alone",
                    f"{describe(members[0])} has no other to fail over to",
                )
            )
        return faults

    def outcomes(self, members: Sequence[RecordSet], can_fail: Sequence[bool]) -> Iterator[Outcome]:
        """The first by role, which is also the last resort; the other if the first is unhealthy (F4, F5)."""
        first = min(range(len(members)), key=lambda member: cast("Failover", members[member].policy).role)
        yield first, Reason.MATCHED
        if all(can_fail):
            yield first, Reason.ALL_UNHEALTHY
        if can_fail[first]:
            yield from ((member, Reason.FAILOVER) for member in range(len(members)) if member != first)

    def chooser(self, members: Sequence[RecordSet], healthy: tuple[bool, ...], key: bytes, world: World) -> _Chooser:
        """The primary before the secondary."""
        return _Chooser([cast("Failover", member.policy).role for member in members], healthy)


def _check_health(members: Sequence[RecordSet]) -> Iterator[Fault]:
    for member in members:
        if member.alias:
            # CloudFront can be a member (F6), and its health can not be evaluated (2.3).
            if not member.alias.evaluate_target_health and kind_of(member.alias.text).evaluated:
                yield Fault(
                    member.alias.origin,
                    "failover-alias",
                    f"{describe(member)}: a failover alias must evaluate its target's health",
                    "write evaluate_target_health: true",
                )
        elif member.policy == Failover("PRIMARY") and member.health_check_id is None:
            yield Fault(
                member.origin,
                "failover-primary",
                "A non-alias primary ResourceRecordSet must have an associated health check",
                "add health_check_id",
            )


class _Chooser(Ranked):
    """The primary as long as it is healthy or the secondary is not; one of both, always (F4, F5)."""

    criterion = "the primary, as long as it is healthy"

    def __init__(self, roles: Sequence[str], healthy: tuple[bool, ...]) -> None:
        super().__init__(healthy)
        self._roles = roles
        self._ranked = sorted(range(len(roles)), key=roles.__getitem__)
        self._choice = self.best(self._ranked, 0)

    def choose(self, client: Client, draws: Draws) -> Choice:
        """The same for everybody."""
        return self._choice

    def with_health(self, healthy: tuple[bool, ...]) -> _Chooser:
        """The same for other health."""
        return _Chooser(self._roles, healthy)

    def rank(self, client: Client) -> tuple[Sequence[int], int]:
        return self._ranked, 0

    def why(self, member: int, client: Client) -> str:
        return self._roles[member]
