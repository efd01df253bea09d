"""The server as a process: how it starts, is asked by clients of two libraries, and ends."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
from pathlib import Path

import dns.message
import dns.query
import dns.rcode
import dns.resolver
import dnslib
import psutil
import pytest
from e2e.launch import PATIENCE, ROOT, ZONES, Launched, launched
from properties.decoders import decode

pytestmark = pytest.mark.e2e

LOAD = ROOT / "tests" / "e2e" / "load.py"


def test_one_number_for_udp_and_tcp(server: Launched) -> None:
    """TCP has another number, too, once HTTP is there, which comes after DNS."""
    open_here = {
        (one.type, one.laddr.port)
        for one in psutil.Process(server.process.pid).net_connections("inet")
        if one.type == socket.SOCK_DGRAM or one.status == psutil.CONN_LISTEN
    }
    assert {port for kind, port in open_here if kind == socket.SOCK_DGRAM} == {server.port}
    assert (socket.SOCK_STREAM, server.port) in open_here


def test_dnspython_resolves(server: Launched) -> None:
    resolver = dns.resolver.Resolver(configure=False)
    resolver.nameservers, resolver.port = ["127.0.0.1"], server.port
    resolver.lifetime = PATIENCE
    assert {one.to_text() for one in resolver.resolve("www.example.com", "A")} == {"192.0.2.10", "192.0.2.11"}
    assert str(resolver.resolve("www.example.com", "A").canonical_name) == "example.com."
    with pytest.raises(dns.resolver.NXDOMAIN):
        resolver.resolve("nothing.example.com", "A")
    with pytest.raises(dns.resolver.NoAnswer):
        resolver.resolve("api.example.com", "AAAA")
    assert resolver.resolve_address("192.0.2.10")[0].to_text() == "lb.example.com."


@pytest.mark.parametrize("tcp", [False, True])
def test_dnslib_asks(server: Launched, *, tcp: bool) -> None:
    question = dnslib.DNSRecord.question("mail.example.com", "A")
    wire = question.send("127.0.0.1", server.port, tcp=tcp, timeout=PATIENCE)
    reply = dnslib.DNSRecord.parse(wire)
    assert [str(one.rdata) for one in reply.rr] == ["192.0.2.25"]
    assert len(reply.auth) == 4
    decode(wire)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_within_a_second_of_a_signal(number: signal.Signals) -> None:
    with launched() as server:
        status, seconds = server.stop(number)
        assert (status, "Traceback" in server.log) == (0 if number is signal.SIGTERM else 130, False)
        assert seconds < 1


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_while_it_reads_what_takes_long(number: signal.Signals, tmp_path: Path) -> None:
    file = tmp_path / "zone.yaml"
    file.write_text("hosted_zones: [{name: t.test}]\n")
    with launched("--no-watch", "--http", "off", zones=tmp_path) as server:
        sets = "".join(f"{{name: h{at}, type: A, ttl: 60, records: [192.0.2.1]}}, " for at in range(60_000))
        file.write_text(f"hosted_zones: [{{name: t.test, record_sets: [{sets}]}}]\n")
        server.process.send_signal(signal.SIGHUP)
        status, seconds = server.stop(number)
        assert (status, "Traceback" in server.log) == (0 if number is signal.SIGTERM else 130, False)
        assert "stopping" in server.log
        assert seconds < 2  # reading takes some more


def test_it_ends_within_a_second_under_load_and_the_port_is_free() -> None:
    """The load comes from a process of its own, so that it does not hold up the clock here."""
    with launched() as server, subprocess.Popen([sys.executable, LOAD, str(server.port)]) as load:
        try:
            asked_over_both(server)
            status, seconds = server.stop()
        finally:
            load.kill()
        assert (status, "Traceback" in server.log) == (0, False)
        assert seconds < 1
        for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
            with socket.socket(socket.AF_INET, kind) as sock:
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                sock.bind(server.address)


def asked_over_both(server: Launched) -> None:
    question = dns.message.make_query("api.example.com", "A")
    assert dns.query.tcp(question, "127.0.0.1", PATIENCE, server.port).rcode() == dns.rcode.NOERROR
    for _ in range(50):  # a flood may crowd out some
        try:
            assert dns.query.udp(question, "127.0.0.1", 0.3, server.port).rcode() == dns.rcode.NOERROR
        except dns.exception.Timeout:
            continue
        return
    pytest.fail("no answer over UDP")


def test_a_taken_port_is_told_with_its_holder(server: Launched) -> None:
    argv = [sys.executable, "-m", "dnsemu", "serve", str(ZONES), "--listen", f"127.0.0.1:{server.port}"]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=PATIENCE, check=False)
    assert done.returncode == 5
    assert f"pid {server.process.pid}" in done.stderr
    assert "Traceback" not in done.stderr


def test_the_same_seed_gives_the_same_answers() -> None:
    orders = []
    for _ in range(2):
        with launched("--seed", "7") as server:
            question = dns.message.make_query("lb.example.com", "A", id=1)
            replies = [dns.query.udp(question, "127.0.0.1", PATIENCE, server.port) for _ in range(12)]
            orders.append([[one.to_text() for one in reply.answer[0]] for reply in replies])
    assert orders[0] == orders[1]
    assert len({tuple(order) for order in orders[0]}) == 2


def test_an_ipv6_listener(tmp_path: Path) -> None:
    try:
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
            sock.bind(("::1", 0))
    except OSError:
        pytest.skip("no IPv6 on the loopback interface")
    with launched(listen="[::1]:0") as server:
        question = dns.message.make_query("api.example.com", "A")
        for ask in (dns.query.udp, dns.query.tcp):
            assert ask(question, "::1", PATIENCE, server.port).answer
