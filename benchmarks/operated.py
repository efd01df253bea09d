"""dnsemu with its HTTP API on, configurations with health checks, and endpoints for them that are up."""

import http.client
import json
import os
import re
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from generator import Generator
from processes import POLL_SECONDS, Running, ServerError, free_port, running
from servers import Prepare, compile_c, fill
from world import ZONE, query, zone_yaml

PRIMARY, SECONDARY = "192.0.2.1", "192.0.2.2"
PLAIN_NAMES = 1000
READY_QUESTION = query(f"h5.{ZONE}")
LIMIT_SECONDS = 120

Section = dict[str, Any]


@dataclass(frozen=True)
class Table:
    """What is printed of a part; `notes` come below the rows."""

    title: str
    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    notes: Sequence[str] = ()


class Http:
    """A connection to the HTTP API that is kept, and opened again where the server has closed it."""

    def __init__(self, port: int) -> None:
        self._connection = http.client.HTTPConnection("127.0.0.1", port, timeout=LIMIT_SECONDS)

    def call(self, method: str, path: str, body: object = None) -> bytes:
        """What comes back. Raises ServerError for a status that is not 200."""
        octets = None if body is None else json.dumps(body).encode()
        try:
            self._connection.request(method, path, octets, {"Content-Type": "application/json"} if octets else {})
            response = self._connection.getresponse()
            content = response.read()
        except (OSError, http.client.HTTPException) as error:
            self._connection.close()
            raise ServerError(f"{method} {path} failed: {error!r}") from error
        if response.status != http.client.OK:
            raise ServerError(f"{method} {path}: {response.status} {content[:300].decode(errors='replace')}")
        return content

    def samples(self, name: str) -> list[tuple[str, float]]:
        """A metric's samples: labels, and the value."""
        lines = self.call("GET", "/metrics").decode().splitlines()
        found = [
            line.removeprefix(name).rsplit(" ", 1) for line in lines if line.startswith((f"{name}{{", f"{name} "))
        ]
        return [(labels, float(value)) for labels, value in found]

    def close(self) -> None:
        """End the connection."""
        self._connection.close()


@dataclass(frozen=True)
class Subject:
    """A server that answers, on a `core` of its own or not. `folder` has its files; `api` is None without HTTP."""

    run: Running
    port: int
    folder: Path
    core: int | None
    api: Http | None

    @property
    def http(self) -> Http:
        """The HTTP API of a server that has one."""
        if self.api is None:
            raise ServerError("started without HTTP")
        return self.api

    def cpu_seconds(self) -> float:
        """As `Running.cpu_seconds`; to the nanosecond where the system knows it so well (Linux)."""
        with suppress(OSError):
            return time.clock_gettime(~self.run.process.pid << 3 | 2)  # CPUCLOCK_SCHED of another process
        return self.run.cpu_seconds()

    def age(self) -> float:
        """Seconds since its first answer."""
        return time.time() - self.run.process.create_time() - self.run.ready

    def others_seconds(self) -> float:
        """How long others had the server's core so far, less a constant; 0 where nobody says so."""
        if self.core is None:
            return 0.0
        with suppress(OSError):
            found = re.search(rf"^cpu{self.core} (.+)$", Path("/proc/stat").read_text(), re.MULTILINE)
            ticks = [int(count) for count in found[1].split()] if found else [0] * 8
            busy = sum(ticks[:3] + ticks[5:8])  # not idle, not waiting for a disk
            return busy / os.sysconf("SC_CLK_TCK") - self.cpu_seconds()
        return 0.0


@dataclass(frozen=True)
class Bench:
    """Everything that is the same for all parts. `command` serves {zones} on {port}; `core` is the server's."""

    folder: Path
    command: str
    core: int | None
    load: Generator
    paced: Path
    endpoint: Path

    def serving(self, zones: str, *options: str, http: bool = True) -> AbstractContextManager[Subject]:
        """dnsemu on a zone file in a folder of its own; `{folder}` in an option is that folder."""
        return self.serving_command(lambda folder, port: self._write(zones, folder, port), *options, http=http)

    @contextmanager
    def serving_command(self, prepare: Prepare, *options: str, http: bool = True) -> Iterator[Subject]:
        """dnsemu as `prepare` (servers.Prepare) has it, and some options more."""
        with tempfile.TemporaryDirectory(dir=self.folder) as name:
            folder, port, http_port = Path(name), free_port(), free_port()
            more = [option.replace("{folder}", name) for option in options]
            words = [*prepare(folder, port), "--http", f"127.0.0.1:{http_port}" if http else "off", *more]
            log = folder / "said"
            with running(words, port, READY_QUESTION, log, core=self.core, limit=LIMIT_SECONDS) as run:
                api = Http(http_port) if http else None
                if api is not None:
                    _await_http(http_port)
                try:
                    yield Subject(run, port, folder, self.core, api)
                finally:
                    if api is not None:
                        api.close()

    def _write(self, zones: str, folder: Path, port: int) -> list[str]:
        (folder / "zones").mkdir()
        (folder / "zones" / "bench.yaml").write_text(zones)
        return fill(self.command, folder / "zones", port)

    @contextmanager
    def endpoint_up(self, kind: str) -> Iterator[int]:
        """The port of an endpoint, `tcp` or `http`, on the core that this program has."""
        port = free_port()
        words = [str(self.endpoint), str(port), kind]
        with subprocess.Popen(words, stdin=subprocess.DEVNULL, start_new_session=True) as popen:
            try:
                _await_listener(port)
                yield port
            finally:
                popen.kill()


def bench(folder: Path, command: str, core: int | None, load: Generator) -> Bench:
    """Compiles what there is in C."""
    return Bench(folder, command, core, load, compile_c("paced", folder), compile_c("endpoint", folder))


def _await_http(port: int) -> None:
    """HTTP begins a little after DNS."""
    deadline = time.perf_counter() + LIMIT_SECONDS
    while True:
        api = Http(port)
        try:
            api.call("GET", "/ready")
            return
        except ServerError:
            if time.perf_counter() > deadline:
                raise
        finally:
            api.close()
        time.sleep(POLL_SECONDS)


def _await_listener(port: int) -> None:
    for _ in range(2000):
        with suppress(OSError), socket.create_connection(("127.0.0.1", port), 1):
            return
        time.sleep(POLL_SECONDS)
    raise ServerError("an endpoint does not listen")


# Configurations


def failover_yaml(groups: int, checks: Iterable[Section], names: int = PLAIN_NAMES) -> str:
    """Some plain names, and groups `f0`, `f1`, … of a primary and a secondary record set.

    Primary ones have the checks `c0`, `c1`, …; those after these decide about nothing.
    """
    sets = [one for number in range(groups) for one in _failover(number)]
    return zone_yaml(names, _lines(sets, indent=6)) + "health_checks:\n" + _lines(checks, indent=2)


def _failover(number: int) -> Iterator[Section]:
    common = {"name": f"f{number}", "type": "A", "ttl": 60}
    primary = {"set_identifier": "1", "failover_routing_policy": {"type": "PRIMARY"}, "records": [PRIMARY]}
    secondary = {"set_identifier": "2", "failover_routing_policy": {"type": "SECONDARY"}, "records": [SECONDARY]}
    yield common | primary | {"health_check_id": f"c{number}"}
    yield common | secondary


def weighted_yaml(groups: int, members: int, checks: Sequence[Section], names: int = PLAIN_NAMES) -> str:
    """Some plain names, and groups `g0`, `g1`, … of weighted members, which share the checks."""
    sets = []
    for number in range(groups):
        for member in range(members):
            check = checks[(number * members + member) % len(checks)]["id"]
            rest: Section = {"name": f"g{number}", "type": "A", "ttl": 60, "records": [PRIMARY]}
            policy = {"set_identifier": f"m{member}", "weighted_routing_policy": {"weight": 1 + member}}
            sets.append(rest | policy | {"health_check_id": check})
    return zone_yaml(names, _lines(sets, indent=6)) + "health_checks:\n" + _lines(checks, indent=2)


def check(number: int, port: int, kind: str = "tcp", **extras: object) -> Section:
    """The health check `c{number}`, whose endpoint is that port of 127.0.0.1; `extras` are what AWS does not have."""
    path = {"resource_path": "/"} if kind == "http" else {}
    common = {"id": f"c{number}", "type": kind.upper(), "ip_address": "127.0.0.1", "port": port}
    return common | path | ({"dnsemu": extras} if extras else {})


def _lines(sections: Iterable[Mapping[str, object]], indent: int) -> str:
    return "".join(f"{' ' * indent}- {json.dumps(section)}\n" for section in sections)
