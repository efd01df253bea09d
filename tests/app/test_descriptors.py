"""File descriptors: everybody has a share, and all of them together are not more than there are."""

from __future__ import annotations

import pytest

from dnsemu.app.descriptors import share


@pytest.mark.parametrize(
    ("descriptors", "tcp", "shared"),
    [
        (24_096, 1024, (1024, 1024, 20_000)),
        (1_000_000, 1024, (1024, 1024, 20_000)),
        (4096, 1024, (1008, 1008, 2016)),
        (1024, 1024, (240, 240, 480)),
        (1024, 10, (10, 240, 710)),
        (256, 1024, (48, 48, 96)),
        (64, 1024, (8, 8, 16)),
        (10, 1024, (1, 1, 3)),
    ],
)
def test_shares(descriptors: int, tcp: int, shared: tuple[int, int, int]) -> None:
    assert share(descriptors, tcp) == shared
    assert sum(shared) <= descriptors
