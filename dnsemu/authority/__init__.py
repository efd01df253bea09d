"""Answering: `compile_authority` makes an `Authority` of a configuration, `respond` asks it, `explain` asks why."""

from dnsemu.authority.asking import Asked, asked_by
from dnsemu.authority.authority import Authority
from dnsemu.authority.compile import check_configuration, compile_authority
from dnsemu.authority.explain import Explanation, Resolved, explain, resolve
from dnsemu.authority.inventory import GroupKey, Routed, health_of, parts_of, routed_of, zones_of
from dnsemu.authority.locating import Sources
from dnsemu.authority.narrative import as_json, lines
from dnsemu.authority.respond import Response, Truncated, Unowned, respond

__all__ = [
    "Asked",
    "Authority",
    "Explanation",
    "GroupKey",
    "Resolved",
    "Response",
    "Routed",
    "Sources",
    "Truncated",
    "Unowned",
    "as_json",
    "asked_by",
    "check_configuration",
    "compile_authority",
    "explain",
    "health_of",
    "lines",
    "parts_of",
    "resolve",
    "respond",
    "routed_of",
    "zones_of",
]
