"""What is known of the places that Route 53 knows: where they are, what they are part of, how they are called."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cached_property, lru_cache
from typing import Any, Final

from dnsemu.location.atlas import AtlasBlock, read_atlas
from dnsemu.location.place import NOWHERE, Coordinates, Place
from dnsemu.location.place_tables import PlaceTables, read_place_tables
from dnsemu.location.tables import CONTINENTS

_RECORDS_KEPT: Final = 16384
"""The shipped database has 3,081 different places; a user's own may have a hundred thousand."""


class Geography:
    """The tables of dnsemu/data, and what follows from them."""

    def __init__(self, tables: PlaceTables, atlas: str) -> None:
        """`atlas`: the text of atlas.csv."""
        self._tables = tables
        self._atlas_text = atlas
        self._place_of_record = lru_cache(_RECORDS_KEPT)(self._find_place_of_record)

    def of_continent(self, code: str) -> Place:
        """A continent, which has no coordinates. Raises KeyError."""
        if code not in CONTINENTS:
            raise KeyError(code)
        return Place(continent=code)

    def of_country(self, code: str) -> Place:
        """A country, its coordinates the centre of its population (R11). Raises KeyError."""
        return self._tables.countries[code]

    def of_subdivision(self, country: str, code: str) -> Place:
        """A US state, at the centre of its population, or a Ukrainian oblast, at its capital. Raises KeyError."""
        return self._tables.subdivisions[country, code]

    def of_region(self, code: str) -> Place:
        """An AWS region, with the US state it is in (G11). Raises KeyError."""
        return self._tables.regions[code]

    def of_local_zone_group(self, group: str) -> Place:
        """A local zone group, with the US state it is in (P2). Raises KeyError."""
        return self._tables.local_zone_groups[group]

    def completed(self, place: Place, region: str | None = None) -> Place:
        """`place` as written, with the fields that follow from it and from the AWS region written beside it.

        What is written stays. Nothing follows from coordinates. Raises KeyError for an unknown code.
        """
        if region is not None:
            place = _with_region(place, self.of_region(region))
        continent, country, subdivision, coordinates = place
        if country is None:
            return place
        known = self.of_country(country) if subdivision is None else self.of_subdivision(country, subdivision)
        return Place(continent or known.continent, country, subdivision, coordinates or known.coordinates)

    def from_record(self, record: Mapping[str, Any] | None) -> Place | None:
        """The place of a GeoIP2 City or Country record; None if nothing in it can be used. Never raises.

        The continent is Route 53's, whatever the record says; a subdivision is there if Route 53 knows it.
        Coordinates are the record's, else the subdivision's, else the country's.
        """
        try:  # the usual shape, quickly; the memo would take True for 1.0
            country = record["country"]["iso_code"]  # type: ignore[index]
            location = record["location"]  # type: ignore[index]
            north, east = location["latitude"], location["longitude"]
            subdivisions = record.get("subdivisions")  # type: ignore[union-attr]
            subdivision = subdivisions[0].get("iso_code") if subdivisions else None
            if type(north) is float and type(east) is float:
                return self._place_of_record(None, country, subdivision, north, east)
        except Exception:
            pass
        return self._from_odd_record(record)

    @cached_property
    def atlas(self) -> tuple[AtlasBlock, ...]:
        """All blocks of the synthetic atlas, read at first use."""
        return read_atlas(self._atlas_text, self._find_code)

    def find(self, code: str) -> AtlasBlock | None:
        """The atlas block of what a person would type, in any case: `de`, `US-VA`, `eu-west-1`, `us-west-2-den-1`."""
        return self._blocks.get(code.strip().lower())

    def name_of(self, place: Place) -> str:
        """For people: `Virginia, United States`, `Germany`, `Europe`, `52.52, 13.40`, `nowhere known`."""
        continent, country, subdivision, coordinates = place
        names = self._tables.names
        if country is not None:
            name = names.get(country, country)
            if subdivision is None:
                return name
            return f"{names.get(f'{country}-{subdivision}', subdivision)}, {name}"
        if continent is not None:
            return CONTINENTS.get(continent, continent)
        return f"{coordinates[0]:.2f}, {coordinates[1]:.2f}" if coordinates else "nowhere known"

    @cached_property
    def _blocks(self) -> dict[str, AtlasBlock]:
        return {block.code.lower(): block for block in self.atlas}

    def _find_code(self, kind: str, code: str) -> Place:
        if kind == "subdivision":
            country, _, subdivision = code.partition("-")
            return self.of_subdivision(country, subdivision)
        return {
            "country": self.of_country,
            "region": self.of_region,
            "local_zone_group": self.of_local_zone_group,
        }[kind](code)

    def _from_odd_record(self, record: object) -> Place | None:
        continent, country, subdivision, north, east = (_dig(record, *path) for path in _PATHS)
        return self._find_place_of_record(continent, country, subdivision, north, east)

    def _find_place_of_record(
        self, continent: object, country: object, subdivision: object, north: object, east: object
    ) -> Place | None:
        """The place of what a record has at `_PATHS`, which can be anything."""
        known = self._tables.countries.get(country) if isinstance(country, str) else None
        if known is None:
            known = Place(continent) if isinstance(continent, str) and continent in CONTINENTS else NOWHERE
        elif isinstance(subdivision, str) and known.country is not None:
            code = self._tables.iso_subdivisions.get((known.country, subdivision))
            known = self.of_subdivision(known.country, code) if code is not None else known
        coordinates = _read_coordinates(north, east)
        place = known._replace(coordinates=coordinates) if coordinates else known
        return None if place == NOWHERE else place


def read_geography(text_of: Callable[[str], str]) -> Geography:
    """The geography, from the text of each CSV file by its name (dnsemu/data)."""
    return Geography(read_place_tables(text_of), text_of("atlas.csv"))


_PATHS: Final[tuple[tuple[str | int, ...], ...]] = (
    ("continent", "code"),
    ("country", "iso_code"),
    ("subdivisions", 0, "iso_code"),
    ("location", "latitude"),
    ("location", "longitude"),
)


def _dig(value: Any, *path: str | int) -> object:
    """What is at the end of `path`; None if it does not lead there."""
    for key in path:
        try:
            value = value[key]
        except (LookupError, TypeError):
            return None
    return value


def _read_coordinates(north: object, east: object) -> Coordinates | None:
    """None unless both are numbers of degrees; comparing keeps NaN out."""
    numbers = (int, float)
    if isinstance(north, bool) or isinstance(east, bool):
        return None
    if isinstance(north, numbers) and isinstance(east, numbers) and -90 <= north <= 90 and -180 <= east <= 180:
        return float(north), float(east)
    return None


def _with_region(place: Place, region: Place) -> Place:
    """`place` with what fits of an AWS region: one in another country or state adds nothing."""
    if place.country not in (None, region.country) or place.subdivision not in (None, region.subdivision):
        return place
    coordinates = place.coordinates or region.coordinates
    if place.continent not in (None, region.continent):  # a continent has no coordinates of its own
        return place._replace(coordinates=coordinates)
    return Place(region.continent, region.country, region.subdivision, coordinates)
