"""Names of endpoints → addresses: by the server's own zones first, then by the system (behaviour 3.3)."""

from __future__ import annotations

import asyncio
import socket
import threading
from collections.abc import Callable
from functools import cache
from typing import Any

import pytest

from dnsemu.app import load_text
from dnsemu.authority import Authority
from dnsemu.draws import Draws
from dnsemu.health import Resolver, Unresolved, resolve

ZONES = """
version: 1
hosted_zones:
  - name: a.test
    record_sets:
      - {name: v4, type: A, ttl: 60, records: 192.0.2.1}
      - {name: v6, type: AAAA, ttl: 60, records: "2001:db8::1"}
      - {name: one, type: CNAME, ttl: 60, records: two.a.test}
      - {name: two, type: CNAME, ttl: 60, records: v4.a.test}
      - {name: other, type: CNAME, ttl: 60, records: x.b.test}
      - {name: there, type: CNAME, ttl: 60, records: back.b.test}
      - {name: out, type: CNAME, ttl: 60, records: www.elsewhere.test}
      - {name: "*.wild", type: A, ttl: 60, records: 192.0.2.2}
      - {name: alias, type: A, alias: {name: v4}}
      - {name: sub, type: NS, ttl: 60, records: ns.elsewhere.test}
      - {name: split, type: A, ttl: 60, records: 192.0.2.4}
      - name: fo
        type: A
        ttl: 60
        members:
          - {set_identifier: p, failover_routing_policy: {type: PRIMARY}, health_check_id: down, records: 192.0.2.5}
          - {set_identifier: s, failover_routing_policy: {type: SECONDARY}, records: 192.0.2.6}
  - name: b.test
    record_sets:
      - {name: x, type: A, ttl: 60, records: 192.0.2.3}
      - {name: back, type: CNAME, ttl: 60, records: there.a.test}
  - name: a.test
    vpc: [{vpc_id: vpc-lab}]
    record_sets:
      - {name: split, type: A, ttl: 60, records: 10.0.0.1}
dnsemu:
  vpcs: [{vpc_id: vpc-lab, vpc_region: eu-west-1, cidr_blocks: [127.0.0.0/8]}]
health_checks:
  - {id: down, type: TCP, ip_address: 192.0.2.5, port: 80, dnsemu: {initial_status: unhealthy}}
"""


@cache
def authority() -> Authority:
    return load_text(ZONES).authority


@pytest.fixture
def resolver() -> Resolver:
    return Resolver(authority, Draws(1))


def by_the_system(monkeypatch: pytest.MonkeyPatch, answer: Callable[[str], str]) -> list[str]:
    """What the system is asked for."""
    asked: list[str] = []

    def getaddrinfo(name: str, port: None, family: int, kind: int) -> list[Any]:
        assert (port, family) == (None, socket.AF_INET)
        asked.append(name)
        return [(family, kind, 6, "", (answer(name), 0))]

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    return asked


def fails(_: str) -> str:
    raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("v4.a.test", "192.0.2.1"),
        ("V4.A.Test.", "192.0.2.1"),
        ("one.a.test", "192.0.2.1"),
        ("other.a.test", "192.0.2.3"),
        ("any.wild.a.test", "192.0.2.2"),
        ("alias.a.test", "192.0.2.1"),
        ("fo.a.test", "192.0.2.6"),
        ("split.a.test", "192.0.2.4"),  # checkers are outside of every VPC (2.5)
    ],
)
def test_names_of_its_own_zones(resolver: Resolver, name: str, address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = by_the_system(monkeypatch, fails)
    assert asyncio.run(resolver(name)) == address
    assert asked == []


@pytest.mark.parametrize(
    ("name", "why"),
    [
        ("none.a.test", "none.a.test. does not exist"),
        ("v6.a.test", "v6.a.test. has no A record"),  # IPv4 alone
        ("a.test", "a.test. has no A record"),
        ("there.a.test", "there.a.test leads on and on"),
        ("a..test", "has an empty label"),
        ("", ""),
    ],
)
def test_names_of_its_own_zones_that_have_no_address(
    resolver: Resolver, name: str, why: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = by_the_system(monkeypatch, fails)
    with pytest.raises(Unresolved) as error:
        asyncio.run(resolver(name))
    assert why in str(error.value)
    assert name == "" or asked == []


@pytest.mark.parametrize(
    ("name", "asked_for"),
    [
        ("www.elsewhere.test", "www.elsewhere.test"),
        ("localhost", "localhost"),  # of which /etc/hosts knows nothing with a dot behind it
        ("out.a.test", "www.elsewhere.test"),
        ("deep.sub.a.test", "deep.sub.a.test"),  # delegated
    ],
)
def test_the_system_is_asked_for_all_others(
    resolver: Resolver, name: str, asked_for: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = by_the_system(monkeypatch, lambda _: "198.51.100.1")
    assert asyncio.run(resolver(name)) == "198.51.100.1"
    assert asked == [asked_for]


def test_what_the_system_does_not_know(resolver: Resolver, monkeypatch: pytest.MonkeyPatch) -> None:
    by_the_system(monkeypatch, fails)
    with pytest.raises(Unresolved, match="Name or service not known"):
        asyncio.run(resolver("www.elsewhere.test"))


def test_one_look_up_a_name_at_a_time_and_a_new_one_later(
    resolver: Resolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    goes_on = threading.Event()

    def slow(_: str) -> str:
        goes_on.wait(20)
        return "198.51.100.1"

    asked = by_the_system(monkeypatch, slow)

    async def story() -> list[str]:
        both = [asyncio.create_task(resolver("www.elsewhere.test")) for _ in range(2)]
        await asyncio.sleep(0)
        assert await resolver("v4.a.test") == "192.0.2.1", "it holds nobody else up"
        goes_on.set()
        return [*await asyncio.gather(*both), await resolver("www.elsewhere.test")]

    assert asyncio.run(story()) == ["198.51.100.1"] * 3
    assert len(asked) == 2


def test_who_is_slow_is_not_waited_for(resolver: Resolver, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resolve, "TIMEOUT", 0.01)
    ended = threading.Event()
    by_the_system(monkeypatch, lambda _: str(ended.wait(20)))
    with pytest.raises(Unresolved, match=r"no answer for www\.elsewhere\.test within 0\.01 s"):
        asyncio.run(resolver("www.elsewhere.test"))
    ended.set()


def test_without_room_for_a_thread_it_is_tried_again_next_time(
    resolver: Resolver, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = by_the_system(monkeypatch, lambda _: "198.51.100.1")
    start = threading.Thread.start
    refusals = [RuntimeError("can't start new thread")]

    def full(self: threading.Thread) -> None:
        if refusals:
            raise refusals.pop()
        start(self)

    monkeypatch.setattr(threading.Thread, "start", full)
    with pytest.raises(Unresolved, match="can't start new thread"):
        asyncio.run(resolver("www.elsewhere.test"))
    assert asyncio.run(resolver("www.elsewhere.test")) == "198.51.100.1"
    assert len(asked) == 1


@pytest.mark.parametrize("name", ["localhost", "localhost.", "127.0.0.1"])
def test_names_that_every_system_knows(resolver: Resolver, name: str) -> None:
    assert asyncio.run(resolver(name)).startswith("127.")
