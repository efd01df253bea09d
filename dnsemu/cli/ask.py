"""Asking a server, for `query` and `healthcheck`."""

from __future__ import annotations

import click
import dns.message
import dns.query

from dnsemu.cli.serve import DEFAULT_LISTEN
from dnsemu.server import Endpoint, read_endpoint

TIMEOUT = 3.0  # seconds


class EndpointType(click.ParamType[Endpoint]):
    """HOST:PORT of a server."""

    name = "HOST:PORT"

    def convert(self, value: str | Endpoint, param: click.Parameter | None, ctx: click.Context | None) -> Endpoint:
        if isinstance(value, Endpoint):
            return value
        try:
            return read_endpoint(value)
        except ValueError as error:
            self.fail(str(error), param, ctx)


server_option = click.option(
    "--server", type=EndpointType(), default=DEFAULT_LISTEN, show_default=True, help="Which server to ask."
)


def ask(question: dns.message.Message, server: Endpoint, *, tcp: bool = False) -> dns.message.Message:
    """The server's answer; a truncated one is asked for again over TCP. Raises OSError, DNSException."""
    host, port = server.to_ask()
    if tcp:
        return dns.query.tcp(question, host, TIMEOUT, port)
    return dns.query.udp_with_fallback(question, host, TIMEOUT, port)[0]
