"""A YAML file as a tree of text: every key and every value knows its line and column."""

from __future__ import annotations

from array import array
from typing import Any, NamedTuple, TypeAlias

from dnsemu.errors import Fault, Origin, TextError

_MANY = 32  # items, from which on looking for one by one takes too long
_NO_INDEXES: dict[str, int] = {}
_COLUMN_BITS = 32
_COLUMN_MASK = (1 << _COLUMN_BITS) - 1


def position(line: int, column: int) -> int:
    """A line and a column, both from 1, as one number."""
    return (line << _COLUMN_BITS) + column


class Mapping(dict[str, Any]):
    """A YAML mapping: text → tree, with the position of itself, of each key and of each value.

    A position is one number, line and column, and all of them stand in one array: a file of a hundred thousand
    record sets has a million.
    """

    __slots__ = ("_indexes", "_places", "at", "taken")

    def __init__(self, at: int) -> None:
        super().__init__()
        self.at = at
        self._indexes = _NO_INDEXES  # of a mapping of many items, once it is asked for
        self.taken: tuple[str, ...] = ()  # keys whose values were wrong, and told about
        self._places = array("Q")  # key and value of each item, in the order of the items

    def put(self, key: str, value: Tree, key_at: int, value_at: int) -> None:
        """A new item."""
        self[key] = value
        self._places.extend((key_at, value_at))

    def drop(self, key: str) -> None:
        """Take an item out, with its positions."""
        index = self._index(key)
        del self[key], self._places[2 * index : 2 * index + 2]
        self._indexes = _NO_INDEXES
        self.taken = (*self.taken, key)

    def rename(self, key: str, other: str) -> None:
        """Read the value of one key as that of another, which is not there."""
        value, key_at, value_at = self[key], self.key_at(key), self.value_at(key)
        self.drop(key)
        self.put(other, value, key_at, value_at)

    def key_at(self, key: str) -> int:
        """The position of a key that is there."""
        return self._places[2 * self._index(key)]

    def value_at(self, key: str) -> int:
        """The position of the value of a key that is there."""
        return self._places[2 * self._index(key) + 1]

    def _index(self, key: str) -> int:
        if len(self) < _MANY:
            return next(index for index, other in enumerate(self) if other == key)
        if len(self._indexes) != len(self):
            self._indexes = {other: index for index, other in enumerate(self)}
        return self._indexes[key]


class Items(list[Any]):
    """A YAML sequence of trees, with the position of itself and of each item."""

    __slots__ = ("at", "items_at", "taken")

    def __init__(self, at: int) -> None:
        super().__init__()
        self.at = at
        self.items_at = array("Q")
        self.taken = False  # whether an item was wrong, and told about

    def drop(self, index: int) -> None:
        """Take an item out, with its position."""
        del self[index], self.items_at[index]
        self.taken = True


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

    def is_whole(self) -> bool:
        """Whether nothing was taken out of the mapping, nor of the values in it."""
        tree = self.tree
        if not isinstance(tree, Mapping) or tree.taken:
            return False
        return not any(getattr(value, "taken", None) for value in tree.values())

    def has_lost(self, key: str) -> bool:
        """Whether it is a mapping from which the value of that key, or a part of it, was taken out."""
        if not isinstance(self.tree, Mapping):
            return False
        value = self.tree.get(key)
        return key in self.tree.taken or bool(getattr(value, "taken", None))

    def key(self, key: str) -> Origin:
        """Where the key itself stands."""
        if isinstance(self.tree, Mapping) and key in self.tree:
            return origin(self.file, self.tree.key_at(key))
        return self.origin


def origin(file: str, position: int) -> Origin:
    """Where a position is."""
    return Origin(file, position >> _COLUMN_BITS, position & _COLUMN_MASK)


def fault_at(at: At, error: TextError) -> Fault:
    """What is wrong with the text at a place, or in the part of it that the error leads to."""
    return Fault(at.get(*error.path).origin, error.code, error.message, error.hint)
