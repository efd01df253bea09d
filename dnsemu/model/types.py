"""The 17 record types that Route 53 serves (behaviour 6.1)."""

from __future__ import annotations

from enum import IntEnum


class Type(IntEnum):
    """Record types by their number (IANA)."""

    A = 1
    NS = 2
    CNAME = 5
    SOA = 6
    PTR = 12
    MX = 15
    TXT = 16
    AAAA = 28
    SRV = 33
    NAPTR = 35
    DS = 43
    SSHFP = 44
    TLSA = 52
    SVCB = 64
    HTTPS = 65
    SPF = 99
    CAA = 257


SINGLE_VALUE = frozenset({Type.CNAME, Type.SOA})
TARGET_AT = {Type.NS: 0, Type.MX: 2, Type.SRV: 6}
"""Where in the record data the name stands whose addresses belong into the additional section (5.2)."""
