"""`dnsemu check`"""

from __future__ import annotations

import sys
from pathlib import Path

import click

from dnsemu.app import load
from dnsemu.cli.output import Exit, as_github, as_json, fail, print_faults, status_of
from dnsemu.cli.serve import DEFAULT_PATH
from dnsemu.config import MissingPath
from dnsemu.errors import ConfigError, Fault, counted_faults


@click.command()
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(path_type=Path))
@click.option("--strict", is_flag=True, help="Let warnings count as errors.")
@click.option(
    "--format",
    "form",
    type=click.Choice(["human", "json", "github"]),
    default="human",
    show_default=True,
    help="For people, for programs, or for a workflow on GitHub.",
)
def command(paths: tuple[Path, ...], *, strict: bool, form: str) -> None:
    """Say what is wrong with the files and folders (default: zones/), by the very loader that serves them."""
    paths = paths or (DEFAULT_PATH,)
    texts: dict[str, str] = {}
    zones = record_sets = 0
    try:
        loaded = load(paths)
    except MissingPath as error:
        fail(str(error), Exit.UNREADABLE)
    except ConfigError as error:
        faults, texts = error.faults, error.texts
    else:
        faults, texts = loaded.warnings, loaded.texts
        zones = len(loaded.configuration.hosted_zones)
        record_sets = sum(len(zone.record_sets) for zone in loaded.configuration.hosted_zones)
    _report(faults, texts, form)
    if status := status_of(faults, strict=strict):
        sys.exit(status)
    if form == "human":
        click.echo(f"ok: {_count(zones, 'hosted zone')}, {_count(record_sets, 'record set')}")


def _report(faults: list[Fault], texts: dict[str, str], form: str) -> None:
    if form == "json":
        click.echo(as_json(faults))
    elif form == "github":
        for fault in faults:
            click.echo(as_github(fault))
    else:
        print_faults(faults, texts)
        if faults:
            click.echo(counted_faults(faults), err=True)


def _count(number: int, word: str) -> str:
    return f"{number:,} {word}{'s' if number != 1 else ''}"
