"""`dnsemu healthcheck`"""

from __future__ import annotations

import sys

import click
import dns.exception
import dns.message
import dns.rcode

from dnsemu.cli.ask import ask, server_option
from dnsemu.cli.output import Exit, fail
from dnsemu.server import Endpoint


@click.command()
@server_option
def command(server: Endpoint) -> None:
    """Tell by the exit status whether a server answers: 0 it does, 1 it fails, 3 it is not reachable.

    The question is one that no zone has an answer to and nothing is forwarded for, so REFUSED is well.
    """
    try:
        answer = ask(dns.message.make_query("id.server.", "TXT", "CH"), server)
    except (OSError, dns.exception.DNSException) as error:
        fail(f"no answer from {server}: {error}", Exit.UNREACHABLE)
    if answer.rcode() == dns.rcode.SERVFAIL:
        click.echo(f"dnsemu: {server} answers SERVFAIL", err=True)
        sys.exit(Exit.NEGATIVE)
