"""Numbers of the protocol (IANA, Domain Name System Parameters)."""

from __future__ import annotations

from enum import IntEnum

IN = 1
OPT = 41
HEADER = 12  # octets of a header (RFC 1035 4.1.1)
POINTER_TO_QNAME = b"\xc0\x0c"  # a compression pointer to octet 12, where the question's name begins


class Rcode(IntEnum):
    """Response codes (RFC 1035 4.1.1; RFC 6891 9 for BADVERS)."""

    NOERROR = 0
    FORMERR = 1
    SERVFAIL = 2
    NXDOMAIN = 3
    NOTIMP = 4
    REFUSED = 5
    BADVERS = 16


class Meta(IntEnum):
    """Types that stand in questions only (RFC 6895 3.1)."""

    IXFR = 251
    AXFR = 252
    ANY = 255


def type_and_class(rdtype: int, rdclass: int = IN) -> bytes:
    """Type and class as they stand behind a name: four octets."""
    return rdtype.to_bytes(2, "big") + rdclass.to_bytes(2, "big")
