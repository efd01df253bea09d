"""Latency routing (behaviour 1.3)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from math import inf
from typing import ClassVar, cast

from dnsemu.draws import Draws
from dnsemu.errors import Fault
from dnsemu.location import Client, Coordinates, Latencies, Locator, Tables, check_region, great_circle
from dnsemu.model import RecordSet
from dnsemu.routing.choice import Choice, Outcome, Ranked, RankedByPlace, World, by_set_identifier, ranked_outcomes
from dnsemu.routing.contract import check_distinct, check_members


@dataclass(frozen=True, slots=True)
class Latency:
    """`region`: an AWS region that latency routing knows (L8)."""

    region: str
    name: ClassVar[str] = "latency"
    by_client: ClassVar[bool] = True

    def check(self, members: Sequence[RecordSet]) -> list[Fault]:
        """A region at most once (L1)."""
        return [
            *check_members(members, self.name),
            *check_distinct(members, lambda member: member.policy, "region"),
        ]

    def outcomes(self, members: Sequence[RecordSet], can_fail: Sequence[bool]) -> Iterator[Outcome]:
        """Any member, for some client."""
        return ranked_outcomes(can_fail)

    def chooser(self, members: Sequence[RecordSet], healthy: tuple[bool, ...], key: bytes, world: World) -> Ranked:
        """The region that answers soonest; in a private zone the nearest one (L7)."""
        return (_ByDistance if world.private else _ByLatency)(members, healthy, world)


def read_latency(region: str, tables: Tables) -> Latency:
    """Raises TextError for an unknown region."""
    check_region(region, tables.latency_regions)
    return Latency(region)


CHINESE = "cn-north-1"  # for clients in China, if it is there (L5)


class _ByLatency(RankedByPlace):
    """The lowest estimated latency (L2); ties, and clients that are nowhere, by set identifier (L9)."""

    criterion = "the lowest latency"

    def __init__(self, members: Sequence[RecordSet], healthy: tuple[bool, ...], world: World) -> None:
        super().__init__(healthy)
        self._regions = [cast("Latency", member.policy).region for member in members]
        self._in_order = by_set_identifier(members)
        self._locator = world.locator()
        self._ranked = lru_cache(16384)(partial(_ranked, self._regions, self._in_order, self._locator))

    def choose(self, client: Client, draws: Draws) -> Choice:
        """Tables of latencies by CIDR block know more of a client than its place."""
        by_place = not self._locator.has_latency_blocks
        return super().choose(client, draws) if by_place else Ranked.choose(self, client, draws)

    def rank(self, client: Client) -> tuple[Sequence[int], int]:
        latencies, scope = self._locator.latencies(client)
        return self._ranked(latencies), scope

    def why(self, member: int, client: Client) -> str:
        region, (latencies, _) = self._regions[member], self._locator.latencies(client)
        known = self._locator.milliseconds(latencies).get(region)
        china = ", first for clients in China" if region == CHINESE and latencies.in_china else ""
        return f"{region}: {known:g} ms{china}" if known is not None else f"{region}: nobody knows how far{china}"


def _ranked(
    regions: Sequence[str], in_order: Sequence[int], locator: Locator, latencies: Latencies
) -> tuple[int, ...]:
    known = locator.milliseconds(latencies)

    def cost(member: int) -> float:
        region = regions[member]
        return -1 if region == CHINESE and latencies.in_china else known.get(region, inf)

    return tuple(sorted(in_order, key=cost))


class _ByDistance(RankedByPlace):
    """The region of the client's VPC, else the one nearest to it."""

    criterion = "the region of the VPC, or the nearest one"

    def __init__(self, members: Sequence[RecordSet], healthy: tuple[bool, ...], world: World) -> None:
        super().__init__(healthy)
        self._regions = [cast("Latency", member.policy).region for member in members]
        self._places = [world.geography.of_region(region).coordinates for region in self._regions]
        self._in_order = by_set_identifier(members)

    def rank(self, client: Client) -> tuple[Sequence[int], int]:
        return sorted(self._in_order, key=lambda member: self._distance(member, client)), client.located.scope

    def why(self, member: int, client: Client) -> str:
        distance = self._distance(member, client)
        shown = f"{distance:,.0f} km" if distance != inf else "nobody knows how far"
        return f"{self._regions[member]}: {'the region of the VPC' if distance < 0 else shown}"

    def _distance(self, member: int, client: Client) -> float:
        """Kilometres; below 0 for the VPC's own region, as two regions may be in one place."""
        there, located = self._places[member], client.located
        if self._regions[member] == located.region:
            return -1
        here: Coordinates | None = located.place.coordinates
        return inf if here is None or there is None else great_circle(here, there)
