"""Who may call: this machine, and who the operator said; no page of another origin."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_network

import pytest
from aiohttp import web
from control.harness import CHECKS, Operated, anew, check_path, checks_zone, operated, place_path
from server.harness import need_ipv6

from dnsemu.cli.serve import read_block
from dnsemu.control.api import ROUTES
from dnsemu.control.guard import is_foreign, may_change

CHANGES = [
    # every route that changes something, with a path and a body that are right
    ("PUT", f"{check_path('web')}/override", {"status": "unhealthy"}),
    ("DELETE", f"{check_path('web')}/override", None),
    ("PUT", "/api/v1/alarms/eu-west-1/load%2Fp%2099%20%25%20%C3%A9", {"state": "ALARM"}),
    ("PUT", "/api/v1/routing-controls/cell-1", {"state": "Off"}),
    ("PUT", place_path("192.0.2.0/24"), {"country": "DE"}),
    ("DELETE", place_path("192.0.2.0/24"), None),
    ("POST", "/api/v1/reload", None),
    ("POST", "/api/v1/reset", None),
]
READS = ["/healthz", "/ready", "/metrics", "/api/v1/openapi.json", "/api/v1/status", "/api/v1/health-checks"]

CLIENTS = [
    # an address, the blocks of --allow-control, whether it may change something
    ("127.0.0.1", [], True),
    ("127.0.0.2", [], True),
    ("127.255.255.254", [], True),
    ("::1", [], True),
    ("::ffff:127.0.0.1", [], True),
    ("::ffff:7f00:1", [], True),
    ("::ffff:127.9.9.9", [], True),
    ("126.255.255.255", [], False),
    ("128.0.0.0", [], False),
    ("0.0.0.0", [], False),
    ("::", [], False),
    ("::2", [], False),
    ("::127.0.0.1", [], False),  # IPv4-compatible, which is nobody's by now
    ("64:ff9b::7f00:1", [], False),
    ("2002:7f00:1::", [], False),
    ("::ffff:192.0.2.1", [], False),
    ("10.0.0.1", [], False),
    ("192.168.1.1", [], False),
    ("172.17.0.1", [], False),
    ("169.254.1.1", [], False),
    ("fe80::1", [], False),
    ("fe80::1%eth0", [], False),
    ("fd00::1", [], False),
    ("2001:db8::1", [], False),
    ("192.0.2.1", ["192.0.2.0/24"], True),
    ("192.0.2.255", ["192.0.2.0/24"], True),
    ("192.0.3.0", ["192.0.2.0/24"], False),
    ("192.0.2.1", ["192.0.2.1/32"], True),
    ("192.0.2.2", ["192.0.2.1/32"], False),
    ("::ffff:192.0.2.1", ["192.0.2.0/24"], True),
    ("::ffff:192.0.3.1", ["192.0.2.0/24"], False),
    ("192.0.2.1", ["2001:db8::/32", "192.0.2.0/24"], True),
    ("192.0.2.1", ["::/0"], False),
    ("192.0.2.1", ["0.0.0.0/0"], True),
    ("2001:db8::1", ["0.0.0.0/0"], False),
    ("2001:db8::1", ["::/0"], True),
    ("2001:db8::1", ["2001:db8::/32"], True),
    ("2001:db9::1", ["2001:db8::/32"], False),
    ("fe80::1%eth0", ["fe80::/10"], True),
    ("fe80::1%25", ["fe80::/64"], True),
    ("127.0.0.1", ["192.0.2.0/24"], True),
    ("::1", ["2001:db8::/32"], True),
]


@pytest.mark.parametrize(
    ("text", "client", "may"),
    [
        ("::ffff:192.0.2.0/120", "192.0.2.7", True),
        ("::ffff:192.0.2.0/120", "::ffff:192.0.2.7", True),
        ("::ffff:192.0.2.7", "192.0.2.7", True),
        ("::ffff:192.0.2.0/120", "192.0.3.7", False),
        ("2001:db8::/120", "2001:db8::7", True),
    ],
)
def test_a_block_of_mapped_addresses_is_one_of_ipv4(text: str, client: str, may: bool) -> None:
    assert may_change(client, [read_block(text)]) is may


@pytest.mark.parametrize(("client", "allowed", "may"), CLIENTS)
def test_who_may_change_something(client: str, allowed: list[str], may: bool) -> None:
    assert may_change(client, [ip_network(block) for block in allowed]) is may


def test_every_change_is_in_these_tests() -> None:
    assert len(CHANGES) == sum(route.changes for route in ROUTES)
    assert not [route for route in ROUTES if route.method not in ("GET", "POST") and not route.changes]


@pytest.fixture(scope="module")
def _guarded() -> Iterator[Operated]:
    with operated(checks_zone(CHECKS), allowed=["198.51.100.0/24", "2001:db8::/32"]) as server:
        yield server


@pytest.fixture
def elsewhere(_guarded: Operated, monkeypatch: pytest.MonkeyPatch) -> Operated:
    """A server to whom everybody is elsewhere: what asks it seems to come from 192.0.2.9."""
    monkeypatch.setattr(web.Request, "remote", "192.0.2.9")
    return anew(_guarded)


@pytest.mark.parametrize(("method", "path", "body"), CHANGES, ids=[f"{row[0]} {row[1]}" for row in CHANGES])
def test_a_change_from_elsewhere_is_refused(elsewhere: Operated, method: str, path: str, body: object) -> None:
    elsewhere.on_loop(lambda: elsewhere.operations.monitor.force("api", healthy=False))
    reply = elsewhere.call(method, path, body)
    assert (reply.status, reply.error["code"]) == (403, "forbidden")
    assert reply.error["message"] == (
        "192.0.2.9 may not change anything: only 127.0.0.1, ::1 and what --allow-control names may"
    )
    assert elsewhere.seems("api") == "unhealthy"
    assert elsewhere.seems("web") == "healthy"


@pytest.mark.parametrize("header", ["X-Forwarded-For", "X-Real-IP", "Forwarded", "X-Client-IP", "CF-Connecting-IP"])
def test_what_a_request_says_of_its_client_is_not_believed(elsewhere: Operated, header: str) -> None:
    for value in ("127.0.0.1", "for=127.0.0.1", "::1"):
        assert elsewhere.call("POST", "/api/v1/reset", headers={header: value}).status == 403


def test_what_a_request_says_of_its_client_does_no_harm(checks: Operated) -> None:
    assert checks.call("POST", "/api/v1/reset", headers={"X-Forwarded-For": "192.0.2.9"}).status == 200


@pytest.mark.parametrize("path", [*READS, "/api/v1/queries", "/api/v1/places", "/api/v1/explain?name=n0.fo.test"])
def test_everybody_may_read(elsewhere: Operated, path: str) -> None:
    assert elsewhere.call("GET", path).status == 200


def test_everybody_may_ask(elsewhere: Operated) -> None:
    assert elsewhere.call("POST", "/api/v1/resolve", {"name": "n0.fo.test"}).status == 200


def test_a_body_is_not_read_for_nothing(elsewhere: Operated) -> None:
    reply = elsewhere.call("PUT", f"{check_path('web')}/override", octets=b"x" * 100)
    assert reply.status == 403  # and not 400


@pytest.mark.parametrize("client", ["198.51.100.7", "2001:db8::7", "::ffff:198.51.100.7"])
def test_those_who_are_allowed_may(elsewhere: Operated, monkeypatch: pytest.MonkeyPatch, client: str) -> None:
    monkeypatch.setattr(web.Request, "remote", client)
    with elsewhere.listening() as events:
        assert elsewhere.call("POST", "/api/v1/reset").status == 200
        assert events.until("control").content == {"what": "reset", "by": client}


def test_ipv6_on_the_loopback_interface_may() -> None:
    need_ipv6()
    with operated(checks_zone(CHECKS), host="::1") as server:
        assert server.force("web", "unhealthy")["status"] == "unhealthy"
        assert server.url == f"http://[::1]:{server.http[1]}"
        assert server.seems("web") == "unhealthy"
        assert server.call("POST", "/api/v1/reset", headers={"Origin": server.url}).status == 200


# Pages of other origins

BROWSERS = [
    # what a browser says beside Host, as far as it matters, whether that page may call
    ({"Host": "127.0.0.1:8053"}, True),  # no browser
    ({"Host": "dnsemu:8053"}, True),  # no browser, another container
    ({}, True),  # HTTP/1.0
    ({"Host": "127.0.0.1:8053", "Origin": "http://127.0.0.1:8053"}, True),
    ({"Host": "127.0.0.1", "Origin": "http://127.0.0.1"}, True),
    ({"Host": "localhost:8053", "Origin": "http://localhost:8053"}, True),
    ({"Host": "dnsemu.localhost:8053", "Origin": "http://dnsemu.localhost:8053"}, True),
    ({"Host": "[::1]:8053", "Origin": "http://[::1]:8053"}, True),
    ({"Host": "[::1]", "Origin": "http://[::1]"}, True),
    ({"Host": "192.168.1.5:8053", "Origin": "http://192.168.1.5:8053"}, True),
    ({"Host": "127.0.0.1:8053", "Origin": "http://127.0.0.1:8053", "Sec-Fetch-Site": "same-origin"}, True),
    ({"Host": "127.0.0.1:8053", "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}, True),
    ({"Host": "127.0.0.1:8053", "Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}, True),  # the address bar
    ({"Host": "127.0.0.1:8053", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "navigate"}, True),  # a link
    ({"Host": "127.0.0.1:8053", "Origin": "null"}, False),  # a file, a sandboxed frame, a redirect
    ({"Host": "127.0.0.1:8053", "Origin": ""}, False),
    ({"Host": "127.0.0.1:8053", "Origin": "https://evil.example"}, False),
    ({"Host": "127.0.0.1:8053", "Origin": "http://evil.example:8053"}, False),
    ({"Host": "127.0.0.1:8053", "Origin": "http://127.0.0.1:3000"}, False),
    ({"Host": "127.0.0.1:8053", "Origin": "http://127.0.0.1"}, False),
    ({"Host": "127.0.0.1:8053", "Origin": "https://127.0.0.1:8053"}, False),
    ({"Host": "127.0.0.1:8053", "Origin": "http://localhost:8053"}, False),
    ({"Host": "127.0.0.1:8053", "Origin": "http://127.0.0.1:8053.evil.example"}, False),
    ({"Host": "127.0.0.1:8053", "Origin": "http://127.0.0.1:8053/"}, False),
    ({"Host": "127.0.0.1:8053", "Origin": "http://127.0.0.1:8053, http://evil.example"}, False),
    ({"Host": "127.0.0.1:8053", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "cors"}, False),
    ({"Host": "127.0.0.1:8053", "Sec-Fetch-Site": "cross-site", "Sec-Fetch-Mode": "no-cors"}, False),  # an image
    ({"Host": "127.0.0.1:8053", "Sec-Fetch-Site": "cross-site"}, False),
    ({"Host": "localhost:8053", "Sec-Fetch-Site": "same-site", "Sec-Fetch-Mode": "cors"}, False),  # localhost:3000
    (
        {
            "Host": "127.0.0.1:8053",
            "Origin": "https://evil.example",
            "Sec-Fetch-Site": "cross-site",
            "Sec-Fetch-Mode": "navigate",
        },
        False,
    ),  # a form that is posted
    # a name that leads to 127.0.0.1 by now: to the browser it is the page's own origin
    ({"Host": "evil.example:8053", "Origin": "http://evil.example:8053"}, False),
    ({"Host": "evil.example", "Origin": "http://evil.example"}, False),
    ({"Host": "evil.example:8053", "Sec-Fetch-Site": "same-origin", "Sec-Fetch-Mode": "cors"}, False),
    ({"Host": "evil.example:8053", "Sec-Fetch-Site": "none", "Sec-Fetch-Mode": "navigate"}, False),
    ({"Host": "127.0.0.1.evil.example", "Origin": "http://127.0.0.1.evil.example"}, False),
    ({"Host": "localhost.evil.example", "Origin": "http://localhost.evil.example"}, False),
    ({"Host": "notlocalhost", "Origin": "http://notlocalhost"}, False),
    ({"Host": "127.1", "Origin": "http://127.1"}, False),
    ({"Host": "0x7f000001", "Origin": "http://0x7f000001"}, False),
    ({"Host": "[evil.example]:8053", "Origin": "http://[evil.example]:8053"}, False),
    ({"Host": "[::1", "Origin": "http://[::1"}, False),
    ({"Host": "", "Origin": "http://"}, False),
    ({"Origin": "http://"}, False),
    ({"Host": ":8053", "Origin": "http://:8053"}, False),
    ({"Host": "user@127.0.0.1", "Origin": "http://user@127.0.0.1"}, False),
    ({"Host": "127.0.0.1 evil.example", "Origin": "http://127.0.0.1 evil.example"}, False),
]


@pytest.mark.parametrize(("headers", "may"), BROWSERS, ids=[" ".join(row[0].values()) for row in BROWSERS])
def test_which_pages_may_call(headers: dict[str, str], may: bool) -> None:
    assert is_foreign(headers) is not may


def test_a_page_that_has_its_name_lead_here_may_not_read() -> None:
    """What a browser sends with a GET of the page's own origin: no Origin, and over http no Sec-Fetch-Site."""
    headers = {
        "Host": "evil.example:8053",
        "User-Agent": "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
        "Accept": "*/*",
        "Accept-Language": "en-US,en;q=0.5",
        "Referer": "http://evil.example:8053/",
    }
    assert is_foreign(headers)


def _hosted(server: Operated, headers: dict[str, str]) -> dict[str, str]:
    """The same for the port it has."""
    return {key: value.replace(":8053", f":{server.http[1]}") for key, value in headers.items()}


@pytest.mark.parametrize(
    ("headers", "may"),
    [row for row in BROWSERS if row[0].get("Host") and " " not in row[0]["Host"] and row[0]["Host"] != "[::1"],
)
def test_a_page_that_may_not_call_gets_nothing(checks: Operated, headers: dict[str, str], may: bool) -> None:
    for method, path, body in (CHANGES[0], ("GET", "/api/v1/status", None), ("OPTIONS", CHANGES[0][1], None)):
        reply = checks.call(method, path, body, headers=_hosted(checks, headers))
        if may:
            assert reply.status == (405 if method == "OPTIONS" else 200)
        else:
            assert (reply.status, reply.error["code"]) == (403, "forbidden")
            assert reply.error["message"] == "a page of another origin can not call this"
        assert not [name for name in reply.headers if name.lower().startswith("access-control-")]
    assert checks.seems("web") == ("unhealthy" if may else "healthy")


@pytest.mark.parametrize("path", [*READS, "/api/v1/events", "/api/v1/resolve", "/nothing"])
def test_no_path_is_left_out(checks: Operated, path: str) -> None:
    for method in ("GET", "POST", "PATCH"):
        assert checks.call(method, path, headers={"Origin": "https://evil.example"}).status == 403


def test_a_preflight_gets_no_permission(checks: Operated) -> None:
    headers = {
        "Origin": "https://evil.example",
        "Access-Control-Request-Method": "PUT",
        "Access-Control-Request-Headers": "content-type",
        "Access-Control-Request-Private-Network": "true",
    }
    reply = checks.call("OPTIONS", CHANGES[0][1], headers=headers)
    assert reply.status == 403
    assert not [name for name in reply.headers if name.lower().startswith("access-control-")]


def test_a_name_in_the_request_target_is_no_way_round(checks: Operated) -> None:
    """The Host header counts, which a page can not choose."""
    line = f"GET http://127.0.0.1:{checks.http[1]}/api/v1/status HTTP/1.1\r\n"
    head = "Host: evil.example\r\nOrigin: http://evil.example\r\nConnection: close\r\n\r\n"
    assert checks.raw((line + head).encode()).startswith(b"HTTP/1.1 403 ")
