"""The header of a question (RFC 1035 4.1.1)."""

from __future__ import annotations

from itertools import product

from dnsemu.errors import WireError
from dnsemu.wire.codes import Rcode

QR, AA, TC, RD, RA, AD, CD = 0x80, 0x04, 0x02, 0x01, 0x80, 0x20, 0x10


def read_header(fields: bytes) -> tuple[int, int]:
    """What an answer depends on of the ten octets behind the message ID, as `(echo, additional)`.

    `echo`: RD as 1 plus CD as 2, the bits that are copied; `additional`: how many records follow the question.

    Bits that say nothing in a question (AA, TC, RA, Z, AD, RCODE) are ignored (RFC 8906 3.1.3). Raises WireError:
    NOTIMP for other opcodes, FORMERR unless there is one question without an answer. The authority section counts
    as what follows: an IXFR has the asker's SOA there (RFC 1995 3).
    """
    upper, lower = fields[0], fields[1]
    if upper & 0x78:
        raise WireError(Rcode.NOTIMP)
    questions, answers, authorities, additional = (int.from_bytes(fields[at : at + 2], "big") for at in (2, 4, 6, 8))
    if questions != 1 or answers:
        raise WireError(Rcode.FORMERR)
    return (upper & RD) | (lower & CD) >> 3, authorities + additional


def _usual_headers() -> dict[bytes, tuple[int, int]]:
    flags = product((0, RD), (0, AD), (0, CD), (0, 1))
    headers = (bytes((rd, ad | cd, 0, 1, 0, 0, 0, 0, 0, additional)) for rd, ad, cd, additional in flags)
    return {header: read_header(header) for header in headers}


USUAL_HEADERS = _usual_headers()
"""What clients send, read beforehand by `read_header`: one look-up for all fields together."""
