"""How soon answers change: after the death of an endpoint, and after a status was forced."""

import asyncio
import random
import socket
import statistics
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

from operated import PRIMARY, SECONDARY, Bench, Http, Section, Table, check, failover_yaml
from processes import ServerError
from tables import number
from world import ZONE, query

INTERVALS_MS = (100, 500, 1000)
THRESHOLDS = (1, 3)
KINDS = ("tcp", "http")
ASK_SECONDS = 0.002
PATIENCE = 5.0  # seconds beyond the time that a failover may take
MANY = 10_000
SETTLE_SECONDS = 1.5

_RESPONSE = b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nConnection: close\r\n\r\nOK\n"
_SECONDARY, _PRIMARY = socket.inet_aton(SECONDARY), socket.inet_aton(PRIMARY)


class Endpoint:
    """An endpoint that dies once: it closes, and connecting is refused. It lives in a running loop."""

    def __init__(self, kind: str) -> None:
        self.kind = kind
        self.probed = asyncio.Event()
        self.dead_at = 0.0
        self._dies = False
        self._died = asyncio.Event()
        self._answering: set[asyncio.Task[None]] = set()
        self._sock = socket.create_server(("127.0.0.1", 0), backlog=64)
        self._sock.setblocking(False)
        self.port: int = self._sock.getsockname()[1]
        asyncio.get_running_loop().add_reader(self._sock, self._accept)

    async def die(self, *, after_probe: bool) -> float:
        """Close now, or at the end of the next probe; when that was, by perf_counter."""
        if after_probe:
            self._dies = True
            await self._died.wait()
        else:
            self.close()
        return self.dead_at

    def close(self) -> None:
        """No more connections."""
        if self._sock.fileno() >= 0:
            asyncio.get_running_loop().remove_reader(self._sock)
            self._sock.close()
            self.dead_at = time.perf_counter()
            self._died.set()

    def _accept(self) -> None:
        try:
            connection, _ = self._sock.accept()
        except OSError:
            return
        connection.setblocking(False)
        if self.kind == "tcp":
            connection.close()
            self._end_probe()
        else:
            task = asyncio.get_running_loop().create_task(self._answer(connection))
            self._answering.add(task)
            task.add_done_callback(self._answering.discard)

    async def _answer(self, connection: socket.socket) -> None:
        loop = asyncio.get_running_loop()
        with connection, suppress(OSError):
            await loop.sock_recv(connection, 4096)
            await loop.sock_sendall(connection, _RESPONSE)
        self._end_probe()

    def _end_probe(self) -> None:
        self.probed.set()
        if self._dies:
            self.close()


@dataclass
class Row:
    """Health checks of one kind, and how long each one's group took to change, in ms beyond interval x threshold."""

    kind: str
    interval: int
    threshold: int
    first: int = 0
    endpoints: list[Endpoint] = field(default_factory=list)
    after_probe: list[float] = field(default_factory=list)
    at_any_time: list[float] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """Interval x threshold."""
        return self.interval * self.threshold / 1000

    def open(self, first: int, count: int) -> list[Section]:
        """Open the endpoints; the health checks, numbered from `first`."""
        self.first = first
        self.endpoints = [Endpoint(self.kind) for _ in range(count)]
        return [self._check(first + at, endpoint.port) for at, endpoint in enumerate(self.endpoints)]

    def _check(self, at: int, port: int) -> Section:
        made = check(at, port, self.kind, interval=f"{self.interval}ms")
        return made | {"failure_threshold": self.threshold}

    async def measure(self, port: int) -> None:
        """One endpoint after the other dies, in turn just after a probe and at any time."""
        for at, endpoint in enumerate(self.endpoints):
            await endpoint.probed.wait()
            await asyncio.sleep(random.random() * self.interval / 1000)
            taken = await _time_failover(port, self.first + at, endpoint, self.seconds, after_probe=at % 2 == 0)
            (self.at_any_time if at % 2 else self.after_probe).append((taken - self.seconds) * 1e3)

    def cells(self) -> list[str]:
        """A line of the table."""
        cells = [f"{self.kind.upper()}, {self.interval:,} ms", str(self.threshold), f"{self.seconds * 1e3:,.0f}"]
        for excess in (self.after_probe, self.at_any_time):
            cells += [number(statistics.median(excess)), number(max(excess))] if excess else ["–", "–"]
        return cells


async def _time_failover(port: int, group: int, endpoint: Endpoint, expected: float, *, after_probe: bool) -> float:
    """Seconds from the endpoint's death to the first answer of the secondary."""
    loop = asyncio.get_running_loop()
    packet = query(f"f{group}.{ZONE}")
    changed: asyncio.Future[float] = loop.create_future()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.setblocking(False)
        asking.connect(("127.0.0.1", port))

        def take() -> None:
            with suppress(OSError):
                if _SECONDARY in asking.recv(4096) and not changed.done():
                    changed.set_result(time.perf_counter())

        loop.add_reader(asking, take)
        try:
            asking.send(packet)
            await asyncio.sleep(ASK_SECONDS)
            dead_at = await endpoint.die(after_probe=after_probe)
            if changed.done():
                raise ServerError(f"the secondary of f{group} answered although the endpoint was up")
            while not changed.done():
                if time.perf_counter() > dead_at + expected + PATIENCE:
                    raise ServerError(f"no failover of f{group} in time")
                with suppress(OSError):
                    asking.send(packet)
                await asyncio.sleep(ASK_SECONDS)
            return changed.result() - dead_at
        finally:
            loop.remove_reader(asking)


def measure_deaths(bench: Bench, times: int) -> Table:
    """Failovers; `times`: how many endpoints of each kind die."""
    rows = [Row(kind, interval, turns) for kind in KINDS for interval in INTERVALS_MS for turns in THRESHOLDS]
    asyncio.run(_measure_rows(bench, rows, times))
    head = ["endpoint, interval", "threshold", "interval × threshold ms"]
    head += [f"{when}: {what}" for when in ("just after a probe", "at any time") for what in ("median", "max")]
    title = "from an endpoint's death to the first answer of the secondary, ms beyond interval × threshold"
    note = f"{times} endpoints of each kind, in turn closed just after a probe and at any time."
    return Table(title, head, [row.cells() for row in rows], [note])


async def _measure_rows(bench: Bench, rows: Sequence[Row], times: int) -> None:
    checks: list[Section] = []
    for row in rows:
        checks += row.open(len(checks), times)
    try:
        with bench.serving(failover_yaml(len(checks), checks)) as subject:
            await asyncio.gather(*(row.measure(subject.port) for row in rows))
    finally:
        for row in rows:
            for endpoint in row.endpoints:
                endpoint.close()


def measure_forced(bench: Bench, times: int) -> Table:
    """Forced statuses, each of another group's check, in turn unhealthy and healthy, with few and many checks."""
    rows, notes = [], []
    with bench.endpoint_up("tcp") as port:
        for count in (1, MANY):
            checks = [check(at, port, interval="10s") for at in range(count)]
            with bench.serving(failover_yaml(count, checks)) as subject, _asking(subject.port) as asking:
                time.sleep(SETTLE_SECONDS)
                taken = [_time_forced(subject.http, asking, turn, count) for turn in range(times)]
            replies, waits, old = zip(*taken, strict=True)
            title = f"{count:,} health check{'s' * (count > 1)}"
            rows += [
                [f"{title}: request to reply", *_spread(replies)],
                [f"{title}: reply to answer", *_spread(waits)],
            ]
            notes.append(f"{title}: forced {times:,} times; {sum(old):,} answers after a reply were the old ones.")
    return Table("a forced state", ["from, to", "median ms", "p99 ms", "max ms"], rows, notes)


def _time_forced(http: Http, asking: socket.socket, turn: int, count: int) -> tuple[float, float, int]:
    """Seconds from the request to the reply, from there to the changed answer; answers that were not changed yet."""
    group, is_well = turn // 2 % count, bool(turn % 2)
    wanted = _PRIMARY if is_well else _SECONDARY
    packet = query(f"f{group}.{ZONE}")
    began = time.perf_counter()
    http.call("PUT", f"/api/v1/health-checks/c{group}/override", {"status": "healthy" if is_well else "unhealthy"})
    replied = time.perf_counter()
    old = 0
    while True:
        asking.send(packet)
        if wanted in asking.recv(4096):
            return replied - began, time.perf_counter() - replied, old
        old += 1
        if time.perf_counter() > replied + PATIENCE:
            raise ServerError(f"f{group} did not change")


@contextmanager
def _asking(port: int) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(PATIENCE)
        asking.connect(("127.0.0.1", port))
        yield asking


def _spread(seconds: Sequence[float]) -> list[str]:
    """Median, p99, and the most, in milliseconds."""
    ordered = sorted(seconds)
    figures = statistics.median(ordered), ordered[int(len(ordered) * 0.99)], ordered[-1]
    return [number(figure * 1e3, 2) for figure in figures]
