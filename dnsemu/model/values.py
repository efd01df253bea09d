"""Record data: the value syntax of each type (behaviour 6.1, 6.2), from text to wire.

A type's *fields* say what a value consists of; each field checks its text by Route 53's rules and hands it on as
a master file would have it, and dnspython makes the wire form of the whole.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple

import dns.exception
import dns.ipv4
import dns.ipv6
import dns.name
import dns.rdata
import dns.rdataclass
import dns.rdatatype

from dnsemu.errors import TextError
from dnsemu.model.names import read_name
from dnsemu.model.types import Type

MAX_VALUE = 4000  # characters of a value (API RData)
MAX_STRING = 255  # octets of a character-string (RFC 1035 3.3)

_WORD = re.compile(r'\s*((?:[^\s"=]+=)?"(?:[^"\\]|\\.)*"|[^\s"]+)(?=\s|$)', re.DOTALL)
_ESCAPE = re.compile(r'\\(?:([0-3][0-7]{2})|(["\\])|.?)', re.DOTALL)
_SVC_KEYS = ("alpn", "no-default-alpn", "port", "ipv4hint", "ech", "ipv6hint", "dohpath", "ohttp")


def read_value(rdtype: Type, text: str) -> bytes:
    """The record data of one value of a record set, in wire form.

    Names in it are fully qualified with or without a trailing dot, and lower-case (5.2.6). Raises TextError.
    """
    if len(text) > MAX_VALUE:
        raise TextError("value-too-long", f"the value has {len(text)} characters, and may have {MAX_VALUE}")
    if rdtype is Type.A:
        return _address(text, dns.ipv4.inet_aton, "IPv4", "A")
    if rdtype is Type.AAAA:
        return _address(text, dns.ipv6.inet_aton, "IPv6", "AAAA")
    if rdtype in (Type.TXT, Type.SPF):
        return b"".join(bytes((len(string),)) + string for string in _strings(text, rdtype))
    return _by_fields(rdtype, text)


def show_value(rdtype: Type, rdata: bytes) -> str:
    """Record data as dig prints it."""
    return str(dns.rdata.from_wire(dns.rdataclass.IN, dns.rdatatype.RdataType(rdtype), rdata, 0, len(rdata)))


class Field(NamedTuple):
    """One word of a value: what it is called, and how its text is read (→ master file text)."""

    name: str
    read: Callable[[str], str]


def _number(text: str, most: int, least: int = 0, without: tuple[int, ...] = ()) -> str:
    if not (text.isascii() and text.isdigit()) or len(text) > 10 or not least <= int(text) <= most:
        raise TextError("value-number", f"must be a whole number from {least} to {most}, not '{text}'")
    if int(text) in without:
        raise TextError("value-number", f"{int(text)} is not assigned")
    return str(int(text))


def _name(text: str) -> str:
    """Decimal escapes instead of octal ones, for dnspython."""
    wire = read_name(text)
    return dns.name.from_wire(wire, 0)[0].to_text()


def _name_or_root(text: str) -> str:
    return text if text == "." else _name(text)


def _hexadecimal(text: str) -> str:
    if not re.fullmatch(r"([0-9A-Fa-f]{2})+", text):
        raise TextError("value-hexadecimal", f"must be pairs of hexadecimal digits, not '{text}'")
    return text


def _quoted(text: str) -> str:
    if not text.startswith('"'):
        raise TextError("value-quotes", "Value should be enclosed in quotation marks", f'write "{text}"')
    return _decimal(_unescape(text[1:-1]))


def _tag(text: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9]{1,255}", text):
        raise TextError("value-syntax", f"must be letters and digits, not '{text}'")
    return text


def _flags(text: str) -> str:
    if text.upper() not in ('""', '"A"', '"P"', '"S"', '"U"'):
        raise TextError("value-syntax", f'must be "A", "P", "S", "U" or "", not \'{text}\'')
    return text


_U8, _U16, _U32 = (partial(_number, most=(1 << bits) - 1) for bits in (8, 16, 32))

_FIELDS: dict[Type, Sequence[Field]] = {
    Type.NS: [Field("name server", _name)],
    Type.CNAME: [Field("target", _name)],
    Type.PTR: [Field("target", _name)],
    Type.MX: [Field("preference", _U16), Field("host", _name_or_root)],
    Type.SRV: [
        Field("priority", _U16),
        Field("weight", _U16),
        Field("port", _U16),
        Field("target", _name_or_root),
    ],
    Type.SOA: [
        Field("primary name server", _name),
        Field("mailbox", _name),
        *(Field(name, _U32) for name in ("serial", "refresh", "retry", "expire", "minimum")),
    ],
    Type.CAA: [Field("flags", _U8), Field("tag", _tag), Field("value", _quoted)],
    Type.DS: [
        Field("key tag", _U16),
        Field("algorithm", _U8),
        Field("digest type", _U8),
        Field("digest", _hexadecimal),
    ],
    Type.SSHFP: [
        Field("algorithm", partial(_number, least=1, most=6, without=(5,))),
        Field("hash", partial(_number, least=1, most=2)),
        Field("fingerprint", _hexadecimal),
    ],
    Type.TLSA: [
        Field("usage", partial(_number, most=3)),
        Field("selector", partial(_number, most=1)),
        Field("matching type", partial(_number, most=2)),
        Field("data", _hexadecimal),
    ],
    Type.NAPTR: [
        Field("order", _U16),
        Field("preference", _U16),
        Field("flags", _flags),
        Field("service", _quoted),
        Field("regexp", _quoted),
        Field("replacement", _name_or_root),
    ],
    Type.SVCB: [Field("priority", partial(_number, most=32767)), Field("target", _name_or_root)],
    Type.HTTPS: [Field("priority", partial(_number, most=32767)), Field("target", _name_or_root)],
}


def _by_fields(rdtype: Type, text: str) -> bytes:
    fields, words = _FIELDS[rdtype], _words(text)
    parameters: list[str] = []
    if rdtype in (Type.SVCB, Type.HTTPS):
        words, parameters = words[:2], [_parameter(word) for word in words[2:]]
    elif rdtype in (Type.DS, Type.SSHFP, Type.TLSA):  # the digits may stand in groups
        words[len(fields) - 1 :] = ["".join(words[len(fields) - 1 :])] if len(words) >= len(fields) else []
    if len(words) != len(fields):
        raise _wrong_count(rdtype, fields, len(words))
    read = [_read_field(rdtype, field, word) for field, word in zip(fields, words, strict=True)]
    if rdtype is Type.NAPTR and (read[4] != '""') == (read[5] != "."):
        raise TextError(
            "value-syntax",
            "a NAPTR value has either a regexp or a replacement",
            'write "." as replacement beside a regexp, or "" as regexp',
        )
    return _to_wire(rdtype, " ".join(read + _checked_parameters(parameters)))


def _read_field(rdtype: Type, field: Field, word: str) -> str:
    try:
        return field.read(word)
    except TextError as error:
        raise TextError(error.code, f"{rdtype.name} {field.name}: {error.message}", error.hint) from None


def _to_wire(rdtype: Type, text: str) -> bytes:
    try:
        rdata = dns.rdata.from_text(dns.rdataclass.IN, dns.rdatatype.RdataType(rdtype), text)
        return rdata.to_wire() or b""
    except (dns.exception.DNSException, ValueError) as error:
        raise TextError("value-syntax", f"not {_a(rdtype)} value: {error}") from None


def _a(rdtype: Type) -> str:
    spelled_out = rdtype in (Type.HTTPS, Type.MX, Type.NS, Type.SRV, Type.SSHFP, Type.SVCB, Type.SPF)
    return f"{'an' if spelled_out or rdtype in (Type.A, Type.AAAA) else 'a'} {rdtype.name}"


def _wrong_count(rdtype: Type, fields: Sequence[Field], count: int) -> TextError:
    shape = " ".join(f"<{field.name}>" for field in fields)
    needed = f"{len(fields)} word{'s' if len(fields) != 1 else ''}"
    return TextError("value-syntax", f"{_a(rdtype)} value has {needed}, and this has {count}", f"write {shape}")


def _words(text: str) -> list[str]:
    """Words separated by white space; one in quotation marks may hold white space."""
    words, at, text = [], 0, text.strip()
    while at < len(text):
        found = _WORD.match(text, at)
        if not found:
            raise TextError("value-quotes", f"quotation marks do not match in {text[at:].strip()[:60]}")
        words.append(found[1])
        at = found.end()
    return words


def _strings(text: str, rdtype: Type) -> list[bytes]:
    """The character-strings of a TXT or SPF value."""
    strings = []
    for word in _words(text) or [""]:
        if not word.startswith('"'):
            raise TextError(
                "value-quotes",
                f"{rdtype.name}: Value should be enclosed in quotation marks",
                f"in YAML, put single quotes around: '{_with_quotes(text)}'",
            )
        string = _unescape(word[1:-1])
        if len(string) > MAX_STRING:
            raise TextError(
                "value-string-too-long",
                f"a string of {rdtype.name} has {len(string)} octets, and may have {MAX_STRING}",
                'split it: "part one" "part two" is read as one text',
            )
        strings.append(string)
    return strings


def _with_quotes(text: str) -> str:
    """The value that was probably meant: one string, or the quotes that are missing."""
    if '"' not in text:
        return f'"{text}"'
    return " ".join(word if word.startswith('"') else f'"{word}"' for word in _words(text))


def _unescape(text: str) -> bytes:
    r"""`\"`, `\\` and octal `\ooo` of a quoted string (6.2)."""
    octets, at = bytearray(), 0
    for found in _ESCAPE.finditer(text):
        octets += _printable(text[at : found.start()])
        if not (found[1] or found[2]):
            raise TextError(
                "value-escape",
                f"'{found[0]}' is no escape",
                r"write \\ for a backslash, \" for a quote, or three octal digits",
            )
        octets.append(int(found[1], 8) if found[1] else ord(found[2]))
        at = found.end()
    return bytes(octets + _printable(text[at:]))


def _printable(text: str) -> bytes:
    for character in text:
        if not " " <= character <= "~":
            escaped = "".join(f"\\{octet:03o}" for octet in character.encode())
            raise TextError("value-character", f"{character!r} is not printable ASCII", f"write {escaped}")
    return text.encode()


def _decimal(octets: bytes) -> str:
    """A quoted string of a master file: decimal escapes (RFC 1035 5.1)."""
    plain = (chr(octet) if 32 <= octet < 127 and octet not in b'"\\' else f"\\{octet:03d}" for octet in octets)
    return f'"{"".join(plain)}"'


def _parameter(word: str) -> str:
    key = word.partition("=")[0]
    if key not in _SVC_KEYS:
        raise TextError(
            "value-parameter",
            f"'{key}' is no parameter that Route 53 takes",
            f"one of {', '.join(_SVC_KEYS)}",
        )
    return word


def _checked_parameters(parameters: list[str]) -> list[str]:
    keys = {word.partition("=")[0] for word in parameters}
    if "no-default-alpn" in keys and "alpn" not in keys:
        raise TextError("value-parameter", "no-default-alpn needs alpn beside it")
    return parameters


def _address(text: str, read: Callable[[str], bytes], family: str, rdtype: str) -> bytes:
    try:
        return read(text)
    except (dns.exception.DNSException, ValueError):
        raise TextError("value-address", f"{rdtype}: '{text}' is not a valid {family} address") from None
