"""Alias targets that no file has the records of: AWS resources above all. Their addresses are made up."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from hashlib import sha256
from ipaddress import IPv4Address, IPv6Address

from dnsemu.convert.draft import Item
from dnsemu.convert.flow import Value
from dnsemu.convert.notes import Kind, Note, counted
from dnsemu.model import spelled_resource

_BLOCKS = (IPv4Address("192.0.2.0"), IPv4Address("198.51.100.0"))  # for documentation (RFC 5737)
_EACH = 254  # hosts of a block
_IPV6 = IPv6Address("2001:db8::")  # for documentation (RFC 3849)
_KEYS = {"A": "a", "AAAA": "aaaa"}


@dataclass(eq=False, slots=True)
class _Target:
    name: str
    dangling: bool
    types: set[str] = field(default_factory=set)
    uses: int = 0


class Targets:
    """What aliases point to outside of their zones, each once: with and without `dualstack.` is the same."""

    def __init__(self) -> None:
        self._targets: dict[str, _Target] = {}

    def add(self, name: str, rdtype: str, *, dangling: bool) -> None:
        """An alias of that type points there. `dangling`: it should be in the zone, and is not."""
        target = self._targets.setdefault(spelled_resource(name), _Target(name, dangling))
        target.types.add(rdtype)
        target.uses += 1

    def items(self, notes: list[Note]) -> Iterator[Item]:
        """Entries of `alias_targets`, by name, and a note for each."""
        taken: set[int] = set()
        for spelled, target in sorted(self._targets.items()):
            number = _number(spelled, taken)
            taken.add(number)
            yield _dangling(target, notes) if target.dangling else _made_up(target, number, notes)


def _number(name: str, taken: set[int]) -> int:
    """Which address a name gets: the same in every file, unless another name has it already."""
    most = _EACH * len(_BLOCKS)
    number = int.from_bytes(sha256(name.encode()).digest()[:4], "big") % most
    while number in taken and len(taken) < most:
        number = (number + 1) % most
    return number


def _made_up(target: _Target, number: int, notes: list[Note]) -> Item:
    block, host = divmod(number, _EACH)
    addresses = {"A": str(_BLOCKS[block] + host + 1), "AAAA": str(_IPV6 + number + 1)}
    kept = {_KEYS[rdtype]: addresses[rdtype] for rdtype in _KEYS if rdtype in target.types}
    value: dict[str, Value] = {"name": target.name, **kept}
    if kept:
        uses = counted(target.uses, "alias") if target.uses == 1 else f"{target.uses:,} aliases"
        text = f"{' and '.join(kept.values())} ({uses} to it): put in the real addresses"
        notes.append(Note(Kind.MADE_UP, f"alias target {target.name}", text))
    return Item(f"alias target {target.name}", value, remark="made up: put in the real addresses")


def _dangling(target: _Target, notes: list[Note]) -> Item:
    """Route 53 answers such an alias without records, and takes it for unhealthy; so does an entry without any."""
    text = "it is not among the record sets of its zone, so aliases to it are answered without records"
    notes.append(Note(Kind.INCOMPLETE, f"alias target {target.name}", text))
    value: dict[str, Value] = {"name": target.name, "healthy": False}
    return Item(f"alias target {target.name}", value, remark="not among the record sets of its zone")
