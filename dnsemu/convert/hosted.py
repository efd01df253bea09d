"""What `get-hosted-zone` and `list-hosted-zones` say, and which of the zones a list of record sets is."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from dnsemu.convert import aws
from dnsemu.convert.documents import Document
from dnsemu.convert.names import absolute
from dnsemu.convert.notes import Kind, Note
from dnsemu.convert.pages import Pages, name_or_none

_SERVERS_OF_PRIVATE_ZONES = {
    "ns-0.awsdns-00.com",
    "ns-512.awsdns-00.net",
    "ns-1024.awsdns-00.org",
    "ns-1536.awsdns-00.co.uk",
}
"""In the NS record set of every private hosted zone, though nothing answers there."""


@dataclass(frozen=True)
class Hosted:
    """A hosted zone without its record sets; `count` is how many it has, `vpcs` are empty where nothing says them."""

    id: str
    name: bytes
    comment: str = ""
    private: bool = False
    count: int | None = None
    name_servers: tuple[str, ...] = ()
    vpcs: tuple[aws.Vpc, ...] = ()


def bare_id(zone_id: str) -> str:
    """`Z1` for `/hostedzone/Z1`."""
    return zone_id.rpartition("/")[2]


def read_hosted(documents: Iterable[Document], notes: list[Note]) -> list[Hosted]:
    """Each zone once; `get-hosted-zone` says more than a list does."""
    found: dict[str, Hosted] = {}
    for shape, page in sorted(_shapes(documents), key=lambda pair: isinstance(pair[1], aws.OneHostedZone)):
        name = name_or_none(shape.name)
        if name is None:
            continue
        found[bare_id(shape.id)] = _hosted(shape, name, page)
        for key in aws.unknown_keys(shape):
            notes.append(Note(Kind.LEFT_OUT, f"hosted zone {absolute(name)}", f"{key}, which is not known here"))
    return list(found.values())


def _shapes(documents: Iterable[Document]) -> Iterator[tuple[aws.HostedZone, aws.Page]]:
    for _, page in documents:
        if isinstance(page, aws.OneHostedZone):
            yield page.hosted_zone, page
        elif isinstance(page, aws.HostedZoneList):
            yield from ((shape, page) for shape in page.hosted_zones)


def _hosted(shape: aws.HostedZone, name: bytes, page: aws.Page) -> Hosted:
    one = page if isinstance(page, aws.OneHostedZone) else None
    return Hosted(
        bare_id(shape.id),
        name,
        shape.config.comment or "",
        shape.config.private_zone or bool(one and one.vpcs),
        shape.resource_record_set_count,
        one.delegation_set.name_servers if one else (),
        one.vpcs if one else (),
    )


def match(zones: Sequence[tuple[Pages, str | None]], known: Sequence[Hosted]) -> list[Hosted | None]:
    """For each list of record sets, with the zone id that its aliases name, the hosted zone that it is of."""
    scores = [
        (score, -index, -number)
        for index, (pages, zone_id) in enumerate(zones)
        for number, hosted in enumerate(known)
        if (score := _score(pages, zone_id, hosted)) is not None
    ]
    found: list[Hosted | None] = [None] * len(zones)
    for _, index, number in sorted(scores, reverse=True):
        if found[-index] is None and known[-number] not in found:
            found[-index] = known[-number]
    return found


def _score(pages: Pages, zone_id: str | None, hosted: Hosted) -> int | None:
    """How much speaks for it: more than one hosted zone may have that name. None: it is another one."""
    if hosted.name != pages.apex or zone_id not in (None, hosted.id):
        return None
    servers = {server.rstrip(".") for server in pages.name_servers}
    by_servers = 4 * (servers == set(hosted.name_servers)) + 2 * (not hosted.name_servers)
    as_private = hosted.private == (servers == _SERVERS_OF_PRIVATE_ZONES)
    return 8 * (zone_id == hosted.id) + by_servers + as_private
