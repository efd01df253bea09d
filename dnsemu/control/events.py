"""What happens, told to whoever listens: server-sent events, made once for all listeners."""

from __future__ import annotations

import asyncio
import json
import logging
from collections import deque
from collections.abc import Callable, Coroutine, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

_log = logging.getLogger(__name__)
MOST = 1000  # events that wait for one listener; older ones are lost, and it is told how many


class Listener:
    """Somebody who listens: events that were not yet told, and how many were lost."""

    def __init__(self) -> None:
        self._lost = 0
        self._waiting: deque[bytes] = deque()
        self._arrived = asyncio.Event()

    def put(self, event: bytes) -> None:
        """One more event; never waits."""
        if len(self._waiting) >= MOST:
            self._waiting.popleft()
            self._lost += 1
        self._waiting.append(event)
        self._arrived.set()

    async def take(self, patience: float) -> bytes:
        """What has happened since the last time; nothing if nothing has for `patience` seconds."""
        try:
            async with asyncio.timeout(patience):
                await self._arrived.wait()
        except TimeoutError:
            return b""
        self._arrived.clear()
        lost = [as_event("lost", {"events": self._lost})] if self._lost else []
        taken = b"".join([*lost, *self._waiting])
        self._waiting.clear()
        self._lost = 0
        return taken


class Events:
    """Tells all listeners."""

    def __init__(self) -> None:
        self.listeners: set[Listener] = set()
        self.is_over = False
        self._telling: asyncio.Task[None] | None = None

    @contextmanager
    def listening(self) -> Iterator[Listener]:
        """A listener, for as long as the block lasts."""
        listener = Listener()
        self.listeners.add(listener)
        try:
            yield listener
        finally:
            self.listeners.discard(listener)

    def begin(self, telling: Callable[[], Coroutine[Any, Any, None]]) -> None:
        """Start a task that tells things as long as there are listeners, unless it runs."""
        if self._telling is None or self._telling.done():
            self._telling = asyncio.get_running_loop().create_task(telling())

    def end(self) -> None:
        """Let all listeners go."""
        self.is_over = True
        if self._telling is not None:
            self._telling.cancel()
        for listener in self.listeners:
            listener.put(b"")

    def tell(self, kind: str, content: Mapping[str, Any]) -> None:
        """Something has happened: `query`, `probe`, `transition`, `reload`, `control`; `content` as JSON has it."""
        if self.listeners:
            event = as_event(kind, content)
            for listener in self.listeners:
                listener.put(event)

    def note(self, what: str, who: str) -> None:
        """Somebody has changed something: to the log too."""
        _log.info("control: %s (by %s)", what, who)
        self.tell("control", {"what": what, "by": who})


def as_event(kind: str, content: Any) -> bytes:
    """A server-sent event."""
    return f"event: {kind}\ndata: {json.dumps(content, ensure_ascii=False)}\n\n".encode()
