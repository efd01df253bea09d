#!/usr/bin/env python3
"""Time dnsemu's `respond` alone: no socket, one process, CPU nanoseconds for each call.

Every round also times a yardstick, a fixed function in plain Python. The ratio to it can be compared between
machines, and between Python versions with care; the nanoseconds can not. See README.md beside this file.
"""

import argparse
import gc
import random
import statistics
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field

from processes import at_least_one, machine
from tables import number, table, title
from world import NAMES, QUESTIONS, ZONE, query, questions, zone_yaml

from dnsemu.app import load_text
from dnsemu.authority import Authority, respond
from dnsemu.draws import Draws
from dnsemu.wire import UDP

EXTRA = """\
      - {name: four, type: A, ttl: 300, records: [10.1.0.1, 10.1.0.2, 10.1.0.3, 10.1.0.4]}
      - {name: alpha, type: CNAME, ttl: 300, records: [beta.example.test.]}
      - {name: beta, type: CNAME, ttl: 300, records: [gamma.example.test.]}
      - {name: gamma, type: A, ttl: 300, records: [10.1.0.5]}
      - {name: cut, type: NS, ttl: 300, records: [ns1.cut.example.test., ns2.cut.example.test.]}
      - {name: ns1.cut, type: A, ttl: 300, records: [10.1.0.6]}
      - {name: ns2.cut, type: A, ttl: 300, records: [10.1.0.7]}
      - {name: "*.wild", type: A, ttl: 300, records: [10.1.0.8]}
"""

Kind = tuple[int, int, bool]


@dataclass
class Scenario:
    """Queries, and what the answers to them must be: RCODE, number of answers, authoritative or not."""

    name: str
    packets: Sequence[bytes]
    expected: frozenset[Kind]
    ns: list[float] = field(default_factory=list)
    ratios: list[float] = field(default_factory=list)

    def row(self) -> list[str]:
        """The middle ones of all rounds."""
        return [
            self.name,
            number(statistics.median(self.ns)),
            number(statistics.median(self.ratios), 2),
        ]


def below(parent: str) -> Iterator[bytes]:
    """Queries for random names below a name of the zone."""
    rng = random.Random(parent)
    return (query(f"{rng.randbytes(6).hex()}.{parent}.{ZONE}") for _ in range(QUESTIONS))


def same(name: str) -> list[bytes]:
    """Equal queries for one name of the zone, each in memory of its own as all others are."""
    return [query(f"{name}.{ZONE}") for _ in range(QUESTIONS)]


def scenarios() -> list[Scenario]:
    """What is timed: the questions of load.py, and one scenario for each other kind of answer."""
    found, nodata, nxdomain = (0, 1, True), (0, 0, True), (3, 0, True)
    return [
        Scenario("static", list(questions("static")), frozenset({found})),
        Scenario("real", list(questions("real")), frozenset({found, nodata, nxdomain})),
        Scenario("nxdomain", list(questions("nxdomain")), frozenset({nxdomain})),
        Scenario("four values", same("four"), frozenset({(0, 4, True)})),
        Scenario("chain of two CNAMEs", same("alpha"), frozenset({(0, 3, True)})),
        Scenario("referral", list(below("cut")), frozenset({(0, 0, False)})),
        Scenario("wildcard", list(below("wild")), frozenset({found})),
    ]


def check(scenario: Scenario, authority: Authority) -> None:
    """End the program if an answer is not what the scenario is there to time."""
    draws = Draws(1)
    for packet in scenario.packets[:1000]:
        wire = getattr(respond(authority, packet, b"\x7f\0\0\1", UDP, draws), "wire", None)
        if wire is None:
            sys.exit(f"{scenario.name}: no answer to {packet.hex()}")
        kind = (wire[3] & 15, int.from_bytes(wire[6:8], "big"), bool(wire[2] & 4))
        if kind not in scenario.expected:
            sys.exit(f"{scenario.name}: {kind} is none of {sorted(scenario.expected)}: {wire.hex()}")


def time_respond(authority: Authority, packets: Sequence[bytes]) -> float:
    """CPU nanoseconds for each call of `respond`."""
    draws = Draws(1)
    began = time.process_time_ns()
    for packet in packets:
        respond(authority, packet, b"\x7f\0\0\1", UDP, draws)
    return (time.process_time_ns() - began) / len(packets)


def yardstick(table_: dict[bytes, bytes], packet: bytes, seen: dict[bytes, int]) -> bytes:
    """What a server in Python does at least: find, look up, count, join.

    Never change it: what was measured before would mean nothing any more.
    """
    end = packet.find(0, 12)
    name = packet[12 : end + 1].lower()
    body = table_.get(name)
    if body is None:
        return b""
    seen[body] = seen.get(body, 0) + 1
    return b"".join((packet[:2], b"\x84\0\0\1\0\1\0\0\0\0", packet[12 : end + 5], body))


def yardstick_timer(packets: Sequence[bytes]) -> Callable[[], float]:
    """A function that times the yardstick: CPU nanoseconds for each call, over the names of the zone."""
    names = (query(f"h{number_}.{ZONE}")[12:-4] for number_ in range(NAMES))
    table_ = {name: index.to_bytes(16, "big") for index, name in enumerate(names)}

    def timer() -> float:
        seen: dict[bytes, int] = {}
        began = time.process_time_ns()
        for packet in packets:
            yardstick(table_, packet, seen)
        return (time.process_time_ns() - began) / len(packets)

    return timer


def measure(subjects: Sequence[Scenario], authority: Authority, rounds: int) -> float:
    """Time everything in each round; returns the nanoseconds of the yardstick."""
    timer = yardstick_timer(list(questions("static")))
    timer()
    yardsticks = []
    for _ in range(rounds):
        yardsticks.append(timer())
        for subject in subjects:
            subject.ns.append(time_respond(authority, subject.packets))
            subject.ratios.append(subject.ns[-1] / yardsticks[-1])
    return statistics.median(yardsticks)


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=at_least_one, default=9, help="how often all is timed (9)")
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    return parser.parse_args()


def main() -> None:
    """Load, check, time, print."""
    args = parse_arguments()
    authority = load_text(zone_yaml(extra=EXTRA)).authority
    subjects = scenarios()
    for subject in subjects:
        check(subject, authority)
    gc.collect()
    gc.freeze()
    yardstick_ns = measure(subjects, authority, args.rounds)
    print(title("respond, without sockets", markdown=args.markdown))
    head = ["scenario", "ns/call", "× yardstick"]
    print(table(head, [subject.row() for subject in subjects], markdown=args.markdown))
    print(f"\nyardstick: {yardstick_ns:,.0f} ns/call. {machine()}; medians of {args.rounds} rounds.")


if __name__ == "__main__":
    main()
