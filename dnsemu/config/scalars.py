"""From text to the type of a field: what YAML's own guesses would be (`NO`, `010`, `1:20`) is never asked."""

from __future__ import annotations

import re
from difflib import get_close_matches
from ipaddress import IPv4Network, IPv6Network, ip_address, ip_network
from typing import Annotated

from pydantic import BeforeValidator, Field, WithJsonSchema

from dnsemu.errors import TextError
from dnsemu.model import DURATION, Type, read_duration

_INTEGER = re.compile(r"0|-?[1-9][0-9]{0,999}")
_FASTEST_PROBES, _SLOWEST_PROBES = 100, 3_600_000  # milliseconds
_NUMBER = re.compile(r"[0-9]{1,6}(\.[0-9]{1,6})?")


def _text(value: object, needed: str) -> str:
    if isinstance(value, str):
        return value
    shape = "a list" if isinstance(value, list) else "a mapping"
    raise TextError("wrong-type", f"{needed} is needed here, not {shape}")


def _read_text(value: object) -> str:
    return _text(value, "a text")


def _read_integer(value: object) -> int:
    text = _text(value, "a whole number")
    if not _INTEGER.fullmatch(text):
        significant = text.lstrip("0")
        hint = f"write {significant}" if text != significant and _INTEGER.fullmatch(significant) else ""
        raise TextError("wrong-type", f"a whole number is needed here, not '{text}'", hint)
    return int(text)


def _read_latency(value: object) -> float:
    text = _text(value, "a number of milliseconds")
    if not _NUMBER.fullmatch(text):
        raise TextError("wrong-type", f"a number of milliseconds is needed here, not '{text}'", "write 25 or 12.5")
    return float(text)


def _read_boolean(value: object) -> bool:
    text = _text(value, "true or false")
    if text not in ("true", "false"):
        raise TextError("wrong-type", f"true or false is needed here, not '{text}'")
    return text == "true"


def _read_milliseconds(value: object) -> int:
    return read_duration(_text(value, "a time"))


def _read_probe_interval(value: object) -> int:
    milliseconds = _read_milliseconds(value)
    if not _FASTEST_PROBES <= milliseconds <= _SLOWEST_PROBES:
        raise TextError("out-of-range", "interval must be at least 100ms and at most 1h")
    return milliseconds


def _read_type(value: object) -> Type:
    text = _text(value, "a record type")
    try:
        return Type[text]
    except KeyError:
        known = [rdtype.name for rdtype in Type]
        close = get_close_matches(text.upper(), known, n=1)
        hint = f"did you mean {close[0]}?" if close else f"one of {', '.join(sorted(known))}"
        raise TextError("record-type", f"'{text}' is no record type that Route 53 serves", hint) from None


def _read_block(value: object) -> IPv4Network | IPv6Network:
    text = _text(value, "a CIDR block")
    try:
        block = ip_network(text)
        if isinstance(block, IPv6Network) and block.prefixlen >= 96 and block.network_address.ipv4_mapped:
            plain = ip_network((block.network_address.ipv4_mapped, block.prefixlen - 96))
            raise TextError(
                "cidr-block", f"{block} maps IPv4 addresses, and those are taken as such", f"write {plain}"
            )
        return block
    except TextError:
        raise
    except ValueError as error:
        try:
            hint = f"write {ip_network(text, strict=False)}"
        except ValueError:
            hint = "write 192.0.2.0/24 or 2001:db8::/32"
        raise TextError("cidr-block", f"not a CIDR block: {error}", hint) from None


def _read_address(value: object) -> str:
    text = _text(value, "an IP address")
    try:
        return str(ip_address(text))
    except ValueError:
        raise TextError("ip-address", f"'{text}' is not an IP address") from None


def _as_list(value: object) -> object:
    return [value] if isinstance(value, str) else value


def any_scalar(**limits: int) -> WithJsonSchema:
    """The schema of a text that looks like a number or a truth value to editors that follow YAML's own rules."""
    return WithJsonSchema({"type": ["string", "number", "boolean"], **limits})


WHOLE = BeforeValidator(_read_integer)
TEXT = BeforeValidator(_read_text)
Text = Annotated[str, TEXT, any_scalar()]
Boolean = Annotated[bool, BeforeValidator(_read_boolean)]
Latency = Annotated[float, Field(ge=0), BeforeValidator(_read_latency)]
Degrees = Annotated[str, BeforeValidator(_read_text), WithJsonSchema({"type": ["string", "number"]})]
ProbeInterval = Annotated[
    int,
    BeforeValidator(_read_probe_interval),
    WithJsonSchema({"type": "string", "pattern": f"^{DURATION}$"}),
]
RecordType = Annotated[
    Type,
    BeforeValidator(_read_type),
    WithJsonSchema({"type": "string", "enum": sorted(rdtype.name for rdtype in Type)}),
]
Block = Annotated[
    IPv4Network | IPv6Network,
    BeforeValidator(_read_block),
    WithJsonSchema({"type": "string", "format": "cidr"}),
]
Address = Annotated[str, BeforeValidator(_read_address)]
Texts = Annotated[
    list[Text],
    Field(min_length=1),
    BeforeValidator(_as_list),
    WithJsonSchema(
        {
            "anyOf": [
                {"type": ["string", "number", "boolean"]},
                {"type": "array", "items": {"type": ["string", "number", "boolean"]}, "minItems": 1},
            ]
        }
    ),
]
