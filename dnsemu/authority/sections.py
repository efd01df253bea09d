"""What all answers of a zone have in common: how their headers look, and the SOA of negative ones."""

from __future__ import annotations

from dnsemu.authority.pieces import Records, Values
from dnsemu.authority.reply import Reply
from dnsemu.authority.tree import ZoneTree
from dnsemu.model import Type
from dnsemu.tally import account
from dnsemu.wire import Rcode, heads


class Sections:
    """Makes the replies of one zone.

    A private zone is answered as the resolver of its VPC does: with RA and without AA (R1).
    """

    def __init__(self, tree: ZoneTree) -> None:
        self.zone_id = tree.zone.zone_id
        self.private = bool(tree.zone.vpcs)
        soa = tree.groups[tree.apex, Type.SOA].first
        records = Values(Type.SOA, soa.ttl, soa.values).owned_by(tree.apex)
        self._soa = Records(b"".join(records), len(records))

    def reply(
        self,
        rcode: int,
        answer: Records,
        authorities: int,
        rest: Records,
        *,
        authoritative: bool = True,
        whole: bool = False,
    ) -> Reply:
        """A reply; of the records in `rest`, `authorities` are the authority section."""
        counts = (answer.count, authorities, rest.count - authorities)
        head = heads(rcode, counts, authoritative=authoritative and not self.private, recursive=self.private)
        return Reply(account(self.zone_id, rcode), head, answer.octets, rest.octets, whole=whole)

    def negative(self, chain: Records, rcode: int = Rcode.NOERROR) -> Reply:
        """NODATA or NXDOMAIN: the SOA with its own TTL in the authority section (behaviour 5.3, R15)."""
        return self.reply(rcode, chain, 1, self._soa, whole=True)
