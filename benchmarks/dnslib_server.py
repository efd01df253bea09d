"""The baseline: an asyncio datagram protocol over dnslib, as dnslib's documentation shows it.

usage: python dnslib_server.py ZONEFILE PORT          (127.0.0.1, UDP)
"""

import asyncio
import sys
from pathlib import Path
from typing import Any, cast

from dnslib import QTYPE, RCODE, RR, DNSRecord

Zone = dict[str, dict[str, list[RR]]]


def read_zone(text: str) -> tuple[Zone, RR]:
    """The records of a master file by lower-cased name and type, and its SOA record."""
    zone: Zone = {}
    for record in RR.fromZone(text):
        zone.setdefault(str(record.rname).lower(), {}).setdefault(QTYPE[record.rtype], []).append(record)
    soa = next(types["SOA"][0] for types in zone.values() if "SOA" in types)
    return zone, soa


class Resolver(asyncio.DatagramProtocol):
    """Answers each datagram by itself, as it comes."""

    def __init__(self, zone: Zone, soa: RR) -> None:
        self.zone = zone
        self.soa = soa

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Keep the socket to answer on."""
        self.transport = cast("asyncio.DatagramTransport", transport)

    def datagram_received(self, data: bytes, addr: Any) -> None:
        """Parse the query, look it up, pack the answer."""
        self.transport.sendto(self.resolve(DNSRecord.parse(data)).pack(), addr)

    def resolve(self, request: DNSRecord) -> DNSRecord:
        """The answer, NODATA or NXDOMAIN for the request's question."""
        reply = request.reply(ra=0)
        types = self.zone.get(str(request.q.qname).lower())
        records = types.get(QTYPE[request.q.qtype], []) if types else []
        if types is None:
            reply.header.rcode = RCODE.NXDOMAIN
        if records:
            reply.add_answer(*records)
        else:
            reply.add_auth(self.soa)
        return reply


async def serve(zonefile: Path, port: int) -> None:
    """Answer until the process is ended."""
    zone, soa = read_zone(zonefile.read_text())
    loop = asyncio.get_running_loop()
    await loop.create_datagram_endpoint(lambda: Resolver(zone, soa), local_addr=("127.0.0.1", port))
    await asyncio.Event().wait()


if __name__ == "__main__":
    asyncio.run(serve(Path(sys.argv[1]), int(sys.argv[2])))
