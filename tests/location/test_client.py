"""Who asks: an address with as much of it as is known; mapped addresses are IPv4 addresses."""

from __future__ import annotations

from ipaddress import ip_address

import pytest

from dnsemu.location import Client, Located, Place


class Stub:
    """Says of everybody that they are in Europe, and counts how often it is asked."""

    def __init__(self) -> None:
        self.asked: list[Client] = []

    def locate(self, client: Client) -> Located:
        self.asked.append(client)
        return Located(Place("EU"), 24, "a stub")


ROWS = [  # address, bits that are known; the address that counts, bits of it, bits before it
    ("192.0.2.1", 32, "192.0.2.1", 32, 0),
    ("192.0.2.0", 24, "192.0.2.0", 24, 0),
    ("0.0.0.0", 0, "0.0.0.0", 0, 0),
    ("2001:db8::1", 128, "2001:db8::1", 128, 0),
    ("::ffff:192.0.2.1", 128, "192.0.2.1", 32, 96),
    ("::ffff:192.0.2.0", 120, "192.0.2.0", 24, 96),
    ("::ffff:0.0.0.0", 96, "0.0.0.0", 0, 96),
    ("::ffff:0.0.0.0", 95, "::ffff:0.0.0.0", 95, 0),  # some of these are no mapped addresses
    ("::192.0.2.1", 128, "::192.0.2.1", 128, 0),
    ("::1:ffff:192.0.2.1", 128, "::1:ffff:192.0.2.1", 128, 0),
    ("64:ff9b::192.0.2.1", 128, "64:ff9b::192.0.2.1", 128, 0),
]


@pytest.mark.parametrize(("address", "length", "counts", "bits", "shift"), ROWS)
def test_rows(address: str, length: int, counts: str, bits: int, shift: int) -> None:
    client = Client(Stub, ip_address(address).packed, length)
    assert (client.address, client.length, client.shift) == (ip_address(counts).packed, bits, shift)
    assert client.vpc_id is None


def test_it_is_located_when_that_is_first_asked_for_and_once() -> None:
    stub = Stub()
    client = Client(lambda: stub, bytes(4), 32)
    assert stub.asked == []
    assert client.located is client.located
    assert (client.located.place, client.located.word) == (Place("EU"), "a stub")
    assert stub.asked == [client]


def test_nobody_is_asked_for_a_locator_before_it_is_needed() -> None:
    def locator() -> Stub:
        raise AssertionError("a locator is costly to make")

    assert Client(locator, bytes(16), 128).length == 128
