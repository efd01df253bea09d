"""What every routing policy has: its name, its types, how many members its groups may have (C1–C8)."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Final

from dnsemu.errors import Fault
from dnsemu.model import Group, RecordSet, Type, show_name

ROUTED_TYPES: Final = frozenset(Type) - {Type.NS, Type.SOA, Type.DS}
"""Types that policies other than simple allow (behaviour 1.0, table)."""
MAX_MEMBERS: Final = 100


def describe(member: RecordSet) -> str:
    """A record set as Route 53's messages name it."""
    identifier = f", SetIdentifier {member.set_identifier}" if member.set_identifier else ""
    return f"RRSet with DNS name {show_name(member.name)}, type {member.type.name}{identifier}"


def check_members(
    members: Sequence[RecordSet], policy: str, types: frozenset[Type] = ROUTED_TYPES, most: int = MAX_MEMBERS
) -> Iterator[Fault]:
    """Rules that all policies but simple share: allowed types, number of members, set identifiers."""
    first = members[0]
    if first.type not in types:
        yield Fault(first.origin, "policy-type", f"{policy} routing can not be used for type {first.type.name}")
    if len(members) > most:
        yield Fault(
            members[most].origin,
            "policy-members",
            f"{describe(members[most])} is one too many: {_a(policy)} group has at most {most} members",
        )
    yield from check_distinct(members, lambda member: member.set_identifier, "set identifier")


def _a(policy: str) -> str:
    return f"an {policy}" if policy[0] in "AEIO" else f"a {policy}"


def check_distinct(members: Iterable[RecordSet], key: Callable[[RecordSet], object], what: str) -> Iterator[Fault]:
    """A fault for each member whose `key` another one before it has (C4, G3, L1, P7)."""
    seen: dict[object, RecordSet] = {}
    for member in members:
        other = seen.setdefault(key(member), member)
        if other is not member:
            yield Fault(
                member.origin,
                "policy-duplicate",
                f"{describe(member)} has the {what} of the record set at {other.origin}",
            )


def check_one_ttl(members: Sequence[RecordSet], policy: str) -> Iterator[Fault]:
    """A fault for each member whose TTL is not that of the first; aliases have none (C11, A32)."""
    with_ttl = [member for member in members if member.alias is None]
    for member in with_ttl[1:]:
        if member.ttl != with_ttl[0].ttl:
            yield Fault(
                member.origin,
                "policy-ttl",
                f"{describe(member)} cannot be created as {policy} sets must contain the same TTL",
                f"the first member has {with_ttl[0].ttl}, this one {member.ttl}",
            )


def check_group(group: Group) -> list[Fault]:
    """What is wrong with a group: mixed policies (C2), then what its policy says."""
    policies = {type(member.policy) for member in group.members}
    if len(policies) > 1:
        kind = type(group.first.policy)
        odd = next(member for member in group.members if type(member.policy) is not kind)
        return [
            Fault(
                odd.origin,
                "policy-mixed",
                f"{describe(odd)} cannot be created as other RRSets exist with the same name and type",
                f"the one at {group.first.origin} has another routing policy",
            )
        ]
    if group.first.policy is not None:
        return list(group.first.policy.check(group.members))
    return [
        Fault(
            member.origin,
            "duplicate-record-set",
            f"{describe(member)} cannot be created as other RRSets exist with the same name and type",
            f"put all values into the record set at {group.first.origin}, or give each a routing policy",
        )
        for member in group.members[1:]
    ]
