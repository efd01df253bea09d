"""`dnsemu serve` as a process of its own, as its users start it."""

from __future__ import annotations

import json
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest

ROOT = Path(__file__).resolve().parents[2]
ZONES = ROOT / "zones"
PATIENCE = 20.0  # seconds until a start counts as failed; other jobs may run on the machine


class Launched:
    """A running server process."""

    def __init__(self, process: subprocess.Popen[bytes], ports: dict[str, Any], log: Path) -> None:
        (address,) = ports["dns"]
        self.port = int(address.rpartition(":")[2])
        self.http: str = ports["http"]
        self.process, self._log = process, log
        self._memory = psutil.Process(process.pid)

    @property
    def address(self) -> tuple[str, int]:
        return "127.0.0.1", self.port

    @property
    def rss(self) -> int:
        """Octets of memory that it has."""
        return int(self._memory.memory_info().rss)

    @property
    def log(self) -> str:
        return self._log.read_text(encoding="utf-8")

    def wait_for_log(self, text: str, begin: int = 0) -> str:
        """The log, once it has that text in a whole line, from `begin` on; as it is if it never has."""
        deadline = time.monotonic() + PATIENCE
        while text not in self.log[begin:].rpartition("\n")[0] and time.monotonic() < deadline:
            time.sleep(0.02)
        return self.log

    def stop(self, number: signal.Signals = signal.SIGTERM) -> tuple[int, float]:
        """Its exit status, and how many seconds it took."""
        began = time.monotonic()
        self.process.send_signal(number)
        return self.process.wait(PATIENCE), time.monotonic() - began


@contextmanager
def launched(
    *options: str,
    zones: Path = ZONES,
    listen: str = "127.0.0.1:0",
    program: Sequence[str] = (sys.executable, "-m", "dnsemu"),
    stderr: int | None = None,
) -> Iterator[Launched]:
    """A server on a free port for the length of a block. Its log is read from a file, unless `stderr` is another."""
    with tempfile.TemporaryDirectory(prefix="dnsemu-") as folder:
        log, port_file = Path(folder, "log"), Path(folder, "port.json")
        argv = [
            *program,
            "serve",
            str(zones),
            "--listen",
            listen,
            "--port-file",
            str(port_file),
            *(() if "--http" in options else ("--http", "127.0.0.1:0")),
        ]
        with (
            log.open("wb") as out,
            subprocess.Popen([*argv, *options], stdout=out, stderr=out if stderr is None else stderr) as process,
        ):
            try:
                yield Launched(process, _ports(port_file, process, log), log)
            finally:
                process.kill()


def _ports(port_file: Path, process: subprocess.Popen[bytes], log: Path) -> dict[str, Any]:
    deadline = time.monotonic() + PATIENCE
    while process.poll() is None and time.monotonic() < deadline:
        if port_file.exists():
            ports: dict[str, Any] = json.loads(port_file.read_text(encoding="utf-8"))
            return ports
        time.sleep(0.01)
    pytest.fail(f"not serving, exit status {process.poll()}:\n{log.read_text(encoding='utf-8')}")


def need(program: str, package: str) -> str:
    """Where a program is; skips the test where it is not installed."""
    found = shutil.which(program) or shutil.which(program, path="/usr/sbin:/usr/local/sbin")
    if not found:
        pytest.skip(f"needs {program} (Debian: apt install {package})")
    return found
