"""The order of values: random for each question, the same again with the same seed (5.2.1, 5.13, S2)."""

from __future__ import annotations

from collections import Counter
from itertools import permutations

import pytest
from answers import ask, dig, question, send, walk

from dnsemu.app import load_text
from dnsemu.draws import Draws

AUTHORITY = load_text("""
version: 1
hosted_zones:
  - name: example.com
    name_servers: [d.example.net, b.example.net, c.example.net, a.example.net]
    record_sets:
      - {name: three, type: A, ttl: 60, records: [192.0.2.1, 192.0.2.2, 192.0.2.3]}
      - {name: three, type: TXT, ttl: 60, records: ['"1"', '"2"', '"3"']}
      - {name: twin, type: A, ttl: 60, records: [192.0.2.1, 192.0.2.2, 192.0.2.3]}
      - {name: alias, type: A, alias: {name: three}}
      - {name: "*.wild", type: A, ttl: 60, records: [192.0.2.1, 192.0.2.2, 192.0.2.3]}
      - {name: cname, type: CNAME, ttl: 60, records: three.example.com}
      - {name: one, type: A, ttl: 60, records: 192.0.2.1}
      - {name: many, type: A, ttl: 60, records: [192.0.2.1, 192.0.2.2, 192.0.2.3, 192.0.2.4, 192.0.2.5, 192.0.2.6]}
""").authority

# Each of the 6 orders of 3 values comes 1/6 of the time; the chance that an honest server fails is below 10^-6.
ROUNDS, LEAST, MOST = 600, 55, 150


@pytest.mark.parametrize(
    "words",
    ["three.example.com A", "alias.example.com A", "x.wild.example.com A", "cname.example.com A", "example.com NS"],
)
def test_every_order_comes_as_often(words: str) -> None:
    draws, packet = Draws(1), question(*words.split()).packet
    orders: Counter[tuple[bytes, ...]] = Counter()
    for _ in range(ROUNDS):
        wire, _ = send(AUTHORITY, packet, draws=draws)
        assert wire
        answer = [record for record in walk(wire) if record.section == 0]
        orders[tuple(wire[record.data : record.end] for record in answer[-3:])] += 1
    values = {value for order in orders for value in order}
    if len(values) == 3:
        assert set(orders) == set(permutations(values))
        assert all(LEAST <= count <= MOST for count in orders.values()), orders
    else:
        assert set(orders) == set(permutations(values, 3)), "apex NS in an answer section are values too"


def test_same_seed_same_orders() -> None:
    def orders(seed: int) -> list[list[str]]:
        draws = Draws(seed)
        return [ask(AUTHORITY, "many.example.com", draws=draws).values for _ in range(20)]

    assert orders(42) == orders(42)
    assert orders(42) != orders(43)


def test_other_names_do_not_disturb() -> None:
    """Counters are per zone, name and type."""
    alone, beside = Draws(7), Draws(7)
    for _ in range(20):
        for words in ("twin.example.com A", "three.example.com TXT", "x.wild.example.com A", "missing.example.com A"):
            dig(AUTHORITY, words, draws=beside)
        expected = ask(AUTHORITY, "three.example.com", draws=alone).values
        assert ask(AUTHORITY, "three.example.com", draws=beside).values == expected


def test_letter_case_and_transport_do_not_disturb() -> None:
    one, other = Draws(7), Draws(7)
    for _ in range(10):
        expected = dig(AUTHORITY, "three.example.com A", draws=one).values
        assert dig(AUTHORITY, "Three.EXAMPLE.com A +tcp +noedns +cd", draws=other).values == expected


def test_names_are_independent() -> None:
    draws = Draws(3)
    pairs = [
        [ask(AUTHORITY, f"{name}.example.com", draws=draws).values for name in ("three", "twin")] for _ in range(60)
    ]
    assert any(first != second for first, second in pairs)


def test_authority_section_is_sorted_every_time() -> None:
    draws = Draws(5)
    sections = {dig(AUTHORITY, "three.example.com A", draws=draws).authority for _ in range(30)}
    assert len(sections) == 1
    assert list(sections.pop()) == [f"example.com. 172800 IN NS {letter}.example.net." for letter in "abcd"]


def test_chain_order_is_kept() -> None:
    draws = Draws(5)
    for _ in range(30):
        assert (
            dig(AUTHORITY, "cname.example.com A", draws=draws).answer[0]
            == "cname.example.com. 60 IN CNAME three.example.com."
        )
