"""IP-based routing (behaviour 1.7)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from dnsemu.errors import Fault, Origin, warning
from dnsemu.model import RecordSet
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
