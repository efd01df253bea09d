"""Letting go of what is no longer served, without keeping answers waiting for it.

Freeing a hundred thousand names takes a fifth of a second, in which nothing else happens. So their parts are held
when the containers go, and given up one slice after the other.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable

from dnsemu.authority import Authority, parts_of
from dnsemu.model import Configuration

_SLICE = 500  # parts that are freed before packets have their turn: a fraction of a millisecond
_tasks: set[asyncio.Task[None]] = set()  # the loop itself keeps no task alive


def held(authority: Authority, configuration: Configuration, others: Iterable[object]) -> list[object]:
    """What they are mainly made of, and `others`, for `let_go`. Takes a while: for another thread."""
    record_sets = (record_set for zone in configuration.hosted_zones for record_set in zone.record_sets)
    return [*parts_of(authority), *record_sets, *configuration.health_checks, *others]


def let_go(parts: list[object]) -> None:
    """Free what nobody else holds any more, bit by bit; whoever calls must give up its own hold at once."""
    task = asyncio.get_running_loop().create_task(_release(parts))
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)


async def _release(parts: list[object]) -> None:
    while parts:
        del parts[-_SLICE:]
        await asyncio.sleep(0)
