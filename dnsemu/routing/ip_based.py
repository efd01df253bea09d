"""IP-based routing (behaviour 1.7)."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from copy import copy
from dataclasses import dataclass, field
from typing import ClassVar, cast

from dnsemu.draws import Draws
from dnsemu.errors import Fault, Origin, warning
from dnsemu.location import MAPPED, Blocks, Chain, Client
from dnsemu.model import CidrCollection, RecordSet
from dnsemu.routing.choice import Choice, Outcome, Ranked, World, ranked_outcomes
from dnsemu.routing.contract import check_distinct, check_members, describe

DEFAULT_LOCATION = "*"


@dataclass(frozen=True, slots=True)
class IpBased:
    """A location of a CIDR collection; `*` is the default (I3). The origins are those of the two names."""

    collection_id: str
    location_name: str
    collection_origin: Origin | None = field(default=None, compare=False)
    location_origin: Origin | None = field(default=None, compare=False)
    name: ClassVar[str] = "IP-based"
    by_client: ClassVar[bool] = True

    def check(self, members: Sequence[RecordSet]) -> list[Fault]:
        """One collection for all (I4), a location at most once."""
        faults = [
            *check_members(members, self.name),
            *check_distinct(members, lambda member: member.policy, "CIDR location"),
        ]
        for member in members:
            policy = member.policy
            if isinstance(policy, IpBased) and policy.collection_id != self.collection_id:
                faults.append(
                    Fault(
                        member.origin,
                        "cidr-collections-mixed",
                        f"{describe(member)}: all members must name the same CIDR collection",
                        f"the first one names '{self.collection_id}'",
                    )
                )
        if not any(member.policy == IpBased(self.collection_id, DEFAULT_LOCATION) for member in members):
            faults.append(
                warning(
                    members[0].origin,
                    "policy-default",
                    f"{describe(members[0])}: clients from other addresses get no answer",
                    'add a member with location_name: "*"',
                )
            )
        return faults

    def outcomes(self, members: Sequence[RecordSet], can_fail: Sequence[bool]) -> Iterator[Outcome]:
        """A location with a block around the client; without a default there may be none."""
        default = IpBased(self.collection_id, DEFAULT_LOCATION)
        return ranked_outcomes(can_fail, next((n for n, one in enumerate(members) if one.policy == default), -1))

    def chooser(self, members: Sequence[RecordSet], healthy: tuple[bool, ...], key: bytes, world: World) -> _Chooser:
        """The location with the longest block around the client."""
        locations = [cast("IpBased", member.policy).location_name for member in members]
        return _Chooser(locations, healthy, world.collections[self.collection_id])


class _Chooser(Ranked):
    """Longest prefix first (I7), of the locations that members name (I9), then the default; health by I11."""

    criterion = "the longest prefix around the client"

    def __init__(self, locations: Sequence[str], healthy: tuple[bool, ...], collection: CidrCollection) -> None:
        numbers = {location: number for number, location in enumerate(locations)}
        super().__init__(healthy, numbers.get(DEFAULT_LOCATION, -1))
        self._locations = locations
        self._last = () if self.default < 0 else (self.default,)
        blocks = collection.locations.items()
        named = [(block, numbers[name]) for name, its in blocks if name in numbers for block in its]
        self._blocks = Blocks([named], [MAPPED])
        self._make_ready()

    def with_health(self, healthy: tuple[bool, ...]) -> Ranked:
        twin = copy(self)
        twin.healthy = healthy
        twin._make_ready()  # noqa: SLF001
        return twin

    def choose(self, client: Client, draws: Draws) -> Choice:
        """As every ranked policy, but made ready for who is known well enough to be in a block or not."""
        address = client.address
        starts, ready = self._ready[len(address)]
        choice, longest = ready[bisect_right(starts, int.from_bytes(address)) - 1]
        if choice is not None and client.length >= longest and not client.shift:
            return choice
        return super().choose(client, draws)

    def _make_ready(self) -> None:
        """By family and segment: the choice, where its scope is the same for all, and the longest block's length."""
        self._ready = {
            octets: (
                self._blocks.starts(octets),
                [self._ready_for(chain, scope) for chain, scope in self._blocks.segments(octets)],
            )
            for octets in (4, 16)
        }

    def _ready_for(self, chain: Chain[int], scope: int | None) -> tuple[Choice | None, int]:
        longest = chain[0][0] if chain else 0
        ranked = tuple([member for _, member in chain]) + self._last
        return None if scope is None else self.best(ranked, scope or 1), longest

    def rank(self, client: Client) -> tuple[Sequence[int], int]:
        # A block longer than what is known of the client does not match it (I6).
        chain, scope = self._blocks.find(client.address)
        length = client.length
        ranked = tuple([member for prefix, member in chain if prefix <= length]) + self._last
        return ranked, scope or 1  # 0 would be for everybody (CS4)

    def why(self, member: int, client: Client) -> str:
        if member == self.default:
            return "location *, for every client"
        chain, _ = self._blocks.find(client.address)
        length = next((prefix for prefix, other in chain if other == member), None)
        if length is None:
            inside = self._is_inside(member, client)
            return (
                f"location {self._locations[member]}: {'only a part of' if inside else 'no block around'} the client"
            )
        fits = "" if length <= client.length else f", longer than the client's /{client.length}"
        return f"location {self._locations[member]}: a /{length} around the client{fits}"

    def _is_inside(self, member: int, client: Client) -> bool:
        """Whether one of the member's blocks is a part of the client's subnet."""
        starts, bits = self._blocks.starts(len(client.address)), 8 * len(client.address)
        first = int.from_bytes(client.address)
        last = first + (1 << bits - client.length) - 1
        segments = self._blocks.segments(len(client.address))[
            bisect_right(starts, first) : bisect_right(starts, last)
        ]
        return any(other == member for chain, _ in segments for _, other in chain)
