"""Latency under a constant rate of questions: alone, and beside what a server has to do at times."""

import json
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field

from generator import Result
from operated import PLAIN_NAMES as PLAIN
from operated import Bench, Section, Subject, Table, check, failover_yaml, weighted_yaml
from processes import ServerError
from tables import number
from world import Size, questions, zone_yaml

SCENARIO = "real"
INTERVAL_SECONDS = 10
TCP_CHECKS, HTTP_CHECKS, FAILOVER_GROUPS = 10_000, 1_000, 100
SETTLE_SECONDS = 1.5
RELOADED, RELOADED_LARGE = 10_000, 100_000
GROUPS, MEMBERS, CHECKS = 1_000, 10, 4_000  # of 100,000 series
LONGEST_SECONDS = 60

HEAD = [
    *("beside", "queries/s", "alone: p50 ms", "p99 ms", "max ms", "beside: p50 ms", "p99 ms", "max ms"),
    *("p99 grows by ms", "sent late, p99 ms", "others %", "lost"),
]


@dataclass
class Pair:
    """Runs alone and, in the same round, beside something that took `seconds` each time it was done."""

    title: str
    rate: int
    alone: list[Result] = field(default_factory=list)
    beside: list[Result] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def cells(self) -> list[str]:
        """A line of the table: the middle ones of all rounds, but the longest latency of all."""
        cells = [self.title, number(self.rate)]
        for runs in (self.alone, self.beside):
            cells += [number(_middle(runs, figure) / 1e3, 2) for figure in ("p50_us", "p99_us")]
            cells.append(number(max(run["max_us"] for run in runs) / 1e3, 2))
        grows = [more["p99_us"] - less["p99_us"] for less, more in zip(self.alone, self.beside, strict=True)]
        late, others = _middle(self.beside, "late_p99_us") / 1e3, _middle([*self.alone, *self.beside], "others")
        lost = sum(run["lost"] for run in (*self.alone, *self.beside))
        return [*cells, number(statistics.median(grows) / 1e3, 2), number(late, 2), number(others), number(lost)]

    def keep_best(self) -> None:
        """Forget all runs but those in which others had least of the server's core."""
        self.alone, self.beside = ([min(runs, key=_disturbance)] for runs in (self.alone, self.beside))


def _middle(runs: Sequence[Result], figure: str) -> float:
    return statistics.median(run[figure] for run in runs)


def _disturbance(run: Result) -> tuple[float, float]:
    return run["others"], run["p99_us"]


@dataclass(frozen=True)
class Steady:
    """How the load is: at these rates, in so many rounds, for so many seconds each time."""

    bench: Bench
    rates: Sequence[int]
    rounds: int
    seconds: float
    best: bool

    def _run(self, subject: Subject, names: int, rate: int) -> Result:
        with self._loading(subject, names, rate, self.seconds) as popen:
            others = _watch(subject)
            return _result(popen, self.seconds + 10) | {"others": others()}

    def _run_beside(self, subject: Subject, names: int, pair: Pair, act: Callable[[], object]) -> Result:
        """The load for as long as `act` takes, again and again until its time is over."""
        with self._loading(subject, names, pair.rate, LONGEST_SECONDS) as popen:
            others = _watch(subject)
            time.sleep(0.1)
            end = time.perf_counter() + self.seconds
            while time.perf_counter() < end:
                began = time.perf_counter()
                act()
                pair.seconds.append(time.perf_counter() - began)
            popen.terminate()
            return _result(popen, 10) | {"others": others()}

    @contextmanager
    def _loading(self, subject: Subject, names: int, rate: int, seconds: float) -> Iterator[subprocess.Popen[str]]:
        packets = self.bench.load.folder / f"{SCENARIO} of {names}"
        if not packets.exists():
            self.bench.load.write(packets.name, questions(SCENARIO, Size(names)))
        words = [str(self.bench.paced), str(subject.port), str(packets), str(seconds), str(rate)]
        with subprocess.Popen(words, stdout=subprocess.PIPE, text=True) as popen:
            try:
                yield popen
            finally:
                popen.kill()

    # What there is beside

    def probes(self) -> Table:
        """10,000 TCP checks, and 1,000 HTTP checks, each every 10 s; alone is when the former are disabled."""
        kinds = {"tcp": TCP_CHECKS, "http": HTTP_CHECKS}
        pairs = {kind: [Pair(_many(kind), rate) for rate in self.rates] for kind in kinds}
        notes: dict[str, str] = {}
        order = [("tcp", True), *((kind, False) for kind in kinds)]
        for round_ in range(self.rounds):
            for kind, disabled in order[:: -1 if round_ % 2 else 1]:
                words = f"{_many(kind)}, disabled" if disabled else _many(kind)
                print(f"round {round_ + 1} of {self.rounds}: {words}", file=sys.stderr)
                runs = self._measure_probes(kind, kinds[kind], notes, disabled=disabled)
                for at, run in enumerate(runs):
                    for pair in (pairs[one][at] for one in kinds if disabled or one == kind):
                        (pair.alone if disabled else pair.beside).append(run)
        return self._table("beside health checks", [one for some in pairs.values() for one in some], notes.values())

    def _measure_probes(self, kind: str, checks: int, notes: dict[str, str], *, disabled: bool) -> list[Result]:
        with self.bench.endpoint_up(kind) as port:
            made = [_check(number, port, kind, disabled=disabled) for number in range(checks)]
            with self.bench.serving(failover_yaml(FAILOVER_GROUPS, made)) as subject:
                time.sleep(SETTLE_SECONDS)
                runs = [self._run(subject, PLAIN, rate) for rate in self.rates]
                if not disabled:
                    notes[kind] = f"{_many(kind)}: {_told_of_probes(subject)}"
        return runs

    def reloads(self, names: int) -> Table:
        """POST /api/v1/reload again and again, of so many names."""
        return self._beside(f"reloads of {names:,} names", zone_yaml(names), names, _reload, [])

    def reloads_of_checks(self) -> Table:
        """The same of 10,000 health checks, which are not probed, each with a group that it decides about."""
        checks = [_check(number, 9, "tcp", disabled=True) for number in range(TCP_CHECKS)]
        title = f"reloads of {TCP_CHECKS:,} health checks"
        return self._beside(title, failover_yaml(TCP_CHECKS, checks), PLAIN, _reload, [])

    def scrapes(self) -> Table:
        """GET /metrics again and again, of a hundred thousand series."""
        checks = [_check(number, 9, "tcp", disabled=True) for number in range(CHECKS)]
        notes: list[str] = []

        def scrape(subject: Subject) -> None:
            text = subject.http.call("GET", "/metrics")
            if not notes:
                series = sum(not line.startswith(b"#") for line in text.splitlines())
                notes.append(f"{series:,} series, {len(text) / 1e6:.1f} MB.")

        return self._beside("scrapes", weighted_yaml(GROUPS, MEMBERS, checks), PLAIN, scrape, notes)

    def _beside(self, title: str, zones: str, names: int, act: Callable[[Subject], None], notes: list[str]) -> Table:
        pairs = [Pair(title, rate) for rate in self.rates]
        with self.bench.serving(zones) as subject:
            act(subject)
            for round_ in range(self.rounds):
                print(f"round {round_ + 1} of {self.rounds}: {title}", file=sys.stderr)
                for pair in pairs:
                    pair.alone.append(self._run(subject, names, pair.rate))
                    pair.beside.append(self._run_beside(subject, names, pair, lambda: act(subject)))
        for pair in pairs:
            middle, most = statistics.median(pair.seconds), max(pair.seconds)
            times = f"{len(pair.seconds)} times, {middle * 1e3:,.0f} ms each (median; {most * 1e3:,.0f} ms at most)"
            notes.append(f"At {pair.rate:,} queries/s: {times}.")
        return self._table(f"beside {title}", pairs, notes)

    def _table(self, title: str, pairs: Sequence[Pair], notes: Iterable[str]) -> Table:
        for pair in pairs if self.best else ():
            pair.keep_best()
        return Table(title, HEAD, [pair.cells() for pair in pairs], list(notes))


def _reload(subject: Subject) -> None:
    subject.http.call("POST", "/api/v1/reload")


def _watch(subject: Subject) -> Callable[[], float]:
    """Begin to look at who else is on the server's core; the function says how many percent of the time since."""
    began, before = time.perf_counter(), subject.others_seconds()
    return lambda: 100 * (subject.others_seconds() - before) / (time.perf_counter() - began)


def _check(number: int, port: int, kind: str, *, disabled: bool) -> Section:
    return check(number, port, kind, interval=f"{INTERVAL_SECONDS}s") | {"disabled": disabled}


def _many(kind: str) -> str:
    return f"{TCP_CHECKS if kind == 'tcp' else HTTP_CHECKS:,} {kind.upper()} checks"


def _told_of_probes(subject: Subject) -> str:
    """How many there were since the server's start."""
    before = subject.age()
    samples = subject.http.samples("dnsemu_health_check_probes_total")
    seconds = (before + subject.age()) / 2  # to make all these samples takes a while
    total = sum(value for _, value in samples)
    failed = sum(value for labels, value in samples if 'result="failure"' in labels)
    return f"{total / seconds:,.0f} probes/s, {failed:,.0f} of {total:,.0f} failed."


def _result(popen: subprocess.Popen[str], seconds: float) -> Result:
    try:
        said, _ = popen.communicate(timeout=seconds)
    except subprocess.TimeoutExpired:
        raise ServerError("the load generator did not end") from None
    if popen.returncode:
        raise ServerError(f"the load generator ended with {popen.returncode}")
    result: Result = json.loads(said)
    if not result["answered"]:
        raise ServerError("answered nothing")
    return result
