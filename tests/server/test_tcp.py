"""TCP by RFC 7766, against peers that are slow, greedy, rude or confused."""

from __future__ import annotations

import random
import socket
import struct
import time
from collections.abc import Iterator

import dns.message
import pytest
from server.harness import (
    BIG,
    PATIENCE,
    Running,
    connected,
    framed,
    has_ended,
    ident,
    need_ipv6,
    question,
    running,
    take,
    until,
)

from dnsemu.server import Limits

pytestmark = pytest.mark.e2e

MOST_HELD = 1 << 20  # octets of memory for one peer: some buffers of 64 KiB and 256 KiB


@pytest.fixture(scope="module")
def server() -> Iterator[Running]:
    with running() as one:
        yield one


def still_answers(server: Running) -> None:
    with connected(server.address) as sock:
        sock.sendall(framed(question(ident=77)))
        assert ident(take(sock)) == 77


# Messages and streams


@pytest.mark.parametrize("host", ["127.0.0.1", "::1"])
def test_a_question_is_answered(host: str) -> None:
    if host == "::1":
        need_ipv6()
    with running(host=host) as server, connected(server.address) as sock:
        sock.sendall(framed(question()))
        assert dns.message.from_wire(take(sock) or b"").answer[0][0].to_text() == "192.0.2.1"


def test_several_questions_one_after_the_other(server: Running) -> None:
    with connected(server.address) as sock:
        for number in range(50):
            sock.sendall(framed(question(ident=number)))
            assert ident(take(sock)) == number


def test_pipelined_questions_are_all_answered(server: Running) -> None:
    with connected(server.address) as sock:
        sock.sendall(b"".join(framed(question(ident=number)) for number in range(2000)))
        assert sorted(ident(take(sock)) for _ in range(2000)) == list(range(2000))


def test_one_octet_at_a_time(server: Running) -> None:
    with connected(server.address) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        for octet in framed(question(ident=5)) + framed(question(ident=6)):
            sock.sendall(bytes((octet,)))
        assert {ident(take(sock)), ident(take(sock))} == {5, 6}


@pytest.mark.parametrize("at", [1, 2, 3, 14, 20])
def test_a_message_in_two_pieces(server: Running, at: int) -> None:
    octets = framed(question(ident=8))
    with connected(server.address) as sock:
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        before = server.on_loop(lambda: sum(len(one._pending) for one in server.serving._connections.open))
        sock.sendall(octets[:at])
        until(lambda: server.held_for_peers() == before + at)
        sock.sendall(octets[at:])
        assert ident(take(sock)) == 8


def test_a_question_and_a_half(server: Running) -> None:
    with connected(server.address) as sock:
        octets = framed(question(ident=1)) + framed(question(ident=2))
        sock.sendall(octets[:-7])
        assert ident(take(sock)) == 1
        sock.sendall(octets[-7:])
        assert ident(take(sock)) == 2


@pytest.mark.parametrize("length", [0, 1, 5, 11])
def test_a_length_that_no_message_has_ends_the_connection(server: Running, length: int) -> None:
    with connected(server.address) as sock:
        sock.sendall(framed(question(ident=1)))
        assert ident(take(sock)) == 1
        sock.sendall(struct.pack("!H", length) + b"x" * length + framed(question(ident=2)))
        assert has_ended(sock)
    still_answers(server)


def test_a_malformed_message_gets_an_error_and_the_next_one_its_answer(server: Running) -> None:
    with connected(server.address) as sock:
        sock.sendall(framed(question(ident=1)[:-3]) + framed(question(ident=2)))
        first, second = take(sock), take(sock)
        assert (ident(first), (first or b"")[3] & 0xF) == (1, 1)
        assert (ident(second), (second or b"")[3] & 0xF) == (2, 0)


def test_a_reply_is_not_answered(server: Running) -> None:
    reply = bytearray(question(ident=1))
    reply[2] |= 0x80
    with connected(server.address) as sock:
        sock.sendall(framed(bytes(reply)) + framed(question(ident=2)))
        assert ident(take(sock)) == 2


def test_the_largest_message_is_read(server: Running) -> None:
    """65,535 octets: a question with an EDNS option of padding."""
    asked = bytearray(question(ident=3))
    asked[11] = 1
    room = 65535 - len(asked) - 15
    padding = struct.pack("!BHHIHHH", 0, 41, 1232, 0, room + 4, 12, room) + bytes(room)
    with connected(server.address) as sock:
        sock.sendall(framed(bytes(asked) + padding))
        reply = take(sock)
        assert (ident(reply), (reply or b"")[3] & 0xF) == (3, 0)


def test_an_answer_above_the_limit_of_udp_is_whole(server: Running) -> None:
    with connected(server.address) as sock:
        sock.sendall(framed(question("big.t.test", "TXT")))
        reply = take(sock) or b""
    assert len(reply) > BIG
    assert not reply[2] & 0x02


# How connections end


def test_questions_before_a_half_close_are_answered_then_the_stream_ends(server: Running) -> None:
    with connected(server.address) as sock:
        sock.sendall(b"".join(framed(question("big.t.test", "TXT", number)) for number in range(100)))
        sock.shutdown(socket.SHUT_WR)
        assert sorted(ident(take(sock)) for _ in range(100)) == list(range(100))
        assert has_ended(sock)


def test_a_half_close_in_the_middle_of_a_message_ends_the_stream(server: Running) -> None:
    with connected(server.address) as sock:
        sock.sendall(framed(question(ident=1)) + framed(question(ident=2))[:9])
        sock.shutdown(socket.SHUT_WR)
        assert ident(take(sock)) == 1
        assert has_ended(sock)


def test_resets_in_the_middle_leave_nothing_behind() -> None:
    with running() as server:
        for number in range(50):
            with connected(server.address) as sock:
                sock.sendall(framed(question("big.t.test", "TXT")) * 20 + b"\x00"[: number % 2])
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        still_answers(server)
        until(lambda: server.connections() == 0)
        assert server.on_loop(lambda: dict(server.serving._connections.clients)) == {}


def test_closing_the_server_ends_connections() -> None:
    with running() as server, connected(server.address) as sock:
        sock.sendall(framed(question()))
        assert take(sock)
        began = time.monotonic()
        server.end()
        assert has_ended(sock)
        assert time.monotonic() - began < 1


# Limits


def test_a_connection_that_asks_nothing_is_closed() -> None:
    with running(limits=Limits(idle=0.2)) as server, connected(server.address) as sock:
        began = time.monotonic()
        assert has_ended(sock)
        assert 0.15 < time.monotonic() - began < 3


def test_questions_keep_a_connection_open_and_it_ends_when_they_do() -> None:
    with running(limits=Limits(idle=0.5)) as server, connected(server.address) as sock:
        began = time.monotonic()
        while time.monotonic() - began < 1.2:
            sock.sendall(framed(question()))
            assert take(sock), "closed while it was in use"
        assert has_ended(sock)


def test_octets_that_trickle_in_do_not_keep_a_connection_open() -> None:
    """One message that never ends: an octet each time the server has taken the one before."""
    with running(limits=Limits(idle=0.4)) as server, connected(server.address) as sock:
        began = time.monotonic()
        sock.sendall(b"\xff\xff")
        sock.settimeout(0.02)
        ended = False
        while not ended and time.monotonic() - began < PATIENCE:
            try:
                sock.sendall(b"x")
                ended = sock.recv(1) == b""
            except TimeoutError:
                continue
            except OSError:
                ended = True
        assert ended
        assert time.monotonic() - began < 3


def test_a_huge_length_and_nothing_more_costs_neither_memory_nor_time() -> None:
    with running(limits=Limits(idle=0.3)) as server, connected(server.address) as sock:
        sock.sendall(b"\xff\xff")
        until(lambda: server.held_for_peers() == 2)
        assert has_ended(sock)
        until(lambda: server.connections() == 0)


def test_no_connection_lives_longer_than_its_lifetime() -> None:
    with running(limits=Limits(idle=5, lifetime=0.6)) as server, connected(server.address) as sock:
        began = time.monotonic()
        try:
            while time.monotonic() - began < PATIENCE:
                sock.sendall(framed(question()))
                if take(sock) is None:
                    break
        except OSError:
            pass  # a reset, or a write after it
        assert 0.5 < time.monotonic() - began < 4


def test_a_client_has_only_so_many_connections_others_have_their_own() -> None:
    with running(host="0.0.0.0", limits=Limits(per_client=3)) as server:
        port = server.address[1]
        kept = [socket.create_connection(("127.0.0.1", port), PATIENCE) for _ in range(3)]
        for sock in kept:
            sock.sendall(framed(question()))
            assert take(sock)
        with connected(("127.0.0.1", port)) as sock:
            assert has_ended(sock)
        with socket.create_connection(("127.0.0.1", port), PATIENCE, source_address=("127.0.0.9", 0)) as other:
            other.sendall(framed(question()))
            assert take(other)
        for sock in kept:
            sock.close()
        until(lambda: server.connections() == 0)
        with connected(("127.0.0.1", port)) as sock:
            sock.sendall(framed(question()))
            assert take(sock)


def test_all_clients_together_have_only_so_many_connections() -> None:
    with running(host="0.0.0.0", limits=Limits(connections=4)) as server:
        kept = [
            socket.create_connection(server.address, PATIENCE, source_address=(f"127.0.0.{number}", 0))
            for number in range(11, 15)
        ]
        until(lambda: server.connections() == 4)
        with socket.create_connection(server.address, PATIENCE, source_address=("127.0.0.15", 0)) as sock:
            assert has_ended(sock)
        assert server.connections() == 4
        kept.pop().close()
        until(lambda: server.connections() == 3)
        with connected(server.address) as sock:
            sock.sendall(framed(question()))
            assert take(sock)
        for one in kept:
            one.close()


# Peers that do not read


def fill(sock: socket.socket, octets: bytes) -> int:
    """Send until nobody takes any more; how many octets were taken."""
    sent = 0
    sock.settimeout(0.3)
    try:
        while sent < len(octets):
            sent += sock.send(octets[sent : sent + 65536])
    except OSError:  # no more is taken, or the connection has ended
        pass
    sock.settimeout(PATIENCE)
    return sent


def test_a_peer_that_never_reads_costs_little_and_is_closed() -> None:
    asked = framed(question("big.t.test", "TXT")) * 40_000  # a gigabyte of answers
    with running(limits=Limits(idle=1.0)) as server, connected(server.address) as sock:
        fill(sock, asked)
        assert server.held_for_peers() < MOST_HELD
        until(lambda: server.connections() == 0)
        still_answers(server)


def test_a_peer_that_reads_slowly_gets_every_answer_and_costs_little() -> None:
    count = 1000  # 30 MB: more than what the kernel keeps
    asked = b"".join(framed(question("big.t.test", "TXT", number)) for number in range(count))
    with running() as server, connected(server.address) as sock:
        sock.sendall(asked)
        sock.shutdown(socket.SHUT_WR)
        got, most = [], 0
        for number in range(count):
            got.append(ident(take(sock)))
            if number % 20 == 0:
                most = max(most, server.held_for_peers())
        assert sorted(got) == list(range(count))
        assert most < MOST_HELD
        assert has_ended(sock)


def test_a_hundred_peers_that_do_not_read_do_not_hold_up_the_others() -> None:
    asked = framed(question("big.t.test", "TXT")) * 500
    with running(limits=Limits(idle=5)) as server:
        rude = [socket.create_connection(server.address, PATIENCE) for _ in range(100)]
        for sock in rude:
            sock.setblocking(False)
            sock.send(asked)
        still_answers(server)
        assert server.held_for_peers() < 100 * MOST_HELD / 2
        for sock in rude:
            sock.close()


def test_broken_streams_leave_the_server_as_it_was() -> None:
    rng = random.Random(7766)
    with running() as server:
        for _ in range(200):
            with connected(server.address) as sock:
                octets = bytearray(framed(question()) * rng.randint(1, 3))
                octets[rng.randrange(len(octets))] = rng.randrange(256)
                sock.sendall(octets[: rng.randrange(len(octets)) + 1])
        still_answers(server)
        until(lambda: server.connections() == 0)
