"""The places that Route 53 knows by a code: countries, subdivisions, regions, local zone groups."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass

CONTINENTS = {
    "AF": "Africa",
    "AN": "Antarctica",
    "AS": "Asia",
    "EU": "Europe",
    "NA": "North America",
    "OC": "Oceania",
    "SA": "South America",
}


@dataclass(frozen=True, slots=True)
class Tables:
    """Codes, each set complete.

    `countries`: those that a record set can name (G9), `subdivisions`: country → codes, `regions`: all AWS
    regions, `latency_regions`: those that latency routing takes (L8).
    """

    countries: frozenset[str]
    subdivisions: dict[str, frozenset[str]]
    regions: frozenset[str]
    latency_regions: frozenset[str]
    local_zone_groups: frozenset[str]

    def is_code(self, text: str) -> bool:
        """Whether it stands for a country, a subdivision as `US-VA`, a region or a local zone group, in any case."""
        country, _, subdivision = text.upper().partition("-")
        known = self.regions | self.local_zone_groups
        return (
            text.upper() in self.countries
            or text.lower() in known
            or subdivision in self.subdivisions.get(country, ())
        )


def read_tables(text_of: Callable[[str], str]) -> Tables:
    """The tables, from the text of each CSV file by its name (dnsemu/data)."""

    def rows(name: str) -> list[dict[str, str]]:
        return list(csv.DictReader(text_of(name).splitlines()))

    regions = rows("aws_regions.csv")
    return Tables(
        countries=frozenset(row["iso2"] for row in rows("countries.csv") if row["r53"] == "yes"),
        subdivisions={
            "US": frozenset(row["code"] for row in rows("us_states.csv")),
            "UA": frozenset(row["code"] for row in rows("ua_oblasts.csv")),
        },
        regions=frozenset(row["code"] for row in regions),
        latency_regions=frozenset(row["code"] for row in regions if row["latency"] == "yes"),
        local_zone_groups=frozenset(row["group"] for row in rows("aws_local_zones.csv")),
    )
