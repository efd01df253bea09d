"""A group of record sets, compiled: what a question for it is answered with."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import NamedTuple, cast

from dnsemu.authority.entries import Added, Drawn, Hop, Routed, Several, Shuffled
from dnsemu.authority.pieces import NONE, Records, Values, joined
from dnsemu.authority.registry import Registry
from dnsemu.authority.reply import Entry, Reply
from dnsemu.authority.sections import Sections
from dnsemu.authority.tree import Kind, ZoneTree
from dnsemu.model import Group, RecordSet, Resource, Type
from dnsemu.routing import Multivalue, Policy
from dnsemu.wire import Rcode, type_and_class

Question = tuple[bytes, Type]
Addresses = Mapping[Question, Records | Entry]


class Slot(NamedTuple):
    """Where records stand in an answer: behind a `chain` of CNAMEs, owned by `owner`.

    `bare` records are not an answer of their own but a part of one: nothing goes with them. `without`: the question
    that they answer, if its records would be additional data too.
    """

    owner: bytes
    chain: Records = NONE
    bare: bool = False
    without: Question | None = None


class GroupCompiler:
    """Makes the entries of one zone's groups. One with a policy is made once for each place it stands at."""

    def __init__(self, tree: ZoneTree, sections: Sections, registry: Registry) -> None:
        self._tree = tree
        self._sections = sections
        self._registry = registry
        self._made: dict[tuple[int, Slot], Entry] = {}
        registry.add_aliases(tree)
        self.courtesy = NONE
        self.server_addresses: Addresses = {}
        if not sections.private:  # R1
            servers = tree.groups[tree.apex, Type.NS]
            self.courtesy = self.fixed(tree.apex, servers)
            self.server_addresses = self.addresses(_values(servers.first, Type.NS).targets)

    def entry(self, group: Group, slot: Slot) -> Entry:
        """What a question for `group` is answered with."""
        source = self._source(group)
        if not isinstance(source, Group) or source.first.policy is None:
            name = source.name if isinstance(source, Group) else group.name
            return self._leaf(self.values(group), slot, name)
        made = self._made.get((id(source), slot))
        if made is None:
            made = self._made[id(source), slot] = self._routed(source, slot)
        return made

    def is_fixed(self, group: Group) -> bool:
        """Whether the same records answer always."""
        source = self._source(group)
        return not isinstance(source, Group) or source.first.policy is None

    def values(self, group: Group) -> Values:
        """The values of a fixed group; none if what its alias points to has none of the type (AL13)."""
        source = self._source(group)
        return _values(source.first if isinstance(source, Group) else source, group.type)

    def fixed(self, owner: bytes, group: Group) -> Records:
        """The records of a fixed group, those of name servers in the order of authority sections (5.2.2)."""
        records = self.values(group).owned_by(owner)
        return Records(b"".join(records), len(records))

    def additional(self, targets: list[bytes], answered: Collection[Question]) -> tuple[Records, tuple[Entry, ...]]:
        """Addresses in this zone of the names that the answer and the authority section mention (5.2.4).

        Those that a policy chooses are entries (5.2.5).
        """
        found = {**self.addresses(targets), **self.server_addresses} if targets else self.server_addresses
        parts = [part for question, part in found.items() if question not in answered]
        fixed = joined(part for part in parts if isinstance(part, Records))
        return fixed, tuple([part for part in parts if not isinstance(part, Records)])

    def addresses(self, targets: list[bytes]) -> Addresses:
        """A, then AAAA of each target that is a name of this zone."""
        found: dict[Question, Records | Entry] = {}
        for target in targets:
            spot = self._tree.spot(target) if self._tree.contains(target) else None
            if spot and spot.kind is Kind.FOUND:
                for rdtype in (Type.A, Type.AAAA):
                    if rdtype in spot.groups:
                        found[target, rdtype] = self.part(target, spot.groups[rdtype])
        return found

    def cname_targets(self, group: Group) -> set[bytes]:
        """Where the CNAMEs of a group may lead, through aliases too."""
        targets: set[bytes] = set()
        groups, seen = [group], {id(group)}
        while groups:
            for member in groups.pop().members:
                targets.update(value.rdata for value in member.values)
                target = self._tree.target(member) if member.alias else None
                if isinstance(target, Group) and id(target) not in seen:
                    seen.add(id(target))
                    groups.append(target)
        return targets

    def alone(self) -> Entry:
        """What goes with CNAMEs that lead nowhere in this zone: an answer without an answer section."""
        fixed, more = self.additional([], ())
        reply = self._sections.reply(Rcode.NOERROR, NONE, self.courtesy.count, self.courtesy + fixed)
        return Added(reply, more) if more else reply

    def part(self, owner: bytes, group: Group) -> Records | Entry:
        """A group's records as a part of an answer."""
        return self.fixed(owner, group) if self.is_fixed(group) else self.entry(group, Slot(owner, bare=True))

    def _source(self, group: Group) -> Group | Resource | None:
        """What a simple alias leads to in the end, itself if it is none. Rules have refused loops."""
        while group.first.policy is None and group.first.alias is not None:
            target = self._tree.target(group.first)
            if not isinstance(target, Group):
                return target
            group = target
        return group

    def _routed(self, group: Group, slot: Slot) -> Entry:
        number = self._registry.number_of(group, self._key(group.type, group.name), private=self._sections.private)
        if isinstance(group.first.policy, Multivalue):
            return self._several(number, group, slot)
        branches = tuple([self._branch(member, slot) for member in group.members])
        ready = all(branch.__class__ is Reply for branch in branches)
        kind = Drawn if ready and not cast("Policy", group.first.policy).by_client else Routed
        return kind(number, branches, self._sections.negative(slot.chain))

    def _branch(self, member: RecordSet, slot: Slot) -> Entry:
        """What a member of a group with a policy is answered with; an alias by its target (AL8)."""
        target = self._tree.target(member) if member.alias else member
        if isinstance(target, Group):
            return self.entry(target, slot)
        return self._leaf(_values(target, member.type), slot, member.name)

    def _several(self, number: int, group: Group, slot: Slot) -> Entry:
        """A multivalue group. Additional data is that of all members, whichever are taken: it is made ready."""
        each = tuple([_values(member, group.type).owned_by(slot.owner) for member in group.members])
        everything = [value for member in group.members for value in member.values]
        reply, more = self._reply(sum(map(len, each)), b"", Values(group.type, 0, everything), slot)
        entry = Several(number, reply, slot.chain.octets, each, self._key(group.type, group.name))
        return Added(entry, more) if more else entry

    def _leaf(self, values: Values, slot: Slot, name: bytes) -> Entry:
        """Values, in random order if there are several; NODATA if there are none (AL13)."""
        records = values.owned_by(slot.owner)
        if not records:
            return self._sections.negative(slot.chain)
        reply, more = self._reply(len(records), b"".join(records), values, slot)
        entry: Entry = reply
        if len(records) > 1:
            entry = Shuffled(reply, slot.chain.octets, records, self._key(values.type, name))
        return Added(entry, more) if more else entry

    def _reply(self, count: int, octets: bytes, values: Values, slot: Slot) -> tuple[Reply, tuple[Entry, ...]]:
        """The reply with `count` records, and the additional data that is chosen at the question."""
        answer = slot.chain + Records(octets, count)
        if slot.bare:
            reply = self._sections.reply(Rcode.NOERROR, answer, 0, NONE)
            return Hop(reply, values.values[0].rdata) if values.type is Type.CNAME else reply, ()
        fixed, more = self.additional(values.targets, (slot.without,) if slot.without else ())
        courtesy = NONE if values.type is Type.NS else self.courtesy  # name servers that are answered are the apex's
        reply = self._sections.reply(Rcode.NOERROR, answer, courtesy.count, courtesy + fixed)
        if values.type is Type.CNAME:
            return Hop(reply, values.values[0].rdata), more
        return reply, more

    def _key(self, rdtype: Type, name: bytes) -> bytes:
        """What draws are counted by: zone, type, name."""
        return b"%b %b %b" % (self._sections.zone_id.encode(), type_and_class(rdtype), name)


def _values(source: RecordSet | Resource | None, rdtype: Type) -> Values:
    """What there is of a type; of name servers in the order of authority sections (5.2.2)."""
    if isinstance(source, RecordSet):
        values = Values(rdtype, source.ttl, source.values)
        return values.sorted() if rdtype is Type.NS else values
    return Values(rdtype, source.ttl, source.values.get(rdtype, ())) if source else Values(rdtype, 0, ())
