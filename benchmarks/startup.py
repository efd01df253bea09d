#!/usr/bin/env python3
"""Measure `dnsemu serve` from the start of its process to its first answer over UDP, and its memory then.

Each round starts it once with each set of zones. See README.md beside this file.
"""

import argparse
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

import yaml
from processes import (
    ROOT,
    ServerError,
    at_least_one,
    end_cleanly_when_told,
    free_port,
    machine,
    running,
    stay_on_load_core,
)
from servers import DNSEMU, fill
from tables import number, table, title
from world import SOA, ZONE, query, zone_yaml

SIZES = (10_000, 100_000)
LIMIT_SECONDS = 180
MEGABYTE = 1e6


@dataclass
class Subject:
    """A set of zones, the name of one of them, and what was measured: milliseconds and megabytes."""

    title: str
    zones: Path
    zone: str
    ready: list[float] = field(default_factory=list)
    resident: list[float] = field(default_factory=list)
    peak: list[float] = field(default_factory=list)
    failure: str = ""

    def measure(self, command: str, log: Path, core: int | None) -> None:
        """Start the server once, wait for its answer, read its memory, and end it."""
        port, question = free_port(), query(self.zone, SOA)
        words = fill(command, self.zones, port)
        with running(words, port, question, log, core=core, limit=LIMIT_SECONDS) as run:
            self.ready.append(run.ready * 1e3)
            self.resident.append(run.resident_bytes() / MEGABYTE)
            peak = run.peak_bytes()
            if peak is not None:
                self.peak.append(peak / MEGABYTE)

    def row(self) -> list[str]:
        """The middle ones of all rounds."""
        middle = [statistics.median(values) if values else None for values in self.figures]
        return [self.title, *(number(value) for value in middle)]

    @property
    def figures(self) -> Sequence[Sequence[float]]:
        """In the order of the table's columns."""
        return self.ready, self.resident, self.peak


def first_zone(folder: Path) -> str:
    """The name of a public hosted zone in the folder's files: any of them will do to be asked for."""
    for path in sorted(folder.rglob("*.y*ml")):
        content = yaml.safe_load(path.read_text())
        for zone in content.get("hosted_zones") or [] if isinstance(content, dict) else []:
            if "vpc" not in zone:
                return str(zone["name"]).rstrip(".")
    raise ServerError(f"no public hosted zone in {folder}")


def repository_zones() -> Subject:
    """The example zones of this repository."""
    subject = Subject("zones/ of this repository", ROOT / "zones", "")
    try:
        subject.zone = first_zone(subject.zones)
    except ServerError as error:
        subject.failure = str(error)
    return subject


def generated_zone(folder: Path, names: int) -> Subject:
    """One zone with so many names, written into the folder."""
    zones = folder / str(names)
    zones.mkdir()
    (zones / "bench.yaml").write_text(zone_yaml(names))
    return Subject(f"{names:,} names in one zone", zones, ZONE)


def measure_all(subjects: Sequence[Subject], args: argparse.Namespace, log: Path, core: int | None) -> None:
    """All rounds; a subject that fails is not tried again."""
    for round_ in range(args.rounds):
        for subject in subjects:
            if subject.failure:
                continue
            print(f"round {round_ + 1} of {args.rounds}: {subject.title}", file=sys.stderr)
            try:
                subject.measure(args.dnsemu, log, core)
            except ServerError as error:
                subject.failure = str(error)


def bare_interpreter(core: int | None) -> float:
    """Milliseconds that this Python takes to start and do nothing: the middle one of eleven times."""
    pinned = ["taskset", "-c", str(core)] if core is not None else []
    times = []
    for _ in range(11):
        began = time.perf_counter()
        subprocess.run([*pinned, sys.executable, "-c", "pass"], check=True, timeout=30)
        times.append(time.perf_counter() - began)
    return statistics.median(times) * 1e3


def report(subjects: Sequence[Subject], python_ms: float, *, markdown: bool) -> None:
    """Print the table, and who is not in it."""
    rows = [["Python, doing nothing", number(python_ms), "–", "–"]]
    rows += [subject.row() for subject in subjects if subject.ready]
    print(title("dnsemu serve, from process start to the first answer", markdown=markdown))
    print(table(["zones", "ready ms", "RSS MB", "peak MB"], rows, markdown=markdown))


def report_conditions(subjects: Sequence[Subject], rounds: int, core: int | None) -> None:
    """Print where and how the figures were taken, and what is missing."""
    where = "not pinned to cores" if core is None else f"server on core {core}"
    print(f"\n{machine()}; {where}; medians of {rounds} rounds.")
    for subject in subjects:
        if subject.failure:
            print(f"Left out: {subject.title}: {subject.failure}")


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--rounds", type=at_least_one, default=5, help="how often all is started (5)")
    parser.add_argument("--dnsemu", metavar="CMD", default=DNSEMU, help="serves {zones} on 127.0.0.1:{port}")
    parser.add_argument("--markdown", action="store_true", help="print the table as Markdown")
    return parser.parse_args()


def main() -> None:
    """Prepare, measure, print."""
    args = parse_arguments()
    end_cleanly_when_told()
    pinned = stay_on_load_core()
    core = pinned[0] if pinned else None
    with tempfile.TemporaryDirectory(prefix="dnsemu-bench-") as name:
        folder = Path(name)
        subjects = [repository_zones(), *(generated_zone(folder, names) for names in SIZES)]
        measure_all(subjects, args, folder / "said", core)
    report(subjects, bare_interpreter(core), markdown=args.markdown)
    report_conditions(subjects, args.rounds, core)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        sys.exit(130)
