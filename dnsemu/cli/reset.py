"""`dnsemu reset`"""

from __future__ import annotations

import click

from dnsemu.cli.http import call_or_leave, http_option, path_of


@click.command()
@http_option
def command(url: str) -> None:
    """Let a running server drop overrides, forced states, alarms, places and history."""
    call_or_leave(url, "POST", path_of("reset"))
    click.echo("reset: nothing is forced or set any more")
