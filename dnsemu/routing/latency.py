"""Latency routing (behaviour 1.3)."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from dnsemu.errors import Fault
from dnsemu.location import Tables, check_region
from dnsemu.model import RecordSet
from dnsemu.routing.contract import check_distinct, check_members


@dataclass(frozen=True, slots=True)
class Latency:
    """`region`: an AWS region that latency routing knows (L8)."""

    region: str
    name: ClassVar[str] = "latency"

    def check(self, members: Sequence[RecordSet]) -> list[Fault]:
        """A region at most once (L1)."""
        return [
            *check_members(members, self.name),
            *check_distinct(members, lambda member: member.policy, "region"),
        ]


def read_latency(region: str, tables: Tables) -> Latency:
    """Raises TextError for an unknown region."""
    check_region(region, tables.latency_regions)
    return Latency(region)
