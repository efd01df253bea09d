"""Reading the files again, all or nothing; and beginning anew."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from control import harness
from control.harness import CHECKS, PLACES, Operated, check_path, checks_zone, operated, place_path, read_all

from dnsemu.app import Loaded, load


def zone(value: str, name: str = "t.test", more: str = "") -> str:
    """A zone file with one name, `www`, that has a value; its seed is 5."""
    return (
        f"version: 1\n{more}hosted_zones:\n  - name: {name}\n    record_sets:\n"
        f"      - {{name: www, type: A, ttl: 60, records: {value}}}\n"
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder with one file."""
    (tmp_path / "a.yaml").write_text(zone("192.0.2.1"), encoding="utf-8")
    return tmp_path


@pytest.fixture
def server(folder: Path) -> Iterator[Operated]:
    with operated(path=folder) as server:
        yield server


def reload(server: Operated) -> Any:
    return server.call("POST", "/api/v1/reload")


def test_what_is_in_the_files_is_served_when_the_reply_is_there(server: Operated, folder: Path) -> None:
    for number in range(2, 42):
        (folder / "a.yaml").write_text(zone(f"192.0.2.{number}"), encoding="utf-8")
        assert reload(server).status == 200
        assert server.values("www.t.test") == [f"192.0.2.{number}"]


def test_the_reply_says_what_is_served(server: Operated, folder: Path) -> None:
    before = server.call("GET", "/api/v1/status").ok["configuration"]
    checks = "health_checks: [{id: web, type: TCP, ip_address: 127.0.0.1, port: 9}]\n"
    (folder / "b.yaml").write_text(zone("192.0.2.2", "u.test") + checks, encoding="utf-8")
    given = reload(server).ok
    assert given == server.call("GET", "/api/v1/status").ok["configuration"]
    assert given["sha256"] == load([folder]).digest != before["sha256"]
    assert [given[key] - before[key] for key in ("hosted_zones", "record_sets", "health_checks")] == [1, 3, 1]
    (warning,) = given["warnings"]
    assert (warning["code"], warning["severity"]) == ("health-unused", "warning")
    assert (warning["file"], warning["line"]) == (str(folder / "b.yaml"), 6)


def test_reloading_what_is_served_changes_nothing(server: Operated) -> None:
    before = server.call("GET", "/api/v1/status").ok["configuration"]
    assert reload(server).ok == before
    assert server.values("www.t.test") == ["192.0.2.1"]


def test_files_come_and_go(server: Operated, folder: Path) -> None:
    (folder / "b.yaml").write_text(zone("192.0.2.2", "u.test"), encoding="utf-8")
    assert reload(server).status == 200
    assert server.values("www.u.test") == ["192.0.2.2"]
    (folder / "a.yaml").unlink()
    assert reload(server).status == 200
    assert server.values("www.u.test") == ["192.0.2.2"]
    assert server.ask("www.t.test").rcode().name == "REFUSED"


def test_reloads_may_come_together(server: Operated, folder: Path) -> None:
    (folder / "a.yaml").write_text(zone("192.0.2.9"), encoding="utf-8")
    with ThreadPoolExecutor(8) as pool:
        replies = list(pool.map(lambda _: reload(server), range(16)))
    assert [reply.status for reply in replies] == [200] * 16
    assert len({reply.body for reply in replies}) == 1
    assert server.values("www.t.test") == ["192.0.2.9"]


# What can not be served

TWO_MISTAKES = """\
version: 1
hosted_zones:
  - name: t.test
    record_sets:
      - {name: www, type: A, ttl: 6O, records: 192.0.2.2}
      - {name: www.other.example., type: A, ttl: 60, records: 192.0.2.2}
"""


def test_every_reason_is_told_with_its_place(server: Operated, folder: Path) -> None:
    (folder / "a.yaml").write_text(TWO_MISTAKES, encoding="utf-8")
    (folder / "b.yaml").write_text("version: 2\n", encoding="utf-8")
    reply = reload(server)
    assert (reply.status, reply.error["code"]) == (400, "invalid-configuration")
    assert reply.error["message"] == "3 errors; what was served before still is"
    found = [(Path(one["file"]).name, one["line"], one["column"], one["code"]) for one in reply.error["details"]]
    assert found == [
        ("a.yaml", 5, 35, "wrong-type"),
        ("a.yaml", 6, 16, "name-outside-zone"),
        ("b.yaml", 1, 10, "version"),
    ]
    for one in reply.error["details"]:
        assert list(one) == ["file", "line", "column", "severity", "code", "message", "hint"]
        assert one["severity"] == "error"
        assert one["message"]


BROKEN: list[bytes] = [
    b"\xff\xfe",
    b"a: [",
    b"version: 1\n" + b"[" * 5000,
    b"version: 2\n",
    zone("192.0.2.300").encode(),
    zone("192.0.2.1", "t..test").encode(),
    zone("192.0.2.1", more="zones: []\n").encode(),
]


@pytest.mark.parametrize("octets", BROKEN, ids=lambda octets: repr(octets)[:40])
def test_the_old_is_served_as_long_as_the_new_is_wrong(server: Operated, folder: Path, octets: bytes) -> None:
    before = server.call("GET", "/api/v1/status").ok["configuration"]
    (folder / "a.yaml").write_bytes(octets)
    for _ in range(2):
        reply = reload(server)
        assert (reply.status, reply.error["code"]) == (400, "invalid-configuration")
        assert reply.error["details"]
        assert all(one["file"] == str(folder / "a.yaml") for one in reply.error["details"])
        assert server.values("www.t.test") == ["192.0.2.1"]
    assert server.call("GET", "/api/v1/status").ok["configuration"] == before
    assert server.call("GET", "/ready").status == 200
    (folder / "a.yaml").write_text(zone("192.0.2.2"), encoding="utf-8")
    assert reload(server).status == 200
    assert server.values("www.t.test") == ["192.0.2.2"]


def test_a_path_that_is_missing_is_told(server: Operated, folder: Path) -> None:
    (folder / "a.yaml").rename(folder.parent / "a.yaml")
    folder.rmdir()
    try:
        reply = reload(server)
        assert (reply.status, reply.error["code"]) == (400, "missing-path")
        assert reply.error["message"] == f"there is no file or folder {folder}; what was served before still is"
        assert server.values("www.t.test") == ["192.0.2.1"]
    finally:
        folder.mkdir()
        (folder.parent / "a.yaml").rename(folder / "a.yaml")


def test_a_folder_without_files_is_told(server: Operated, folder: Path) -> None:
    (folder / "a.yaml").unlink()
    error = reload(server).error
    assert [one["code"] for one in error["details"]] == ["no-zones"]
    assert server.values("www.t.test") == ["192.0.2.1"]


def test_one_reason_is_one(server: Operated, folder: Path) -> None:
    (folder / "a.yaml").write_text("version: 2\n", encoding="utf-8")
    assert reload(server).error["message"] == "1 error; what was served before still is"


def test_a_file_may_have_any_name(server: Operated, folder: Path) -> None:
    try:
        (folder / os.fsdecode(b"\xff.yaml")).write_text("version: 2\n", encoding="utf-8")
    except OSError:  # where file systems have names of Unicode alone
        return
    logging.disable()  # what is logged would be in the report of this test, which can not hold it either
    try:
        reply = reload(server)
    finally:
        logging.disable(logging.NOTSET)
    assert (reply.status, reply.error["code"]) == (400, "invalid-configuration")


def test_a_server_without_files_has_nothing_to_read(places: Operated) -> None:
    reply = reload(places)
    assert (reply.status, reply.error["code"]) == (409, "conflict")


# Reset


def test_reset_drops_all_that_was_said(checks: Operated) -> None:
    before = checks.call("GET", "/api/v1/health-checks").ok["health_checks"]
    checks.force("web", "unhealthy")
    checks.force("resting", "unhealthy", **{"for": "1h"})
    checks.call("PUT", "/api/v1/alarms/eu-west-1/load%2Fp%2099%20%25%20%C3%A9", {"state": "ALARM"})
    checks.call("PUT", "/api/v1/routing-controls/cell-1", {"state": "Off"})
    checks.place("127.0.0.0/8", country="DE")
    assert [check_id for check_id in CHECKS if checks.seems(check_id) == "healthy"] == ["api"]
    assert len(checks.call("GET", "/api/v1/queries").ok["queries"]) == len(CHECKS)
    assert checks.call("GET", "/api/v1/status").ok["overrides"] == {"health": 2, "place": 1}

    assert checks.call("POST", "/api/v1/reset").ok == {"done": True}
    assert checks.call("GET", "/api/v1/queries").ok == {"queries": []}
    assert checks.call("GET", "/api/v1/places").ok == {"places": []}
    assert checks.call("GET", "/api/v1/status").ok["overrides"] == {"health": 0, "place": 0}
    for one, was in zip(checks.call("GET", "/api/v1/health-checks").ok["health_checks"], before, strict=True):
        for field in ("id", "status", "forced", "unforced_status", "alarm", "routing_control", "children"):
            assert one[field] == was[field], one["id"]
        assert checks.seems(one["id"]) == one["status"]


def test_reset_holds_before_the_reply_leaves(checks: Operated) -> None:
    for number in range(50):
        checks.force("web", "unhealthy")
        checks.call("POST", "/api/v1/reset")
        assert checks.seems("web") == "healthy", number


def test_reset_brings_places_back(places: Operated) -> None:
    places.place("127.0.0.1/32", country="DE", vpc_id="vpc-lab")
    places.call("POST", "/api/v1/reset")
    assert places.text("which.t.test") == "public"
    assert places.call("DELETE", place_path("127.0.0.1/32")).status == 404


WEIGHTED = """
hosted_zones:
  - name: t.test
    record_sets:
      - name: w
        type: A
        ttl: 60
        members:
          - {set_identifier: a, weighted_routing_policy: {weight: 1}, records: 192.0.2.1}
          - {set_identifier: b, weighted_routing_policy: {weight: 1}, records: 192.0.2.2}
"""


def drawn(server: Operated) -> list[str]:
    """What chance gave, forty times."""
    asked = [{"name": "w.t.test"}] * 40
    return [one["records"][0]["value"] for one in server.call("POST", "/api/v1/resolve", asked).ok]


@pytest.mark.parametrize(("written", "given"), [(5, None), (None, 5), (6, 5)])
def test_reset_restarts_seeded_chance(written: int | None, given: int | None) -> None:
    text = WEIGHTED + (f"dnsemu: {{seed: {written}}}\n" if written is not None else "")
    with operated(text, seed=given) as server:
        first = drawn(server)
        assert drawn(server) != first
        server.call("POST", "/api/v1/reset")
        assert drawn(server) == first


def test_reset_is_new_chance_where_there_is_no_seed() -> None:
    with operated(WEIGHTED) as server:
        first = drawn(server)
        server.call("POST", "/api/v1/reset")
        assert drawn(server) != first


def test_a_reload_does_not_disturb_chance(tmp_path: Path) -> None:
    path = tmp_path / "zones.yaml"
    path.write_text(f"{WEIGHTED}dnsemu: {{seed: 5}}\n", encoding="utf-8")
    with operated(path=path) as one, operated(path=path) as other:
        first = drawn(one)
        assert drawn(other) == first
        assert reload(one).status == 200
        assert drawn(one) == drawn(other)


def test_the_seed_is_that_of_the_files(tmp_path: Path) -> None:
    path, other = tmp_path / "zones.yaml", f"{WEIGHTED}dnsemu: {{seed: 6}}\n"
    path.write_text(f"{WEIGHTED}dnsemu: {{seed: 5}}\n", encoding="utf-8")
    with operated(path=path) as server, operated(other) as expected:
        path.write_text(other, encoding="utf-8")
        assert reload(server).status == 200
        server.call("POST", "/api/v1/reset")
        assert drawn(server) == drawn(expected)


# What is said while files are read


def during_a_reload(monkeypatch: pytest.MonkeyPatch, server: Operated, saying: Callable[[], object]) -> None:
    """Reload, and say something when the files were read and are not yet served."""
    read = harness.load
    said: list[object] = []

    def load_and_say(paths: list[Path]) -> Loaded:
        loaded = read(paths)
        said.append(saying())
        return loaded

    with monkeypatch.context() as patch:
        patch.setattr(harness, "load", load_and_say)
        assert reload(server).status == 200
    assert len(said) == 1


def test_what_is_said_meanwhile_holds_before_and_after(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "zones.yaml"
    path.write_text(checks_zone(CHECKS), encoding="utf-8")
    expected = {"web": "unhealthy", "mirrored": "healthy", "cell": "unhealthy", "both": "unhealthy", "api": "healthy"}
    with operated(path=path) as server:
        server.force("api", "unhealthy")

        def say() -> None:
            server.force("web", "unhealthy")
            server.force("mirrored", "healthy")
            server.do("DELETE", f"{check_path('api')}/override")
            server.do("PUT", "/api/v1/routing-controls/cell-1", {"state": "Off"})
            assert {check_id: server.seems(check_id) for check_id in expected} == expected

        during_a_reload(monkeypatch, server, say)
        assert {check_id: server.seems(check_id) for check_id in expected} == expected


def test_places_that_are_set_meanwhile_hold_before_and_after(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "zones.yaml"
    path.write_text(PLACES, encoding="utf-8")
    with operated(path=path) as server:
        server.place("192.0.2.0/24", country="JP")

        def say() -> None:
            server.place("203.0.113.0/24", country="DE")
            server.do("DELETE", place_path("192.0.2.0/24"))

        during_a_reload(monkeypatch, server, say)
        assert server.text("geo.t.test", subnet="203.0.113.0/24") == "DE"
        assert server.text("geo.t.test", subnet="192.0.2.0/24") != "JP"


def test_a_check_that_goes_while_somebody_forces_it_is_not_there(tmp_path: Path) -> None:
    """The head of the request comes before a reload, its body after it."""
    path, body = tmp_path / "zones.yaml", b'{"status": "unhealthy"}'
    path.write_text(checks_zone(CHECKS), encoding="utf-8")
    with operated(path=path) as server, server.connected() as sock:
        head = (
            f"PUT {check_path('web')}/override HTTP/1.1\r\nHost: a\r\nConnection: close\r\nExpect: 100-continue\r\n"
        )
        sock.sendall(f"{head}Content-Length: {len(body)}\r\n\r\n".encode())
        assert sock.recv(65536).startswith(b"HTTP/1.1 100 ")
        path.write_text(checks_zone({"resting": CHECKS["resting"]}), encoding="utf-8")
        assert reload(server).status == 200
        sock.sendall(body)
        assert read_all(sock).startswith(b"HTTP/1.1 404 ")


def test_a_bug_of_ours_is_a_reload_that_failed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "zones.yaml"
    path.write_text(checks_zone(CHECKS), encoding="utf-8")

    def breaks(_: object) -> Loaded:
        raise MemoryError("no room")

    with operated(path=path) as server:
        with monkeypatch.context() as patch:
            patch.setattr(harness, "load", breaks)
            assert reload(server).status == 500
        text = server.call("GET", "/metrics").body.decode()
        assert "dnsemu_config_last_reload_successful 0.0" in text
        assert 'dnsemu_config_reloads_total{result="failure"} 1.0' in text
        assert server.values("n0.fo.test")
        assert reload(server).status == 200
        assert "dnsemu_config_last_reload_successful 1.0" in server.call("GET", "/metrics").body.decode()


def test_a_reset_meanwhile_is_one(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "zones.yaml"
    path.write_text(checks_zone(CHECKS), encoding="utf-8")
    with operated(path=path) as server:
        server.force("web", "unhealthy")
        server.place("127.0.0.0/8", country="DE")
        during_a_reload(monkeypatch, server, lambda: server.call("POST", "/api/v1/reset").ok)
        assert server.seems("web") == "healthy"
        assert server.call("GET", "/api/v1/status").ok["overrides"] == {"health": 0, "place": 0}


def test_an_override_that_ends_meanwhile_ends(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = tmp_path / "zones.yaml"
    path.write_text(checks_zone(CHECKS), encoding="utf-8")
    with operated(path=path) as server, server.listening() as events:

        def say() -> None:
            server.force("web", "unhealthy", **{"for": "1ms"})
            events.until("transition", health_check_id="web", status="healthy")

        during_a_reload(monkeypatch, server, say)
        assert server.seems("web") == "healthy"


# What was asked, after another configuration


def test_what_was_asked_is_told_as_it_was_answered_then(server: Operated, folder: Path) -> None:
    server.ask("www.t.test")
    (query,) = server.call("GET", "/api/v1/queries").ok["queries"]
    (folder / "a.yaml").write_text(zone("192.0.2.1", "u.test"), encoding="utf-8")
    assert reload(server).status == 200
    assert query["zone"] == "t.test."
    assert server.call("GET", "/api/v1/queries").ok["queries"] == [query]


def test_a_reload_makes_no_check_unknown_that_is_still_there(tmp_path: Path) -> None:
    path = tmp_path / "zones.yaml"
    path.write_text(checks_zone(CHECKS), encoding="utf-8")
    with operated(path=path) as server:
        before = server.call("GET", check_path("web")).ok
        path.write_text(checks_zone({"new": {}, **CHECKS}), encoding="utf-8")
        assert reload(server).status == 200
        assert server.call("GET", check_path("web")).ok == before
        assert server.call("GET", check_path("new")).ok["status"] == "healthy"


def test_names_of_places_are_those_of_the_files_now(tmp_path: Path) -> None:
    path = tmp_path / "zones.yaml"
    path.write_text(PLACES, encoding="utf-8")
    question = {"name": "geo.t.test", "type": "TXT", "from": "bob"}
    with operated(path=path) as server:
        assert server.call("POST", "/api/v1/resolve", question).status == 400
        path.write_text(PLACES.replace("alice:", "bob:"), encoding="utf-8")
        assert reload(server).status == 200
        assert server.call("POST", "/api/v1/resolve", question).ok["records"][0]["value"] == '"DE"'
