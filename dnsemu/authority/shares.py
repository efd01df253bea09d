"""How often each value is in the answers to a question: the product of the shares on the way to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from dnsemu.authority.entries import MAX_CHAIN
from dnsemu.authority.inquiry import Inquiry
from dnsemu.authority.tree import Kind, ZoneTree
from dnsemu.model import Group, RecordSet, Resource, Type, show_value


class Shares:
    """Shares of values for one client, by what each policy says of its members."""

    def __init__(self, inquiry: Inquiry, tree: ZoneTree) -> None:
        self._inquiry = inquiry
        self._tree = tree
        self._numbers = {id(group): number for number, group in enumerate(inquiry.authority.routing.groups)}

    def of(self, name: bytes, rdtype: Type) -> Mapping[str, float]:
        """Value, as dig prints it → in how many of the answers it is, 0 … 1; CNAMEs on the way are left out.

        Values that are in none are left out too.
        """
        return {value: share for value, share in self._at(name, rdtype, MAX_CHAIN).items() if share}

    def _at(self, name: bytes, rdtype: Type, hops: int) -> Counter[str]:
        spot = self._tree.spot(name)
        if spot.kind is not Kind.FOUND or not hops:
            return Counter()
        if rdtype in spot.groups:
            return self._values(spot.groups[rdtype])
        found: Counter[str] = Counter()
        if Type.CNAME in spot.groups:
            for target, share in self._targets(spot.groups[Type.CNAME]).items():
                if self._tree.contains(target):
                    _add(found, self._at(target, rdtype, hops - 1), share)
        return found

    def _values(self, group: Group) -> Counter[str]:
        return Counter({show_value(group.type, rdata): share for rdata, share in self._targets(group).items()})

    def _targets(self, group: Group) -> Mapping[bytes, float]:
        """Record data of a group → share."""
        found: dict[bytes, float] = {}
        for member, share in zip(group.members, self._of_members(group), strict=True):
            for rdata, inner in (self._of_member(member) if share else {}).items():
                found[rdata] = found.get(rdata, 0.0) + share * inner
        return {rdata: min(share, 1.0) for rdata, share in found.items()}

    def _of_members(self, group: Group) -> list[float]:
        number = self._numbers.get(id(group))
        if number is None:
            return [1.0] * len(group.members)
        return [verdict.share for verdict in self._inquiry.choosers[number].judge(self._inquiry)]

    def _of_member(self, member: RecordSet) -> Mapping[bytes, float]:
        target = self._tree.target(member) if member.alias else member
        if isinstance(target, Group):
            return self._targets(target)
        values = target.values.get(member.type, ()) if isinstance(target, Resource) else member.values
        return {value.rdata: 1.0 for value in values}


def _add(found: Counter[str], more: Mapping[str, float], share: float) -> None:
    for value, inner in more.items():
        found[value] += share * inner  # type: ignore[assignment]
