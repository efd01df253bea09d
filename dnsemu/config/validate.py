"""From a tree to a validated file model: pydantic's errors as faults with their places."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from difflib import get_close_matches
from typing import Any, get_args

from pydantic import BaseModel, ValidationError

from dnsemu.config.schema import File
from dnsemu.config.tree import At, Items, Mapping, Tree
from dnsemu.errors import Fault, TextError

Path = tuple[str | int, ...]

_MOST_TURNS = 10  # one for each level of a file: what lacks a value is taken out in turn
_RANGES = {
    "greater_than_equal": "must be at least {ge}",
    "less_than_equal": "must be at most {le}",
    "string_too_short": "has too few characters: at least {min_length}",
    "string_too_long": "has too many characters: at most {max_length}",
    "too_short": "has too few items: at least {min_length}",
    "too_long": "has too many items: at most {max_length}",
    "string_pattern_mismatch": "must match {pattern}",
}
_SHAPES = {
    "list_type": "a list is needed here",
    "dict_type": "a mapping is needed here",
    "model_type": "a mapping is needed here",
    "model_attributes_type": "a mapping is needed here",
}


def validate(at: At) -> tuple[File, list[Fault]]:
    """The model of a file, without what is wrong in it, and a fault for everything that is wrong."""
    faults: list[Fault] = []
    for turn in range(_MOST_TURNS):
        try:
            return File.model_validate(at.tree), faults
        except ValidationError as error:
            details = error.errors(include_url=False)
        meant = _meant(at, details)
        missed = {(*path[:-1], key) for path, key in meant.items()}
        details = [detail for detail in details if detail["loc"] not in missed]
        if turn == 0:  # what is found later follows from what was taken out
            faults = [_fault(at, detail) for detail in details]
        for path, key in meant.items():
            _rename(at.get(*path[:-1]).tree, str(path[-1]), key)
        _take_out(at, [detail for detail in details if detail["loc"] not in meant])
    return File(), faults


def _fault(at: At, detail: Any) -> Fault:
    path: Path = detail["loc"]
    kind, context = detail["type"], detail.get("ctx", {})
    place = at.get(*path)
    name = path[-1] if path else "the file"
    error = context.get("error")
    if isinstance(error, TextError):
        return Fault(place.origin, error.code, error.message, error.hint)
    if kind == "extra_forbidden":
        return _unknown_key(at, path)
    if kind == "missing":
        return Fault(place.origin, "missing-key", f"the key '{name}' is missing here")
    if kind in _RANGES:
        return Fault(place.origin, "out-of-range", f"{name} {_RANGES[kind].format(**context)}")
    if kind == "literal_error":
        return _not_one_of(place, str(detail["input"]), _expected(context["expected"]))
    return Fault(place.origin, "wrong-type", _SHAPES.get(kind, detail["msg"]))


def _unknown_key(at: At, path: Path) -> Fault:
    key, known = str(path[-1]), sorted(_keys_at(path[:-1]))
    close = _closest(key, known)
    hint = f"did you mean {close}?" if close else f"the keys here are {', '.join(known)}"
    return Fault(at.get(*path[:-1]).key(key), "unknown-key", f"the key '{key}' is not known here", hint)


def _closest(key: str, known: Iterable[str]) -> str:
    return next(iter(get_close_matches(key, sorted(known), n=1)), "")


def _not_one_of(place: At, text: str, allowed: list[str]) -> Fault:
    close = [option for option in allowed if option.lower() == text.lower()] or get_close_matches(text, allowed, n=1)
    hint = f"did you mean {close[0]}?" if close else ""
    return Fault(place.origin, "wrong-value", f"'{text}' is not one of {', '.join(allowed)}", hint)


def _expected(text: str) -> list[str]:
    """The options of pydantic's `'A', 'B' or 'C'`."""
    return [option.strip(" '") for option in text.replace(" or ", ", ").split(", ")]


def _keys_at(path: Path) -> Iterable[str]:
    """The keys that a mapping at `path` may have."""
    model: type[BaseModel] = File
    for key in path:
        field = model.model_fields.get(str(key))  # indexes of lists, and keys of one's own choice, lead no further
        if field is not None:
            model = next(_models_in(field.annotation), model)
    return model.model_fields


def _models_in(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models_in(part)


def _meant(at: At, details: Iterable[Any]) -> dict[Path, str]:
    """Unknown keys that are read as the known ones that were probably meant: their paths, and those keys."""
    meant: dict[Path, str] = {}
    for detail in details:
        path: Path = detail["loc"]
        if detail["type"] == "extra_forbidden":
            parent = at.get(*path[:-1])
            close = _closest(str(path[-1]), _keys_at(path[:-1]))
            if close and not parent.has(close):
                meant[path] = close
    return meant


def _rename(tree: Tree, key: str, other: str) -> None:
    if isinstance(tree, Mapping) and key in tree and other not in tree:
        tree.rename(key, other)


def _take_out(at: At, details: Iterable[Any]) -> None:
    """Removes what is wrong, so that the rest can be read: a value, or what can not do without the missing one."""
    doomed: dict[Path, None] = {}
    for detail in details:
        path: Path = detail["loc"]
        doomed[path[:-1] if detail["type"] == "missing" else path] = None
    for path in sorted(doomed, key=_last_first):
        parent = at.get(*path[:-1]).tree
        if isinstance(parent, Items) and isinstance(path[-1], int) and path[-1] < len(parent):
            parent.drop(path[-1])
        elif isinstance(parent, Mapping) and path[-1] in parent:
            parent.drop(str(path[-1]))


def _last_first(path: Path) -> tuple[tuple[int, str], ...]:
    """Sorts later items before earlier ones and what is inside before what is around it, so that indexes hold."""
    return (*((-key, "") if isinstance(key, int) else (0, key) for key in path), (1, ""))
