"""`dnsemu reload` and `dnsemu reset`: what a running server does then, and what is said of it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from cli.test_health import PATIENCE, Operated, operated

ZONE = """\
version: 1
hosted_zones:
  - name: r.test
    record_sets:
      - name: fo
        type: A
        ttl: 30
        members:
          - {set_identifier: p, failover_routing_policy: {type: PRIMARY}, health_check_id: web, records: 192.0.2.1}
          - {set_identifier: s, failover_routing_policy: {type: SECONDARY}, records: 192.0.2.2}
      - name: geo
        type: TXT
        ttl: 30
        members:
          - {set_identifier: de, geolocation_routing_policy: {country: DE}, records: '"Germany"'}
          - {set_identifier: rest, geolocation_routing_policy: {country: "*"}, records: '"elsewhere"'}
      - name: quick
        type: TXT
        ttl: 30
        members:
          - {set_identifier: a, weighted_routing_policy: {weight: 1}, health_check_id: alarm, records: '"A"'}
          - {set_identifier: b, weighted_routing_policy: {weight: 0}, records: '"B"'}
health_checks:
  - {id: web, type: TCP, ip_address: 127.0.0.1, port: 9}
  - {id: alarm, type: CLOUDWATCH_METRIC, cloudwatch_alarm_region: eu-west-1, cloudwatch_alarm_name: busy}
"""
COUNTS = "1 hosted zone, 8 record sets, 2 health checks"


@pytest.fixture(scope="module")
def _folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("zones")
    (folder / "r.yaml").write_text(ZONE)
    return folder


@pytest.fixture(scope="module")
def _server(_folder: Path) -> Iterator[Operated]:
    with operated(_folder) as server:
        yield server


@pytest.fixture
def folder(_folder: Path) -> Path:
    """What the server reads: one file, r.yaml."""
    for file in _folder.iterdir():
        file.unlink()
    (_folder / "r.yaml").write_text(ZONE)
    return _folder


@pytest.fixture
def server(_server: Operated, folder: Path) -> Operated:
    """Serves the folder as it was at first, and nothing is forced."""
    assert _server.dnsemu("reload").exit_code == 0
    assert _server.dnsemu("reset").exit_code == 0
    return _server


# reload


def test_what_is_in_the_files_is_served_when_the_command_ends(server: Operated, folder: Path) -> None:
    for number in (7, 8):
        (folder / "r.yaml").write_text(ZONE.replace("192.0.2.1}", f"192.0.2.{number}}}"))
        done = server.dnsemu("reload")
        assert (done.exit_code, done.stderr) == (0, "")
        assert done.stdout == f"serving {COUNTS}\n"
        assert server.ask("fo.r.test") == [f"192.0.2.{number}"]


def test_files_that_came_are_counted_and_files_that_went(server: Operated, folder: Path) -> None:
    (folder / "more.yml").write_text("version: 1\nhosted_zones: [{name: more.test}, {name: most.test}]\n")
    assert server.dnsemu("reload").stdout == "serving 3 hosted zones, 12 record sets, 2 health checks\n"
    (folder / "more.yml").unlink()
    assert server.dnsemu("reload").stdout == f"serving {COUNTS}\n"


def test_files_that_are_the_same_are_served_as_well(server: Operated) -> None:
    for _ in range(3):
        done = server.dnsemu("reload")
        assert (done.exit_code, done.stderr, done.stdout) == (0, "", f"serving {COUNTS}\n")


BAD = """\
version: 1
hosted_zones:
  - name: bad.test
    record_sets:
      - {name: a, type: A, ttl: 60, records: 192.0.2.256}
      - {name: b, type: A, tttl: 60, records: 192.0.2.1}
      - {name: c, type: A, ttl: 60, health_check_id: nope, records: 192.0.2.1}
"""


def test_every_reason_is_told_with_its_place_and_the_old_files_are_served(server: Operated, folder: Path) -> None:
    (folder / "bad.yaml").write_text(BAD)
    (folder / "r.yaml").write_text(ZONE.replace("192.0.2.1}", "192.0.2.99}") + "  - {id: web, type: TCP}\n")
    before = server.api("status")["configuration"]
    done = server.dnsemu("reload")
    assert (done.exit_code, done.stdout) == (1, "")
    told = [line for line in done.stderr.splitlines() if not line.startswith("    hint: ")]
    places = [re.sub(r": error\[([a-z-]+)\]: .*", r" \1", line.replace(f"{folder}/", "")) for line in told]
    assert places[-1] == f"dnsemu: {len(places) - 1} errors; what was served before still is"
    assert {"bad.yaml:5:46 value-address", "bad.yaml:6:28 unknown-key", "r.yaml:26:5 id-twice"} <= set(places)
    assert "    hint: did you mean ttl?" in done.stderr.splitlines()
    assert server.ask("fo.r.test") == ["192.0.2.1"]
    assert server.api("status")["configuration"] == before
    (folder / "bad.yaml").unlink()
    (folder / "r.yaml").write_text(ZONE)
    assert server.dnsemu("reload").exit_code == 0


def test_a_fault_of_a_whole_file_has_no_line(server: Operated, folder: Path) -> None:
    (folder / "empty.yaml").write_text("")
    told = server.dnsemu("reload").stderr.splitlines()
    assert told[0] == f"{folder}/empty.yaml: error[file-empty]: the file is empty"
    (folder / "empty.yaml").unlink()
    assert server.dnsemu("reload").exit_code == 0


def test_one_fault_is_one(server: Operated, folder: Path) -> None:
    (folder / "r.yaml").write_text(ZONE.replace("192.0.2.1}", "192.0.2.256}"))
    last = server.dnsemu("reload").stderr.splitlines()[-1]
    assert last == "dnsemu: 1 error; what was served before still is"


@pytest.mark.parametrize(
    "text",
    ["version: 1\nhosted_zones: [", ZONE[: ZONE.index("port: 9")], "version: 1\nhosted_zones: \0", "version: 2\n"],
    ids=["a bracket is open", "half", "octets", "version"],
)
def test_a_file_that_can_not_be_served_changes_nothing(server: Operated, folder: Path, text: str) -> None:
    (folder / "r.yaml").write_text(text)
    done = server.dnsemu("reload")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "what was served before still is" in done.stderr
    assert server.ask("fo.r.test") == ["192.0.2.1"]


def test_no_file_at_all_is_1(server: Operated, folder: Path) -> None:
    (folder / "r.yaml").unlink()
    done = server.dnsemu("reload")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "error[no-zones]: there is no zone file (*.yaml, *.yml) here" in done.stderr
    assert server.ask("fo.r.test") == ["192.0.2.1"]


def test_a_folder_that_is_gone_is_1(tmp_path: Path) -> None:
    file = tmp_path / "zones" / "r.yaml"
    file.parent.mkdir()
    file.write_text(ZONE)
    with operated(file.parent) as server:
        file.parent.rename(tmp_path / "elsewhere")
        done = server.dnsemu("reload")
        assert (done.exit_code, done.stdout) == (1, "")
        assert done.stderr == f"dnsemu: there is no file or folder {file.parent}; what was served before still is\n"
        (tmp_path / "elsewhere").rename(file.parent)
        assert server.dnsemu("reload").exit_code == 0


def test_what_does_not_come_from_files_can_not_be_read_again(tmp_path: Path) -> None:
    (tmp_path / "r.yaml").write_text(ZONE)
    with operated(tmp_path, readable=False) as server:
        done = server.dnsemu("reload")
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.startswith("dnsemu: what is served does not come from files")


DOUBTFUL = "hosted_zones: [{name: printer.local}]\nversion: 1\n"


def test_doubts_are_told_as_everywhere_else_and_it_is_served(server: Operated, folder: Path) -> None:
    (folder / "local.yaml").write_text(DOUBTFUL)
    done = server.dnsemu("reload")
    assert (done.exit_code, done.stdout) == (0, "serving 2 hosted zones, 10 record sets, 2 health checks\n")
    assert done.stderr.startswith(f"{folder}/local.yaml:1:23: warning[zone-special]: ")


def test_one_is_no_plural(server: Operated, folder: Path) -> None:
    text = ZONE.replace(", health_check_id: alarm", "").partition("  - {id: alarm")[0]
    (folder / "r.yaml").write_text(text)
    assert server.dnsemu("reload").stdout == "serving 1 hosted zone, 8 record sets, 1 health check\n"


def test_what_is_forced_outlives_a_reload(server: Operated, folder: Path) -> None:
    server.dnsemu("health", "force", "web", "unhealthy", "--reason", "stays")
    (folder / "r.yaml").write_text(ZONE.replace("port: 9", "port: 10"))
    server.dnsemu("reload")
    assert server.ask("fo.r.test") == ["192.0.2.2"]
    assert server.api("health-checks/web")["forced"] == {"status": "unhealthy", "reason": "stays", "until": None}


# reset


def call(server: Operated, method: str, path: str, body: bytes) -> None:
    """Say something over HTTP."""
    with urlopen(Request(f"http://{server.place}/api/v1/{path}", body, method=method), timeout=PATIENCE) as answer:
        assert answer.status == 200


def test_reset_drops_all_that_was_said(server: Operated) -> None:
    server.dnsemu("health", "force", "web", "unhealthy")
    call(server, "PUT", "alarms/eu-west-1/busy", b'{"state": "ALARM"}')
    call(server, "PUT", "places/127.0.0.0%2F8", b'{"country": "DE"}')
    assert [server.ask("fo.r.test"), server.ask("geo.r.test", "TXT"), server.ask("quick.r.test", "TXT")] == [
        ["192.0.2.2"],
        ['"Germany"'],
        ['"B"'],
    ]
    done = server.dnsemu("reset")
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout == "reset: nothing is forced or set any more\n"
    assert [server.ask("fo.r.test"), server.ask("geo.r.test", "TXT"), server.ask("quick.r.test", "TXT")] == [
        ["192.0.2.1"],
        ['"elsewhere"'],
        ['"A"'],
    ]
    assert server.api("status")["overrides"] == {"health": 0, "place": 0}
    asked = [query["name"] for query in server.api("queries")["queries"]]
    assert asked == ["quick.r.test.", "geo.r.test.", "fo.r.test."]


def test_reset_where_there_is_nothing_to_drop_is_0(server: Operated) -> None:
    for _ in range(2):
        assert server.dnsemu("reset").exit_code == 0


@pytest.mark.parametrize("words", [["reload", "zones"], ["reset", "all"], ["reload", "--all"]], ids=" ".join)
def test_wrong_words_are_2(server: Operated, words: list[str]) -> None:
    done = server.dnsemu(*words)
    assert (done.exit_code, done.stdout) == (2, "")
