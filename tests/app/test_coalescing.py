"""One at a time, and who waits for the same gets the same."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

import pytest

from dnsemu.app.coalescing import Coalescing


class Works:
    """Works that end when they are told to; what they were, and how many are being done."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.at_a_time = 0
        self._gates: list[asyncio.Event] = []

    def work(self, name: str) -> Callable[[], Awaitable[str]]:
        async def do() -> str:
            self.begun.append(name)
            self.at_a_time += 1
            assert self.at_a_time == 1
            gate = asyncio.Event()
            self._gates.append(gate)
            await gate.wait()
            self.at_a_time -= 1
            if name == "bad":
                raise ValueError(name)
            return f"{name} {len(self.begun)}"

        return do

    async def end(self) -> None:
        """Let the one that is being done end, and the next one begin."""
        self._gates.pop().set()
        await settle()


async def settle() -> None:
    for _ in range(10):
        await asyncio.sleep(0)


def test_who_waits_for_the_same_gets_the_same() -> None:
    async def story() -> list[str]:
        works, coalescing = Works(), Coalescing()
        assert not coalescing.is_busy
        asked = []
        for name in ("a", "a", "b", "a", "b"):
            asked.append(asyncio.create_task(coalescing.do(name, works.work(name))))
            await settle()
            assert coalescing.is_busy
        for _ in range(3):
            await works.end()
        assert not coalescing.is_busy
        return [await one for one in asked]

    # the first was being done already when the second was asked for
    assert asyncio.run(story()) == ["a 1", "a 2", "b 3", "a 2", "b 3"]


def test_what_fails_fails_for_all_who_waited_and_for_nobody_else() -> None:
    async def story() -> None:
        works, coalescing = Works(), Coalescing()
        asked = [asyncio.create_task(coalescing.do(name, works.work(name))) for name in ("good", "bad", "bad")]
        await settle()
        await works.end()
        later = asyncio.create_task(coalescing.do("bad", works.work("good")))
        await settle()
        await works.end()
        await works.end()
        assert await asked[0] == "good 1"
        for one in asked[1:]:
            with pytest.raises(ValueError, match="bad"):
                await one
        assert await later == "good 3"

    asyncio.run(story())


def test_what_is_cancelled_before_its_turn_can_be_asked_for_again() -> None:
    async def story() -> str:
        works, coalescing = Works(), Coalescing()
        first = asyncio.create_task(coalescing.do("a", works.work("a")))
        await settle()
        doomed = asyncio.create_task(coalescing.do("b", works.work("b")))
        await settle()
        coalescing._waiting["b"].cancel()
        await asyncio.gather(doomed, return_exceptions=True)
        again = asyncio.create_task(coalescing.do("b", works.work("b")))
        await settle()
        await works.end()
        await works.end()
        assert await first == "a 1"
        return await again

    assert asyncio.run(story()) == "b 2"


@pytest.mark.parametrize("name", ["good", "bad"])
def test_who_gives_up_stops_nothing(name: str) -> None:
    async def story() -> list[dict[str, object]]:
        told: list[dict[str, object]] = []
        asyncio.get_running_loop().set_exception_handler(lambda _, context: told.append(context))
        works, coalescing = Works(), Coalescing()
        asked = [asyncio.create_task(coalescing.do("x", works.work(name))) for _ in range(2)]
        await settle()
        for one in asked:
            one.cancel()
        await asyncio.gather(*asked, return_exceptions=True)
        assert coalescing.is_busy
        await works.end()
        assert works.begun == [name]
        assert not coalescing.is_busy
        return told

    assert asyncio.run(story()) == [], "nobody is told of what nobody waits for"
