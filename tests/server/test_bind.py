"""Opening and closing the sockets."""

from __future__ import annotations

import errno
import os
import socket

import psutil
import pytest
from server.harness import ZONE, connected, framed, need_ipv6, question, running, take

from dnsemu.server import BindError, Endpoint, bind, read_endpoint
from dnsemu.testing import serve

pytestmark = pytest.mark.e2e


@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0", "::1", "::"])
def test_port_0_is_one_number_for_both(host: str) -> None:
    if ":" in host:
        need_ipv6()
    pair = bind(Endpoint(host, 0))
    with pair.udp, pair.tcp:
        assert pair.udp.getsockname()[1] == pair.tcp.getsockname()[1] == pair.endpoint.port != 0


def test_port_0_finds_a_number_that_is_free_for_both(monkeypatch: pytest.MonkeyPatch) -> None:
    """The first numbers are taken by UDP, as by somebody who was quicker."""
    refused = []
    plain = socket.socket.bind

    def sometimes(self: socket.socket, address: tuple[str, int]) -> None:
        if self.type == socket.SOCK_DGRAM and len(refused) < 3:
            refused.append(address)
            raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))
        plain(self, address)

    class Refusing(socket.socket):
        bind = sometimes  # type: ignore[assignment]

    monkeypatch.setattr(socket, "socket", Refusing)
    pair = bind(Endpoint("127.0.0.1", 0))
    with pair.udp, pair.tcp:
        assert len(refused) == 3
        assert pair.udp.getsockname()[1] == pair.tcp.getsockname()[1] == pair.endpoint.port


@pytest.mark.parametrize("kind", [socket.SOCK_STREAM, socket.SOCK_DGRAM])
def test_a_taken_port_is_an_error_that_says_who_has_it_and_what_to_do(kind: socket.SocketKind) -> None:
    pair = bind(Endpoint("127.0.0.1", 0))  # a number that is free for both, but for the one that holds it
    holder, other = (pair.tcp, pair.udp) if kind is socket.SOCK_STREAM else (pair.udp, pair.tcp)
    other.close()
    port = pair.endpoint.port
    with holder, pytest.raises(BindError) as caught:
        bind(pair.endpoint)
    message = str(caught.value)
    assert caught.value.why == errno.EADDRINUSE
    assert f"127.0.0.1:{port}" in message
    assert ("UDP" if kind is socket.SOCK_DGRAM else "TCP") in message
    assert psutil.Process().name() in message
    assert str(os.getpid()) in message
    assert "--listen" in message


@pytest.mark.parametrize("port", [0, 53])
def test_an_address_of_another_machine(port: int) -> None:
    with pytest.raises(BindError, match="does not have that address") as caught:
        bind(Endpoint("192.0.2.1", port))
    assert caught.value.without_family


def test_a_failure_leaves_no_socket_open() -> None:
    """An open one would be a ResourceWarning, and that an error here."""
    pair = bind(Endpoint("127.0.0.1", 0))  # a number that is free for both, not for UDP alone
    pair.tcp.close()
    with pair.udp:
        with pytest.raises(BindError):
            bind(pair.endpoint)
        with socket.socket() as free_again:
            # Other tests' connections may have left the number in TIME_WAIT: with this only a listener is in the way.
            free_again.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            free_again.bind(pair.endpoint)


def test_closing_frees_the_number_for_both() -> None:
    with running() as server:
        endpoint = server.serving.endpoints[0]
        with connected(server.address) as sock:
            sock.sendall(framed(question()))
            assert take(sock)
            server.end()
            pair = bind(endpoint)  # at once, although a connection has just ended
            pair.udp.close()
            pair.tcp.close()


def test_two_servers_side_by_side() -> None:
    with serve(text=ZONE) as one, serve(text=ZONE) as other:
        assert one.address != other.address
        assert one.resolve("www.t.test") == other.resolve("www.t.test") == ["192.0.2.1"]


@pytest.mark.parametrize(
    ("text", "endpoint"),
    [
        ("127.0.0.1:53", ("127.0.0.1", 53)),
        ("localhost:0", ("127.0.0.1", 0)),
        ("[::1]:5300", ("::1", 5300)),
        ("[::]:65535", ("::", 65535)),
    ],
)
def test_endpoints_are_read_and_printed(text: str, endpoint: tuple[str, int]) -> None:
    assert read_endpoint(text) == endpoint
    assert read_endpoint(str(read_endpoint(text))) == endpoint


@pytest.mark.parametrize("text", ["", "53", ":53", "127.0.0.1", "127.0.0.1:", "127.0.0.1:65536", "::1:53", "[::1]"])
def test_what_is_no_endpoint(text: str) -> None:
    with pytest.raises(ValueError, match=r"127\.0\.0\.1:5300"):
        read_endpoint(text)
