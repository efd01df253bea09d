"""Random zones with health checks, endpoints that die and come back, and what may be answered at any moment.

A `Schedule` is all that will happen, from one seed. A `Play` lets it happen on a virtual clock, and says of every
moment what may be answered then, in two ways: by what the probes have seen so far, exactly (`Play.seen`); and without
looking at any probe, by how long endpoints have been as they are (`Play.due`).

Answers follow from statuses by the letter of behaviour 2.2.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from itertools import product
from random import Random
from typing import NamedTuple

from health.checks import calculated, probed
from health.naive import Result, at_first, finished, is_share_enough, says_healthy
from health.virtual import clock, now

from dnsemu.app import load_text
from dnsemu.authority import Authority
from dnsemu.health import Monitor, Observation, Probed, Transition
from dnsemu.health.monitor import GATHER
from dnsemu.model import HealthCheck, HealthSnapshot

ZONE = "t.test"
CHECKS = ("c0", "c1", "c2", "c3", "c4")
COUNTS = ("k0", "k1")
LENGTH = 75.0  # seconds of a schedule
SLOWEST = 4.0  # seconds that a probe may take
MOST = 8  # members in one multivalue answer
_BLINK = 1e-6  # seconds in which nothing happens but what happens together

# Zones


@dataclass(frozen=True)
class Member:
    """A record set of a group: an address or, as an alias, the name of an earlier group; its weight or role."""

    identifier: str
    rule: str
    check: str = ""
    address: str = ""
    alias: str = ""
    evaluate: bool = False

    def row(self, group: Group) -> str:
        """As it stands in a file."""
        parts = [f"name: {group.name}", "type: A", f"set_identifier: {self.identifier}", self.rule]
        if self.alias:
            parts.append(f"alias: {{name: {self.alias}, evaluate_target_health: {str(self.evaluate).lower()}}}")
        else:
            parts += ["ttl: 30", f"records: {self.address}"]
        if self.check:
            parts.append(f"health_check_id: {self.check}")
        return f"      - {{{', '.join(parts)}}}\n"


@dataclass(frozen=True)
class Group:
    """All record sets of one name."""

    name: str
    policy: str
    members: tuple[Member, ...]


@dataclass(frozen=True)
class Layout:
    """A zone, and the authority that was made of it."""

    groups: Mapping[str, Group]
    text: str
    authority: Authority


@lru_cache(maxsize=8)
def layout(seed: int) -> Layout:
    """A random zone: three to six groups, later ones with aliases of earlier ones."""
    rng, groups = Random(f"layout {seed}"), dict[str, Group]()
    addresses = (f"10.0.{number // 100}.{number % 100 + 1}" for number in range(1000))
    policies = ["failover", "weighted", "multivalue", *rng.choices(("failover", "weighted", "multivalue"), k=3)]
    for number in range(rng.randint(3, 6)):
        name = f"{policies[number][0]}{number}"
        groups[name] = _MAKERS[policies[number]](rng, name, list(groups), addresses)
    text = _text(groups)
    return Layout(groups, text, load_text(text).authority)


def _text(groups: Mapping[str, Group]) -> str:
    rows = [member.row(group) for group in groups.values() for member in group.members]
    checks = [f"  - {{id: {one}, type: TCP, ip_address: 192.0.2.9, port: 80}}\n" for one in CHECKS]
    counts = [
        f"  - {{id: {one}, type: CALCULATED, child_healthchecks: [c0], child_health_threshold: 1}}\n"
        for one in COUNTS
    ]
    return "".join(
        [
            f"version: 1\nhosted_zones:\n  - name: {ZONE}\n    name_servers: [ns.example.net]\n    record_sets:\n",
            *rows,
            "health_checks:\n",
            *checks,
            *counts,
        ]
    )


def _check(rng: Random) -> str:
    return rng.choice((*CHECKS, *CHECKS, *COUNTS))


def _failover(rng: Random, name: str, before: Sequence[str], addresses: Iterator[str]) -> Group:
    members = []
    for role in ("PRIMARY", "SECONDARY"):
        rule = f"failover_routing_policy: {{type: {role}}}"
        check = _check(rng) if role == "PRIMARY" or rng.random() < 0.5 else ""
        if before and rng.random() < 0.4:
            check = check if rng.random() < 0.3 else ""
            members.append(Member(role.lower(), rule, check, alias=rng.choice(before), evaluate=True))
        else:
            members.append(Member(role.lower(), rule, check, next(addresses)))
    if rng.random() < 0.1:
        members = [rng.choice(members)]
    return Group(name, "failover", tuple(members))


def _weighted(rng: Random, name: str, before: Sequence[str], addresses: Iterator[str]) -> Group:
    members, weights = [], (0, 1, 5, 255) if rng.random() < 0.9 else (0,)
    for number in range(rng.randint(1, 5)):
        rule = f"weighted_routing_policy: {{weight: {rng.choice(weights)}}}"
        check = _check(rng) if rng.random() < 0.85 else ""
        if before and rng.random() < 0.25:
            check = check if rng.random() < 0.4 else ""
            evaluate = rng.random() < 0.7
            members.append(Member(f"w{number}", rule, check, alias=rng.choice(before), evaluate=evaluate))
        else:
            members.append(Member(f"w{number}", rule, check, next(addresses)))
    return Group(name, "weighted", tuple(members))


def _multivalue(rng: Random, name: str, before: Sequence[str], addresses: Iterator[str]) -> Group:
    rule, count = "multivalue_answer_routing_policy: true", rng.choice((1, 2, 3, 4, 9, 12))
    has_unchecked = rng.random() < 0.3
    members = [
        Member(f"m{number}", rule, "" if has_unchecked and rng.random() < 0.3 else _check(rng), next(addresses))
        for number in range(count)
    ]
    return Group(name, "multivalue", tuple(members))


_MAKERS = {"failover": _failover, "weighted": _weighted, "multivalue": _multivalue}


# What may be answered (2.2)


class Draw(NamedTuple):
    """An answer is so many of these addresses."""

    pool: frozenset[str]
    count: int


def may_answer(groups: Mapping[str, Group], name: str, status: HealthSnapshot) -> set[Draw]:
    """Every way to choose for a name."""
    group = groups[name]
    chosen = _chosen(groups, group, status)
    if group.policy == "multivalue":
        return {Draw(frozenset(member.address for member in chosen), min(MOST, len(chosen)))}
    found: set[Draw] = set()
    for member in chosen:
        if member.alias:
            found |= may_answer(groups, member.alias, status)
        else:
            found.add(Draw(frozenset({member.address}), 1))
    return found


def _chosen(groups: Mapping[str, Group], group: Group, status: HealthSnapshot) -> list[Member]:
    """The members that chance decides among."""
    cands = list(group.members)
    ok = [member for member in cands if _healthy(groups, member, status)]
    if group.policy == "weighted":
        for pool in (
            [m for m in ok if _weight(m)],
            [m for m in ok if not _weight(m)],
            [m for m in cands if _weight(m)],
        ):
            if pool:
                return pool
        return cands
    if group.policy == "failover":
        for among in (ok, cands):
            for role in ("primary", "secondary"):
                found = [member for member in among if member.identifier == role]
                if found:
                    return found
    return ok or cands


def _weight(member: Member) -> bool:
    return "weight: 0" not in member.rule


def _healthy(groups: Mapping[str, Group], member: Member, status: HealthSnapshot) -> bool:
    if member.check and not status[member.check]:
        return False
    if member.alias and member.evaluate:
        return any(_healthy(groups, one, status) for one in groups[member.alias].members)
    return True


def checks_behind(groups: Mapping[str, Group], name: str) -> set[str]:
    """The checks that may have a say in the answers for a name."""
    found = {member.check for member in groups[name].members} - {""}
    for member in groups[name].members:
        if member.alias:
            found |= checks_behind(groups, member.alias)
    return found


# What will happen


@dataclass(frozen=True)
class Forcing:
    """A status that somebody sets, for some seconds or, with None, for good."""

    at: float
    check: str
    healthy: bool
    seconds: float | None

    def holds(self, moment: float) -> bool:
        """Whether it is not over."""
        return self.at <= moment and (self.seconds is None or moment < self.at + self.seconds)


@dataclass(frozen=True)
class Schedule:
    """All that will happen. `lives`: of each endpoint, by its port, when it dies and comes back, in turn.

    `reloads`: when the same configuration is loaded anew.
    """

    seed: int
    layout: Layout
    checks: tuple[HealthCheck, ...]
    lives: Mapping[int, tuple[float, ...]]
    forcings: tuple[Forcing, ...]
    reloads: tuple[float, ...]
    moments: tuple[float, ...]

    def is_alive(self, port: int, moment: float) -> bool:
        """Whether an endpoint is up; at first it is."""
        return bisect_right(self.lives[port], moment) % 2 == 0


def schedule(seed: int) -> Schedule:
    """From one number; ten schedules share a zone."""
    rng = Random(f"schedule {seed}")
    ports = range(1, rng.randint(2, 4) + 1)
    checks = [_probed(rng, check_id, rng.choice(ports)) for check_id in CHECKS]
    checks += [_counting(rng, check_id) for check_id in COUNTS]
    rng.shuffle(checks)
    lives = {port: _life(rng) for port in ports}
    forcings = [_forcing(rng) for _ in range(rng.choice((0, 0, 1, 3)))]
    moments = sorted(rng.uniform(0, LENGTH) for _ in range(12))
    reloads = [rng.uniform(0, LENGTH) for _ in range(rng.choice((0, 0, 1, 2)))]
    return Schedule(seed, layout(seed // 10), tuple(checks), lives, tuple(forcings), tuple(reloads), tuple(moments))


def _probed(rng: Random, check_id: str, port: int) -> HealthCheck:
    return probed(
        check_id,
        port=port,
        failure_threshold=rng.choice((1, 2, 3)),
        interval=rng.choice((5.0, 8.0, 10.0)),
        checkers=rng.choice((1, 1, 1, 1, 1, 2, 2, 6)),
        inverted=rng.random() < 0.15,
        disabled=rng.random() < 0.05,
        initial_status=rng.choice((None, None, None, True, False)),
    )


def _counting(rng: Random, check_id: str) -> HealthCheck:
    children = rng.sample(CHECKS, rng.randint(0, 4))
    threshold = rng.randint(0, len(children) + 1) if rng.random() < 0.2 else rng.randint(1, max(len(children), 1))
    return calculated(check_id, " ".join(children), threshold, inverted=rng.random() < 0.2)


def _life(rng: Random) -> tuple[float, ...]:
    """Well; down from the start; down once; down for a while; in and out; flapping."""
    kind = rng.choice(("well", "down", "once", "while", "while", "often", "flaps"))
    times = {"well": 0, "down": 0, "once": 1, "while": 2, "often": 5, "flaps": 40}[kind]
    return (0.0,) if kind == "down" else tuple(sorted(rng.uniform(0, LENGTH) for _ in range(times)))


def _forcing(rng: Random) -> Forcing:
    seconds = rng.choice((None, rng.uniform(0.001, 30.0)))
    return Forcing(rng.uniform(0, LENGTH), rng.choice((*CHECKS, *COUNTS)), rng.random() < 0.5, seconds)


# As it happens


class Seen(NamedTuple):
    """A probe that has ended."""

    at: float
    success: bool


@dataclass
class Play:
    """A schedule, as it happens. `publish` gets every authority that is to be served."""

    schedule: Schedule
    publish: Callable[[Authority], None]
    seen_by: dict[tuple[str, str], list[Seen]] = field(default_factory=dict)  # check and region
    ends: list[float] = field(default_factory=list)  # of probes
    _known: tuple[float, list[dict[str, bool]]] | None = None

    async def run(self, look: Callable[[float], None]) -> None:
        """Let everything happen, and look at the moments that the schedule has."""
        plan = self.schedule
        self._chance = Random(f"play {plan.seed}")
        self._authority = plan.layout.authority
        monitor = Monitor(plan.checks, self._probe, self._take, clock, self._chance)
        monitor.watchers.append(self._note)
        self._take(monitor.ledger.snapshot)
        monitor.start()
        for moment, event in self._plan():
            await asyncio.sleep(moment - now())
            if isinstance(event, Forcing):
                monitor.force(event.check, healthy=event.healthy, seconds=event.seconds)
            elif event == "reload":
                monitor.replace(list(plan.checks))
                self._authority = plan.layout.authority
                self._take(monitor.ledger.snapshot)
            look(max(now(), moment))  # a clock rounds
        await monitor.close()

    def _plan(self) -> list[tuple[float, Forcing | str]]:
        plan = self.schedule
        found: list[tuple[float, Forcing | str]] = [(one.at, one) for one in plan.forcings]
        found += [(moment, "reload") for moment in plan.reloads]
        found += [(moment, "look") for moment in plan.moments]
        return sorted(found, key=lambda one: one[0])

    async def _probe(self, check: HealthCheck) -> Observation:
        is_alive = self.schedule.is_alive(check.port, now())
        seconds = self._chance.uniform(0.001, 0.2) if is_alive or self._chance.random() < 0.7 else SLOWEST
        await asyncio.sleep(seconds)
        return Observation(is_alive, "Success: it is up" if is_alive else "Failure: it is down")

    def _take(self, snapshot: HealthSnapshot, changed: Collection[str] | None = None) -> None:
        self._authority = self._authority.with_health(snapshot, changed)
        self.publish(self._authority)

    def _note(self, news: Probed | Transition) -> None:
        if isinstance(news, Probed):
            found = self.seen_by.setdefault((news.check.id, news.region), [])
            found.append(Seen(now(), news.observation.success))
            self.ends.append(now())

    # By what was seen

    def seen(self, name: str, moment: float) -> set[Draw]:
        """What may be answered: changes may have been gathered for a while."""
        if self._known is None or self._known[0] != moment:
            self._known = moment, self.statuses(moment)
        found: set[Draw] = set()
        for status in self._known[1]:
            found |= may_answer(self.schedule.layout.groups, name, status)
        return found

    def statuses(self, moment: float) -> list[dict[str, bool]]:
        """What may have been published last: how it was at some moment within the time of gathering.

        But what people say is published at once, with all that was gathered.
        """
        told = [at for one in self.schedule.forcings for at in (one.at, one.at + (one.seconds or 0.0))]
        recent = [at for at in told if moment - GATHER < at <= moment]
        changing = [at for at in recent if self.status_at(at - _BLINK) != self.status_at(at + _BLINK)]
        begin = max([moment - GATHER, *changing])
        ends = self.ends[bisect_right(self.ends, begin) :]
        return [self.status_at(at) for at in (begin + _BLINK, *ends, *recent)]

    def status_at(self, moment: float) -> dict[str, bool]:
        """The status of every check, by the probes that had ended."""
        found = {check.id: self._of_probed(check, moment) for check in self.schedule.checks if check.is_probed}
        found |= {check_id: forced for check_id in CHECKS if (forced := self.forced(check_id, moment)) is not None}
        return self.with_counts(found, moment)

    def with_counts(self, status: dict[str, bool], moment: float) -> dict[str, bool]:
        """And that of those that count others."""
        for check in self.schedule.checks:
            if not check.is_probed:
                forced = self.forced(check.id, moment)
                healthy = sum(status[child] for child in check.children)
                status[check.id] = finished(check, healthy >= check.threshold) if forced is None else forced
        return status

    def forced(self, check_id: str, moment: float) -> bool | None:
        """What somebody has set it to be, and which is not over: the last word counts."""
        said = [one for one in self.schedule.forcings if one.check == check_id and one.at <= moment]
        last = max(said, key=lambda one: one.at, default=None)
        return last.healthy if last is not None and last.holds(moment) else None

    def _of_probed(self, check: HealthCheck, moment: float) -> bool:
        said = []
        for region in check.regions[: check.checkers]:
            seen = self.seen_by.get((check.id, region), [])
            seen = seen[: bisect_right(seen, (moment, True))]
            results = [Result(one.success, check.failure_threshold) for one in seen]
            said.append(says_healthy(results, at_first(check)))
        return finished(check, is_share_enough(said))

    # By the time that has passed

    def due(self, name: str, moment: float) -> set[Draw] | None:
        """What may be answered by how long endpoints have been as they are; None if that says too little."""
        behind = checks_behind(self.schedule.layout.groups, name)
        checks = {check.id: check for check in self.schedule.checks}
        behind |= {child for check_id in behind for child in checks[check_id].children}
        known = {check_id: self._due(checks[check_id], moment) for check_id in behind if checks[check_id].is_probed}
        unknown = [check_id for check_id, status in known.items() if status is None]
        if len(unknown) > 3:
            return None
        found: set[Draw] = set()
        for guess in product((True, False), repeat=len(unknown)):
            status = dict.fromkeys(CHECKS, True)
            status |= {check_id: one for check_id, one in known.items() if one is not None}
            status |= dict(zip(unknown, guess, strict=True))
            found |= may_answer(self.schedule.layout.groups, name, self.with_counts(status, moment))
        return found

    def _due(self, check: HealthCheck, moment: float) -> bool | None:
        forced = self.forced(check.id, moment)
        if forced is not None:
            return forced
        if check.disabled:
            return finished(check, True)
        slack = slowest_turn(check)
        turns = [0.0, *(at for at in self.schedule.lives[check.port] if at <= moment)]
        is_alive = self.schedule.is_alive(check.port, moment)
        if moment - turns[-1] > slack:
            return finished(check, is_alive)
        for number in range(1, len(turns)):  # it was one thing for long enough, and then a few results were otherwise
            before, turn = turns[number - 1], turns[number]
            if turn - before > slack and moment - turn < (check.failure_threshold - 1) * check.interval:
                return finished(check, self.schedule.is_alive(check.port, before))
        return None


def slowest_turn(check: HealthCheck) -> float:
    """Seconds after which every change of an endpoint is published.

    A probe may be under way, which does not see it; then as many as the threshold has come, each an interval after
    the one before.
    """
    return SLOWEST + check.failure_threshold * (check.interval + SLOWEST) + GATHER
