"""Why an answer is what it is: the functions that answer are asked, and what they decided is told step by step."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, NamedTuple

from dnsemu.authority.asking import Asked
from dnsemu.authority.authority import EXPLAIN, Authority, Catalogue, View
from dnsemu.authority.health import Health
from dnsemu.authority.inquiry import Decision, Inquiry
from dnsemu.authority.reply import Reply
from dnsemu.authority.shares import Shares
from dnsemu.authority.tree import Kind, Spot, ZoneTree
from dnsemu.draws import Draws
from dnsemu.model import Group, RecordSet, Resource, Type, kind_of, show_name, show_value
from dnsemu.routing import Reason, Verdict
from dnsemu.wire import HEADER, Rcode, records_of, type_and_class

Json = Mapping[str, Any]
_WORDS = {
    Reason.DEFAULT: "the default, as nothing else is for this client",
    Reason.FAILOVER: "the next best, as what would come first is unhealthy",
    Reason.ALL_UNHEALTHY: "the last resort: no member is healthy, so all are considered healthy",
    Reason.NO_MATCH: "none, as no member is for this client: NODATA",
}


class Explanation(NamedTuple):
    """An answer and how it came about, as JSON has it; `authority.narrative` makes text of it."""

    question: Json
    client: Json
    zone: Json | None
    steps: list[Json]
    answer: Json
    shares: Mapping[str, float]


class Resolved(NamedTuple):
    """An answer, and the decisions that led to it. `records`: name, ttl, type and value of each, as JSON has it."""

    zone_id: str
    rcode: str
    records: list[Json]
    scope: int
    decisions: Sequence[Decision]


def resolve(authority: Authority, asked: Asked, draws: Draws) -> Resolved | None:
    """The answer to `asked`, as over DNS, with the next draws; None if the name is in no zone."""
    answered = _answer(authority, asked, draws)
    if answered is None:
        return None
    catalogue, inquiry, reply = answered
    tree = _tree(catalogue, reply)
    return Resolved(
        reply.zone_id,
        Rcode(reply.rcode).name,
        _records(asked, reply),
        _scope(asked, inquiry, tree),
        inquiry.decisions,
    )


def explain(authority: Authority, asked: Asked, draws: Draws) -> Explanation | None:
    """Why `asked` gets the answer that it would get next; None if the name is in no zone. Draws nothing."""
    catalogue, _ = _catalogue(authority, asked)
    entry = catalogue.search(asked.name, type_and_class(asked.type))
    if entry is not None and entry is catalogue.explained:  # what is told about is the question behind it
        return explain(authority, asked._replace(name=asked.name[len(EXPLAIN) :], type=Type.A), draws)
    answered = _answer(authority, asked, draws.ahead())
    if answered is None:
        return None
    catalogue, inquiry, reply = answered
    return explained(catalogue, asked, inquiry, reply)


def _answer(authority: Authority, asked: Asked, draws: Draws) -> tuple[Catalogue, Inquiry, Reply] | None:
    """Where the question was asked, what was decided, and the reply."""
    catalogue, view = _catalogue(authority, asked)
    entry = catalogue.search(asked.name, type_and_class(asked.type))
    if entry is None:
        return None
    inquiry = _inquiry(authority, asked, view, draws)
    return catalogue, inquiry, entry.choose(inquiry)


def _tree(catalogue: Catalogue, reply: Reply) -> ZoneTree:
    return next(tree for tree in catalogue.zones.values() if tree.zone.zone_id == reply.zone_id)


def _records(asked: Asked, reply: Reply) -> list[Json]:
    return [
        {"name": show_name(name), "ttl": ttl, "type": _type_name(rdtype), "value": show_value(Type(rdtype), rdata)}
        for name, rdtype, ttl, rdata in records_of(asked.name, reply.answer)
    ]


def _scope(asked: Asked, inquiry: Inquiry, tree: ZoneTree) -> int:
    """The client subnet's scope; private zones know none (R1)."""
    return inquiry.scope if asked.is_subnet and not tree.zone.vpcs else 0


def explained(catalogue: Catalogue, asked: Asked, inquiry: Inquiry, reply: Reply) -> Explanation:
    """What `reply`, which `inquiry` was answered with, came from."""
    tree, records = _tree(catalogue, reply), _records(asked, reply)
    teller = Teller(tree, inquiry)
    hops = sum(one["type"] == "CNAME" for one in records)
    steps = list(teller.tell(asked.name, asked.type, hops, more=reply.whole or len(records) > hops))
    return Explanation(
        {"name": show_name(asked.name), "type": asked.type.name},
        _client(asked, inquiry),
        {"name": show_name(tree.apex), "zone_id": tree.zone.zone_id, "vpc_ids": [v.vpc_id for v in tree.zone.vpcs]},
        steps,
        {
            "rcode": Rcode(reply.rcode).name,
            "records": records,
            "scope": _scope(asked, inquiry, tree),
            "ttl_from": teller.source if records else _negative_source(steps, tree),
        },
        Shares(inquiry, tree).of(asked.name, asked.type),
    )


def _negative_source(steps: list[Json], tree: ZoneTree) -> str:
    """Where the TTL of an answer without records is from."""
    return next(
        (f"{step['owner']} NS" for step in steps if step.get("found") == "cut"), f"the SOA of {show_name(tree.apex)}"
    )


def _catalogue(authority: Authority, asked: Asked) -> tuple[Catalogue, View | None]:
    """The private zones of the client's VPC if one of them has the name, else the public ones (V2–V5)."""
    views = authority.views
    if views is not None:
        source = None if asked.is_subnet else views.of(asked.address)
        view = views.by_vpc.get(asked.vpc_id) if asked.vpc_id is not None else source
        type_class = type_and_class(asked.type)
        if view is not None and view.catalogue.search(asked.name, type_class, private=True):
            return view.catalogue, view
        if view is not None:
            return view.beside(authority.public, asked.name), None
    return authority.public, None


def _inquiry(authority: Authority, asked: Asked, view: View | None, draws: Draws) -> Inquiry:
    packet = bytes(HEADER) + asked.name + type_and_class(asked.type)
    inquiry = Inquiry(authority, draws, packet, len(packet), asked.address, asked.length)
    inquiry.vpc_id = view.vpc_id if view is not None else asked.vpc_id
    inquiry.is_subnet = asked.is_subnet
    return inquiry


def _client(asked: Asked, inquiry: Inquiry) -> Json:
    located = inquiry.located
    place, geography = located.place, inquiry.authority.locator().geography
    return {
        "address": inquiry.address,
        "length": inquiry.length,
        "is_subnet": asked.is_subnet,
        "vpc_id": inquiry.vpc_id,
        "named": asked.place,
        "place": geography.name_of(place),
        "continent": place.continent,
        "country": place.country,
        "subdivision": place.subdivision,
        "coordinates": place.coordinates,
        "word": located.word,
    }


class Teller:
    """Walks a zone as compiling it did, and tells each step; the decisions are those that were taken."""

    def __init__(self, tree: ZoneTree, inquiry: Inquiry) -> None:
        self._tree = tree
        self._inquiry = inquiry
        self._decisions: Iterator[Decision] = iter(inquiry.decisions)
        self.source = ""  # what the records that were told last come from
        routing = inquiry.authority.routing
        self._groups = routing.groups
        self._health = Health(routing.snapshot, routing.targets)

    def tell(self, name: bytes, rdtype: Type, hops: int, *, more: bool) -> Iterator[Json]:
        """The steps from a name on, over `hops` CNAMEs; whether there is `more` behind the last of them."""
        spot = self._tree.spot(name)
        if spot.kind is Kind.CUT and rdtype is Type.DS and spot.owner == name:  # the cut's own DS (D4)
            spot = Spot(Kind.FOUND, name, {Type.DS: group} if (group := spot.groups.get(Type.DS)) else {})
        wanted = Type.CNAME if Type.CNAME in spot.groups else rdtype
        yield self._found(name, spot, wanted)
        if spot.kind is not Kind.FOUND or wanted not in spot.groups:
            return
        taken: list[RecordSet | Resource] = []
        yield from self._group(spot.groups[wanted], taken)
        if wanted is not rdtype and (hops > 1 or (hops and more)):
            target = _target(taken)
            yield {"step": "cname", "target": show_name(target)}
            yield from self.tell(target, rdtype, hops - 1, more=more)

    def _found(self, name: bytes, spot: Spot, wanted: Type) -> Json:
        types = sorted(rdtype.name for rdtype in spot.groups)
        step = {"step": "name", "name": show_name(name), "found": spot.kind.name.lower()}
        if spot.kind is Kind.CUT:
            servers = [show_name(value.rdata) for value in spot.groups[Type.NS].first.values]
            return step | {"owner": show_name(spot.owner), "name_servers": sorted(servers)}
        if spot.kind is Kind.MISSING:
            return step
        return step | {"owner": show_name(spot.owner), "types": types, "wanted": wanted.name}

    def _group(self, group: Group, taken: list[RecordSet | Resource]) -> Iterator[Json]:
        """A group and what its choice leads to; `taken` gets what the records come from in the end."""
        if group.first.policy is None:
            yield {"step": "group", "policy": "simple", **_identity(group), "ttl": _ttl(group.first)}
            yield from self._member(group.first, taken)
            return
        number, choice = next(self._decisions)
        assert self._groups[number] is group, "decisions are taken in the order in which they are told"
        chooser = self._inquiry.choosers[number]
        verdicts = chooser.judge(self._inquiry)
        yield {
            "step": "group",
            "policy": group.first.policy.name,
            **_identity(group),
            "members": [
                self._judged(member, verdict, taken=index in choice.members)
                for index, (member, verdict) in enumerate(zip(group.members, verdicts, strict=True))
            ],
            "reason": choice.reason.value,
            "because": _WORDS.get(choice.reason, chooser.criterion),
        }
        for index in choice.members:
            yield from self._member(group.members[index], taken)
        if len(choice.members) > 1:
            self.source = f"{show_name(group.name)} {group.type.name}"

    def _judged(self, member: RecordSet, verdict: Verdict, *, taken: bool) -> Json:
        return {
            "set_identifier": member.set_identifier,
            "healthy": self._health.of(member),
            "health": self._health.why(member),
            "matched": verdict.matched,
            "why": verdict.why,
            "share": verdict.share,
            "taken": taken,
            "ttl": _ttl(member),
            "alias": self._shown_target(member),
            "values": [show_value(member.type, value.rdata) for value in member.values],
        }

    def _shown_target(self, member: RecordSet) -> str | None:
        target = self._tree.target(member)
        if isinstance(target, Resource):
            return target.name
        return show_name(member.alias.name) if member.alias else None

    def _member(self, member: RecordSet, taken: list[RecordSet | Resource]) -> Iterator[Json]:
        """Where the records of a member come from."""
        if member.alias is None:
            taken.append(member)
            which = f"{member.set_identifier} of " if member.set_identifier else ""
            self.source = f"{which}{show_name(member.name)} {member.type.name}"
            return
        target = self._tree.target(member)
        step = {"step": "alias", "target": member.alias.text, "evaluated": member.alias.evaluate_target_health}
        if isinstance(target, Group):
            yield step | {"target": show_name(member.alias.name), "kind": "record set"}
            yield from self._group(target, taken)
        elif target is not None:
            taken.append(target)
            self.source = target.name
            values = [show_value(member.type, value.rdata) for value in target.values.get(member.type, ())]
            yield step | {"kind": kind_of(target.name).name, "ttl": target.ttl, "values": values}


def _target(taken: list[RecordSet | Resource]) -> bytes:
    """Where the CNAME that was taken leads."""
    member = taken[-1]
    assert isinstance(member, RecordSet), "no AWS resource has a CNAME"
    return member.values[0].rdata


def _identity(group: Group) -> dict[str, Any]:
    return {"name": show_name(group.name), "type": group.type.name}


def _ttl(member: RecordSet) -> int | None:
    return None if member.alias else member.ttl


def _type_name(rdtype: int) -> str:
    return Type(rdtype).name
