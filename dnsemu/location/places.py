"""Reading where something is: continent, country and subdivision, or coordinates."""

from __future__ import annotations

import re
from difflib import get_close_matches

from dnsemu.errors import TextError
from dnsemu.location.tables import CONTINENTS, Tables

_LATITUDE = re.compile(r"[-+]?[0-9]{1,2}(\.[0-9]{0,2})?")  # API Latitude
_OFTEN_MEANT = {"UK": "GB", "EN": "GB", "EL": "GR"}  # codes that look right and are not ISO 3166's
_LONGITUDE = re.compile(r"[-+]?[0-9]{1,3}(\.[0-9]{0,2})?")  # API Longitude


def check_area(
    tables: Tables,
    continent: str | None,
    country: str | None,
    subdivision: str | None,
    *,
    default: bool = False,
) -> None:
    """Raises TextError unless the codes name a continent, a country, or a country with its subdivision (G1, G2).

    `default` allows the country `*`.
    """
    if continent is not None:
        if country is not None or subdivision is not None:
            raise TextError("geo-location", "a continent stands alone, without country and subdivision")
        _known("continent", continent, frozenset(CONTINENTS), ("continent",))
    elif country is None:
        raise TextError("geo-location", "a continent or a country is missing here")
    elif not (default and country == "*" and subdivision is None):
        _known("country", country, tables.countries, ("country",))
        if subdivision is not None:
            _check_subdivision(tables, country, subdivision)


def check_region(region: str, regions: frozenset[str], key: str = "region") -> None:
    """Raises TextError, about `key`, unless `region` is one of `regions`."""
    _known("region", region, regions, (key,))


def check_local_zone_group(group: str, tables: Tables) -> None:
    """Raises TextError unless `group` is a local zone group: a local zone's name without its last letter (P2)."""
    if group[:-1] in tables.local_zone_groups:
        hint = f"its group is {group[:-1]}"
        raise TextError("geo-location", f"'{group}' is a local zone", hint, ("local_zone_group",))
    _known("local zone group", group, tables.local_zone_groups, ("local_zone_group",))


def read_latitude(text: str) -> float:
    """Degrees north, -90 … 90, with at most two decimals (P3). Raises TextError."""
    return _degrees("latitude", text, _LATITUDE, 90)


def read_longitude(text: str) -> float:
    """Degrees east, -180 … 180, with at most two decimals (P3). Raises TextError."""
    return _degrees("longitude", text, _LONGITUDE, 180)


def _degrees(what: str, text: str, pattern: re.Pattern[str], most: int) -> float:
    if not pattern.fullmatch(text) or abs(float(text)) > most:
        message = f"a {what} is a number from -{most} to {most} with at most two decimals, not '{text}'"
        raise TextError("coordinates", message, path=("coordinates", what))
    return float(text)


def _check_subdivision(tables: Tables, country: str, subdivision: str) -> None:
    codes = tables.subdivisions.get(country)
    if codes is None:
        raise TextError(
            "geo-location",
            f"Route 53 knows no subdivisions of {country}",
            f"only of {' and '.join(sorted(tables.subdivisions))}",
            ("subdivision",),
        )
    _known(f"subdivision of {country}", subdivision, codes, ("subdivision",))


def _known(what: str, code: str, codes: frozenset[str], path: tuple[str, ...]) -> None:
    if code not in codes:
        upper_or_lower = [known for known in codes if known.lower() == code.lower()]
        close = _OFTEN_MEANT.get(code, "") or next(
            iter(upper_or_lower or get_close_matches(code, sorted(codes), n=1)), ""
        )
        hint = f"did you mean {close}?" if close else ""
        raise TextError("geo-location", f"'{code}' is no {what} that Route 53 knows", hint, path)
