"""Pieces of answers: records of a section as octets, and what they are made of."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from dnsemu.model import TARGET_AT, Type, Value, show_name
from dnsemu.wire import record_body


@dataclass(frozen=True, slots=True)
class Records:
    """Some records of a section and how many they are."""

    octets: bytes = b""
    count: int = 0

    def __add__(self, other: Records) -> Records:
        return Records(self.octets + other.octets, self.count + other.count)


NONE = Records()


@dataclass(frozen=True, slots=True)
class Values:
    """What a record set without alias, or an AWS resource, says for one type."""

    type: Type
    ttl: int
    values: Sequence[Value]

    def owned_by(self, owner: bytes) -> tuple[bytes, ...]:
        """The records, each as octets."""
        return tuple([owner + record_body(self.type, self.ttl, value.rdata) for value in self.values])

    def sorted(self) -> Values:
        """In the order of authority sections: by the text of what they point to (5.2.2)."""
        return Values(self.type, self.ttl, sorted(self.values, key=lambda value: show_name(value.rdata)))

    @property
    def targets(self) -> list[bytes]:
        """The names whose addresses belong beside them (5.2.4)."""
        at = TARGET_AT.get(self.type)
        return [] if at is None else [value.rdata[at:] for value in self.values]


def joined(parts: Iterable[Records]) -> Records:
    """All of them, one behind the other."""
    return sum(parts, NONE)
