"""What happens, told to whoever listens: server-sent events."""

from __future__ import annotations

import asyncio
import logging
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any, NamedTuple

_log = logging.getLogger(__name__)
MOST = 1000  # events that wait for one listener; older ones are lost, and it is told how many


class Event(NamedTuple):
    """Something that has happened: `transition`, `probe`, `reload`, `control`; as JSON has it."""

    kind: str
    content: Mapping[str, Any]


class Listener:
    """Somebody who listens: events that were not yet told, and how many were lost."""

    def __init__(self) -> None:
        self.lost = 0
        self._waiting: deque[Event] = deque()
        self._arrived = asyncio.Event()

    def put(self, event: Event) -> None:
        """One more event; never waits."""
        if len(self._waiting) >= MOST:
            self._waiting.popleft()
            self.lost += 1
        self._waiting.append(event)
        self._arrived.set()

    async def take(self, patience: float) -> list[Event]:
        """What has happened, at the latest after `patience` seconds."""
        try:
            await asyncio.wait_for(self._arrived.wait(), patience)
        except TimeoutError:
            return []
        self._arrived.clear()
        taken = list(self._waiting)
        self._waiting.clear()
        return taken


class Events:
    """Tells all listeners."""

    def __init__(self) -> None:
        self.listeners: set[Listener] = set()
        self.is_over = False

    @contextmanager
    def listening(self) -> Iterator[Listener]:
        """A listener, for as long as the block lasts."""
        listener = Listener()
        self.listeners.add(listener)
        try:
            yield listener
        finally:
            self.listeners.discard(listener)

    def note(self, what: str, who: str) -> None:
        """Somebody has changed something: to the log too."""
        _log.info("control: %s (by %s)", what, who)
        self.tell("control", {"what": what, "by": who})

    def tell(self, kind: str, content: Mapping[str, Any]) -> None:
        """Something has happened."""
        for listener in self.listeners:
            listener.put(Event(kind, content))
