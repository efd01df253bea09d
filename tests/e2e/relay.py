"""A relay in front of a name server that counts what goes through it."""

from __future__ import annotations

import socket
import threading
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager

import dns.message
import dns.rdatatype
from e2e.launch import PATIENCE

_MOST = 65535


class Relay:
    """Takes datagrams on its `port`; `questions`: `name type` → how often that was asked."""

    def __init__(self, upstream: int) -> None:
        self.questions: Counter[str] = Counter()
        self._front = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._front.bind(("127.0.0.1", 0))
        self._back = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._back.settimeout(PATIENCE)
        self._back.connect(("127.0.0.1", upstream))
        self.port: int = self._front.getsockname()[1]

    def run(self) -> None:
        """Carry questions and answers, one after the other, until an empty datagram comes."""
        while True:
            question, client = self._front.recvfrom(_MOST)
            if not question:
                return
            (asked,) = dns.message.from_wire(question).question
            name = str(asked.name).lower().rstrip(".")
            self.questions[f"{name} {dns.rdatatype.to_text(asked.rdtype)}"] += 1
            self._back.send(question)
            self._front.sendto(self._back.recv(_MOST), client)

    def close(self) -> None:
        self._front.close()
        self._back.close()


@contextmanager
def relaying(upstream: int) -> Iterator[Relay]:
    """A relay to a port of this machine, for the length of a block."""
    relay = Relay(upstream)
    thread = threading.Thread(target=relay.run, name="relay", daemon=True)
    thread.start()
    try:
        yield relay
    finally:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.sendto(b"", ("127.0.0.1", relay.port))
        thread.join(PATIENCE)
        relay.close()
