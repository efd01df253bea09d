"""Hosted zones as they are imported: record sets each once, the zone's id, and whether any are missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from functools import cached_property

from dnsemu.convert.documents import Document
from dnsemu.convert.hosted import Hosted, bare_id, match, read_hosted
from dnsemu.convert.names import absolute
from dnsemu.convert.notes import Kind, Note, counted
from dnsemu.convert.pages import Named, Pages, join_pages, name_or_none
from dnsemu.wire import is_below, parents

_WILDCARD = b"\1*"
_MOST_NAMED = 3  # hosted zones that a note lists


class Zone:
    """A hosted zone: its record sets in Route 53's order, and what is known of it beside them."""

    def __init__(self, pages: Pages, members: Sequence[Named]) -> None:
        self.apex = pages.apex
        self.pages = pages
        self.members = members
        self.hosted: Hosted | None = None

    @property
    def shown(self) -> str:
        """As notes name it."""
        return f"hosted zone {absolute(self.apex)}"

    @property
    def is_private(self) -> bool:
        """Whether it is imported as a private zone: one of VPCs that are known."""
        return bool(self.hosted and self.hosted.vpcs)

    @property
    def id(self) -> str | None:
        """As a file has it, or as its own aliases name it."""
        return self.hosted.id if self.hosted else self.id_of_aliases

    @cached_property
    def id_of_aliases(self) -> str | None:
        """The zone id of aliases whose targets are in the zone."""
        ids: Counter[str] = Counter()
        for _, record in self.members:
            target = name_or_none(record.alias_target.dns_name) if record.alias_target else None
            if record.alias_target and target and self.finds(target, record.type):
                ids[bare_id(record.alias_target.hosted_zone_id)] += 1
        return next((zone_id for zone_id, _ in ids.most_common(1)), None)

    def finds(self, name: bytes, rdtype: str) -> bool:
        """Whether an alias of that type finds its target here, by name or by a wildcard (RFC 4592)."""
        encloser = next((ancestor for ancestor in parents(name) if ancestor in self._types), None)
        if encloser is None:
            return False
        owner = name if encloser == name else _WILDCARD + encloser
        return rdtype in self._types.get(owner, ())

    @cached_property
    def _types(self) -> dict[bytes, set[str]]:
        """Types by name; none for names that only have names below them."""
        types: dict[bytes, set[str]] = {}
        for name, record in self.members:
            types.setdefault(name, set()).add(record.type)
            for ancestor in parents(name):
                if is_below(ancestor, self.apex):
                    types.setdefault(ancestor, set())
        return types


def find_zones(documents: Sequence[Document], notes: list[Note]) -> list[Zone]:
    """The hosted zones of all files, by name. Raises UnusableInput for record sets whose zone nothing says."""
    known = read_hosted(documents, notes)
    zones = []
    for pages in join_pages(documents, (hosted.name for hosted in known), notes):
        zones.append(Zone(pages, list(_each_once(pages, notes))))
    found = match([(zone.pages, zone.id_of_aliases) for zone in zones], known)
    for zone, hosted in zip(zones, found, strict=True):
        zone.hosted = hosted
        notes += _missing(zone)
    notes += _others(known, found)
    return sorted(_without_doubles(zones, notes), key=lambda zone: (_labels(zone.apex), zone.is_private))


def _each_once(pages: Pages, notes: list[Note]) -> Iterator[Named]:
    """In the order in which Route 53 lists them; the same again, as in overlapping files, is no loss."""
    seen: dict[object, Named] = {}
    for named in sorted(pages.members, key=_order):
        subject = f"{absolute(named.name)} {named.record.type}"
        if not is_below(named.name, pages.apex):
            notes.append(Note(Kind.LEFT_OUT, subject, f"it is not in the hosted zone {absolute(pages.apex)}"))
        elif seen.setdefault(named.key, named) is named:
            yield named
        elif seen[named.key].record != named.record:
            notes.append(Note(Kind.LEFT_OUT, subject, "a second one that differs from the first"))


def _order(named: Named) -> tuple[list[bytes], str, str]:
    return _labels(named.name), named.record.type, named.record.set_identifier or ""


def _labels(name: bytes) -> list[bytes]:
    """From the top level down."""
    return [ancestor[1 : 1 + ancestor[0]] for ancestor in reversed(parents(name)[:-1])]


def _missing(zone: Zone) -> Iterator[Note]:
    """What is known to be on AWS and not in the files."""
    count, here = zone.hosted.count if zone.hosted else None, len(zone.members)
    if count is not None and count > here:
        yield Note(
            Kind.INCOMPLETE, zone.shown, f"it has {counted(count, 'record set')} on AWS, and {here} in the files"
        )
    elif count is None and not zone.pages.ends:
        yield Note(Kind.INCOMPLETE, zone.shown, "the list goes on (NextToken, IsTruncated): give its other pages too")


def _others(known: Iterable[Hosted], found: Sequence[Hosted | None]) -> Iterator[Note]:
    """Zones that are only told of: a list of hosted zones names all of an account."""
    names = [absolute(hosted.name) for hosted in known if hosted not in found]
    if names:
        shown = ", ".join(names[:_MOST_NAMED]) + (", …" if len(names) > _MOST_NAMED else "")
        yield Note(Kind.LEFT_OUT, counted(len(names), "hosted zone"), f"no file has the record sets of {shown}")


def _without_doubles(zones: Sequence[Zone], notes: list[Note]) -> Iterator[Zone]:
    """A server has one public zone of a name; a private one needs its VPCs to be told from it."""
    public: set[bytes] = set()
    hint = "give the output of aws route53 get-hosted-zone, which says the VPCs of a private one"
    for zone in sorted(zones, key=lambda zone: bool(zone.hosted and zone.hosted.private)):
        if not zone.is_private and zone.apex in public:
            notes.append(Note(Kind.LEFT_OUT, zone.shown, f"all of a second one of that name: {hint}"))
            continue
        if zone.hosted and zone.hosted.private and not zone.is_private:
            notes.append(Note(Kind.CHANGED, zone.shown, f"a private one, imported as a public one: {hint}"))
        if not zone.is_private:
            public.add(zone.apex)
        yield zone
