"""What Route 53 makes for a new hosted zone (behaviour 5.11, R6), and that it stays the same."""

from __future__ import annotations

import re

import dns.rdata
import dns.rdataclass
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dnsemu.app import load_text
from dnsemu.model import HostedZone, RecordSet, Type, name_servers_of, read_name, show_name, zone_id_of

SERVER = re.compile(r"ns-(\d+)\.awsdns-(\d\d)\.(com|net|org|co\.uk)\.")
BASES = {"com": 0, "net": 512, "org": 1024, "co.uk": 1536}

# A zone's id is what people put into scripts: it never changes, whatever the version.
STABLE_IDS = [("example.com", "ZJS7X3QK6O025Z7X0ABE"), ("Example.COM.", "ZJS7X3QK6O025Z7X0ABE")]


def _zone(text: str) -> HostedZone:
    return load_text("version: 1\nhosted_zones:\n" + text).configuration.hosted_zones[0]


def _apex(zone: HostedZone, rdtype: Type) -> RecordSet:
    (found,) = [each for each in zone.record_sets if each.name == zone.name and each.type is rdtype]
    return found


def _values(zone: HostedZone, rdtype: Type) -> list[str]:
    return [
        str(dns.rdata.from_wire(dns.rdataclass.IN, int(rdtype), value.rdata, 0, len(value.rdata)))
        for value in _apex(zone, rdtype).values
    ]


@pytest.mark.parametrize(("name", "zone_id"), STABLE_IDS)
def test_zone_ids_are_stable(name: str, zone_id: str) -> None:
    assert zone_id_of(read_name(name)) == zone_id
    assert _zone(f"  - name: {name}\n").zone_id == zone_id


def test_a_given_zone_id_is_kept() -> None:
    assert _zone("  - {name: example.com, zone_id: Z0EXAMPLE}\n").zone_id == "Z0EXAMPLE"


def test_the_documentation_examples_of_server_names() -> None:
    for number, expected in ((48, "06.com"), (802, "36.net"), (1057, "04.org"), (1830, "36.co.uk")):
        group, top_level = expected.split(".", 1)
        assert (number - BASES[top_level]) // 8 == int(group)


@given(st.from_regex(r"Z[0-9A-Z]{1,31}", fullmatch=True))
def test_server_names_follow_the_formula(zone_id: str) -> None:
    servers = [show_name(server) for server in name_servers_of(zone_id)]
    found = [SERVER.fullmatch(server) for server in servers]
    assert [match and match[3] for match in found] == list(BASES)
    for match in found:
        assert match
        place = int(match[1]) - BASES[match[3]]
        assert 0 <= place < 512
        assert int(match[2]) == place // 8
    assert name_servers_of(zone_id) == name_servers_of(zone_id)


@given(st.lists(st.integers(0, 10**6), min_size=2, max_size=2, unique=True))
def test_two_zones_seldom_share_servers(numbers: list[int]) -> None:
    """Route 53 promises at most two in common (5.11); ours are drawn, so what is tested is that they are spread."""
    first, second = (name_servers_of(f"Z{number}") for number in numbers)
    assert first != second


def test_soa_and_name_servers_are_made() -> None:
    zone = _zone("  - name: example.com\n")
    servers = _values(zone, Type.NS)
    assert len(servers) == 4
    assert _apex(zone, Type.NS).ttl == 172800
    assert _values(zone, Type.SOA) == [f"{min(servers)} awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"]
    assert _apex(zone, Type.SOA).ttl == 900


def test_the_first_server_in_byte_order_is_in_the_soa() -> None:
    """R6: `ns-1057` comes before `ns-48`."""
    zone = _zone("  - {name: example.com, name_servers: [ns-48.awsdns-06.com, ns-1057.awsdns-04.org]}\n")
    assert _values(zone, Type.SOA)[0].startswith("ns-1057.awsdns-04.org. ")
    assert set(_values(zone, Type.NS)) == {"ns-48.awsdns-06.com.", "ns-1057.awsdns-04.org."}


OWN = """\
  - name: example.com
    record_sets:
      - {name: "", type: NS, ttl: 300, records: [ns2.example.net, ns1.example.net]}
"""
OWN_SOA = '      - {name: "@", type: SOA, ttl: 60, records: [ns9.example.net admin.example.com 7 1 2 3 4]}\n'


def test_own_name_servers_are_kept() -> None:
    zone = _zone(OWN)
    assert _apex(zone, Type.NS).ttl == 300
    assert set(_values(zone, Type.NS)) == {"ns1.example.net.", "ns2.example.net."}
    assert _values(zone, Type.SOA)[0].startswith("ns1.example.net. awsdns-hostmaster.amazon.com. ")


def test_own_soa_is_kept() -> None:
    zone = _zone(OWN + OWN_SOA)
    assert _values(zone, Type.SOA) == ["ns9.example.net. admin.example.com. 7 1 2 3 4"]
    assert _apex(zone, Type.SOA).ttl == 60


def test_one_name_server_as_text() -> None:
    zone = _zone("  - {name: example.com, name_servers: NS1.Example.com.}\n")
    assert _values(zone, Type.NS) == ["ns1.example.com."]
