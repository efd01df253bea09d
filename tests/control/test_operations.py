"""Every operation: what it gives, what it refuses and how it says so."""

from __future__ import annotations

import json
import re
from typing import Any

import pytest
from control.harness import ARN, CHECKS, ODD_IDS, Operated, check_path, checks_zone, operated, place_path

from dnsemu.control.api import ROUTES
from dnsemu.control.routes import STATUSES

API = "/api/v1"
WEB = f"{API}/health-checks/web"
OFFICE = f"{API}/places/192.0.2.0%2F24"
RESOLVE = f"{API}/resolve"
ALARM = f"{API}/alarms/eu-west-1/load%2Fp%2099%20%25%20%C3%A9"
CELL = f"{API}/routing-controls/cell-1"
QUESTION = {"name": "n0.fo.test"}

SUCCESSES: list[tuple[str, str, object, set[str]]] = [
    ("GET", f"{API}/status", None, {"version", "started_at", "uptime", "listeners", "configuration", "overrides"}),
    ("GET", f"{API}/health-checks", None, {"health_checks"}),
    ("GET", WEB, None, {"id", "type", "status", "since", "forced", "unforced_status", "checkers"}),
    ("PUT", f"{WEB}/override", {"status": "unhealthy"}, {"id", "status", "forced"}),
    ("DELETE", f"{WEB}/override", None, {"id", "status", "forced"}),
    ("PUT", ALARM, {"state": "ALARM"}, {"region", "name", "state"}),
    ("PUT", CELL, {"state": "Off"}, {"arn", "state"}),
    ("POST", f"{API}/resolve", QUESTION, {"name", "type", "from", "zone_id", "rcode", "records", "decisions"}),
    ("GET", f"{API}/explain?name=n0.fo.test", None, {"question", "client", "zone", "steps", "answer", "text"}),
    ("GET", f"{API}/queries", None, {"queries"}),
    ("GET", f"{API}/places", None, {"places"}),
    ("PUT", OFFICE, {"country": "DE"}, {"cidr", "country"}),
    ("DELETE", OFFICE, None, {"done"}),
    ("POST", f"{API}/reload", None, {"sha256", "hosted_zones", "record_sets", "health_checks", "warnings"}),
    ("POST", f"{API}/reset", None, {"done"}),
    ("GET", f"{API}/openapi.json", None, {"openapi", "info", "paths", "components"}),
]  # fmt: skip
TEXTS = [("/healthz", "ok\n"), ("/ready", "ready\n")]


@pytest.fixture(scope="module")
def from_files(tmp_path_factory: pytest.TempPathFactory) -> Any:
    path = tmp_path_factory.mktemp("zones") / "zones.yaml"
    path.write_text(checks_zone(CHECKS), encoding="utf-8")
    with operated(path=path) as server:
        server.place("192.0.2.0/24", country="DE")
        yield server


@pytest.mark.parametrize(
    ("method", "path", "body", "keys"), SUCCESSES, ids=[f"{row[0]} {row[1]}" for row in SUCCESSES]
)
def test_it_gives_json(from_files: Operated, method: str, path: str, body: object, keys: set[str]) -> None:
    assert keys <= from_files.call(method, path, body).ok.keys()


@pytest.mark.parametrize(("path", "text"), TEXTS)
def test_it_gives_text(checks: Operated, path: str, text: str) -> None:
    reply = checks.call("GET", path)
    assert (reply.status, reply.body.decode()) == (200, text)
    assert reply.headers["Content-Type"] == "text/plain; charset=utf-8"


def test_metrics_are_of_prometheus(checks: Operated) -> None:
    reply = checks.call("GET", "/metrics")
    assert reply.status == 200
    assert reply.headers["Content-Type"].startswith("text/plain; version=")
    assert b"\ndnsemu_build_info{" in reply.body


def test_every_route_has_a_row() -> None:
    tried = [(method, path.partition("?")[0]) for method, path, *_ in SUCCESSES] + [
        ("GET", path) for path, _ in TEXTS
    ]
    elsewhere = {("GET", "/metrics"), ("GET", f"{API}/events")}
    for route in ROUTES:
        pattern = re.sub(r"\{\w+(:.+?)?\}", ".+", route.path)
        assert (route.method, route.path) in elsewhere or any(
            method == route.method and re.fullmatch(pattern, path) for method, path in tried
        ), route


# What is refused

REFUSALS: list[tuple[str, str, object, int, str]] = [
    # method, path, body (JSON, or octets as they are), status, what the message has to say
    ("GET", f"{API}/health-checks/none", None, 404, "there is no health check 'none'"),
    ("PUT", f"{API}/health-checks/none/override", {"status": "healthy"}, 404, "there is no health check 'none'"),
    ("DELETE", f"{API}/health-checks/none/override", None, 404, "there is no health check 'none'"),
    ("GET", f"{API}/health-checks/a/b", None, 404, "there is nothing at /api/v1/health-checks/a/b;"),
    ("GET", f"{API}/health-checks/", None, 404, "there is nothing at /api/v1/health-checks/;"),
    ("PUT", f"{WEB}/override", {}, 400, "status: Field required"),
    ("PUT", f"{WEB}/override", b"", 400, "status: Field required"),
    ("PUT", f"{WEB}/override", {"status": "Healthy"}, 400, "status: Input should be 'healthy' or 'unhealthy'"),
    ("PUT", f"{WEB}/override", {"status": True}, 400, "status: "),
    ("PUT", f"{WEB}/override", {"status": None}, 400, "status: "),
    ("PUT", f"{WEB}/override", {"status": "healthy", "reason": "x" * 1025}, 400, "reason: "),
    ("PUT", f"{WEB}/override", {"status": "healthy", "reason": 5}, 400, "reason: "),
    ("PUT", f"{WEB}/override", {"status": "healthy", "until": "30s"}, 400, "until: Extra inputs are not permitted"),
    *[
        ("PUT", f"{WEB}/override", {"status": "healthy", "for": text}, 400, "for: ")
        for text in ("", "30", "1.5s", "-1s", "1S", "01s", "1d", " 1s", "1s ", "1s\n", "0s", "0ms", 30, 1.5, ["1s"])
    ],
    ("PUT", f"{WEB}/override", {"status": "healthy", "for": "876001h"}, 400, "for: at most 876000h"),
    ("PUT", f"{API}/alarms/eu-west-1/none", {"state": "OK"}, 404, "check watches an alarm none in eu-west-1"),
    ("PUT", f"{API}/alarms/us-east-1/load", {"state": "OK"}, 404, "check watches an alarm load in us-east-1"),
    ("PUT", f"{API}/alarms/eu-west-1", {"state": "OK"}, 404, "there is nothing at /api/v1/alarms/eu-west-1;"),
    ("PUT", ALARM, {"state": "ok"}, 400, "state: Input should be 'OK', 'ALARM' or 'INSUFFICIENT_DATA'"),
    ("PUT", ALARM, {}, 400, "state: Field required"),
    ("PUT", f"{API}/routing-controls/none", {"state": "On"}, 404, "no health check follows a routing control none"),
    ("PUT", f"{API}/routing-controls/controlpanel", {"state": "On"}, 404, "no health check follows"),
    ("PUT", CELL, {"state": "on"}, 400, "state: Input should be 'On' or 'Off'"),
    ("PUT", CELL, {"state": True}, 400, "state: "),
    ("POST", f"{API}/resolve", {}, 400, "name: Field required"),
    ("POST", f"{API}/resolve", {"name": ""}, 400, "name: String should have at least 1 character"),
    ("POST", f"{API}/resolve", {"name": "x" * 1025}, 400, "name: "),
    ("POST", f"{API}/resolve", {"name": 7}, 400, "name: "),
    ("POST", f"{API}/resolve", {"name": "x..y"}, 400, "'x..y' has an empty label"),
    ("POST", f"{API}/resolve", {"name": "ü.test"}, 400, "write it in Punycode: xn--tda.test"),
    ("POST", f"{API}/resolve", {"name": "a b.test"}, 400, r"must be escaped in a domain name; write \040"),
    ("POST", f"{API}/resolve", {"name": "n0.fo.test", "type": "ANY"}, 400, "'ANY' is no type that Route 53 serves"),
    ("POST", f"{API}/resolve", {"name": "n0.fo.test", "type": ""}, 400, "'' is no type that Route 53 serves"),
    ("POST", f"{API}/resolve", {"name": "n0.fo.test", "type": "TYPE65280"}, 400, "'TYPE65280' is no type"),
    ("POST", f"{API}/resolve", {"name": "n0.fo.test", "type": "A" * 17}, 400, "type: "),
    ("POST", f"{API}/resolve", {"name": "n0.fo.test", "from": "XX"}, 400, "'XX' is no place that is known here"),
    ("POST", f"{API}/resolve", {"name": "n0.fo.test", "from": "germany"}, 400, "did you mean DE?"),
    ("POST", f"{API}/resolve", {"name": "n0.fo.test", "from": "192.0.2.0/33"}, 400, "'192.0.2.0/33' is no place"),
    ("POST", f"{API}/resolve", {"name": "n0.fo.test", "subnet": "DE"}, 400, "subnet: Extra inputs are not permitted"),
    ("POST", f"{API}/resolve", [QUESTION, {"name": "x..y"}], 400, "'x..y' has an empty label"),
    ("POST", f"{API}/resolve", [QUESTION, 5], 400, "1: "),
    ("POST", f"{API}/resolve", [QUESTION] * 1001, 400, "1001 questions are too many: at most 1000 at once"),
    ("GET", f"{API}/explain", None, 400, "name: Field required"),
    ("GET", f"{API}/explain?name=", None, 400, "name: String should have at least 1 character"),
    ("GET", f"{API}/explain?name=fo.test&name=fo.test", None, 400, "name is given more than once"),
    ("GET", f"{API}/explain?nmae=fo.test", None, 400, "nmae: Extra inputs are not permitted"),
    ("GET", f"{API}/explain?name=fo.test&type=any", None, 400, "'any' is no type that Route 53 serves"),
    ("GET", f"{API}/explain?name=fo.test&from=XX", None, 400, "'XX' is no place that is known here"),
    ("GET", f"{API}/explain?name=%FF", None, 400, "has characters beyond ASCII"),
    ("GET", f"{API}/explain?name=%00", None, 400, "must be escaped"),
    ("GET", f"{API}/explain?name=www.other.test", None, 404, "www.other.test is in no hosted zone: REFUSED"),
    *[
        ("GET", f"{API}/queries?limit={text}", None, 400, "limit: ")
        for text in ("0", "-1", "1001", "", "x", "1e2", "5%00", "0x5", "%D9%A5", "1.5")
    ],
    ("GET", f"{API}/queries?limit=1&limit=1", None, 400, "limit is given more than once"),
    ("GET", f"{API}/queries?count=1", None, 400, "count: Extra inputs are not permitted"),
    *[
        (method, f"{API}/places/{text}", body, 400, "not a CIDR block: ")
        for text in ("x", "1", "10/8", "10.0.0.0/", "10.0.0.0/33", "10.0.0.0/-", "010.0.0.0/8", "10.0.0.1/8", "::1/8")
        for method, body in (("PUT", {"country": "DE"}), ("DELETE", None))
    ],
    ("DELETE", f"{API}/places/10.0.0.0%2F8", None, 404, "no place is set for 10.0.0.0/8"),
    ("PUT", OFFICE, {}, 400, "say where: continent, country, subdivision, coordinates, region or vpc_id"),
    ("PUT", OFFICE, b"", 400, "say where"),
    ("PUT", OFFICE, {"country": None}, 400, "say where"),
    ("PUT", OFFICE, {"country": "de"}, 400, "'de' is no country that Route 53 knows; did you mean DE?"),
    ("PUT", OFFICE, {"country": "UK"}, 400, "did you mean GB?"),
    ("PUT", OFFICE, {"country": "*"}, 400, "'*' is no country"),
    ("PUT", OFFICE, {"country": ""}, 400, "'' is no country"),
    ("PUT", OFFICE, {"country": "", "vpc_id": "none"}, 400, "'' is no country"),
    ("PUT", OFFICE, {"continent": "EU", "country": "DE"}, 400, "a continent stands alone"),
    ("PUT", OFFICE, {"subdivision": "WA"}, 400, "a continent or a country is missing here"),
    ("PUT", OFFICE, {"country": "US", "subdivision": "ZZ"}, 400, "'ZZ'"),
    ("PUT", OFFICE, {"region": "eu-west-9"}, 400, "'eu-west-9'"),
    ("PUT", OFFICE, {"vpc_id": "none"}, 400, "there is no VPC 'none'; known: none"),
    ("PUT", OFFICE, {"coordinates": {"latitude": 91, "longitude": 0}}, 400, "coordinates.latitude: "),
    ("PUT", OFFICE, {"coordinates": {"latitude": 0, "longitude": -181}}, 400, "coordinates.longitude: "),
    ("PUT", OFFICE, {"coordinates": {"latitude": 0}}, 400, "coordinates.longitude: Field required"),
    ("PUT", OFFICE, {"coordinates": [0, 0]}, 400, "coordinates: "),
    ("PUT", OFFICE, {"coordinates": {"latitude": 0, "longitude": 0, "height": 0}}, 400, "coordinates.height: "),
    ("PUT", OFFICE, b'{"coordinates": {"latitude": NaN, "longitude": 0}}', 400, "coordinates.latitude: "),
    ("PUT", OFFICE, b'{"coordinates": {"latitude": -Infinity, "longitude": 0}}', 400, "coordinates.latitude: "),
    ("PUT", OFFICE, b'{"coordinates": {"latitude": 1e999, "longitude": 0}}', 400, "coordinates.latitude: "),
    ("PUT", OFFICE, {"country": "DE", "city": "Berlin"}, 400, "city: Extra inputs are not permitted"),
    ("PUT", OFFICE, {"cidr": "10.0.0.0/8", "country": "DE"}, 400, "cidr: Extra inputs are not permitted"),
    ("POST", f"{API}/reload", None, 409, "what is served does not come from files: there is nothing to read again"),
    ("GET", "/nothing", None, 404, "there is nothing at /nothing; /api/v1/openapi.json lists what is"),
    ("GET", f"{API}/", None, 404, "there is nothing at /api/v1/;"),
    ("GET", f"/{API}/status", None, 404, "there is nothing at //api/v1/status;"),
    ("GET", f"{API}/status/", None, 404, "there is nothing at /api/v1/status/;"),
    ("GET", f"{API}/STATUS", None, 404, "there is nothing at /api/v1/STATUS;"),
    ("GET", "/%FF%00%0A", None, 404, "there is nothing at /"),
]  # fmt: skip
BODIES: list[tuple[bytes, str]] = [
    # octets that are no JSON object of any kind, and what is said of them
    (b"nonsense", "Invalid JSON: "),
    (b"status=healthy", "Invalid JSON: "),
    (b"{", "Invalid JSON: "),
    (b'{"status": "healthy"} ;', "Invalid JSON: "),
    (b'{"status": "healthy",}', "Invalid JSON: "),
    (b"{'status': 'healthy'}", "Invalid JSON: "),
    (b'{"status": "\xff"}', "Invalid JSON: "),
    (b'{"status": "\\ud800"}', "Invalid JSON: "),
    (b'\xff\xfe{\0"\0', "Invalid JSON: "),
    (b"[" * 1000, "Invalid JSON: "),
    (b'{"a":' * 1000, "Invalid JSON: "),
    (b"[" * 1000 + b"]" * 1000, "Invalid JSON: "),
    # What takes long to read, while answers wait, is not read.
    (b"[" * 100_000, "it has more than 2,000 values"),
    (b'{"a":' * 100_000, "it has more than 2,000 values"),
    (b'{"status": "healthy", "a": [' + b"{}," * 300_000 + b"0]}", "it has more than 2,000 values"),
    (b'{"status": "healthy", "a": [' + b"1," * 500_000 + b"0]}", "it has more than 2,000 values"),
    (b"9" * 100_000, "Invalid JSON: number out of range"),
    (b"null", "Input should be an object"),
    (b"[]", "Input should be an object"),
    (b'"healthy"', "Input should be an object"),
    (b"NaN", "Input should be an object"),
]


def _refused(server: Operated, method: str, path: str, body: object) -> Any:
    octets = body if isinstance(body, bytes) else None
    return server.call(method, path, None if octets is not None else body, octets=octets)


@pytest.mark.parametrize(
    ("method", "path", "body", "status", "said"),
    REFUSALS,
    ids=[f"{row[0]} {row[1]} {row[2]!r:.50}" for row in REFUSALS],
)
def test_it_refuses(checks: Operated, method: str, path: str, body: object, status: int, said: str) -> None:
    reply = _refused(checks, method, path, body)
    assert (reply.status, reply.error["code"]) == (status, STATUSES[status])
    assert said in reply.error["message"]


@pytest.mark.parametrize(("octets", "said"), BODIES, ids=[f"{row[0]!r:.40} {len(row[0])}" for row in BODIES])
@pytest.mark.parametrize("path", [f"{WEB}/override", ALARM, CELL, OFFICE])
def test_it_refuses_a_body_that_is_no_object(checks: Operated, path: str, octets: bytes, said: str) -> None:
    reply = checks.call("PUT", path, octets=octets)
    assert (reply.status, reply.error["code"]) == (400, "bad-request")
    assert f"the body is not what it should be: {said}" in reply.error["message"]


def test_what_was_refused_has_changed_nothing(checks: Operated) -> None:
    for method, path, body, status, _ in REFUSALS:
        assert _refused(checks, method, path, body).status == status
    assert [one["status"] for one in checks.call("GET", f"{API}/health-checks").ok["health_checks"]] == [
        "unhealthy" if check_id == "mirrored" else "healthy" for check_id in CHECKS
    ]
    assert checks.call("GET", f"{API}/places").ok == {"places": []}
    assert checks.call("GET", f"{API}/queries").ok == {"queries": []}


def test_every_reason_is_told(checks: Operated) -> None:
    error = checks.call("PUT", f"{WEB}/override", {"status": "ill", "for": "soon", "colour": "red"}).error
    assert [(one["path"], one["code"]) for one in error["details"]] == [
        ("status", "literal_error"),
        ("for", "time"),
        ("colour", "extra_forbidden"),
    ]
    for one in error["details"]:
        assert f"{one['path']}: {one['message']}" in error["message"]


def test_every_reason_is_told_of_a_place(places: Operated) -> None:
    body = {"coordinates": {"latitude": 91, "longitude": "far"}, "planet": "Mars"}
    error = places.call("PUT", OFFICE, body).error
    assert [one["path"] for one in error["details"]] == ["coordinates.latitude", "coordinates.longitude", "planet"]


def test_every_reason_is_told_of_a_place_that_is_nowhere(places: Operated) -> None:
    error = places.call("PUT", OFFICE, {"country": "XX", "region": "zz", "vpc_id": "q"}).error
    assert [one["path"] for one in error["details"]] == ["region", "country", "vpc_id"]


def test_every_reason_is_told_of_every_question(places: Operated) -> None:
    wrong = {"name": "a..b", "type": "ZZZ", "from": "zzz"}
    assert [one["path"] for one in places.call("POST", RESOLVE, wrong).error["details"]] == ["from", "type", "name"]
    many = [{"name": "which.t.test"}, wrong, {"name": "which.t.test", "type": "DNSKEY"}]
    found = places.call("POST", RESOLVE, many).error["details"]
    assert [one["path"] for one in found] == ["1.from", "1.type", "1.name", "2.type"]
    assert all(one["message"] and one["code"] for one in found)
    query = "name=a..b&type=ZZZ&from=zzz"
    found = places.call("GET", f"{API}/explain?{query}").error["details"]
    assert [one["path"] for one in found] == ["from", "type", "name"]


@pytest.mark.parametrize(
    ("method", "path"),
    [("GET", f"{API}/status"), ("GET", f"{API}/health-checks"), ("POST", RESOLVE), ("POST", f"{API}/reset")],
)
def test_parameters_that_are_not_known_are_refused(checks: Operated, method: str, path: str) -> None:
    checks.on_loop(lambda: checks.operations.monitor.force("api", healthy=False))
    error = checks.call(method, f"{path}?dry_run=1&x").error
    assert (error["code"], error["message"]) == ("bad-request", "this takes no parameters, so not dry_run, x either")
    assert checks.seems("api") == "unhealthy"


@pytest.mark.parametrize(("method", "path"), [("POST", f"{API}/reset"), ("DELETE", f"{WEB}/override")])
def test_a_body_that_says_something_is_refused_where_none_is_taken(checks: Operated, method: str, path: str) -> None:
    checks.on_loop(lambda: checks.operations.monitor.force("web", healthy=False))
    error = checks.call(method, path, {"dry_run": True}).error
    assert (error["code"], error["message"]) == ("bad-request", "this takes no body")
    assert checks.seems("web") == "unhealthy"
    assert checks.call(method, path, {}).status == 200
    assert checks.seems("web") == "healthy"


def test_the_server_is_not_ready_before_it_answers(checks: Operated) -> None:
    checks.on_loop(lambda: setattr(checks.operations, "is_ready", False))
    try:
        reply = checks.call("GET", "/ready")
        assert (reply.status, reply.error["code"]) == (503, "not-ready")
        assert checks.call("GET", "/healthz").status == 200
    finally:
        checks.on_loop(lambda: setattr(checks.operations, "is_ready", True))


METHODS = {
    "/healthz": "GET, HEAD",
    "/ready": "GET, HEAD",
    "/metrics": "GET, HEAD",
    f"{API}/openapi.json": "GET, HEAD",
    f"{API}/status": "GET, HEAD",
    f"{API}/health-checks": "GET, HEAD",
    f"{WEB}/override": "DELETE, PUT",
    WEB: "GET, HEAD",
    ALARM: "PUT",
    CELL: "PUT",
    f"{API}/resolve": "POST",
    f"{API}/explain": "GET, HEAD",
    f"{API}/queries": "GET, HEAD",
    f"{API}/events": "GET",
    f"{API}/places": "GET, HEAD",
    OFFICE: "DELETE, PUT",
    f"{API}/reload": "POST",
    f"{API}/reset": "POST",
}


@pytest.mark.parametrize(("path", "allowed"), METHODS.items())
def test_other_methods_are_not_possible(checks: Operated, path: str, allowed: str) -> None:
    for method in {"GET", "PUT", "POST", "DELETE", "PATCH", "OPTIONS", "TRACE"} - set(allowed.split(", ")):
        reply = checks.call(method, path)
        assert (reply.status, reply.error["code"]) == (405, "method-not-allowed"), method
        assert reply.headers["Allow"] == allowed
        assert reply.error["message"] == f"{method} is not possible here: {allowed}"


@pytest.mark.parametrize("path", ["/healthz", "/ready", "/metrics", f"{API}/status"])
def test_head_is_get_without_the_body(checks: Operated, path: str) -> None:
    reply = checks.call("HEAD", path)
    assert (reply.status, reply.body) == (200, b"")


# Ids in paths


@pytest.fixture(scope="module")
def odd() -> Any:
    with operated(checks_zone({check_id: {} for check_id in ODD_IDS})) as server:
        yield server


@pytest.mark.parametrize("check_id", ODD_IDS)
def test_any_id_can_be_called(odd: Operated, check_id: str) -> None:
    path, others = check_path(check_id), dict.fromkeys(ODD_IDS)
    assert odd.call("GET", path).ok["id"] == check_id
    assert odd.call("PUT", f"{path}/override", {"status": "unhealthy"}).ok["id"] == check_id
    assert [other for other in ODD_IDS if odd.seems(other, others) == "unhealthy"] == [check_id]
    assert odd.call("DELETE", f"{path}/override").ok["id"] == check_id
    assert odd.seems(check_id, others) == "healthy"


def test_an_id_may_have_line_feeds() -> None:
    with operated(checks_zone({"a\nb": {}})) as server:
        assert server.call("GET", check_path("a\nb")).ok["id"] == "a\nb"


@pytest.mark.parametrize("path", ["load/p%2099%20%25%20%C3%A9", "load%2Fp%2099%20%25%20%c3%a9"])
def test_an_alarm_may_be_called_with_plain_slashes(checks: Operated, path: str) -> None:
    given = checks.call("PUT", f"{API}/alarms/eu-west-1/{path}", {"state": "ALARM"}).ok
    assert given == {"region": "eu-west-1", "name": "load/p 99 % é", "state": "ALARM"}
    assert checks.seems("alarm") == "unhealthy"


@pytest.mark.parametrize("path", [ARN, ARN.replace("/", "%2F").replace(":", "%3A"), "cell-1"])
def test_a_routing_control_may_be_called_by_its_arn_or_its_end(checks: Operated, path: str) -> None:
    checks.do("PUT", f"{API}/routing-controls/{path}", {"state": "Off"})
    assert checks.seems("cell") == "unhealthy"


def test_a_routing_control_is_told_by_its_arn(checks: Operated) -> None:
    assert checks.call("PUT", CELL, {"state": "Off"}).ok == {"arn": ARN, "state": "Off"}


BLOCKS = [
    # as in the path, as it is given back
    ("192.0.2.0/24", "192.0.2.0/24"),
    ("192.0.2.0%2F24", "192.0.2.0/24"),
    ("192.0.2.0%2f24", "192.0.2.0/24"),
    ("192.0.2.7", "192.0.2.7/32"),
    ("0.0.0.0/0", "0.0.0.0/0"),
    ("::/0", "::/0"),
    ("::1", "::1/128"),
    ("2001:db8::/32", "2001:db8::/32"),
    ("2001%3Adb8%3A%3A%2F32", "2001:db8::/32"),
    ("2001:DB8:0:0:0:0:0:0/32", "2001:db8::/32"),
    ("::ffff:192.0.2.0/120", "192.0.2.0/24"),
    ("::ffff:c000:0207", "192.0.2.7/32"),
    ("::ffff:0:0/96", "0.0.0.0/0"),
]


@pytest.mark.parametrize(("path", "block"), BLOCKS)
def test_a_block_may_be_written_in_any_way(places: Operated, path: str, block: str) -> None:
    assert places.call("PUT", f"{API}/places/{path}", {"country": "DE"}).ok["cidr"] == block
    assert [one["cidr"] for one in places.call("GET", f"{API}/places").ok["places"]] == [block]
    assert places.call("DELETE", place_path(block)).ok == {"done": True}
    assert places.call("DELETE", f"{API}/places/{path}").error["message"] == f"no place is set for {block}"


@pytest.mark.parametrize("path", ["fe80::%251%2F64", "fe80::1%25eth0"])
def test_a_block_has_no_scope(places: Operated, path: str) -> None:
    assert places.call("PUT", f"{API}/places/{path}", {"country": "DE"}).status == 400


# What JSON may be


@pytest.mark.parametrize(
    "content_type", ["application/json", "text/plain", "application/x-www-form-urlencoded", "x", ""]
)
def test_a_body_is_json_whatever_it_is_said_to_be(checks: Operated, content_type: str) -> None:
    octets = json.dumps({"status": "unhealthy"}).encode()
    reply = checks.call("PUT", f"{WEB}/override", octets=octets, headers={"Content-Type": content_type})
    assert reply.ok["status"] == "unhealthy"


LAX: list[tuple[str, str, bytes]] = [
    ("PUT", OFFICE, b'{"coordinates": {"latitude": "1", "longitude": 0}}'),
    ("PUT", OFFICE, b'{"coordinates": {"latitude": true, "longitude": 0}}'),
    ("GET", f"{API}/queries?limit=1_0", b""),
    ("GET", f"{API}/queries?limit=%205", b""),
    ("GET", f"{API}/queries?limit=5.0", b""),
    ("GET", f"{API}/queries?limit=%2B5", b""),
]


@pytest.mark.parametrize(("method", "path", "octets"), LAX)
def test_numbers_are_numbers(checks: Operated, method: str, path: str, octets: bytes) -> None:
    assert checks.call(method, path, octets=octets or None).status == 400


@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("PUT", f"{WEB}/override", {"status": "healthy", "for_": "30s"}),
        ("POST", f"{API}/resolve", {"name": "fo.test", "from_": "DE"}),
        ("GET", f"{API}/explain?name=fo.test&from_=DE", None),
    ],
)
def test_keys_have_one_name(checks: Operated, method: str, path: str, body: object) -> None:
    assert checks.call(method, path, body).status == 400


def test_a_key_stands_once(checks: Operated) -> None:
    assert checks.call("PUT", f"{WEB}/override", octets=b'{"status": "unhealthy", "status": "healthy"}').status == 400


def test_the_schema_knows_what_a_length_of_time_is(checks: Operated) -> None:
    schemas = checks.call("GET", f"{API}/openapi.json").ok["components"]["schemas"]
    (pattern,) = (
        one["pattern"] for one in schemas["OverrideRequest"]["properties"]["for"]["anyOf"] if "pattern" in one
    )
    assert not re.search(pattern, "0s")


@pytest.mark.parametrize(
    ("body", "path"), [({"name": ""}, "name"), ([QUESTION, {"name": ""}], "1.name"), ({"name": "x", "y": 1}, "y")]
)
def test_what_is_wrong_with_questions_is_told_once(checks: Operated, body: object, path: str) -> None:
    error = checks.call("POST", f"{API}/resolve", body).error
    assert [one["path"] for one in error["details"]] == [path]
