#!/usr/bin/env python3
"""What a query costs dnsemu with few and many names and zones, as a ratio to the fewest of the same round.

Questions are drawn from all names. See README.md beside this file.
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from generator import Generator, Result, add_run_options, best, described, generator
from processes import (
    ServerError,
    conditions,
    end_cleanly_when_told,
    free_port,
    running,
    stay_on_load_core,
)
from servers import fill
from tables import number, table, title
from world import QUESTIONS, Size, query, questions

BY_NAMES = (Size(10), Size(1_000), Size(100_000))
BY_ZONES = (Size(10_000, 1), Size(10_000, 50), Size(10_000, 500))
SCENARIOS = ("static", "real")
MANY = 10  # times as many questions as load.py has, so that most of 100,000 names are asked for
LIMIT_SECONDS = 180


@dataclass
class Subject:
    """A number of names and zones, and what was measured, by scenario."""

    size: Size
    zones: Path = Path()
    results: dict[str, list[Result]] = field(default_factory=lambda: {scenario: [] for scenario in SCENARIOS})

    @property
    def title(self) -> str:
        """In words."""
        return f"{self.size.names:,} names in {self.size.zones:,} zone{'s' * (self.size.zones > 1)}"

    def prepare(self, folder: Path, load: Generator) -> None:
        """Write what is the same in each round."""
        self.zones = folder / self.title
        self.zones.mkdir()
        (self.zones / "bench.yaml").write_text(self.size.yaml())
        for scenario in SCENARIOS:
            load.write(f"{scenario}, {self.title}", questions(scenario, self.size, QUESTIONS * MANY))

    def measure(self, command: str, load: Generator, core: int | None) -> None:
        """Start the server, put every scenario to it, and end it."""
        port, question = free_port(), query(f"h5.{self.size.zone(5)}")
        words, log = fill(command, self.zones, port), load.folder / "said"
        with running(words, port, question, log, core=core, limit=LIMIT_SECONDS) as run:
            for scenario in SCENARIOS:
                self.results[scenario].append(load.load(run, port, f"{scenario}, {self.title}"))

    def keep_best(self) -> None:
        """Forget all rounds but each one's best."""
        self.results = {scenario: [best(runs)] for scenario, runs in self.results.items()}

    def row(self, smallest: "Subject") -> list[str]:
        """The middle ones of all rounds."""
        cells = [self.title]
        for scenario in SCENARIOS:
            costs, bases = ([run["cpu_us"] for run in one.results[scenario]] for one in (self, smallest))
            ratio = statistics.median(cost / base for cost, base in zip(costs, bases, strict=True))
            cells += [number(statistics.median(costs), 2), number(ratio, 2)]
        return cells


def measure_all(subjects: Sequence[Subject], args: argparse.Namespace, load: Generator, core: int | None) -> None:
    """All rounds; each begins with another size."""
    for round_ in range(args.rounds):
        turn = round_ % len(subjects)
        for subject in [*subjects[turn:], *subjects[:turn]]:
            print(f"round {round_ + 1} of {args.rounds}: {subject.title}", file=sys.stderr)
            subject.measure(args.dnsemu, load, core)


def report(heading: str, subjects: Sequence[Subject], *, markdown: bool) -> None:
    """Print a table, whose ratios are to its first row."""
    costs = [cell for scenario in SCENARIOS for cell in (f"{scenario}: CPU µs/query", "× smallest")]
    print(title(heading, markdown=markdown))
    print(table(["size", *costs], [subject.row(subjects[0]) for subject in subjects], markdown=markdown))


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add_run_options(parser)
    return parser.parse_args()


def main() -> None:
    """Prepare, measure, print."""
    args = parse_arguments()
    end_cleanly_when_told()
    pinned = stay_on_load_core()
    names, zones = [Subject(size) for size in BY_NAMES], [Subject(size) for size in BY_ZONES]
    with tempfile.TemporaryDirectory(prefix="dnsemu-bench-") as name:
        folder = Path(name)
        load = generator(folder, args.seconds)
        for subject in (*names, *zones):
            subject.prepare(folder, load)
        try:
            measure_all([*names, *zones], args, load, pinned[0] if pinned else None)
        except ServerError as error:
            sys.exit(str(error))
    for subject in (*names, *zones) if args.best else ():
        subject.keep_best()
    report("more names in one zone", names, markdown=args.markdown)
    report("as many names in more zones", zones, markdown=args.markdown)
    print(f"\n{conditions(pinned)}; {described(args)}.")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        sys.exit(130)
