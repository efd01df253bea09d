"""The parts of a file that this version validates and does not answer with: alias targets, forwarding, rules."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address

from dnsemu.config import schema
from dnsemu.config.tree import At, fault_at
from dnsemu.errors import Fault, TextError
from dnsemu.model import HealthCheck, Type, read_name, read_value


def check_alias_targets(file: schema.Dnsemu, at: At, checks: dict[str, HealthCheck]) -> Iterator[Fault]:
    """Names, addresses and health checks of `alias_targets`."""
    for index, target in enumerate(file.alias_targets):
        here = at.get("alias_targets", index)
        yield from _check_name(target.name, here.get("name"))
        for key, rdtype, texts in (("a", Type.A, target.a), ("aaaa", Type.AAAA, target.aaaa)):
            for number, text in enumerate(texts or ()):
                try:
                    read_value(rdtype, text)
                except TextError as error:
                    yield fault_at(here.get(key, number), error)
        if target.health_check_id is not None and target.health_check_id not in checks:
            message = f"A health check with id {target.health_check_id} does not exist"
            yield fault_at(here.get("health_check_id"), TextError("unknown-health-check", message))


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
