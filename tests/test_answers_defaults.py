"""SOA and name servers that Route 53 makes for a new hosted zone (5.11), and the seams of one configuration."""

from __future__ import annotations

import re

import pytest
from answers import dig

from dnsemu.app import load_text
from dnsemu.authority import Authority

# TLD → the first N of ns-N.awsdns-KK.TLD
FIRST = {"com": 0, "net": 512, "org": 1024, "co.uk": 1536}
ZONES = [f"zone{number}.test" for number in range(60)]


def _zone(name: str, *keys: str) -> Authority:
    return load_text(
        "\n".join(["version: 1", "hosted_zones:", f"  - name: {name}", *(f"    {key}" for key in keys)])
    ).authority


def _servers(authority: Authority, zone: str) -> list[str]:
    return sorted(dig(authority, f"{zone} NS").values)


@pytest.mark.parametrize("zone", ZONES)
def test_name_servers(zone: str) -> None:
    answer = dig(_zone(zone), f"{zone} NS")
    found = set()
    for value in answer.values:
        name = re.fullmatch(r"ns-(0|[1-9]\d*)\.awsdns-(\d\d)\.(com|net|org|co\.uk)\.", value)
        assert name, value
        number, group, tld = int(name[1]), int(name[2]), name[3]
        assert FIRST[tld] <= number < FIRST[tld] + 512
        assert group == (number - FIRST[tld]) // 8
        found.add(tld)
    assert found == FIRST.keys()
    assert len(answer.values) == 4
    assert {record.split()[1] for record in answer.answer} == {"172800"}


def test_soa() -> None:
    authority = _zone("example.test")
    soa = dig(authority, "example.test SOA").answer
    first = _servers(authority, "example.test")[0]
    assert soa == (f"example.test. 900 IN SOA {first} awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400",)
    assert dig(authority, "missing.example.test A").authority == soa


def test_stable_and_of_the_zone_id() -> None:
    """The same after a restart; another zone id, other servers (two zones of one name share few of them)."""
    assert _servers(_zone("a.test"), "a.test") == _servers(_zone("a.test"), "a.test")
    one = _servers(_zone("a.test", "zone_id: Z1"), "a.test")
    assert one == _servers(_zone("a.test", "zone_id: Z1", "comment: other"), "a.test")
    assert len({*one, *_servers(_zone("a.test", "zone_id: Z2"), "a.test")}) >= 6
    sets = {tuple(_servers(_zone(zone), zone)) for zone in ZONES}
    assert len(sets) == len(ZONES)


def test_zone_ids() -> None:
    """A response knows its zone; one that no zone gave has none."""
    authority = load_text("""
version: 1
hosted_zones:
  - {name: example.com, zone_id: Z0PARENT, record_sets: [{name: cut, type: NS, ttl: 60, records: ns.example.net}]}
  - {name: sub.example.com, zone_id: Z0CHILD}
""").authority
    rows = {
        "example.com SOA": "Z0PARENT",
        "missing.example.com A": "Z0PARENT",
        "x.cut.example.com A": "Z0PARENT",
        "sub.example.com SOA": "Z0CHILD",
        "x.sub.example.com A": "Z0CHILD",
        "sub.example.com DS": "Z0PARENT",
        "example.com SOA +edns=1": "",
        "example.net A": None,
    }
    assert {words: dig(authority, words).zone_id for words in rows} == rows
