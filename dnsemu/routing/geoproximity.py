"""Geoproximity routing (behaviour 1.6)."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import ClassVar, cast

from dnsemu.errors import Fault, TextError
from dnsemu.location import (
    Client,
    Coordinates,
    Geography,
    Tables,
    check_local_zone_group,
    check_region,
    great_circle,
    read_latitude,
    read_longitude,
)
from dnsemu.model import RecordSet
from dnsemu.routing.choice import Outcome, RankedByPlace, World, by_set_identifier, ranked_outcomes
from dnsemu.routing.contract import check_distinct, check_members

MAX_MEMBERS = 30  # P8
MAX_BIAS = 99


@dataclass(frozen=True, slots=True)
class Geoproximity:
    """One of region, local zone group, coordinates (degrees north, degrees east); `bias`: -99 … 99 (P1)."""

    aws_region: str | None
    local_zone_group: str | None
    coordinates: tuple[float, float] | None
    bias: int = 0
    name: ClassVar[str] = "geoproximity"
    by_client: ClassVar[bool] = True

    def check(self, members: Sequence[RecordSet]) -> list[Fault]:
        """A location at most once (P7), at most 30 members (P8)."""

        def location(member: RecordSet) -> object:
            policy = member.policy
            assert isinstance(policy, Geoproximity)
            return policy.aws_region, policy.local_zone_group, policy.coordinates

        return [
            *check_members(members, self.name, most=MAX_MEMBERS),
            *check_distinct(members, location, "location"),
        ]

    def outcomes(self, members: Sequence[RecordSet], can_fail: Sequence[bool]) -> Iterator[Outcome]:
        """Any member, for some client."""
        return ranked_outcomes(can_fail)

    def chooser(self, members: Sequence[RecordSet], healthy: tuple[bool, ...], key: bytes, world: World) -> _Chooser:
        """The nearest, where a bias makes distances shorter or longer."""
        return _Chooser(members, healthy, world)

    def where(self, geography: Geography) -> Coordinates:
        """Degrees north and east."""
        if self.aws_region is not None:
            place = geography.of_region(self.aws_region)
        elif self.local_zone_group is not None:
            place = geography.of_local_zone_group(self.local_zone_group)
        else:
            place = None
        coordinates = place.coordinates if place else self.coordinates
        assert coordinates is not None, "regions and local zone groups have coordinates"
        return coordinates

    def __str__(self) -> str:
        """As it is written in a zone file."""
        degrees = self.coordinates and f"{self.coordinates[0]:g}, {self.coordinates[1]:g}"
        return self.aws_region or self.local_zone_group or degrees or ""


def read_geoproximity(
    tables: Tables,
    aws_region: str | None,
    local_zone_group: str | None,
    coordinates: tuple[str, str] | None,
    bias: int,
) -> Geoproximity:
    """`coordinates`: texts of latitude and longitude. Raises TextError unless exactly one place is given (P1–P3)."""
    if sum(place is not None for place in (aws_region, local_zone_group, coordinates)) != 1:
        raise TextError("geo-location", "exactly one of aws_region, local_zone_group and coordinates is needed here")
    degrees = None
    if aws_region is not None:
        check_region(aws_region, tables.regions, "aws_region")
    elif local_zone_group is not None:
        check_local_zone_group(local_zone_group, tables)
    elif coordinates is not None:
        degrees = read_latitude(coordinates[0]), read_longitude(coordinates[1])
    return Geoproximity(aws_region, local_zone_group, degrees, bias)


class _Chooser(RankedByPlace):
    """The smallest biased distance (P4); a client that is nowhere gets the lowest set identifier (P10)."""

    criterion = "the smallest distance, biased"

    def __init__(self, members: Sequence[RecordSet], healthy: tuple[bool, ...], world: World) -> None:
        super().__init__(healthy)
        self._policies = [cast("Geoproximity", member.policy) for member in members]
        self._places = [policy.where(world.geography) for policy in self._policies]
        self._in_order = by_set_identifier(members)
        self._biased = partial(_biased, self._policies, self._places, world.legacy_bias)
        self._ranked = lru_cache(16384)(partial(_ranked, self._in_order, self._biased))

    def rank(self, client: Client) -> tuple[Sequence[int], int]:
        located = client.located
        return self._ranked(located.place.coordinates), located.scope

    def why(self, member: int, client: Client) -> str:
        policy, coordinates = self._policies[member], client.located.place.coordinates
        if coordinates is None:
            return f"{policy}, and nobody knows where the client is"
        shown = f"{policy}: {great_circle(coordinates, self._places[member]):,.0f} km"
        return (
            f"{shown}, bias {policy.bias:+d}: {self._biased(member, coordinates):,.0f} km" if policy.bias else shown
        )


def _ranked(
    in_order: Sequence[int], biased: Callable[[int, Coordinates], float], coordinates: Coordinates | None
) -> tuple[int, ...]:
    if coordinates is None:
        return tuple(in_order)
    return tuple(sorted(in_order, key=lambda member: biased(member, coordinates)))


def _biased(
    policies: Sequence[Geoproximity],
    places: Sequence[Coordinates],
    legacy: bool,  # noqa: FBT001 (the first of them are given beforehand)
    member: int,
    coordinates: Coordinates,
) -> float:
    """Biased kilometres (P5, P6), rounded to 1 m (R19)."""
    bias = policies[member].bias
    distance = great_circle(coordinates, places[member])
    if bias < 0 and legacy:
        return round(distance / (1 + bias / 100), 3)
    return round(distance * (1 - bias / 100), 3)
