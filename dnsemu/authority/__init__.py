"""Answering: `compile_authority` makes an `Authority` of a configuration, `respond` asks it."""

from dnsemu.authority.authority import Authority
from dnsemu.authority.compile import check_configuration, compile_authority
from dnsemu.authority.locating import Sources
from dnsemu.authority.respond import Response, Unowned, respond

__all__ = ["Authority", "Response", "Sources", "Unowned", "check_configuration", "compile_authority", "respond"]
