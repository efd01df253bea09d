"""One hosted zone, compiled: a node for each of its names."""

from __future__ import annotations

from collections.abc import Collection

from dnsemu.authority.entries import MAX_CHAIN, Added, Chase, Everything
from dnsemu.authority.groups import GroupCompiler, Question, Slot
from dnsemu.authority.pieces import NONE, Records, joined
from dnsemu.authority.registry import Registry
from dnsemu.authority.reply import REFUSED, Answers, Entry, Node
from dnsemu.authority.sections import Sections
from dnsemu.authority.tree import WILDCARD, Kind, Spot, ZoneTree
from dnsemu.model import Group, Options, Type
from dnsemu.wire import POINTER_TO_QNAME, Meta, Rcode, parents, record_body, type_and_class

_ANY = type_and_class(Meta.ANY)
_DS = type_and_class(Type.DS)
_ANY_NAME = b""  # stands for the names that a wildcard covers; no name equals it
_RFC8482 = record_body(13, 3600, b"\x07RFC8482\x00")  # HINFO "RFC8482" "" (RFC 8482 4.2)


class ZoneCompiler:
    """Makes the nodes of one zone.

    What does not depend on who asks is made ready; what does is an entry that chooses among things made ready.
    """

    def __init__(self, tree: ZoneTree, options: Options, registry: Registry) -> None:
        self.tree = tree
        self._options = options
        self._sections = Sections(tree)
        self._groups = GroupCompiler(tree, self._sections, registry)
        self._missing = Answers({}, self._sections.negative(NONE, Rcode.NXDOMAIN))
        self._onward: dict[bytes, Answers] = {}
        # Names that a wildcard covers and whose answers depend on the name itself.
        servers = self._groups.server_addresses
        self._covered = {name for name, _ in servers if tree.spot(name).owner != name}

    def compile(self) -> tuple[dict[bytes, Entry], dict[bytes, Node]]:
        """Every question that a name has an answer to, and every visible name's node."""
        questions: dict[bytes, Entry] = {}
        names: dict[bytes, Node] = {}
        for name in self.tree.visible_names():
            answers = self.answers(name)
            names[name] = Node(answers.other, self._beneath(name, answers))
            for type_class, entry in answers.by_type.items():
                questions[name + type_class] = entry
        self._add_covered(questions, names)
        return questions, names

    def _add_covered(self, questions: dict[bytes, Entry], names: dict[bytes, Node]) -> None:
        """Nodes for names that a wildcard covers and whose answers it can not know.

        A CNAME chain may come back to the very name that was asked for; a name server's address is not repeated as
        additional data where it is the answer.
        """
        while missing := self._covered - names.keys():  # each may lead on to others
            for name in missing:
                answers = self.answers(name)
                encloser = next(ancestor for ancestor in parents(name) if ancestor in names)
                names[name] = Node(answers.other, names[encloser].beneath)
                for type_class, entry in answers.by_type.items():
                    questions[name + type_class] = entry

    def answers(self, name: bytes) -> Answers:
        """What answers for `name`, itself or by the wildcard that covers it."""
        return self._answers(self.tree.spot(name), name)

    def _answers(self, spot: Spot, name: bytes) -> Answers:
        if spot.kind is Kind.CUT:
            return self._at_cut(NONE, POINTER_TO_QNAME, spot, is_cut=spot.owner == name)
        if spot.kind is Kind.MISSING:
            return self._missing
        if Type.CNAME in spot.groups:
            return self._cname(spot, name)
        by_type = self._positive(NONE, name, POINTER_TO_QNAME, spot)
        if by_type:
            by_type[_ANY] = self._any(name, spot.groups.values(), tuple(by_type.values()))
        return Answers(by_type, self._no_data(NONE, spot))

    def _beneath(self, name: bytes, own: Answers) -> Answers:
        if _DS in own.by_type and self.tree.spot(name).kind is Kind.CUT:
            return Answers({}, own.other)
        wildcard = WILDCARD + name
        groups = self.tree.owners.get(wildcard)
        if groups is None:
            return self._missing
        return self._answers(Spot(Kind.FOUND, wildcard, groups), _ANY_NAME)

    # Positive answers

    def _positive(self, chain: Records, name: bytes, owner: bytes, spot: Spot) -> dict[bytes, Entry]:
        """An entry for each group at a name, its records owned by `owner` behind a chain of CNAMEs that led to it."""
        answers: dict[bytes, Entry] = {}
        for rdtype, group in spot.groups.items():
            question: Question = (name, rdtype)
            without = question if question in self._groups.server_addresses else None
            answers[type_and_class(rdtype)] = self._groups.entry(group, Slot(owner, chain, without=without))
        return answers

    def _any(self, name: bytes, groups: Collection[Group], entries: tuple[Entry, ...]) -> Entry:
        if self._options.any == "refuse":
            return REFUSED
        courtesy = self._groups.courtesy
        if self._options.any == "hinfo":
            hinfo = Records(POINTER_TO_QNAME + _RFC8482, 1)
            return self._sections.reply(Rcode.NOERROR, hinfo, courtesy.count, courtesy)
        if len(entries) == 1:
            return entries[0]
        entries = tuple([self._groups.entry(group, Slot(POINTER_TO_QNAME, bare=True)) for group in groups])
        fixed = [group for group in groups if self._groups.is_fixed(group)]  # others' targets are not known here
        targets = [target for group in fixed for target in self._groups.values(group).targets]
        courtesy = NONE if name == self.tree.apex else courtesy
        more, chosen = self._groups.additional(targets, {(name, rdtype) for rdtype in Type})
        reply = self._sections.reply(Rcode.NOERROR, NONE, courtesy.count, courtesy + more)
        everything = Everything(reply, entries, self._sections.negative(NONE))
        return Added(everything, chosen) if chosen else everything

    # CNAMEs

    def _cname(self, spot: Spot, name: bytes) -> Answers:
        """The answers of a name with a CNAME."""
        answers = self._follow(NONE, name, POINTER_TO_QNAME, spot, (name,))
        alone = self._groups.entry(spot.groups[Type.CNAME], Slot(POINTER_TO_QNAME))
        answers.by_type[type_and_class(Type.CNAME)] = alone
        answers.by_type[_ANY] = self._any(spot.owner, [spot.groups[Type.CNAME]], (alone,))
        return answers

    def _follow(self, chain: Records, name: bytes, owner: bytes, spot: Spot, seen: tuple[bytes, ...]) -> Answers:
        """The CNAME at `spot`, with what it leads to for each type (behaviour 5.5)."""
        group = spot.groups[Type.CNAME]
        alone = self._groups.entry(group, Slot(owner, chain))
        if self._options.cname_chase == "never":
            return Answers({}, alone)
        if not self._groups.is_fixed(group):
            self._explore(group)
            begin = self._groups.entry(group, Slot(owner, bare=True))
            return Answers({}, Chase((chain.octets, chain.count), begin, self._onward, self._groups.alone(), seen))
        target = self._groups.values(group).values[0].rdata
        if target in seen or len(seen) >= MAX_CHAIN or not self.tree.contains(target):
            return Answers({}, alone)
        return self._continue(chain + self._groups.fixed(owner, group), target, seen)

    def _continue(self, chain: Records, target: bytes, seen: tuple[bytes, ...]) -> Answers:
        spot = self.tree.spot(target)
        if spot.kind is Kind.CUT:
            return self._at_cut(chain, target, spot, is_cut=spot.owner == target)
        if spot.kind is Kind.MISSING:
            return Answers({}, self._sections.negative(chain, Rcode.NXDOMAIN))
        if Type.CNAME in spot.groups:
            if spot.owner != target:
                self._covered.add(target)
            return self._follow(chain, target, target, spot, (*seen, target))
        return Answers(self._positive(chain, target, target, spot), self._no_data(chain, spot))

    def _explore(self, group: Group) -> None:
        """Makes answers for all names of the zone that the CNAMEs of a group with a policy may lead to."""
        groups = [group]
        while groups:
            for target in self._groups.cname_targets(groups.pop()):
                if target not in self._onward and self.tree.contains(target):
                    spot = self.tree.spot(target)
                    if spot.kind is Kind.FOUND and Type.CNAME in spot.groups:
                        groups.append(spot.groups[Type.CNAME])
                        hop = self._groups.entry(spot.groups[Type.CNAME], Slot(target, bare=True))
                        self._onward[target] = Answers({}, hop)
                    else:
                        self._onward[target] = self._continue(NONE, target, ())

    # Negative answers and referrals

    def _no_data(self, chain: Records, spot: Spot) -> Entry:
        empty_as_missing = not spot.groups and self._options.ent_response == "nxdomain"
        return self._sections.negative(chain, Rcode.NXDOMAIN if empty_as_missing else Rcode.NOERROR)

    def _at_cut(self, chain: Records, owner: bytes, spot: Spot, *, is_cut: bool) -> Answers:
        """At a zone cut and below it: a referral for all types but the DS of the cut, which is this zone's (D4)."""
        ds = spot.groups.get(Type.DS)
        entry = self._groups.entry(ds, Slot(owner, chain)) if ds else self._sections.negative(chain)
        return Answers({_DS: entry} if is_cut else {}, self._referral(chain, spot))

    def _referral(self, chain: Records, spot: Spot) -> Entry:
        """The child's name servers with the addresses that this zone has for them (D1, D2)."""
        group = spot.groups[Type.NS]
        servers = self._groups.fixed(spot.owner, group)
        glue = [
            self._groups.part(target, held)
            for target in self._groups.values(group).targets
            for family in (Type.A, Type.AAAA)
            if self.tree.contains(target) and (held := self.tree.group(target, family))
        ]
        fixed = joined(part for part in glue if isinstance(part, Records))
        chosen = tuple([part for part in glue if not isinstance(part, Records)])
        authoritative = bool(chain.count)
        reply = self._sections.reply(
            Rcode.NOERROR, chain, servers.count, servers + fixed, authoritative=authoritative, whole=True
        )
        return Added(reply, chosen) if chosen else reply
