"""What is asked over HTTP, and which responses are a success (behaviour 3.1, 3.4)."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence

import h11
import pytest
from health.endpoints import OK, check_of, cut, floods, probed, resets, says, short

from dnsemu.health.http import Exchange, request_of

pytestmark = pytest.mark.e2e

LINE = b"HTTP/1.1 200 OK\r\n"
SUCCESS = "Success: HTTP Status Code 200, OK"
TOO_LARGE = "Failure: The response headers are larger than 16,384 bytes."

# The request


def header(name: bytes, request: h11.Request) -> bytes:
    return dict(request.headers)[name]


def test_the_request_as_an_endpoint_receives_it() -> None:
    seen = probed(says(OK), fqdn="www.example.test", id="abc-1", resource_path="/health?deep=1")
    assert seen.endpoint.requests == [
        b"GET /health?deep=1 HTTP/1.1\r\n"
        b"Host: www.example.test:%d\r\n"
        b"User-Agent: Amazon-Route53-Health-Check-Service (ref abc-1; report http://amzn.to/1vsZADi)\r\n"
        b"Accept: */*\r\n"
        b"Accept-Encoding: identity, gzip, deflate\r\n"
        b"Connection: close\r\n\r\n" % seen.endpoint.port
    ]


@pytest.mark.parametrize(
    ("type_", "port", "fqdn", "address", "host"),
    [
        ("HTTP", 80, "a.test", None, b"a.test"),
        ("HTTP", 80, "a.test", "192.0.2.1", b"a.test"),
        ("HTTP", 80, None, "192.0.2.1", b"192.0.2.1"),
        ("HTTP", 80, None, "2001:db8::1", b"[2001:db8::1]"),
        ("HTTP", 8080, "a.test", None, b"a.test:8080"),
        ("HTTP", 8080, None, "192.0.2.1", b"192.0.2.1:8080"),
        ("HTTP", 8080, None, "2001:db8::1", b"[2001:db8::1]:8080"),
        ("HTTP", 443, "a.test", None, b"a.test:443"),
        ("HTTP_STR_MATCH", 80, "a.test", None, b"a.test"),
        ("HTTPS", 443, "a.test", None, b"a.test"),
        ("HTTPS", 80, "a.test", None, b"a.test:80"),
        ("HTTPS_STR_MATCH", 443, "a.test", None, b"a.test"),
        ("HTTPS_STR_MATCH", 8443, "a.test", None, b"a.test:8443"),
        ("HTTP", 80, "a b\r\nX: ü.test", None, b"a%20b%0D%0AX:%20%C3%BC.test"),
    ],
    ids=short,
)
def test_host(type_: str, port: int, fqdn: str | None, address: str | None, host: bytes) -> None:
    if ":" in (fqdn or ""):
        host = b"[%s]" % host  # what no name has, but it does no harm
    assert header(b"host", request_of(check_of(type_, port=port, fqdn=fqdn, ip_address=address))) == host


@pytest.mark.parametrize(
    ("path", "target"),
    [
        ("/", b"/"),
        ("", b"/"),
        ("health", b"/health"),
        ("/a/b.html?c=d&e=f;g", b"/a/b.html?c=d&e=f;g"),
        ("/a-._~!$&'()*+,;=:@/?/?", b"/a-._~!$&'()*+,;=:@/?/?"),
        ("/a b\tc", b"/a%20b%09c"),
        ("/ü/€", b"/%C3%BC/%E2%82%AC"),
        ("/%41%zz%4", b"/%41%25zz%254"),
        ("/%ü", b"/%25%C3%BC"),
        ("/a#b", b"/a%23b"),
        ('/"<>[]\\^`{|}', b"/%22%3C%3E%5B%5D%5C%5E%60%7B%7C%7D"),
        ("/\r\nX: y\0\x7f", b"/%0D%0AX:%20y%00%7F"),
        ("/\ud800", b"/%ED%A0%80"),
    ],
    ids=short,
)
def test_path(path: str, target: bytes) -> None:
    assert request_of(check_of(resource_path=path)).target == target


@pytest.mark.parametrize(
    ("id_", "shown"),
    [
        ("0a1b-2c3d", b"0a1b-2c3d"),
        ("web check_1/a:b,c", b"web check_1/a:b,c"),
        ("a%41", b"a%41"),
        ("Prüfung", b"Pr%C3%BCfung"),
        ("a\r\nX: y\t\0", b"a%0D%0AX: y%09%00"),
        ("a) (b\\", b"a%29 %28b%5C"),
    ],
    ids=short,
)
def test_user_agent(id_: str, shown: bytes) -> None:
    want = b"Amazon-Route53-Health-Check-Service (ref %s; report http://amzn.to/1vsZADi)" % shown
    assert header(b"user-agent", request_of(check_of(id=id_))) == want


# The status


@pytest.mark.parametrize(
    ("line", "text"),
    [
        (b"HTTP/1.1 200 OK", "Success: HTTP Status Code 200, OK"),
        (b"HTTP/1.0 200 OK", "Success: HTTP Status Code 200, OK"),
        (b"HTTP/1.1 200 Fine with me", "Success: HTTP Status Code 200, Fine with me"),
        (b"HTTP/1.1 200 ", "Success: HTTP Status Code 200, OK"),
        (b"HTTP/1.1 200", "Success: HTTP Status Code 200, OK"),
        (b"HTTP/1.1 204 No Content", "Success: HTTP Status Code 204, No Content"),
        (b"HTTP/1.1 299 ", "Success: HTTP Status Code 299"),
        (
            b"HTTP/1.1 301 Moved Permanently\r\nLocation: http://127.0.0.1:1/",
            "Success: HTTP Status Code 301, Moved Permanently",
        ),
        (b"HTTP/1.1 399 Odd", "Success: HTTP Status Code 399, Odd"),
        (b"HTTP/1.1 400 Bad Request", "Failure: HTTP Status Code 400, Bad Request. "),
        (b"HTTP/1.1 404 Not Found", "Failure: HTTP Status Code 404, Not Found. "),
        (b"HTTP/1.1 503 Service Unavailable", "Failure: HTTP Status Code 503, Service Unavailable. "),
        (b"HTTP/1.1 999 Never", "Failure: HTTP Status Code 999, Never. "),
        (b"HTTP/1.1 101 Switching Protocols", "Failure: HTTP Status Code 101, Switching Protocols. "),
        (b"HTTP/1.1 099 Early", "Failure: HTTP Status Code 099, Early. "),
        (b"HTTP/1.1 200 a\x1b[31mb\tc\xff", "Success: HTTP Status Code 200, a\ufffd[31mb\ufffdc\ufffd"),
        (b"HTTP/1.1 500 " + b"x" * 999, "Failure: HTTP Status Code 500, xxxxx"),
    ],
    ids=short,
)
def test_status(line: bytes, text: str) -> None:
    seen = probed(says(line + b"\r\nContent-Length: 0\r\n\r\n"))
    assert seen.text.startswith(text) if text.startswith("Failure") else seen.text == text
    assert len(seen.endpoint.requests) == 1, "a redirect was followed"
    assert seen.observation.first_byte is not None


def test_a_failure_is_known_from_the_status_line_on() -> None:
    text = probed(resets(b"HTTP/1.1 503 Service Unavailable\r\nX")).text
    assert text == "Failure: HTTP Status Code 503, Service Unavailable. A status from 200 to 399 would be a success."


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_interim_responses_are_skipped(size: int) -> None:
    interim = b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: </a>\r\nX: y\r\n\r\n"
    assert probed(says(*cut(interim + OK, size))).text == SUCCESS
    assert probed(says(*cut(interim * 99 + b"HTTP/1.1 404 No\r\n\r\n", 1000))).text.startswith(
        "Failure: HTTP Status Code 404"
    )


@pytest.mark.parametrize(
    ("octets", "shown"),
    [
        (b"SSH-2.0-OpenSSH_9.2\r\n", "'SSH-2.0-OpenSSH_9.2'."),
        (
            b"220 mail.example.test ESMTP Postfix, what else\r\n",
            "'220 mail.example.test ESMTP Postfix, wha'…",
        ),
        (b"\x15\x03\x01\x00\x02\x02\x50", r"'\x15\x03\x01\x00\x02\x02P'."),
        (b"\r\n" + OK, "''."),
        (b"HTTP/2 200 OK\r\n", "'HTTP/2 200 OK'."),
        (b"http/1.1 200 OK\r\n", "'http/1.1 200 OK'."),
        (b"HTTP/1.1 20 OK\r\n", "'HTTP/1.1 20 OK'."),
        (b"HTTP/1.1  200 OK\r\n", "'HTTP/1.1  200 OK'."),
        (b"HTTP/1.1 2000 OK\r\n", "'HTTP/1.1 2000 OK'."),
        (b"<html>hello</html>", "'<html>hello</html>'."),
    ],
    ids=short,
)
def test_what_is_not_http(octets: bytes, shown: str) -> None:
    seen = probed(says(octets))
    assert seen.text == f"Failure: The endpoint answered with something other than HTTP: {shown}"
    assert seen.seconds < 1


# The headers


def filled(size: int) -> bytes:
    """Header fields of so many octets, with their line ends."""
    fields = b"".join(b"X-%06d: %s\r\n" % (number, b"v" * 988) for number in range(size // 1000))
    rest = size - len(fields)
    assert rest >= 8
    return fields + b"X: " + b"v" * (rest - 5) + b"\r\n"


def pieces(head: bytes, size: int) -> Sequence[bytes]:
    """Of this size; 0: the last octet alone."""
    return cut(head, size) if size else (head[:-1], head[-1:])


@pytest.mark.parametrize("size", [100_000, 997, 16, 0])
@pytest.mark.parametrize("before", [b"", b"HTTP/1.1 103 Early Hints\r\n" + filled(16384) + b"\r\n"], ids=short)
@pytest.mark.parametrize(("octets", "text"), [(16384, SUCCESS), (16385, TOO_LARGE), (40_100, TOO_LARGE)])
def test_how_large_headers_may_be(size: int, before: bytes, octets: int, text: str) -> None:
    script = says(*pieces(before + LINE + filled(octets) + b"\r\n", size), pause=0 if size else 0.01)
    assert probed(script).text == text


def test_interim_headers_are_no_larger_either() -> None:
    assert probed(says(b"HTTP/1.1 103 Early Hints\r\n" + filled(16385) + b"\r\n" + OK)).text == TOO_LARGE


@pytest.mark.parametrize(
    ("first", "then", "text"),
    [
        (LINE, b"X: y\r\n" * 9999, TOO_LARGE),
        (LINE, b"x" * 65536, TOO_LARGE),
        (b"HTTP/1.1 200 ", b"x" * 65536, "Failure: The status line of the response is longer than 16,384 bytes."),
    ],
    ids=short,
)
def test_headers_without_end(first: bytes, then: bytes, text: str) -> None:
    seen = probed(floods(first, then))
    assert seen.text == text
    assert seen.seconds < 1


@pytest.mark.parametrize(
    "fields",
    [
        b"",
        b"A:b\r\nC:\t d \t\r\n",
        b"A:\r\n",
        b"A: \xff\xfe\r\n",
        b"A: b\r\n  folded\r\n\tagain\r\n",
        b"Set-Cookie: a\r\nSet-Cookie: b\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Content-Length: 10\r\n",
    ],
    ids=short,
)
@pytest.mark.parametrize("end", [b"\r\n", b"\n"])
def test_headers_that_are_right(fields: bytes, end: bytes) -> None:
    assert probed(says((LINE + fields + b"\r\n").replace(b"\r\n", end))).text == SUCCESS


@pytest.mark.parametrize(
    "fields",
    [
        b"A\r\n",
        b"A : b\r\n",
        b" A: b\r\n",
        b": b\r\n",
        b"A b: c\r\n",
        b"A(: b\r\n",
        b"A\xc3\xa4: b\r\n",
        b"A: b\0c\r\n",
        b"A: b\rc\r\n",
        b"A: b\x0bc\r\n",
        b"A: b\x01c\r\n",
        b"A: b\x08\r\n",
        b"A: \x1f\r\n",
        b"A: b\x7fc\r\n",
        b"A:" + b" " * 16000 + b"\0\r\n",
        b"A:" + b"\t" * 16000 + b"\r \r\n",
        b"<html>\r\n",
        b"Content-Length: x\r\n",
        b"Content-Length: 1\r\nContent-Length: 2\r\n",
    ],
    ids=short,
)
def test_headers_that_are_wrong(fields: bytes) -> None:
    seen = probed(says(LINE + fields + b"\r\n"))
    assert seen.text.startswith("Failure: The response headers do not follow RFC 7230: ")
    assert "bytearray" not in seen.text
    assert seen.seconds < 0.5


class Torrent:
    """A channel that always has something to read, so that reading never waits."""

    def __init__(self, octets: bytes) -> None:
        self.octets, self.calls = octets, 0

    async def send(self, octets: bytes) -> None:
        pass

    async def receive(self, most: int) -> bytes:
        self.calls += 1
        assert self.calls < 100_000, "nobody else had a turn"
        return self.octets[:most]


class Gone(Torrent):
    """A channel to an endpoint that has answered without having been asked, and left."""

    async def send(self, octets: bytes) -> None:
        raise BrokenPipeError


def test_an_answer_counts_that_came_before_the_request() -> None:
    async def run() -> str:
        exchange = Exchange(Gone(OK))
        await exchange.ask(request_of(check_of()))
        return str(await exchange.status())

    assert asyncio.run(run()) == "HTTP Status Code 200, OK"


def test_an_endpoint_that_is_faster_than_we_are_does_not_stop_the_clock() -> None:
    async def run() -> None:
        exchange = Exchange(Torrent(b"HTTP/1.1 100 Continue\r\n\r\n"))
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05):
                await exchange.status()

    asyncio.run(run())
