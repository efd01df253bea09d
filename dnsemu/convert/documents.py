"""From files to pages: what the AWS CLI printed, found by its own keys.

JSON is expected. `--output yaml` is read too, and several outputs one after another in one file.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any, NamedTuple

import yaml
from pydantic import ValidationError

from dnsemu.convert.aws import PAGES, Page, RecordSetList
from dnsemu.convert.notes import UnusableInput

_Loader: Any = getattr(yaml, "CBaseLoader", yaml.BaseLoader)  # scalars stay text: `NO` is Norway
_NEEDED = (
    "what is needed is what aws route53 list-resource-record-sets prints, or list-health-checks, list-cidr-blocks"
)
_SPACE = re.compile(r"\s*")
_HALF = re.compile(r"\\u[dD][89a-fA-F]")  # half of a character beyond 16 bits
_OTHER_FORMS = (
    (re.compile(r"[A-Z]{6,}\t"), "this was printed with --output text: print it with --output json"),
    (re.compile(r"-{4,}\r?\n\|"), "this was printed with --output table: print it with --output json"),
    (re.compile(r"\s*<"), f"this is XML: {_NEEDED}"),
    (
        re.compile(r"\s*(An error occurred|Unable to locate credentials|usage: aws)"),
        "this is an error message of aws",
    ),
    (re.compile(r"\s*\Z"), f"the file is empty: {_NEEDED}"),
)


class Document(NamedTuple):
    """A page and the file it stands in."""

    file: str
    page: Page


class _Wrong(Exception):
    """Why a file can not be used."""


def read_documents(files: Iterable[tuple[str, bytes]]) -> list[Document]:
    """The pages of all files, by name and octets. Raises UnusableInput with a reason for each file that has none."""
    documents: list[Document] = []
    reasons: list[str] = []
    for name, octets in files:
        try:
            documents += [Document(name, _page(value)) for value in _values(_text(octets))]
        except _Wrong as wrong:
            reasons.append(f"{name}: {wrong}")
    if reasons:
        raise UnusableInput(*reasons)
    return documents


def _text(octets: bytes) -> str:
    """UTF-8, or what the shells of Windows make of it."""
    encoding = json.detect_encoding(octets)
    try:
        return octets.decode(encoding)
    except UnicodeDecodeError:
        raise _Wrong(f"this is no text, neither in UTF-8 nor in UTF-16: {_NEEDED}") from None


def _values(text: str) -> Iterable[object]:
    for form, reason in _OTHER_FORMS:
        if form.match(text):
            raise _Wrong(reason)
    try:
        values = list(_json_values(text) if text.lstrip()[0] in "[{" else _yaml_values(text))
    except RecursionError:
        raise _Wrong(f"this is nested too deep: {_NEEDED}") from None
    if _HALF.search(text):
        _refuse_halves(values)
    return values


def _json_values(text: str) -> Iterator[object]:
    decoder, at = json.JSONDecoder(), 0
    while (at := _SPACE.match(text, at).end()) < len(text):  # type: ignore[union-attr]
        try:
            value, at = decoder.raw_decode(text, at)
        except json.JSONDecodeError as error:
            raise _Wrong(f"this is not JSON: {error.msg} in line {error.lineno}, column {error.colno}") from None
        except ValueError as error:  # a number of thousands of digits
            raise _Wrong(f"this is not JSON of the AWS CLI: {error}") from None
        yield value


def _yaml_values(text: str) -> Sequence[object]:
    try:
        values = list(yaml.load_all(text, _TextLoader))
    except yaml.YAMLError:
        values = []
    if not all(isinstance(value, dict) for value in values) or not values:
        raise _Wrong(f"this is neither JSON nor YAML of the AWS CLI: {_NEEDED}")
    return values


class _TextLoader(_Loader):  # type: ignore[misc]
    """YAML without guessing, and without a key twice: two outputs in one file would be read as the second alone."""

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Any, Any]:  # noqa: FBT001, FBT002
        keys = [key.value for key, _ in node.value if isinstance(key, yaml.ScalarNode)]
        if len(set(keys)) < len(keys):
            twice = next(key for index, key in enumerate(keys) if key in keys[:index])
            raise _Wrong(f"the key {twice} stands there twice: give each output a file of its own")
        mapping: dict[Any, Any] = super().construct_mapping(node, deep)
        return mapping


def _refuse_halves(values: Sequence[object]) -> None:
    try:
        json.dumps(values, ensure_ascii=False).encode()
    except UnicodeEncodeError as error:
        half = f"\\u{ord(error.object[error.start]):04x}"
        raise _Wrong(f"{half} is half a character, which is no text") from None


def _page(value: object) -> Page:
    if isinstance(value, list):
        raise _Wrong("this is a list, as --query prints it: leave --query out")
    if not isinstance(value, dict):
        raise _Wrong(f"this is JSON, but no mapping: {_NEEDED}")
    key = next((key for key in PAGES if key in value), None)
    if key is None:
        found = ", ".join(map(str, list(value)[:5])) or "none"
        raise _Wrong(f"its keys ({found}) are not those of a list of Route 53: {_NEEDED}")
    try:
        page = PAGES[key].model_validate(value)
    except ValidationError as error:
        raise _Wrong(_shown(error)) from None
    if isinstance(page, RecordSetList) and not page.resource_record_sets:
        raise _Wrong("an empty list of record sets; a hosted zone has at least two: is the --hosted-zone-id right?")
    return page


def _shown(error: ValidationError) -> str:
    """The first place where a value is not what the API has there, and how many more there are."""
    first, *others = error.errors(include_url=False)
    place = ""
    for step in first["loc"]:
        place += f"[{step}]" if isinstance(step, int) else f".{step}" if place else str(step)
    more = f" (and {len(others)} more like this)" if others else ""
    return f"{place}: {first['msg'][0].lower()}{first['msg'][1:]}{more}"
