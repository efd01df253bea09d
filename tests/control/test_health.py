"""Health that is forced, and what alarms and routing controls say: asked over DNS, too."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from control.harness import (
    ARN,
    CHECKS,
    Operated,
    check_path,
    checks_zone,
    endpoint,
    operated,
)

ALARM = "/api/v1/alarms/eu-west-1/load%2Fp%2099%20%25%20%C3%A9"
CELL = "/api/v1/routing-controls/cell-1"
OTHER = {"healthy": "unhealthy", "unhealthy": "healthy"}


def shown(server: Operated, check_id: str) -> Any:
    """A check, as the API shows it."""
    return server.call("GET", check_path(check_id)).ok


def moment(text: str) -> datetime:
    """One of the API's; it has to end in `Z`, for UTC, and to have milliseconds."""
    return datetime.strptime(text, "%Y-%m-%dT%H:%M:%S.%f%z")


def is_over(given: Any) -> bool:
    """Whether the time of an override has passed, as it may on a machine that is busy."""
    return datetime.now(UTC) >= moment(given["forced"]["until"])


@pytest.mark.parametrize("check_id", CHECKS)
def test_a_forced_status_holds_before_the_reply_leaves(checks: Operated, check_id: str) -> None:
    before = shown(checks, check_id)["status"]
    for number in range(100 if check_id == "web" else 10):
        for status in (OTHER[before], before):
            given = checks.force(check_id, status)
            assert checks.seems(check_id) == given["status"] == status, number


def test_it_is_told_who_forced_what(checks: Operated) -> None:
    given = checks.force("web", "unhealthy", reason="a fire drill")
    assert given == shown(checks, "web")
    assert given["forced"] == {"status": "unhealthy", "reason": "a fire drill", "until": None}
    assert (given["status"], given["unforced_status"]) == ("unhealthy", "healthy")
    assert given["transitions"]["unhealthy"] == 1 + shown(checks, "web")["transitions"]["healthy"]
    assert checks.call("GET", "/api/v1/status").ok["overrides"] == {"health": 1, "place": 0}


def test_forcing_what_is_so_is_no_transition(checks: Operated) -> None:
    before = shown(checks, "web")
    given = checks.force("web", "healthy", reason="sure")
    assert given["forced"]["reason"] == "sure"
    assert (given["since"], given["transitions"]) == (before["since"], before["transitions"])


def test_since_is_when_the_status_became_what_it_is(checks: Operated) -> None:
    started = moment(checks.call("GET", "/api/v1/status").ok["started_at"])
    first = checks.force("web", "unhealthy")
    assert moment(first["since"]) > started
    assert checks.force("web", "unhealthy", reason="still")["since"] == first["since"]
    assert checks.force("web", "healthy")["since"] >= first["since"]


def test_delete_brings_back_what_was(checks: Operated) -> None:
    for check_id in CHECKS:
        before = shown(checks, check_id)["status"]
        checks.force(check_id, OTHER[before])
        for _ in range(2):  # the second time there is nothing to delete, and that is as well
            given = checks.call("DELETE", f"{check_path(check_id)}/override").ok
            assert (given["status"], given["forced"]) == (before, None)
            assert checks.seems(check_id) == before


# Overrides that end


def test_for_ends_it(checks: Operated) -> None:
    with checks.listening() as events:
        given = checks.force("web", "unhealthy", **{"for": "120ms"})
        assert checks.seems("web") == "unhealthy" or is_over(given)
        told = events.until("transition", health_check_id="web", status="unhealthy")
        ended = events.until("transition", health_check_id="web", status="healthy")
        assert ended.content["why"] == "no longer forced"
        until = moment(given["forced"]["until"])
        assert timedelta(milliseconds=119) <= until - moment(told.content["at"]) <= timedelta(milliseconds=121)
        assert moment(ended.content["at"]) >= until
        assert checks.seems("web") == "healthy"
    assert shown(checks, "web")["forced"] is None


def test_for_ends_in_the_order_of_ends_and_not_of_beginnings(checks: Operated) -> None:
    with checks.listening() as events:
        given = [
            checks.force("web", "unhealthy", **{"for": "250ms"}),
            checks.force("api", "unhealthy", **{"for": "100ms"}),
        ]
        checks.force("resting", "unhealthy", **{"for": "1h"})
        ended = [
            events.until("transition", status="healthy", why="no longer forced").content["health_check_id"]
            for _ in given
        ]
    assert ended == [one["id"] for one in sorted(given, key=lambda one: one["forced"]["until"])]
    assert checks.seems("resting") == "unhealthy"


def test_another_override_takes_the_place_of_the_first_and_of_its_end(checks: Operated) -> None:
    with checks.listening() as events:
        checks.force("web", "unhealthy", **{"for": "80ms"})
        assert checks.force("web", "unhealthy")["forced"]["until"] is None
        checks.force("api", "unhealthy", **{"for": "160ms"})
        events.until("transition", health_check_id="api", why="no longer forced")
        assert checks.seems("web") == "unhealthy"
        checks.force("web", "unhealthy", **{"for": "1ms"})
        events.until("transition", health_check_id="web", status="healthy")


def test_an_end_after_delete_ends_nothing_more(checks: Operated) -> None:
    with checks.listening() as events:
        checks.force("web", "unhealthy", **{"for": "80ms"})
        checks.call("DELETE", f"{check_path('web')}/override")
        checks.force("web", "unhealthy")
        checks.force("api", "unhealthy", **{"for": "160ms"})
        events.until("transition", health_check_id="api", why="no longer forced")
        assert shown(checks, "web")["forced"] is not None


@pytest.mark.parametrize("text", ["1ms", "500ms", "30s", "2m", "1h", "87600h"])
def test_for_is_told_as_its_end(checks: Operated, text: str) -> None:
    with checks.listening() as events:
        given = checks.force("web", "unhealthy", **{"for": text})
        told = events.until("control").content["what"]
    assert told == f"health check web forced unhealthy for {text}"
    seconds = float(text.rstrip("msh")) * {"ms": 0.001, "s": 1, "m": 60, "h": 3600}[text.lstrip("0123456789")]
    if given["forced"] is not None:  # a millisecond may be over
        left = moment(given["forced"]["until"]) - moment(given["since"])
        assert abs(left.total_seconds() - seconds) < 0.01


def test_the_longest_time_can_be_shown(checks: Operated) -> None:
    given = checks.force("web", "unhealthy", **{"for": "876000h"})
    assert abs(moment(given["forced"]["until"]) - moment(given["since"]) - timedelta(hours=876_000)) < timedelta(
        seconds=1
    )
    assert checks.call("GET", "/api/v1/health-checks").status == 200


# Checks above others


def test_an_override_is_above_disabled_and_inverted_and_children(checks: Operated) -> None:
    for check_id in ("resting", "mirrored", "both"):
        for status in ("unhealthy", "healthy", "unhealthy"):
            checks.force(check_id, status)
            assert checks.seems(check_id) == status


def test_a_calculated_check_follows_forced_children(checks: Operated) -> None:
    def children() -> Any:
        return shown(checks, "both")["children"]

    assert children() == {"statuses": {"web": "healthy", "api": "healthy"}, "healthy": 2, "threshold": 2}
    checks.force("web", "unhealthy")
    assert checks.seems("both") == "unhealthy"
    assert children() == {"statuses": {"web": "unhealthy", "api": "healthy"}, "healthy": 1, "threshold": 2}
    checks.force("both", "healthy")
    assert checks.seems("both") == "healthy"
    assert shown(checks, "both")["unforced_status"] == "unhealthy"
    checks.call("DELETE", f"{check_path('web')}/override")
    assert shown(checks, "both")["unforced_status"] == "healthy"


# Alarms and routing controls


def feeding(check_id: str, **keys: Any) -> str:
    """A zone with one check, that is fed by an alarm or a routing control."""
    fed = {"alarm": {**CHECKS["alarm"], **keys}, "cell": {**CHECKS["cell"], **keys}}[check_id]
    return checks_zone({check_id: fed})


ALARMS = [
    # the check's insufficient_data_health_status, whether it is inverted; then what is said, and the status after it
    ("Healthy", False, ["ALARM unhealthy", "OK healthy", "ALARM unhealthy", "INSUFFICIENT_DATA healthy"]),
    ("Unhealthy", False, ["INSUFFICIENT_DATA unhealthy", "OK healthy", "INSUFFICIENT_DATA unhealthy"]),
    ("LastKnownStatus", False, ["INSUFFICIENT_DATA healthy", "ALARM unhealthy", "INSUFFICIENT_DATA unhealthy"]),
    ("LastKnownStatus", False, ["OK healthy", "ALARM unhealthy", "OK healthy", "INSUFFICIENT_DATA healthy"]),
    ("Healthy", True, ["OK unhealthy", "ALARM healthy", "INSUFFICIENT_DATA unhealthy"]),
    ("Unhealthy", True, ["INSUFFICIENT_DATA healthy", "OK unhealthy"]),
]  # fmt: skip


@pytest.mark.parametrize(("insufficient", "inverted", "steps"), ALARMS)
def test_an_alarm_feeds_its_check(insufficient: str, inverted: bool, steps: list[str]) -> None:
    text = feeding("alarm", insufficient_data_health_status=insufficient, invert_healthcheck=inverted)
    with operated(text) as server:
        for step in steps:
            state, status = step.split()
            given = server.call("PUT", ALARM, {"state": state}).ok
            assert server.seems("alarm", {"alarm": {}}) == status
            assert shown(server, "alarm")["alarm"] == given
            assert given == {"region": "eu-west-1", "name": "load/p 99 % é", "state": state}


@pytest.mark.parametrize(("inverted", "on"), [(False, "healthy"), (True, "unhealthy")])
def test_a_routing_control_feeds_its_check(inverted: bool, on: str) -> None:
    with operated(feeding("cell", invert_healthcheck=inverted)) as server:
        for state in ("Off", "On", "Off"):
            server.call("PUT", CELL, {"state": state})
            assert server.seems("cell", {"cell": {}}) == (on if state == "On" else OTHER[on])
            assert shown(server, "cell")["routing_control"] == {"arn": ARN, "state": state}


def test_one_alarm_feeds_all_checks_that_watch_it() -> None:
    same = {f"c{number}": CHECKS["alarm"] for number in range(3)}
    with operated(
        checks_zone(same | {"other": {**CHECKS["alarm"], "cloudwatch_alarm_region": "eu-west-2"}})
    ) as server:
        server.call("PUT", ALARM, {"state": "ALARM"})
        found = {one["id"]: one["status"] for one in server.call("GET", "/api/v1/health-checks").ok["health_checks"]}
    assert found == {"c0": "unhealthy", "c1": "unhealthy", "c2": "unhealthy", "other": "healthy"}


def test_what_an_alarm_says_waits_beneath_an_override(checks: Operated) -> None:
    checks.force("alarm", "healthy")
    checks.call("PUT", ALARM, {"state": "ALARM"})
    assert checks.seems("alarm") == "healthy"
    given = checks.call("DELETE", f"{check_path('alarm')}/override").ok
    assert given["status"] == checks.seems("alarm") == "unhealthy"


def test_nobody_has_said_anything_at_first(checks: Operated) -> None:
    assert shown(checks, "alarm")["alarm"]["state"] is None
    assert shown(checks, "cell")["routing_control"]["state"] is None


def test_fields_are_there_for_the_checks_that_have_them(checks: Operated) -> None:
    found = {one["id"]: one for one in checks.call("GET", "/api/v1/health-checks").ok["health_checks"]}
    assert found.keys() == CHECKS.keys()
    assert all(found[check_id] == shown(checks, check_id) for check_id in found)
    for field, having in {
        "endpoint": {"web", "api", "resting", "mirrored"},
        "interval": {"web", "api", "resting", "mirrored"},
        "failure_threshold": {"web", "api", "resting", "mirrored"},
        "percentage_healthy": {"web", "api", "resting", "mirrored"},
        "children": {"both"},
        "alarm": {"alarm"},
        "routing_control": {"cell"},
    }.items():
        assert {check_id for check_id, one in found.items() if one[field] is not None} == having, field
    assert [check_id for check_id, one in found.items() if one["inverted"]] == ["mirrored"]
    assert [check_id for check_id, one in found.items() if one["disabled"]] == ["resting"]
    assert found["web"]["endpoint"] == "tcp://127.0.0.1:9"
    assert found["web"]["interval"] == 30


ENDPOINTS = [
    ({"type": "HTTP", "fqdn": "w.test"}, "http://w.test:80/"),
    ({"type": "HTTP", "fqdn": "w.test", "ip_address": "192.0.2.1", "port": 81}, "http://w.test:81/ at 192.0.2.1"),
    ({"type": "HTTPS", "ip_address": "2001:db8::1", "resource_path": "/x?y"}, "https://[2001:db8::1]:443/x?y"),
    ({"type": "HTTP_STR_MATCH", "fqdn": "w.test", "search_string": "up"}, "http://w.test:80/"),
    ({"type": "TCP", "ip_address": "192.0.2.1", "port": 25}, "tcp://192.0.2.1:25"),
]


def test_an_endpoint_is_told_as_a_url() -> None:
    with operated(checks_zone({f"c{number}": keys for number, (keys, _) in enumerate(ENDPOINTS)})) as server:
        found = {
            one["id"]: one["endpoint"] for one in server.call("GET", "/api/v1/health-checks").ok["health_checks"]
        }
    assert found == {f"c{number}": url for number, (_, url) in enumerate(ENDPOINTS)}


def test_checks_are_listed_in_the_order_of_the_files(checks: Operated) -> None:
    assert [one["id"] for one in checks.call("GET", "/api/v1/health-checks").ok["health_checks"]] == list(CHECKS)


# What is forced, and reloads


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """A zone file that tests write anew."""
    path = tmp_path / "zones.yaml"
    path.write_text(checks_zone(CHECKS), encoding="utf-8")
    return path


def test_what_is_forced_survives_a_reload(file: Path) -> None:
    with operated(path=file) as server:
        server.force("web", "unhealthy", reason="a fire drill")
        server.force("both", "healthy")
        server.call("PUT", ALARM, {"state": "ALARM"})
        server.call("PUT", CELL, {"state": "Off"})
        changed = {check_id: keys for check_id, keys in CHECKS.items() if check_id != "api"}
        changed["both"] = {**CHECKS["both"], "child_healthchecks": ["web"], "child_health_threshold": 1}
        changed["web"] = {"port": 10}
        file.write_text(checks_zone(changed), encoding="utf-8")
        server.do("POST", "/api/v1/reload")
        expected = {"web": "unhealthy", "both": "healthy", "alarm": "unhealthy", "cell": "unhealthy"}
        assert {check_id: server.seems(check_id, changed) for check_id in expected} == expected
        assert shown(server, "web")["forced"]["reason"] == "a fire drill"
        assert server.call("GET", check_path("api")).status == 404


def test_an_override_ends_after_a_reload_too(file: Path) -> None:
    with operated(path=file) as server, server.listening() as events:
        given = server.force("web", "unhealthy", **{"for": "300ms"})
        server.do("POST", "/api/v1/reload")
        assert shown(server, "web")["forced"] == given["forced"] or is_over(given)
        events.until("transition", health_check_id="web", status="healthy", why="no longer forced")
        assert server.seems("web") == "healthy"


def test_a_check_that_comes_back_is_not_forced_any_more(file: Path) -> None:
    with operated(path=file) as server:
        server.force("resting", "unhealthy")
        for checks in ({check_id: keys for check_id, keys in CHECKS.items() if check_id != "resting"}, CHECKS):
            file.write_text(checks_zone(checks), encoding="utf-8")
            server.do("POST", "/api/v1/reload")
        assert server.seems("resting") == "healthy"


def test_a_refused_reload_leaves_what_is_forced(file: Path) -> None:
    with operated(path=file) as server:
        server.force("web", "unhealthy")
        file.write_text("version: 2\n", encoding="utf-8")
        assert server.call("POST", "/api/v1/reload").status == 400
        assert server.seems("web") == "unhealthy"
        assert server.force("web", "healthy")["status"] == server.seems("web") == "healthy"


def test_checks_are_listed_while_a_reload_takes_them_away(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from dnsemu.control import api

    describe_check = api.describe_check
    with operated(path=file) as server:

        def after_reload(*arguments: Any) -> Any:
            monkeypatch.setattr(api, "describe_check", describe_check)
            file.write_text(checks_zone({"other": {}}), encoding="utf-8")
            server.run(server.operations.reload())
            return describe_check(*arguments)

        monkeypatch.setattr(api, "describe_check", after_reload)
        assert server.call("GET", "/api/v1/health-checks").status == 200


# Probes


def test_what_a_probe_saw_is_shown() -> None:
    with endpoint() as sock:
        quick = {"failure_threshold": 1, "dnsemu": {"interval": "100ms"}}
        checks = {"web": {"type": "TCP", "ip_address": "127.0.0.1", "port": sock.getsockname()[1], **quick}}
        with operated(checks_zone(checks), probes=True) as server, server.listening() as events:
            events.until("probe", success=True)
            sock.close()
            events.until("transition", health_check_id="web", status="unhealthy")
            found = shown(server, "web")
            (checker,) = found["checkers"]
            assert (found["status"], found["percentage_healthy"]) == ("unhealthy", 0)
            assert found["probes"]["success"] >= 1
            assert found["probes"]["failure"] >= 1
            assert (checker["status"], checker["results_to_the_contrary"]) == ("unhealthy", 0)
            seen = checker["observation"]
            assert (seen["success"], seen["address"]) == (False, "127.0.0.1")
            assert (seen["tls_ms"], seen["first_byte_ms"]) == (None, None)
            assert seen["text"].startswith("Failure: ")
            assert moment(seen["at"]) >= moment(found["since"])
            assert server.force("web", "healthy")["unforced_status"] == "unhealthy"
            assert server.seems("web", checks) == "healthy"
