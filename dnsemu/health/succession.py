"""What becomes of what is known when other health checks are configured. Pure.

There may be thousands, and most are what they were. So all that can be is done beforehand, in any thread, and what is
left to do at the moment of the change is about those alone that are others.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from dnsemu.health.judge import Turn, first_turn, judge_checkers
from dnsemu.health.standing import Checker, Standing, begin_standing, judge_standing
from dnsemu.model import HealthCheck


@dataclass(frozen=True, slots=True)
class Succession:
    """The standings of a configuration's checks, made of those before it.

    `kept`: those that stay, with the check as it is written now. `changed`: the standing before, and the one that
    follows it, to which what is known is still to be handed (`hand_over`). `begun`, `gone`: of checks that there were
    not before, and that there are no more. `parents`: of each child, the calculated checks that count it.
    """

    standings: dict[str, Standing]
    parents: dict[str, list[str]]
    kept: list[tuple[Standing, HealthCheck]]
    changed: list[tuple[Standing, Standing]]
    begun: list[Standing]
    gone: list[Standing]


def succession(before: Mapping[str, Standing], checks: Iterable[HealthCheck], now: float) -> Succession:
    """What is to become of the standings `before`, which are not touched, nor looked at beyond their checks."""
    made = Succession({}, {}, [], [], [], [])
    for check in checks:
        old = before.get(check.id)
        if old is not None and old.check == check:
            made.standings[check.id] = old
            made.kept.append((old, check))
        else:
            fresh = made.standings[check.id] = begin_standing(check, now)
            if check.type != "CALCULATED":
                fresh.healthy = fresh.unforced = judge_standing(fresh)
            if old is None:
                made.begun.append(fresh)
            else:
                made.changed.append((old, fresh))
        for child in dict.fromkeys(check.children):
            made.parents.setdefault(child, []).append(check.id)
    made.gone.extend(standing for check_id, standing in before.items() if check_id not in made.standings)
    return made


def hand_over(before: Standing, after: Standing) -> None:
    """Let a standing have what holds on: what was forced and counted, and what was seen if it asks the same."""
    check = after.check
    after.forced = before.forced
    after.healthy, after.since = before.healthy, before.since
    after.probes, after.transitions = before.probes, before.transitions
    if asks_the_same(before.check, check):
        after.alarm, after.last_data, after.control = before.alarm, before.last_data, before.control
        after.durations = before.durations
        for number, checker in enumerate(before.checkers[: check.checkers]):
            turn = checker.turn if checker.is_sure else _begun(first_turn(check), checker)
            after.checkers[number] = replace(checker, region=after.checkers[number].region, turn=turn)
        if any(checker.is_sure for checker in before.checkers):  # more of them begin with what the others think
            turn = Turn(judge_checkers(checker.turn for checker in before.checkers))
            for checker in after.checkers[len(before.checkers) :]:
                checker.turn, checker.is_sure = turn, True


def asks_the_same(check: HealthCheck, other: HealthCheck) -> bool:
    """Whether two checks ask the same of the same: then what is known of one holds for the other."""
    return _asked(check) == _asked(other)


def _asked(check: HealthCheck) -> tuple[object, ...]:
    return (
        *(check.type, check.fqdn, check.ip_address, check.port, check.resource_path, check.search_string),
        *(check.enable_sni, check.alarm, check.routing_control),
    )


def _begun(first: Turn, checker: Checker) -> Turn:
    """What a checker thinks that is not sure yet: as the check begins, by the inversion that there is now."""
    seen = checker.observation
    return first if seen is None or seen.success == first.healthy else Turn(first.healthy, checker.alike)
