"""How long a round trip to each AWS region takes: a model of the Internet's long-distance links (L3).

A path goes from the place to one of the hubs near it, over the links, and from a hub near the region to the region.
Where the region is close, the straight line competes.
"""

from __future__ import annotations

import csv
import heapq
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from math import cos, inf, radians, sin
from types import MappingProxyType
from typing import Final, NamedTuple

from dnsemu.location.distance import EARTH_RADIUS, great_circle
from dnsemu.location.place import Coordinates

_BASE: Final = 8.0  # ms
_SPEED: Final = 88.0  # km of path for each ms of a round trip
_ACCESS: Final = 1.5  # a path to or from a hub is that much longer than the line
_NEAR: Final = 4  # hubs
_NEAR_KM: Final = 400.0  # that much farther than the nearest hub is still near
_DIRECT_KM: Final = 1000.0
_PLACES_KEPT: Final = 4096

_Vector = tuple[float, float, float]


class _Network(NamedTuple):
    """`kilometres[i][j]`: path from hub i to region j."""

    hubs: Sequence[tuple[Coordinates, _Vector]]
    regions: Sequence[tuple[Coordinates, _Vector]]
    kilometres: Sequence[Sequence[float]]


class LatencyModel:
    """Round trips by the model. Built at the first question: most configurations never ask."""

    def __init__(self, regions: Mapping[str, Coordinates], hubs: str, links: str) -> None:
        """`hubs`, `links`: the texts of backbone_hubs.csv and backbone_links.csv."""
        self._regions = dict(regions)
        self._texts = hubs, links
        self._network: _Network | None = None
        self._known = lru_cache(_PLACES_KEPT)(self._estimate)

    def milliseconds(self, coordinates: Coordinates) -> Mapping[str, float]:
        """Region → round trip in ms, rounded to 0.1 ms (R19), for every region. Pure, and remembered."""
        return self._known(coordinates)

    def _estimate(self, coordinates: Coordinates) -> Mapping[str, float]:
        if self._network is None:
            self._network = _build(self._regions, *self._texts)
        hubs, regions, kilometres = self._network
        here = _vector(coordinates)
        paths = [[km * _ACCESS + more for more in kilometres[hub]] for km, hub in _near(coordinates, here, hubs)]
        best = list(map(min, *paths)) if len(paths) > 1 else paths[0]
        for index in _within(_DIRECT_KM, here, regions):
            line = great_circle(coordinates, regions[index][0])
            if line < _DIRECT_KM:
                best[index] = min(best[index], line * _ACCESS)
        return MappingProxyType(
            {code: round(_BASE + km / _SPEED, 1) for code, km in zip(self._regions, best, strict=True)}
        )


def read_latency_model(text_of: Callable[[str], str]) -> LatencyModel:
    """The model for all AWS regions, from the text of each CSV file by its name (dnsemu/data)."""
    regions = {row["code"]: (float(row["lat"]), float(row["lon"])) for row in _rows(text_of("aws_regions.csv"))}
    return LatencyModel(regions, text_of("backbone_hubs.csv"), text_of("backbone_links.csv"))


def _build(regions: Mapping[str, Coordinates], hub_rows: str, link_rows: str) -> _Network:
    places = {row["hub"]: (float(row["lat"]), float(row["lon"])) for row in _rows(hub_rows)}
    hubs = [(place, _vector(place)) for place in places.values()]
    index = {hub: number for number, hub in enumerate(places)}
    links: list[list[tuple[int, float]]] = [[] for _ in hubs]
    for row in _rows(link_rows):
        a, b = index[row["a"]], index[row["b"]]
        km = _cable(great_circle(hubs[a][0], hubs[b][0]))
        links[a].append((b, km))
        links[b].append((a, km))
    ends = [(place, _vector(place)) for place in regions.values()]
    to_each = [_from_all_hubs(_near(place, vector, hubs), links) for place, vector in ends]
    return _Network(hubs, ends, list(zip(*to_each, strict=True)))


def _from_all_hubs(near: Sequence[tuple[float, int]], links: Sequence[Sequence[tuple[int, float]]]) -> list[float]:
    """Kilometres of the shortest path from each hub to a place with the hubs `near` it (Dijkstra)."""
    shortest = [inf] * len(links)
    queue = [(km * _ACCESS, hub) for km, hub in near]
    for km, hub in queue:
        shortest[hub] = km
    heapq.heapify(queue)
    while queue:
        km, hub = heapq.heappop(queue)
        if km > shortest[hub]:
            continue
        for other, more in links[hub]:
            if km + more < shortest[other]:
                shortest[other] = km + more
                heapq.heappush(queue, (km + more, other))
    return shortest


def _cable(km: float) -> float:
    """Short links wind more than ocean cables."""
    return km * (1.5 if km < 1500 else 1.3 if km < 4000 else 1.15)


def _near(
    place: Coordinates, vector: _Vector, hubs: Sequence[tuple[Coordinates, _Vector]]
) -> list[tuple[float, int]]:
    """Kilometres and number of the nearest hubs, nearest first."""
    x, y, z = vector
    cosines = [(x * a + y * b + z * c, number) for number, (_, (a, b, c)) in enumerate(hubs)]
    nearest = sorted((great_circle(place, hubs[number][0]), number) for _, number in heapq.nlargest(_NEAR, cosines))
    return [hub for hub in nearest if hub[0] <= nearest[0][0] + _NEAR_KM]


def _within(km: float, vector: _Vector, places: Sequence[tuple[Coordinates, _Vector]]) -> list[int]:
    """Numbers of the places within `km`, and perhaps of one just beyond."""
    x, y, z = vector
    least = cos(km / EARTH_RADIUS) - 1e-9
    return [number for number, (_, (a, b, c)) in enumerate(places) if x * a + y * b + z * c >= least]


def _vector(place: Coordinates) -> _Vector:
    """The point on the unit sphere: a product of two is the cosine of the angle between them."""
    north, east = radians(place[0]), radians(place[1])
    return cos(north) * cos(east), cos(north) * sin(east), sin(north)


def _rows(text: str) -> list[dict[str, str]]:
    return list(csv.DictReader(text.splitlines()))
