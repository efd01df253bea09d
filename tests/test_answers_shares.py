"""How often each answer comes (1.2, 1.8, section 2), by chi-square on a seeded source.

Which answers come at all is in `cases/`. The source is seeded, so a row fails always or never; of right servers one
in 10,000 would fail a row.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Hashable, Mapping, Sequence
from itertools import product
from math import comb

import pytest
from answers import question, send, walk

from dnsemu.app import load_text
from dnsemu.draws import Draws

ASKS = 4000
# Chi-square that one in 10,000 exceeds, by degrees of freedom
CRITICAL = {
    1: 15.14,
    2: 18.42,
    3: 21.11,
    5: 25.74,
    7: 29.88,
    8: 31.83,
    15: 44.26,
    19: 50.80,
    99: 160.06,
}


def _weighted(name: str, *members: tuple[int, str], first: int = 1) -> str:
    """A group whose members are (weight, health check or alias) and have the addresses 192.0.2.`first` …"""
    lines = [f"      - name: {name}\n        type: A\n        members:\n"]
    for number, (weight, rest) in enumerate(members, first):
        values = "" if "alias" in rest else f", ttl: 60, records: 192.0.2.{number}"
        policy = f"weighted_routing_policy: {{weight: {weight}}}"
        lines.append(f"          - {{set_identifier: m{number}, {policy}{rest}{values}}}\n")
    return "".join(lines)


def _multivalue(name: str, count: int, check: str = "") -> str:
    lines = [f"      - name: {name}\n        type: A\n        ttl: 60\n        members:\n"]
    for number in range(1, count + 1):
        policy = f"multivalue_answer_routing_policy: true{check}, records: 192.0.2.{number}"
        lines.append(f"          - {{set_identifier: m{number}, {policy}}}\n")
    return "".join(lines)


def _alias(name: str, health: str = "true") -> str:
    return f", alias: {{name: {name}, evaluate_target_health: {health}}}"


UP, DOWN = ", health_check_id: up", ", health_check_id: down"

ZONE = f"""
version: 1
hosted_zones:
  - name: example.com
    name_servers: [ns1.example.net]
    record_sets:
{_weighted("w2", (1, ""), (255, ""))}
{_weighted("unequal", (1, ""), (2, ""), (3, ""))}
{_weighted("hundred", *[(255, "")] * 100)}
{_weighted("w3", (0, ""), (1, ""), (3, ""), (0, ""))}
{_weighted("w4", (0, ""), (0, ""), (0, ""))}
{_weighted("w6", (10, UP), (20, UP), (20, DOWN))}
{_weighted("w7", (200, DOWN), (1, DOWN), (0, UP), (0, DOWN), (0, ""))}
{_weighted("w8", (1, DOWN), (3, DOWN), (0, DOWN))}
{_weighted("a9-some", (0, UP), (0, DOWN), (0, ""), (0, UP))}
{_weighted("a9-all", (0, DOWN), (0, DOWN), (0, DOWN))}
{_weighted("a", (1, ""), (2, ""), first=1)}
{_weighted("b", (1, UP), (4, UP), (9, DOWN), first=11)}
{_weighted("c", (0, ""), (0, ""), first=21)}
{_weighted("d", (1, DOWN), (3, DOWN), first=31)}
{_weighted("tree", (1, _alias("a")), (3, _alias("b")))}
{_weighted("tree-sick", (1, _alias("a")), (3, _alias("b")), (90, _alias("d")))}
{_weighted("tree-kept", (1, _alias("a")), (3, _alias("d", "false")))}
{_weighted("tree-zeros", (0, _alias("a")), (0, _alias("c")))}
{_weighted("even-a", (1, ""), (1, ""), first=1)}
{_weighted("even-b", (1, ""), (1, ""), first=3)}
{_weighted("even-c", (1, ""), (1, ""), first=5)}
{_weighted("even-d", (1, ""), (1, ""), first=7)}
{_weighted("even-2a", (1, _alias("even-a")), (1, _alias("even-b")))}
{_weighted("even-2b", (1, _alias("even-c")), (1, _alias("even-d")))}
{_weighted("even-3", (1, _alias("even-2a")), (1, _alias("even-2b")))}
      - name: pairs
        type: A
        ttl: 60
        members:
          - {{set_identifier: a, weighted_routing_policy: {{weight: 1}}, records: [192.0.2.1, 192.0.2.2]}}
          - {{set_identifier: b, weighted_routing_policy: {{weight: 1}}, records: [192.0.2.3, 192.0.2.4]}}
      - name: cname
        type: CNAME
        ttl: 60
        members:
          - {{set_identifier: a, weighted_routing_policy: {{weight: 1}}, records: even-a.example.com}}
          - {{set_identifier: b, weighted_routing_policy: {{weight: 1}}, records: even-b.example.com}}
      - name: latency
        type: A
        members:
          - {{set_identifier: a, latency_routing_policy: {{region: us-east-1}}{_alias("d")}}}
{_weighted("*.wild", (1, ""), (3, ""))}
{_multivalue("three", 3)}
{_multivalue("nine", 9)}
{_multivalue("nine-sick", 9, DOWN)}
{_multivalue("twenty", 20)}
{_weighted("to-nine", (1, _alias("nine")))}
health_checks:
  - {{id: up, type: TCP, ip_address: 192.0.2.250, port: 80}}
  - {{id: down, type: TCP, ip_address: 192.0.2.251, port: 80, dnsemu: {{initial_status: unhealthy}}}}
""".replace("name: *.wild", 'name: "*.wild"')

AUTHORITY = load_text(ZONE).authority


def _answers(*names: str, asks: int = ASKS) -> list[list[int]]:
    """The last octets of the addresses of each answer, in their order; the names are asked in turn."""
    draws = Draws(1)
    packets = [question(f"{name}.example.com", "A", "+noedns", "+tcp") for name in names]
    answers = []
    for number in range(asks):
        asked = packets[number % len(names)]
        wire, _ = send(AUTHORITY, asked.packet, asked.transport, draws)
        assert wire
        answers.append([wire[record.end - 1] for record in walk(wire) if record.section == 0 and record.rdtype == 1])
    return answers


def _chi_square(seen: Counter[Hashable], shares: Mapping[Hashable, float]) -> float:
    """Pearson's statistic; nothing may be seen that has no share."""
    assert seen.keys() <= shares.keys(), seen
    asks = seen.total()
    return sum((seen[value] - asks * share) ** 2 / (asks * share) for value, share in shares.items())


def _fit(seen: Counter[Hashable], shares: Mapping[Hashable, float]) -> bool:
    assert sum(shares.values()) == pytest.approx(1)
    return _chi_square(seen, shares) < CRITICAL[len(shares) - 1]


SHARES: list[tuple[str, str, dict[int, float]]] = [
    ("W2", "w2", {1: 1 / 256, 2: 255 / 256}),
    ("W2", "unequal", {1: 1 / 6, 2: 2 / 6, 3: 3 / 6}),
    ("W2", "x.wild", {1: 1 / 4, 2: 3 / 4}),
    ("C7", "hundred", dict.fromkeys(range(1, 101), 1 / 100)),
    ("W3", "w3", {2: 1 / 4, 3: 3 / 4}),
    ("W4", "w4", {1: 1 / 3, 2: 1 / 3, 3: 1 / 3}),
    ("W6", "w6", {1: 10 / 30, 2: 20 / 30}),
    ("W7", "w7", {3: 1 / 2, 5: 1 / 2}),
    ("W8", "w8", {1: 1 / 4, 2: 3 / 4}),
    ("A9", "a9-some", {1: 1 / 3, 3: 1 / 3, 4: 1 / 3}),
    ("A9", "a9-all", {1: 1 / 3, 2: 1 / 3, 3: 1 / 3}),
    ("1.2 trees", "tree", {1: 1 / 12, 2: 2 / 12, 11: 3 / 20, 12: 12 / 20}),
    ("H11", "tree-sick", {1: 1 / 12, 2: 2 / 12, 11: 3 / 20, 12: 12 / 20}),
    ("H7", "tree-kept", {1: 1 / 12, 2: 2 / 12, 31: 3 / 16, 32: 9 / 16}),
    ("A10", "tree-zeros", {1: 1 / 6, 2: 2 / 6, 21: 1 / 4, 22: 1 / 4}),
    ("1.2 trees", "even-3", dict.fromkeys(range(1, 9), 1 / 8)),
    ("2.4 scenario 5", "latency", {31: 1 / 4, 32: 3 / 4}),
    ("5.5", "cname", dict.fromkeys(range(1, 5), 1 / 4)),
]


@pytest.mark.parametrize(("rule", "name", "shares"), SHARES)
def test_shares(rule: str, name: str, shares: dict[Hashable, float]) -> None:
    answers = _answers(name)
    assert all(len(answer) == 1 for answer in answers)
    assert _fit(Counter(answer[0] for answer in answers), shares)


@pytest.mark.parametrize(("name", "members"), [("nine", 9), ("nine-sick", 9), ("to-nine", 9), ("twenty", 20)])
def test_multivalue_members(name: str, members: int) -> None:
    """Eight members, each as often as another, in many combinations (M1, M2, M4)."""
    answers = _answers(name)
    assert all(len(answer) == len(set(answer)) == 8 for answer in answers)
    seen = Counter(value for answer in answers for value in answer)
    # Drawn without putting back, the counts vary less than those of single draws: Pearson's statistic times this
    scale = (members - 1) / members / (1 - 8 / members)
    expected = ASKS * 8 / members
    statistic = scale * sum((seen[value] - expected) ** 2 / expected for value in range(1, members + 1))
    assert statistic < CRITICAL[members - 1]
    first = Counter(answer[0] for answer in answers)
    assert _chi_square(first, dict.fromkeys(range(1, members + 1), 1 / members)) < CRITICAL[members - 1]
    combinations = {frozenset(answer) for answer in answers}
    assert len(combinations) == 9 if members == 9 else len(combinations) > 0.9 * min(ASKS, comb(members, 8))


def test_multivalue_orders() -> None:
    """The order is random for each question (5.13)."""
    seen = Counter(tuple(answer) for answer in _answers("three"))
    assert len(seen) == 6
    assert _fit(seen, dict.fromkeys(seen, 1 / 6))


def test_values_of_the_chosen_member_are_in_any_order() -> None:
    seen = Counter(tuple(answer) for answer in _answers("pairs"))
    assert _fit(seen, dict.fromkeys([(1, 2), (2, 1), (3, 4), (4, 3)], 1 / 4))


def _pairs(answers: Sequence[list[int]], distance: int) -> Counter[Hashable]:
    """Pairs of answers that are `distance` apart; no answer is in two of them."""
    starts = [start for start in range(len(answers) - distance) if start // distance % 2 == 0]
    return Counter((answers[start][0], answers[start + distance][0]) for start in starts)


@pytest.mark.parametrize("distance", [1, 2, 3, 5])
@pytest.mark.parametrize(
    ("name", "shares"),
    [
        ("w4", {1: 1 / 3, 2: 1 / 3, 3: 1 / 3}),
        ("unequal", {1: 1 / 6, 2: 2 / 6, 3: 3 / 6}),
        ("cname", dict.fromkeys(range(1, 5), 1 / 4)),
    ],
)
def test_consecutive_answers_are_independent(name: str, shares: dict[int, float], distance: int) -> None:
    """W5."""
    expected = {(one, other): shares[one] * shares[other] for one, other in product(shares, repeat=2)}
    assert _fit(_pairs(_answers(name), distance), expected)


def test_names_are_independent() -> None:
    """W5: the answers for one name say nothing about those for another that is asked in turn."""
    answers = _answers("even-a", "even-b")
    seen = Counter((answers[start][0], answers[start + 1][0]) for start in range(0, ASKS, 2))
    assert _fit(seen, {(one, other): 1 / 4 for one in (1, 2) for other in (3, 4)})


@pytest.mark.parametrize("name", ["unequal", "nine", "even-a"])
def test_other_names_do_not_disturb(name: str) -> None:
    """Draws are counted by zone, name and type: the same answers come whatever else is asked in between."""
    alone = _answers(name, asks=100)
    assert _answers(name, "w4", "twenty", "even-b", asks=400)[::4] == alone


@pytest.mark.parametrize("distance", [1, 2])
def test_consecutive_answers_of_a_tree_are_independent(distance: int) -> None:
    """Neither the branch nor the member of an answer says anything about those of the next."""
    seen = _pairs(_answers("even-2a"), distance)
    assert _fit(seen, dict.fromkeys(product(range(1, 5), repeat=2), 1 / 16))


def test_the_statistic_tells_wrong_shares() -> None:
    fair: dict[Hashable, float] = {1: 1 / 2, 2: 1 / 2}
    assert _fit(Counter({1: 2050, 2: 1950}), fair)
    assert not _fit(Counter({1: 2130, 2: 1870}), fair)
    assert not _fit(Counter({1: 2000, 2: 2000}), {1: 10 / 30, 2: 20 / 30})
