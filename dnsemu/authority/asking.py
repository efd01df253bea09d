"""From what people say about a question to what is explained: `Asked`."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import ip_network
from typing import NamedTuple

from dnsemu.location import MAPPED_BITS, Whence, unmapped
from dnsemu.model import ClientBlock, Clients, Type, read_name

_LOOPBACK = bytes((127, 0, 0, 1))


class Asked(NamedTuple):
    """Who asks for what. `address`: 4 or 16 octets, of which `length` bits are known.

    `vpc_id`: a client of that VPC, if it is one. `name` in wire form. `place`: the name of the place it plays.
    """

    name: bytes
    type: Type
    address: bytes
    length: int
    vpc_id: str | None = None
    is_subnet: bool = False
    place: str | None = None


def asked_by(name: str, rdtype: Type, who: Whence, clients: Clients, places: Iterable[ClientBlock] = ()) -> Asked:
    """What `who` asks. `places`: those that were set while serving. Raises TextError for a name that is none.

    A named place, and a block that was set to be in a VPC, play clients of that VPC.
    """
    wire = read_name(name)
    if who.is_subnet and not who.length:  # a client that does not want to be located: by the source (CS7)
        return Asked(wire, rdtype, _LOOPBACK, 32)
    vpc_id = _vpc_of(who, places) if who.place is None else clients.places[who.place].vpc_id
    return Asked(wire, rdtype, who.address, who.length, vpc_id, who.is_subnet, who.place)


def _vpc_of(who: Whence, places: Iterable[ClientBlock]) -> str | None:
    """The VPC of the longest block that was set around it and says one."""
    address, length = unmapped(who.address), who.length
    if len(address) != len(who.address):
        length = max(length - MAPPED_BITS, 0)
    client = ip_network((address, length), strict=False)
    around = [
        place
        for place in places
        if place.whereabouts.vpc_id is not None
        and place.block.version == client.version
        and client.subnet_of(place.block)  # type: ignore[arg-type]
    ]
    longest = max(around, key=lambda place: place.block.prefixlen, default=None)
    return longest.whereabouts.vpc_id if longest is not None else None
