"""The command line: one file a command, each imported only when it is asked for."""

from __future__ import annotations

import signal
import sys
from importlib import import_module
from keyword import iskeyword
from typing import NoReturn

import click

from dnsemu import __version__
from dnsemu.cli.output import Exit, fail

COMMANDS = {
    "serve": "Answer the hosted zones of files and folders.",
    "check": "Say what is wrong with zone files.",
    "query": "Ask a running server, as dig would.",
    "explain": "Say why a question gets the answer it gets.",
    "health": "See and force the health of a running server's health checks.",
    "wait": "Wait until a server is ready, and health checks are healthy.",
    "reload": "Let a running server read its files again.",
    "reset": "Let a running server drop what was forced and set.",
    "place": "Say where a place or an address is, and how to play it.",
    "init": "Write a zone file to begin with.",
    "import": "Make a zone file of what the AWS CLI prints.",
    "schema": "Print the JSON Schema of zone files, for editors.",
    "healthcheck": "Tell whether a server answers, for containers.",
}

CREDIT = "IP Geolocation by DB-IP, https://db-ip.com (CC BY 4.0)"
"""What the licence of the shipped database asks for (dnsemu/data/NOTICE)."""


class _Commands(click.Group):
    """Looks a command up by the name of its file."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        if cmd_name == "serve":  # a process 1, as in a container, ignores signals that it has no handler for
            signal.signal(signal.SIGTERM, lambda *_: sys.exit(Exit.DONE))
        file = f"{cmd_name}_" if iskeyword(cmd_name) else cmd_name  # import_.py
        command: click.Command = import_module(f"dnsemu.cli.{file}").command
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        with formatter.section("Commands"):
            formatter.write_dl(list(COMMANDS.items()))


def _print_version(ctx: click.Context, _: click.Parameter, wanted: object) -> None:
    if not wanted or ctx.resilient_parsing:
        return
    click.echo(f"dnsemu {__version__}")
    if ctx.params["verbose"]:
        import platform  # not for every command: it takes as long as the rest

        click.echo(f"Python {platform.python_version()}, {platform.platform()}")
        click.echo(CREDIT)
    ctx.exit()


@click.group(cls=_Commands, context_settings={"help_option_names": ["-h", "--help"]})
@click.option(
    "--version", is_flag=True, expose_value=False, callback=_print_version, help="Show the version and exit."
)
@click.option("--verbose", is_flag=True, is_eager=True, help="With --version: what it runs on, whose data it has.")
def _dnsemu(*, verbose: bool) -> None:
    """The Route 53 that runs on a laptop."""
    if verbose:
        raise click.UsageError("--verbose goes with --version")


def main() -> NoReturn:
    """The program. Leaves with one of `output.Exit`."""
    signal.signal(signal.SIGINT, _interrupted)
    try:
        _dnsemu(prog_name="dnsemu")
    except OSError as error:
        fail(f"what there is to say can not be written: {error.strerror}", Exit.UNREADABLE)
    raise SystemExit(Exit.DONE)


def _interrupted(*_: object) -> NoReturn:
    raise SystemExit(Exit.INTERRUPTED)
