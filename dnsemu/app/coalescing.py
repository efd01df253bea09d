"""Work of which one is done at a time, for all who want it."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from functools import partial
from typing import Any, TypeVar

T = TypeVar("T")


class Coalescing:
    """Does things one after the other. Who wants what already waits for its turn gets what comes of that.

    What is being done already is too old for somebody who comes meanwhile: it may have looked at things before they
    were changed.
    """

    def __init__(self) -> None:
        self._turn = asyncio.Lock()
        self._waiting: dict[Hashable, asyncio.Future[Any]] = {}

    @property
    def is_busy(self) -> bool:
        """Whether something is being done."""
        return self._turn.locked()

    async def do(self, what: Hashable, work: Callable[[], Awaitable[T]]) -> T:
        """The result of `work`, which `what` tells apart from others. Goes on for the others if one gives up."""
        future = self._waiting.get(what)
        if future is None:
            future = self._waiting[what] = asyncio.ensure_future(self._in_turn(what, work))
            future.add_done_callback(partial(self._end, what))
        result: T = await asyncio.shield(future)
        return result

    async def _in_turn(self, what: Hashable, work: Callable[[], Awaitable[T]]) -> T:
        async with self._turn:
            del self._waiting[what]
            return await work()

    def _end(self, what: Hashable, future: asyncio.Future[Any]) -> None:
        if self._waiting.get(what) is future:  # it was cancelled before its turn
            del self._waiting[what]
        if not future.cancelled():
            future.exception()  # nobody may be left to see it
