"""The routing policies: a file each, with its parameters and the rules about a group of its record sets.

Simple routing is what a record set without a policy has: one record set a name and type, which
`contract.check_group` sees to.
"""

from dnsemu.routing.choice import Choice, Chooser, Outcome, Policy, Reason, Verdict, World
from dnsemu.routing.contract import check_group, describe
from dnsemu.routing.failover import Failover
from dnsemu.routing.geolocation import Geolocation, read_geolocation
from dnsemu.routing.geoproximity import MAX_BIAS, Geoproximity, read_geoproximity
from dnsemu.routing.ip_based import DEFAULT_LOCATION, IpBased
from dnsemu.routing.latency import Latency, read_latency
from dnsemu.routing.multivalue import Multivalue
from dnsemu.routing.weighted import MAX_WEIGHT, Weighted

__all__ = [
    "DEFAULT_LOCATION",
    "MAX_BIAS",
    "MAX_WEIGHT",
    "Choice",
    "Chooser",
    "Failover",
    "Geolocation",
    "Geoproximity",
    "IpBased",
    "Latency",
    "Multivalue",
    "Outcome",
    "Policy",
    "Reason",
    "Verdict",
    "Weighted",
    "World",
    "check_group",
    "describe",
    "read_geolocation",
    "read_geoproximity",
    "read_latency",
]
