"""How often each value is in the answers to a question: the product of the shares on the way to it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping

from dnsemu.authority.entries import MAX_CHAIN
from dnsemu.authority.inquiry import Inquiry
from dnsemu.authority.tree import Kind, ZoneTree
from dnsemu.model import Group, RecordSet, Resource, Type, show_value


class Shares:
    """Shares of values for one client, by what each policy says of its members. Each group is looked at once."""

    def __init__(self, inquiry: Inquiry, tree: ZoneTree) -> None:
        self._inquiry = inquiry
        self._tree = tree
        self._numbers = inquiry.authority.routing.numbers
        self._of_groups: dict[int, Mapping[bytes, float]] = {}

    def of(self, name: bytes, rdtype: Type) -> Mapping[str, float]:
        """Value, as dig prints it → in how many of the answers it is, 0 … 1; CNAMEs on the way are left out.

        Values that are in none are left out too.
        """
        found: Counter[str] = Counter()
        level = {name: 1.0}
        for _ in range(MAX_CHAIN + 1):  # all names that so many CNAMEs lead to, each with its share
            level = self._step(level, rdtype, found)
        return {value: min(share, 1.0) for value, share in found.items() if share}

    def _step(self, level: Mapping[bytes, float], rdtype: Type, found: Counter[str]) -> dict[bytes, float]:
        """Adds what names of one level are answered with; the names that their CNAMEs lead on to."""
        onward: dict[bytes, float] = {}
        for name, share in level.items():
            groups = self._groups_at(name, rdtype)
            if rdtype in groups:
                for rdata, inner in self._values(groups[rdtype]).items():
                    found[show_value(rdtype, rdata)] += share * inner  # type: ignore[assignment]
            elif Type.CNAME in groups:
                for target, inner in self._values(groups[Type.CNAME]).items():
                    if self._tree.contains(target):
                        onward[target] = onward.get(target, 0.0) + share * inner
        return onward

    def _groups_at(self, name: bytes, rdtype: Type) -> Mapping[Type, Group]:
        spot = self._tree.spot(name)
        at_cut = rdtype is Type.DS and spot.kind is Kind.CUT and spot.owner == name  # D4
        return spot.groups if spot.kind is Kind.FOUND or at_cut else {}

    def _values(self, group: Group) -> Mapping[bytes, float]:
        """Record data of a group → share."""
        known = self._of_groups.get(id(group))
        if known is None:
            found: dict[bytes, float] = {}
            for member, share in zip(group.members, self._of_members(group), strict=True):
                for rdata, inner in (self._of_member(member) if share else {}).items():
                    found[rdata] = found.get(rdata, 0.0) + share * inner
            known = self._of_groups[id(group)] = found
        return known

    def _of_members(self, group: Group) -> list[float]:
        number = self._numbers.get(id(group))
        if number is None:
            return [1.0] * len(group.members)
        return [verdict.share for verdict in self._inquiry.choosers[number].judge(self._inquiry)]

    def _of_member(self, member: RecordSet) -> Mapping[bytes, float]:
        target = self._tree.target(member) if member.alias else member
        if isinstance(target, Group):
            return self._values(target)
        values = target.values.get(member.type, ()) if isinstance(target, Resource) else member.values
        return {value.rdata: 1.0 for value in values}
