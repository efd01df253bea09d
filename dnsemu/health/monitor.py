"""Probing in the background: when each checker asks, and what is done with what it saw."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Collection, Sequence
from random import Random
from typing import NamedTuple

from dnsemu.errors import printable
from dnsemu.health.judge import AlarmState, ControlState
from dnsemu.health.ledger import Ledger
from dnsemu.health.observation import Observation, Probe
from dnsemu.health.standing import Forced, Standing, Transition
from dnsemu.health.succession import Succession, asks_the_same
from dnsemu.model import HealthCheck, HealthSnapshot

_log = logging.getLogger(__name__)
GATHER = 0.01  # seconds in which changes are gathered to be published as one
_Key = tuple[str, int]


class Probed(NamedTuple):
    """A checker, by its region, has probed."""

    check: HealthCheck
    region: str
    observation: Observation
    at: float


class Monitor:
    """Runs the probes of a configuration's health checks on the running loop, and publishes what comes of them.

    Every checker has a phase of its own, random at first; then it waits its interval from a response to the next
    request (3.1). A probe that hangs holds up nobody but its own checker.
    """

    def __init__(
        self,
        checks: Sequence[HealthCheck],
        probe: Probe,
        publish: Callable[[HealthSnapshot, Collection[str]], None],
        clock: Callable[[], float],
        chance: Random,
        most: int = 1000,
    ) -> None:
        """`clock`: seconds since the epoch; `most`: probes at a time, as many as there are file descriptors for.

        `publish` gets a snapshot whenever a status has changed, and the ids of those that have since the last one;
        changes that come together come as one.
        """
        self.ledger = Ledger(checks, clock())
        self.watchers: list[Callable[[Probed | Transition], None]] = []
        self._probe = probe
        self._publish = publish
        self._clock = clock
        self._chance = chance
        self._gate = asyncio.Semaphore(most)
        self._timers: dict[_Key, asyncio.TimerHandle] = {}
        self._probing: dict[_Key, asyncio.Task[None]] = {}
        self._ending: set[asyncio.Task[None]] = set()  # probes that a reload has cancelled
        self._expiry: asyncio.TimerHandle | None = None
        self._gathering: asyncio.TimerHandle | None = None
        self._changed: set[str] = set()
        self._is_running = False

    def start(self) -> None:
        """Begin to probe."""
        self._is_running = True
        for standing in self.ledger.standings.values():
            self._arm_from(standing)

    async def close(self) -> None:
        """Stop probing; no probe is left behind."""
        self._is_running = False
        for timer in (*self._timers.values(), self._expiry, self._gathering):
            if timer is not None:
                timer.cancel()
        tasks = [*self._probing.values(), *self._ending]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    # What people say

    def force(self, check_id: str, *, healthy: bool, reason: str = "", seconds: float | None = None) -> Standing:
        """Set a status, for some seconds or until it is cleared; it is published at once. Raises KeyError."""
        now, forced = self._clock(), Forced(healthy, reason)
        if seconds is not None:
            forced = forced._replace(ends=asyncio.get_running_loop().time() + seconds, until=now + seconds)
        self._tell(self.ledger.force(check_id, forced, now), at_once=True)
        self._await_expiry()
        return self.ledger.standings[check_id]

    def clear(self, check_id: str) -> Standing:
        """Let a status be what it is. Raises KeyError."""
        self._tell(self.ledger.clear(check_id, self._clock()), at_once=True)
        return self.ledger.standings[check_id]

    def set_alarm(self, region: str, name: str, state: AlarmState) -> None:
        """The data of a CloudWatch alarm say something. Raises LookupError."""
        self._tell(self.ledger.set_alarm(region, name, state, self._clock()), at_once=True)

    def set_control(self, control: str, state: ControlState) -> str:
        """A routing control was set; its ARN. Raises LookupError."""
        arn = self.ledger.arn_of(control)
        self._tell(self.ledger.set_control(control, state, self._clock()), at_once=True)
        return arn

    def reset(self) -> None:
        """Drop what people and alarms have said."""
        self._tell(self.ledger.reset(self._clock()), at_once=True)

    def plan(self, checks: Sequence[HealthCheck]) -> Succession:
        """What `take` needs to go on with another configuration's checks; for another thread to make."""
        return self.ledger.plan(checks, self._clock())

    def take(self, plan: Succession) -> None:
        """Go on with another configuration's checks. Nothing is published: whoever does it has a new authority.

        A checker whose check is what it was keeps its phase.
        """
        transitions = self.ledger.take(plan, self._clock())
        if not self._is_running:
            return
        for standing in plan.gone:
            self._disarm_from(standing)
        for before, after in plan.changed:
            if _goes_on(before.check, after.check):
                self._disarm_from(before, len(after.checkers))
                self._arm_from(after, len(before.checkers))
            else:
                self._disarm_from(before)
                self._arm_from(after)
        for standing in plan.begun:
            self._arm_from(standing)
        self._tell_watchers(transitions)

    def replace(self, checks: Sequence[HealthCheck]) -> None:
        """`plan` and `take`."""
        self.take(self.plan(checks))

    # Probes

    def _arm_from(self, standing: Standing, first: int = 0) -> None:
        """Let the checkers of a check probe, those from a number on, each after a phase of its own."""
        check = standing.check
        if not check.disabled:
            for number in range(first, len(standing.checkers)):
                self._arm((check.id, number), self._chance.random() * check.interval)

    def _arm(self, key: _Key, delay: float) -> None:
        self._timers[key] = asyncio.get_running_loop().call_later(delay, self._begin, key)

    def _disarm_from(self, standing: Standing, first: int = 0) -> None:
        for number in range(first, len(standing.checkers)):
            key = standing.check.id, number
            timer, task = self._timers.pop(key, None), self._probing.pop(key, None)
            if timer is not None:
                timer.cancel()
            if task is not None:
                task.cancel()
                self._ending.add(task)
                task.add_done_callback(self._ending.discard)

    def _begin(self, key: _Key) -> None:
        del self._timers[key]
        self._probing[key] = asyncio.get_running_loop().create_task(self._run(key))

    async def _run(self, key: _Key) -> None:
        check = self.ledger.standings[key[0]].check
        async with self._gate:
            try:
                observation = await self._probe(check)
            except (Exception, asyncio.CancelledError) as fault:  # a bug of ours, which must not end the checker
                if _is_being_cancelled():
                    raise asyncio.CancelledError from fault
                _log.exception("probing for health check %s failed", check.id)
                observation = Observation(False, f"Failure: {fault!r}")
        # It may have been cancelled without hearing of it: Python 3.11 loses that if what it waits for comes then.
        if not self._is_running or self._probing.get(key) is not asyncio.current_task():
            return
        del self._probing[key]
        self._arm(key, check.interval)
        self._observe(key, observation)

    def _observe(self, key: _Key, observation: Observation) -> None:
        check_id, number = key
        now = self._clock()
        transitions = self.ledger.observe(check_id, number, observation, now)
        if self.watchers:
            standing = self.ledger.standings[check_id]
            probed = Probed(standing.check, standing.checkers[number].region, observation, now)
            for watch in self.watchers:
                watch(probed)
        self._tell(transitions)

    # What comes of it

    def _tell(self, transitions: Sequence[Transition], *, at_once: bool = False) -> None:
        self._changed.update(transition.check.id for transition in transitions)
        if at_once:
            self._publish_now()
        elif transitions and self._gathering is None:
            self._gathering = asyncio.get_running_loop().call_later(GATHER, self._publish_now)
        self._tell_watchers(transitions)

    def _tell_watchers(self, transitions: Sequence[Transition]) -> None:
        for transition in transitions:
            status = "healthy" if transition.healthy else "UNHEALTHY"
            _log.info("health check %s is %s: %s", printable(transition.check.id), status, printable(transition.why))
            for watch in self.watchers:
                watch(transition)

    def _publish_now(self) -> None:
        if self._gathering is not None:
            self._gathering.cancel()
            self._gathering = None
        changed, self._changed = self._changed, set()
        if changed:
            self._publish(self.ledger.snapshot, changed)

    def _await_expiry(self) -> None:
        """Wait for the forced status that ends first."""
        if self._expiry is not None:
            self._expiry.cancel()
            self._expiry = None
        forced = [standing.forced for standing in self.ledger.standings.values() if standing.forced]
        ends = min((one.ends for one in forced if one.ends is not None), default=None)
        if ends is not None:
            self._expiry = asyncio.get_running_loop().call_at(ends, self._expire)

    def _expire(self) -> None:
        self._expiry = None
        moment = asyncio.get_running_loop().time()
        self._tell(self.ledger.expire(moment, self._clock()), at_once=True)
        self._await_expiry()


def _is_being_cancelled() -> bool:
    """Whether somebody else cancels this task; a library can raise CancelledError, too."""
    task = asyncio.current_task()
    return task is not None and task.cancelling() > 0


def _goes_on(check: HealthCheck, other: HealthCheck) -> bool:
    """Whether checkers go on as before, in their phases."""
    return asks_the_same(check, other) and (check.interval, check.disabled) == (other.interval, other.disabled)
