"""Several files are one configuration, and `members` is short for record sets."""

from __future__ import annotations

from pathlib import Path

import pytest

from dnsemu.app import Loaded, load, load_text
from dnsemu.errors import ConfigError
from dnsemu.model import RecordSet, Type, read_name, show_name

DATABASE = Path(__file__).parents[2] / "dnsemu" / "data" / "dnsemu-geo.mmdb"
ZONE = """\
version: 1
hosted_zones:
  - name: {name}
    record_sets:
      - {{name: www, type: A, ttl: 60, records: [192.0.2.1]}}
"""


def _load(folder: Path, **files: str) -> Loaded:
    for name, text in files.items():
        (folder / f"{name}.yaml").write_text(text)
    return load([folder])


def test_lists_join(tmp_path: Path) -> None:
    found = _load(
        tmp_path,
        a=ZONE.format(name="example.com") + "cidr_collections:\n  - {id: c, name: c}\n",
        b=ZONE.format(name="example.net") + "cidr_collections:\n  - {id: d, name: d}\n",
    ).configuration
    assert [show_name(zone.name) for zone in found.hosted_zones] == ["example.com.", "example.net."]
    assert [collection.id for collection in found.cidr_collections] == ["c", "d"]


def test_a_health_check_of_another_file(tmp_path: Path) -> None:
    done = _load(
        tmp_path,
        a="version: 1\nhosted_zones:\n  - name: example.com\n    record_sets:\n"
        "      - {name: x, type: A, ttl: 60, health_check_id: web, records: [192.0.2.1]}\n",
        b="version: 1\nhealth_checks:\n  - {id: web, type: TCP, ip_address: 192.0.2.9, port: 80}\n",
    )
    assert [fault.code for fault in done.warnings] == ["health-simple"]


def test_settings_of_several_files_join(tmp_path: Path) -> None:
    found = _load(
        tmp_path,
        a="version: 1\ndnsemu:\n  seed: 7\n  options: {any: hinfo}\n  places: {alice: {country: DE}}\n"
        "  latencies: {DE: {eu-west-1: 25}}\n  locations: [{cidr: 192.0.2.0/24, country: DE}]\n",
        b="version: 1\ndnsemu:\n  options: {cname_chase: never}\n  places: {bob: {country: JP}}\n"
        "  latencies: {JP: {eu-west-1: 250}}\n  locations: [{cidr: 198.51.100.0/24, country: JP}]\n",
        c=ZONE.format(name="example.com"),
    ).configuration
    assert (found.seed, found.options.any, found.options.cname_chase) == (7, "hinfo", "never")


def test_version_may_stand_in_each_file_or_in_none(tmp_path: Path) -> None:
    found = _load(tmp_path, a="version: 1\n", b="hosted_zones: [{name: example.com}]\n").configuration
    assert len(found.hosted_zones) == 1


def test_two_zones_of_one_name_name_both_places(tmp_path: Path) -> None:
    with pytest.raises(ConfigError) as raised:
        _load(tmp_path, a=ZONE.format(name="example.com"), b=ZONE.format(name="EXAMPLE.com."))
    (fault,) = raised.value.faults
    assert (fault.code, fault.origin) == ("zone-duplicate", (str(tmp_path / "b.yaml"), 3, 11))
    assert f"{tmp_path / 'a.yaml'}:3:11" in fault.message + fault.hint


@pytest.mark.parametrize(
    "setting",
    ["seed: 1", f"geoip: {DATABASE}", "forward: off", "default_location: {country: DE}", "options: {any: full}"],
)
def test_a_setting_given_twice_names_both_places(tmp_path: Path, setting: str) -> None:
    """Even if both say the same: who changes one of them should not have to find the other."""
    with pytest.raises(ConfigError) as raised:
        _load(tmp_path, a=f"version: 1\ndnsemu:\n  {setting}\n", b=f"version: 1\ndnsemu:\n  {setting}\n")
    (fault,) = raised.value.faults
    assert fault.code == "setting-twice"
    assert fault.origin.file == str(tmp_path / "b.yaml")
    assert str(tmp_path / "a.yaml") in fault.message + fault.hint


MEMBERS = """\
version: 1
hosted_zones:
  - name: example.com
    record_sets:
      - name: www
        type: A
        ttl: 60
        health_check_id: web
        members:
          - {set_identifier: a, weighted_routing_policy: {weight: 1}, records: 192.0.2.1}
          - {set_identifier: b, weighted_routing_policy: {weight: 2}, records: [192.0.2.2], health_check_id: other}
health_checks:
  - {id: web, type: TCP, ip_address: 192.0.2.9, port: 80}
  - {id: other, type: TCP, ip_address: 192.0.2.9, port: 81}
"""
WRITTEN_OUT = """\
version: 1
hosted_zones:
  - name: example.com
    record_sets:
      - {name: www, type: A, ttl: 60, health_check_id: web, set_identifier: a, weighted_routing_policy: {weight: 1},
         records: 192.0.2.1}
      - {name: www, type: A, ttl: 60, health_check_id: other, set_identifier: b, weighted_routing_policy: {weight: 2},
         records: [192.0.2.2]}
health_checks:
  - {id: web, type: TCP, ip_address: 192.0.2.9, port: 80}
  - {id: other, type: TCP, ip_address: 192.0.2.9, port: 81}
"""


def _codes(text: str) -> list[str]:
    try:
        return [fault.code for fault in load_text(text).warnings]
    except ConfigError as error:
        return [fault.code for fault in error.faults]


def test_members_are_the_same_as_record_sets_written_out() -> None:
    assert _codes(MEMBERS) == _codes(WRITTEN_OUT)
    assert _codes(MEMBERS) == []


def test_a_single_member_without_a_policy_is_a_record_set() -> None:
    text = (
        "hosted_zones:\n  - name: example.com\n    record_sets:\n"
        "      - {name: www, type: A, ttl: 60, members: [{records: [192.0.2.1]}]}\n"
    )
    (found,) = [each for each in load_text(text).configuration.hosted_zones[0].record_sets if each.type is Type.A]
    assert isinstance(found, RecordSet)
    assert (found.name, found.ttl) == (read_name("www.example.com"), 60)


def test_a_value_of_the_parent_is_one_of_every_member() -> None:
    text = MEMBERS.replace("records: 192.0.2.1}", "ttl: 60, records: 192.0.2.1}")
    assert _codes(text) == _codes(MEMBERS)


def test_an_empty_file_hides_no_mistake_of_another(tmp_path: Path) -> None:
    """What is missing may be in a file that can not be read; in an empty one it is not."""
    (tmp_path / "a.yaml").write_text("# nothing yet\n")
    (tmp_path / "b.yaml").write_text(
        "hosted_zones:\n  - name: example.com\n    record_sets:\n"
        "      - {name: a, type: A, alias: {name: nope}}\n"
        "      - {name: b, type: A, ttl: 60, records: 192.0.2.1, health_check_id: nope}\n"
    )
    with pytest.raises(ConfigError) as raised:
        load([tmp_path])
    assert [fault.code for fault in raised.value.faults] == ["alias-target", "unknown-health-check"]
