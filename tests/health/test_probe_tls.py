"""Endpoints that speak TLS: versions, certificates, and SNI (behaviour 3.4)."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import Callable
from typing import Any

import pytest
from health.endpoints import (
    OK,
    SNI_NAME,
    Endpoint,
    Identity,
    floods,
    make_identity,
    probed,
    says,
    shakes_hands,
    stalls,
)

from dnsemu.health.certificates import names_in
from dnsemu.health.observation import TimeLimits

pytestmark = pytest.mark.e2e

SUCCESS = "Success: HTTP Status Code 200, OK"
Identities = Callable[..., Identity]


@pytest.fixture(scope="session")
def identities(tmp_path_factory: pytest.TempPathFactory) -> Identities:
    """Makes each identity once."""
    folder, made = tmp_path_factory.mktemp("identities"), dict[Any, Identity]()

    def identity(*names: str, **other: Any) -> Identity:
        key = (names, *other.items())
        if key not in made:
            made[key] = make_identity(folder, *names, **other)
        return made[key]

    return identity


# Versions and certificates


@pytest.mark.parametrize("version", ["TLSv1", "TLSv1_1", "TLSv1_2"])
def test_old_versions_are_spoken(identities: Identities, version: str) -> None:
    seen = probed(says(OK), "HTTPS", tls=identities().tls(version, version))
    assert seen.text == SUCCESS
    assert 0 < (seen.observation.tls or 0) < 1
    assert 0 < (seen.observation.first_byte or 0) < 1


def test_an_endpoint_that_speaks_newer_ones_too_is_asked_in_1_2(identities: Identities) -> None:
    spoken = []

    async def script(self: Endpoint, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        spoken.append(writer.get_extra_info("ssl_object").version())
        await says(OK)(self, reader, writer)

    assert probed(script, "HTTPS", tls=identities().tls("TLSv1_2", "TLSv1_3")).text == SUCCESS
    assert spoken == ["TLSv1.2"]


def test_tls_1_3_alone_is_not_enough(identities: Identities) -> None:
    seen = probed(shakes_hands(identities().tls("TLSv1_3", "TLSv1_3")), "HTTPS")
    want = "Failure: TLS handshake failed: SSL alert protocol_version. An endpoint has to speak TLS 1.0, 1.1 or 1.2."
    assert seen.text == want
    assert seen.observation.connect is not None
    assert (seen.observation.tls, seen.observation.first_byte) == (None, None)


@pytest.mark.parametrize("other", [{}, {"expired": True}, {"weak": True}, {"common": ""}])
def test_certificates_are_not_validated(identities: Identities, other: dict[str, Any]) -> None:
    assert probed(says(OK), "HTTPS", tls=identities(**other).tls()).text == SUCCESS


@pytest.mark.parametrize("cipher", ["AES128-SHA", "ECDHE-RSA-AES256-GCM-SHA384"])
def test_old_ciphers_are_spoken(identities: Identities, cipher: str) -> None:
    context = identities(weak=True).tls()
    context.set_ciphers(f"{cipher}:@SECLEVEL=0")
    assert probed(says(OK), "HTTPS", tls=context).text == SUCCESS


def test_an_endpoint_that_does_not_speak_tls(identities: Identities) -> None:
    async def script(self: Endpoint, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(9)
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        await reader.read()

    assert probed(script, "HTTPS").text == "Failure: TLS handshake failed: wrong version number."


def test_http_to_an_endpoint_that_speaks_tls(identities: Identities) -> None:
    assert not probed(says(OK), "HTTP", tls=identities().tls()).observation.success


# What comes over TLS


def test_the_body_over_tls(identities: Identities) -> None:
    octets = OK.replace(b" 0", b" 40000") + b"x" * 5114 + b"needle" + b"x" * 34880
    tls = identities().tls()
    assert probed(says(octets), "HTTPS_STR_MATCH", tls=tls, search_string="needle").text == SUCCESS
    assert probed(says(octets), "HTTPS_STR_MATCH", tls=tls, search_string="needles").text.startswith("Failure: ")


def test_a_body_that_the_end_of_the_connection_ends(identities: Identities) -> None:
    """Without the close_notify that should come before it."""

    async def script(self: Endpoint, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.0 200 OK\r\n\r\na needle")
        await writer.drain()
        writer.transport.abort()

    for ending in (script, says(b"HTTP/1.0 200 OK\r\n\r\na needle")):
        assert probed(ending, "HTTPS_STR_MATCH", tls=identities().tls(), search_string="needle").text == SUCCESS


def test_time_limits_over_tls(identities: Identities) -> None:
    short = TimeLimits(status=0.2, body=0.2)
    rows = [
        (stalls(), "the status line"),
        (stalls(OK[:-2]), "the response headers"),
        (stalls(OK.replace(b" 0", b" 9")), "the response body"),
        (floods(b"", b"HTTP/1.1 100 Continue\r\n\r\n" * 99), "the status line"),
    ]
    for script, step in rows:
        seen = probed(script, "HTTPS_STR_MATCH", tls=identities().tls(), limits=short, search_string="x")
        assert seen.text == f"Failure: The endpoint did not finish {step} within 0.2 s."
        assert seen.observation.tls is not None


# SNI


@pytest.mark.parametrize(
    ("names", "common", "fqdn", "seen"),
    [
        (["www.example.test"], "x", "www.example.test", ["www.example.test"]),
        (["a.test", "www.example.test"], "x", "www.example.test", ["www.example.test"]),
        ([], "www.example.test", "www.example.test", ["www.example.test"]),
        (["a.test"], "www.example.test", "www.example.test", ["www.example.test"]),
        (["WWW.Example.test"], "x", "www.EXAMPLE.test.", ["www.example.test"]),
        (["*.example.test"], "x", "www.example.test", ["www.example.test"]),
        ([], "*.example.test", "www.example.test", ["www.example.test"]),
        (["*.test"], "x", "www.example.test", ["www.example.test", None]),
        (["*.example.test"], "x", "example.test", ["example.test", None]),
        (["*"], "*", "localhost", ["localhost", None]),
        (["w*.example.test"], "x", "www.example.test", ["www.example.test", None]),
        (["example.test"], "x", "www.example.test", ["www.example.test", None]),
        (["other.test"], "x", "www.example.test", ["www.example.test", None]),
        ([], "", "www.example.test", ["www.example.test", None]),
        (["a_b.example.test"], "x", "a_b.example.test", ["a_b.example.test"]),
        (["x"], "x", None, [None]),
        (["x"], "x", "127.0.0.1", [None]),
        (["x"], "x", "::1", [None]),
        (["x"], "x", r"\052.example.test", [None]),
        (["x"], "x", "a..test", [None]),
        (["x"], "x", "a" * 64 + ".test", [None]),
        (["x"], "x", "a." * 126 + "te", [None]),
        (["x"], "x", "a." * 126 + "t", ["a." * 126 + "t", None]),
        (["x"], "x", "ü.test", [None]),
    ],
)
def test_sni(identities: Identities, names: list[str], common: str, fqdn: str, seen: list[str | None]) -> None:
    context = identities(*names, common=common).tls()
    one = probed(says(OK), "HTTPS", tls=context, fqdn=fqdn)
    assert one.text == SUCCESS
    assert one.endpoint.names == seen


def test_no_sni_where_it_is_switched_off(identities: Identities) -> None:
    context = identities("other.test").tls()
    one = probed(says(OK), "HTTPS", tls=context, fqdn=SNI_NAME, enable_sni=False)
    assert one.text == SUCCESS
    assert one.endpoint.names == [None]


def needs_sni(context: ssl.SSLContext, right: ssl.SSLContext | None = None) -> ssl.SSLContext:
    """Refuses who does not send a name; who does gets another certificate."""

    def choose(tls: Any, name: str | None, _: ssl.SSLContext) -> int | None:
        if name is None:
            return int(ssl.ALERT_DESCRIPTION_HANDSHAKE_FAILURE)
        if right:
            tls.context = right
        return None

    context.sni_callback = choose
    return context


def test_an_endpoint_that_needs_sni(identities: Identities) -> None:
    """The certificate that it begins with is that of somebody else."""
    context = needs_sni(identities("default.test").tls(), identities(SNI_NAME).tls())
    seen = probed(says(OK), "HTTPS", tls=context, fqdn=SNI_NAME)
    assert (seen.text, seen.endpoint.names) == (SUCCESS, [SNI_NAME])


@pytest.mark.parametrize(("enable_sni", "names"), [(False, [None]), (True, [SNI_NAME, None])])
def test_an_endpoint_that_needs_sni_and_does_not_get_it(
    identities: Identities, enable_sni: bool, names: list[str | None]
) -> None:
    """Since it is off, or since the certificate made us try again without."""
    context = needs_sni(identities("default.test").tls())
    seen = probed(shakes_hands(context), "HTTPS", fqdn=SNI_NAME, enable_sni=enable_sni)
    assert seen.text == "Failure: TLS handshake failed: SSL alert handshake_failure."
    assert seen.endpoint.names == names
    assert seen.observation.tls is None


def test_an_endpoint_that_does_not_like_the_name(identities: Identities) -> None:
    context = identities(SNI_NAME).tls()
    context.sni_callback = lambda *_: int(ssl.ALERT_DESCRIPTION_UNRECOGNIZED_NAME)
    seen = probed(shakes_hands(context), "HTTPS", fqdn=SNI_NAME)
    assert seen.text == "Failure: TLS handshake failed: SSL alert unrecognized_name."
    assert seen.endpoint.names == [SNI_NAME]


def test_the_second_connection_counts(identities: Identities) -> None:
    async def script(self: Endpoint, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await says(OK if self.names[-1] else b"HTTP/1.1 503 Busy\r\n\r\n")(self, reader, writer)

    seen = probed(script, "HTTPS", tls=identities("other.test").tls(), fqdn=SNI_NAME)
    assert seen.text.startswith("Failure: HTTP Status Code 503, Busy. ")
    assert seen.endpoint.names == [SNI_NAME, None]
    assert len(seen.endpoint.requests) == 1, "the first connection is for the handshake alone"


@pytest.mark.parametrize("octets", [b"", b"garbage", b"\x30\x03\x02\x01\x01"])
def test_a_certificate_that_can_not_be_read_has_no_names(octets: bytes) -> None:
    assert names_in(octets) == frozenset()
