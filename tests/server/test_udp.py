"""UDP by both readers: in batches where there are such system calls, and drained one by one."""

from __future__ import annotations

import socket
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager

import dns.message
import dns.rcode
import pytest
from server.harness import PATIENCE, ZONE, Running, connected, ident, need_ipv6, question, running

from dnsemu.app import load_text
from dnsemu.server.drain import Drain

pytestmark = pytest.mark.e2e

READERS = ["batches", "drain"]


@pytest.fixture(params=READERS)
def start(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., Running]]:
    """Starts servers that read in one of the two ways."""
    if request.param == "drain":
        monkeypatch.setattr("dnsemu.server.serving.reader", Drain)
    elif sys.platform != "linux":
        pytest.skip("recvmmsg is there on Linux only")
    with ExitStack() as stack:

        def begin(host: str = "127.0.0.1", text: str = ZONE) -> Running:
            return stack.enter_context(running(text, host))

        yield begin


@contextmanager
def client(server: Running, host: str | None = None) -> Iterator[socket.socket]:
    """A connected socket: it takes replies from no other address than the one it asks."""
    address = (host or server.address[0], server.address[1])
    with connected(address, socket.SOCK_DGRAM) as sock:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4 << 20)
        yield sock


def test_a_question_is_answered(start: Callable[..., Running]) -> None:
    with client(start()) as sock:
        sock.send(question(ident=9))
        reply = dns.message.from_wire(sock.recv(4096))
        assert reply.id == 9
        assert reply.answer[0][0].to_text() == "192.0.2.1"


def test_a_thousand_questions_in_a_burst_are_all_answered(start: Callable[..., Running]) -> None:
    """At most 200 are under way: the kernel's buffers are not what is tested here."""
    under_way = threading.Semaphore(200)
    server = start()
    got: list[int] = []
    with client(server) as sock:

        def collect() -> None:
            while len(got) < 1000:
                got.append(ident(sock.recv(4096)))
                under_way.release()

        collector = threading.Thread(target=collect, daemon=True)
        collector.start()
        for number in range(1000):
            assert under_way.acquire(timeout=PATIENCE), f"{len(got)} answers to {number} questions"
            sock.send(question(ident=number))
        collector.join(PATIENCE)
    assert sorted(got) == list(range(1000))


@pytest.mark.parametrize("count", [1, 31, 32, 63, 64, 65, 128, 150])
def test_what_waits_together_is_answered_together(start: Callable[..., Running], count: int) -> None:
    """Around the size of a batch, each answer to its own question."""
    server = start()
    names = ["www.t.test", "none.t.test", "far.example", "t.test"]
    with client(server) as sock:
        with server.held_up():
            for number in range(count):
                sock.send(question(names[number % 4], ident=number))
        replies = [dns.message.from_wire(sock.recv(4096)) for _ in range(count)]
    assert sorted(reply.id for reply in replies) == list(range(count))
    for reply in replies:
        assert reply.question[0].name.to_text() == names[reply.id % 4] + "."
        assert (
            reply.rcode()
            == [dns.rcode.NOERROR, dns.rcode.NXDOMAIN, dns.rcode.REFUSED, dns.rcode.NOERROR][reply.id % 4]
        )


@pytest.mark.parametrize("silent", [b"", b"x", b"\0" * 11, question()[:2] + b"\x80" + question()[3:]])
@pytest.mark.parametrize("places", ["first", "last", "every second", "all but one"])
def test_what_is_not_answered_does_not_disturb_the_rest(
    start: Callable[..., Running], silent: bytes, places: str
) -> None:
    server = start()
    chosen = {
        "first": lambda number: number == 0,
        "last": lambda number: number == 79,
        "every second": lambda number: number % 2 == 1,
        "all but one": lambda number: number != 40,
    }[places]
    with client(server) as sock:
        with server.held_up():
            for number in range(80):
                sock.send(silent if chosen(number) else question(ident=number))
        expected = {number for number in range(80) if not chosen(number)}
        assert {ident(sock.recv(4096)) for _ in expected} == expected
        sock.send(question(ident=1000))
        assert ident(sock.recv(4096)) == 1000, "something silent was answered after all"


def test_answers_of_all_sizes_stand_in_one_batch(start: Callable[..., Running]) -> None:
    """A batch of answers of 4,096 octets fills its buffer to the brim."""
    text = "version: 1\nhosted_zones:\n  - name: t.test\n    record_sets:\n" + "".join(
        f"      - {{name: n{size}, type: TXT, ttl: 1, records: ['{_strings(size)}']}}\n" for size in (1, 900, 3700)
    )
    server = start(text=text)
    with client(server) as sock:
        with server.held_up():
            for number in range(64):
                asked = dns.message.make_query(f"n{(3700, 1, 3700, 900)[number % 4]}.t.test", "TXT", id=number)
                asked.use_edns(0, payload=4096)
                sock.send(asked.to_wire())
        for _ in range(64):
            reply = dns.message.from_wire(sock.recv(65535))
            size = (3700, 1, 3700, 900)[reply.id % 4]
            assert sum(len(string) for string in reply.answer[0][0].strings) == size


def _strings(size: int) -> str:
    return " ".join(f'"{"x" * min(250, size - at)}"' for at in range(0, size, 250))


def test_two_clients_in_one_batch_get_their_own_answers(start: Callable[..., Running]) -> None:
    server = start()
    with ExitStack() as stack:
        clients = [stack.enter_context(client(server)) for _ in range(10)]
        with server.held_up():
            for number in range(60):
                clients[number % 10].send(question(ident=number))
        for index, sock in enumerate(clients):
            assert {ident(sock.recv(4096)) for _ in range(6)} == set(range(index, 60, 10))


def test_a_client_that_has_gone_does_not_hold_up_the_others(start: Callable[..., Running]) -> None:
    """Its port unreachable comes back to the server's socket, where systems tell it to whoever reads next."""
    server = start()
    with client(server) as sock:
        for _ in range(5):
            with client(server) as gone, server.held_up():
                gone.send(question())
                gone.close()
            sock.send(question(ident=4))
            assert ident(sock.recv(4096)) == 4


@pytest.mark.parametrize("size", [4097, 65_000])
def test_a_datagram_larger_than_any_question(start: Callable[..., Running], size: int) -> None:
    server = start()
    with client(server) as sock:
        with server.held_up():
            sock.send(question(ident=1))
            sock.send(question(ident=2).ljust(size, b"\0"))
            sock.send(b"\xff" * size)  # a response, as its bits say
            sock.send(question(ident=3))
        replies = {ident(reply): reply for reply in (sock.recv(4096) for _ in range(3))}
    assert set(replies) == {1, 2, 3}
    assert replies[2][3] & 0xF == dns.rcode.FORMERR
    assert len(replies[2]) <= 512


def test_ipv6(start: Callable[..., Running]) -> None:
    need_ipv6()
    server = start("::1")
    with client(server) as sock:
        with server.held_up():
            for number in range(100):
                sock.send(question(ident=number))
        assert {ident(sock.recv(4096)) for _ in range(100)} == set(range(100))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of 127.0.0.0/8")
def test_a_socket_on_all_addresses_replies_from_the_one_that_was_asked(start: Callable[..., Running]) -> None:
    server = start("0.0.0.0")
    hosts = ["127.0.0.1", "127.0.0.2", "127.1.2.3"]
    with ExitStack() as stack:
        clients = [stack.enter_context(client(server, host)) for host in hosts]
        for _ in range(3):
            with server.held_up():
                for number in range(60):
                    clients[number % 3].send(question(ident=number))
            for index, sock in enumerate(clients):
                assert {ident(sock.recv(4096)) for _ in range(20)} == set(range(index, 60, 3))


def test_a_socket_on_all_ipv6_addresses_replies_from_the_one_that_was_asked(start: Callable[..., Running]) -> None:
    need_ipv6()
    server = start("::")
    with client(server, "::1") as sock:
        with server.held_up():
            for number in range(70):
                sock.send(question(ident=number))
        assert {ident(sock.recv(4096)) for _ in range(70)} == set(range(70))


def test_an_ipv6_socket_leaves_ipv4_to_others(start: Callable[..., Running]) -> None:
    """IPv4 has the number for somebody else: here for who asks for it, unless another program was quicker."""
    need_ipv6()
    for attempt in range(5):
        server = start("::")
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            try:
                sock.bind(("127.0.0.1", server.address[1]))
            except OSError:
                if attempt == 4:
                    raise
            else:
                return


def test_another_authority_is_served_from_the_next_packet_on(start: Callable[..., Running]) -> None:
    server = start()
    other = load_text(ZONE.replace("192.0.2.1", "192.0.2.99")).authority
    with client(server) as sock:
        sock.send(question(ident=1))
        assert dns.message.from_wire(sock.recv(4096)).answer[0][0].to_text() == "192.0.2.1"
        server.on_loop(lambda: server.answers.publish(other))
        sock.send(question(ident=2))
        assert dns.message.from_wire(sock.recv(4096)).answer[0][0].to_text() == "192.0.2.99"


def test_a_burst_larger_than_a_turn_is_answered_too(start: Callable[..., Running]) -> None:
    """More datagrams wait than are taken before other sockets have their turn."""
    server = start()
    with client(server) as sock:
        with server.held_up():
            for number in range(400):
                sock.send(question(ident=number))
        assert {ident(sock.recv(4096)) for _ in range(400)} == set(range(400))
