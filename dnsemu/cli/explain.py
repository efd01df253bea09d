"""`dnsemu explain`"""

from __future__ import annotations

import json
import secrets
import sys
from pathlib import Path

import click
import dns.exception
import dns.rdatatype

from dnsemu.app import Loaded
from dnsemu.authority import Asked, Explanation, as_json, explain, lines
from dnsemu.cli.files import load_or_leave
from dnsemu.cli.output import Exit
from dnsemu.cli.serve import DEFAULT_PATH
from dnsemu.cli.whence import Whence, read_whence
from dnsemu.draws import Draws
from dnsemu.errors import TextError
from dnsemu.model import Type, read_name


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
@click.option("--format", "form", type=click.Choice(["human", "json"]), default="human", show_default=True)
def command(name: str, rest: tuple[str, ...], whence: str, form: str) -> None:
    """Say why NAME and TYPE (default: A) get the answer they get, by the files and folders (default: zones/).

    Every step from the zone to the answer: each member of a group with its health, whether it is for this client, why
    it was taken or not; where the client was taken to be, and on whose word. No server is needed. What chance decides
    is told as it would come first after a start with the files' seed.
    """
    rdtype, paths = _type_and_paths(rest)
    loaded = load_or_leave(paths or (DEFAULT_PATH,))
    told = explain(loaded.authority, _asked(name, rdtype, whence, loaded), _draws(loaded))
    if told is None:
        click.echo(f"{name} is in no hosted zone: REFUSED", err=True)
        sys.exit(Exit.NEGATIVE)
    if form == "json":
        click.echo(json.dumps(as_json(told), indent=2, ensure_ascii=False))
    else:
        _print(told)


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
    places = loaded.configuration.clients.places
    who: Whence = read_whence(whence, places)
    try:
        wire = read_name(name)
    except TextError as error:
        raise click.BadParameter(str(error), param_hint="NAME") from None
    if who.is_subnet and not who.length:  # a client that does not want to be located: by the source (CS7)
        who = read_whence("127.0.0.1")
    vpc_id = places[who.place].vpc_id if who.place is not None else None
    return Asked(wire, rdtype, who.address, who.length, vpc_id, who.is_subnet, who.place)


def _draws(loaded: Loaded) -> Draws:
    seed = loaded.configuration.seed
    return Draws(secrets.randbits(63) if seed is None else seed)


def _print(told: Explanation) -> None:
    """With what was taken in green, and what is unhealthy in red."""
    for line in lines(told):
        label, rest = line[:9], line[9:]
        if label.startswith("  *"):
            click.secho(line, fg="green")
        elif label.startswith("  -") and "UNHEALTHY" in line:
            click.secho(line, fg="red")
        elif label.startswith("  "):
            click.echo(line)
        else:
            click.echo(click.style(label, bold=True) + rest)
