"""One hosted zone, compiled: a node for each of its names."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from dataclasses import dataclass

from dnsemu.authority.reply import REFUSED, Answers, Entry, Everything, Node, Reply, Shuffled
from dnsemu.authority.tree import WILDCARD, Kind, Spot, ZoneTree
from dnsemu.model import TARGET_AT, Group, Options, Type, show_name
from dnsemu.wire import POINTER_TO_QNAME, Meta, Rcode, heads, parents, record_body, type_and_class

MAX_CHAIN = 16  # CNAMEs followed for one question; the asker goes on from the last (5.5 "several steps")

_ANY = type_and_class(Meta.ANY)
_DS = type_and_class(Type.DS)
_ANY_NAME = b""  # stands for the names that a wildcard covers; no name equals it
_RFC8482 = record_body(13, 3600, b"\x07RFC8482\x00")  # HINFO "RFC8482" "" (RFC 8482 4.2)


@dataclass(frozen=True, slots=True)
class Records:
    """Some records of a section and how many they are."""

    octets: bytes = b""
    count: int = 0

    def __add__(self, other: Records) -> Records:
        return Records(self.octets + other.octets, self.count + other.count)


NONE = Records()


class ZoneCompiler:
    """Makes the nodes of one zone, all of whose groups are simple."""

    def __init__(self, zone_id: str, tree: ZoneTree, options: Options) -> None:
        self._zone_id = zone_id
        self._tree = tree
        self._options = options
        self._courtesy = self._sorted_servers(tree.apex, tree.groups[tree.apex, Type.NS])
        self._soa = self._records(tree.apex, tree.groups[tree.apex, Type.SOA])
        self._missing = Answers({}, self._negative(NONE, Rcode.NXDOMAIN))
        self._server_addresses = self._addresses(_targets(tree.groups[tree.apex, Type.NS]))
        # Names that a wildcard covers and whose answers depend on the name itself.
        self._covered = {name for name, _ in self._server_addresses if tree.spot(name).owner != name}

    def compile(self) -> tuple[dict[bytes, Entry], dict[bytes, Node]]:
        """Every question that a name has an answer to, and every visible name's node."""
        questions: dict[bytes, Entry] = {}
        names: dict[bytes, Node] = {}
        for name in self._tree.visible_names():
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
        return self._answers(self._tree.spot(name), name)

    def _answers(self, spot: Spot, name: bytes) -> Answers:
        if spot.kind is Kind.CUT:
            return self._at_cut(NONE, POINTER_TO_QNAME, spot, is_cut=spot.owner == name)
        if spot.kind is Kind.MISSING:
            return self._missing
        if Type.CNAME in spot.groups:
            return self._cname(spot, name)
        by_type = {
            type_and_class(rdtype): self._positive(NONE, name, POINTER_TO_QNAME, group)
            for rdtype, group in spot.groups.items()
        }
        if by_type:
            by_type[_ANY] = self._any(name, spot.groups.values(), tuple(by_type.values()))
        return Answers(by_type, self._no_data(NONE, spot))

    def _beneath(self, name: bytes, own: Answers) -> Answers:
        if _DS in own.by_type and self._tree.spot(name).kind is Kind.CUT:
            return Answers({}, own.other)
        wildcard = WILDCARD + name
        groups = self._tree.owners.get(wildcard)
        if groups is None:
            return self._missing
        return self._answers(Spot(Kind.FOUND, wildcard, groups), _ANY_NAME)

    # Positive answers

    def _positive(self, chain: Records, name: bytes, owner: bytes, group: Group) -> Entry:
        """The answer with a group's records owned by `owner` behind a chain of CNAMEs that led to it."""
        source = self.resolve(group)
        records = self._records(owner, source)
        is_apex_ns = group.type is Type.NS and name == self._tree.apex
        rest, authorities = (NONE, 0) if is_apex_ns else (self._courtesy, self._courtesy.count)
        targets = _targets(source) if group.type in TARGET_AT else []
        additional = self._additional(targets, {(name, group.type)})
        reply = self._reply(Rcode.NOERROR, chain + records, authorities, rest + additional)
        if records.count == 1:
            return reply
        each = tuple(owner + body for body in _bodies(source))
        key = b"%b %b %b" % (self._zone_id.encode(), type_and_class(group.type), source.name)
        return Shuffled(reply, chain.octets, each, key)

    def _alone(self, chain: Records) -> Entry:
        """CNAMEs with nothing behind them: asked for as such, or their target is elsewhere or was met before."""
        rest = self._courtesy + self._additional([], set())
        return self._reply(Rcode.NOERROR, chain, self._courtesy.count, rest)

    def _any(self, name: bytes, groups: Collection[Group], entries: tuple[Entry, ...]) -> Entry:
        if self._options.any == "refuse":
            return REFUSED
        if self._options.any == "hinfo":
            hinfo = Records(POINTER_TO_QNAME + _RFC8482, 1)
            return self._reply(Rcode.NOERROR, hinfo, self._courtesy.count, self._courtesy)
        if len(entries) == 1:
            return entries[0]
        sources = [self.resolve(group) for group in groups]
        count = sum(len(source.first.values) for source in sources)
        targets = [target for source in sources if source.type in TARGET_AT for target in _targets(source)]
        courtesy = NONE if name == self._tree.apex else self._courtesy
        rest = courtesy + self._additional(targets, {(name, rdtype) for rdtype in Type})
        return Everything(self._reply(Rcode.NOERROR, Records(b"", count), courtesy.count, rest), entries)

    # CNAMEs

    def _cname(self, spot: Spot, name: bytes) -> Answers:
        """The answers of a name with a CNAME."""
        alone, answers = self._follow(NONE, POINTER_TO_QNAME, spot, (name,))
        answers.by_type[type_and_class(Type.CNAME)] = alone
        answers.by_type[_ANY] = self._any(spot.owner, [spot.groups[Type.CNAME]], (alone,))
        return answers

    def _follow(self, chain: Records, owner: bytes, spot: Spot, seen: tuple[bytes, ...]) -> tuple[Entry, Answers]:
        """The CNAME at `spot` alone, and with what it leads to for each type (behaviour 5.5)."""
        group = self.resolve(spot.groups[Type.CNAME])
        chain += self._records(owner, group)
        target = group.first.values[0].rdata
        alone = self._alone(chain)
        if self._options.cname_chase == "never" or target in seen or len(seen) >= MAX_CHAIN:
            return alone, Answers({}, alone)
        if not self._tree.contains(target):
            return alone, Answers({}, alone)
        return alone, self._continue(chain, target, seen)

    def _continue(self, chain: Records, target: bytes, seen: tuple[bytes, ...]) -> Answers:
        spot = self._tree.spot(target)
        if spot.kind is Kind.CUT:
            return self._at_cut(chain, target, spot, is_cut=spot.owner == target)
        if spot.kind is Kind.MISSING:
            return Answers({}, self._negative(chain, Rcode.NXDOMAIN))
        if Type.CNAME in spot.groups:
            if spot.owner != target:
                self._covered.add(target)
            return self._follow(chain, target, spot, (*seen, target))[1]
        by_type = {
            type_and_class(rdtype): self._positive(chain, target, target, group)
            for rdtype, group in spot.groups.items()
        }
        return Answers(by_type, self._no_data(chain, spot))

    # Negative answers and referrals

    def _no_data(self, chain: Records, spot: Spot) -> Reply:
        empty_as_missing = not spot.groups and self._options.ent_response == "nxdomain"
        return self._negative(chain, Rcode.NXDOMAIN if empty_as_missing else Rcode.NOERROR)

    def _negative(self, chain: Records, rcode: int) -> Reply:
        """NODATA or NXDOMAIN: the SOA with its own TTL in the authority section (behaviour 5.3, R15)."""
        return self._reply(rcode, chain, 1, self._soa, whole=True)

    def _at_cut(self, chain: Records, owner: bytes, spot: Spot, *, is_cut: bool) -> Answers:
        """At a zone cut and below it: a referral for all types but the DS of the cut, which is this zone's (D4)."""
        ds = spot.groups.get(Type.DS)
        entry = self._positive(chain, spot.owner, owner, ds) if ds else self._negative(chain, Rcode.NOERROR)
        return Answers({_DS: entry} if is_cut else {}, self._referral(chain, spot))

    def _referral(self, chain: Records, spot: Spot) -> Reply:
        """The child's name servers with the addresses that this zone has for them (D1, D2)."""
        group = spot.groups[Type.NS]
        servers = self._sorted_servers(spot.owner, group)
        glue = _joined(self._glue(target, family) for target in _targets(group) for family in (Type.A, Type.AAAA))
        authoritative = bool(chain.count)
        return self._reply(
            Rcode.NOERROR, chain, servers.count, servers + glue, authoritative=authoritative, whole=True
        )

    def _glue(self, target: bytes, family: Type) -> Records:
        """What this zone holds for a name server's name, also below the cut (D2)."""
        group = self._tree.group(target, family) if self._tree.contains(target) else None
        return self._records(target, group) if group else NONE

    # Pieces

    def resolve(self, group: Group) -> Group:
        """The group whose values an alias gives (AL8), itself if it is none. Rules have refused loops."""
        while (alias := group.first.alias) is not None:
            target = self._tree.group(alias.name, group.type)
            assert target is not None, "rules let no alias without a target pass"
            group = target
        return group

    def _records(self, owner: bytes, group: Group) -> Records:
        bodies = _bodies(self.resolve(group))
        return Records(b"".join(owner + body for body in bodies), len(bodies))

    def _sorted_servers(self, owner: bytes, group: Group) -> Records:
        """An NS record set as authority sections have it: by the text of the targets (5.2.2)."""
        group = self.resolve(group)
        targets = _targets(group)
        return Records(
            b"".join(owner + record_body(Type.NS, group.first.ttl, target) for target in targets),
            len(targets),
        )

    def _additional(self, targets: list[bytes], answered: Collection[tuple[bytes, Type]]) -> Records:
        """Addresses in this zone of the names that the answer and the authority section mention (5.2.4)."""
        found = {**self._addresses(targets), **self._server_addresses} if targets else self._server_addresses
        return _joined(records for key, records in found.items() if key not in answered)

    def _addresses(self, targets: list[bytes]) -> dict[tuple[bytes, Type], Records]:
        """A, then AAAA of each target that is a name of this zone."""
        found = {}
        for target in targets:
            spot = self._tree.spot(target) if self._tree.contains(target) else None
            if spot and spot.kind is Kind.FOUND:
                for rdtype in (Type.A, Type.AAAA):
                    if rdtype in spot.groups:
                        found[target, rdtype] = self._records(target, spot.groups[rdtype])
        return found

    def _reply(
        self,
        rcode: int,
        answer: Records,
        authorities: int,
        rest: Records,
        *,
        authoritative: bool = True,
        whole: bool = False,
    ) -> Reply:
        counts = (answer.count, authorities, rest.count - authorities)
        head = heads(rcode, counts, authoritative=authoritative)
        return Reply(self._zone_id, rcode, head, answer.octets, rest.octets, whole=whole)


def _bodies(group: Group) -> list[bytes]:
    member = group.first
    return [record_body(group.type, member.ttl, value.rdata) for value in member.values]


def _targets(group: Group) -> list[bytes]:
    """The names that a group's values point to; those of name servers in the order of authority sections."""
    at = TARGET_AT[group.type]
    targets = [value.rdata[at:] for value in group.first.values]
    return sorted(targets, key=show_name) if group.type is Type.NS else targets


def _joined(parts: Iterable[Records]) -> Records:
    return sum(parts, NONE)
