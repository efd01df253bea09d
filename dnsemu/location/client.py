"""A client: an address with as much of it as is known, and where that is, looked up when first asked for."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from dnsemu.location.place import Coordinates, Place

_MAPPED = bytes(10) + b"\xff\xff"  # IPv4 addresses as IPv6 addresses (RFC 4291 2.5.5.2)
MAPPED_BITS = 96


@dataclass(frozen=True, slots=True, eq=False)
class Located:
    """Where a client was taken to be, and on whose `word`; told apart by identity: one place has few of them.

    `scope`: the prefix length at which that holds for every address that shares the prefix. `region`: the region of
    the VPC it belongs to. `latency`: region → ms, given for its address.
    """

    place: Place
    scope: int
    word: str
    region: str | None = None
    latency: Mapping[str, float] | None = None


class Latencies(NamedTuple):
    """What is known of how far the AWS regions are from a client: given tables in front, the model for the rest.

    Hashable, and equal for clients whose latencies are equal.
    """

    coordinates: Coordinates | None
    tables: tuple[int, ...]
    in_china: bool


def unmapped(address: bytes) -> bytes:
    """The IPv4 address that an address of 16 octets maps, else the address itself."""
    return address[12:] if address.startswith(_MAPPED) else address


class Locates(Protocol):
    """Who knows where clients are."""

    def locate(self, client: Client) -> Located:
        """Where one is."""


class Client:
    """Who asks: `address`, of which the first `length` bits are known; `vpc_id` if it is known to be in a VPC.

    A mapped address is its IPv4 address: `shift` is how many bits stand before that in the address as it was given.
    """

    vpc_id: str | None = None
    shift = 0
    _located: Located | None = None

    def __init__(self, locator: Callable[[], Locates], address: bytes, length: int) -> None:
        """`locator` gives who knows where clients are."""
        self.locator = locator
        self.address = address
        self.length = length
        if length >= MAPPED_BITS:
            self._unmap()

    def _unmap(self) -> None:
        if self.address.startswith(_MAPPED):
            self.address, self.length, self.shift = unmapped(self.address), self.length - MAPPED_BITS, MAPPED_BITS

    @property
    def located(self) -> Located:
        """Where it is."""
        if self._located is None:
            self._located = self.locator().locate(self)
        return self._located
