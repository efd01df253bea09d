"""Server processes: started on a core of their own, waited for, measured, ended."""

import os
import platform
import re
import shutil
import signal
import socket
import subprocess
import time
from argparse import ArgumentTypeError
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from types import FrameType

import psutil
from world import first_answer

ROOT = Path(__file__).resolve().parent.parent
POLL_SECONDS = 0.001
REPLY_SECONDS = 0.05


class ServerError(Exception):
    """A server that did not do what is measured; the text says why."""


@dataclass(frozen=True)
class Running:
    """A server that has given its first answer `ready` seconds after its process was started."""

    process: psutil.Process
    ready: float

    def tree(self) -> list[psutil.Process]:
        """The server's process and all below it."""
        with suppress(psutil.NoSuchProcess):
            return [self.process, *self.process.children(recursive=True)]
        return []

    def cpu_seconds(self) -> float:
        """User and system time of all the server's processes so far, in seconds."""
        total = 0.0
        for process in self.tree():
            with suppress(psutil.NoSuchProcess):
                times = process.cpu_times()
                total += times.user + times.system
        return total

    def resident_bytes(self) -> int:
        """Resident memory, summed over the server's processes: shared pages count once for each."""
        total = 0
        for process in self.tree():
            with suppress(psutil.NoSuchProcess):
                total += process.memory_info().rss
        return total

    def peak_bytes(self) -> int | None:
        """The most memory the first process ever had resident (VmHWM); None where only Linux could say."""
        with suppress(OSError):
            status = Path(f"/proc/{self.process.pid}/status").read_text()
            found = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
            return int(found[1]) * 1024 if found else None
        return None


def cores() -> tuple[int, int] | None:
    """A core for the server and one for the load; None where there is no taskset or no second core."""
    if not hasattr(os, "sched_getaffinity") or not shutil.which("taskset"):
        return None
    allowed = sorted(os.sched_getaffinity(0))
    return (allowed[0], allowed[1]) if len(allowed) > 1 else None


def stay_on_load_core() -> tuple[int, int] | None:
    """Move this process, and the load it starts, to the core for the load. Returns both cores, or None."""
    pinned = cores()
    if pinned:
        os.sched_setaffinity(0, {pinned[1]})
    return pinned


def free_port() -> int:
    """A port of 127.0.0.1 that the system has just had free for both UDP and TCP."""
    for _ in range(100):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.socket() as tcp:
            udp.bind(("127.0.0.1", 0))
            port: int = udp.getsockname()[1]
            with suppress(OSError):
                tcp.bind(("127.0.0.1", port))
                return port
    raise ServerError("no port is free for both UDP and TCP")


@contextmanager
def running(
    command: Sequence[str],
    port: int,
    question: bytes,
    log: Path,
    *,
    core: int | None = None,
    limit: float = 20,
) -> Iterator[Running]:
    """Run `command` until the block is left; it is entered when `question` is answered on `port`.

    `log` takes what the server prints, `core` is where it runs, `limit` is in seconds. Raises ServerError.
    """
    pinned = ["taskset", "-c", str(core)] if core is not None else []
    with log.open("wb") as output:
        began = time.perf_counter()
        popen = subprocess.Popen(
            [*pinned, *command],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            cwd=ROOT,
            start_new_session=True,
        )
        try:
            _await_answer(popen, port, question, log, began + limit)
            yield Running(psutil.Process(popen.pid), time.perf_counter() - began)
        finally:
            _end(popen)


def _await_answer(popen: subprocess.Popen[bytes], port: int, question: bytes, log: Path, deadline: float) -> None:
    while not first_answer(port, question, REPLY_SECONDS):
        if popen.poll() is not None:
            raise ServerError(f"ended before its first answer (exit code {popen.returncode}). {_last_words(log)}")
        if time.perf_counter() > deadline:
            raise ServerError(f"gave no answer in time. {_last_words(log)}")
        time.sleep(POLL_SECONDS)


def _last_words(log: Path) -> str:
    text = " ".join(log.read_text(errors="replace").split())
    return f"It said: …{text[-300:]}" if text else "It said nothing."


def _end(popen: subprocess.Popen[bytes]) -> None:
    """Terminate the process and its children; kill what is still there after 5 seconds."""
    processes: list[psutil.Process] = []
    with suppress(psutil.NoSuchProcess):
        first = psutil.Process(popen.pid)
        processes = [first, *first.children(recursive=True)]
    if popen.poll() is None:
        popen.terminate()
    try:
        psutil.wait_procs(processes, timeout=5)
    finally:
        for process in processes:
            with suppress(psutil.NoSuchProcess):
                process.kill()
        popen.wait()


def end_cleanly_when_told() -> None:
    """Make SIGTERM unwind the stack as Ctrl-C does, so that every started process is ended."""

    def interrupt(_signal: int, _frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    signal.signal(signal.SIGTERM, interrupt)


def at_least_one(text: str) -> int:
    """A parser for how often something is done, for argparse."""
    if not text.isdecimal() or int(text) < 1:
        raise ArgumentTypeError("a number from 1 up")
    return int(text)


def conditions(pinned: tuple[int, int] | None) -> str:
    """The machine, and what runs where on it."""
    where = f"server on core {pinned[0]}, load on core {pinned[1]}" if pinned else "not pinned to cores"
    return f"{machine()}; {where}"


def machine() -> str:
    """One line about where the figures are from."""
    model = ""
    with suppress(OSError):
        found = re.search(r"^model name\s*:\s*(.+)$", Path("/proc/cpuinfo").read_text(), re.MULTILINE)
        model = found[1] if found else ""
    system, python = os.uname(), platform.python_version()
    name = model or system.machine
    return f"{name}, {os.cpu_count()} cores, {system.sysname} {system.release}, Python {python}"
