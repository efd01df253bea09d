"""Names as Route 53 spells them (behaviour 6.3): escapes, lengths, letter case, relative and absolute."""

from __future__ import annotations

from contextlib import suppress

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from dnsemu.errors import TextError
from dnsemu.model import read_name, read_record_name, show_name

L63 = "a" * 63
LONGEST = f"{L63}.{L63}.{L63}.{'a' * 61}"  # 255 octets in wire form
ZONE = read_name("example.com")


def _wire(*labels: bytes) -> bytes:
    return b"".join(bytes((len(label),)) + label for label in labels) + b"\0"


READ = [
    # text, labels
    ("example.com", [b"example", b"com"]),
    ("example.com.", [b"example", b"com"]),
    ("EXAMPLE.Com", [b"example", b"com"]),
    ("com", [b"com"]),
    ("10.in-addr.arpa", [b"10", b"in-addr", b"arpa"]),
    ("_sip._tcp.example.com", [b"_sip", b"_tcp", b"example", b"com"]),
    ("*.example.com", [b"*", b"example", b"com"]),
    (r"\052.example.com", [b"*", b"example", b"com"]),
    ("prod.*.example.com", [b"prod", b"*", b"example", b"com"]),
    ("*prod.example.com", [b"*prod", b"example", b"com"]),
    ("@.example.com", [b"@", b"example", b"com"]),
    (r"\100.example.com", [b"@", b"example", b"com"]),
    (r"a\056b.com", [b"a.b", b"com"]),
    (r"a\056", [b"a."]),
    (r"a\056.", [b"a."]),
    (r"\134.com", [b"\\", b"com"]),
    (r"a\040b.com", [b"a b", b"com"]),
    (r"\000\377.com", [b"\x00\xff", b"com"]),
    (r"\101bc.com", [b"abc", b"com"]),
    (r"1\0601.com", [b"101", b"com"]),
    ("!\"#$%&'()*+,-/:;<=>?@[]^_`{|}~.com", [b"!\"#$%&'()*+,-/:;<=>?@[]^_`{|}~", b"com"]),
    ("xn--bcher-kva.example", [b"xn--bcher-kva", b"example"]),
    ("-a-.com", [b"-a-", b"com"]),
    (f"{L63}.com", [L63.encode(), b"com"]),
    (r"\141" * 63, [L63.encode()]),
    (LONGEST, [L63.encode()] * 3 + [b"a" * 61]),
    (LONGEST + ".", [L63.encode()] * 3 + [b"a" * 61]),
]

REFUSED = [
    # text, code, a part of the hint
    ("", "name-empty", ""),
    (".", "name-empty", ""),
    ("..", "name-label-empty", "two dots"),
    ("a..b", "name-label-empty", "two dots"),
    (".a", "name-label-empty", ""),
    ("a..", "name-label-empty", ""),
    (f"{L63}a.com", "name-label-too-long", ""),
    (r"\141" * 64, "name-label-too-long", ""),
    (LONGEST + "a", "name-too-long", ""),
    ("a." * 127 + "ab", "name-too-long", ""),
    ("a b.com", "name-character", r"\040"),
    ("a\tb.com", "name-character", r"\011"),
    ("a\n", "name-character", r"\012"),
    ("a\x00b", "name-character", r"\000"),
    ("a\x7fb", "name-character", r"\177"),
    ("a\\b", "name-escape", r"\134"),
    ("a\\", "name-escape", ""),
    (r"a\.b", "name-escape", r"\056"),
    (r"a\\b", "name-escape", r"\134"),
    (r"a\05", "name-escape", ""),
    (r"a\400", "name-escape", ""),
    (r"a\288", "name-escape", ""),
    ("bücher.example", "name-not-ascii", "xn--bcher-kva.example"),
    ("例え.example", "name-not-ascii", "xn--r8jz45g.example"),
    ("a\u200bb", "name-not-ascii", "Punycode"),
    ("ü" * 64 + ".example", "name-not-ascii", "Punycode"),
    ("\u212aelvin.com", "name-not-ascii", ""),  # its lower case is an ASCII k
    ("\uff45xample.com", "name-not-ascii", ""),
]

RECORD_NAMES = [
    # text, full name
    ("", "example.com."),
    ("@", "example.com."),
    ("example.com", "example.com."),
    ("EXAMPLE.COM.", "example.com."),
    ("www", "www.example.com."),
    ("WWW", "www.example.com."),
    ("a.b", "a.b.example.com."),
    ("www.example.com", "www.example.com."),
    ("www.example.com.", "www.example.com."),
    ("example.com.example.com", "example.com.example.com."),
    ("www.example.org", "www.example.org.example.com."),
    ("notexample.com", "notexample.com.example.com."),
    ("com", "com.example.com."),
    ("*", "*.example.com."),
    (r"\052", "*.example.com."),
    ("*.a", "*.a.example.com."),
    (r"\100", r"\100.example.com."),
    (r"a\056example.com", r"a\056example.com.example.com."),
    ("10", "10.example.com."),
]

RECORD_NAMES_REFUSED = [
    ("www.example.org.", "name-outside-zone"),
    ("com.", "name-outside-zone"),
    ("notexample.com.", "name-outside-zone"),
    (r"a\056example.com.", "name-outside-zone"),
    (".", "name-empty"),
    ("a..b", "name-label-empty"),
    (f"{L63}.{L63}.{L63}.{'a' * 50}", "name-too-long"),
]

SHOWN = [
    # labels, text as the Route 53 API prints it; a * label alone as it is typed
    ([b"example", b"com"], "example.com."),
    ([b"_a-1", b"com"], "_a-1.com."),
    ([b"*", b"com"], "*.com."),
    ([b"a*", b"com"], r"a\052.com."),
    ([b"@", b"com"], r"\100.com."),
    ([b"a.b", b"com"], r"a\056b.com."),
    ([b" ", b"com"], r"\040.com."),
    ([b"\\", b"com"], r"\134.com."),
    ([b"\x00\xff"], r"\000\377."),
]


@pytest.mark.parametrize(("text", "labels"), READ)
def test_read(text: str, labels: list[bytes]) -> None:
    assert read_name(text) == _wire(*labels)


@pytest.mark.parametrize(
    ("text", "code", "hint"),
    REFUSED,
)
def test_refused(text: str, code: str, hint: str) -> None:
    with pytest.raises(TextError) as raised:
        read_name(text)
    assert raised.value.code == code
    assert hint in raised.value.hint


@pytest.mark.parametrize(("text", "full"), RECORD_NAMES)
def test_record_name(text: str, full: str) -> None:
    assert show_name(read_record_name(text, ZONE)) == full


@pytest.mark.parametrize(("text", "code"), RECORD_NAMES_REFUSED)
def test_record_name_refused(text: str, code: str) -> None:
    with pytest.raises(TextError) as raised:
        read_record_name(text, ZONE)
    assert raised.value.code == code


@pytest.mark.parametrize(("labels", "text"), SHOWN)
def test_shown(labels: list[bytes], text: str) -> None:
    assert show_name(_wire(*labels)) == text


def test_longest_record_name() -> None:
    relative = f"{L63}.{L63}.{L63}.{'a' * 49}"
    assert len(read_record_name(relative, ZONE)) == 255


@st.composite
def _names(draw: st.DrawFn) -> bytes:
    labels = draw(st.lists(st.binary(min_size=1, max_size=63), min_size=1, max_size=4))
    return _wire(*(bytes(label).lower() for label in labels))


@given(_names().filter(lambda name: len(name) <= 255))
@example(_wire(b"\xc0"))
@example(_wire(b"*"))
@example(_wire(b"a*", b"."))
def test_what_is_shown_is_read_as_the_same(name: bytes) -> None:
    assert read_name(show_name(name)) == name
    assert read_name(show_name(name).removesuffix(".")) == name


@given(st.text() | st.text(alphabet="ab.\\0128*@ é", max_size=40))
@example("\\")
@example("." * 300)
@example("\ud800")
def test_any_text_is_a_name_or_a_text_error(text: str) -> None:
    with suppress(TextError):
        name = read_record_name(text, ZONE)
        assert name.endswith(ZONE)
        assert len(name) <= 255
        assert name == name.lower()
