"""Geolocation routing (behaviour 1.5)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import ClassVar, cast

from dnsemu.errors import Fault, warning
from dnsemu.location import Client, Geography, Place, Tables, check_area
from dnsemu.model import RecordSet
from dnsemu.routing.choice import Outcome, RankedByPlace, World, ranked_outcomes
from dnsemu.routing.contract import check_distinct, check_members, describe


@dataclass(frozen=True, slots=True)
class Geolocation:
    """A continent, a country, a country's subdivision, or the default: country `*` (G1)."""

    continent: str | None
    country: str | None
    subdivision: str | None
    name: ClassVar[str] = "geolocation"
    by_client: ClassVar[bool] = True

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

    def outcomes(self, members: Sequence[RecordSet], can_fail: Sequence[bool]) -> Iterator[Outcome]:
        """A member for a place that the client is in; without a default there may be none."""
        return ranked_outcomes(can_fail, next((n for n, one in enumerate(members) if one.policy == DEFAULT), -1))

    def chooser(self, members: Sequence[RecordSet], healthy: tuple[bool, ...], key: bytes, world: World) -> _Chooser:
        """The smallest place that the client is in."""
        return _Chooser([cast("Geolocation", member.policy) for member in members], healthy, world.geography)

    def __str__(self) -> str:
        """As it is written in a zone file."""
        if self.continent:
            return f"continent {self.continent}"
        return f"{self.country}-{self.subdivision}" if self.subdivision else f"country {self.country}"


DEFAULT = Geolocation(None, "*", None)


def read_geolocation(
    tables: Tables, continent: str | None, country: str | None, subdivision: str | None
) -> Geolocation:
    """Raises TextError for a place that Route 53 does not know, or for two at once (G1, G2, G9)."""
    check_area(tables, continent, country, subdivision, default=True)
    return Geolocation(continent, country, subdivision)


class _Chooser(RankedByPlace):
    """State before country before continent before the default (G4); the members for other places never (G10)."""

    criterion = "the smallest place that the client is in"

    def __init__(self, places: Sequence[Geolocation], healthy: tuple[bool, ...], geography: Geography) -> None:
        self._places, self._geography = places, geography
        self._numbers = {place: number for number, place in enumerate(places)}
        super().__init__(healthy, self._numbers.get(DEFAULT, -1))
        self._applicable = lru_cache(4096)(partial(_applicable, self._numbers))  # there are some 330 of these places

    def rank(self, client: Client) -> tuple[Sequence[int], int]:
        located = client.located
        return self._applicable(*located.place[:3]), located.scope

    def why(self, member: int, client: Client) -> str:
        place, mine = client.located.place, self._places[member]
        if mine == DEFAULT:
            return "country *, for every client"
        name = self._geography.name_of(Place(mine.continent, mine.country, mine.subdivision))
        verb = "is" if member in self.rank(client)[0] else "is not"
        return f"{mine}: the client {verb} in {name}" if place[:3] != (None,) * 3 else f"{mine}"


def _applicable(
    numbers: Mapping[Geolocation, int], continent: str | None, country: str | None, subdivision: str | None
) -> tuple[int, ...]:
    """The members for places that hold this one, smallest first."""
    candidates = (
        Geolocation(None, country, subdivision) if subdivision else None,
        Geolocation(None, country, None) if country else None,
        Geolocation(continent, None, None) if continent else None,
        DEFAULT,
    )
    return tuple([numbers[place] for place in candidates if place is not None and place in numbers])
