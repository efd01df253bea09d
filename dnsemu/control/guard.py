"""Who may call: changes from the loopback interface alone, and no page of another origin.

A browser lets any page send requests to 127.0.0.1. What such a request can not do is say another `Origin` than its
page's, so that is looked at; and a page may have its own name point to 127.0.0.1 (DNS rebinding), so a browser must
call by an address or as localhost.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from ipaddress import IPv6Address, ip_address

from dnsemu.model import Network


def may_change(client: str, allowed: Sequence[Network]) -> bool:
    """Whether `client`, an address, may change something: it is this machine, or in one of the `allowed` blocks."""
    if not client:  # it has gone already
        return False
    address = ip_address(client.partition("%")[0])
    if isinstance(address, IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return address.is_loopback or any(address in block for block in allowed)


def is_foreign(headers: Mapping[str, str]) -> bool:
    """Whether a browser sends this for a page of another origin."""
    origin, host = headers.get("Origin"), headers.get("Host", "")
    if origin is not None and origin != f"http://{host}":
        return True
    site, mode = headers.get("Sec-Fetch-Site"), headers.get("Sec-Fetch-Mode")
    if site in ("cross-site", "same-site") and mode != "navigate":
        return True
    # Over plain HTTP a browser says nothing of that to names that are not localhost, not even with a page's own GET.
    is_browser = origin is not None or site is not None or headers.get("User-Agent", "").startswith("Mozilla/")
    return is_browser and not _is_literal(host)


def _is_literal(host: str) -> bool:
    """Whether a Host header names an address, or localhost: names that nobody else can give."""
    name = host[: host.rfind("]") + 1] if host.startswith("[") else host.partition(":")[0]
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        ip_address(name.strip("[]"))
    except ValueError:
        return False
    return True
