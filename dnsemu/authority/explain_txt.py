"""Explanations over DNS: `dig TXT _explain.www.example.com` (surface: who asks, and from where)."""

from __future__ import annotations

from dnsemu.authority.asking import Asked
from dnsemu.authority.authority import EXPLAIN, Authority, Catalogue
from dnsemu.authority.explain import explain
from dnsemu.authority.inquiry import Inquiry
from dnsemu.authority.narrative import lines
from dnsemu.authority.reply import Reply
from dnsemu.model import Type
from dnsemu.tally import account
from dnsemu.wire import POINTER_TO_QNAME, Rcode, heads, parents, record_body

_LONGEST = 255  # octets of a character-string (RFC 1035 3.3)


class Explained:
    """Answers with the steps to another answer, one string each, TTL 0.

    Explained is type A, or what the name has if it has no such thing; a label as `_aaaa` behind the prefix says
    another type.
    """

    def choose(self, inquiry: Inquiry) -> Reply:
        """The explanation for the client that asks for it."""
        authority, name = inquiry.authority, inquiry.name[len(EXPLAIN) :]
        assert isinstance(authority, Authority)
        views = authority.views
        view = views.by_vpc.get(inquiry.vpc_id) if views is not None and inquiry.vpc_id else None
        catalogue = view.catalogue if view is not None else authority.public
        rdtype, name = _type_and_name(name) if name not in catalogue.names else (None, name)
        rdtype = rdtype or _usual_type(catalogue, name)
        asked = Asked(name, rdtype, inquiry.address, inquiry.length, inquiry.vpc_id, is_subnet=inquiry.is_subnet)
        explanation = explain(authority, asked, inquiry.draws)
        told = lines(explanation) if explanation else ["this name is in no hosted zone"]
        scope = explanation.answer["scope"] if explanation else 0
        inquiry.scope = scope and scope + inquiry.shift
        records = b"".join([POINTER_TO_QNAME + record_body(Type.TXT, 0, _strings(line)) for line in told])
        private = view is not None
        head = heads(Rcode.NOERROR, (len(told), 0, 0), authoritative=not private, recursive=private)
        zone_id = explanation.zone["zone_id"] if explanation and explanation.zone else ""
        return Reply(account(zone_id, Rcode.NOERROR), head, records, b"")


def _usual_type(catalogue: Catalogue, name: bytes) -> Type:
    """A, or what the name has if it has neither that nor a CNAME, itself or by a wildcard."""
    apex = next((ancestor for ancestor in parents(name) if ancestor in catalogue.zones), None)
    groups = catalogue.zones[apex].spot(name).groups if apex is not None else {}
    return Type.A if not groups or {Type.A, Type.CNAME} & groups.keys() else min(groups)


def _type_and_name(name: bytes) -> tuple[Type | None, bytes]:
    """`_aaaa.www.example.com` as AAAA and www.example.com; no type if the first label is none."""
    end = 1 + name[0]
    label = name[1:end]
    known = {b"_" + rdtype.name.lower().encode(): rdtype for rdtype in Type}
    return (known[label], name[end:]) if label in known else (None, name)


def _strings(line: str) -> bytes:
    octets = line.encode()
    parts = [octets[at : at + _LONGEST] for at in range(0, len(octets), _LONGEST)]
    return b"".join([bytes((len(part),)) + part for part in parts])
