"""Reading where the places are that Route 53 knows by a code, and how they are called."""

from __future__ import annotations

import csv
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from dnsemu.location.place import Coordinates, Place

_Row = dict[str, str]


@dataclass(frozen=True, slots=True)
class PlaceTables:
    """Places by code; `subdivisions` by country and code. `names` of countries and of `US-VA`.

    `iso_subdivisions`: the code Route 53 has for a country's ISO 3166-2 code, which is what databases have. They
    differ for Crimea and Sevastopol alone.
    """

    countries: Mapping[str, Place]
    subdivisions: Mapping[tuple[str, str], Place]
    iso_subdivisions: Mapping[tuple[str, str], str]
    regions: Mapping[str, Place]
    local_zone_groups: Mapping[str, Place]
    names: Mapping[str, str]


def read_place_tables(text_of: Callable[[str], str]) -> PlaceTables:
    """The tables, from the text of each CSV file by its name (dnsemu/data)."""

    def rows(name: str) -> list[_Row]:
        return list(csv.DictReader(text_of(name).splitlines()))

    countries = {row["iso2"]: row for row in rows("countries.csv")}
    subdivisions = [("US", row) for row in rows("us_states.csv")] + [("UA", row) for row in rows("ua_oblasts.csv")]
    places = {code: Place(row["continent"], code, None, _centre(row)) for code, row in countries.items()}
    return PlaceTables(
        places,
        {
            (country, row["code"]): Place(places[country].continent, country, row["code"], _centre(row))
            for country, row in subdivisions
        },
        {
            (country, code): row["code"]
            for country, row in subdivisions
            for code in (row["code"], row.get("iso_code", row["code"]))
        },
        {row["code"]: _of_aws(row, places) for row in rows("aws_regions.csv")},
        {row["group"]: _of_aws(row, places) for row in rows("aws_local_zones.csv")},
        {code: row["name"] for code, row in countries.items()}
        | {f"{country}-{row['code']}": row["name"] for country, row in subdivisions},
    )


def _centre(row: _Row) -> Coordinates:
    """Where the people are (R11); of an oblast, its capital."""
    return float(row.get("pop_lat", row["lat"])), float(row.get("pop_lon", row["lon"]))


def _of_aws(row: _Row, countries: Mapping[str, Place]) -> Place:
    country = countries[row["country"]]
    return country._replace(subdivision=row["subdivision"] or None, coordinates=_centre(row))
