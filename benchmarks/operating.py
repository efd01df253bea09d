#!/usr/bin/env python3
"""Measure dnsemu while it is operated: failover, forced states, probes, reloads, metrics, the query log.

Each part prints a table of its own. See README.md beside this file.
"""

import argparse
import sys
import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import beside
import failover
from generator import generator
from operated import Bench, Table, bench
from processes import ServerError, at_least_one, conditions, end_cleanly_when_told, stay_on_load_core
from servers import DNSEMU
from steady import RELOADED, RELOADED_LARGE, Steady
from tables import table, title


def failovers(bench: Bench, args: argparse.Namespace) -> Table:
    """From an endpoint's death to the first answer of the secondary."""
    return failover.measure_deaths(bench, args.deaths)


def forced(bench: Bench, args: argparse.Namespace) -> Table:
    """From the reply that a status is forced to the answer that shows it."""
    return failover.measure_forced(bench, args.forced)


def probes(bench: Bench, args: argparse.Namespace) -> Table:
    """Latency beside 10,000 TCP checks and 1,000 HTTP checks."""
    return _steady(bench, args).probes()


def reload(bench: Bench, args: argparse.Namespace) -> Table:
    """Latency beside reloads of 10,000 names."""
    return _steady(bench, args).reloads(RELOADED)


def reload_checks(bench: Bench, args: argparse.Namespace) -> Table:
    """Latency beside reloads of 10,000 health checks."""
    return _steady(bench, args).reloads_of_checks()


def cost(bench: Bench, args: argparse.Namespace) -> Table:
    """CPU time for a query with metrics and the query log."""
    return beside.measure(bench, args.rounds, keep_best=args.best)


def scrape(bench: Bench, args: argparse.Namespace) -> Table:
    """Latency beside scrapes of 100,000 series."""
    return _steady(bench, args).scrapes()


def reload_large(bench: Bench, args: argparse.Namespace) -> Table:
    """Latency beside reloads of 100,000 names."""
    return _steady(bench, args).reloads(RELOADED_LARGE)


PARTS: dict[str, tuple[Callable[[Bench, argparse.Namespace], Table], int, float]] = {
    "failover": (failovers, 1, 1.0),
    "forced": (forced, 1, 1.0),
    "probes": (probes, 2, 4.0),
    "reload": (reload, 3, 3.0),
    "reload-checks": (reload_checks, 2, 3.0),
    "cost": (cost, 3, 1.0),
    "scrape": (scrape, 3, 3.0),
    "reload-large": (reload_large, 2, 2.0),
}
"""Parts, and their rounds and seconds of load in each run if nobody says otherwise."""


def _steady(bench: Bench, args: argparse.Namespace) -> Steady:
    return Steady(bench, args.rate or [5_000, 20_000], args.rounds, args.seconds, args.best)


def seconds_of_load(text: str) -> float:
    """The load generators take no more than 60 s."""
    value = float(text)
    if not 0 < value <= 60:
        raise argparse.ArgumentTypeError("above 0, and 60 at most")
    return value


def show(shown: Table, *, markdown: bool) -> None:
    """Print a table and its notes."""
    print(title(shown.title, markdown=markdown))
    print(table(shown.head, shown.rows, markdown=markdown))
    if shown.notes:
        print("\n" + "\n".join(shown.notes), flush=True)


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    told = "\n".join(f"  {name:14}{part.__doc__}" for name, (part, *_) in PARTS.items())
    parser = argparse.ArgumentParser(
        description=f"{(__doc__ or '').splitlines()[0]}\n\nparts:\n{told}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add = parser.add_argument
    add("parts", nargs="*", metavar="PART", help="what is measured (all)")
    add("--rounds", type=at_least_one, help="how often all of a part is measured (2 or 3)")
    add("--seconds", type=seconds_of_load, help="of load in each run (1 to 4)")
    add("--rate", type=at_least_one, action="append", help="queries a second; may be repeated (5000 and 20000)")
    add("--deaths", type=at_least_one, default=10, help="endpoints of each kind that die (10)")
    add("--forced", type=at_least_one, default=1000, help="how often a status is forced (1000)")
    add(
        "--best",
        action="store_true",
        help="take the least disturbed round instead of medians: for a machine that is not quiet",
    )
    add("--dnsemu", metavar="CMD", default=DNSEMU, help="serves the folder {zones} on 127.0.0.1:{port}")
    add("--markdown", action="store_true", help="print the tables as Markdown")
    args = parser.parse_args()
    unknown = [part for part in args.parts if part not in PARTS]
    if unknown:
        parser.error(f"there is no part {', '.join(unknown)}: {', '.join(PARTS)}")
    return args


def with_defaults(args: argparse.Namespace, rounds: int, seconds: float) -> argparse.Namespace:
    """The command line, completed for a part."""
    chosen = {"rounds": args.rounds or rounds, "seconds": args.seconds or seconds}
    return argparse.Namespace(**{**vars(args), **chosen})


def run(name: str, args: argparse.Namespace, folder: Path, core: int | None) -> None:
    """Measure and print a part; one that fails does not end the others."""
    part, rounds, seconds = PARTS[name]
    args = with_defaults(args, rounds, seconds)
    began = time.perf_counter()
    try:
        shown = part(bench(folder, args.dnsemu, core, generator(folder, args.seconds)), args)
    except ServerError as error:
        print(f"\nLeft out: {name}: {error}", flush=True)
        return
    if name not in ("failover", "forced"):
        taken = "The least disturbed" if args.best else "Medians"
        shown = replace(shown, notes=[*shown.notes, f"{taken} of {args.rounds} rounds of {args.seconds:g} s."])
    show(shown, markdown=args.markdown)
    print(f"{name} took {time.perf_counter() - began:.0f} s", file=sys.stderr)


def main() -> None:
    """Prepare, measure, print."""
    args = parse_arguments()
    end_cleanly_when_told()
    pinned = stay_on_load_core()
    for name in args.parts or PARTS:
        with tempfile.TemporaryDirectory(prefix="dnsemu-bench-") as folder:
            run(name, args, Path(folder), pinned[0] if pinned else None)
    print(f"\n{conditions(pinned)}.")


if __name__ == "__main__":
    try:
        main()
    except KeyboardInterrupt:
        print("\nStopped.", file=sys.stderr)
        sys.exit(130)
