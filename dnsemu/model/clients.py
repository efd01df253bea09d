"""Who asks, as configured: places, blocks of addresses, VPCs, latencies (surface: `dnsemu:` of a zone file)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dnsemu.errors import Origin
from dnsemu.model.cidr import Network


@dataclass(frozen=True, slots=True)
class Whereabouts:
    """Where a client is, as far as it was written: codes of Route 53 and AWS, degrees north and east.

    `vpc_id` makes it a client of that VPC for everything but DNS itself, where the source address counts.
    """

    continent: str | None = None
    country: str | None = None
    subdivision: str | None = None
    coordinates: tuple[float, float] | None = None
    region: str | None = None
    vpc_id: str | None = None

    @property
    def is_place(self) -> bool:
        """Whether it says anything about where on earth that is."""
        return any((self.continent, self.country, self.subdivision, self.coordinates, self.region))


@dataclass(frozen=True, slots=True)
class ClientBlock:
    """Where the clients of a block of addresses are. `latency`: region → milliseconds."""

    block: Network
    whereabouts: Whereabouts
    latency: Mapping[str, float] | None = None


@dataclass(frozen=True, slots=True)
class VpcClients:
    """The addresses that belong to a VPC, and the region that VPC is in."""

    vpc_id: str
    region: str | None
    blocks: tuple[Network, ...]
    origin: Origin


@dataclass(frozen=True, slots=True)
class Clients:
    """All that a configuration says about clients.

    `latencies`: a named place, a country, a subdivision as `US-VA`, or a CIDR block → region → milliseconds.
    `geoip`: the path of a database that is read instead of the shipped one.
    """

    default: Whereabouts | None = None
    places: Mapping[str, Whereabouts] = field(default_factory=dict)
    locations: Sequence[ClientBlock] = ()
    latencies: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    vpcs: Sequence[VpcClients] = ()
    geoip: str | None = None
