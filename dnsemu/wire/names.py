"""Names in wire form (RFC 1035 3.1): labels with their length before them, the root's zero at the end."""

from __future__ import annotations

from dnsemu.errors import WireError
from dnsemu.wire.codes import Rcode

MAX_NAME = 255  # octets with lengths and root (RFC 1035 2.3.4)
MAX_LABEL = 63


def name_end(packet: bytes, at: int) -> int:
    """The offset behind the name that begins at `at`.

    Raises WireError (FORMERR) if the name leaves the packet, is too long, or holds a compression pointer or an
    unknown label type: a question's name has nothing before it to point to.
    """
    begin = at
    size = len(packet)
    while at < size:
        length = packet[at]
        if not length:
            if at - begin < MAX_NAME:
                return at + 1
            break
        if length > MAX_LABEL:
            break
        at += length + 1
    raise WireError(Rcode.FORMERR)


def parents(name: bytes) -> list[bytes]:
    """The name itself, its parent and so on to the root, each in wire form."""
    names = [name]
    while name[0]:
        name = name[name[0] + 1 :]
        names.append(name)
    return names


def is_below(name: bytes, ancestor: bytes) -> bool:
    """Whether `name` is `ancestor` or a descendant of it; both in lower-case wire form."""
    return name.endswith(ancestor) and ancestor in parents(name)
