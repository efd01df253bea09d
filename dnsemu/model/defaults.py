"""What Route 53 makes for a new hosted zone: its id, four name servers, SOA and apex NS (behaviour 5.11)."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256

from dnsemu.model.names import read_name, show_name
from dnsemu.model.types import Type
from dnsemu.model.values import read_value
from dnsemu.model.zone import HostedZone, RecordSet, Value

SOA_TTL = 900
NS_TTL = 172800
SOA_TAIL = "awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"

_TOP_LEVELS = ("com", "net", "org", "co.uk")
_SERVERS_EACH = 512
_ID_LETTERS = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ"

PRIVATE_NAME_SERVERS = tuple(
    read_name(f"ns-{index * _SERVERS_EACH}.awsdns-00.{top_level}") for index, top_level in enumerate(_TOP_LEVELS)
)
"""Those of every private zone (5.11)."""


def zone_id_of(name: bytes, vpc_id: str = "") -> str:
    """A zone id as Route 53 gives them, from the name alone, so that it is the same after a restart.

    Private zones of one name are told apart by the first VPC they belong to.
    """
    number = int.from_bytes(sha256(b"zone " + name + vpc_id.encode()).digest(), "big")
    letters = []
    for _ in range(19):
        number, letter = divmod(number, len(_ID_LETTERS))
        letters.append(_ID_LETTERS[letter])
    return f"Z{''.join(letters)}"


def name_servers_of(zone_id: str) -> tuple[bytes, ...]:
    """Four name servers, one of each top level, in the awsdns naming, from the zone id alone.

    Server N of 0 … 2047 is `ns-N.awsdns-KK.TLD`, where each TLD has 512 of them and KK counts eights (5.11).
    """
    digest = sha256(b"servers " + zone_id.encode()).digest()
    servers = []
    for index, top_level in enumerate(_TOP_LEVELS):
        place = int.from_bytes(digest[2 * index : 2 * index + 2], "big") % _SERVERS_EACH
        servers.append(read_name(f"ns-{index * _SERVERS_EACH + place}.awsdns-{place // 8:02d}.{top_level}"))
    return tuple(servers)


def with_defaults(zone: HostedZone) -> HostedZone:
    """`zone` with the SOA and the apex NS that Route 53 creates, unless it has its own."""
    own = {record_set.type: record_set for record_set in zone.record_sets if record_set.name == zone.name}
    added = []
    if Type.NS in own:
        servers = own[Type.NS].values
    else:
        servers = tuple(Value(server, zone.origin) for server in zone.name_servers)
        added.append(RecordSet(zone.name, Type.NS, zone.origin, NS_TTL, servers))
    if Type.SOA not in own and servers:
        first = min(show_name(server.rdata) for server in servers)  # R6
        soa = Value(read_value(Type.SOA, f"{first} {SOA_TAIL}"), zone.origin)
        added.append(RecordSet(zone.name, Type.SOA, zone.origin, SOA_TTL, (soa,)))
    return replace(zone, record_sets=(*added, *zone.record_sets))
