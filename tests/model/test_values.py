"""The value syntax of the 17 types (behaviour 6.1, 6.2): texts that are read, and texts that are refused."""

from __future__ import annotations

from contextlib import suppress

import dns.rdata
import dns.rdataclass
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dnsemu.errors import TextError
from dnsemu.model import Type, read_value

SHA1 = "AB" * 20
SHA256 = "cd" * 32
ECH = "AEn+DQBFKwAgACABWIHUGj4u+PIggYXcR5JF0gYk3dCRioBW8uJq9H4mKAAIAAEAAQABAANAEnB1YmxpYy50bHMtZWNoLmRldgAA"
TAIL = "1 7200 900 1209600 86400"

READ = {
    # type: text, and what dnspython prints of the record data
    Type.A: [
        ("192.0.2.1", "192.0.2.1"),
        ("0.0.0.0", "0.0.0.0"),
        ("255.255.255.255", "255.255.255.255"),
    ],
    Type.AAAA: [
        ("2001:db8::1", "2001:db8::1"),
        ("2001:0DB8:0000:0:0:0:0:0001", "2001:db8::1"),
        ("::", "::"),
        ("::1", "::1"),
        ("1:2:3:4:5:6:7:8", "1:2:3:4:5:6:7:8"),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.1"),
    ],
    Type.CAA: [
        ('0 issue "ca.example.net"', '0 issue "ca.example.net"'),
        ('128 issuewild ";"', '128 issuewild ";"'),
        ('255 iodef "mailto:a@example.com"', '255 iodef "mailto:a@example.com"'),
        ('0 issue ""', '0 issue ""'),
        ('0 issue "ca.example.net; account=1"', '0 issue "ca.example.net; account=1"'),
        (r'0 issue "a\042b\"c\\d"', r'0 issue "a\"b\"c\\d"'),
    ],
    Type.CNAME: [
        ("www.example.net", "www.example.net."),
        ("WWW.Example.net.", "www.example.net."),
        ("www", "www."),
        (r"\052.example.net", "*.example.net."),
        (r"a\056b.example.net", r"a\.b.example.net."),
        (r"a\040b.example.net", r"a\032b.example.net."),
    ],
    Type.DS: [
        (f"12345 13 2 {SHA256}", f"12345 13 2 {SHA256}"),
        (f"0 8 1 {SHA1}", f"0 8 1 {SHA1.lower()}"),
        (f"65535 8 2 {SHA256[:32]} {SHA256[32:]}", f"65535 8 2 {SHA256}"),
    ],
    Type.HTTPS: [
        ("0 svc.example.net", "0 svc.example.net."),
        ("1 .", "1 ."),
        ("32767 .", "32767 ."),
        ('1 . alpn="h2,h3"', '1 . alpn="h2,h3"'),
        ("1 . alpn=h2,h3 port=8443", '1 . alpn="h2,h3" port="8443"'),
        ('1 . alpn="h3" no-default-alpn', '1 . alpn="h3" no-default-alpn'),
        ('1 . port=8443 alpn="h2"', '1 . alpn="h2" port="8443"'),
        ("1 . ipv4hint=192.0.2.1,192.0.2.2", '1 . ipv4hint="192.0.2.1,192.0.2.2"'),
        ("1 . ipv6hint=2001:db8::1", '1 . ipv6hint="2001:db8::1"'),
        (f"1 . ech={ECH}", f'1 . ech="{ECH}"'),
    ],
    Type.SVCB: [
        ("1 svc.example.net", "1 svc.example.net."),
        ('1 dns.example.net alpn="dot" port=853', '1 dns.example.net. alpn="dot" port="853"'),
        (
            '1 dns.example.net alpn=h2 dohpath="/dns-query{?dns}"',
            '1 dns.example.net. alpn="h2" dohpath="/dns-query{?dns}"',
        ),
        ("1 . ohttp", "1 . ohttp"),
    ],
    Type.MX: [
        ("10 mail.example.com", "10 mail.example.com."),
        ("0 .", "0 ."),
        ("65535  Mail.example.com.", "65535 mail.example.com."),
    ],
    Type.NAPTR: [
        ('100 10 "S" "SIP+D2U" "" _sip._udp.example.com', '100 10 "S" "SIP+D2U" "" _sip._udp.example.com.'),
        (
            r'100 10 "u" "E2U+sip" "!^.*$!sip:info@example.com!" .',
            r'100 10 "u" "E2U+sip" "!^.*$!sip:info@example.com!" .',
        ),
        ('0 65535 "" "" "" a.example.com', '0 65535 "" "" "" a.example.com.'),
    ],
    Type.NS: [("ns-1.awsdns-00.com", "ns-1.awsdns-00.com."), ("NS1.example.com.", "ns1.example.com.")],
    Type.PTR: [("host.example.com", "host.example.com.")],
    Type.SOA: [
        (
            f"ns-1.awsdns-00.com. awsdns-hostmaster.amazon.com. {TAIL}",
            f"ns-1.awsdns-00.com. awsdns-hostmaster.amazon.com. {TAIL}",
        ),
        (
            r"ns.example.com john\056doe.example.com 0 0 0 0 4294967295",
            r"ns.example.com. john\.doe.example.com. 0 0 0 0 4294967295",
        ),
    ],
    Type.SPF: [('"v=spf1 -all"', '"v=spf1 -all"')],
    Type.SRV: [
        ("10 5 5060 sip.example.com", "10 5 5060 sip.example.com."),
        ("0 0 0 .", "0 0 0 ."),
        ("65535 65535 65535 sip.example.com", "65535 65535 65535 sip.example.com."),
    ],
    Type.SSHFP: [
        (f"1 1 {SHA1}", f"1 1 {SHA1.lower()}"),
        (f"4 2 {SHA256}", f"4 2 {SHA256}"),
        (f"6 2 {SHA256[:10]} {SHA256[10:]}", f"6 2 {SHA256}"),
    ],
    Type.TLSA: [
        (f"3 1 1 {SHA256}", f"3 1 1 {SHA256}"),
        ("0 0 0 00ff", "0 0 0 00ff"),
    ],
    Type.TXT: [
        ('"hello"', '"hello"'),
        ('""', '""'),
        ('"one" "two"', '"one" "two"'),
        ('"one"  "two"', '"one" "two"'),
        ('"Case Is Kept"', '"Case Is Kept"'),
        (r'"a\"b"', r'"a\"b"'),
        (r'"a\\b"', r'"a\\b"'),
        (r'"\303\274"', r'"\195\188"'),
        (r'"\000"', r'"\000"'),
        (r'"\377"', r'"\255"'),
        (r'"\1012"', '"A2"'),
        ('"semi;colon = ok"', '"semi;colon = ok"'),
        (f'"{"x" * 255}"', f'"{"x" * 255}"'),
        (r'"' + r"\170" * 255 + '"', f'"{"x" * 255}"'),
        (" ".join(['"' + "x" * 255 + '"'] * 15), " ".join(['"' + "x" * 255 + '"'] * 15)),
    ],
}

WIRE = [
    # type, text, hex: written down without any library
    (Type.A, "192.0.2.1", "c0000201"),
    (Type.AAAA, "2001:db8::1", "20010db8000000000000000000000001"),
    (Type.CAA, '0 issue "a.b"', "00 05 6973737565 612e62"),
    (Type.CNAME, "A.b", "0161 0162 00"),
    (Type.DS, "256 8 1 " + "0f" * 20, "0100 08 01" + "0f" * 20),
    (Type.HTTPS, "1 . port=443", "0001 00 0003 0002 01bb"),
    (Type.MX, "10 a.b", "000a 0161 0162 00"),
    (Type.NAPTR, '1 2 "S" "" "" a', "0001 0002 0153 00 00 0161 00"),
    (Type.NS, "a", "0161 00"),
    (Type.PTR, "a", "0161 00"),
    (Type.SOA, "a b 1 2 3 4 5", "0161 00 0162 00 00000001 00000002 00000003 00000004 00000005"),
    (Type.SPF, '"a"', "0161"),
    (Type.SRV, "1 2 3 a", "0001 0002 0003 0161 00"),
    (Type.SSHFP, "1 1 " + "0f" * 20, "01 01" + "0f" * 20),
    (Type.SVCB, "0 a", "0000 0161 00"),
    (Type.TLSA, "3 1 0 00ff", "03 01 00 00ff"),
    (Type.TXT, '"a" "bc"', "0161 026263"),
    (Type.TXT, r'"\303\274"', "02 c3bc"),
    (Type.TXT, '""', "00"),
]

REFUSED = {
    # code: type, text
    "value-address": [
        (Type.A, ""),
        (Type.A, "192.0.2"),
        (Type.A, "192.0.2.256"),
        (Type.A, "192.0.2.01"),
        (Type.A, "192.0.2.1.2"),
        (Type.A, "3221225985"),
        (Type.A, "192.0.2.0/24"),
        (Type.A, "192.0.2.1, 192.0.2.2"),
        (Type.A, "١٩٢.0.2.1"),
        (Type.A, "::1"),
        (Type.AAAA, ""),
        (Type.AAAA, "192.0.2.1"),
        (Type.AAAA, "1:2"),
        (Type.AAAA, "1::2::3"),
        (Type.AAAA, "2001:db8::12345"),
        (Type.AAAA, "fe80::1%eth0"),
        (Type.AAAA, "[::1]"),
        (Type.AAAA, "1:2:3:4:5:6:7:8:9"),
    ],
    "value-number": [
        (Type.MX, "-1 a"),
        (Type.MX, "65536 a"),
        (Type.MX, "1.5 a"),
        (Type.MX, "ten a"),
        (Type.MX, "١ a"),
        (Type.SRV, "65536 0 0 a"),
        (Type.SRV, "0 65536 0 a"),
        (Type.SRV, "0 0 65536 a"),
        (Type.NAPTR, '65536 0 "" "" "" a'),
        (Type.NAPTR, '0 65536 "" "" "" a'),
        (Type.CAA, '256 issue "a"'),
        (Type.DS, f"65536 8 2 {SHA256}"),
        (Type.DS, f"1 256 2 {SHA256}"),
        (Type.DS, f"1 8 256 {SHA256}"),
        (Type.HTTPS, "32768 ."),
        (Type.SVCB, "65535 ."),
        (Type.SOA, "a b 4294967296 2 3 4 5"),
        (Type.SOA, "a b 1 2h 3 4 5"),
        (Type.SOA, "a b 1 2 3 4 99999999999999999999"),
        (Type.SSHFP, f"0 1 {SHA1}"),
        (Type.SSHFP, f"5 1 {SHA1}"),
        (Type.SSHFP, f"7 1 {SHA1}"),
        (Type.SSHFP, f"1 0 {SHA1}"),
        (Type.SSHFP, f"1 3 {SHA1}"),
        (Type.TLSA, f"4 0 0 {SHA1}"),
        (Type.TLSA, f"0 2 0 {SHA1}"),
        (Type.TLSA, f"0 0 3 {SHA1}"),
    ],
    "value-syntax": [
        (Type.CNAME, ""),
        (Type.CNAME, "a b"),
        (Type.NS, "a b"),
        (Type.MX, "a"),
        (Type.MX, "10 a b"),
        (Type.SRV, "0 0 a"),
        (Type.SOA, "a b 1 2 3 4"),
        (Type.CAA, '0 "a"'),
        (Type.CAA, '0 is-sue "a"'),
        (Type.CAA, '0 issue "a" "b"'),
        (Type.DS, "1 8 2"),
        (Type.DS, "1 8 2 00ff"),
        (Type.SSHFP, "1 1"),
        (Type.TLSA, "3 1 1"),
        (Type.HTTPS, "1"),
        (Type.HTTPS, "1 . port=65536"),
        (Type.HTTPS, "1 . ipv4hint=::1"),
        (Type.HTTPS, "1 . ipv6hint=192.0.2.1"),
        (Type.HTTPS, "1 . alpn=h2 alpn=h3"),
        (Type.NAPTR, '1 1 "X" "" "" a'),
        (Type.NAPTR, '1 1 "SA" "" "" a'),
        (Type.NAPTR, '1 1 U "" "" a'),
        (Type.NAPTR, '1 1 "U" "" "!a!b!" a'),
        (Type.NAPTR, '1 1 "U" "" "" .'),
    ],
    "value-quotes": [
        (Type.TXT, ""),
        (Type.TXT, "hello"),
        (Type.TXT, "'hello'"),
        (Type.TXT, '"a'),
        (Type.TXT, 'a"'),
        (Type.TXT, '"a" b'),
        (Type.TXT, r'"a\"'),
        (Type.SPF, "v=spf1 -all"),
        (Type.CAA, "0 issue ca.example.net"),
        (Type.CAA, '0 issue "ca.example.net'),
        (Type.NAPTR, '1 1 "S" SIP+D2U "" a'),
    ],
    "value-escape": [
        (Type.TXT, r'"\n"'),
        (Type.TXT, r'"\400"'),
        (Type.TXT, r'"\19"'),
        (Type.TXT, r'"\x41"'),
        (Type.CAA, r'0 issue "\9"'),
    ],
    "value-character": [
        (Type.TXT, '"grün"'),
        (Type.TXT, '"a\tb"'),
        (Type.TXT, '"a\nb"'),
        (Type.TXT, '"\x7f"'),
        (Type.CAA, '0 issue "ü"'),
    ],
    "value-hexadecimal": [
        (Type.DS, "1 8 2 abc"),
        (Type.DS, "1 8 2 xyz0"),
        (Type.SSHFP, "1 1 abc"),
        (Type.SSHFP, "1 1 0x00"),
        (Type.TLSA, "3 1 1 gg"),
    ],
    "value-parameter": [
        (Type.HTTPS, "1 . key1=h2"),
        (Type.HTTPS, "1 . key65333=a"),
        (Type.HTTPS, "1 . alpm=h2"),
        (Type.HTTPS, "1 . ALPN=h2"),
        (Type.HTTPS, "1 . no-default-alpn"),
        (Type.SVCB, "1 . port=1 no-default-alpn"),
    ],
    "value-string-too-long": [
        (Type.TXT, '"' + "x" * 256 + '"'),
        (Type.TXT, '"a" "' + r"\170" * 256 + '"'),
        (Type.SPF, '"' + "x" * 256 + '"'),
    ],
    "value-too-long": [
        (Type.TXT, " ".join(['"' + "x" * 255 + '"'] * 15 + ['"' + "x" * 129 + '"'])),
        (Type.A, "1" * 4001),
    ],
    "name-label-empty": [
        (Type.CNAME, "a..b"),
        (Type.MX, "10 .a"),
        (Type.SVCB, "1 a..b"),
        (Type.SOA, "a .b 1 2 3 4 5"),
    ],
    "name-label-too-long": [(Type.NS, "a" * 64), (Type.SRV, "0 0 0 " + "a" * 64)],
    "name-too-long": [(Type.PTR, "a." * 128), (Type.CNAME, ".".join(["a" * 63] * 4))],
    "name-not-ascii": [(Type.CNAME, "bücher.example"), (Type.MX, "10 bücher.example")],
    "name-escape": [(Type.CNAME, r"a\.b"), (Type.NS, r"\400")],
}


def _readings() -> list[tuple[Type, str, str]]:
    return [(rdtype, text, shown) for rdtype, rows in READ.items() for text, shown in rows]


def _printed(rdtype: Type, rdata: bytes) -> str:
    return str(dns.rdata.from_wire(dns.rdataclass.IN, int(rdtype), rdata, 0, len(rdata)))


def test_every_type_has_rows() -> None:
    assert set(READ) == set(Type)
    assert {rdtype for rdtype, _, _ in WIRE} == set(Type)
    assert {rdtype for rows in REFUSED.values() for rdtype, _ in rows} == set(Type)
    assert len(Type) == 17


@pytest.mark.parametrize(("rdtype", "text", "shown"), _readings())
def test_read(rdtype: Type, text: str, shown: str) -> None:
    assert _printed(rdtype, read_value(rdtype, text)) == shown


@pytest.mark.parametrize(("rdtype", "text", "expected"), WIRE)
def test_wire(rdtype: Type, text: str, expected: str) -> None:
    assert read_value(rdtype, text) == bytes.fromhex(expected)


@pytest.mark.parametrize(
    ("code", "rdtype", "text"), [(code, rdtype, text) for code, rows in REFUSED.items() for rdtype, text in rows]
)
def test_refused(code: str, rdtype: Type, text: str) -> None:
    with pytest.raises(TextError) as raised:
        read_value(rdtype, text)
    assert raised.value.code == code
    assert "\n" not in raised.value.message


def test_a_value_of_4000_characters_is_read() -> None:
    text = " ".join(['"' + "x" * 255 + '"'] * 15 + ['"' + "x" * 128 + '"'])
    assert len(text) == 4000
    assert len(read_value(Type.TXT, text)) == 15 * 256 + 129


def test_the_name_in_a_message_says_which_part_is_wrong() -> None:
    with pytest.raises(TextError, match=r"^SRV port: "):
        read_value(Type.SRV, "1 2 x sip.example.com")


_TYPES = st.sampled_from(list(Type))


@given(_TYPES, st.text() | st.text(alphabet='0123456789 .:"\\ab=,', max_size=60))
@example(Type.HTTPS, "1 . =")
@example(Type.HTTPS, '1 . alpn=""')
@example(Type.HTTPS, "1 . alpn=")
@example(Type.HTTPS, "1 . alpn=,")
@example(Type.HTTPS, '1 . "alpn"')
@example(Type.SVCB, "1 . dohpath=")
@example(Type.SVCB, r"1 . alpn=\999")
@example(Type.DS, "1 1 1 ")
@example(Type.TXT, '"' * 3000)
@example(Type.TXT, "\ud800")
@example(Type.CNAME, "\ud800")
@example(Type.MX, "1" * 3999)
def test_any_text_is_a_value_or_a_text_error(rdtype: Type, text: str) -> None:
    with suppress(TextError):
        rdata = read_value(rdtype, text)
        assert _printed(rdtype, rdata)
        assert len(rdata) <= 65535


@given(st.lists(st.binary(max_size=255), min_size=1, max_size=3))
def test_octal_escapes_carry_any_octet(strings: list[bytes]) -> None:
    text = " ".join('"' + "".join(f"\\{octet:03o}" for octet in string) + '"' for string in strings)
    if len(text) <= 4000:
        assert read_value(Type.TXT, text) == b"".join(bytes((len(string),)) + string for string in strings)
