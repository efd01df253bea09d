"""Places by code, what follows from what a person wrote, and what places are called."""

from __future__ import annotations

import pytest
from location.shipped import DATA, GEOGRAPHY, TABLES, rows

from dnsemu.location import CONTINENTS, NOWHERE, Place

CENTRE = (38.54, -93.09)  # of the population of the United States
VIRGINIA = (37.20, -76.92)
CALIFORNIA = (35.16, -119.20)
ASHBURN = (39.04, -77.49)
GERMANY = (50.87, 9.46)
FRANKFURT = (50.11, 8.68)
KYIV = (50.45, 30.52)

COUNTRIES = [
    # code, continent as Route 53 has it
    ("TR", "EU"),
    ("CY", "EU"),
    ("RU", "EU"),
    ("XK", "EU"),
    ("GE", "AS"),
    ("AM", "AS"),
    ("EG", "AF"),
    ("GS", "AN"),
    ("TF", "AN"),
    ("UM", "OC"),
    ("PR", "NA"),
    ("MX", "NA"),
    ("CO", "SA"),
    ("EH", "AF"),  # can not be named in a record set (G9), but a client can be there
]


@pytest.mark.parametrize(("code", "continent"), COUNTRIES)
def test_country(code: str, continent: str) -> None:
    place = GEOGRAPHY.of_country(code)
    assert place[:3] == (continent, code, None)
    assert place.coordinates


def test_of_code() -> None:
    assert GEOGRAPHY.of_continent("EU") == Place("EU")
    assert GEOGRAPHY.of_country("US") == Place("NA", "US", None, CENTRE)
    assert GEOGRAPHY.of_subdivision("US", "VA") == Place("NA", "US", "VA", VIRGINIA)
    assert GEOGRAPHY.of_subdivision("UA", "30") == Place("EU", "UA", "30", KYIV)
    assert GEOGRAPHY.of_subdivision("UA", "11").coordinates == (44.95, 34.10)
    assert GEOGRAPHY.of_region("us-east-1") == Place("NA", "US", "VA", ASHBURN)
    assert GEOGRAPHY.of_region("eu-central-1") == Place("EU", "DE", None, FRANKFURT)
    assert GEOGRAPHY.of_local_zone_group("us-west-2-den-1") == Place("NA", "US", "CO", (39.74, -104.99))
    assert GEOGRAPHY.of_local_zone_group("us-east-1-bue-1") == Place("SA", "AR", None, (-34.60, -58.38))


@pytest.mark.parametrize(
    ("region", "state"),
    [
        ("us-east-2", "OH"),
        ("us-west-1", "CA"),
        ("us-west-2", "OR"),
        ("us-gov-east-1", "OH"),
        ("us-gov-west-1", "OR"),
    ],
)
def test_state_of_region(region: str, state: str) -> None:
    assert GEOGRAPHY.of_region(region).subdivision == state


def test_unknown_codes() -> None:
    for find, code in (
        (GEOGRAPHY.of_continent, "XX"),
        (GEOGRAPHY.of_country, "UK"),
        (GEOGRAPHY.of_region, "eu-west-9"),
        (GEOGRAPHY.of_local_zone_group, "us-west-2-den-1a"),
    ):
        with pytest.raises(KeyError):
            find(code)
    with pytest.raises(KeyError):
        GEOGRAPHY.of_subdivision("US", "PR")
    with pytest.raises(KeyError):
        GEOGRAPHY.completed(Place(country="XX"))


def test_all_codes_of_the_tables_are_places() -> None:
    places = [
        *map(GEOGRAPHY.of_country, TABLES.countries),
        *map(GEOGRAPHY.of_region, TABLES.regions),
        *map(GEOGRAPHY.of_local_zone_group, TABLES.local_zone_groups),
        *(
            GEOGRAPHY.of_subdivision(country, code)
            for country, codes in TABLES.subdivisions.items()
            for code in codes
        ),
    ]
    for continent, country, subdivision, coordinates in places:
        assert continent in CONTINENTS
        assert country in TABLES.countries
        assert subdivision is None or subdivision in TABLES.subdivisions[country]
        assert coordinates is not None
        assert abs(coordinates[0]) <= 90
        assert abs(coordinates[1]) <= 180


@pytest.mark.parametrize("name", ["aws_regions.csv", "aws_local_zones.csv"])
def test_exactly_those_in_the_united_states_have_a_state(name: str) -> None:
    for row in rows(DATA / name):
        assert (row["subdivision"] in TABLES.subdivisions["US"]) == (row["country"] == "US"), row


COMPLETED = [
    # written, region, what it comes to
    (NOWHERE, None, NOWHERE),
    (Place(country="DE"), None, Place("EU", "DE", None, GERMANY)),
    (Place(country="US", subdivision="VA"), None, Place("NA", "US", "VA", VIRGINIA)),
    (Place(country="DE", coordinates=(48.1, 11.6)), None, Place("EU", "DE", None, (48.1, 11.6))),
    (Place(country="DE", coordinates=(0.0, 0.0)), None, Place("EU", "DE", None, (0.0, 0.0))),
    (Place(continent="EU"), None, Place("EU")),
    (Place(continent="AS", country="RU"), None, Place("AS", "RU", None, (57.20, 53.59))),
    (Place(coordinates=(48.1, 11.6)), None, Place(coordinates=(48.1, 11.6))),
    (NOWHERE, "us-east-1", Place("NA", "US", "VA", ASHBURN)),
    (NOWHERE, "eu-central-1", Place("EU", "DE", None, FRANKFURT)),
    (Place(country="US"), "us-east-1", Place("NA", "US", "VA", ASHBURN)),
    (Place(country="US", subdivision="VA"), "us-east-1", Place("NA", "US", "VA", ASHBURN)),
    (Place(coordinates=(1.0, 2.0)), "us-east-1", Place("NA", "US", "VA", (1.0, 2.0))),
    (Place(continent="NA"), "us-east-1", Place("NA", "US", "VA", ASHBURN)),
    # Another continent than the region's: of the region its coordinates are left, a continent has none.
    (Place(continent="EU"), "us-east-1", Place("EU", None, None, ASHBURN)),
    # Another state or country than the region's: nothing of the region is left.
    (Place(country="US", subdivision="CA"), "us-east-1", Place("NA", "US", "CA", CALIFORNIA)),
    (Place(country="DE"), "us-east-1", Place("EU", "DE", None, GERMANY)),
    (Place(country="DE", coordinates=(1.0, 2.0)), "us-east-1", Place("EU", "DE", None, (1.0, 2.0))),
]


@pytest.mark.parametrize(("written", "region", "expected"), COMPLETED)
def test_completed(written: Place, region: str | None, expected: Place) -> None:
    assert GEOGRAPHY.completed(written, region) == expected
    assert GEOGRAPHY.completed(expected) == expected


NAMES = [
    (GEOGRAPHY.of_country("DE"), "Germany"),
    (GEOGRAPHY.of_region("us-east-1"), "Virginia, United States"),
    (GEOGRAPHY.of_subdivision("UA", "11"), "Crimea, Ukraine"),
    (Place("EU"), "Europe"),
    (Place("EU", coordinates=(1.0, 2.0)), "Europe"),
    (Place(coordinates=(52.52, 13.4)), "52.52, 13.40"),
    (Place(coordinates=(-33.9, -0.001)), "-33.90, -0.00"),
    (NOWHERE, "nowhere known"),
    (Place("XX"), "XX"),
    (Place(None, "XX", "YY"), "YY, XX"),
]


@pytest.mark.parametrize(("place", "name"), NAMES)
def test_name_of(place: Place, name: str) -> None:
    assert GEOGRAPHY.name_of(place) == name
