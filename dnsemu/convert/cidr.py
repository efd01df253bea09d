"""CIDR collections: `list-cidr-blocks` prints blocks without the collection that they are of."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import PurePath

from dnsemu.convert import aws
from dnsemu.convert.documents import Document
from dnsemu.convert.draft import Item
from dnsemu.convert.flow import Value
from dnsemu.convert.notes import Kind, Note, counted

_DEFAULT = "*"
_Page = aws.CidrBlockList | aws.CidrLocationList


def read_collections(
    documents: Sequence[Document], used: Mapping[str, set[str]], notes: list[Note]
) -> Iterator[Item]:
    """The collections that record sets use, by id, with the locations that they use and those of the files."""
    names = {shape.id: shape.name for shape in _collections(documents)}
    pages = _by_collection(documents, sorted({*used, *names}), sorted(used or names), notes)
    for collection_id in sorted(set(pages) - set(used)) if used else ():
        notes.append(Note(Kind.LEFT_OUT, f"CIDR collection {collection_id}", "no record set here uses it"))
    for collection_id in sorted(used or pages):
        subject = f"CIDR collection {collection_id}"
        inner = list(_locations(subject, pages.get(collection_id, ()), used.get(collection_id, set()), notes))
        if collection_id not in names:
            text = "its name, which aws route53 list-cidr-collections prints"
            notes.append(Note(Kind.MADE_UP, subject, text))
        value: dict[str, Value] = {"id": collection_id, "name": names.get(collection_id, collection_id)}
        yield Item(subject, value, "locations", inner)


def _collections(documents: Iterable[Document]) -> Iterator[aws.CidrCollection]:
    for _, page in documents:
        if isinstance(page, aws.CidrCollectionList):
            yield from page.cidr_collections


def _by_collection(
    documents: Sequence[Document], ids: Sequence[str], wanted: Sequence[str], notes: list[Note]
) -> dict[str, list[_Page]]:
    """Pages by the id of their collection: the one in the file's name, or the only one that is wanted."""
    found: dict[str, list[_Page]] = {}
    for file, page in documents:
        if isinstance(page, _Page):
            named = [collection_id for collection_id in ids if collection_id in PurePath(file).name]
            candidates = named or wanted
            if len(candidates) == 1:
                found.setdefault(candidates[0], []).append(page)
            else:
                notes.append(Note(Kind.LEFT_OUT, file, _unassigned(page, wanted)))
    return found


def _unassigned(page: _Page, wanted: Sequence[str]) -> str:
    what = counted(len(_entries(page)), f"CIDR {'block' if isinstance(page, aws.CidrBlockList) else 'location'}")
    if not wanted:
        return f"{what}, as no record set here uses a CIDR collection"
    return f"{what} of one of {len(wanted)} collections: write the collection's id into the name of the file"


def _locations(subject: str, pages: Sequence[_Page], used: set[str], notes: list[Note]) -> Iterator[Item]:
    """By name: those of the pages, and those that record sets use."""
    blocks = [page for page in pages if isinstance(page, aws.CidrBlockList)]
    if blocks and all(page.goes_on for page in blocks):
        text = "the list of its blocks goes on (NextToken): give its other pages too"
        notes.append(Note(Kind.INCOMPLETE, subject, text))
    listed = {each.location_name for page in pages for each in _entries(page)}
    for name in sorted((listed | used) - {_DEFAULT}):
        if name not in listed:
            text = "no file has its blocks: it is empty"
            notes.append(Note(Kind.MADE_UP, f"{subject}, location {name}", text))
        found = [each.cidr_block for page in blocks for each in page.cidr_blocks if each.location_name == name]
        yield _location(subject, name, found)


def _entries(page: _Page) -> Sequence[aws.CidrBlock | aws.CidrLocation]:
    return page.cidr_blocks if isinstance(page, aws.CidrBlockList) else page.cidr_locations


def _location(subject: str, name: str, blocks: Iterable[str]) -> Item:
    """Without its blocks a location is still there for the record sets that use it."""
    value: dict[str, Value] = {"name": name, "cidr_blocks": list(dict.fromkeys(blocks))}
    remark = "" if value["cidr_blocks"] else "made up: no file had its blocks"
    return Item(f"{subject}, location {name}", value, instead={"name": name, "cidr_blocks": []}, remark=remark)
