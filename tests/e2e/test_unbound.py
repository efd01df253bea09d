"""Unbound, with this server as its stub zone: letter case randomised, client subnets sent, names minimised."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import pytest
from e2e.launch import PATIENCE, launched, need

pytestmark = pytest.mark.e2e

LONG = " ".join(f'"{number:03d}{"x" * 240}"' for number in range(12))
ZONE = f"""
version: 1
hosted_zones:
  - name: example.com
    record_sets:
      - {{name: "", type: A, alias: {{name: lb}}}}
      - {{name: lb, type: A, ttl: 60, records: [192.0.2.10, 192.0.2.11]}}
      - {{name: plain, type: A, ttl: 60, records: 192.0.2.1}}
      - {{name: one, type: CNAME, ttl: 60, records: two.example.com}}
      - {{name: two, type: CNAME, ttl: 60, records: three.deep.below.example.com}}
      - {{name: three.deep.below, type: A, ttl: 60, records: 192.0.2.3}}
      - {{name: to-apex, type: CNAME, ttl: 60, records: example.com}}
      - {{name: "*.wild", type: A, ttl: 60, records: 192.0.2.4}}
      - {{name: long, type: TXT, ttl: 60, records: '{LONG}'}}
      - {{name: mail, type: MX, ttl: 60, records: [10 lb.example.com, 20 plain.example.com]}}
"""
# Everything else goes to the same server too, which refuses it: no packet leaves the machine.
CONFIG = """
server:
  interface: 127.0.0.1@{port}
  outgoing-interface: 127.0.0.1
  access-control: 127.0.0.0/8 allow
  directory: "{folder}"
  logfile: "{folder}/log"
  username: ""
  chroot: ""
  pidfile: ""
  use-syslog: no
  do-daemonize: no
  do-ip6: no
  num-threads: 1
  verbosity: 4
  do-not-query-localhost: no
  use-caps-for-id: yes
  qname-minimisation: yes
  qname-minimisation-strict: yes
  module-config: "subnetcache iterator"
  send-client-subnet: 127.0.0.1
  client-subnet-always-forward: yes
  target-fetch-policy: "0 0 0 0 0"
  edns-buffer-size: 1232
stub-zone:
  name: "example.com"
  stub-addr: 127.0.0.1@{upstream}
stub-zone:
  name: "."
  stub-addr: 127.0.0.1@{upstream}
remote-control:
  control-enable: no
"""


class Resolver:
    """Unbound, to be asked."""

    def __init__(self, port: int, log: Path) -> None:
        self.port, self._log = port, log

    def ask(self, name: str, rdtype: str = "A", subnet: str | None = None) -> dns.message.Message:
        options = [dns.edns.ECSOption.from_text(subnet)] if subnet else []
        question = dns.message.make_query(name, rdtype, use_edns=0, payload=4096, options=options)
        return dns.query.udp_with_fallback(question, "127.0.0.1", PATIENCE, self.port)[0]

    def values(self, name: str, rdtype: str = "A") -> set[str]:
        """The values of that type in the answer, which must be a good one."""
        reply = self.ask(name, rdtype)
        assert reply.rcode() == dns.rcode.NOERROR, f"{reply}\n{self.log}"
        return {
            one.to_text()
            for rrset in reply.answer
            if rrset.rdtype == dns.rdatatype.from_text(rdtype)
            for one in rrset
        }

    @property
    def log(self) -> str:
        return self._log.read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def resolver(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Resolver]:
    program = need("unbound", "unbound")
    folder = tmp_path_factory.mktemp("unbound")
    (folder / "zone.yaml").write_text(ZONE, encoding="utf-8")
    with launched(zones=folder / "zone.yaml") as server, started(program, folder, server.port) as one:
        yield one


@contextmanager
def started(program: str, folder: Path, upstream: int) -> Iterator[Resolver]:
    """Unbound on a port that was free a moment ago."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.bind(("127.0.0.1", 0))
        port = sock.getsockname()[1]
    config = folder / "unbound.conf"
    config.write_text(CONFIG.format(port=port, upstream=upstream, folder=folder), encoding="utf-8")
    with subprocess.Popen([program, "-d", "-p", "-c", str(config)], stderr=subprocess.DEVNULL) as process:
        try:
            wait_for(port, process, folder / "log")
            yield Resolver(port, folder / "log")
        finally:
            process.terminate()


def wait_for(port: int, process: subprocess.Popen[bytes], log: Path) -> None:
    """Return when it answers anything."""
    deadline = time.monotonic() + PATIENCE
    question = dns.message.make_query("version.bind", "TXT", "CH")
    while process.poll() is None and time.monotonic() < deadline:
        try:
            dns.query.udp(question, "127.0.0.1", 0.2, port)
        except (dns.exception.Timeout, OSError):
            time.sleep(0.02)
            continue
        return
    pytest.fail(f"unbound does not run:\n{log.read_text(encoding='utf-8') if log.exists() else ''}")


@pytest.mark.parametrize(
    ("name", "values"),
    [
        ("plain.example.com", {"192.0.2.1"}),
        ("PLAIN.Example.com", {"192.0.2.1"}),
        ("example.com", {"192.0.2.10", "192.0.2.11"}),
        ("one.example.com", {"192.0.2.3"}),
        ("to-apex.example.com", {"192.0.2.10", "192.0.2.11"}),
        ("a.wild.example.com", {"192.0.2.4"}),
        ("a.b.c.wild.example.com", {"192.0.2.4"}),
        ("three.deep.below.example.com", {"192.0.2.3"}),
    ],
)
def test_it_resolves(resolver: Resolver, name: str, values: set[str]) -> None:
    assert resolver.values(name) == values


def test_mail(resolver: Resolver) -> None:
    assert resolver.values("mail.example.com", "MX") == {"10 lb.example.com.", "20 plain.example.com."}


@pytest.mark.parametrize("name", ["gone.example.com", "a.b.gone.example.com", "x.three.deep.below.example.com"])
def test_a_name_that_is_not_there(resolver: Resolver, name: str) -> None:
    reply = resolver.ask(name)
    assert reply.rcode() == dns.rcode.NXDOMAIN
    assert [rrset.rdtype for rrset in reply.authority] == [dns.rdatatype.SOA]


@pytest.mark.parametrize("name", ["plain.example.com", "deep.below.example.com", "wild.example.com"])
def test_a_name_without_that_type(resolver: Resolver, name: str) -> None:
    reply = resolver.ask(name, "AAAA")
    assert (reply.rcode(), reply.answer) == (dns.rcode.NOERROR, [])


def test_a_large_answer_by_way_of_tcp(resolver: Resolver) -> None:
    assert resolver.values("long.example.com", "TXT") == {LONG}
    assert "initiate TCP query" in resolver.log


def test_with_a_client_subnet(resolver: Resolver) -> None:
    reply = resolver.ask("subnet.wild.example.com", subnet="192.0.2.0/24")
    assert reply.rcode() == dns.rcode.NOERROR
    assert reply.answer[0][0].to_text() == "192.0.2.4"
    (option,) = reply.options
    assert isinstance(option, dns.edns.ECSOption)
    assert (option.address, option.srclen, option.scopelen) == ("192.0.2.0", 24, 0)
    assert "answer has edns subnet 192.0.2.0/24 scope /0" in resolver.log


def test_a_foreign_name_fails_and_leaves_the_machine_in_peace(resolver: Resolver) -> None:
    assert resolver.ask("far.example").rcode() == dns.rcode.SERVFAIL


def test_letter_case_never_came_back_wrong(resolver: Resolver) -> None:
    """Unbound falls back and asks again, more slowly, when 0x20 fails."""
    resolver.values("case.wild.example.com")
    assert "qname perturbed to" in resolver.log
    assert "capsforid" not in resolver.log.lower()
