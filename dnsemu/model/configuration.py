"""Everything that a set of files says."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from dnsemu.errors import Origin
from dnsemu.model.cidr import CidrCollection
from dnsemu.model.clients import Clients
from dnsemu.model.health import HealthCheck
from dnsemu.model.resources import Resource
from dnsemu.model.zone import HostedZone


@dataclass(frozen=True, slots=True)
class Options:
    """Where Route 53's own sources differ; the defaults are our best reading."""

    ent_response: str = "nodata"
    any: str = "full"
    cname_chase: str = "in_zone"
    geoproximity_bias: str = "current"
    refused_opt: bool = False
    explain_txt: bool = True
    extended_errors: bool = True


@dataclass(frozen=True, slots=True)
class NotServed:
    """Something that is valid but that this version does not answer with: what, and where it stands."""

    what: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class Configuration:
    """Zones with what they refer to; `not_served` must be empty for it to be served.

    `resources`: what aliases may point to outside of a zone, by name as `spelled_resource` gives it. `unread`: names
    of record sets that could not be read, an empty one if a name is not known: an alias may be meant for them.
    """

    hosted_zones: Sequence[HostedZone] = ()
    health_checks: Sequence[HealthCheck] = ()
    cidr_collections: Sequence[CidrCollection] = ()
    options: Options = Options()
    seed: int | None = None
    not_served: Sequence[NotServed] = ()
    resources: Mapping[str, Resource] = field(default_factory=dict)
    clients: Clients = field(default_factory=Clients)
    unread: frozenset[bytes] = frozenset()
