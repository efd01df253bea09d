"""Multivalue answer routing (behaviour 1.8)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from dnsemu.errors import Fault
from dnsemu.model import RecordSet, Type
from dnsemu.routing.contract import ROUTED_TYPES, check_members, check_one_ttl, describe

TYPES = ROUTED_TYPES - {Type.CNAME}


@dataclass(frozen=True, slots=True)
class Multivalue:
    """Has no parameters."""

    name: ClassVar[str] = "multivalue"

    def check(self, members: Sequence[RecordSet]) -> list[Fault]:
        """No alias members, no CNAME (M5), one TTL (A32)."""
        aliases = [
            Fault(
                member.origin,
                "policy-alias",
                f"{describe(member)}: a multivalue record set can not be an alias",
            )
            for member in members
            if member.alias
        ]
        return [*check_members(members, self.name, TYPES), *aliases, *check_one_ttl(members, self.name)]
