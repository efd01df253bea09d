"""From lists of record sets, in any order and number, to one for each hosted zone.

`list-resource-record-sets` does not say of which zone its output is. The SOA tells its name; what one page says comes
next tells which page follows it; and a page without either is put where its names belong.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from dnsemu.convert.aws import RecordSetList, ResourceRecordSet
from dnsemu.convert.documents import Document
from dnsemu.convert.names import absolute
from dnsemu.convert.notes import Kind, Note, UnusableInput
from dnsemu.errors import TextError
from dnsemu.model import read_name
from dnsemu.wire import is_below

Key = tuple[bytes, str, str | None]
"""What tells a record set from all others of its zone: name, type, set identifier."""


class Named(NamedTuple):
    """A record set and its name in wire form."""

    name: bytes
    record: ResourceRecordSet

    @property
    def key(self) -> Key:
        return self.name, self.record.type, self.record.set_identifier


@dataclass(eq=False)
class Pages:
    """Record sets of one zone.

    `begins`: the first of each page; `nexts`: what its pages say comes next; `ends`: whether the last is among them.
    """

    file: str
    apex: bytes = b""
    members: list[Named] = field(default_factory=list)
    begins: set[Key] = field(default_factory=set)
    nexts: set[Key] = field(default_factory=set)
    ends: bool = False

    @property
    def name_servers(self) -> frozenset[str]:
        """The values of the NS record set of the apex; none if it is not here."""
        found = (named.record for named in self.members if named.key == (self.apex, "NS", None))
        return frozenset(value.value for record in found for value in record.resource_records)

    def touches(self, other: Pages) -> bool:
        """Whether one says that the other comes next."""
        return not (self.nexts.isdisjoint(other.begins) and self.begins.isdisjoint(other.nexts))

    def is_of_zone(self, other: Pages) -> bool:
        """Whether both, which have SOAs, are of one zone; two zones of one name have name servers of their own."""
        servers = self.name_servers, other.name_servers
        return self.apex == other.apex and (servers[0] == servers[1] or not all(servers))

    def may_hold(self, other: Pages) -> bool:
        """Whether all names of the other lie below this one's apex."""
        return all(is_below(named.name, self.apex) for named in other.members)

    def take(self, other: Pages) -> None:
        """Join the pages of the other."""
        self.members += other.members
        self.begins |= other.begins
        self.nexts |= other.nexts
        self.ends = self.ends or other.ends


def join_pages(documents: Iterable[Document], apexes: Iterable[bytes], notes: list[Note]) -> list[Pages]:
    """The record sets of each zone. `apexes` are names of zones that other files tell of.

    Raises UnusableInput for pages whose zone nothing says.
    """
    pages = [
        _read(document.file, document.page, notes)
        for document in documents
        if isinstance(document.page, RecordSetList)
    ]
    zones: list[Pages] = []
    for page in pages:
        if page.apex:
            _put(page, next((zone for zone in zones if zone.is_of_zone(page)), None), zones)
    known = {zone.apex for zone in zones}
    waiting = [page for page in pages if not page.apex]
    others = [Pages("", apex) for apex in apexes if apex not in known]
    while waiting:
        page, zone = _next_of(waiting, zones, others)
        waiting.remove(page)
        page.apex = zone.apex
        _put(page, zone if zone in zones else None, zones)
    return zones


def _read(file: str, page: RecordSetList, notes: list[Note]) -> Pages:
    pages = Pages(file, ends=not page.goes_on)
    for record in page.resource_record_sets:
        try:
            pages.members.append(Named(read_name(record.name), record))
        except TextError as error:
            notes.append(Note(Kind.LEFT_OUT, f"{record.name} {record.type}", f"in {file}: {error.message}"))
    pages.begins.update(named.key for named in pages.members[:1])
    pages.nexts.update(_next_key(page))
    pages.apex = _apex(pages)
    return pages


def _next_key(page: RecordSetList) -> Iterator[Key]:
    name = name_or_none(page.next_record_name or "")
    if name and page.next_record_type:
        yield name, page.next_record_type, page.next_record_identifier


def _apex(pages: Pages) -> bytes:
    """The name of the SOA; empty if that is on another page."""
    apexes = {named.name for named in pages.members if named.record.type == "SOA"}
    if len(apexes) > 1:
        shown = " and ".join(sorted(map(absolute, apexes)))
        raise UnusableInput(
            f"{pages.file}: one list with the SOAs of {shown}: each hosted zone needs a list of its own"
        )
    return next(iter(apexes), b"")


def name_or_none(text: str) -> bytes | None:
    """A name in wire form; None for what is no name."""
    try:
        return read_name(text)
    except TextError:
        return None


def _put(page: Pages, zone: Pages | None, zones: list[Pages]) -> None:
    if zone is None:
        zones.append(page)
    else:
        zone.take(page)


def _next_of(waiting: Sequence[Pages], zones: Sequence[Pages], others: Sequence[Pages]) -> tuple[Pages, Pages]:
    """A page without SOA and where it belongs: first those that a neighbour names, then by the names on them.

    A page belongs rather to a zone that lacks its end, and to the smallest that may hold it.
    """
    for page in waiting:
        for zone in zones:
            if zone.touches(page):
                return page, zone
    page = waiting[0]
    may_hold = [zone for zone in (*zones, *others) if zone.may_hold(page)]
    if not may_hold:
        raise UnusableInput(
            f"{page.file}: no SOA among these record sets, so nothing says of which hosted zone they are: "
            "give all pages of the list, or the output of aws route53 get-hosted-zone too"
        )
    return page, max(may_hold, key=lambda zone: (not zone.ends, len(zone.apex)))
