"""Geoproximity routing (behaviour 1.6)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from dnsemu.errors import Fault, TextError
from dnsemu.location import Tables, check_local_zone_group, check_region, read_latitude, read_longitude
from dnsemu.model import RecordSet
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
