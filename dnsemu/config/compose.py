"""Composing: from the events of PyYAML's C parser to a tree.

Scalars stay text until their field's type is known, so that `country: NO` is Norway and `ttl: 010` an error.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import yaml

from dnsemu.config.source import Source
from dnsemu.config.tree import Items, Mapping, Tree, origin, position
from dnsemu.errors import Fault, Origin

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
_TOO_DEEP = f"this is nested more than {MAX_DEPTH} levels deep"


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
        return None, [*composer.faults, _syntax_fault(source, error)]
    except yaml.reader.ReaderError:
        return None, [*composer.faults, _character_fault(source)]


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
            elif isinstance(event, yaml.NodeEvent) and not _is_nothing(event):
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
            raise self._stop(event, "yaml-depth", _TOO_DEEP)
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
        merged: list[tuple[Tree, Any]] = []
        for event in events:
            if event.__class__ is yaml.MappingEndEvent:
                break
            key = self._key(event, events, depth)
            value_event = next(events)
            self._refuse_nothing(value_event, key)
            value = self._node(value_event, events, depth + 1)
            if key == _MERGE:
                merged += [(other, event) for other in (value if isinstance(value, Items) else [value])]
            elif key is not None and key in mapping:
                self._twice(event, key, mapping)
            elif key is not None:
                mapping.put(key, value, _position(event), _position(value_event))
        for other, key_event in merged:
            self._merge(mapping, other, key_event)
        return mapping

    def _refuse_nothing(self, event: Any, key: str | None = None) -> None:
        """A value that is not there is neither an empty text nor an empty list."""
        if _is_nothing(event):
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

    def _merge(self, mapping: Mapping, other: Tree, event: Any) -> None:
        """YAML's merge key: what the mapping says itself wins."""
        if not isinstance(other, Mapping):
            self._fault(event, "yaml-merge", "<< takes a mapping, or a list of mappings")
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


def _is_nothing(event: Any) -> bool:
    """Whether there is no value where there could be one; an empty text has quotes."""
    return event.__class__ is yaml.ScalarEvent and not event.value and event.implicit[0]


def _position(event: Any) -> int:
    mark = event.start_mark
    return position(mark.line + 1, mark.column + 1)


def _syntax_fault(source: Source, error: yaml.MarkedYAMLError) -> Fault:
    mark = error.problem_mark or error.context_mark
    place = Origin(source.name, mark.line + 1, mark.column + 1) if mark else Origin(source.name)
    problem = error.problem or "this is not YAML"
    if "nesting depth" in problem:  # libyaml 0.2.6 and newer have a limit of their own, and may meet it before us
        return Fault(place, "yaml-depth", _TOO_DEEP)
    context = f" {error.context}" if error.context else ""
    lines = source.text.split("\n")
    rest = lines[place.line - 1][place.column - 1 :] if 0 < place.line <= len(lines) else ""
    before = lines[place.line - 1][: place.column - 1] if rest else ""
    return Fault(place, "yaml-syntax", f"{problem}{context}", _syntax_hint(problem, before, rest))


def _syntax_hint(problem: str, before: str, rest: str) -> str:
    if rest.startswith("\t") or before.endswith("\t"):
        return "YAML is indented with spaces, never with tabs"
    if rest.startswith(("@", "`", "%", "*", "&", "!")) or before.endswith(("*", "&")):
        return "a text that begins with this character needs quotes"
    if "mapping values are not allowed" in problem:
        return "put text with a colon into quotes"
    return ""


def _character_fault(source: Source) -> Fault:
    """The first character that YAML does not allow; the reader counts octets, the text knows lines."""
    found = yaml.reader.Reader.NON_PRINTABLE.search(source.text)
    if found is None:
        return Fault(Origin(source.name), "yaml-character", "the file has a character that is not allowed in YAML")
    line = source.text.count("\n", 0, found.start()) + 1
    column = found.start() - source.text.rfind("\n", 0, found.start())
    character = ascii(found[0])
    message = f"the character {character} is not allowed in YAML"
    return Fault(Origin(source.name, line, column), "yaml-character", message)
