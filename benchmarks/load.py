#!/usr/bin/env python3
"""Compare DNS servers on the loopback interface, the server on one core and the load on another.

Each round runs every server once for each scenario, so that what disturbs the machine disturbs all alike.
The figure to compare is the CPU time of the server's processes (user and system) for each answered query, as
a ratio to another server of the same round. See README.md beside this file.
"""

import argparse
import statistics
import sys
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

from generator import Generator, Result, add_run_options, answers, best, described, generator
from processes import (
    Running,
    ServerError,
    conditions,
    end_cleanly_when_told,
    free_port,
    running,
    stay_on_load_core,
)
from routed import prepare_routed
from servers import NAMED, PEERS, Prepare, Server, find, search_sbin_too
from tables import number, table, title
from world import ROUTED, SCENARIOS, ZONE, query, questions

REST = {
    "busy": "core %",
    "qps": "queries/s",
    "p50_us": "p50 µs",
    "p99_us": "p99 µs",
    "lost": "lost",
    "size": "bytes/answer",
}
READY_QUESTION = b"\x12\x34" + query(f"h5.{ZONE}")[2:]
PLAIN = "static"
BESIDE = "static, beside names with a policy"

Cores = tuple[int, int]


@dataclass
class Figures:
    """What was measured, by round: a server that was not there in a round has nothing under its number."""

    loads: dict[tuple[str, str], dict[int, Result]] = field(default_factory=dict)
    ready: dict[str, list[float]] = field(default_factory=dict)
    resident: dict[str, list[float]] = field(default_factory=dict)
    left_out: dict[str, str] = field(default_factory=dict)

    def add_load(self, scenario: str, name: str, round_: int, result: Result) -> None:
        """Keep the result of one run of the load generator."""
        self.loads.setdefault((scenario, name), {})[round_] = result

    def keep_best(self) -> None:
        """Forget all rounds but each one's best."""
        self.loads = {key: {0: best(rounds.values())} for key, rounds in self.loads.items()}

    def median(self, scenario: str, name: str, figure: str) -> float | None:
        """The middle one of a figure's rounds."""
        rounds = self.loads.get((scenario, name), {})
        return statistics.median(result[figure] for result in rounds.values()) if rounds else None

    def ratio(self, scenario: str, name: str, against: tuple[str, str]) -> float | None:
        """The middle one of the ratios of CPU time in the rounds that also have the scenario and server `against`."""
        ours, theirs = self.loads.get((scenario, name), {}), self.loads.get(against, {})
        both = [(ours[at]["cpu_us"], theirs[at]["cpu_us"]) for at in ours.keys() & theirs.keys()]
        ratios = [our / their for our, their in both if their]
        return statistics.median(ratios) if ratios else None


@dataclass(frozen=True)
class Bench:
    """Everything that is the same for all runs. `routed`: how servers are prepared that have names with a policy."""

    folder: Path
    generator: Generator
    scenarios: Sequence[str]
    routed: Mapping[str, Prepare]
    core: int | None

    def measure(self, server: Server, round_: int, figures: Figures) -> None:
        """Start the server and put every scenario to it; anew, with plain names beside, for names with a policy."""
        plain = [scenario for scenario in self.scenarios if scenario not in ROUTED]
        routed = [scenario for scenario in self.scenarios if scenario in ROUTED]
        if plain:
            with self.running(server.prepare) as (run, port):
                figures.ready.setdefault(server.name, []).append(run.ready * 1e3)
                for scenario in plain:
                    figures.add_load(scenario, server.name, round_, self.generator.load(run, port, scenario))
                figures.resident.setdefault(server.name, []).append(run.resident_bytes() / 1e6)
        if routed and server.name in self.routed:
            with self.running(self.routed[server.name]) as (run, port):
                figures.add_load(BESIDE, server.name, round_, self.generator.load(run, port, PLAIN))
                for scenario in routed:
                    figures.add_load(scenario, server.name, round_, self.generator.load(run, port, scenario))

    @contextmanager
    def running(self, prepare: Prepare) -> Iterator[tuple[Running, int]]:
        """A server in a folder of its own, and its port."""
        with tempfile.TemporaryDirectory(dir=self.folder) as name:
            folder, port = Path(name), free_port()
            with running(prepare(folder, port), port, READY_QUESTION, folder / "said", core=self.core) as run:
                yield run, port


def measure_all(bench: Bench, chosen: Sequence[Server], rounds: int, figures: Figures) -> None:
    """All rounds; each begins with another server. What fails is left out from then on."""
    for round_ in range(rounds):
        turn = round_ % len(chosen)
        for server in [*chosen[turn:], *chosen[:turn]]:
            if server.name in figures.left_out:
                continue
            print(f"round {round_ + 1} of {rounds}: {server.title}", file=sys.stderr)
            try:
                bench.measure(server, round_, figures)
            except ServerError as failed:
                figures.left_out[server.name] = str(failed)


def load_rows(scenario: str, chosen: Sequence[Server], figures: Figures, against: str) -> Iterator[list[str]]:
    """A row for each server that was measured."""
    for server in chosen:
        runs = list(figures.loads.get((scenario, server.name), {}).values())
        if not runs:
            continue
        ratios = [figures.ratio(scenario, server.name, (scenario, against))]
        if scenario in ROUTED:
            ratios.insert(0, figures.ratio(scenario, server.name, (BESIDE, server.name)))
        cpu = number(figures.median(scenario, server.name, "cpu_us"), 2)
        rest = [number(figures.median(scenario, server.name, figure)) for figure in REST]
        yield [server.title, cpu, *(number(ratio, 2) for ratio in ratios), *rest, answers(runs)]


def start_rows(chosen: Sequence[Server], figures: Figures) -> Iterator[list[str]]:
    """A row for each server that came up at all."""
    for server in chosen:
        ready, resident = figures.ready.get(server.name), figures.resident.get(server.name)
        if ready and resident:
            yield [server.title, number(statistics.median(ready)), number(statistics.median(resident))]


def report(
    chosen: Sequence[Server], scenarios: Sequence[str], figures: Figures, wanted: str | None, *, markdown: bool
) -> None:
    """Print all tables."""
    for scenario in scenarios:
        names = [server.name for server in chosen if (scenario, server.name) in figures.loads]
        against = choose_against(wanted, names)
        own = ["× own static"] if scenario in ROUTED else []
        head = ["server", "CPU µs/query", *own, f"× {against}", *REST.values(), "answers"]
        print(title(scenario, markdown=markdown))
        print(table(head, list(load_rows(scenario, chosen, figures, against)), markdown=markdown))
    if figures.ready:
        print(title("start, with 10,000 names", markdown=markdown))
        print(table(["server", "ready ms", "RSS MB"], list(start_rows(chosen, figures)), markdown=markdown))


def report_conditions(args: argparse.Namespace, pinned: Cores | None, left_out: dict[str, str]) -> None:
    """Print where and how the figures were taken, and who is missing."""
    print(f"\n{conditions(pinned)}; {described(args)}.")
    for name, reason in left_out.items():
        print(f"Left out: {name}: {reason}")


def one_of(known: Sequence[str]) -> Callable[[str], list[str]]:
    """A parser for a comma-separated list of known names."""

    def parse(text: str) -> list[str]:
        names = list(dict.fromkeys(text.split(",")))
        for name in names:
            if name not in known:
                raise argparse.ArgumentTypeError(f"{name!r} is none of {', '.join(known)}")
        return names

    return parse


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    add, scenarios = parser.add_argument, list(SCENARIOS)
    add("--servers", type=one_of(NAMED), default=list(NAMED), help=f"of {','.join(NAMED)} (all)")
    add("--scenarios", type=one_of(scenarios), default=scenarios, help=f"of {','.join(scenarios)} (all)")
    add("--against", metavar="SERVER", help="what the ratios are to (nsd, else the first peer there is)")
    add_run_options(parser)
    args = parser.parse_args()
    if args.against and args.against not in args.servers:
        parser.error(f"--against {args.against}: is not among --servers")
    return args


def choose_against(wanted: str | None, names: Sequence[str]) -> str:
    """The server the ratios are to: the wanted one, else nsd, else the first peer, else the first of all."""
    peers = [name for name in names if name in PEERS]
    return next((name for name in (wanted, "nsd", *peers, *names) if name in names), "nothing") or "nothing"


def main() -> None:
    """Find, measure, print."""
    args = parse_arguments()
    search_sbin_too()
    end_cleanly_when_told()
    pinned = stay_on_load_core()
    figures = Figures()
    found = {name: find(name, args.dnsemu) for name in args.servers}
    chosen = [server for server in found.values() if isinstance(server, Server)]
    figures.left_out |= {name: reason for name, reason in found.items() if isinstance(reason, str)}
    if not chosen:
        sys.exit("\n".join(f"{name}: {reason}" for name, reason in figures.left_out.items()))
    with tempfile.TemporaryDirectory(prefix="dnsemu-bench-") as name:
        folder = Path(name)
        load = generator(folder, args.seconds)
        for scenario in {PLAIN, *args.scenarios}:
            load.write(scenario, questions(scenario))
        routed = {name: prepare for name in args.servers if (prepare := prepare_routed(name, args.dnsemu))}
        bench = Bench(folder, load, args.scenarios, routed, pinned[0] if pinned else None)
        measure_all(bench, chosen, args.rounds, figures)
    if args.best:
        figures.keep_best()
    report(chosen, args.scenarios, figures, args.against, markdown=args.markdown)
    report_conditions(args, pinned, figures.left_out)


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        sys.exit(130)
