"""Distances, against rows computed by hand: a degree of a great circle is 6371 * pi / 180 = 111.194927 km."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from properties.strategies import examples

from dnsemu.location import Coordinates, great_circle

QUARTER = 10007.543  # km: 90 degrees
ROWS = [
    # from, to, km
    ((0.0, 0.0), (0.0, 0.0), 0.0),
    ((0.0, 0.0), (0.0, 1.0), 111.195),
    ((0.0, 0.0), (1.0, 0.0), 111.195),
    ((60.0, 0.0), (61.0, 0.0), 111.195),
    ((0.0, 0.0), (0.0, 90.0), QUARTER),
    ((0.0, 0.0), (90.0, 123.0), QUARTER),
    ((90.0, 10.0), (90.0, -170.0), 0.0),
    ((90.0, 0.0), (-90.0, 0.0), 20015.087),
    ((0.0, 0.0), (0.0, 180.0), 20015.087),
    ((0.0, 180.0), (0.0, -180.0), 0.0),
    ((0.0, 179.5), (0.0, -179.5), 111.195),
    ((45.0, 0.0), (45.0, 180.0), QUARTER),
    # cos d = cos 60 * cos 60 * cos 90 + sin 60 * sin 60 = 0.75: 41.409622 degrees
    ((60.0, 0.0), (60.0, 90.0), 4604.540),
    # cos d = cos 45 * cos 45 * cos 60 + sin 45 * sin 45 = 0.75
    ((45.0, 10.0), (45.0, 70.0), 4604.540),
    # cos d = cos 30 * cos 60: 64.341093 degrees
    ((30.0, 20.0), (0.0, 80.0), 7154.403),
]


@pytest.mark.parametrize(("a", "b", "km"), ROWS)
def test_distance(a: Coordinates, b: Coordinates, km: float) -> None:
    assert great_circle(a, b) == km


COORDINATES = st.tuples(st.floats(-90, 90), st.floats(-180, 180))


@examples(200)
@given(COORDINATES, COORDINATES)
def test_same_both_ways_and_in_whole_metres(a: Coordinates, b: Coordinates) -> None:
    km = great_circle(a, b)
    assert km == great_circle(b, a) == round(km, 3)
    assert 0 <= km <= 20015.087
    assert great_circle(a, a) == 0
