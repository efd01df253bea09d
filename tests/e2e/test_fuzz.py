"""20,000 random and mutated packets and 500 broken streams against a server process."""

from __future__ import annotations

import random
import socket
import struct
import threading
from collections.abc import Iterator

import dns.edns
import dns.message
import dns.query
import dns.rcode
import pytest
from e2e.launch import PATIENCE, Launched, launched
from properties.decoders import advertised, decode
from properties.strategies import mutated

pytestmark = pytest.mark.e2e

PACKETS = 20_000
WINDOW = 50  # packets that are sent before their answers are awaited
STREAMS = 500
GROWTH = 8 << 20  # octets of memory; what is kept for each packet, if only 500 octets, would be above
LAST = dns.message.make_query("api.example.com", "A").to_wire()[2:]
SIZES = (0, 512, 600, 1232, 4096, 65535)


@pytest.fixture(scope="module")
def fuzzed() -> Iterator[Launched]:
    with launched("--log-level", "warning") as server:
        yield server


def seeds() -> list[bytes]:
    """Questions as clients send them."""
    asked = "example.com A, www.example.com AAAA, x.preview.example.com A, a.dev.example.com A, no.example.com TXT"
    asked += (
        ", example.com ANY, far.example A, _sip._tcp.example.com SRV, shop.example.com A, 10.2.0.192.in-addr.arpa PTR"
    )
    packets = []
    for name, rdtype in (one.split() for one in asked.split(", ")):
        packets.append(dns.message.make_query(name, rdtype).to_wire())
        for number, size in enumerate(SIZES):
            options = [dns.edns.ECSOption("192.0.2.0", 24), dns.edns.GenericOption(10, b"12345678")]
            message = dns.message.make_query(name, rdtype, use_edns=0, payload=size, options=options[: number % 3])
            packets.append(message.to_wire())
    return packets


def packets(rng: random.Random) -> Iterator[bytes]:
    """A tenth is random octets, a tenth random behind a sound header, the rest mutated questions."""
    known = seeds()
    for _ in range(PACKETS):
        kind = rng.randrange(10)
        if kind == 0:
            yield rng.randbytes(rng.choice((0, 1, 11, 12, 13, 40, 600, 5000)))
        elif kind == 1:
            yield bytes((0, 0, 1, 0, 0, 1, 0, 0, 0, 0, 0, rng.randrange(2))) + rng.randbytes(rng.randrange(80))
        else:
            yield mutated(rng.choice(known), rng)


def test_random_and_mutated_packets(fuzzed: Launched) -> None:
    rng = random.Random(1035)
    everything = list(packets(rng))
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        sock.settimeout(PATIENCE)
        sock.connect(fuzzed.address)
        exchange(sock, everything[:2000])  # what is made on first use is made
        before = fuzzed.rss
        for begin in range(0, len(everything), WINDOW):
            exchange(sock, everything[begin : begin + WINDOW])
    grown = fuzzed.rss - before
    assert grown < GROWTH, f"{grown} octets more than before"
    healthy(fuzzed)


def exchange(sock: socket.socket, window: list[bytes]) -> None:
    """Send some packets and a last, sound one; check what comes back until that one's answer."""
    by_id: dict[int, bytes] = {}
    for number, packet in enumerate(window):
        numbered = number.to_bytes(2, "big") + packet[2:] if len(packet) > 1 else packet
        by_id[number] = numbered
        sock.send(numbered)
        if number % 100 == 99 or number == len(window) - 1:
            sock.send(b"\xff\xff" + LAST)
            collect(sock, by_id)
            by_id = {}


def collect(sock: socket.socket, by_id: dict[int, bytes]) -> None:
    """Every packet that asks is answered once, all others not at all, none beyond its size."""
    expected = {ident for ident, packet in by_id.items() if len(packet) >= 12 and not packet[2] & 0x80}
    while (ident := int.from_bytes((reply := sock.recv(65535))[:2], "big")) != 0xFFFF:
        assert ident in expected, f"{by_id.get(ident, b'').hex()} was answered: {reply.hex()}"
        expected.remove(ident)
        assert len(reply) <= advertised(by_id[ident]), by_id[ident].hex()
        assert reply[3] & 0xF != dns.rcode.SERVFAIL, by_id[ident].hex()
        decode(reply)
    assert not expected, [by_id[ident].hex() for ident in expected]


def healthy(server: Launched) -> None:
    """Alive, answering over both transports, with nothing in its log."""
    assert server.process.poll() is None, server.log
    question = dns.message.make_query("api.example.com", "A")
    for ask in (dns.query.udp, dns.query.tcp):
        assert ask(question, "127.0.0.1", PATIENCE, server.port).answer[0][0].to_text() == "192.0.2.30"
    assert "Traceback" not in server.log
    assert "could not be answered" not in server.log


def test_broken_streams(fuzzed: Launched) -> None:
    rng = random.Random(7766)
    known = seeds()
    for stream in (broken(rng, known) for _ in range(50)):
        one_stream(fuzzed, stream, rng)
    before = fuzzed.rss
    for stream in (broken(rng, known) for _ in range(STREAMS)):
        one_stream(fuzzed, stream, rng)
    grown = fuzzed.rss - before
    assert grown < GROWTH, f"{grown} octets more than before"
    healthy(fuzzed)


def broken(rng: random.Random, known: list[bytes]) -> bytes:
    """Some messages with their lengths; then a wrong length, octets changed, cut off, or nothing but noise."""
    messages = [rng.choice(known) for _ in range(rng.randint(1, 30))]
    octets = bytearray(b"".join(struct.pack("!H", len(one)) + one for one in messages))
    kind = rng.randrange(4)
    if kind == 0:
        octets += struct.pack("!H", rng.choice((0, 1, 5, 11, 4096, 65535)))
    elif kind == 1:
        octets = bytearray(mutated(bytes(octets), rng))
    elif kind == 2:
        del octets[rng.randrange(len(octets)) :]
    else:
        octets = bytearray(rng.randbytes(rng.randrange(3000)))
    return bytes(octets)


def one_stream(server: Launched, octets: bytes, rng: random.Random) -> None:
    """In one or two pieces, then closed in one of three ways, its answers read or not."""
    with socket.create_connection(server.address, PATIENCE) as sock:
        half = rng.randrange(len(octets) + 1)
        try:
            sock.sendall(octets[:half])
            sock.sendall(octets[half:])
            finish(sock, rng.randrange(3))
        except TimeoutError:
            raise AssertionError(f"the stream does not end: {octets.hex()}") from None
        except OSError:
            return  # ended by the server, which it may


def finish(sock: socket.socket, ending: int) -> None:
    """Half-closed, with the answers read to the end; reset; or just closed."""
    if ending == 0:
        sock.shutdown(socket.SHUT_WR)
        while sock.recv(65536):
            pass
    elif ending == 1:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))


def test_questions_are_answered_while_streams_break(fuzzed: Launched) -> None:
    rng = random.Random(9)
    known = seeds()
    failed: list[BaseException] = []

    def break_streams() -> None:
        try:
            for _ in range(60):
                one_stream(fuzzed, broken(rng, known), rng)
        except BaseException as error:
            failed.append(error)

    thread = threading.Thread(target=break_streams, daemon=True)
    thread.start()
    asked = 0
    while thread.is_alive() or asked < 100:
        healthy(fuzzed)
        asked += 1
    thread.join(PATIENCE)
    assert not failed
