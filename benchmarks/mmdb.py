"""A minimal writer for databases of addresses: MaxMind DB 2.0 (maxmind.github.io/MaxMind-DB), IPv4 /24 prefixes only.

The tree has 120 levels, as that of a database for both families has below ::/96, where IPv4 is.
"""

import struct
import sys
from array import array
from collections.abc import Mapping, Sequence
from pathlib import Path

Value = str | float | int | Mapping[str, "Value"] | Sequence["Value"]

_BITS = 96 + 24
_STRING, _DOUBLE, _UINT16, _UINT32, _MAP, _UINT64, _ARRAY = 2, 3, 5, 6, 7, 9, 11
_MARKER = b"\xab\xcd\xefMaxMind.com"
_SEPARATOR = bytes(16)


def write_database(file: Path, prefixes: Sequence[int], records: Sequence[int], values: Sequence[Value]) -> None:
    """`prefixes`: /24s as integers of 24 bits, sorted; `records`: the number of each one's value in `values`."""
    offsets, octets = [], bytearray()
    for value in values:
        offsets.append(len(octets))
        octets += _encoded(value)
    levels = _levels(prefixes)
    nodes = sum(map(len, levels[:-1]))
    tree = _tree(levels, [nodes + len(_SEPARATOR) + offsets[record] for record in records])
    file.write_bytes(b"".join([tree, _SEPARATOR, octets, _MARKER, _metadata(nodes)]))


def _levels(prefixes: Sequence[int]) -> list[list[int]]:
    """For each depth, from the root down, the first bits of all prefixes: a node for each but the last ones."""
    levels = [list(prefixes)]
    while len(levels) <= _BITS:
        levels.append(list(dict.fromkeys([prefix >> 1 for prefix in levels[-1]])))
    return levels[::-1]


def _sizes(levels: Sequence[Sequence[int]]) -> list[list[int]]:
    """For each node, level by level, the number of nodes that begin there: itself and all below."""
    sizes = [[1] * len(levels[-2])]
    for parents, children in zip(levels[-3::-1], levels[-2::-1], strict=False):
        counts = dict.fromkeys(parents, 1)
        for child, size in zip(children, sizes[-1], strict=True):
            counts[child >> 1] += size
        sizes.append(list(counts.values()))
    return sizes[::-1]


def _tree(levels: Sequence[Sequence[int]], leaves: Sequence[int]) -> bytes:
    """Two records of 32 bits for each node; the number of nodes stands for "nothing here".

    A node stands before all that are below it, as in MaxMind's own: what is near is near in the file too.
    """
    sizes = _sizes(levels)
    nodes = sizes[0][0]
    records = array("I", [nodes]) * (2 * nodes)
    numbers = {0: 0}
    for children, below in zip(levels[1:-1], sizes[1:], strict=True):
        numbers = _numbered(children, below, numbers, records)
    for prefix, leaf in zip(levels[-1], leaves, strict=True):
        records[2 * numbers[prefix >> 1] + (prefix & 1)] = leaf
    if sys.byteorder == "little":
        records.byteswap()
    return records.tobytes()


def _numbered(
    children: Sequence[int], sizes: Sequence[int], parents: Mapping[int, int], records: "array[int]"
) -> dict[int, int]:
    """The numbers of a level's nodes, which go into the records of their parents."""
    numbers: dict[int, int] = {}
    following = 0
    for child, size in zip(children, sizes, strict=True):
        parent = parents[child >> 1]
        number = following if child ^ 1 in numbers else parent + 1
        numbers[child] = records[2 * parent + (child & 1)] = number
        following = number + size
    return numbers


def _metadata(nodes: int) -> bytes:
    """A map whose whole numbers have each the type that the format wants there."""
    values = {
        "binary_format_major_version": _whole(2, _UINT16),
        "binary_format_minor_version": _whole(0, _UINT16),
        "build_epoch": _whole(1_795_132_800, _UINT64),
        "database_type": _encoded("Benchmark-City"),
        "description": _encoded({"en": "made up for a benchmark"}),
        "ip_version": _whole(6, _UINT16),
        "languages": _encoded(["en"]),
        "node_count": _whole(nodes, _UINT32),
        "record_size": _whole(32, _UINT16),
    }
    return _control(_MAP, len(values)) + b"".join([_encoded(key) + value for key, value in values.items()])


def _encoded(value: Value) -> bytes:
    """A value of the data section: a control octet or more, and the value itself."""
    if isinstance(value, str):
        text = value.encode()
        return _control(_STRING, len(text)) + text
    if isinstance(value, float):
        return _control(_DOUBLE, 8) + struct.pack("!d", value)
    if isinstance(value, int):
        return _whole(value, _UINT32)
    if isinstance(value, Mapping):
        pairs = [_encoded(part) for pair in value.items() for part in pair]
        return _control(_MAP, len(value)) + b"".join(pairs)
    return _control(_ARRAY, len(value)) + b"".join([_encoded(part) for part in value])


def _whole(value: int, kind: int) -> bytes:
    octets = value.to_bytes((value.bit_length() + 7) // 8, "big")
    return _control(kind, len(octets)) + octets


def _control(kind: int, size: int) -> bytes:
    """Type and size; types above 7 stand in an octet of their own."""
    low, more = (size, b"") if size < 29 else (29, bytes([size - 29]))
    if size >= 29 + 256:
        raise ValueError("longer than a benchmark needs")
    return bytes([kind << 5 | low]) + more if kind <= 7 else bytes([low, kind - 7]) + more
