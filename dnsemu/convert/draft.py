"""A native file in the making: items with what they are about, and the lines they come to stand in."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from dnsemu.convert.flow import Value, flow

WIDTH = 140  # characters of a line, where it can be broken at all


@dataclass(eq=False, slots=True)
class Item:
    """An entry of a list in the file.

    `subject` names it for people. `inner` stands below the key `inner_key`, an item each. `instead` takes the place
    of a `value` that is refused; without it the item goes. `remark` becomes a comment above it, and holds for all
    items with the same one that follow.
    """

    subject: str
    value: dict[str, Value]
    inner_key: str = ""
    inner: list[Item] = field(default_factory=list)
    instead: dict[str, Value] | None = None
    remark: str = ""


class Rendered(NamedTuple):
    """The text of a file; `begins` are the lines, from 1, at which `items` begin, and `lists` hold them."""

    text: str
    begins: list[int]
    items: list[Item]
    lists: list[list[Item]]

    def at(self, line: int) -> tuple[Item, list[Item]] | None:
        """The innermost item around a line, and the list it stands in."""
        index = bisect_right(self.begins, line) - 1
        return (self.items[index], self.lists[index]) if index >= 0 else None


@dataclass(eq=False, slots=True)
class Draft:
    """The lists of a native file, and the lines of the comment at its head."""

    comment: list[str] = field(default_factory=list)
    hosted_zones: list[Item] = field(default_factory=list)
    health_checks: list[Item] = field(default_factory=list)
    cidr_collections: list[Item] = field(default_factory=list)
    alias_targets: list[Item] = field(default_factory=list)

    def render(self) -> Rendered:
        """The file as it stands now."""
        rendering = _Rendering([*(f"# {line}".rstrip() for line in self.comment), "version: 1"])
        for key in ("hosted_zones", "health_checks", "cidr_collections"):
            if items := getattr(self, key):
                rendering.lines.append(f"{key}:")
                rendering.add(items, 2)
        if self.alias_targets:
            rendering.lines += ["dnsemu:", "  alias_targets:"]
            rendering.add(self.alias_targets, 4)
        return Rendered("\n".join(rendering.lines) + "\n", rendering.begins, rendering.items, rendering.lists)


class _Rendering:
    """Lines, and where items begin among them."""

    def __init__(self, lines: list[str]) -> None:
        self.lines = lines
        self.begins: list[int] = []
        self.items: list[Item] = []
        self.lists: list[list[Item]] = []

    def add(self, items: list[Item], indent: int) -> None:
        """The entries of a list whose dashes stand in column `indent`."""
        remark = ""
        for item in items:
            if item.remark not in ("", remark):
                self.lines.append(f"{' ' * indent}# {item.remark}")
            remark = item.remark
            self.begins.append(len(self.lines) + 1)
            self.items.append(item)
            self.lists.append(items)
            self.lines += _item_lines(item, indent)
            if item.inner:
                self.lines.append(f"{' ' * indent}  {item.inner_key}:")
                self.add(item.inner, indent + 4)


def _item_lines(item: Item, indent: int) -> Iterator[str]:
    """One line in flow style if it fits and nothing is inside; otherwise a line for each key."""
    before = f"{' ' * indent}- "
    line = before + flow(item.value)
    if not item.inner_key and len(line) <= WIDTH:
        yield line
        return
    for key, value in item.value.items():
        line = f"{before}{key}: {flow(value)}"
        if len(line) > WIDTH and isinstance(value, Sequence) and not isinstance(value, str):
            yield f"{before}{key}:"
            yield from _broken(value, indent + 4)
        else:
            yield line
        before = " " * (indent + 2)


def _broken(values: Sequence[Value], indent: int) -> Iterator[str]:
    """A list that is too long for one line: an entry a line."""
    return (f"{' ' * indent}- {flow(value)}" for value in values)
