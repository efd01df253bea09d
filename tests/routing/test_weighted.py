"""Weighted routing: who is in the pool, and which draws are whose (W1-W9, A9)."""

from __future__ import annotations

import pytest
from routing.members import KEY, Fixed, chooser, client

from dnsemu.routing import Choice, Chooser, Reason, Weighted

MATCHED, FAILOVER, LAST = Reason.MATCHED, Reason.FAILOVER, Reason.ALL_UNHEALTHY
TOP = (1 << 64) - 1

# Weights, healths, the shares of each in parts of their sum, why
POOLS = [
    # The table of the developer guide; without a health check is healthy
    ("1 1 0", "HHH", "1 1 0", MATCHED),
    ("1 1 0", "HHU", "1 1 0", MATCHED),
    ("1 1 0", "UHU", "0 1 0", MATCHED),
    ("1 1 0", "HUH", "1 0 0", MATCHED),
    ("1 1 0", "UUH", "0 0 1", FAILOVER),
    ("1 1 0", "UUU", "1 1 0", LAST),
    # W2, W6
    ("1 255", "HH", "1 255", MATCHED),
    ("10 20 20", "HHU", "10 20 0", MATCHED),
    ("0 0 7", "HHH", "0 0 7", MATCHED),
    # W4, A9
    ("0 0 0", "HHH", "1 1 1", MATCHED),
    ("0 0 0", "HUH", "1 0 1", MATCHED),
    ("0 0 0", "UUU", "1 1 1", LAST),
    ("0", "H", "1", MATCHED),
    ("0", "U", "1", LAST),
    # W7, W8
    ("5 1 0 0 0", "UUHUH", "0 0 1 0 1", FAILOVER),
    ("0 5 0", "HUU", "1 0 0", FAILOVER),
    ("5 1 0", "UUU", "5 1 0", LAST),
    ("255", "U", "255", LAST),
]


def group(weights: str, healthy: str) -> Chooser:
    return chooser([Weighted(int(weight)) for weight in weights.split()], healthy)


@pytest.mark.parametrize(("weights", "healthy", "shares", "reason"), POOLS)
def test_the_pool(weights: str, healthy: str, shares: str, reason: Reason) -> None:
    found, parts = group(weights, healthy), [int(part) for part in shares.split()]
    verdicts = found.judge(client())
    assert [verdict.share for verdict in verdicts] == [pytest.approx(part / sum(parts)) for part in parts]
    assert [verdict.matched for verdict in verdicts] == [part > 0 for part in parts]
    assert drawn(found, sum(parts), reason) == [number for number, part in enumerate(parts) for _ in range(part)]


def drawn(found: Chooser, parts: int, reason: Reason) -> list[int]:
    """The member that each part of the range of draws belongs to, asked at both of its ends."""
    members = []
    for part in range(parts):
        first, last = -(-(part << 64) // parts), -(-(part + 1 << 64) // parts) - 1
        choices = [found.choose(client(), Fixed(number)) for number in (first, last)]
        assert choices[0] == choices[1] == Choice(choices[0].members, reason, 0)
        members += choices[0].members
    return members


def test_one_draw_by_the_key_of_the_group() -> None:
    for weights in ("1 1", "1", "0 0"):
        draws = Fixed(TOP)
        assert group(weights, "HHH"[: len(weights.split())]).choose(client(), draws).members == (weights.count(" "),)
        assert draws.keys == [KEY]


@pytest.mark.parametrize(
    ("weights", "healthy", "words"),
    [
        ("90 10", "HH", ["weight 90 of 100", "weight 10 of 100"]),
        ("90 10", "UH", ["weight 90, not in the pool", "weight 10 of 10"]),
        ("3 0", "HH", ["weight 3 of 3", "weight 0, not in the pool"]),
    ],
)
def test_what_is_said(weights: str, healthy: str, words: list[str]) -> None:
    assert [verdict.why for verdict in group(weights, healthy).judge(client())] == words
