"""The one world every server gets: zones of numbered names, and the questions put to it."""

import random
import socket
import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass

ZONE = "example.test"
NAMES = 10_000
QUESTIONS = 20_000

A, SOA, AAAA, OPT = 1, 6, 28, 41
CLIENT_SUBNET, COOKIE = 8, 10
UDP_SIZE = 1232

BLOCKS = [f"198.{18 + number // 32}.{number % 32 * 8}.0/21" for number in range(64)]
"""Whose clients get an answer of their own in the scenario `cidr`: number n gets 192.0.2.(100 + n)."""


@dataclass(frozen=True)
class Size:
    """How many names there are, and in how many zones."""

    names: int = NAMES
    zones: int = 1

    def zone(self, number: int) -> str:
        """The zone that name number `number` is in."""
        return ZONE if self.zones == 1 else f"z{number % self.zones}.{ZONE}"

    def existing(self, rng: random.Random) -> str:
        """One of the names."""
        number = rng.randrange(self.names)
        return f"h{number}.{self.zone(number)}"

    def missing(self, rng: random.Random) -> str:
        """A name that is not there, in one of the zones."""
        label = rng.randbytes(6).hex()
        return f"{label}.{self.zone(rng.randrange(self.zones) if self.zones > 1 else 0)}"

    def yaml(self) -> str:
        """All of it for dnsemu."""
        if self.zones == 1:
            return zone_yaml(self.names)
        return "version: 1\nhosted_zones:\n" + "".join(
            f"  - name: {self.zone(first)}\n    record_sets:\n{_hosts(range(first, self.names, self.zones))}"
            for first in range(self.zones)
        )


DEFAULT = Size()


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
    return head + _hosts(range(names)) + extra


def _hosts(numbers: range) -> str:
    return "".join(
        f"      - {{name: h{number}, type: A, ttl: 300, records: [{address(number)}]}}\n" for number in numbers
    )


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


def cookie(rng: random.Random) -> bytes:
    """EDNS data: a client's cookie (RFC 7873), which resolvers send with every question."""
    return struct.pack("!HH", COOKIE, 8) + rng.randbytes(8)


def client_subnet(network: bytes) -> bytes:
    """EDNS data: the IPv4 /24 that the client is in, by its three octets (RFC 7871)."""
    return struct.pack("!HHHBB", CLIENT_SUBNET, 7, 1, 24, 0) + network


def _static(rng: random.Random, size: Size) -> bytes:
    return query(size.existing(rng))


def _nxdomain(rng: random.Random, size: Size) -> bytes:
    return query(size.missing(rng))


def _real(rng: random.Random, size: Size) -> bytes:
    edns = cookie(rng)
    dice = rng.random()
    name = size.missing(rng) if 0.8 <= dice < 0.9 else size.existing(rng)
    return query(name, AAAA if dice >= 0.9 else A, edns=edns, case=rng)


def _weighted(rng: random.Random, size: Size) -> bytes:
    return query(f"w.{size.zone(0)}", edns=cookie(rng))


def _cidr(rng: random.Random, size: Size) -> bytes:
    block = rng.randrange(len(BLOCKS))
    network = bytes([198, 18 + block // 32, block % 32 * 8 + rng.randrange(8)])
    return query(f"g.{size.zone(0)}", edns=client_subnet(network))


SCENARIOS: dict[str, Callable[[random.Random, Size], bytes]] = {
    "static": _static,
    "real": _real,
    "nxdomain": _nxdomain,
    "weighted": _weighted,
    "cidr": _cidr,
}
ROUTED = ("weighted", "cidr")
"""The scenarios about names with a routing policy, which not every server has."""


def questions(scenario: str, size: Size = DEFAULT, count: int = QUESTIONS) -> Iterator[bytes]:
    """The scenario's queries, the same ones in every run."""
    rng = random.Random(scenario)
    return (SCENARIOS[scenario](rng, size) for _ in range(count))


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
