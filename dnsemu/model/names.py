"""Domain names as Route 53 spells them (behaviour 6.3), to and from wire form.

Everything inside is lower-case wire form: Route 53 stores and compares names so.
"""

from __future__ import annotations

import re
from unicodedata import normalize

from dnsemu.errors import TextError
from dnsemu.wire import MAX_LABEL, MAX_NAME, is_below

ROOT = b"\0"
_PLAIN = frozenset(b"abcdefghijklmnopqrstuvwxyz0123456789-_")  # what Route 53 prints without an escape
_ALLOWED = _PLAIN | frozenset(b"!\"#$%&'()*+,/:;<=>?@[]^`{|}~")  # what may be typed without one
_USUAL = re.compile(r"[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})*")  # nothing in it to be said about
_USUAL_LABEL = re.compile(rb"[a-z0-9_-]+")
_PIECE = re.compile(r"\\([0-3][0-7]{2})|(\\)|([^\\.]+)|(\.)")


def read_name(text: str) -> bytes:
    """A fully qualified name, with or without its trailing dot, in wire form. Raises TextError."""
    if text in ("", "."):
        raise TextError("name-empty", "a domain name is missing here")
    text = text.removesuffix(".")
    usual = text.isascii() and _USUAL.fullmatch(text.lower())
    labels = text.lower().encode().split(b".") if usual else _read_labels(text)
    return _checked_length(b"".join([bytes((len(label),)) + label for label in labels]) + ROOT)


def read_record_name(text: str, zone: bytes) -> bytes:
    """The name of a record set of `zone`: relative, absolute with a trailing dot, or the full name without it.

    `""` and `"@"` are the apex. Raises TextError, also for a name outside the zone.
    """
    if text in ("", "@"):
        return zone
    name = read_name(text)
    if is_below(name, zone):
        return name
    if not text.endswith("."):
        return _checked_length(name[:-1] + zone)
    raise TextError(
        "name-outside-zone",
        f"RRSet with DNS name {show_name(name)} is not permitted in zone {show_name(zone)}",
        "leave the trailing dot out for a name relative to the zone",
    )


def show_name(name: bytes) -> str:
    """A name as the Route 53 API prints it: lower case, trailing dot, `\\ooo` for all but `a-z 0-9 - _`.

    A `*` label is printed as it is typed; the API's `\\052` says the same.
    """
    at, labels = 0, []
    while name[at]:
        label = name[at + 1 : at + 1 + name[at]]
        labels.append("*" if label == b"*" else _show_label(label))
        at += name[at] + 1
    return ".".join(labels) + "."


def _show_label(label: bytes) -> str:
    if _USUAL_LABEL.fullmatch(label):
        return label.decode()
    return "".join(chr(octet) if octet in _PLAIN else f"\\{octet:03o}" for octet in label)


def _checked_length(name: bytes) -> bytes:
    if len(name) > MAX_NAME:
        shown = show_name(name)
        raise TextError("name-too-long", f"'{shown[:40]}…' has {len(name)} octets, and a name may have {MAX_NAME}")
    return name


def _read_labels(text: str) -> list[bytes]:
    if not text.isascii():
        raise _not_ascii(text)
    labels, label = [], bytearray()
    for escape, backslash, literal, dot in _PIECE.findall(text.lower()):
        if escape:
            label += bytes((int(escape, 8),)).lower()
        elif backslash:
            raise TextError(
                "name-escape",
                f"a backslash in '{text}' is not followed by three octal digits up to 377",
                r"write \052 for *, \056 for a dot inside a label, \134 for a backslash",
            )
        elif dot:
            labels.append(_checked(bytes(label), text))
            label.clear()
        else:
            label += _checked_characters(literal, text)
    return [*labels, _checked(bytes(label), text)]


def _checked_characters(literal: str, text: str) -> bytes:
    octets = literal.encode()
    for octet in octets:
        if octet not in _ALLOWED:
            raise TextError(
                "name-character",
                f"the character {chr(octet)!r} in '{text}' must be escaped in a domain name",
                f"write \\{octet:03o}",
            )
    return octets


def _checked(label: bytes, text: str) -> bytes:
    if not label:
        raise TextError(
            "name-label-empty", f"'{text}' has an empty label", "two dots stand together, or one is first"
        )
    if len(label) > MAX_LABEL:
        raise TextError(
            "name-label-too-long",
            f"the label '{label.decode('latin-1')[:20]}…' has {len(label)} octets, and a label may have {MAX_LABEL}",
        )
    return label


def _not_ascii(text: str) -> TextError:
    labels = normalize("NFC", text.lower()).split(".")
    spelled = ".".join(label if label.isascii() else f"xn--{label.encode('punycode').decode()}" for label in labels)
    return TextError("name-not-ascii", f"'{text}' has characters beyond ASCII", f"write it in Punycode: {spelled}")
