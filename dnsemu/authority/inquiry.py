"""One question on its way to an answer: who asks, and what was decided for them so far."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol

from dnsemu.authority.choosing import Routing
from dnsemu.draws import Draws
from dnsemu.location import MAPPED_BITS, Client, Locator
from dnsemu.routing import Choice, Chooser, Reason
from dnsemu.wire import HEADER

Decision = tuple[int, Choice]
"""What a group with a routing policy, by its number in the authority, has chosen."""
NO_DECISIONS: tuple[Decision, ...] = ()
LAST_RESORT = Reason.ALL_UNHEALTHY


def _nobody_knows() -> Locator:
    raise AssertionError("a policy that does not go by the client asks where it is")


NOBODY = Client(_nobody_knows, bytes(4), 0)
"""For policies to which it does not matter who asks."""


class Served(Protocol):
    """What an inquiry is made to: an authority."""

    @property
    def choosers(self) -> Sequence[Chooser]:
        """What chooses for the groups with a routing policy, by their numbers."""

    @property
    def routing(self) -> Routing:
        """The groups themselves."""

    @property
    def locator(self) -> Callable[[], Locator]:
        """Gives who knows where clients are."""


class Inquiry(Client):
    """A client with a question of class IN to an authority: what entries get to choose by.

    `is_subnet`: it is known by a client subnet, not by the source of the packet.

    They leave here what they decide: `decisions` in their order, the `scope` of all of them together (CS4), and
    whether a group had no healthy member (H5).
    """

    scope = 0
    is_last_resort = False
    is_subnet = False

    def __init__(
        self, authority: Served, draws: Draws, packet: bytes, question_end: int, address: bytes, length: int
    ) -> None:
        """The question stands in `packet`, up to `question_end`."""
        # What the base class does, without the call: this is the answer path.
        self.locator = authority.locator
        self.address = address
        self.length = length
        if length >= MAPPED_BITS:
            self._unmap()
        self.authority = authority
        self.choosers = authority.choosers
        self.draws = draws
        self.decisions: list[Decision] = []
        self._packet = packet
        self._question_end = question_end

    @property
    def name(self) -> bytes:
        """The name in lower-case wire form."""
        return self._packet[HEADER : self._question_end - 4].lower()

    @property
    def type_class(self) -> bytes:
        """Type and class, four octets."""
        return self._packet[self._question_end - 4 : self._question_end]

    def choose(self, number: int) -> tuple[int, ...]:
        """The members that the group of that number chooses."""
        choice = self.choosers[number].choose(self, self.draws)
        members, reason, scope = choice
        if scope > self.scope:
            self.scope = scope
        if reason is LAST_RESORT:
            self.is_last_resort = True
        self.decisions.append((number, choice))
        return members
