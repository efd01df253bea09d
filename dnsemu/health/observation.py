"""What one probe of an endpoint came to, and how long it may take."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import NamedTuple

from dnsemu.model import HealthCheck


@dataclass(frozen=True, slots=True)
class TimeLimits:
    """Seconds that each step of a probe may take (behaviour 3.1).

    `tcp`: connecting, for type TCP. For HTTP and HTTPS: `connect` the TCP connection, `status` from there to the end
    of the status line (a TLS handshake is within it), `body` from there to the end of what is looked at.
    """

    tcp: float = 10.0
    connect: float = 4.0
    status: float = 2.0
    body: float = 2.0


class Observation(NamedTuple):
    """A probe's result. `text` as GetHealthCheckStatus words it (behaviour 3.4): `Success: …` or `Failure: …`.

    `address`: what was connected to; None if the name has none. Seconds: `connect` for the TCP connection, `tls` for
    the handshake, `first_byte` from the connection (the handshake, if there is one) to the first octet of the
    response; None for what was not reached.
    """

    success: bool
    text: str
    address: str | None = None
    connect: float | None = None
    tls: float | None = None
    first_byte: float | None = None


class Unresolved(Exception):
    """A name has no address; the text says why."""


Resolve = Callable[[str], Awaitable[str]]
"""A domain name → an IPv4 address. Raises Unresolved."""
Probe = Callable[[HealthCheck], Awaitable[Observation]]
"""Asks the endpoint of a health check once. Never raises."""
