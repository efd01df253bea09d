"""Answering: `compile_authority` makes an `Authority` of a configuration, `respond` asks it, `explain` asks why."""

from dnsemu.authority.authority import Authority
from dnsemu.authority.compile import check_configuration, compile_authority
from dnsemu.authority.explain import Asked, Explanation, explain
from dnsemu.authority.locating import Sources
from dnsemu.authority.narrative import as_json, lines
from dnsemu.authority.respond import Response, Truncated, Unowned, respond

__all__ = [
    "Asked",
    "Authority",
    "Explanation",
    "Response",
    "Sources",
    "Truncated",
    "Unowned",
    "as_json",
    "check_configuration",
    "compile_authority",
    "explain",
    "lines",
    "respond",
]
