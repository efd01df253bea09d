"""What a policy decides: which members of a group answer one question, and why."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from copy import copy
from dataclasses import dataclass
from enum import Enum
from typing import ClassVar, NamedTuple, Protocol

from dnsemu.draws import Draws
from dnsemu.location import Client, Geography, Located, Locator
from dnsemu.model import CidrCollection, RecordSet, RoutingPolicy

_KEPT = 65536  # places whose choice is remembered


class Reason(Enum):
    """Why a member was taken."""

    MATCHED = "matched"  # the policy's first choice
    DEFAULT = "default"  # the member for all others
    FAILOVER = "failover"  # a better one is unhealthy
    ALL_UNHEALTHY = "all_unhealthy"  # the last resort: nobody is healthy, so everybody counts as healthy (H5)
    NO_MATCH = "no_match"  # no member is for this client (C9)

    __hash__ = object.__hash__  # there is one of each, and Enum's own, by name, takes longer than to choose


class Choice(NamedTuple):
    """The members taken, by their numbers; none if nothing matches.

    `scope`: the prefix length at which every client that shares the prefix gets the same choice; 0 where the client
    does not matter (CS4).
    """

    members: tuple[int, ...]
    reason: Reason
    scope: int = 0


Outcome = tuple[int | None, Reason]
"""A member, by its number, or none, and why."""


class Verdict(NamedTuple):
    """What is to be said about one member, for one client.

    `share`: in how many of the answers it is, 0 … 1. `why` is a clause for people, as `weight 90 of 100`.
    """

    matched: bool
    share: float
    why: str


class Chooser(Protocol):
    """A group's policy with the health of its members: all that a question needs.

    `criterion` is said of what it takes first.
    """

    @property
    def criterion(self) -> str:
        """As `the lowest latency`."""

    def with_health(self, healthy: tuple[bool, ...]) -> Chooser:
        """The same for other health; what does not depend on health is shared."""

    def choose(self, client: Client, draws: Draws) -> Choice:
        """The choice for one question."""

    def judge(self, client: Client) -> Sequence[Verdict]:
        """What the choice is made from, a verdict for each member. Never draws."""


class Policy(RoutingPolicy, Protocol):
    """A routing policy that can choose.

    `by_client`: whether it matters who asks (C12); if not, any client will do.
    """

    by_client: ClassVar[bool]

    def outcomes(self, members: Sequence[RecordSet], can_fail: Sequence[bool]) -> Iterator[Outcome]:
        """What can come of a choice among `members`, if those that `can_fail` do or do not."""

    def chooser(self, members: Sequence[RecordSet], healthy: tuple[bool, ...], key: bytes, world: World) -> Chooser:
        """The chooser of a group all of whose members have this policy. `key` is that of the group's draws."""


@dataclass(frozen=True, slots=True)
class World:
    """What policies look at beside the group and the client.

    `locator` gives who knows where clients are, made when a policy first asks. `private`: for a private hosted zone,
    where distance stands for latency (L7). `legacy_bias`: A1.
    """

    locator: Callable[[], Locator]
    collections: Mapping[str, CidrCollection]
    legacy_bias: bool = False
    private: bool = False

    @property
    def geography(self) -> Geography:
        """Where places are."""
        return self.locator().geography


class Ranked:
    """Choosing for policies that put the members in an order for each client, the best first (2.2).

    The first healthy one is taken; if none is, the first (H5, G10). Only members that are for this client stand in
    the order.
    """

    criterion: ClassVar[str]

    def __init__(self, healthy: tuple[bool, ...], default: int = -1) -> None:
        """`default`: the number of the member for all other clients, if there is one."""
        self.healthy = healthy
        self.default = default

    def rank(self, client: Client) -> tuple[Sequence[int], int]:
        """Numbers of members, best first, and the scope of that; it does not depend on health."""
        raise NotImplementedError

    def why(self, member: int, client: Client) -> str:
        """What `judge` says about a member."""
        raise NotImplementedError

    def with_health(self, healthy: tuple[bool, ...]) -> Ranked:
        """The same for other health."""
        twin = copy(self)
        twin.healthy = healthy
        return twin

    def choose(self, client: Client, draws: Draws) -> Choice:
        """The best one that is healthy."""
        ranked, scope = self.rank(client)
        return self.best(ranked, scope and scope + client.shift)

    def best(self, ranked: Sequence[int], scope: int) -> Choice:
        """The choice among members in the order of `rank`."""
        healthy = self.healthy
        for member in ranked:
            if healthy[member]:
                reason = Reason.DEFAULT if member == self.default else Reason.MATCHED
                return Choice((member,), reason if member == ranked[0] else Reason.FAILOVER, scope)
        if ranked:
            return Choice((ranked[0],), Reason.ALL_UNHEALTHY, scope)
        return Choice((), Reason.NO_MATCH, scope)

    def judge(self, client: Client) -> list[Verdict]:
        """One member has all the answers, or none has any."""
        ranked, _ = self.rank(client)
        taken = next((member for member in ranked if self.healthy[member]), ranked[0] if ranked else -1)
        return [
            Verdict(member in ranked, float(member == taken), self.why(member, client))
            for member in range(len(self.healthy))
        ]


def ranked_outcomes(can_fail: Sequence[bool], default: int | None = None) -> Iterator[Outcome]:
    """What can come of a choice of the best one that is healthy; without `default` if all are for every client."""
    for member, fails in enumerate(can_fail):
        yield member, Reason.DEFAULT if member == default else Reason.MATCHED
        if any(can_fail[:member]) or any(can_fail[member + 1 :]):
            yield member, Reason.FAILOVER
        last = all(can_fail) if default is None else fails and (default < 0 or can_fail[default])
        if last:
            yield member, Reason.ALL_UNHEALTHY
    if default is not None and default < 0:
        yield None, Reason.NO_MATCH


class RankedByPlace(Ranked):
    """Choosing where nothing but the client's place decides: what a place comes to is remembered.

    It can not be out of date: places, members and health are what they are as long as this chooser lives, and another
    health has another chooser (docs/decisions/0003).
    """

    def __init__(self, healthy: tuple[bool, ...], default: int = -1) -> None:
        super().__init__(healthy, default)
        self._choices: dict[Located, Choice] = {}

    def with_health(self, healthy: tuple[bool, ...]) -> Ranked:
        """The same for other health."""
        twin = super().with_health(healthy)
        twin._choices = {}  # type: ignore[attr-defined]  # noqa: SLF001
        return twin

    def choose(self, client: Client, draws: Draws) -> Choice:
        """The best one that is healthy."""
        located = client.located
        choice = self._choices.get(located)
        if choice is None or client.shift:
            choice = super().choose(client, draws)
            if len(self._choices) >= _KEPT:
                self._choices.clear()
            if not client.shift:
                self._choices[located] = choice
        return choice


def by_set_identifier(members: Sequence[RecordSet]) -> list[int]:
    """Numbers of members in the byte order of their set identifiers, which decides ties (L9, A18)."""
    return sorted(range(len(members)), key=lambda number: (members[number].set_identifier or "").encode())
