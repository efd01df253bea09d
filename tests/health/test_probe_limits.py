"""Probes of endpoints that are slow: the time limits (behaviour 3.1)."""

from __future__ import annotations

import asyncio

import pytest
from health.endpoints import (
    PATIENCE,
    Endpoint,
    Script,
    check_of,
    floods,
    full,
    nowhere,
    only_linux,
    probed,
    says,
    silence,
    stalls,
)

from dnsemu.health.observation import Observation, TimeLimits
from dnsemu.health.probe import probe

pytestmark = pytest.mark.e2e

TIMEOUT = "Failure: The health checker could not establish a connection within the timeout limit."
SHORT = TimeLimits(tcp=0.1, connect=0.1, status=0.1, body=0.1)


@only_linux
@pytest.mark.parametrize(
    ("type_", "limits"),
    [("TCP", TimeLimits(tcp=0.1)), ("HTTP", TimeLimits(connect=0.1)), ("HTTPS_STR_MATCH", TimeLimits(connect=0.1))],
)
def test_the_time_to_connect_is_limited(type_: str, limits: TimeLimits) -> None:
    async def run() -> tuple[Observation, float]:
        async with full() as port:
            began = asyncio.get_running_loop().time()
            seen = await probe(check_of(type_, port=port), nowhere, limits)
            return seen, asyncio.get_running_loop().time() - began

    seen, seconds = asyncio.run(run())
    assert seen == Observation(False, TIMEOUT, "127.0.0.1")
    assert 0.09 < seconds < 1.5


# Endpoints that are slow

LINE, FIELDS = b"HTTP/1.1 200 OK\r\n", b"Server: x\r\nContent-Length: 3\r\n\r\n"
DEFLATE = b"Content-Encoding: deflate\r\n\r\n"
NOTHING = b"\0\0\0\xff\xff"  # a block of no octets


def late(status: float = 0, fields: float = 0, body: float = 0) -> Script:
    """Waits so many seconds before each of the three."""

    async def script(self: Endpoint, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for seconds, octets in ((status, LINE), (fields, FIELDS), (body, b"yes")):
            await asyncio.sleep(seconds)
            writer.write(octets)
        await reader.read()

    return script


SLOW = [
    (silence, "HTTP", "the status line"),
    (silence, "HTTPS", "the TLS handshake"),
    (says(*(LINE[at : at + 1] for at in range(len(LINE))), pause=0.05), "HTTP", "the status line"),
    (stalls(LINE, FIELDS[:-1]), "HTTP_STR_MATCH", "the response headers"),
    (says(LINE, *(b"a: b\r\n",) * 99, pause=0.05), "HTTP", "the response headers"),
    (stalls(LINE, FIELDS, b"ye"), "HTTP_STR_MATCH", "the response body"),
    (says(LINE + b"\r\n", *(b"yes",) * 99, pause=0.05), "HTTP_STR_MATCH", "the response body"),
    (floods(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 99), "HTTP", "the status line"),
    (floods(LINE + DEFLATE, NOTHING * 99), "HTTP_STR_MATCH", "the response body"),
]


@pytest.mark.parametrize(("script", "type_", "step"), SLOW)
def test_the_time_for_a_response_is_limited(script: Script, type_: str, step: str) -> None:
    seen = probed(script, type_, limits=SHORT, search_string="yes")
    assert seen.text == f"Failure: The endpoint did not finish {step} within 0.1 s."
    assert 0.09 < seen.seconds < 1.5
    assert seen.observation.connect is not None


@pytest.mark.parametrize(
    ("script", "step"),
    [
        (late(status=0.3), "the status line"),
        (late(fields=0.3), "the response headers"),
        (late(fields=0.15, body=0.15), "the response body"),
    ],
)
def test_what_comes_too_late(script: Script, step: str) -> None:
    seen = probed(script, "HTTP_STR_MATCH", limits=TimeLimits(status=0.2, body=0.2), search_string="yes")
    assert seen.text == f"Failure: The endpoint did not finish {step} within 0.2 s."


@pytest.mark.parametrize(
    ("script", "limits"),
    [
        (late(status=0.3), TimeLimits(connect=0.2, status=9, body=0.2)),
        (late(fields=0.3), TimeLimits(connect=0.2, status=0.2, body=9)),
    ],
)
def test_each_limit_is_for_its_own_step(script: Script, limits: TimeLimits) -> None:
    assert probed(script, limits=limits).observation.success


def test_the_time_for_the_response_begins_at_the_status_line() -> None:
    limits = TimeLimits(connect=2, status=1, body=1)
    seen = probed(late(status=0.6, fields=0.3, body=0.3), "HTTP_STR_MATCH", limits=limits, search_string="yes")
    assert seen.observation.success
    assert 0.59 < (seen.observation.first_byte or 0) < 1


def test_the_body_is_not_waited_for_where_nobody_searches_it() -> None:
    seen = probed(late(body=PATIENCE))
    assert seen.observation.success
    assert seen.seconds < 1
