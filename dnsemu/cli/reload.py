"""`dnsemu reload`"""

from __future__ import annotations

import click

from dnsemu.cli.http import call_or_leave, http_option, line_of, path_of
from dnsemu.cli.output import counted

_PATIENCE = 600.0  # seconds: a million names take minutes to be read
_COUNTS = ("hosted_zones", "record_sets", "health_checks")


@click.command()
@http_option
def command(url: str) -> None:
    """Let a running server read its files again.

    0: what is in them is served; 1: it can not be, for the reasons that are printed, and what was served still is.
    """
    served = call_or_leave(url, "POST", path_of("reload"), timeout=_PATIENCE)
    for fault in served["warnings"]:
        click.echo(line_of(fault), err=True)
    counts = [counted(served[key], key[:-1].replace("_", " ")) for key in _COUNTS]
    click.echo(f"serving {', '.join(counts)}")
