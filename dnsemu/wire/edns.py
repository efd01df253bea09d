"""EDNS(0) (RFC 6891) and its client subnet option (RFC 7871), as far as a question can carry them."""

from __future__ import annotations

from struct import Struct

from dnsemu.errors import WireError
from dnsemu.wire.codes import HEADER, OPT, Rcode

NO_EDNS_SIZE = 512  # RFC 1035 4.2.1
MAX_SIZE = 4096  # what Route 53 announces and never exceeds (behaviour 5.8 E2)
CLIENT_SUBNET = 8

_OPT_FIXED = Struct("!BHHBBH")  # root, type, size, extended RCODE, version, flags
_RECORD = Struct("!HHIH")  # type, class, TTL, length of the data
_OPTION = Struct("!HH")
_DO = 0x8000
_LONGEST = {0: 0, 1: 32, 2: 128}  # prefix length by family; `dig +subnet=0` sends family 0


def compose_opt(rcode: int = 0, *, do: bool = False, options: bytes = b"") -> bytes:
    """The OPT record of a response: version 0, size 4096, the upper eight bits of `rcode`."""
    fixed = _OPT_FIXED.pack(0, OPT, MAX_SIZE, rcode >> 4, 0, _DO if do else 0)
    return fixed + len(options).to_bytes(2, "big") + options


OPT_PLAIN = compose_opt()
OPT_DO = compose_opt(do=True)


NO_EDNS = (NO_EDNS_SIZE, b"")


def read_edns(packet: bytes, at: int, records: int) -> tuple[int, bytes]:
    """What the `records` records at `at`, which must end with the packet, say about the answer, as `(limit, opt)`.

    `limit`: octets that fit into a UDP answer; `opt`: the answer's OPT record, empty if the question had none.

    Only OPT means anything to us; others (TSIG, say) are read over. Raises WireError: BADVERS for a version above
    0, FORMERR for what can not be read, for a second OPT, and for a client subnet that RFC 7871 7.1.2 forbids.
    """
    size, result = USUAL_OPTS.get(packet[at : at + 15], _UNUSUAL)
    if size == len(packet) - at and records == 1:
        return result
    return _read_records(packet, at, records)


def _read_opt(fixed: bytes) -> tuple[int, bytes]:
    """The nine octets of an OPT record before its options, as `(limit, opt)`. Raises WireError (BADVERS)."""
    _, _, limit, _, version, flags = _OPT_FIXED.unpack(fixed)
    do = bool(flags & _DO)  # the other flags mean nothing and are not echoed (RFC 6891 6.1.4)
    if version:
        raise WireError(Rcode.BADVERS, compose_opt(Rcode.BADVERS, do=do))
    return min(max(limit, NO_EDNS_SIZE), MAX_SIZE), OPT_DO if do else OPT_PLAIN  # RFC 6891 6.2.3


def _read_options(packet: bytes, at: int, end: int, opt: bytes) -> bytes:
    """`opt` with what the options from `at` to `end` add to it; all but the client subnet are ignored (E4, E5)."""
    while at < end:
        if at + 4 > end:
            raise WireError(Rcode.FORMERR, opt)
        code, length = _OPTION.unpack_from(packet, at)
        at += 4 + length
        if at > end:
            raise WireError(Rcode.FORMERR, opt)
        if code == CLIENT_SUBNET:
            opt = _with_client_subnet(packet[at - length : at], opt)
    return opt


def _with_client_subnet(option: bytes, opt: bytes) -> bytes:
    """`opt` with the option echoed: family, source length and address as asked, scope 0 (RFC 7871 7.2.1).

    Scope 0 says "the same for every client", which is so while no record set depends on the client (CS4).
    """
    if len(option) < 4 or len(opt) > len(OPT_PLAIN):
        raise WireError(Rcode.FORMERR, opt)
    family, source, scope = int.from_bytes(option[:2], "big"), option[2], option[3]
    address = option[4:]
    spare = -source % 8
    if (
        source > _LONGEST.get(family, -1)
        or scope
        or len(address) != (source + 7) // 8
        or (spare and address[-1] & ((1 << spare) - 1))
    ):
        raise WireError(Rcode.FORMERR, opt)
    echo = _OPTION.pack(CLIENT_SUBNET, len(option)) + option
    return compose_opt(do=opt is OPT_DO, options=echo)


def _read_records(packet: bytes, at: int, records: int) -> tuple[int, bytes]:
    """Any additional section, record by record."""
    found: tuple[int, bytes] | None = None
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
            limit, opt = _read_opt(packet[at - length - 11 : at - length - 2])
            found = limit, _read_options(packet, at - length, at, opt)
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
_UNUSUAL = (1 << 20, NO_EDNS)  # no packet is that long


def _usual_opts() -> dict[bytes, tuple[int, tuple[int, bytes]]]:
    fixed = [_OPT_FIXED.pack(0, OPT, size, 0, 0, flags) for size in _USUAL_SIZES for flags in (0, _DO)]
    plain = {octets + _NO_OPTIONS: (11, _read_opt(octets)) for octets in fixed}
    return plain | {octets + _CLIENT_COOKIE: (23, _read_opt(octets)) for octets in fixed}


USUAL_OPTS = _usual_opts()
"""What clients send, read beforehand by `_read_opt`: the first octets of an OPT record without options, or with a
client's cookie alone, which is ignored; and how long the whole record is."""
