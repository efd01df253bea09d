"""`dnsemu import --from route53`: from what the AWS CLI prints to one native file."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from dnsemu.convert.checks import HealthChecks
from dnsemu.convert.cidr import read_collections
from dnsemu.convert.documents import Document, read_documents
from dnsemu.convert.draft import Draft, Item
from dnsemu.convert.flow import Value
from dnsemu.convert.names import absolute
from dnsemu.convert.notes import Kind, Note, UnusableInput, counted, printable
from dnsemu.convert.records import RecordSets
from dnsemu.convert.targets import Targets
from dnsemu.convert.zones import Zone, find_zones
from dnsemu.errors import Fault

_MOST_FILES = 8  # named in the comment at the head
FaultsOf = Callable[[str], Sequence[Fault]]
"""What the loader has against a native file."""


class Imported(NamedTuple):
    """A native file, a note for all that is not in it as it was, and what it holds in a few words."""

    text: str
    notes: list[Note]
    summary: str


def import_route53(files: Iterable[tuple[str, bytes]], faults_of: FaultsOf) -> Imported:
    """One native file from files by name and octets; what `faults_of` finds wrong in it is taken out and told.

    Raises UnusableInput if a file is not what the AWS CLI prints, or if there is nothing to import.
    """
    documents = sorted(read_documents(files), key=lambda document: document.file)
    notes: list[Note] = []
    draft = _draft(documents, notes)
    if not draft.hosted_zones and not draft.health_checks and not draft.cidr_collections:
        raise UnusableInput(
            "nothing to import: there are no record sets; give what "
            "aws route53 list-resource-record-sets --hosted-zone-id ID prints"
        )
    text = _settle(draft, faults_of, notes)
    notes.sort(key=lambda note: list(Kind).index(note.kind))
    return Imported(text, list(dict.fromkeys(notes)), _summary(draft))


def _draft(documents: Sequence[Document], notes: list[Note]) -> Draft:
    zones = find_zones(documents, notes)
    targets = Targets()
    draft = Draft(_comment({document.file for document in documents}))
    draft.hosted_zones = [_zone_item(zone, targets, notes) for zone in zones]
    records = [named.record for zone in zones for named in zone.members]
    checks = {record.health_check_id for record in records if record.health_check_id}
    draft.health_checks = HealthChecks(documents, notes).items(checks if zones else None)
    locations: dict[str, set[str]] = {}
    for record in records:
        if config := record.cidr_routing_config:
            locations.setdefault(config.collection_id, set()).add(config.location_name)
    draft.cidr_collections = list(read_collections(documents, locations, notes))
    draft.alias_targets = list(targets.items(notes))
    return draft


def _comment(files: Iterable[str]) -> list[str]:
    names = sorted(printable(file) for file in files)
    more = f" and {len(names) - _MOST_FILES} more" if len(names) > _MOST_FILES else ""
    return [f"From Amazon Route 53, by dnsemu import --from route53: {', '.join(names[:_MOST_FILES])}{more}"]


def _zone_item(zone: Zone, targets: Targets, notes: list[Note]) -> Item:
    value: dict[str, Value] = {"name": absolute(zone.apex)}
    if zone.id:
        value["zone_id"] = zone.id
    if zone.hosted and zone.hosted.comment:
        value["comment"] = zone.hosted.comment
    if zone.hosted and zone.hosted.name_servers and not zone.pages.name_servers:
        value["name_servers"] = list(zone.hosted.name_servers)
    if zone.hosted and zone.hosted.vpcs:
        value["vpc"] = [_vpc(vpc.vpc_id, vpc.vpc_region) for vpc in zone.hosted.vpcs]
        text = "nobody is in its VPCs, until dnsemu: vpcs says which addresses belong to them"
        notes.append(Note(Kind.INCOMPLETE, f"private {zone.shown}", text))
    return Item(zone.shown, value, "record_sets", list(RecordSets(zone, targets, notes).items()))


def _vpc(vpc_id: str, region: str | None) -> dict[str, Value]:
    return {"vpc_id": vpc_id, "vpc_region": region} if region else {"vpc_id": vpc_id}


def _settle(draft: Draft, faults_of: FaultsOf, notes: list[Note]) -> str:
    """Take out what is refused, until nothing is: what Route 53 has taken once, it may not take today."""
    while True:
        rendered = draft.render()
        refused: dict[int, tuple[Item, list[Item], Fault]] = {}
        for fault in faults_of(rendered.text):
            if found := rendered.at(fault.origin.line):
                refused.setdefault(id(found[0]), (*found, fault))
        if not refused:
            return rendered.text
        for item, items, fault in refused.values():
            _refuse(item, items, fault, notes)


def _refuse(item: Item, items: list[Item], fault: Fault, notes: list[Note]) -> None:
    hint = f" ({fault.hint})" if fault.hint else ""
    if item.instead is not None:
        notes.append(Note(Kind.LEFT_OUT, item.subject, f"a stand-in is there now: {fault.message}{hint}"))
        item.value, item.instead, item.remark = item.instead, None, "made up: the real one is refused"
        return
    notes.append(Note(Kind.LEFT_OUT, item.subject, f"{fault.message}{hint}"))
    items.remove(item)


def _summary(draft: Draft) -> str:
    """`2 hosted zones with 31 record sets, 2 health checks, 1 CIDR collection, 3 alias targets`."""
    record_sets = sum(len(zone.inner) for zone in draft.hosted_zones)
    parts = [
        f"{counted(len(draft.hosted_zones), 'hosted zone')} with {counted(record_sets, 'record set')}",
        counted(len(draft.health_checks), "health check"),
        counted(len(draft.cidr_collections), "CIDR collection"),
        counted(len(draft.alias_targets), "alias target"),
    ]
    return ", ".join(part for part in parts if not part.startswith("0 "))
