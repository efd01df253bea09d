"""The test kit: a real server for the length of a `with` block.

from dnsemu.testing import serve

with serve("zones/") as dns:
    assert dns.resolve("www.example.com") == ["192.0.2.10"]
"""

from dnsemu.testing.kit import TestServer, serve

__all__ = ["TestServer", "serve"]
