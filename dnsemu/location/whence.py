"""Who asks, as people say it: a place, an address, a CIDR block."""

from __future__ import annotations

from collections.abc import Collection
from difflib import get_close_matches
from ipaddress import ip_address, ip_network
from typing import NamedTuple

from dnsemu.errors import TextError
from dnsemu.location.geography import Geography
from dnsemu.location.locator import named_place


class Whence(NamedTuple):
    """A client: an address of 4 or 16 octets, of which `length` bits are known.

    `is_subnet`: it is known by its subnet; else it is the source address of the question. `place`: the named place
    that it plays, if it is one.
    """

    address: bytes
    length: int
    is_subnet: bool
    place: str | None = None

    @property
    def subnet(self) -> str:
        """As EDNS client subnet, `198.18.56.0/24`."""
        return str(ip_network((ip_address(self.address), self.length)))


def read_whence(text: str, geography: Geography, places: Collection[str] | None = None) -> Whence:
    """Who asks. `places`: the named places there are; None if that is not known here. Raises TextError."""
    block = geography.find(text)
    if places is not None and text in places:
        return _named(text)
    if block is not None:
        return Whence(block.ipv4.network_address.packed, block.ipv4.prefixlen, True)
    try:
        if "/" not in text:
            address = ip_address(text)
            return Whence(address.packed, address.max_prefixlen, False)
        network = ip_network(text, strict=False)
        return Whence(network.network_address.packed, network.prefixlen, True)
    except ValueError:
        if places is None and not any(character in text for character in "./: "):
            return _named(text)
        raise TextError("place", *_what_is_known(text, geography, places or ())) from None


def _named(text: str) -> Whence:
    block = named_place(text)
    return Whence(block.network_address.packed, block.prefixlen, True, text)


def _what_is_known(text: str, geography: Geography, places: Collection[str]) -> tuple[str, str]:
    names = {block.name.lower(): block.code for block in reversed(geography.atlas)}  # countries stand first
    known = {name.lower(): name for name in (*places, *(block.code for block in geography.atlas))} | names
    close = get_close_matches(text.lower(), known, n=1)
    told = (
        f"'{text}' is no place that is known here: a country (DE), a state (US-VA), a region (eu-west-1), "
        "a local zone group, a name of dnsemu: places, an address or a CIDR block"
    )
    return told, f"did you mean {known[close[0]]}?" if close else ""
