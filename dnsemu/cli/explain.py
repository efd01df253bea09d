"""`dnsemu explain`"""

from __future__ import annotations

import json
import secrets
import sys
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import click
import dns.exception
import dns.rdatatype

from dnsemu.app import Loaded
from dnsemu.authority import Asked, as_json, asked_by, explain, lines
from dnsemu.cli.files import load_or_leave
from dnsemu.cli.http import UrlType, call_or_leave, path_of
from dnsemu.cli.output import Exit
from dnsemu.cli.serve import DEFAULT_PATH
from dnsemu.cli.whence import read_whence
from dnsemu.draws import Draws
from dnsemu.errors import TextError
from dnsemu.model import Type


@click.command()
@click.argument("name")
@click.argument("rest", metavar="[TYPE] [PATH]...", nargs=-1)
@click.option(
    "--from",
    "whence",
    metavar="PLACE|IP|CIDR",
    default="127.0.0.1",
    help="Who asks: DE, US-VA, eu-west-1, a name of dnsemu: places, a client subnet, or the source address.",
)
@click.option(
    "--http", "url", type=UrlType(), help="Ask a running server, with the health it knows, instead of files."
)
@click.option("--format", "form", type=click.Choice(["human", "json"]), default="human", show_default=True)
def command(name: str, rest: tuple[str, ...], whence: str, url: str | None, form: str) -> None:
    """Say why NAME and TYPE (default: A) get the answer they get, by the files and folders (default: zones/).

    Every step from the zone to the answer: each member of a group with its health, whether it is for this client, why
    it was taken or not; where the client was taken to be, and on whose word. No server is needed: health is what the
    files say, and what chance decides is told as it would come first after a start with the files' seed. With --http
    a server tells it, with the health that it knows, and as it would answer next.
    """
    rdtype, paths = _type_and_paths(rest)
    if url is not None:
        if paths:
            raise click.UsageError("PATH and --http exclude each other")
        _print_remote(call_or_leave(url, "GET", path_of("explain", **_question(name, rdtype, whence))), form)
        return
    loaded = load_or_leave(paths or (DEFAULT_PATH,))
    told = explain(loaded.authority, _asked(name, rdtype, whence, loaded), _draws(loaded))
    if told is None:
        click.echo(f"{name} is in no hosted zone: REFUSED", err=True)
        sys.exit(Exit.NEGATIVE)
    if form == "json":
        click.echo(json.dumps(as_json(told), indent=2, ensure_ascii=False))
    else:
        _print(lines(told))


def _type_and_paths(rest: tuple[str, ...]) -> tuple[Type, list[Path]]:
    """The first word is a type if it looks like one and is no file."""
    if not rest or Path(rest[0]).exists():
        return Type.A, [Path(word) for word in rest]
    rdtype = _type(rest[0])
    if rdtype is not None:
        return rdtype, [Path(word) for word in rest[1:]]
    if rest[0].isalnum():
        known = ", ".join(sorted(Type.__members__))
        raise click.BadParameter(f"'{rest[0]}' is neither a file nor a type of Route 53: {known}", param_hint="TYPE")
    return Type.A, [Path(word) for word in rest]


def _type(text: str) -> Type | None:
    """A type that Route 53 serves, by its mnemonic or as `TYPE1`."""
    try:
        return Type(int(dns.rdatatype.from_text(text)))
    except (dns.exception.DNSException, ValueError):
        return None


def _asked(name: str, rdtype: Type, whence: str, loaded: Loaded) -> Asked:
    clients = loaded.configuration.clients
    who = read_whence(whence, clients.places)
    try:
        return asked_by(name, rdtype, who, clients)
    except TextError as error:
        raise click.BadParameter(str(error), param_hint="NAME") from None


def _draws(loaded: Loaded) -> Draws:
    seed = loaded.configuration.seed
    return Draws(secrets.randbits(63) if seed is None else seed)


def _question(name: str, rdtype: Type, whence: str) -> dict[str, str]:
    return {"name": name, "type": rdtype.name, "from": whence}


def _print_remote(told: dict[str, Any], form: str) -> None:
    """What a server told."""
    if form == "json":
        click.echo(json.dumps(told, indent=2, ensure_ascii=False))
    else:
        _print(told["text"])


def _print(told: Iterable[str]) -> None:
    """With what was taken in green, and what is unhealthy in red."""
    for line in told:
        label, rest = line[:9], line[9:]
        if label.startswith("  *"):
            click.secho(line, fg="green")
        elif label.startswith("  -") and "UNHEALTHY" in line:
            click.secho(line, fg="red")
        elif label.startswith("  "):
            click.echo(line)
        else:
            click.echo(click.style(label, bold=True) + rest)
