"""The compiled whole: every name of every hosted zone, ready to be asked for."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from dnsemu.authority.choosing import Routing
from dnsemu.authority.reply import REFUSED, Entry, Node
from dnsemu.authority.tree import ZoneTree
from dnsemu.location import Blocks, Locator, unmapped
from dnsemu.model import ClientBlock, HealthSnapshot, Network, Options, Type
from dnsemu.routing import Chooser
from dnsemu.wire import MAX_LABEL, MAX_NAME, Meta, parents, type_and_class

EXPLAIN = b"\x08_explain"
_TXT = type_and_class(Type.TXT)
_CLASS_IN = b"\0\1"
_TRANSFERS = frozenset({type_and_class(Meta.AXFR), type_and_class(Meta.IXFR)})


@dataclass(frozen=True, slots=True)
class Catalogue:
    """The names that some clients can ask for.

    `questions`: name, type and class as they stand in a question, the name in lower case → what answers it.
    `names`: name → node, for every name that exists. Neither has names that a zone cut or a more specific zone
    hides. `zones`: apex → what was compiled, for explaining; `explained` answers for names that begin `_explain`,
    None if nothing does.
    """

    questions: Mapping[bytes, Entry]
    names: Mapping[bytes, Node]
    zones: Mapping[bytes, ZoneTree]
    explained: Entry | None

    def search(self, name: bytes, type_class: bytes, *, private: bool = False) -> Entry | None:
        """What answers any question; None if the name is in no zone, and the question could be another server's.

        If the catalogue is `private`, there is another one to ask for what it does not know.
        """
        entry = self.questions.get(name + type_class) or self.find(name, type_class)
        return entry if entry is not None or private or _is_ordinary(type_class) else REFUSED

    def find(self, name: bytes, type_class: bytes) -> Entry | None:
        """What answers a question that is not in `questions`; None if the name is in no zone.

        `name` may be any octets that end with a zero: what is found was a name, label by label. The walk up ends at
        the name itself or at its closest encloser (RFC 4592 3.3.1).
        """
        names, at = self.names, 0
        node = names.get(name)
        try:
            while node is None:
                length = name[at]
                if not length or length > MAX_LABEL:
                    return None
                at += length + 1
                node = names.get(name[at:])
        except IndexError:  # a label that goes beyond the end
            return None
        if len(name) > MAX_NAME:
            return None
        if not at:
            entry = node.other
        elif type_class == _TXT and self.explained is not None and name.startswith(EXPLAIN):
            entry = self.explained
        else:
            beneath = node.beneath
            entry = beneath.by_type.get(type_class) or beneath.other
        return entry if type_class in _USUAL or _is_ordinary(type_class) else REFUSED


@dataclass(frozen=True, slots=True)
class View:
    """What the clients of one VPC see before everything else: its private hosted zones (behaviour 7.1).

    `around`: the public zones that lead into private ones; to these clients they end where those begin (V5).
    """

    vpc_id: str
    catalogue: Catalogue
    around: Catalogue

    def beside(self, public: Catalogue, name: bytes) -> Catalogue:
        """Where these clients find a name that no private zone has."""
        apex = next((ancestor for ancestor in parents(name) if ancestor in public.zones), None)
        return self.around if apex in self.around.zones else public


@dataclass(frozen=True, slots=True)
class Views:
    """Views by VPC, and the addresses that belong to each VPC; None for one without private zones."""

    by_vpc: Mapping[str, View]
    listed: Sequence[tuple[Network, View | None]]
    blocks: Blocks[View | None]

    def of(self, source: bytes) -> View | None:
        """The view of a client by its source address, 4 or 16 octets."""
        chain, _ = self.blocks.find(unmapped(source))
        return chain[0][1] if chain else None

    def with_places(self, places: Sequence[ClientBlock]) -> Views:
        """The same where the clients of some blocks are in a VPC, whatever else is said of their addresses."""
        vpc_ids = [(place.block, place.whereabouts.vpc_id) for place in places]
        first = [(block, self.by_vpc.get(vpc_id)) for block, vpc_id in vpc_ids if vpc_id is not None]
        return replace(self, blocks=Blocks([first, self.listed]))


@dataclass(frozen=True, slots=True)
class Authority:
    """What is served; immutable, and replaced as a whole. `zones`: zone id → name in wire form.

    `choosers` are those of `routing`. `locator` gives who knows where clients are, and `locate_with` that with places
    in front of all else. `views` is None if there is no private hosted zone.
    """

    public: Catalogue
    views: Views | None
    routing: Routing
    choosers: tuple[Chooser, ...]
    locator: Callable[[], Locator]
    locate_with: Callable[[Sequence[ClientBlock]], Locator]
    zones: Mapping[str, bytes]
    options: Options

    def with_health(self, snapshot: HealthSnapshot, changed: Iterable[str] | None = None) -> Authority:
        """The same for other health: health check id → whether it is healthy.

        `changed`: the checks that may have another status than here, if that is known; it saves looking at all.
        """
        routing = self.routing.with_health(snapshot, changed)
        return replace(self, routing=routing, choosers=routing.choosers)

    def with_places(self, places: Sequence[ClientBlock]) -> Authority:
        """The same where some clients are elsewhere, and maybe in a VPC, whatever the configuration says of them."""
        locator = self.locate_with(places)
        views = self.views.with_places(places) if self.views is not None else None
        return replace(self, locator=lambda: locator, views=views)


def _is_ordinary(type_class: bytes) -> bool:
    """Whether a question is one that zones answer: class IN, and no zone transfer (E9, E10)."""
    return type_class.endswith(_CLASS_IN) and type_class not in _TRANSFERS


_USUAL = frozenset(type_class for type_class in map(type_and_class, range(260)) if _is_ordinary(type_class))
"""Ordinary types that clients ask for, told beforehand."""
