"""The place of a GeoIP2 record, whatever is in it; and the shipped database against addresses people know."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import maxminddb
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from location.shipped import DATA, GEOGRAPHY, KNOWN, rows
from properties.strategies import examples

from dnsemu.location import Place

BERLIN = {"latitude": 52.52, "longitude": 13.4}
GERMANY = GEOGRAPHY.of_country("DE")
VIRGINIA = GEOGRAPHY.of_subdivision("US", "VA")


def of(country: str, *subdivisions: str, **more: Any) -> dict[str, Any]:
    record: dict[str, Any] = {"country": {"iso_code": country}, **more}
    if subdivisions:
        record["subdivisions"] = [{"iso_code": code} for code in subdivisions]
    return record


RECORDS = [
    # a record, the place
    (of("DE", location=BERLIN), Place("EU", "DE", None, (52.52, 13.4))),
    (of("DE"), GERMANY),
    (of("TR", continent={"code": "AS"}), GEOGRAPHY.of_country("TR")),  # EU by Route 53's table
    (of("US", "VA", location={"latitude": 38.0, "longitude": -78.0}), Place("NA", "US", "VA", (38.0, -78.0))),
    (of("US", "VA"), VIRGINIA),
    (of("US", "PR"), GEOGRAPHY.of_country("US")),
    (of("US", "51"), GEOGRAPHY.of_country("US")),
    (of("GB", "ENG", "OXF"), GEOGRAPHY.of_country("GB")),
    (of("DE", "BE", location=BERLIN), Place("EU", "DE", None, (52.52, 13.4))),
    (of("DE", "VA"), GERMANY),
    (of("UA", "30"), GEOGRAPHY.of_subdivision("UA", "30")),
    (of("UA", "43"), GEOGRAPHY.of_subdivision("UA", "11")),  # Crimea: ISO 3166-2, Route 53
    (of("UA", "40"), GEOGRAPHY.of_subdivision("UA", "20")),
    (of("EH"), GEOGRAPHY.of_country("EH")),
    ({"continent": {"code": "EU"}}, Place("EU")),
    ({"continent": {"code": "EU"}, "location": BERLIN}, Place("EU", None, None, (52.52, 13.4))),
    (of("EU", continent={"code": "EU"}), Place("EU")),  # old databases have such countries
    ({"location": BERLIN}, Place(coordinates=(52.52, 13.4))),
    # odd shapes
    (None, None),
    ({}, None),
    ("DE", None),
    ([], None),
    (of("A1"), None),
    (of("de"), None),
    ({"country": "DE"}, None),
    ({"country": {"iso_code": 49}}, None),
    ({"country": {"iso_code": ["DE"]}}, None),
    ({"continent": {"code": "XX"}}, None),
    ({"continent": {"code": {}}}, None),
    ({"location": {"latitude": 52.52}}, None),
    (of("DE", location=None), GERMANY),
    (of("DE", location={}), GERMANY),
    (of("DE", location={"latitude": "52.52", "longitude": "13.4"}), GERMANY),
    (of("DE", location={"latitude": None, "longitude": 13.4}), GERMANY),
    (of("DE", location={"latitude": float("nan"), "longitude": 13.4}), GERMANY),
    (of("DE", location={"latitude": 52.52, "longitude": float("inf")}), GERMANY),
    (of("DE", location={"latitude": 90.1, "longitude": 13.4}), GERMANY),
    (of("DE", location={"latitude": 10**400, "longitude": 13.4}), GERMANY),
    (of("DE", location={"latitude": 52, "longitude": 13}), Place("EU", "DE", None, (52.0, 13.0))),
    (of("DE", location={"latitude": 1.0, "longitude": 1.0}), Place("EU", "DE", None, (1.0, 1.0))),
    (of("DE", location={"latitude": True, "longitude": True}), GERMANY),
    (of("US", subdivisions=None), GEOGRAPHY.of_country("US")),
    (of("US", subdivisions=[]), GEOGRAPHY.of_country("US")),
    (of("US", subdivisions={"iso_code": "VA"}), GEOGRAPHY.of_country("US")),
    (of("US", subdivisions=["VA"], location=BERLIN), Place("NA", "US", None, (52.52, 13.4))),
    (of("US", subdivisions=[{"names": {"en": "Virginia"}}], location=BERLIN), Place("NA", "US", None, (52.52, 13.4))),
    (of("US", subdivisions=[{"iso_code": ["VA"]}], location=BERLIN), Place("NA", "US", None, (52.52, 13.4))),
]


@pytest.mark.parametrize(("record", "expected"), RECORDS)
def test_from_record(record: Any, expected: Place | None) -> None:
    assert GEOGRAPHY.from_record(record) == expected


KEYS = ["continent", "code", "country", "iso_code", "subdivisions", "location", "latitude", "longitude"]
SCALARS = st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=3)
SCALARS |= st.sampled_from(["EU", "DE", "US", "VA", "UA", "43"]) | st.floats(-90, 90)
JSON = st.recursive(
    SCALARS, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(KEYS), inner, max_size=4)
)
CODES = st.fixed_dictionaries({}, optional={"code": JSON, "iso_code": JSON})
NEARLY = st.fixed_dictionaries(
    {},
    optional={
        "continent": CODES,
        "country": CODES,
        "subdivisions": st.lists(CODES, max_size=2) | JSON,
        "location": st.fixed_dictionaries({}, optional={"latitude": SCALARS, "longitude": SCALARS}),
    },
)


@examples(150)
@given(NEARLY | JSON)
@example({"country": {"iso_code": "DE"}, "location": {"latitude": {}, "longitude": []}})
def test_from_record_never_raises(record: Any) -> None:
    place = GEOGRAPHY.from_record(record)
    assert place == GEOGRAPHY.from_record(record)
    if place is not None:
        assert place != Place()
        if place.country is not None:
            assert place.continent == GEOGRAPHY.of_country(place.country).continent
            assert place.coordinates is not None
        if place.subdivision is not None:
            assert place.country in ("US", "UA")
        if place.coordinates is not None:
            assert all(type(number) is float for number in place.coordinates)


@pytest.fixture(scope="module")
def database() -> Iterator[maxminddb.Reader]:
    with maxminddb.open_database(str(DATA / "dnsemu-geo.mmdb")) as reader:
        yield reader


def test_known_addresses(database: maxminddb.Reader) -> None:
    """Two countries of 82 are wrong (of 75, without those of AWS), no state of 21."""
    known = rows(KNOWN / "known_ips.csv")
    assert (len(known), sum(bool(row["us_state"]) for row in known)) == (82, 21)
    wrong = {}
    for row in known:
        place = GEOGRAPHY.from_record(database.get(row["ip"]))  # type: ignore[arg-type]
        if place is None or place.country != row["country"] or row["us_state"] not in ("", place.subdivision):
            wrong[row["what"]] = place and place.country
    # Anycast is everywhere at once; the registry for South America has servers in more than one country.
    assert wrong == {"Google DNS v6": "CA", "LACNIC": "BR"}


def test_database_and_tables_agree(database: maxminddb.Reader) -> None:
    """In nine hundred places all over IPv4; the database has Route 53's continents, too."""
    for first in range(1, 224):
        for second in (0, 64, 128, 192):
            record = database.get(f"{first}.{second}.0.0")
            place = GEOGRAPHY.from_record(record)  # type: ignore[arg-type]
            assert (record is None) == (place is None)
            if place:
                assert place.continent == record["continent"]["code"]  # type: ignore[call-overload,index]


def test_an_ipv4_address_in_ipv6_is_not_the_databases_to_know(database: maxminddb.Reader) -> None:
    """::ffff:0:0/96 has no records: whoever asks turns such an address into its IPv4 address first."""
    assert database.get("8.8.8.8") is not None
    assert database.get("::ffff:8.8.8.8") is None
