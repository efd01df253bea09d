"""TLS as a health checker speaks it (behaviour 3.4): any certificate will do, but the names in it are read."""

from __future__ import annotations

import asyncio
import re
import socket
import ssl
import warnings
from collections.abc import Callable
from functools import cache, lru_cache, partial
from ipaddress import ip_address
from typing import TypeVar

from dnsemu.model import HealthCheck

_Result = TypeVar("_Result")
_RECORD = 16384  # octets read from the socket at a time
_HOST_NAME = re.compile(r"(?:[0-9a-z_-]{1,63}\.)*[0-9a-z_-]{1,63}", re.IGNORECASE)
_ALERT = re.compile("(?:.*_ALERT|TLSV1)_(.*)")  # how OpenSSL names the alerts that it receives


class Secure:
    """A TLS connection over a socket that is connected and does not block; closing the socket is the caller's.

    Without a stream or transport of asyncio: those lose what came before a reset. Methods raise OSError, of which
    ssl.SSLError is one, and EOFError where the endpoint ends the connection too early.
    """

    def __init__(self, sock: socket.socket, name: str | None) -> None:
        """`name` goes into the client_hello; None for none."""
        self._sock = sock
        self._loop = asyncio.get_running_loop()
        self._incoming, self._outgoing = ssl.MemoryBIO(), ssl.MemoryBIO()
        self._tls = _context().wrap_bio(self._incoming, self._outgoing, server_hostname=name)

    async def handshake(self) -> None:
        """Has to be done first."""
        await self._complete(self._tls.do_handshake)

    @property
    def certificate(self) -> bytes:
        """The endpoint's, DER; empty if it has none."""
        return self._tls.getpeercert(binary_form=True) or b""

    async def send(self, octets: bytes) -> None:
        """Send all of them."""
        await self._complete(partial(self._tls.write, octets))

    async def receive(self, most: int) -> bytes:
        """At least one octet; none if the endpoint will send no more, whether it said so or just left."""
        try:
            return await self._complete(partial(self._tls.read, most))
        except EOFError:
            return b""

    async def _complete(self, step: Callable[[], _Result]) -> _Result:
        """Take a step of TLS, giving it what it wants to read and sending what it writes."""
        while True:
            try:
                result = step()
            except ssl.SSLWantReadError:
                await self._flush()
                octets = await self._loop.sock_recv(self._sock, _RECORD)
                if not octets:
                    raise EOFError from None
                self._incoming.write(octets)
            else:
                await self._flush()
                return result

    async def _flush(self) -> None:
        if self._outgoing.pending:
            await self._loop.sock_sendall(self._sock, self._outgoing.read())


def server_name(check: HealthCheck) -> str | None:
    """What goes into the client_hello: the FQDN, unless SNI is off or it is no host name (RFC 6066 3)."""
    name = (check.fqdn or "").removesuffix(".")
    if not check.enable_sni or not _HOST_NAME.fullmatch(name) or len(name) > 253:
        return None
    try:
        ip_address(name)
    except ValueError:
        return name.lower()
    return None


async def carries(certificate: bytes, name: str) -> bool:
    """Whether a certificate (DER) is one for this name, in lower case: in CN or SAN (3.4), also by RFC 6125 6.4.3.

    A certificate that can not be read carries no name.
    """
    # the library takes 0.1 s to load, so that is done in a thread, and then the certificate of an endpoint is
    # seldom a new one
    is_first = not names_in.cache_info().currsize
    names = await asyncio.to_thread(names_in, certificate) if is_first else names_in(certificate)
    return name in names or f"*.{name.partition('.')[2]}" in names


@lru_cache(maxsize=128)
def names_in(certificate: bytes) -> frozenset[str]:
    """The names in a certificate (DER), lower case."""
    from cryptography import x509

    names: list[str | bytes] = []
    try:
        with warnings.catch_warnings(action="ignore"):
            read = x509.load_der_x509_certificate(certificate)
            names += [one.value for one in read.subject.get_attributes_for_oid(x509.NameOID.COMMON_NAME)]
            alternatives = read.extensions.get_extension_for_class(x509.SubjectAlternativeName).value
            names += alternatives.get_values_for_type(x509.DNSName)
    except (ValueError, x509.ExtensionNotFound, x509.DuplicateExtension, x509.UnsupportedGeneralNameType):
        pass  # what was read until then counts
    return frozenset(name.lower().removesuffix(".") for name in names if isinstance(name, str))


def reason_of(error: ssl.SSLError) -> str:
    """Why TLS failed: `SSL alert handshake_failure`, if the endpoint said so, or OpenSSL's words."""
    reason = error.reason or str(error)
    alert = _ALERT.fullmatch(reason)
    return f"SSL alert {alert[1].lower()}" if alert else reason.replace("_", " ").lower()


@cache
def _context() -> ssl.SSLContext:
    """TLS 1.0 to 1.2, with whatever OpenSSL can still do, and without trust."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.verify_mode = ssl.CERT_NONE
    context.set_ciphers("DEFAULT:@SECLEVEL=0")
    context.options |= getattr(ssl, "OP_LEGACY_SERVER_CONNECT", 4)  # servers without RFC 5746; named from 3.12 on
    with warnings.catch_warnings(action="ignore"):  # TLS 1.0 is deprecated
        context.minimum_version = ssl.TLSVersion.TLSv1
        context.maximum_version = ssl.TLSVersion.TLSv1_2
    return context
