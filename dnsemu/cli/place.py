"""`dnsemu place`"""

from __future__ import annotations

from pathlib import Path

import click

from dnsemu.app import Loaded, load_text
from dnsemu.cli.files import load_or_leave
from dnsemu.cli.serve import DEFAULT_PATH
from dnsemu.cli.whence import read_whence
from dnsemu.config import geography
from dnsemu.location import CONTINENTS, NOWHERE, Client, Locator, Whence, named_place

_NEAREST = 3  # regions that are shown


@click.command()
@click.argument("place", required=False)
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(path_type=Path))
def command(place: str | None, paths: tuple[Path, ...]) -> None:
    """Say where PLACE is taken to be, and the dig +subnet that plays it.

    PLACE is a country (DE), a state (US-VA, UA-30), an AWS region, a local zone group, a name of dnsemu: places, an
    address or a CIDR block. The files and folders (default: zones/, if it is there) may say where addresses are.
    Without PLACE, the named places are listed.
    """
    loaded = load_or_leave(paths or (DEFAULT_PATH,)) if paths or DEFAULT_PATH.exists() else load_text("version: 1")
    if place is None:
        _list(loaded)
    else:
        _show(place, loaded)


def _list(loaded: Loaded) -> None:
    places = loaded.configuration.clients.places
    width = max(map(len, places), default=0)
    for name in places:
        click.echo(f"{name:{width}}  +subnet={named_place(name)}")
    if not places:
        click.echo("no named places here: dnsemu: places in a zone file gives names to clients", err=True)
    click.echo("also: a country as DE, a state as US-VA, a region as eu-west-1, an address, a CIDR block", err=True)


def _show(place: str, loaded: Loaded) -> None:
    who = read_whence(place, loaded.configuration.clients.places, "PLACE")
    locator = loaded.authority.locator()
    client = Client(loaded.authority.locator, who.address, who.length)
    if who.place is not None:
        client.vpc_id = loaded.configuration.clients.places[who.place].vpc_id
    located = client.located
    continent, country, subdivision, coordinates = located.place
    rows = [
        ("client", who.subnet if who.is_subnet else who.subnet.partition("/")[0]),
        ("where", "nobody knows" if located.place == NOWHERE else geography().name_of(located.place)),
        ("says", "-" if located.place == NOWHERE else located.word),
        ("continent", f"{continent} ({CONTINENTS[continent]})" if continent else "-"),
        ("country", country or "-"),
        ("subdivision", subdivision or "-"),
        ("coordinates", f"{coordinates[0]:.2f}, {coordinates[1]:.2f}" if coordinates else "-"),
        ("regions", _nearest(client, locator)),
        *((("vpc", client.vpc_id),) if client.vpc_id else ()),
        ("play it", _how(who, client, place, loaded)),
    ]
    for label, text in rows:
        click.echo(f"{click.style(f'{label:12}', bold=True)}{text}")


def _nearest(client: Client, locator: Locator) -> str:
    """The regions with the lowest latency."""
    latencies, _ = locator.latencies(client)
    known = sorted(locator.milliseconds(latencies).items(), key=lambda item: (item[1], item[0]))
    return ", ".join(f"{region} {milliseconds:g} ms" for region, milliseconds in known[:_NEAREST]) or "-"


def _how(who: Whence, client: Client, text: str, loaded: Loaded) -> str:
    """What dig is given to be there: an atlas block has both families; for a VPC the source address counts."""
    blocks = [vpc.blocks for vpc in loaded.configuration.clients.vpcs if vpc.vpc_id == client.vpc_id]
    views = loaded.authority.views
    if not who.is_subnet and views is not None and views.of(who.address):
        return f"dig -b {text} …"
    if client.vpc_id is not None:
        addresses = ", ".join(str(block) for its in blocks for block in its)
        return f"dig -b ADDRESS …, with an address of {addresses or client.vpc_id}"
    block = geography().find(text) if who.place is None else None
    if block is not None:
        return f"dig +subnet={block.ipv4} …   or +subnet={block.ipv6}"
    return f"dig +subnet={who.subnet} …"
