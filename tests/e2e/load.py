"""Load on a server of the loopback interface, for at most twenty seconds: `python load.py PORT`."""

from __future__ import annotations

import socket
import sys
import threading
import time

import dns.message

LONGEST = 20.0  # seconds


def flood(address: tuple[str, int], end: float) -> None:
    """UDP questions as fast as they leave."""
    question = dns.message.make_query("www.example.com", "A").to_wire()
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        while time.monotonic() < end:
            sock.sendto(question, address)


def pipeline(address: tuple[str, int], end: float) -> None:
    """Twenty TCP connections that ask and never read."""
    question = dns.message.make_query("example.com", "TXT").to_wire()
    framed = (len(question).to_bytes(2, "big") + question) * 500
    socks = [socket.create_connection(address, LONGEST) for _ in range(20)]
    for sock in socks:
        sock.setblocking(False)
    while time.monotonic() < end:
        for sock in socks:
            try:
                sock.send(framed)
            except BlockingIOError:
                time.sleep(0)
            except OSError:
                return
    for sock in socks:
        sock.close()


if __name__ == "__main__":
    arguments = ("127.0.0.1", int(sys.argv[1])), time.monotonic() + LONGEST
    threading.Thread(target=pipeline, args=arguments, daemon=True).start()
    flood(*arguments)
