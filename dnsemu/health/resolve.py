"""Names of endpoints → addresses: by the server's own zones first, then by the system (behaviour 3.3)."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from dataclasses import replace
from ipaddress import IPv4Address

from dnsemu.authority import Authority, Response, respond
from dnsemu.draws import Draws
from dnsemu.errors import TextError
from dnsemu.health.observation import Unresolved
from dnsemu.model import Type, read_name, show_name
from dnsemu.wire import AA, TCP, Rcode, records_of, type_and_class

TIMEOUT = 5.0  # seconds for the system to answer
MAX_CHAIN = 8  # CNAMEs from zone to zone
_QUESTION = bytes((0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0, 0))
_CHECKER = bytes((127, 0, 0, 1))  # where checkers ask from: no policy knows where that is


class Resolver:
    """Resolves names anew each time, A records only. One look-up of the system a name, however many wait for it."""

    def __init__(self, authority: Callable[[], Authority], draws: Draws) -> None:
        """`draws`: not those of the answers, which probes must not disturb."""
        self._authority = authority
        self._draws = draws
        self._asked: dict[str, asyncio.Future[str]] = {}

    async def __call__(self, name: str) -> str:
        """An IPv4 address. Raises Unresolved."""
        try:
            wire = read_name(name)
        except TextError as error:
            raise Unresolved(error.message) from None
        for _ in range(MAX_CHAIN):
            found = self._own(wire)
            if found is None:  # without the dot at the end: with it, /etc/hosts has no names
                return await self._by_the_system(show_name(wire).removesuffix(".") or ".")
            if isinstance(found, str):
                return found
            wire = found
        raise Unresolved(f"{name} leads on and on")

    def _own(self, name: bytes) -> str | bytes | None:
        """An address, a name in another zone that the answer leads to, or None if no zone of ours answers.

        Checkers are outside of every VPC: private zones are not for them (2.5).
        """
        public = replace(self._authority(), views=None)
        question = _QUESTION + name + type_and_class(Type.A)
        answer = respond(public, question, _CHECKER, TCP, self._draws)
        if not isinstance(answer, Response) or not answer.wire[2] & AA:  # not ours, or delegated
            return None
        if answer.rcode != Rcode.NOERROR:
            why = "does not exist" if answer.rcode == Rcode.NXDOMAIN else Rcode(answer.rcode).name
            raise Unresolved(f"{show_name(name)} {why}")
        target = None
        for _, rdtype, _, rdata in records_of(name, answer.reply.answer):
            if rdtype == Type.A:
                return str(IPv4Address(rdata))
            target = rdata if rdtype == Type.CNAME else target
        if target is None:
            raise Unresolved(f"{show_name(name)} has no A record")
        return target

    async def _by_the_system(self, name: str) -> str:
        loop = asyncio.get_running_loop()
        future = self._asked.get(name)
        if future is None:
            future = loop.create_future()
            # A thread of its own, which ends with the process: a name whose servers are dead holds nobody else up.
            thread = threading.Thread(target=_look_up, args=(name, loop, future), name="dnsemu-resolve", daemon=True)
            try:
                thread.start()
            except RuntimeError as error:  # the system has no room for one more
                raise Unresolved(f"{name} can not be looked up: {error}") from None
            self._asked[name] = future
            future.add_done_callback(lambda _: self._asked.pop(name, None))
        try:
            async with asyncio.timeout(TIMEOUT):
                return await asyncio.shield(future)
        except TimeoutError:
            raise Unresolved(f"no answer for {name} within {TIMEOUT:g} s") from None


def _look_up(name: str, loop: asyncio.AbstractEventLoop, future: asyncio.Future[str]) -> None:
    """Asks the system, and tells the loop, if that is still there."""
    found: str | Unresolved
    try:
        found = str(socket.getaddrinfo(name, None, socket.AF_INET, socket.SOCK_STREAM)[0][4][0])
    except OSError as error:
        found = Unresolved(f"{name}: {error.strerror or error}")
    except UnicodeError:
        found = Unresolved(f"{name} is not a host name")
    try:
        loop.call_soon_threadsafe(_tell, future, found)
    except RuntimeError:  # the loop is closed
        return


def _tell(future: asyncio.Future[str], found: str | Unresolved) -> None:
    if future.done():
        return
    if isinstance(found, str):
        future.set_result(found)
    else:
        future.set_exception(found)
        future.exception()  # whoever waited may have given up
