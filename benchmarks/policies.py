#!/usr/bin/env python3
"""What an answer by a routing policy costs dnsemu, as a ratio to a plain one of the same server and round.

Two databases of addresses are made up, and dnsemu is started anew with each. See README.md beside this file.
"""

import argparse
import random
import socket
import statistics
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path

from clients import MadeUp, public_network
from generator import Generator, Result, add_run_options, best, described, generator
from groups import Group, groups, located, policies_yaml
from processes import (
    Running,
    ServerError,
    at_least_one,
    conditions,
    end_cleanly_when_told,
    free_port,
    running,
    stay_on_load_core,
)
from servers import fill
from tables import number, table, title
from world import QUESTIONS, ZONE, client_subnet, query, questions

PLAIN = "one value (static)"
READY_QUESTION = query(f"h5.{ZONE}")
MANY = 10  # times as many questions where clients are all over the world


@dataclass
class Subject:
    """A server with a database of addresses, and the groups it is asked for."""

    title: str
    groups: Sequence[Group]
    many: int = 1
    database: MadeUp | None = None
    zones: Path = Path()
    results: dict[str, list[Result]] = field(default_factory=dict)
    failure: str = ""

    def prepare(self, folder: Path, load: Generator) -> None:
        """Write all that is the same in each round."""
        self.zones = folder / f"zones of {self.title}"
        self.zones.mkdir()
        file = folder / f"{self.title}.mmdb"
        if self.database:
            print(f"writing {self.database.entries:,} entries: {self.title}", file=sys.stderr)
            self.database.write(file)
        (self.zones / "bench.yaml").write_text(policies_yaml(str(file) if self.database else None))
        for group in self.groups:
            load.write(f"{self.title}: {group.title}", group.questions(QUESTIONS * self.many))

    @contextmanager
    def running(self, command: str, log: Path, core: int | None) -> Iterator[tuple[Running, int]]:
        """The server, and its port."""
        port = free_port()
        with running(fill(command, self.zones, port), port, READY_QUESTION, log, core=core) as run:
            yield run, port

    def measure(self, run: Running, port: int, load: Generator) -> None:
        """A plain answer, and every group, each after a second in which places can be met for the first time."""
        warm_up = replace(load, seconds=min(load.seconds, 1.0))
        for group in self.groups:
            check(port, group)
        scenarios = {PLAIN: PLAIN} | {group.title: f"{self.title}: {group.title}" for group in self.groups}
        for name, scenario in scenarios.items():
            warm_up.load(run, port, scenario)
            self.results.setdefault(name, []).append(load.load(run, port, scenario))

    def keep_best(self) -> None:
        """Forget all rounds but each one's best."""
        self.results = {name: [best(runs)] for name, runs in self.results.items()}

    def rows(self) -> Iterator[list[str]]:
        """The middle ones of all rounds."""
        plain = [result["cpu_us"] for result in self.results[PLAIN]]
        for name, results in self.results.items():
            costs = [result["cpu_us"] for result in results]
            ratios = [cost / base for cost, base in zip(costs, plain, strict=True)]
            busy, size = (statistics.median(result[key] for result in results) for key in ("busy", "size"))
            middle = number(statistics.median(costs), 2), number(statistics.median(ratios), 2)
            yield [name, *middle, number(busy), number(size)]


def check(port: int, group: Group) -> None:
    """Raises ServerError unless the group's questions get as many answers as they should."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(1)
        asking.connect(("127.0.0.1", port))
        for packet in group.questions(100):
            asking.send(packet)
            reply = asking.recv(4096)
            if reply[3] & 15 or int.from_bytes(reply[6:8], "big") != group.answers:
                raise ServerError(f"{group.title}: wrong answer {reply.hex()} to {packet.hex()}")


def subjects(entries: int, places: int) -> list[Subject]:
    """The servers that are measured."""
    small, large = MadeUp(entries, places), MadeUp(entries, places, large=True)
    prefixes = small.prefixes()

    def anybody(rng: random.Random) -> bytes:
        return client_subnet(public_network(rng))

    def in_database(rng: random.Random) -> bytes:
        return client_subnet(rng.choice(prefixes).to_bytes(3, "big"))

    return [
        Subject("clients of the atlas", groups()),
        Subject("any public address, the database that dnsemu brings", located(anybody), MANY),
        Subject(f"a database with {entries:,} entries", located(in_database), MANY, small),
        Subject(f"{entries:,} entries, each as long as GeoLite2 City's", located(in_database), MANY, large),
    ]


def measure_all(measured: Sequence[Subject], args: argparse.Namespace, load: Generator, core: int | None) -> None:
    """All rounds; each begins with another server. What fails is not tried again."""
    for round_ in range(args.rounds):
        turn = round_ % len(measured)
        for subject in [*measured[turn:], *measured[:turn]]:
            if subject.failure:
                continue
            print(f"round {round_ + 1} of {args.rounds}: {subject.title}", file=sys.stderr)
            try:
                with subject.running(args.dnsemu, load.folder / "said", core) as (run, port):
                    subject.measure(run, port, load)
            except ServerError as error:
                subject.failure = str(error)


def report(measured: Sequence[Subject], *, markdown: bool) -> None:
    """Print the tables."""
    head = ["what is asked for", "CPU µs/query", "× plain", "core %", "bytes/answer"]
    for subject in measured:
        if not subject.failure:
            print(title(subject.title, markdown=markdown))
            print(table(head, list(subject.rows()), markdown=markdown))


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add = parser.add_argument
    add("--entries", type=at_least_one, default=1_000_000, help="of the databases that are made up (1000000)")
    add("--places", type=at_least_one, default=5_000, help="that these entries are spread over (5000)")
    add_run_options(parser)
    return parser.parse_args()


def main() -> None:
    """Prepare, measure, print."""
    args = parse_arguments()
    end_cleanly_when_told()
    pinned = stay_on_load_core()
    measured = subjects(args.entries, args.places)
    with tempfile.TemporaryDirectory(prefix="dnsemu-bench-") as name:
        folder = Path(name)
        load = generator(folder, args.seconds)
        load.write(PLAIN, questions("static"))
        for subject in measured:
            subject.prepare(folder, load)
        measure_all(measured, args, load, pinned[0] if pinned else None)
    for subject in measured if args.best else ():
        subject.keep_best()
    report(measured, markdown=args.markdown)
    print(f"\n{conditions(pinned)}; {args.places:,} places; {described(args)}.")
    for subject in measured:
        if subject.failure:
            print(f"Left out: {subject.title}: {subject.failure}")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        sys.exit(130)
