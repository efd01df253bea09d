"""The parts of a file that this version validates and does not answer with: forwarding, resolver rules."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

from dnsemu.config import schema
from dnsemu.config.tree import At, fault_at
from dnsemu.errors import Fault, TextError
from dnsemu.model import read_name


def check_forward(file: schema.Dnsemu, at: At) -> Iterator[Fault]:
    """`off`, `system`, or addresses of name servers."""
    if file.forward in (None, ["off"], ["system"]):
        return
    for index, text in enumerate(file.forward or ()):
        try:
            ip_address(text)
        except ValueError:
            message = f"'{text}' is neither off nor system nor the address of a name server"
            yield fault_at(
                at.get("forward", index), TextError("forward-address", message, "write system, or [192.0.2.53]")
            )


def check_resolver_rules(file: schema.File, at: At) -> Iterator[Fault]:
    """Domain names of `resolver_rules`."""
    for index, rule in enumerate(file.resolver_rules):
        if rule.domain_name != ".":
            yield from _check_name(rule.domain_name, at.get("resolver_rules", index, "domain_name"))


def _check_name(text: str, at: At) -> Iterator[Fault]:
    try:
        read_name(text)
    except TextError as error:
        yield fault_at(at, error)
