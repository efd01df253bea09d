"""YAML as a tree of text with positions.

Composed from the C parser's events, so that every scalar stays text until its field's type is known (`country: NO`
is Norway) and every key and value knows its line and column.
"""

from __future__ import annotations

from array import array
from collections.abc import Iterator
from typing import Any, NamedTuple, TypeAlias

import yaml

from dnsemu.config.source import Source
from dnsemu.errors import Fault, Origin, TextError

if yaml.__with_libyaml__:
    from yaml._yaml import CParser as _Parser
else:  # a PyYAML without its C part gives the same events, ten times slower

    class _Parser(yaml.reader.Reader, yaml.scanner.Scanner, yaml.parser.Parser):  # type: ignore[no-redef]
        def __init__(self, text: str) -> None:
            yaml.reader.Reader.__init__(self, text)
            yaml.scanner.Scanner.__init__(self)
            yaml.parser.Parser.__init__(self)


MAX_DEPTH = 24
MAX_REPEATED = 100_000  # nodes that aliases may stand for, all together
_MERGE = "<<"
_COLUMN_BITS = 32
_COLUMN_MASK = (1 << _COLUMN_BITS) - 1
FILE_BEGIN = (1 << _COLUMN_BITS) + 1
"""The position of line 1, column 1."""


class Mapping(dict[str, Any]):
    """A YAML mapping: text → tree, with the position of itself, of each key and of each value.

    A position is one number, line and column, and all of them stand in one array: a file of a hundred thousand
    record sets has a million.
    """

    __slots__ = ("_places", "at")

    def __init__(self, at: int) -> None:
        super().__init__()
        self.at = at
        self._places = array("Q")  # key and value of each item, in the order of the items

    def put(self, key: str, value: Tree, key_at: int, value_at: int) -> None:
        """A new item."""
        self[key] = value
        self._places.extend((key_at, value_at))

    def drop(self, key: str) -> None:
        """Take an item out, with its positions."""
        index = self._index(key)
        del self[key], self._places[2 * index : 2 * index + 2]

    def key_at(self, key: str) -> int:
        """The position of a key that is there."""
        return self._places[2 * self._index(key)]

    def value_at(self, key: str) -> int:
        """The position of the value of a key that is there."""
        return self._places[2 * self._index(key) + 1]

    def _index(self, key: str) -> int:
        return next(index for index, other in enumerate(self) if other == key)


class Items(list[Any]):
    """A YAML sequence of trees, with the position of itself and of each item."""

    __slots__ = ("at", "items_at")

    def __init__(self, at: int) -> None:
        super().__init__()
        self.at = at
        self.items_at = array("Q")

    def drop(self, index: int) -> None:
        """Take an item out, with its position."""
        del self[index], self.items_at[index]


Tree: TypeAlias = str | Mapping | Items


class At(NamedTuple):
    """A place in a file: a tree with its position, and the way to what is in it."""

    file: str
    tree: Tree
    position: int

    @property
    def origin(self) -> Origin:
        """For faults and model values."""
        return origin(self.file, self.position)

    def get(self, *path: str | int) -> At:
        """The place of a part, as far along the path as there are positions."""
        file, tree, position = self
        for key in path:
            if isinstance(tree, Mapping) and key in tree:
                tree, position = tree[str(key)], tree.value_at(str(key))
            elif isinstance(tree, Items) and isinstance(key, int) and key < len(tree):
                tree, position = tree[key], tree.items_at[key]
            else:
                break
        return At(file, tree, position)

    def has(self, key: str) -> bool:
        """Whether it is a mapping with that key."""
        return isinstance(self.tree, Mapping) and key in self.tree

    def key(self, key: str) -> Origin:
        """Where the key itself stands."""
        if isinstance(self.tree, Mapping) and key in self.tree:
            return origin(self.file, self.tree.key_at(key))
        return self.origin


def origin(file: str, position: int) -> Origin:
    """Where a position is."""
    return Origin(file, position >> _COLUMN_BITS, position & _COLUMN_MASK)


def fault_at(at: At, error: TextError) -> Fault:
    """What is wrong with the text at a place."""
    return Fault(at.origin, error.code, error.message, error.hint)


class _Stop(Exception):
    """Reading on makes no sense; carries the last fault."""

    def __init__(self, fault: Fault) -> None:
        super().__init__(fault.message)
        self.fault = fault


def compose(source: Source) -> tuple[Tree | None, list[Fault]]:
    """The tree of a file (None if it is empty or can not be read) and what is wrong with it as YAML."""
    composer = _Composer(source.name)
    try:
        return composer.document(_events(source.text)), composer.faults
    except _Stop as stop:
        return None, [*composer.faults, stop.fault]
    except yaml.MarkedYAMLError as error:
        return None, [*composer.faults, _syntax_fault(source.name, error)]
    except yaml.reader.ReaderError as error:
        return None, [*composer.faults, _character_fault(source, error)]
    except RecursionError:
        return None, [
            *composer.faults,
            Fault(Origin(source.name), "yaml-depth", "the file is nested too deep"),
        ]


def _events(text: str) -> Iterator[Any]:
    parser = _Parser(text)
    try:
        while (event := parser.get_event()) is not None:
            yield event
    finally:
        parser.dispose()


class _Composer:
    """Trees from events; one for each file."""

    def __init__(self, file: str) -> None:
        self.faults: list[Fault] = []
        self._file = file
        self._anchors: dict[str, tuple[Tree, int]] = {}
        self._open: set[str] = set()
        self._count = 0
        self._repeated = 0

    def document(self, events: Iterator[Any]) -> Tree | None:
        tree: Tree | None = None
        documents = 0
        for event in events:
            if isinstance(event, yaml.DocumentStartEvent):
                documents += 1
                if documents > 1:
                    raise self._stop(
                        event,
                        "yaml-documents",
                        "a second document begins here",
                        "put it into a file of its own",
                    )
            elif isinstance(
                event, (yaml.ScalarEvent, yaml.MappingStartEvent, yaml.SequenceStartEvent, yaml.AliasEvent)
            ):
                tree = self._node(event, events, 0)
        return tree

    def _node(self, event: Any, events: Iterator[Any], depth: int) -> Tree:
        if event.__class__ is yaml.AliasEvent:
            return self._alias(event)
        self._count += 1
        if event.tag is not None and event.tag != "!":
            self._fault(event, "yaml-tag", f"the tag {event.tag} is not read here", "leave it out")
        if event.anchor is not None:
            return self._anchored(event, events, depth)
        return self._bare(event, events, depth)

    def _bare(self, event: Any, events: Iterator[Any], depth: int) -> Tree:
        if event.__class__ is yaml.ScalarEvent:
            text: str = event.value
            return text
        if depth > MAX_DEPTH:
            raise self._stop(event, "yaml-depth", f"this is nested more than {MAX_DEPTH} levels deep")
        if event.__class__ is yaml.SequenceStartEvent:
            return self._items(event, events, depth)
        return self._mapping(event, events, depth)

    def _anchored(self, event: Any, events: Iterator[Any], depth: int) -> Tree:
        before = self._count
        self._open.add(event.anchor)
        tree = self._bare(event, events, depth)
        self._open.discard(event.anchor)
        self._anchors[event.anchor] = (tree, self._count - before + 1)
        return tree

    def _items(self, start: Any, events: Iterator[Any], depth: int) -> Items:
        items = Items(_position(start))
        for event in events:
            if event.__class__ is yaml.SequenceEndEvent:
                break
            items.items_at.append(_position(event))
            self._refuse_nothing(event)
            items.append(self._node(event, events, depth + 1))
        return items

    def _mapping(self, start: Any, events: Iterator[Any], depth: int) -> Mapping:
        mapping = Mapping(_position(start))
        merged: list[Tree] = []
        for event in events:
            if event.__class__ is yaml.MappingEndEvent:
                break
            key = self._key(event, events, depth)
            value_event = next(events)
            self._refuse_nothing(value_event, key)
            value = self._node(value_event, events, depth + 1)
            if key == _MERGE:
                merged += value if isinstance(value, Items) else [value]
            elif key is not None and key in mapping:
                self._twice(event, key, mapping)
            elif key is not None:
                mapping.put(key, value, _position(event), _position(value_event))
        for other in merged:
            self._merge(mapping, other, start)
        return mapping

    def _refuse_nothing(self, event: Any, key: str | None = None) -> None:
        """A value that is not there is neither an empty text nor an empty list."""
        if event.__class__ is yaml.ScalarEvent and not event.value and event.implicit[0]:
            what = f"the key '{key}'" if key is not None else "this item"
            self._fault(event, "empty-value", f"{what} has no value", 'write "" for an empty text, or leave it out')

    def _key(self, event: Any, events: Iterator[Any], depth: int) -> str | None:
        tree = self._node(event, events, depth + 1)
        if isinstance(tree, str):
            return tree
        self._fault(event, "yaml-key", "a key must be a plain text")
        return None

    def _twice(self, event: Any, key: str, mapping: Mapping) -> None:
        first = origin(self._file, mapping.key_at(key))
        message = f"the key '{key}' stands in this mapping already"
        self._fault(event, "duplicate-key", message, f"the first one is at {first}")

    def _merge(self, mapping: Mapping, other: Tree, start: Any) -> None:
        """YAML's merge key: what the mapping says itself wins."""
        if not isinstance(other, Mapping):
            self._fault(start, "yaml-merge", "<< takes a mapping, or a list of mappings")
            return
        for key, value in other.items():
            if key not in mapping:
                mapping.put(key, value, other.key_at(key), other.value_at(key))

    def _alias(self, event: Any) -> Tree:
        if event.anchor in self._open:
            raise self._stop(event, "yaml-alias", f"the alias *{event.anchor} stands inside of what it names")
        if event.anchor not in self._anchors:
            raise self._stop(event, "yaml-alias", f"there is no anchor &{event.anchor} before this alias")
        tree, size = self._anchors[event.anchor]
        self._count += size
        self._repeated += size
        if self._repeated > MAX_REPEATED:
            raise self._stop(
                event,
                "yaml-alias-bomb",
                f"the aliases up to here stand for more than {MAX_REPEATED:,} values",
            )
        return tree

    def _fault(self, event: Any, code: str, message: str, hint: str = "") -> None:
        self.faults.append(Fault(origin(self._file, _position(event)), code, message, hint))

    def _stop(self, event: Any, code: str, message: str, hint: str = "") -> _Stop:
        return _Stop(Fault(origin(self._file, _position(event)), code, message, hint))


def _position(event: Any) -> int:
    mark = event.start_mark
    position: int = ((mark.line + 1) << _COLUMN_BITS) + mark.column + 1
    return position


def _syntax_fault(file: str, error: yaml.MarkedYAMLError) -> Fault:
    mark = error.problem_mark or error.context_mark
    origin = Origin(file, mark.line + 1, mark.column + 1) if mark else Origin(file)
    problem = error.problem or "this is not YAML"
    hint = ""
    if "'\\t'" in problem or "tab" in problem:
        hint = "YAML is indented with spaces, never with tabs"
    elif "mapping values are not allowed" in problem:
        hint = "put text with a colon into quotes"
    context = f" {error.context}" if error.context else ""
    return Fault(origin, "yaml-syntax", f"{problem}{context}", hint)


def _character_fault(source: Source, error: yaml.reader.ReaderError) -> Fault:
    """A control character; the C reader counts octets, the text knows lines."""
    for line, text in enumerate(source.text.split("\n"), 1):
        for column, character in enumerate(text, 1):
            if (character < " " and character not in "\t\r") or character == "\x7f":
                return Fault(
                    Origin(source.name, line, column),
                    "yaml-character",
                    f"the control character {character!r} is not allowed in YAML",
                )
    return Fault(Origin(source.name), "yaml-character", f"a character in the file is not allowed: {error.reason}")
