"""What a route of the HTTP API is, and how a request becomes a model."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

from aiohttp import web
from pydantic import BaseModel, TypeAdapter, ValidationError

from dnsemu.control import models
from dnsemu.control.operator import Operator
from dnsemu.errors import TextError

T = TypeVar("T", bound=BaseModel)
Handler = Callable[[Operator, web.Request], Awaitable["BaseModel | web.StreamResponse"]]

MOST_KEYS, MOST_REASONS = 100, 100
MOST_VALUES = 2000  # in a body; of a list ten for each item
PATIENCE = 30.0  # seconds for a body to come
STATUSES = {
    400: "bad-request",
    403: "forbidden",
    404: "not-found",
    405: "method-not-allowed",
    408: "timeout",
    409: "conflict",
    413: "too-large",
    503: "busy",
}
"""What can go wrong, and its code."""


@dataclass(frozen=True)
class Route:
    """One operation, as the OpenAPI document describes it.

    `asks`: the model of the body, `by`: that of the query string, `gives`: that of the answer, or its content type.
    `changes`: whether it changes something, so that not everybody may do it. `fails`: the statuses of errors.
    """

    method: str
    path: str
    handler: Handler
    summary: str
    gives: Any
    asks: Any = None
    by: type[BaseModel] | None = None
    changes: bool = False
    fails: tuple[int, ...] = ()


@contextmanager
def reasons(message: str) -> Iterator[list[dict[str, Any]]]:
    """Takes reasons, and raises Refused with all of them if there are any."""
    found: list[dict[str, Any]] = []
    yield found
    if found:
        raise Refused(400, f"{message}: {_told(found)}", found)


@contextmanager
def noting(found: list[dict[str, Any]], *path: str) -> Iterator[None]:
    """Notes what is wrong with a text that is read inside, at that path."""
    try:
        yield
    except TextError as error:
        message = f"{error.message}{f'; {error.hint}' if error.hint else ''}"
        found.append({"path": ".".join([*path, *error.path]), "message": message, "code": error.code})


class Refused(Exception):
    """A request that can not be answered as it was meant: the HTTP status, and every reason."""

    def __init__(
        self, status: int, message: str, details: list[dict[str, Any]] | None = None, code: str = ""
    ) -> None:
        super().__init__(message)
        self.status = status
        self.message = message
        self.details = details or []
        self.code = code or STATUSES.get(status, "error")


def refusal(error: Refused) -> web.Response:
    """The answer to it."""
    content = models.ErrorContent(code=error.code, message=error.message, details=error.details)
    return give(models.Error(error=content), error.status)


def give(model: BaseModel, status: int = 200) -> web.Response:
    """A model as JSON."""
    return web.Response(text=model.model_dump_json(by_alias=True), status=status, content_type="application/json")


async def read_body(request: web.Request, kind: type[T], most: int = 0) -> Any:
    """The body as a model, or as a list of at most `most` of them. Raises Refused with every reason."""
    octets = await _octets_of(request) or b"{}"
    _check_size(octets, max(MOST_VALUES, 10 * most))
    shape = _check_json(octets)
    is_list = most and isinstance(shape, list)
    if is_list and len(shape) > most:
        raise Refused(400, f"{len(shape)} questions are too many: at most {most} at once")
    try:
        return TypeAdapter(list[kind] if is_list else kind).validate_json(octets)  # type: ignore[valid-type]
    except ValidationError as error:
        raise _invalid(error, "the body") from None


async def read_nothing(request: web.Request) -> None:
    """There is no body, or an empty object. Raises Refused: whoever sends more wants something else than it gets."""
    if (await _octets_of(request)).strip() not in (b"", b"{}"):
        raise Refused(400, "this takes no body")


async def _octets_of(request: web.Request) -> bytes:
    try:
        async with asyncio.timeout(PATIENCE):
            return await request.read()
    except TimeoutError:
        raise Refused(408, f"the body did not come within {PATIENCE:g} s") from None


def _check_size(octets: bytes, most: int) -> None:
    """Refuse what would take long to read, while answers wait: it has more values than any body that is right."""
    if sum(map(octets.count, (b",", b"{", b"["))) > most:
        raise Refused(400, f"the body is not what it should be: it has more than {most:,} values")


def _check_json(octets: bytes) -> Any:
    """What JSON says, each key once; None if it can not be read, which is for the model to say. Raises Refused."""
    try:
        return json.loads(octets, object_pairs_hook=_each_once)
    except (ValueError, RecursionError):
        return None


def _each_once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        raise Refused(400, "the body is not what it should be: a key stands twice in an object")
    if len(found) > MOST_KEYS:
        raise Refused(400, f"the body is not what it should be: an object has more than {MOST_KEYS} keys")
    return found


def read_no_query(request: web.Request) -> None:
    """There is no query string. Raises Refused."""
    if request.query:
        raise Refused(400, f"this takes no parameters, so not {', '.join(sorted(set(request.query)))} either")


def read_query(request: web.Request, kind: type[T]) -> T:
    """The query string as a model. Raises Refused with every reason."""
    twice = {key for key in request.query if len(request.query.getall(key)) > 1}
    if twice:
        raise Refused(400, f"{', '.join(sorted(twice))} is given more than once")
    try:
        return kind.model_validate(dict(request.query))
    except ValidationError as error:
        raise _invalid(error, "the query string") from None


def _invalid(error: ValidationError, where: str) -> Refused:
    details = [
        {"path": ".".join(map(str, one["loc"])), "message": one["msg"], "code": one["type"]}
        for one in error.errors(include_url=False, include_context=False, include_input=False)[:MOST_REASONS]
    ]
    return Refused(400, f"{where} is not what it should be: {_told(details)}", details)


def _told(details: Sequence[Mapping[str, Any]]) -> str:
    """Some of them, as a sentence."""
    return "; ".join(f"{one['path']}: {one['message']}" if one["path"] else one["message"] for one in details[:5])
