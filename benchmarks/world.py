"""The one world every server gets: a zone of numbered names, and the questions put to it."""

import random
import socket
import struct
from collections.abc import Callable, Iterator

ZONE = "example.test"
NAMES = 10_000
QUESTIONS = 20_000

A, SOA, AAAA, OPT = 1, 6, 28, 41
COOKIE = 10
UDP_SIZE = 1232


def address(number: int) -> str:
    """The IPv4 address of `h{number}`."""
    return f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}"


def zone_file() -> str:
    """The zone as a master file (RFC 1035): SOA, NS and an A record for each name."""
    apex = (
        f"$ORIGIN {ZONE}.\n$TTL 300\n@ IN SOA ns1.{ZONE}. hostmaster.{ZONE}. 1 7200 900 1209600 900\n"
        "@ IN NS ns1\n@ IN NS ns2\nns1 IN A 192.0.2.1\nns2 IN A 192.0.2.2\n"
    )
    return apex + "".join(f"h{number} IN A {address(number)}\n" for number in range(NAMES))


def zone_yaml(names: int = NAMES, extra: str = "") -> str:
    """The same zone for dnsemu, which adds SOA and NS itself; `extra` is more record sets, as YAML lines."""
    head = f"version: 1\nhosted_zones:\n  - name: {ZONE}\n    zone_id: ZBENCH\n    record_sets:\n"
    hosts = (
        f"      - {{name: h{number}, type: A, ttl: 300, records: [{address(number)}]}}\n" for number in range(names)
    )
    return head + "".join(hosts) + extra


def query(name: str, qtype: int = A, *, edns: bytes | None = None, case: random.Random | None = None) -> bytes:
    """A query's wire bytes, ID 0, RD set; `edns` is the OPT record's data, `case` mixes letters (0x20)."""
    labels = name.encode().split(b".")
    qname = b"".join(bytes([len(label)]) + label for label in labels) + b"\0"
    if case:
        qname = bytes(byte ^ 0x20 if 97 <= byte <= 122 and case.random() < 0.5 else byte for byte in qname)
    header = struct.pack("!6H", 0, 0x0100, 1, 0, 0, int(edns is not None))
    packet = header + qname + struct.pack("!HH", qtype, 1)
    if edns is not None:
        packet += b"\0" + struct.pack("!HHIH", OPT, UDP_SIZE, 0, len(edns)) + edns
    return packet


def _existing(rng: random.Random) -> str:
    return f"h{rng.randrange(NAMES)}.{ZONE}"


def _missing(rng: random.Random) -> str:
    return f"{rng.randbytes(6).hex()}.{ZONE}"


def _static(rng: random.Random) -> bytes:
    return query(_existing(rng))


def _nxdomain(rng: random.Random) -> bytes:
    return query(_missing(rng))


def _real(rng: random.Random) -> bytes:
    cookie = struct.pack("!HH", COOKIE, 8) + rng.randbytes(8)
    dice = rng.random()
    name = _missing(rng) if 0.8 <= dice < 0.9 else _existing(rng)
    return query(name, AAAA if dice >= 0.9 else A, edns=cookie, case=rng)


SCENARIOS: dict[str, Callable[[random.Random], bytes]] = {
    "static": _static,
    "real": _real,
    "nxdomain": _nxdomain,
}


def questions(scenario: str) -> Iterator[bytes]:
    """The scenario's queries, the same ones in every run."""
    rng = random.Random(scenario)
    return (SCENARIOS[scenario](rng) for _ in range(QUESTIONS))


def first_answer(port: int, packet: bytes, wait: float) -> bool:
    """Ask 127.0.0.1:`port` once and wait `wait` seconds at most: is there a NOERROR with records in it?"""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as asking:
        asking.settimeout(wait)
        try:
            asking.connect(("127.0.0.1", port))
            asking.send(packet)
            reply = asking.recv(4096)
        except OSError:
            return False
    return len(reply) > 12 and reply[:2] == packet[:2] and not reply[3] & 15 and reply[6:8] != b"\0\0"
