"""Weighted routing (behaviour 1.2)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from dnsemu.errors import Fault
from dnsemu.model import RecordSet
from dnsemu.routing.contract import check_members, check_one_ttl

MAX_WEIGHT = 255  # W1


@dataclass(frozen=True, slots=True)
class Weighted:
    """`weight`: 0 … 255."""

    weight: int
    name: ClassVar[str] = "weighted"

    def check(self, members: Sequence[RecordSet]) -> list[Fault]:
        """One TTL for all members (C11, R8)."""
        return [*check_members(members, self.name), *check_one_ttl(members, self.name)]
