"""The request that a health checker sends, and how it reads the response (behaviour 3.4)."""

from __future__ import annotations

import asyncio
import re
import string
import zlib
from contextlib import suppress
from http import HTTPStatus
from typing import NamedTuple, Protocol
from urllib.parse import quote

import h11

from dnsemu.model import HealthCheck

SEARCHED = 5120  # octets of a body, decompressed, that the search string has to be in (3.1)
MOST_HEADERS = 16384  # octets of header fields with their line ends (3.4)
_PIECE = 1024  # read at a time; what h11 needs for a malformed chunk header grows with the square of its length
_USUAL_PORTS = {"HTTP": 80, "HTTPS": 443}
_GZIP, _ZLIB, _RAW = 31, 15, -15  # what zlib calls window bits
_GZIP_NAMES = ("gzip", "x-gzip")  # RFC 7230 4.2.3
_GZIP_BEGINS = b"\x1f"  # RFC 1952 2.3.1
_CODES = frozenset(HTTPStatus)
_TARGET = "/?:@!$&'()*+,;=-._~%"  # what stands in a path and a query as it is (RFC 3986 3.3, 3.4)
_HOST = ":[]!$&'()*+,;=-._~%"  # RFC 3986 3.2.2
_COMMENT = string.punctuation.translate(str.maketrans("", "", "()\\")) + " "  # RFC 7230 3.2.6
_STATUS_LINE = re.compile(rb"HTTP/[0-9]\.[0-9] ([0-9]{3})(?: ([^\r\n]*))?\r?\n")
_BLANK_LINE = re.compile(rb"\n\r?\n")
# In no header field (RFC 7230 3.2). Some of it costs h11 seconds if it comes after blanks, in a status line too.
_STRAY = re.compile(rb"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f]|\r(?!\n)")
_STRAY_IN_LINE = re.compile(rb"[\0\v\f]|\r(?!\n)")


class Failed(Exception):
    """An endpoint is not healthy; the text says why, in whole sentences."""


class Channel(Protocol):
    """A connection, encrypted or not. Sending and receiving raise OSError."""

    async def send(self, octets: bytes) -> None:
        """Send all of them."""

    async def receive(self, most: int) -> bytes:
        """At least one octet; none if the endpoint will send no more."""


class Status(NamedTuple):
    """Of a response; shown as GetHealthCheckStatus words it."""

    code: int
    reason: str

    @property
    def is_healthy(self) -> bool:
        """Redirects are not followed, they are as good as success (3.4)."""
        return 200 <= self.code < 400

    def __str__(self) -> str:
        return f"HTTP Status Code {self.code:03}" + (f", {self.reason}" if self.reason else "")


def request_of(check: HealthCheck) -> h11.Request:
    """What a health checker sends to the endpoint of this check."""
    reference = quote(check.id, safe=_COMMENT, errors="surrogatepass")
    headers = {
        "Host": _host(check),
        "User-Agent": f"Amazon-Route53-Health-Check-Service (ref {reference}; report http://amzn.to/1vsZADi)",
        "Accept": "*/*",
        "Accept-Encoding": "identity, gzip, deflate",
        "Connection": "close",
    }
    return h11.Request(method="GET", target=_target(check.resource_path), headers=list(headers.items()))


def _host(check: HealthCheck) -> str:
    """The name, or else the address; the port too unless it is the scheme's own."""
    name = (check.fqdn or "").removesuffix(".") or check.ip_address or ""
    name = quote(name, safe=_HOST, errors="surrogatepass")
    host = f"[{name}]" if ":" in name else name
    return host if check.port == _USUAL_PORTS.get(check.type.partition("_")[0]) else f"{host}:{check.port}"


def _target(path: str) -> str:
    """The path and query as configured; what may not stand there is percent-encoded, %XX stays what it is."""
    quoted = quote(path if path.startswith("/") else f"/{path}", safe=_TARGET, errors="surrogatepass")
    return re.sub("%(?![0-9A-Fa-f]{2})", "%25", quoted)


class Exchange:
    """A request and its response over a channel: `ask`, then `status`, `headers` and `body` in this order.

    The response is read no further than each of them needs, so what is held is bounded. Besides Failed they raise
    what the channel raises, and EOFError if the endpoint ends the connection too early.
    """

    def __init__(self, channel: Channel) -> None:
        self._channel = channel
        self._connection = h11.Connection(h11.CLIENT, max_incomplete_event_size=_PIECE)
        self._pending = bytearray()
        self._began = asyncio.get_running_loop().time()
        self.first_byte: float | None = None
        """Seconds from the start to the first octet of the response."""

    async def ask(self, request: h11.Request) -> None:
        """Send the request. An endpoint may have answered and gone already: what it said is still read."""
        octets = self._connection.send(request) + self._connection.send(h11.EndOfMessage())
        with suppress(ConnectionError):
            await self._channel.send(octets)

    async def status(self) -> Status:
        """The status, as soon as its line is there; interim responses before it are skipped."""
        while True:
            line = await self._first_line()
            match = _STATUS_LINE.fullmatch(line)
            if not match:
                raise Failed(f"The endpoint answered with something other than HTTP: {_shown(line)}")
            status = Status(int(match[1]), _reason(int(match[1]), match[2] or b""))
            if not 100 <= status.code < 200 or status.code == HTTPStatus.SWITCHING_PROTOCOLS:
                return status
            await self._take_head(len(line))

    async def headers(self) -> h11.Response:
        """The headers, if there are not too many and h11 finds nothing wrong with them."""
        line = self._pending.index(b"\n") + 1
        head = await self._take_head(line)
        if _STRAY.search(head, line) or _STRAY_IN_LINE.search(head, 0, line):
            raise Failed("The response headers do not follow RFC 7230: there is a control character in them.")
        self._connection.receive_data(head)
        try:
            response = self._connection.next_event()
        except h11.RemoteProtocolError as error:
            raise Failed(f"The response headers do not follow RFC 7230: {_said(error)}") from None
        assert isinstance(response, h11.Response)
        return response

    async def body(self, response: h11.Response) -> bytes:
        """The first 5,120 octets of the body, decompressed; all of it if it is shorter."""
        coding = _coding(response)
        decoding = _Decoding(coding)
        try:
            body = await self._decoded(decoding)
        except h11.RemoteProtocolError as error:
            raise Failed(f"The response body is broken: {_said(error)}") from None
        except zlib.error as error:
            raise Failed(f"The response body is not {coding}, as its Content-Encoding says: {error}") from None
        if len(body) < SEARCHED and not decoding.is_whole:
            raise Failed(f"The response body ends in the middle of its {coding} stream.")
        return body

    async def _decoded(self, decoding: _Decoding) -> bytes:
        body = bytearray()
        if self._pending:
            self._connection.receive_data(bytes(self._pending))
        while len(body) < SEARCHED and (octets := await self._next_of_body()) is not None:
            body += decoding.decode(octets, SEARCHED - len(body))
        return bytes(body)

    async def _first_line(self) -> bytes:
        """The first line with its end, which stays pending; or its beginning, if that is not HTTP."""
        while not (end := self._pending.find(b"\n") + 1) and len(self._pending) <= MOST_HEADERS:
            if not self._pending.startswith(b"HTTP/"[: len(self._pending)]):
                return bytes(self._pending)
            await self._receive_more()
        if not 0 < end <= MOST_HEADERS:
            raise Failed(f"The status line of the response is longer than {MOST_HEADERS:,} bytes.")
        return bytes(self._pending[:end])

    async def _take_head(self, line: int) -> bytes:
        """All up to the blank line, after a status line of so many octets."""
        while True:
            blank = _BLANK_LINE.search(self._pending, line - 1)
            fields = (blank.start() + 1 if blank else len(self._pending) - 1) - line
            if fields > MOST_HEADERS:
                raise Failed(f"The response headers are larger than {MOST_HEADERS:,} bytes.")
            if blank:
                head = bytes(self._pending[: blank.end()])
                del self._pending[: blank.end()]
                return head
            await self._receive_more()

    async def _receive_more(self) -> None:
        octets = await self._receive()
        if not octets:
            raise EOFError
        self._pending += octets

    async def _next_of_body(self) -> bytes | None:
        """Some octets; None at the end."""
        while (event := self._connection.next_event()) is h11.NEED_DATA:
            self._connection.receive_data(await self._receive())
        return bytes(event.data) if isinstance(event, h11.Data) else None

    async def _receive(self) -> bytes:
        await asyncio.sleep(0)  # an endpoint that sends faster than we read would have the event loop for itself
        octets = await self._channel.receive(_PIECE)
        if octets and self.first_byte is None:
            self.first_byte = asyncio.get_running_loop().time() - self._began
        return octets


class _Decoding:
    """Undoes a content coding piece by piece, never further than asked for.

    Gzip, and deflate both as RFC 7230 4.2.2 has it and as some send it, without zlib's header. Of any other coding
    the octets stay as they are.
    """

    def __init__(self, coding: str) -> None:
        self._is_known = coding in (*_GZIP_NAMES, "deflate")
        self._window = _GZIP if coding in _GZIP_NAMES else None
        self._stream = zlib.decompressobj(_GZIP)
        self._start = b""
        self._has_begun = False

    @property
    def is_whole(self) -> bool:
        """Whether nothing is missing at the end."""
        return self._stream.eof or not (self._is_known and self._has_begun)

    def decode(self, octets: bytes, most: int) -> bytes:
        """What the next octets stand for, `most` of it. Raises zlib.error."""
        self._has_begun = True
        if not self._is_known:
            return octets[:most]
        if self._window is None:
            octets = self._begin_deflate(octets)
        decoded = b""
        while octets and len(decoded) < most:
            if self._stream.eof:
                if self._window != _GZIP or not octets.startswith(_GZIP_BEGINS):
                    break  # what comes after a stream is no part of it; only gzip has streams of several members
                self._stream = zlib.decompressobj(_GZIP)
            decoded += self._stream.decompress(octets, most - len(decoded))
            octets = self._stream.unused_data
        return decoded

    def _begin_deflate(self, octets: bytes) -> bytes:
        """The first octets, as soon as there are enough to see if they are zlib's header (RFC 1950 2.2)."""
        self._start += octets
        if len(self._start) < 2:
            return b""
        is_zlib = self._start[0] & 0x0F == 8 and int.from_bytes(self._start[:2], "big") % 31 == 0
        self._window = _ZLIB if is_zlib else _RAW
        self._stream = zlib.decompressobj(self._window)
        return self._start


def _coding(response: h11.Response) -> str:
    codings = [value.decode("latin-1") for name, value in response.headers if name == b"content-encoding"]
    return ", ".join(codings).lower()


def _reason(code: int, sent: bytes) -> str:
    """The reason phrase; the usual one if none was sent."""
    if sent.strip():
        return sent.decode("utf-8", "replace").strip()
    return HTTPStatus(code).phrase if code in _CODES else ""


def _shown(octets: bytes) -> str:
    """The beginning of what is not HTTP, for people."""
    return repr(octets[:40].rstrip(b"\r\n"))[1:] + ("…" if len(octets) > 40 else ".")


def _said(error: h11.RemoteProtocolError) -> str:
    """What h11 finds wrong; it quotes bytearrays."""
    return re.sub(r"bytearray\(b(.*)\)", r"\1", str(error))
