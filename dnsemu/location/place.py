"""Where something is."""

from __future__ import annotations

from typing import NamedTuple

Coordinates = tuple[float, float]
"""Degrees north, -90 … 90, and degrees east, -180 … 180."""


class Place(NamedTuple):
    """What is known of where a client or an endpoint is; None for what is not.

    `continent`, `country` and `subdivision` are Route 53's codes (G1): `NA`, `US`, `VA`; Crimea is `11`.
    """

    continent: str | None = None
    country: str | None = None
    subdivision: str | None = None
    coordinates: Coordinates | None = None


NOWHERE = Place()
