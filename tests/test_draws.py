"""Chance as a value: the same for the same seed and key, for ever and everywhere, and fair."""

from __future__ import annotations

import itertools
import random
from collections import Counter

import pytest

from dnsemu.draws import Draws, shuffled

# Written down once: a change of these numbers changes what a seed means for everybody.
GOLDEN = {
    b"": [13907255801051074516, 9628901264063217665, 3760051730269058081],
    b"www": [12120853895562035189, 16494015815547184614, 16931944205995021541],
    b"Z0EXAMPLE \x00\x01\x00\x01 \x03www\x07example\x03com\x00": [
        15082979798430500189,
        3135007449157645804,
        6647601716515739916,
    ],
}
ORDERS = [b"cadbe", b"badce", b"decab", b"abcde"]


def draw(seed: int, key: bytes, count: int) -> list[int]:
    draws = Draws(seed)
    return [draws.next(key) for _ in range(count)]


@pytest.mark.parametrize("key", GOLDEN)
def test_a_seed_means_the_same_for_ever(key: bytes) -> None:
    assert draw(42, key, 3) == GOLDEN[key]


def test_a_seed_decides_orders_for_ever() -> None:
    values = (b"a", b"b", b"c", b"d", b"e")
    assert [b"".join(shuffled(values, number)) for number in draw(42, b"www", 4)] == ORDERS


def test_draws_of_one_key_are_not_disturbed_by_another() -> None:
    draws, alone = Draws(42), draw(42, b"a", 50)
    mixed = []
    for _ in range(50):
        draws.next(b"b")
        mixed.append(draws.next(b"a"))
        draws.next(b"c")
    assert mixed == alone


def test_keys_and_seeds_draw_differently() -> None:
    rows = [draw(seed, key, 20) for seed in (0, 1, 42, 2**63) for key in (b"", b"a", b"b", b"ab")]
    numbers = list(itertools.chain.from_iterable(rows))
    assert len(set(numbers)) == len(numbers)


def test_a_key_may_have_any_length() -> None:
    assert draw(1, b"x" * 300, 1) != draw(1, b"x" * 301, 1)


def test_draws_are_64_bits_and_each_bit_is_a_fair_coin() -> None:
    numbers = draw(42, b"coin", 4000)
    assert all(0 <= number < 2**64 for number in numbers)
    for bit in range(64):
        ones = sum(number >> bit & 1 for number in numbers)
        assert abs(ones - 2000) < 5 * 4000**0.5 / 2  # five standard deviations


def chi_square(counts: Counter[object], cells: int) -> float:
    """How far the counts are from all being the same."""
    expected = counts.total() / cells
    return sum((count - expected) ** 2 / expected for count in counts.values()) + expected * (cells - len(counts))


# What chi-square exceeds once in 10,000 times, by degrees of freedom.
RARE = {1: 15.1, 5: 25.7, 23: 56.0, 49: 96.0}


@pytest.mark.parametrize("source", ["draws", "random"])
@pytest.mark.parametrize(("size", "cells"), [(2, 2), (3, 6), (4, 24)])
def test_every_order_is_as_likely_as_another(source: str, size: int, cells: int) -> None:
    records = tuple(bytes((number,)) for number in range(size))
    orders: Counter[object] = Counter(tuple(shuffled(records, number)) for number in numbers(source, 6000))
    assert chi_square(orders, cells) < RARE[cells - 1]


@pytest.mark.parametrize("source", ["draws", "random"])
def test_every_one_of_fifty_is_as_often_at_every_place(source: str) -> None:
    records = tuple(bytes((number,)) for number in range(50))
    orders = [shuffled(records, number) for number in numbers(source, 3000)]
    assert all(sorted(order) == list(records) for order in orders[:100])
    for place in (0, 1, 24, 48, 49):
        first: Counter[object] = Counter(order[place] for order in orders)
        assert chi_square(first, 50) < RARE[49], place


def numbers(source: str, count: int) -> list[int]:
    """From the counter of one key, and from a generator that has nothing to do with it."""
    if source == "draws":
        return draw(42, b"shuffle", count)
    rng = random.Random(42)
    return [rng.getrandbits(64) for _ in range(count)]


@pytest.mark.parametrize("records", [(), (b"a",)])
def test_nothing_and_one_have_one_order(records: tuple[bytes, ...]) -> None:
    assert shuffled(records, 2**64 - 1) == list(records)
