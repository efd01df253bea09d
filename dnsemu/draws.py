"""Chance as a value: a counter and a keyed hash for each record set group.

The same seed, configuration and order of questions give the same draws on every platform and Python version,
and questions about one name do not disturb the draws of another.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import MutableMapping, Sequence
from hashlib import blake2b
from typing import TypeVar

T = TypeVar("T")

_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15  # 2^64 / golden ratio: the step of SplitMix64 (Steele, Lea, Flood 2014)

_ONE_DRAW = 16  # so many records have 2^44 orders: one draw of 64 bits decides among them


class Draws:
    """Draws for one server; counters live as long as this object."""

    def __init__(self, seed: int, states: MutableMapping[bytes, int] | None = None) -> None:
        """`states`: how far the draws of each key have come."""
        self._seed = seed
        self._key = (seed & _MASK).to_bytes(8, "big")
        self._states = {} if states is None else states

    def next(self, key: bytes) -> int:
        """The next draw for `key`: an integer uniform in 0 … 2^64 - 1."""
        state = self._states.get(key)
        if state is None:
            state = int.from_bytes(blake2b(key, digest_size=8, key=self._key).digest(), "big")
        self._states[key] = state = (state + _GOLDEN) & _MASK
        return _mix(state)

    def ahead(self) -> Draws:
        """Draws that give what these would give next, and leave these as they are: for explaining."""
        return Draws(self._seed, ChainMap({}, self._states))


def _mix(state: int) -> int:
    """SplitMix64's output function: every bit of the state reaches every bit of the result."""
    state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK
    return state ^ (state >> 31)


def shuffled(records: Sequence[T], draw: int) -> list[T]:
    """All of `records` in an order that `draw` decides, every order as likely as another (Fisher and Yates)."""
    order = list(records)
    for last in range(len(order) - 1, 0, -1):
        if last >= _ONE_DRAW:
            draw = _mix((draw + _GOLDEN) & _MASK)
        draw, other = divmod(draw, last + 1)
        order[last], order[other] = order[other], order[last]
    return order


def sampled(items: Sequence[T], count: int, draw: int) -> list[T]:
    """`count` of `items` in an order that `draw` decides, every choice and order as likely as another.

    Eight of a hundred come in 2^53 ways, of which one draw of 64 bits picks one.
    """
    order = list(items)
    for place in range(count):
        draw, other = divmod(draw, len(order) - place)
        order[place], order[place + other] = order[place + other], order[place]
    return order[:count]
