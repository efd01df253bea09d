"""The latency model: against measured round trips between 40 places, and against figures computed apart from it."""

from __future__ import annotations

from itertools import combinations, permutations
from statistics import mean

import pytest
from hypothesis import given
from hypothesis import strategies as st
from location.shipped import GEOGRAPHY, KNOWN, LATENCIES, TABLES, rows, text_of
from properties.strategies import examples

from dnsemu.location import Coordinates, LatencyModel, great_circle

REFERENCE = [
    (
        "Berlin",
        (52.52, 13.40),
        {"eu-central-1": 15.2, "eu-west-1": 35.4, "us-east-1": 104.2, "ap-southeast-2": 315.3},
    ),
    ("Tokyo", (35.68, 139.69), {"ap-northeast-1": 8.0, "us-west-2": 113.4, "eu-west-2": 242.9, "sa-east-1": 270.5}),
    ("Nairobi", (-1.29, 36.82), {"af-south-1": 72.7, "eu-west-3": 135.2, "me-south-1": 83.6, "ap-south-1": 90.4}),
    ("Honolulu", (21.31, -157.86), {"us-west-1": 65.4, "us-west-2": 81.8, "ap-northeast-1": 125.2}),
    ("Suva", (-18.14, 178.44), {"ap-southeast-2": 56.7, "ap-southeast-6": 88.5, "us-west-2": 150.5}),
    ("the South Pole", (-90.0, 0.0), {"ap-southeast-6": 108.7, "af-south-1": 387.5, "sa-east-1": 137.7}),
]


@pytest.mark.parametrize(("place", "coordinates", "expected"), REFERENCE)
def test_reference(place: str, coordinates: Coordinates, expected: dict[str, float]) -> None:
    latencies = LATENCIES.milliseconds(coordinates)
    assert {region: latencies[region] for region in expected} == expected


def test_every_region_has_a_latency_and_is_nearest_to_itself() -> None:
    for region in TABLES.regions:
        coordinates = GEOGRAPHY.of_region(region).coordinates
        assert coordinates is not None
        latencies = LATENCIES.milliseconds(coordinates)
        assert latencies.keys() == TABLES.regions
        assert latencies[region] == 8.0 == min(latencies.values())


def test_close_by_the_straight_line_competes() -> None:
    here = (50.0, 10.0)
    line = great_circle(here, (50.11, 8.68))
    assert LATENCIES.milliseconds(here)["eu-central-1"] == round(8 + line * 1.5 / 88, 1) == 9.6


def test_remembered_and_not_to_be_changed() -> None:
    latencies = LATENCIES.milliseconds((1.0, 2.0))
    assert LATENCIES.milliseconds((1.0, 2.0)) is latencies
    with pytest.raises(TypeError):
        latencies["eu-west-1"] = 1.0  # type: ignore[index]


@examples(100)
@given(st.floats(-90, 90), st.floats(-180, 180))
def test_everywhere(north: float, east: float) -> None:
    latencies = LATENCIES.milliseconds((north, east))
    assert all(8 <= ms <= 700 and ms == round(ms, 1) for ms in latencies.values())


@pytest.mark.parametrize("north", [90.0, -90.0])
def test_at_a_pole_all_longitudes_are_one_place(north: float) -> None:
    assert LATENCIES.milliseconds((north, 0.0)) == LATENCIES.milliseconds((north, 77.0))


def test_either_side_of_the_date_line() -> None:
    assert LATENCIES.milliseconds((-17.0, 180.0)) == LATENCIES.milliseconds((-17.0, -180.0))


AZURE = {row["name"]: (float(row["lat"]), float(row["lon"])) for row in rows(KNOWN / "azure_places.csv")}


def test_against_the_azure_matrix() -> None:
    """The model says of two places which is nearer in 94.6 % of cases (great circle: 85.0 %), 11.7 ms off."""
    matrix = {row["Source"]: row for row in rows(KNOWN / "azure_rtt_p95_2026-07.csv")}
    model = LatencyModel(AZURE, text_of("backbone_hubs.csv"), text_of("backbone_links.csv"))
    seen = {(a, b): (float(matrix[a][b]) + float(matrix[b][a])) / 2 for a, b in permutations(AZURE, 2)}
    said = {(a, b): model.milliseconds(AZURE[a])[b] for a, b in seen}
    line = {(a, b): great_circle(AZURE[a], AZURE[b]) for a, b in seen}
    assert len(AZURE) == 40
    assert mean(abs(said[pair] - seen[pair]) for pair in combinations(AZURE, 2)) == pytest.approx(11.7, abs=0.1)
    assert _share_right(said, seen) == pytest.approx(0.946, abs=0.001)
    assert _share_right(line, seen) == pytest.approx(0.850, abs=0.001)


def _share_right(said: dict[tuple[str, str], float], seen: dict[tuple[str, str], float]) -> float:
    """Of all choices among two other places: how often the nearer one is chosen."""
    right = total = 0
    for here in AZURE:
        for pair in combinations([name for name in AZURE if name != here], 2):
            right += min(pair, key=lambda there: said[here, there]) == min(pair, key=lambda there: seen[here, there])
            total += 1
    return right / total
