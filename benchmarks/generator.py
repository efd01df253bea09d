"""The load generator: questions from files, put to a running server."""

import json
import struct
import subprocess
from argparse import ArgumentParser, ArgumentTypeError, Namespace
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from processes import Running, ServerError, at_least_one
from servers import DNSEMU, compile_c

SOCKETS, WINDOW = 8, 16
KINDS = ("noerror", "nodata", "nxdomain", "servfail", "refused", "other")

Result = dict[str, float]


@dataclass(frozen=True)
class Generator:
    """The compiled `program`, and the `folder` in which each scenario has a file of questions."""

    program: Path
    folder: Path
    seconds: float

    def write(self, scenario: str, packets: Iterable[bytes]) -> None:
        """The scenario's questions, as the program reads them."""
        octets = b"".join(struct.pack("!H", len(packet)) + packet for packet in packets)
        (self.folder / scenario).write_bytes(octets)

    def load(self, run: Running, port: int, scenario: str) -> Result:
        """What one run finds, with the CPU microseconds for each answered query added."""
        numbers = [str(self.seconds), str(SOCKETS), str(WINDOW)]
        words = [str(self.program), str(port), str(self.folder / scenario), *numbers]
        before = run.cpu_seconds()
        done = subprocess.run(words, capture_output=True, text=True, check=True, timeout=self.seconds + 10)
        spent = run.cpu_seconds() - before
        result: Result = json.loads(done.stdout)
        if not result["answered"]:
            raise ServerError(f"answered nothing in {scenario}")
        if not run.process.is_running():
            raise ServerError(f"ended during {scenario}")
        result["cpu_us"] = spent / result["answered"] * 1e6
        result["busy"] = 100 * spent * result["qps"] / result["answered"]
        result["size"] = result["bytes"] / result["answered"]
        return result


def generator(folder: Path, seconds: float) -> Generator:
    """A generator that works in a folder. Ends this program where it can not be compiled."""
    (folder / "questions").mkdir()
    return Generator(compile_c("loadgen", folder), folder / "questions", seconds)


def best(runs: Iterable[Result]) -> Result:
    """The run with the least CPU time: what disturbs a machine only makes it slower."""
    return min(runs, key=lambda run: run["cpu_us"])


def answers(runs: Sequence[Result]) -> str:
    """What kinds of answers there were, in percent of all."""
    total = sum(run["answered"] for run in runs)
    shares = {kind: 100 * sum(run[kind] for run in runs) / total for kind in (*KINDS, "truncated")}
    return ", ".join(f"{kind} {share:.0f} %" for kind, share in shares.items() if share >= 0.05)


def add_run_options(parser: ArgumentParser) -> None:
    """The options that all programs with a load generator have."""
    add = parser.add_argument
    add("--rounds", type=at_least_one, default=3, help="how often all is measured (3)")
    add("--seconds", type=_seconds, default=3.0, help="of load in each run (3)")
    add("--best", action="store_true", help="take the best round instead of medians: for a machine that is not quiet")
    add("--dnsemu", metavar="CMD", default=DNSEMU, help="serves the folder {zones} on 127.0.0.1:{port}")
    add("--markdown", action="store_true", help="print the tables as Markdown")


def described(args: Namespace) -> str:
    """What the figures are of how many runs."""
    return f"{'the best' if args.best else 'medians'} of {args.rounds} rounds of {args.seconds:g} s"


def _seconds(text: str) -> float:
    """The load generator takes no more than 60 s."""
    value = float(text)
    if not 0 < value <= 60:
        raise ArgumentTypeError("between 0 and 60 seconds")
    return value
