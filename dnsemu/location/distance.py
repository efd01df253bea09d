"""How far it is from one place to another."""

from __future__ import annotations

from math import asin, cos, radians, sin, sqrt

from dnsemu.location.place import Coordinates

EARTH_RADIUS = 6371.0  # km


def great_circle(a: Coordinates, b: Coordinates) -> float:
    """Kilometres along the surface of a sphere, by haversine (P12).

    Rounded to 1 m before anything is compared, so that every platform chooses alike (R19).
    """
    north_a, north_b = radians(a[0]), radians(b[0])
    half_north = sin((north_b - north_a) / 2)
    half_east = sin(radians(b[1] - a[1]) / 2)
    haversine = half_north * half_north + cos(north_a) * cos(north_b) * half_east * half_east
    # Opposite points can come to a little more than 1.
    return round(2 * EARTH_RADIUS * asin(sqrt(min(1.0, haversine))), 3)
