"""The compiled whole: every name of every hosted zone, ready to be asked for."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from dnsemu.authority.reply import Node
from dnsemu.model import Options


@dataclass(frozen=True, slots=True)
class Authority:
    """What is served; immutable, and replaced as a whole.

    `names`: lower-case wire form → node; names that a zone cut or a more specific zone hides are not in it.
    `zones`: zone id → name in wire form.
    """

    names: Mapping[bytes, Node]
    zones: Mapping[str, bytes]
    options: Options


def find(names: Mapping[bytes, Node], name: bytes) -> Node | None:
    """The node that answers for a name not in `names`: what is beneath its closest encloser.

    None: the name is in no zone.
    """
    while name[0]:
        name = name[name[0] + 1 :]
        node = names.get(name)
        if node is not None:
            return node.beneath
    return None
