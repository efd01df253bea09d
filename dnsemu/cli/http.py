"""Calling the HTTP API of a running server, for commands."""

from __future__ import annotations

import json
from email.message import Message
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, urlencode, urlsplit
from urllib.request import ProxyHandler, Request, build_opener

import click

from dnsemu.cli.output import Exit, fail
from dnsemu.cli.serve import DEFAULT_HTTP
from dnsemu.errors import Origin, TextError
from dnsemu.model import read_duration

TIMEOUT = 10.0  # seconds


class Refusal(Exception):
    """The server's own word on why not: the HTTP status, and what its JSON says."""

    def __init__(self, status: int, error: dict[str, Any]) -> None:
        super().__init__(str(error.get("message") or f"HTTP status {status}"))
        self.status = status
        self.details: list[dict[str, Any]] = error.get("details") or []


class Unreachable(Exception):
    """Nobody answers there, or nobody who is dnsemu."""


class UrlType(click.ParamType[str]):
    """`http://HOST:PORT`, or HOST:PORT."""

    name = "URL"

    def convert(self, value: str, param: click.Parameter | None, ctx: click.Context | None) -> str:
        url = value if "://" in value else f"http://{value}"
        try:
            parts = urlsplit(url)
            port = parts.port
        except ValueError:
            parts, port = urlsplit(""), None
        if parts.scheme != "http" or not parts.hostname or parts.path.strip("/") or not port:
            self.fail(f"'{value}' is no URL of a server: write http://{DEFAULT_HTTP}", param, ctx)
        return url.rstrip("/")


class DurationType(click.ParamType[int]):
    """A time, in milliseconds."""

    name = "TIME"

    def convert(self, value: str | int, param: click.Parameter | None, ctx: click.Context | None) -> int:
        if isinstance(value, int):
            return value
        try:
            return read_duration(value)
        except TextError as error:
            self.fail(f"{error.message}: {error.hint}", param, ctx)


http_option = click.option(
    "--http",
    "url",
    type=UrlType(),
    default=f"http://{DEFAULT_HTTP}",
    show_default=True,
    help="Where the server's HTTP API is.",
)


def call(url: str, method: str, path: str, body: object = None, timeout: float = TIMEOUT) -> Any:
    """What the API answers. Raises Refusal, Unreachable."""
    octets = None if body is None else json.dumps(body).encode()
    request = Request(f"{url}{path}", octets, {"Content-Type": "application/json"}, method=method)
    try:
        # No proxy: the server is here, or in a container beside.
        with build_opener(ProxyHandler({})).open(request, timeout=timeout) as answer:
            text = answer.read().decode()
    except HTTPError as error:
        with error:  # it is the answer, too
            _check_server(error.headers)
            raise Refusal(error.code, _error(error)) from None
    except URLError as error:
        raise Unreachable(str(getattr(error.reason, "strerror", None) or error.reason)) from None
    except (OSError, HTTPException, UnicodeError) as error:
        raise Unreachable(str(error) or type(error).__name__) from None
    _check_server(answer.headers)
    if answer.headers.get_content_type() != "application/json":
        return text
    return json.loads(text)


def _check_server(headers: Message) -> None:
    """What another program says there means nothing. Raises Unreachable."""
    if not headers.get("Server", "").startswith("dnsemu/"):
        raise Unreachable("another program is there")


def call_or_leave(url: str, method: str, path: str, body: object = None, timeout: float = TIMEOUT) -> Any:
    """What the API answers. Leaves with what is wrong, and with the exit status that says so."""
    try:
        return call(url, method, path, body, timeout)
    except Unreachable as error:
        fail(f"no answer from {url}: {error}; --http says where else dnsemu serves HTTP", Exit.UNREACHABLE)
    except Refusal as error:
        for detail in error.details:
            click.echo(line_of(detail), err=True)
        fail(str(error), Exit.NEGATIVE)


def path_of(*parts: str, **query: str) -> str:
    """A path of the API, its parts percent-encoded."""
    path = "/api/v1/" + "/".join(quote(part, safe="") for part in parts)
    return f"{path}?{urlencode(query)}" if query else path


def _error(error: HTTPError) -> dict[str, Any]:
    try:
        found = json.loads(error.read())["error"]
    except (OSError, ValueError, KeyError, TypeError):
        found = None
    return found if isinstance(found, dict) else {}


def line_of(detail: dict[str, Any]) -> str:
    """A fault of a configuration with its place, anything else as it is."""
    if "file" in detail:
        where = str(Origin(detail["file"], detail["line"], detail["column"]))
        hint = f"\n    hint: {detail['hint']}" if detail.get("hint") else ""
        return f"{where}: {detail['severity']}[{detail['code']}]: {detail['message']}{hint}"
    return str(detail.get("message", detail))
