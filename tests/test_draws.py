"""Chance as a value: the same for the same seed and key, for ever and everywhere, and fair."""

from __future__ import annotations

import itertools
import random
from collections import Counter

import pytest

from dnsemu.draws import Draws, sampled, shuffled

# Written down once: a change of these numbers changes what a seed means for everybody. One hash is eight draws, so
# the first three and the ninth of each key.
GOLDEN = {
    b"": [4632720827315685538, 5499543189531733494, 4603063557137410927, 13962277867153457107],
    b"www": [8379600756899740210, 5969975651092874694, 7569186206426037518, 2274625838345084392],
    b"Z0EXAMPLE \x00\x01\x00\x01 \x03www\x07example\x03com\x00": [
        11875806382746236456,
        17862601369314752232,
        13081995168867225461,
        10652993342659243439,
    ],
}
ORDERS = [b"cdaeb", b"ebdac", b"cbaed", b"acdbe"]
SAMPLES = [b"adc", b"eda", b"dea", b"dab"]


def draw(seed: int, key: bytes, count: int) -> list[int]:
    draws = Draws(seed)
    return [draws.next(key) for _ in range(count)]


@pytest.mark.parametrize("key", GOLDEN)
def test_a_seed_means_the_same_for_ever(key: bytes) -> None:
    numbers = draw(42, key, 9)
    assert [*numbers[:3], numbers[8]] == GOLDEN[key]


def test_a_seed_decides_orders_for_ever() -> None:
    values = (b"a", b"b", b"c", b"d", b"e")
    assert [b"".join(shuffled(values, number)) for number in draw(42, b"www", 4)] == ORDERS
    assert [b"".join(sampled(values, 3, number)) for number in draw(42, b"www", 4)] == SAMPLES


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
RARE = {1: 15.1, 4: 23.5, 5: 25.7, 11: 37.4, 19: 50.8, 23: 56.0, 49: 96.0, 99: 160.1, 119: 185.3}


@pytest.mark.parametrize("source", ["draws", "random"])
@pytest.mark.parametrize(("size", "cells"), [(2, 2), (3, 6), (4, 24), (5, 120)])
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


# Some of many


@pytest.mark.parametrize("source", ["draws", "random"])
@pytest.mark.parametrize(("size", "count", "cells"), [(5, 1, 5), (4, 2, 12), (5, 2, 20), (4, 3, 24), (4, 4, 24)])
def test_every_choice_and_order_is_as_likely_as_another(source: str, size: int, count: int, cells: int) -> None:
    samples = [tuple(sampled(range(size), count, number)) for number in numbers(source, 6000)]
    assert all(len(set(sample)) == count for sample in samples)
    assert chi_square(Counter(samples), cells) < RARE[cells - 1]


@pytest.mark.parametrize("source", ["draws", "random"])
def test_eight_of_a_hundred(source: str) -> None:
    samples = [sampled(range(100), 8, number) for number in numbers(source, 3000)]
    assert all(len(set(sample)) == 8 and set(sample) <= set(range(100)) for sample in samples)
    for place in (0, 1, 7):
        at_place: Counter[object] = Counter(sample[place] for sample in samples)
        assert chi_square(at_place, 100) < RARE[99], place
    neighbours: Counter[object] = Counter((sample[7] - sample[0]) % 100 for sample in samples)
    assert neighbours[0] == 0
    assert chi_square(neighbours, 99) < RARE[99], "the last says nothing about the first"
    assert len({frozenset(sample) for sample in samples}) == 3000, "of 186,087,894,300 choices"


@pytest.mark.parametrize("draw", [0, 1, 2**63, 2**64 - 1])
def test_none_one_and_all_of_some(draw: int) -> None:
    items = (b"a", b"b", b"c")
    assert sampled(items, 0, draw) == []
    assert sampled((b"a",), 1, draw) == [b"a"]
    assert sorted(sampled(items, 3, draw)) == list(items)
    assert items == (b"a", b"b", b"c"), "what is chosen from stays as it is"


# Looking ahead


def advanced(seed: int, key: bytes, count: int) -> Draws:
    draws = Draws(seed)
    for _ in range(count):
        draws.next(key)
    return draws


@pytest.mark.parametrize("begun", [0, 1, 3, 7, 8, 9, 15, 16, 17])
def test_looking_ahead_sees_what_comes_next_and_changes_nothing(begun: int) -> None:
    """A hash is eight draws: wherever in it one looks, and however far."""
    draws = advanced(42, b"a", begun)
    expected = draw(42, b"a", begun + 20)[begun:]
    assert [ahead.next(b"a") for ahead in [draws.ahead()] for _ in range(20)] == expected
    assert [ahead.next(b"a") for ahead in [draws.ahead()] for _ in range(20)] == expected, "a second time"
    assert [draws.next(b"a") for _ in range(20)] == expected, "and the draws themselves"


def test_looking_ahead_at_a_key_that_was_never_drawn() -> None:
    draws = advanced(42, b"a", 5)
    ahead = draws.ahead()
    assert [ahead.next(b"new") for _ in range(10)] == draw(42, b"new", 10)
    assert [draws.next(b"new") for _ in range(10)] == draw(42, b"new", 10)


def test_looking_ahead_of_looking_ahead() -> None:
    draws = advanced(42, b"a", 6)
    ahead = draws.ahead()
    expected = draw(42, b"a", 40)[6:]
    first = [ahead.next(b"a") for _ in range(4)]
    assert [further.next(b"a") for further in [ahead.ahead()] for _ in range(10)] == expected[4:14]
    assert [*first, *(ahead.next(b"a") for _ in range(10))] == expected[:14]
    assert draws.next(b"a") == expected[0]
