"""Multivalue answer routing: up to eight of the healthy members (M1, M3, M4)."""

from __future__ import annotations

from itertools import permutations

import pytest
from routing.members import KEY, Fixed, chooser, client

from dnsemu.draws import Draws
from dnsemu.routing import Multivalue, Reason

ROWS = [  # healths, the members that may be taken, of which an answer has, why
    ("H", "a", 1, Reason.MATCHED),
    ("U", "a", 1, Reason.ALL_UNHEALTHY),
    ("HUH", "ac", 2, Reason.MATCHED),
    ("UUU", "abc", 3, Reason.ALL_UNHEALTHY),
    ("HHHHHHHH", "abcdefgh", 8, Reason.MATCHED),
    ("HHHHHHHHH", "abcdefghi", 8, Reason.MATCHED),
    ("UHHHHHHHHH", "bcdefghij", 8, Reason.MATCHED),
    ("UUUUUUUUUU", "abcdefghij", 8, Reason.ALL_UNHEALTHY),
    ("UUUUUUUUUH", "j", 1, Reason.MATCHED),
]


@pytest.mark.parametrize(("healthy", "pool", "count", "reason"), ROWS)
def test_rows(healthy: str, pool: str, count: int, reason: Reason) -> None:
    found, draws = chooser([Multivalue()] * len(healthy), healthy), Draws(1)
    members = [ord(letter) - ord("a") for letter in pool]
    choices = [found.choose(client(), draws) for _ in range(100)]
    assert {(len(set(choice.members)), choice.reason, choice.scope) for choice in choices} == {(count, reason, 0)}
    assert {member for choice in choices for member in choice.members} == set(members)
    verdicts = found.judge(client())
    share = count / len(members)
    assert [verdict.share for verdict in verdicts] == [
        pytest.approx(share if number in members else 0) for number in range(len(healthy))
    ]
    assert [verdict.matched for verdict in verdicts] == [number in members for number in range(len(healthy))]


def test_any_order() -> None:
    found, draws = chooser([Multivalue()] * 3, "HHH"), Draws(1)
    assert {found.choose(client(), draws).members for _ in range(100)} == set(permutations(range(3)))


def test_one_draw_by_the_key_of_the_group() -> None:
    draws = Fixed(7)
    chooser([Multivalue()] * 9, "H" * 9).choose(client(), draws)
    assert draws.keys == [KEY]


@pytest.mark.parametrize(
    ("healthy", "words"),
    [
        ("HU", ["in every answer", "not in the pool"]),
        ("H" * 9 + "U", ["one of 9, of which an answer has 8"] * 9 + ["not in the pool"]),
    ],
)
def test_what_is_said(healthy: str, words: list[str]) -> None:
    assert [one.why for one in chooser([Multivalue()] * len(healthy), healthy).judge(client())] == words
