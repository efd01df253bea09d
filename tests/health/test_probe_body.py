"""The search string in the first 5,120 octets of a body (behaviour 3.1, 3.4)."""

from __future__ import annotations

import gzip
import random
import tracemalloc
import zlib

import pytest
from health.endpoints import Probed, Script, cut, floods, hangs_up, probed, says, short

pytestmark = pytest.mark.e2e

FOUND = "Success: HTTP Status Code 200, OK"
NOT_FOUND = (
    "Failure: HTTP Status Code 200, OK. The search string is not within the first 5,120 bytes of the response body."
)
LINE = b"HTTP/1.1 200 OK\r\n"
AT_END = b"x" * 5114 + b"needle"
STRADDLES = b"x" * 5115 + b"needle"
RAW = -15
NOISE = random.Random(1).randbytes(50_000)


def zipped(octets: bytes, level: int = 9) -> bytes:
    """Without the time, so that tests have the same name every time."""
    return gzip.compress(octets, level, mtime=0)


def raw_deflate(octets: bytes) -> bytes:
    """Without zlib's header."""
    packing = zlib.compressobj(wbits=RAW)
    return packing.compress(octets) + packing.flush()


def response(body: bytes, coding: bytes = b"", framing: str = "length") -> bytes:
    """With Content-Length, in chunks, or ended by the end of the connection."""
    head = LINE + (b"Content-Encoding: %s\r\n" % coding if coding else b"")
    if framing == "length":
        return head + b"Content-Length: %d\r\n\r\n" % len(body) + body
    if framing == "chunked":
        chunks = b"".join(b"%x;a=b\r\n%s\r\n" % (len(one), one) for one in cut(body, 100))
        return head + b"Transfer-Encoding: chunked\r\n\r\n" + chunks + b"0\r\nX: y\r\n\r\n"
    return head + b"\r\n" + body


def searched(*octets: bytes, sought: str = "needle", script: Script | None = None) -> Probed:
    return probed(script or says(*octets), "HTTP_STR_MATCH", search_string=sought)


# Where it is


@pytest.mark.parametrize("framing", ["length", "chunked", "end"])
@pytest.mark.parametrize(
    ("body", "text"),
    [
        (b"needle", FOUND),
        (b"a needle.", FOUND),
        (b"Needle NEEDLE needl eedle", NOT_FOUND),
        (b"", NOT_FOUND),
        (AT_END, FOUND),
        (AT_END + b"tail" * 5000, FOUND),
        (STRADDLES, NOT_FOUND),
        (b"x" * 5119 + b"needle", NOT_FOUND),
        (b"x" * 5120 + b"needle", NOT_FOUND),
    ],
    ids=short,
)
def test_where_the_string_is(body: bytes, text: str, framing: str) -> None:
    assert searched(response(body, framing=framing)).text == text


@pytest.mark.parametrize(
    ("sought", "body"),
    [
        ("größer", "ist größer".encode()),
        ("\x00\r\n", b"a\x00\r\n"),
        ("x" * 255, b"x" * 255),
    ],
    ids=short,
)
def test_the_string_is_utf_8(sought: str, body: bytes) -> None:
    assert searched(response(body), sought=sought).text == FOUND


@pytest.mark.parametrize("size", [1, 3, 500])
@pytest.mark.parametrize("framing", ["length", "chunked", "end"])
@pytest.mark.parametrize("coding", [b"", b"gzip", b"deflate"])
def test_a_body_in_pieces(coding: bytes, framing: str, size: int) -> None:
    body = b"x" * 200 + b"needle"
    packed = {b"": body, b"gzip": zipped(body), b"deflate": zlib.compress(body)}[coding]
    assert searched(*cut(response(packed, coding, framing), size)).text == FOUND


def test_the_status_counts_too() -> None:
    text = searched(response(b"needle").replace(b"200 OK", b"500 Oh")).text
    assert text.startswith("Failure: HTTP Status Code 500, Oh. ")


@pytest.mark.parametrize("status", [b"301 Moved", b"404 Gone"])
def test_a_redirect_has_a_body_to_search(status: bytes) -> None:
    seen = searched(response(b"needle").replace(b"200 OK", status))
    assert seen.observation.success == status.startswith(b"3")


def test_http_1_0() -> None:
    assert searched(b"HTTP/1.0 200 OK\r\n\r\na needle").text == FOUND


def test_a_body_without_end_is_read_no_further_than_needed() -> None:
    seen = searched(script=floods(LINE + b"\r\n" + AT_END, b"x" * 65536))
    assert seen.text == FOUND
    assert seen.seconds < 1


@pytest.mark.parametrize("type_", ["HTTP", "HTTP_STR_MATCH"])
def test_a_body_counts_only_where_it_is_searched(type_: str) -> None:
    seen = probed(says(LINE + b"Content-Length: 9999\r\n\r\nneedle"), type_, search_string="needle")
    assert seen.observation.success == (type_ == "HTTP")


# Codings


@pytest.mark.parametrize(
    ("coding", "body", "text"),
    [
        (b"gzip", zipped(b"a needle"), FOUND),
        (b"GZip", zipped(b"a needle"), FOUND),
        (b"x-gzip", zipped(b"a needle"), FOUND),
        (b"gzip", zipped(AT_END), FOUND),
        (b"gzip", zipped(AT_END + NOISE[:50_000]), FOUND),
        (b"gzip", zipped(STRADDLES), NOT_FOUND),
        (b"gzip", zipped(NOISE[:5114] + b"needle", 0), FOUND),
        (b"gzip", zipped(b"a nee") + zipped(b"dle"), FOUND),
        (b"gzip", zipped(AT_END[:100]) + zipped(AT_END[100:]), FOUND),
        (b"gzip", zipped(STRADDLES[:100]) + zipped(STRADDLES[100:]), NOT_FOUND),
        (b"gzip", zipped(b"a needle") + b"\0\0 and garbage", FOUND),
        (b"gzip", zipped(b"nothing") + b" needle", NOT_FOUND),
        (b"gzip", zipped(b""), NOT_FOUND),
        (b"gzip", b"", NOT_FOUND),
        (b"deflate", zlib.compress(b"a needle"), FOUND),
        (b"deflate", zlib.compress(AT_END, 0), FOUND),
        (b"deflate", zlib.compress(STRADDLES), NOT_FOUND),
        (b"deflate", raw_deflate(b"a needle"), FOUND),
        (b"deflate", raw_deflate(AT_END), FOUND),
        (b"deflate", raw_deflate(STRADDLES), NOT_FOUND),
        (
            b"deflate",
            b"\x08\x08\x00\xf7\xff" + b"a needle" + b"\x01\x00\x00\xff\xff",
            FOUND,
        ),  # much like zlib's header
        (b"deflate", zlib.compress(b"a needle") + b"\x1f\x8b", FOUND),
        (b"deflate", b"", NOT_FOUND),
        (b"identity", b"a needle", FOUND),
        (b"br", b"a needle", FOUND),
        (b"br", zipped(b"a needle"), NOT_FOUND),
        (b"gzip, gzip", zipped(zipped(b"a needle")), NOT_FOUND),
        (b"gzip\r\nContent-Encoding: br", b"a needle", FOUND),
        (b"", zipped(b"a needle"), NOT_FOUND),
    ],
    ids=short,
)
def test_content_codings(coding: bytes, body: bytes, text: str) -> None:
    assert searched(response(body, coding)).text == text
    assert searched(response(body, coding, "chunked")).text == text


CORRUPT = zipped(b"a needle" * 9)


@pytest.mark.parametrize(
    ("coding", "body", "text"),
    [
        (b"gzip", b"a needle", "The response body is not gzip, as its Content-Encoding says: "),
        (
            b"gzip",
            CORRUPT[:12] + b"\xff" * 9 + CORRUPT[21:],
            "The response body is not gzip, as its Content-Encoding",
        ),
        (b"gzip", CORRUPT[:-8] + bytes(8), "The response body is not gzip, as its Content-Encoding says: "),
        (b"gzip", CORRUPT[:-1], "The response body ends in the middle of its gzip stream."),
        (b"gzip", CORRUPT + b"\x1f", "The response body ends in the middle of its gzip stream."),
        (b"deflate", b"a needle", "The response body is not deflate, as its Content-Encoding says: "),
        (b"deflate", zlib.compress(b"a needle")[:-5], "The response body ends in the middle of its deflate stream."),
        (b"deflate", b"x", "The response body ends in the middle of its deflate stream."),
        (b"deflate", b"\x78\xbb\x00\x00\x00\x01", "The response body is not deflate, as its Content-Encoding says: "),
    ],
    ids=short,
)
def test_bodies_that_are_not_what_they_say(coding: bytes, body: bytes, text: str) -> None:
    assert searched(response(body, coding)).text.startswith(f"Failure: {text}")


@pytest.mark.parametrize("coding", [b"gzip", b"deflate"])
def test_a_bomb_does_not_go_off(coding: bytes) -> None:
    bomb = (zipped if coding == b"gzip" else zlib.compress)(bytes(30_000_000) + b"needle")
    octets = response(bomb, coding)
    tracemalloc.start()
    try:
        seen = searched(octets)
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert seen.text == NOT_FOUND
    assert peak < 1_000_000, "what a thousand octets of it unpack to"


# Framings


@pytest.mark.parametrize(
    ("octets", "text"),
    [
        (LINE + b"Content-Length: 9\r\n\r\nneedle", "peer closed connection without sending complete message body"),
        (
            LINE + b"Transfer-Encoding: chunked\r\n\r\n6\r\nneedle\r\n",
            "peer closed connection without",
        ),
        (LINE + b"Transfer-Encoding: chunked\r\n\r\nneedle\r\n", "illegal chunk header"),
        (LINE + b"Transfer-Encoding: chunked\r\n\r\n6\r\nneedleneedle\r\n", "malformed chunk footer"),
        (LINE + b"Transfer-Encoding: chunked\r\n\r\n6;" + b" " * 9999 + b"\n\r\nneedle", "Receive buffer too long"),
        (LINE + b"Transfer-Encoding: chunked\r\n\r\n" + b"6" * 9999, "Receive buffer too long"),
    ],
    ids=short,
)
def test_bodies_that_are_broken(octets: bytes, text: str) -> None:
    seen = searched(octets)
    assert seen.text.startswith(f"Failure: The response body is broken: {text}")
    assert seen.seconds < 0.5


def test_nothing_is_searched_where_nothing_comes() -> None:
    assert searched(script=hangs_up).text.startswith("Failure: The endpoint closed the connection")
