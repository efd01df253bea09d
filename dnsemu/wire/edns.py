"""EDNS(0) (RFC 6891) and its client subnet option (RFC 7871), as far as a question can carry them."""

from __future__ import annotations

from struct import Struct

from dnsemu.errors import WireError
from dnsemu.wire.codes import HEADER, OPT, Rcode

NO_EDNS_SIZE = 512  # RFC 1035 4.2.1
MAX_SIZE = 4096  # what Route 53 announces and never exceeds (behaviour 5.8 E2)
CLIENT_SUBNET = 8
EXTENDED_ERROR = 15

_OPT_FIXED = Struct("!BHHBBH")  # root, type, size, extended RCODE, version, flags
_RECORD = Struct("!HHIH")  # type, class, TTL, length of the data
_OPTION = Struct("!HH")
_DO = 0x8000
_SCOPE_AT = 18  # in an OPT record whose first option is the client subnet
_OCTETS = tuple(bytes((number,)) for number in range(256))


Subnet = tuple[bytes, int]
"""A client subnet: an address of 4 or 16 octets, and how many of its bits are known; the others are 0."""
Edns = tuple[int, bytes, Subnet | None]
"""What the additional section of a question says about the answer, as `(limit, opt, subnet)`.

`limit`: octets that fit into a UDP answer; `opt`: the answer's OPT record, empty if the question had none, the client
subnet in it with scope 0; `subnet`: None also where the client does not want to be located (CS7).
"""


def compose_opt(rcode: int = 0, *, do: bool = False, options: bytes = b"") -> bytes:
    """The OPT record of a response: version 0, size 4096, the upper eight bits of `rcode`."""
    fixed = _OPT_FIXED.pack(0, OPT, MAX_SIZE, rcode >> 4, 0, _DO if do else 0)
    return fixed + len(options).to_bytes(2, "big") + options


OPT_PLAIN = compose_opt()
OPT_DO = compose_opt(do=True)


NO_EDNS: Edns = (NO_EDNS_SIZE, b"", None)


def with_scope(opt: bytes, scope: int) -> bytes:
    """An answer's OPT record with a client subnet, whose scope prefix length (RFC 7871 6) becomes `scope`."""
    return opt[:_SCOPE_AT] + _OCTETS[scope] + opt[_SCOPE_AT + 1 :]


def without_options(opt: bytes) -> bytes:
    """An answer's OPT record, none of its options."""
    return OPT_DO if opt[7] else OPT_PLAIN


def with_extended_error(opt: bytes, code: int, text: bytes) -> bytes:
    """An answer's OPT record with an extended DNS error behind its other options (RFC 8914 2)."""
    option = _OPTION.pack(EXTENDED_ERROR, 2 + len(text)) + code.to_bytes(2, "big") + text
    options = opt[_OPT_FIXED.size + 2 :] + option
    return opt[: _OPT_FIXED.size] + len(options).to_bytes(2, "big") + options


def read_edns(packet: bytes, at: int, records: int) -> Edns:
    """What the `records` records at `at`, which must end with the packet, say about the answer.

    Only OPT means anything to us; others (TSIG, say) are read over. Raises WireError: BADVERS for a version above
    0, FORMERR for what can not be read, for a second OPT, and for a client subnet that RFC 7871 7.1.2 forbids.
    """
    size, edns, is_whole = USUAL_OPTS.get(packet[at : at + OPT_HEAD], UNUSUAL_OPT)
    if size == len(packet) - at and records == 1:
        return edns if is_whole else read_subnet(packet[at + OPT_HEAD :], edns)
    return _read_records(packet, at, records)


def _read_opt(fixed: bytes) -> Edns:
    """The nine octets of an OPT record before its options. Raises WireError (BADVERS)."""
    _, _, limit, _, version, flags = _OPT_FIXED.unpack(fixed)
    do = bool(flags & _DO)  # the other flags mean nothing and are not echoed (RFC 6891 6.1.4)
    if version:
        raise WireError(Rcode.BADVERS, compose_opt(Rcode.BADVERS, do=do))
    return min(max(limit, NO_EDNS_SIZE), MAX_SIZE), OPT_DO if do else OPT_PLAIN, None  # RFC 6891 6.2.3


def _read_options(packet: bytes, at: int, end: int, edns: Edns) -> Edns:
    """`edns` with what the options from `at` to `end` add to it; all but the client subnet are ignored (E4, E5)."""
    while at < end:
        if at + 4 > end:
            raise WireError(Rcode.FORMERR, edns[1])
        code, length = _OPTION.unpack_from(packet, at)
        at += 4 + length
        if at > end:
            raise WireError(Rcode.FORMERR, edns[1])
        if code == CLIENT_SUBNET:
            edns = read_subnet(packet[at - length : at], edns)
    return edns


def read_subnet(option: bytes, edns: Edns) -> Edns:
    """`edns` with the option read, and echoed: family, source length and address as asked (RFC 7871 7.2.1)."""
    limit, opt, _ = edns
    size, spare, rest = _SUBNETS.get(option[:4], _NO_SUBNET)
    if len(option) != size or len(opt) > len(OPT_PLAIN) or option[-1] & spare:
        raise WireError(Rcode.FORMERR, opt)
    return limit, _SUBNET_HEADS[opt, size] + option, (option[4:] + rest, option[2]) if size > 4 else None


def _subnets() -> dict[bytes, tuple[int, int, bytes]]:
    """Octets of the option, bits of its last one that must be 0, and octets that the address lacks."""
    found = {}
    for family, source, octets in (
        (0, 0, 0),
        *((1, bits, 4) for bits in range(33)),
        *((2, n, 16) for n in range(129)),
    ):
        sent = (source + 7) // 8
        spare = (1 << -source % 8) - 1 if source else 0
        found[bytes((0, family, source, 0))] = (4 + sent, spare, bytes(octets - sent))
    return found


_NO_SUBNET = (-1, 0, b"")
_SUBNETS = _subnets()
"""By family (dig's `+subnet=0` has 0), source length, and scope, which is 0 in a question (RFC 7871 7.1.2)."""
_SUBNET_HEADS = {
    (opt, size): opt[:9] + (4 + size).to_bytes(2, "big") + _OPTION.pack(CLIENT_SUBNET, size)
    for opt in (OPT_PLAIN, OPT_DO)
    for size in range(4, 21)
}
"""What stands before a client subnet of so many octets in an answer's OPT record."""


def _read_records(packet: bytes, at: int, records: int) -> Edns:
    """Any additional section, record by record."""
    found: Edns | None = None
    for _ in range(records):
        owner = at
        at = _skip_owner(packet, at)
        if at + 10 > len(packet):
            raise WireError(Rcode.FORMERR)
        rdtype, _, _, length = _RECORD.unpack_from(packet, at)
        at += 10 + length
        if at > len(packet):
            raise WireError(Rcode.FORMERR, found[1] if found else b"")
        if rdtype == OPT:
            if found or packet[owner]:  # RFC 6891 6.1.1: one, and owned by the root
                raise WireError(Rcode.FORMERR, OPT_PLAIN)
            found = _read_options(packet, at - length, at, _read_opt(packet[at - length - 11 : at - length - 2]))
    if at != len(packet):
        raise WireError(Rcode.FORMERR, found[1] if found else b"")
    return found or NO_EDNS


def _skip_owner(packet: bytes, at: int) -> int:
    """The offset behind the owner name at `at`, which may end in a pointer to an earlier octet (RFC 1035 4.1.4)."""
    while at < len(packet):
        length = packet[at]
        if length >= 0xC0:
            if int.from_bytes(packet[at : at + 2], "big") & 0x3FFF not in range(HEADER, at):
                break
            return at + 2
        if length > 63:
            break
        at += length + 1
        if not length:
            return at
    raise WireError(Rcode.FORMERR)


_USUAL_SIZES = (512, 1200, 1220, 1232, 1280, 1400, 1410, 1432, 1440, 1452, 1460, 1472, 4000, 4096, 8192, 65535)
_NO_OPTIONS = b"\0\0"
_CLIENT_COOKIE = b"\0\x0c\0\x0a\0\x08"  # eight octets of cookie follow (RFC 7873 4)
OPT_HEAD = 15
"""Octets of an OPT record with the code and length of its first option."""
UNUSUAL_OPT = (1 << 20, NO_EDNS, False)  # no packet is that long


def _usual_opts() -> dict[bytes, tuple[int, Edns, bool]]:
    fixed = [_OPT_FIXED.pack(0, OPT, size, 0, 0, flags) for size in _USUAL_SIZES for flags in (0, _DO)]
    usual = {octets + _NO_OPTIONS: (11, _read_opt(octets), True) for octets in fixed}
    usual |= {octets + _CLIENT_COOKIE: (23, _read_opt(octets), True) for octets in fixed}
    for size in range(4, 21):
        subnet = (size + 4).to_bytes(2, "big") + _OPTION.pack(CLIENT_SUBNET, size)
        usual |= {octets + subnet: (15 + size, _read_opt(octets), False) for octets in fixed}
    return usual


USUAL_OPTS = _usual_opts()
"""What clients send, read beforehand by `_read_opt`: the head of an OPT record without options, with a
client's cookie alone, which is ignored, or with a client subnet alone. How long the record is, what it says, and
whether that is all: a client subnet is to be read yet.
"""
