"""Names as the API prints them, to names as people write them."""

from __future__ import annotations

import re

from dnsemu.errors import TextError
from dnsemu.model import ROOT, read_record_name, show_name

_ESCAPE = re.compile(r"\\([01][0-7]{2})")


def relative(name: bytes, zone: bytes) -> str:
    """The shortest spelling that is read as `name` in `zone`; both in wire form, `name` in the zone."""
    if name == zone:
        return ""
    shown = show_name(name[: -len(zone)] + ROOT).removesuffix(".")
    return next(text for text in (_plain(shown), shown, show_name(name)) if _is_read_as(text, name, zone))


def absolute(name: bytes) -> str:
    """A name in full, without its last dot."""
    return show_name(name).removesuffix(".")


def _plain(shown: str) -> str:
    r"""Without the escapes that only the API needs: `0/25` for `0\05725`."""
    return _ESCAPE.sub(lambda escape: _unescaped(escape[0], int(escape[1], 8)), shown)


def _unescaped(escape: str, octet: int) -> str:
    return chr(octet) if 32 < octet < 127 and chr(octet) not in ".\\" else escape


def _is_read_as(text: str, name: bytes, zone: bytes) -> bool:
    try:
        return read_record_name(text, zone) == name
    except TextError:
        return False
