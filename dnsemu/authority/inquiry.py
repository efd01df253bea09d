"""One question on its way to an answer: who asks, and what was decided for them so far."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, NamedTuple

from dnsemu.draws import Draws
from dnsemu.location import Client
from dnsemu.routing import Choice, Reason

if TYPE_CHECKING:
    from dnsemu.authority.authority import Authority


class Decision(NamedTuple):
    """What one group was asked, and what it chose. `number`: that of the group in the authority."""

    number: int
    choice: Choice


NO_DECISIONS: Sequence[Decision] = ()


class Inquiry:
    """A question of class IN that somebody asks an authority.

    Entries leave here what they decide: `decisions` in their order, the `scope` of all of them together (CS4).
    """

    __slots__ = ("authority", "client", "decisions", "draws", "question", "scope")

    def __init__(self, question: bytes, client: Client, authority: Authority, draws: Draws) -> None:
        """`question`: name, type and class as they were asked."""
        self.question = question
        self.client = client
        self.authority = authority
        self.draws = draws
        self.scope = 0
        self.decisions: list[Decision] = []

    @property
    def name(self) -> bytes:
        """The name in lower-case wire form."""
        return self.question[:-4].lower()

    @property
    def type_class(self) -> bytes:
        """Type and class, four octets."""
        return self.question[-4:]

    def choose(self, number: int) -> tuple[int, ...]:
        """The members that the group of that number chooses."""
        choice = self.authority.routing.choosers[number].choose(self.client, self.draws)
        if choice.scope > self.scope:
            self.scope = choice.scope
        self.decisions.append(Decision(number, choice))
        return choice.members

    @property
    def is_last_resort(self) -> bool:
        """Whether a group had no healthy member (H5)."""
        return any(decision.choice.reason is Reason.ALL_UNHEALTHY for decision in self.decisions)
