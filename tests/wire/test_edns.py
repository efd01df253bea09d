"""OPT records of questions and answers (RFC 6891), with client subnets (RFC 7871) and extended errors (RFC 8914).

What clients usually send is looked up in tables; the reader that takes a section record by record must say the same.
"""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from struct import pack

import dns.edns
import dns.message
import dnslib
import pytest
from answers import Opt
from hypothesis import given
from hypothesis import strategies as st
from properties.strategies import examples

from dnsemu.errors import WireError
from dnsemu.wire import HEADER, Edns, compose_opt, read_edns, with_extended_error, with_scope, without_options
from dnsemu.wire.edns import _read_records

QUESTION = b"\3www\7example\3com\0\0\1\0\1"
BEGIN = HEADER + len(QUESTION)
TSIG = b"\3key\0" + pack("!HHIH", 250, 255, 0, 4) + bytes(4)
SIZES = (0, 511, 512, 513, 1232, 1233, 4095, 4096, 4097, 65535)
FLAGS = (0, 0x8000, 0x4000, 0xFFFF)
ODD = (0, 1, 2, 8, 11, 24, 32, 41, 128, 255)
COOKIE, NSID, PADDING = (10, bytes(range(8))), (3, b""), (12, bytes(5))

Read = Edns | tuple[int, bytes]


def packet_of(opt: bytes, *others: bytes) -> bytes:
    counts = pack("!HHHHH", 0x0100, 1, 0, 0, 1 + len(others))
    return b"\x42\x17" + counts + QUESTION + opt + b"".join(others)


def read(reader: object, packet: bytes, records: int = 1) -> Read:
    """What a reader says; of an error, its RCODE and OPT record."""
    try:
        return reader(packet, BEGIN, records)  # type: ignore[operator, no-any-return]
    except WireError as error:
        return error.rcode, error.opt


def agreed(packet: bytes, records: int = 1) -> Read:
    """What both readers say."""
    one, other = read(read_edns, packet, records), read(_read_records, packet, records)
    assert one == other
    return one


def subnet(family: int, source: int, octets: bytes, scope: int = 0) -> tuple[int, bytes]:
    return 8, pack("!HBB", family, source, scope) + octets


def sources() -> Iterator[tuple[int, int, bytes]]:
    """Every source length of both families, as many octets as it takes, the last without bits beyond it."""
    for family, width in ((1, 4), (2, 16)):
        for source in range(8 * width + 1):
            network = ip_network((b"\xfe" * width, source), strict=False)
            yield family, source, network.network_address.packed[: (source + 7) // 8]


SUBNETS = list(sources())

# The tables and the reader


@pytest.mark.parametrize("flags", FLAGS)
@pytest.mark.parametrize("size", SIZES)
def test_every_source_length(size: int, flags: int) -> None:
    do = bool(flags & 0x8000)
    for family, source, octets in sources():
        option = subnet(family, source, octets)
        limit, opt, found = agreed(packet_of(Opt(size=size, flags=flags, options=(option,)).wire()))  # type: ignore[misc]
        width = 4 if family == 1 else 16
        assert limit == min(max(size, 512), 4096)
        assert found == ((octets.ljust(width, b"\0"), source) if source else None), "CS7: 0 is nobody in particular"
        assert opt == compose_opt(do=do, options=pack("!HH", 8, len(option[1])) + option[1])


@pytest.mark.parametrize(
    "before", [(), (COOKIE,), (NSID, PADDING)], ids=["nothing before", "a cookie before", "two options before"]
)
@pytest.mark.parametrize("after", [(), (COOKIE,), (PADDING, NSID)], ids=["alone", "a cookie", "two options"])
def test_other_options_around(before: tuple[tuple[int, bytes], ...], after: tuple[tuple[int, bytes], ...]) -> None:
    for family, source, octets in sources():
        option = subnet(family, source, octets)
        alone = agreed(packet_of(Opt(options=(option,)).wire()))
        assert agreed(packet_of(Opt(options=(*before, option, *after)).wire())) == alone
        assert agreed(packet_of(Opt(options=(*before, option, *after)).wire(), TSIG), 2) == alone


@pytest.mark.parametrize("do", [False, True])
@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("options", [(), (COOKIE,), (COOKIE, NSID), ((10, bytes(16)),), ((10, bytes(7)),)])
def test_options_that_mean_nothing(size: int, options: tuple[tuple[int, bytes], ...], do: bool) -> None:
    opt = Opt(size=size, flags=do << 15, options=options).wire()
    assert agreed(packet_of(opt)) == (min(max(size, 512), 4096), compose_opt(do=do), None)


FORBIDDEN = {  # RFC 7871 7.1.2, CS6
    "a family that is none": subnet(3, 24, b"\1\2\3"),
    "family 0 with a length": subnet(0, 8, b"\1"),
    "family 0 with an address": subnet(0, 0, b"\1"),
    "33 bits of IPv4": subnet(1, 33, bytes(5)),
    "129 bits of IPv6": subnet(2, 129, bytes(17)),
    "a scope": subnet(1, 24, b"\1\2\3", 24),
    "a bit beyond the length": subnet(1, 23, b"\1\2\3"),
    "a bit beyond the length of IPv6": subnet(2, 33, b"\1\2\3\4\x40"),
    "an octet too few": subnet(1, 24, b"\1\2"),
    "an octet too many": subnet(1, 24, b"\1\2\3\0"),
    "an address of length 0": subnet(1, 0, bytes(4)),
    "nothing": (8, b""),
    "half a family": (8, b"\0"),
    "no address": (8, b"\0\1\x18"),
    "twenty-one octets": (8, bytes(21)),
}


@pytest.mark.parametrize("do", [False, True])
@pytest.mark.parametrize("around", [(), (COOKIE,)], ids=["alone", "behind a cookie"])
@pytest.mark.parametrize("option", FORBIDDEN.values(), ids=FORBIDDEN)
def test_forbidden_subnets(option: tuple[int, bytes], around: tuple[tuple[int, bytes], ...], do: bool) -> None:
    opt = Opt(flags=do << 15, options=(*around, option)).wire()
    assert agreed(packet_of(opt)) == (1, compose_opt(do=do))


def test_every_cut_and_every_surplus() -> None:
    """Both readers find the same fault, wherever a packet ends."""
    for family, source, octets in ((1, 24, b"\1\2\3"), (2, 56, bytes(7)), (1, 0, b"")):
        packet = packet_of(Opt(options=(subnet(family, source, octets),)).wire())
        for end in range(BEGIN, len(packet)):
            assert agreed(packet[:end])[0] == 1
        assert agreed(packet + b"\0")[0] == 1
        assert agreed(packet, 2)[0] == 1


@examples(100)
@given(st.data())
def test_any_record(data: st.DataObject) -> None:
    """The first octets as the tables know them, then anything."""
    family, source, octets = data.draw(st.sampled_from(SUBNETS))
    options = data.draw(st.sampled_from([(subnet(family, source, octets),), (COOKIE,), (), (NSID, COOKIE)]))
    wire = bytearray(Opt(size=data.draw(st.sampled_from(SIZES)), options=options).wire())
    for _ in range(data.draw(st.integers(0, 2))):
        wire[data.draw(st.integers(0, len(wire) - 1))] = data.draw(
            st.sampled_from((0, 1, 2, 8, 11, 32, 41, 128, 255))
        )
    rest = data.draw(st.sampled_from((b"", b"\0", TSIG)))
    agreed(packet_of(bytes(wire) + rest), data.draw(st.sampled_from((1, 2))))


# What answers say


def both(opt: bytes) -> tuple[dns.message.Message, list[tuple[int, bytes]]]:
    """An answer with that OPT record, as dnspython reads it, and its options as dnslib does."""
    wire = b"\x42\x17" + pack("!HHHHH", 0x8500, 1, 0, 0, 1) + QUESTION + opt
    message, other = dns.message.from_wire(wire), dnslib.DNSRecord.parse(wire)
    (record,) = other.ar
    options = [(option.code, bytes(option.data)) for option in record.rdata]
    assert [(option.otype, option.to_wire()) for option in message.options] == options
    assert (record.edns_len, bool(record.edns_do)) == (message.payload, bool(message.ednsflags & 0x8000))
    return message, options


def opt_with(family: int, source: int, octets: bytes, *, do: bool = False) -> bytes:
    return read_edns(packet_of(Opt(flags=do << 15, options=(subnet(family, source, octets),)).wire()), BEGIN, 1)[1]


@pytest.mark.parametrize("do", [False, True])
def test_a_scope(do: bool) -> None:
    for family, source, octets in sources():
        for scope in (0, 1, 24, 32) if family == 1 else (0, 1, 36, 128):
            message, _ = both(with_scope(opt_with(family, source, octets, do=do), scope))
            (option,) = message.options
            assert isinstance(option, dns.edns.ECSOption)
            width = 4 if family == 1 else 16
            address = str(ip_address(octets.ljust(width, b"\0")))
            assert (option.address, option.srclen, option.scopelen) == (address, source, scope)
            assert (message.payload, bool(message.ednsflags & 0x8000)) == (4096, do)


@pytest.mark.parametrize("do", [False, True])
@pytest.mark.parametrize("text", [b"", b"x", b"all members unhealthy, all considered healthy", b"x" * 300])
def test_an_extended_error(text: bytes, do: bool) -> None:
    for before in (compose_opt(do=do), with_scope(opt_with(1, 20, b"\1\2\x30", do=do), 24)):
        message, options = both(with_extended_error(before, 4, text))
        error = message.options[-1]
        assert isinstance(error, dns.edns.EDEOption)
        assert (error.code, error.text or "") == (4, text.decode())
        assert options[-1] == (15, b"\0\4" + text)
        assert options[:-1] == both(before)[1], "what was there is there still"
        assert (message.payload, bool(message.ednsflags & 0x8000)) == (4096, do)


def test_two_extended_errors() -> None:
    """RFC 8914 2: there may be several."""
    message, _ = both(with_extended_error(with_extended_error(compose_opt(), 0, b"one"), 3, b"two"))
    codes = [(option.code, option.text) for option in message.options if isinstance(option, dns.edns.EDEOption)]
    assert codes == [(0, "one"), (3, "two")]


@pytest.mark.parametrize("do", [False, True])
def test_without_options(do: bool) -> None:
    for before in (compose_opt(do=do), opt_with(1, 0, b"", do=do), opt_with(2, 128, b"\xfe" * 16, do=do)):
        for opt in (before, with_extended_error(before, 0, b"why")):
            assert without_options(opt) == compose_opt(do=do)
            assert both(without_options(opt))[1] == []
