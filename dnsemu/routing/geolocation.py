"""Geolocation routing (behaviour 1.5)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from dnsemu.errors import Fault, warning
from dnsemu.location import Tables, check_area
from dnsemu.model import RecordSet
from dnsemu.routing.contract import check_distinct, check_members, describe


@dataclass(frozen=True, slots=True)
class Geolocation:
    """A continent, a country, a country's subdivision, or the default: country `*` (G1)."""

    continent: str | None
    country: str | None
    subdivision: str | None
    name: ClassVar[str] = "geolocation"

    def check(self, members: Sequence[RecordSet]) -> list[Fault]:
        """A location at most once (G3); without a default some clients get no answer (G5)."""
        faults = [
            *check_members(members, self.name),
            *check_distinct(members, lambda member: member.policy, "location"),
        ]
        if not any(member.policy == DEFAULT for member in members):
            faults.append(
                warning(
                    members[0].origin,
                    "policy-default",
                    f"{describe(members[0])}: clients from other places get no answer",
                    'add a member with country: "*"',
                )
            )
        return faults


DEFAULT = Geolocation(None, "*", None)


def read_geolocation(
    tables: Tables, continent: str | None, country: str | None, subdivision: str | None
) -> Geolocation:
    """Raises TextError for a place that Route 53 does not know, or for two at once (G1, G2, G9)."""
    check_area(tables, continent, country, subdivision, default=True)
    return Geolocation(continent, country, subdivision)
