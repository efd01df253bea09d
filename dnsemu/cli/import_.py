"""`dnsemu import`"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

import click

from dnsemu.app import load_text
from dnsemu.cli.output import Exit
from dnsemu.convert import Kind, Note, UnusableInput, import_route53, printable
from dnsemu.errors import ConfigError, Fault, Severity

_FORMATS = {"route53": import_route53}
_STDIN = "-"
_COLOURS = {Kind.INCOMPLETE: "red", Kind.LEFT_OUT: "yellow", Kind.CHANGED: "yellow", Kind.MADE_UP: "cyan"}


@click.command()
@click.option(
    "--from",
    "origin",
    type=click.Choice(list(_FORMATS)),
    required=True,
    help="Whose output it is: route53 is what aws route53 list-resource-record-sets prints, and its other lists.",
)
@click.argument("files", metavar="FILE...", nargs=-1, required=True)
def command(origin: str, files: tuple[str, ...]) -> None:
    """Make one zone file, on standard output, of what other programs print; - reads standard input.

    What can not be carried over, and what had to be made up, is told on standard error, a line each.
    """
    if files.count(_STDIN) > 1:
        raise click.BadParameter("- is given twice", param_hint="FILE")
    contents = _read(list(dict.fromkeys(files)))
    try:
        imported = _FORMATS[origin](contents, _faults_of)
    except UnusableInput as error:
        _leave(error.reasons, Exit.NEGATIVE)
    click.echo(imported.text.encode(), nl=False)
    _tell(imported.notes)
    click.echo(f"imported: {imported.summary}", err=True)


def _read(files: Sequence[str]) -> list[tuple[str, bytes]]:
    contents: list[tuple[str, bytes]] = []
    unreadable: list[str] = []
    for file in files:
        try:
            if file == _STDIN:
                contents.append(("standard input", sys.stdin.buffer.read()))
            else:
                contents.append((file, Path(file).read_bytes()))
        except OSError as error:
            unreadable.append(f"{file} can not be read: {error.strerror}")
    if unreadable:
        _leave(unreadable, Exit.UNREADABLE)
    return contents


def _leave(reasons: Sequence[str], status: Exit) -> NoReturn:
    """Every reason, and nothing on standard output."""
    for reason in reasons:
        click.echo(f"dnsemu: {printable(reason)}", err=True)
    sys.exit(status)


def _faults_of(text: str) -> list[Fault]:
    """What the very loader that serves has against a text."""
    try:
        load_text(text, "standard output")
    except ConfigError as error:
        return [fault for fault in error.faults if fault.severity is Severity.ERROR]
    return []


def _tell(notes: Sequence[Note]) -> None:
    for note in notes:
        kind, _, rest = str(note).partition(":")
        click.echo(f"{click.style(kind, fg=_COLOURS[note.kind])}:{rest}", err=True)
