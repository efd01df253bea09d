"""Chance as a value: a counter and a hash for each record set group.

The same seed, configuration and order of questions give the same draws on every platform and Python version,
and questions about one name do not disturb the draws of another.
"""

from __future__ import annotations

from collections import ChainMap
from collections.abc import Iterator, Mapping, MutableMapping, Sequence
from copy import copy
from hashlib import blake2b
from struct import Struct
from typing import TypeVar

T = TypeVar("T")

_EIGHT = Struct("!8Q")  # one hash is eight draws: hashing each of them would cost most of a random answer
_MASK = (1 << 64) - 1
_GOLDEN = 0x9E3779B97F4A7C15  # 2^64 / golden ratio: the step of SplitMix64 (Steele, Lea, Flood 2014)

_FEW = (
    8  # so many records have 2^15 orders: thirty bits of a draw decide, one digit of Python's integers, and quickly
)
_DIGIT = (1 << 30) - 1
_ONE_DRAW = 16  # so many records have 2^44 orders: one draw of 64 bits decides among them


class Draws:
    """Draws for one server; how far each key has come lives as long as this object."""

    def __init__(
        self,
        seed: int,
        drawn: dict[bytes, Iterator[int]] | None = None,
        hashed: MutableMapping[bytes, int] | None = None,
    ) -> None:
        """`drawn`: what is left of each key's last hash; `hashed`: how many hashes of each key there were."""
        self._seed = seed
        self._salt = (seed & _MASK).to_bytes(8, "big")
        self._drawn = {} if drawn is None else drawn
        self._hashed = {} if hashed is None else hashed

    def next(self, key: bytes) -> int:
        """The next draw for `key`: an integer uniform in 0 … 2^64 - 1."""
        try:
            return next(self._drawn[key])
        except (KeyError, StopIteration):
            count = self._hashed.get(key, 0)
            self._hashed[key] = count + 1
            drawn = self._drawn[key] = iter(self._hash(key, count))
            return next(drawn)

    def ahead(self) -> Draws:
        """Draws that give what these would give next, and leave these as they are: for explaining."""
        return Draws(self._seed, _Copies(self._drawn), ChainMap({}, self._hashed))

    def _hash(self, key: bytes, count: int) -> tuple[int, ...]:
        return _EIGHT.unpack(blake2b(self._salt + count.to_bytes(8, "big") + key).digest())


class _Copies(dict[bytes, Iterator[int]]):
    """Iterators of another mapping, each copied when it is first asked for."""

    def __init__(self, others: Mapping[bytes, Iterator[int]]) -> None:
        super().__init__()
        self._others = others

    def __missing__(self, key: bytes) -> Iterator[int]:
        self[key] = found = copy(self._others[key])
        return found


def _mix(state: int) -> int:
    """SplitMix64's output function: every bit of the state reaches every bit of the result."""
    state = ((state ^ (state >> 30)) * 0xBF58476D1CE4E5B9) & _MASK
    state = ((state ^ (state >> 27)) * 0x94D049BB133111EB) & _MASK
    return state ^ (state >> 31)


def shuffled(records: Sequence[T], draw: int) -> list[T]:
    """All of `records` in an order that `draw` decides, every order as likely as another (Fisher and Yates)."""
    order = list(records)
    if len(order) <= _FEW:
        draw &= _DIGIT
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
    if len(items) == count:
        return shuffled(items, draw)
    order = list(items)
    for place in range(count):
        draw, other = divmod(draw, len(order) - place)
        order[place], order[place + other] = order[place + other], order[place]
    return order[:count]
