"""A monitor whose clock is not the world's: an hour of probing passes as fast as its callbacks are called.

`play(story)` runs a coroutine on a `VirtualLoop`. Time stands still while anything is left to do, and then goes on to
the next timer at once. Nothing waits for sockets or threads there; what waits for ever fails.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import AsyncIterator, Callable, Coroutine, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from random import Random
from typing import Any, NamedTuple, Self, TypeVar

from health.checks import seen

from dnsemu.health import Monitor, Observation, Probed, Transition
from dnsemu.model import HealthCheck

T = TypeVar("T")
EPOCH = 1_750_000_000.0  # what the clock says when a loop's time is 0: nobody may take one for the other


MOST_TURNS = 10_000  # of a loop, at one moment


class Stuck(Exception):
    """Everything waits, and nothing will ever happen; or something happens again and again, and time stands still."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """An event loop that never waits."""

    def __init__(self) -> None:
        self.now = 0.0
        super().__init__(_Leap(self))

    def time(self) -> float:
        return self.now


class _Leap(selectors.SelectSelector):
    """Where a loop would wait for sockets, its time goes on to the next timer."""

    def __init__(self, loop: VirtualLoop) -> None:
        super().__init__()
        self._loop = loop
        self._turns = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        self._turns = 0 if timeout else self._turns + 1
        if timeout is None or self._turns > MOST_TURNS:
            raise Stuck
        self._loop.now += timeout
        return []


def play(story: Callable[[], Coroutine[Any, Any, T]]) -> T:
    """What a coroutine returns that is run on a virtual loop.

    Fails if a task is left behind, or if something was raised where nobody could catch it.
    """
    faults: list[dict[str, Any]] = []

    async def whole() -> T:
        asyncio.get_running_loop().set_exception_handler(lambda _, context: faults.append(context))
        came = await story()
        left = asyncio.all_tasks() - {asyncio.current_task()}
        assert not left, "a task is left behind"
        return came

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        came = runner.run(whole())
    assert faults == []
    return came


def now() -> float:
    """The running loop's time."""
    return asyncio.get_running_loop().time()


def clock() -> float:
    """Seconds since the epoch, on the running loop."""
    return EPOCH + now()


async def until(moment: float) -> None:
    """Wait for a moment of the loop's time; what happens at that moment has happened then."""
    await asyncio.sleep(moment - now())
    for _ in range(5):
        await asyncio.sleep(0)


class Reply(NamedTuple):
    """What a probe comes to, and how many seconds it takes."""

    success: bool = True
    seconds: float = 0.0


@dataclass(eq=False)
class Asked:
    """A probe: when it began, and when it ended, which it may not have done; by being cancelled, maybe."""

    check: HealthCheck
    begin: float
    end: float | None = None
    was_cancelled: bool = False


class Prober:
    """Probes as a test says: `answer` is asked when a probe begins. Remembers all of them."""

    def __init__(self, answer: Callable[[HealthCheck], Reply] = lambda _: Reply()) -> None:
        self.answer = answer
        self.asked: list[Asked] = []
        self.in_flight = 0
        self.most_in_flight = 0

    async def __call__(self, check: HealthCheck) -> Observation:
        one = Asked(check, now())
        self.asked.append(one)
        self.in_flight += 1
        self.most_in_flight = max(self.most_in_flight, self.in_flight)
        try:
            reply = self.answer(check)
            await asyncio.sleep(reply.seconds)
        except asyncio.CancelledError:
            one.was_cancelled = True
            raise
        finally:
            self.in_flight -= 1
            one.end = now()
        return seen(reply.success)

    def begins(self, check_id: str | None = None) -> list[float]:
        """When probes of a check, or all of them, began."""
        return [one.begin for one in self.asked if check_id in (None, one.check.id)]


class Published(NamedTuple):
    """A snapshot that was published, when, and which checks were said to have changed."""

    at: float
    healthy: dict[str, bool]
    changed: frozenset[str]


@dataclass(eq=False)
class Bench:
    """A monitor, its probes, what it published and what it told."""

    monitor: Monitor
    prober: Prober
    published: list[Published]
    told: list[Probed | Transition] = field(default_factory=list)

    @property
    def transitions(self) -> list[str]:
        """What was told of statuses, as `web healthy`."""
        found = [one for one in self.told if isinstance(one, Transition)]
        return [f"{one.check.id} {'healthy' if one.healthy else 'unhealthy'}" for one in found]

    @property
    def healthy(self) -> dict[str, bool]:
        """What the ledger says now."""
        return dict(self.monitor.ledger.snapshot)


class Phases(Random):
    """Chance that a test has decided: parts of the interval, in the order in which checkers begin."""

    def __new__(cls, *parts: float) -> Self:
        return super().__new__(cls)

    def __init__(self, *parts: float) -> None:
        super().__init__(0)
        self._parts = list(parts)

    def random(self) -> float:
        return self._parts.pop(0) if self._parts else 0.0


@asynccontextmanager
async def monitoring(
    checks: Sequence[HealthCheck],
    prober: Prober | None = None,
    chance: Random | None = None,
    most: int = 1000,
) -> AsyncIterator[Bench]:
    """A monitor that runs for the length of a block; without `chance` every checker begins at once."""
    prober, published = prober or Prober(), list[Published]()
    monitor = Monitor(
        checks,
        prober,
        lambda snapshot, changed: published.append(Published(now(), dict(snapshot), frozenset(changed))),
        clock,
        chance or Phases(),
        most,
    )
    bench = Bench(monitor, prober, published)
    monitor.watchers.append(bench.told.append)
    monitor.start()
    try:
        yield bench
    finally:
        await monitor.close()
