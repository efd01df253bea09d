"""What metrics and the query log cost: CPU time for each query, with them and without, in the same round."""

import os
import statistics
import sys
import time
from collections.abc import Sequence
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from generator import Result, best
from operated import Bench, Subject, Table
from processes import ServerError
from routed import routed_dnsemu
from tables import number
from world import questions

SCENARIOS = ("static", "weighted")
REST_SECONDS = 0.25  # in which a log does not grow any more: then all of it is written
PATIENCE = 20.0
_DROPPED = "dnsemu_query_log_dropped_total"


@dataclass
class Variant:
    """A way to start the server, what its figures are compared with, and what was measured, by scenario."""

    title: str
    against: str | None
    options: Sequence[str] = ()
    http: bool = True
    results: dict[str, list[Result]] = field(default_factory=lambda: {scenario: [] for scenario in SCENARIOS})

    def measure(self, bench: Bench, subject: Subject, scenario: str) -> None:
        """Put one run of load to the server; what it writes behind that counts, too."""
        log = subject.folder / "queries.log"
        dropped = self._dropped(subject)
        before = subject.cpu_seconds()
        result = bench.load.load(subject.run, subject.port, scenario)
        _await_rest(log)
        spent = subject.cpu_seconds() - before
        result["cpu_us"] = spent / result["answered"] * 1e6
        result["dropped"] = 100 * (self._dropped(subject) - dropped) / result["answered"]
        self.results[scenario].append(result)
        if log.exists():
            os.truncate(log, 0)

    def _dropped(self, subject: Subject) -> float:
        return sum(value for _, value in subject.http.samples(_DROPPED)) if self.options else 0.0


VARIANTS = (
    ("HTTP off", None, (), False),
    ("metrics", "HTTP off", (), True),
    ("metrics, JSON log", "metrics", ("--query-log", "json:{folder}/queries.log"), True),
    ("metrics, Route 53 log", "metrics", ("--query-log", "route53:{folder}/queries.log"), True),
)


def measure(bench: Bench, rounds: int, *, keep_best: bool) -> Table:
    """All variants run at a time; each has its turn, there and back again, and the others wait."""
    variants = {made[0]: Variant(*made) for made in VARIANTS}
    for scenario in SCENARIOS:
        bench.load.write(scenario, questions(scenario))
    for round_ in range(rounds):
        with ExitStack() as stack:
            subjects = [(one, stack.enter_context(_serving(bench, one))) for one in variants.values()]
            for scenario in SCENARIOS:
                for order in (subjects, subjects[::-1]):
                    for variant, subject in order:
                        print(f"round {round_ + 1} of {rounds}: {scenario}, {variant.title}", file=sys.stderr)
                        variant.measure(bench, subject, scenario)
    rows = [
        _cells(scenario, one, variants, keep_best=keep_best) for scenario in SCENARIOS for one in variants.values()
    ]
    head = ["what is asked, and beside it", "CPU µs/query", "×", "against", "core %", "queries/s", "not logged %"]
    return Table("CPU for a query, with metrics and a query log", head, rows)


def _serving(bench: Bench, variant: Variant) -> AbstractContextManager[Subject]:
    return bench.serving_command(routed_dnsemu(bench.command), *variant.options, http=variant.http)


def _cells(scenario: str, variant: Variant, variants: dict[str, Variant], *, keep_best: bool) -> list[str]:
    runs = variant.results[scenario]
    ratio = None
    if variant.against is not None:
        bases = variants[variant.against].results[scenario]
        if keep_best:
            ratio = best(runs)["cpu_us"] / best(bases)["cpu_us"]
        else:
            ratio = statistics.median(run["cpu_us"] / base["cpu_us"] for run, base in zip(runs, bases, strict=True))
    if keep_best:
        runs = [best(runs)]
    figures = {key: statistics.median(run[key] for run in runs) for key in ("cpu_us", "busy", "qps", "dropped")}
    dropped = number(figures["dropped"], 1) if variant.options else "–"
    cells = [number(figures["cpu_us"], 2), number(ratio, 3), variant.against or "–"]
    return [f"{scenario}: {variant.title}", *cells, number(figures["busy"]), number(figures["qps"]), dropped]


def _await_rest(log: Path) -> None:
    """Until the file has not grown for a while; as long for a server without one."""
    deadline, size, since = time.perf_counter() + PATIENCE, -1, time.perf_counter()
    while time.perf_counter() < since + REST_SECONDS:
        now = log.stat().st_size if log.exists() else 0
        if now != size:
            size, since = now, time.perf_counter()
        if time.perf_counter() > deadline:
            raise ServerError("the query log does not come to its end")
        time.sleep(0.02)
