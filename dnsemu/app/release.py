"""Letting go of what is no longer served, without keeping answers waiting for it."""

from __future__ import annotations

import asyncio
from itertools import chain

from dnsemu.authority import Authority, parts_of
from dnsemu.model import Configuration

_SLICE = 500  # parts that are freed before packets have their turn: a fraction of a millisecond
_tasks: set[asyncio.Task[None]] = set()  # the loop itself keeps no task alive


def let_go(authority: Authority, configuration: Configuration) -> None:
    """Free what nobody holds any more, bit by bit.

    Freeing a hundred thousand names takes a fifth of a second, in which nothing else happens. So their parts are held
    here when the containers go, and given up one slice after the other. The caller must give up its own hold at once.
    """
    record_sets = chain.from_iterable(zone.record_sets for zone in configuration.hosted_zones)
    task = asyncio.get_running_loop().create_task(_release([*parts_of(authority), *record_sets]))
    _tasks.add(task)
    task.add_done_callback(_tasks.discard)


async def _release(parts: list[object]) -> None:
    while parts:
        del parts[-_SLICE:]
        await asyncio.sleep(0)
