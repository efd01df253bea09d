"""Server-sent events: what is told, to how many, and what becomes of those who do not listen well."""

from __future__ import annotations

import asyncio
import socket
import time
from contextlib import ExitStack
from http.client import HTTPResponse
from pathlib import Path

import dns.message
import pytest
from control.harness import ARN, CHECKS, Events, Operated, check_path, checks_zone, endpoint, operated, place_path
from server.harness import until

from dnsemu.control import looking
from dnsemu.control.events import MOST, Listener, as_event

EVENTS = "/api/v1/events"
ALARM = "/api/v1/alarms/eu-west-1/load%2Fp%2099%20%25%20%C3%A9"


def test_the_stream_is_what_eventsource_reads(checks: Operated) -> None:
    octets = b"GET /api/v1/events HTTP/1.0\r\nAccept: text/event-stream\r\nLast-Event-ID: 5\r\n\r\n"
    with checks.connected() as sock:
        sock.sendall(octets)
        stream = sock.makefile("rb")
        assert stream.readline().startswith(b"HTTP/1.0 200 ")
        while stream.readline() != b"\r\n":
            pass
        assert stream.readline() == b": dnsemu\n"
        assert stream.readline() == b"\n"
        checks.call("POST", "/api/v1/reset")
        assert stream.readline() == b"event: control\n"
        assert stream.readline() == b'data: {"what": "reset", "by": "127.0.0.1"}\n'
        assert stream.readline() == b"\n"
        stream.close()


CHANGES = [
    # a change, and what is told of it
    ("PUT", f"{check_path('web')}/override", {"status": "unhealthy"}, "health check web forced unhealthy"),
    (
        "PUT",
        f"{check_path('web')}/override",
        {"status": "unhealthy", "for": "2m", "reason": "a drill"},
        "health check web forced unhealthy for 2m: a drill",
    ),
    ("DELETE", f"{check_path('mirrored')}/override", None, "health check mirrored no longer forced, unhealthy"),
    ("PUT", ALARM, {"state": "ALARM"}, "alarm load/p 99 % é in eu-west-1 is ALARM"),
    ("PUT", "/api/v1/routing-controls/cell-1", {"state": "Off"}, f"routing control {ARN} is Off"),
    ("PUT", place_path("2001:db8::/32"), {"country": "DE"}, "place set for 2001:db8::/32"),
    ("POST", "/api/v1/reset", None, "reset"),
]


@pytest.mark.parametrize(("method", "path", "body", "what"), CHANGES)
def test_every_change_is_told(checks: Operated, method: str, path: str, body: object, what: str) -> None:
    with checks.listening() as events:
        assert checks.call(method, path, body).status == 200
        assert events.until("control").content == {"what": what, "by": "127.0.0.1"}


def test_a_place_that_is_dropped_is_told(checks: Operated) -> None:
    checks.place("192.0.2.0/24", country="DE")
    with checks.listening() as events:
        checks.call("DELETE", place_path("192.0.2.0/24"))
        assert events.next().content["what"] == "place of 192.0.2.0/24 dropped"


def test_what_is_refused_is_not_told(checks: Operated) -> None:
    with checks.listening() as events:
        checks.call("PUT", f"{check_path('web')}/override", {"status": "ill"})
        checks.call("PUT", f"{check_path('none')}/override", {"status": "healthy"})
        checks.call("DELETE", place_path("192.0.2.0/24"))
        checks.call("POST", "/api/v1/reset")
        assert events.next().content["what"] == "reset"


def test_transitions_are_told_parents_too_and_then_who_made_them(checks: Operated) -> None:
    with checks.listening() as events:
        checks.force("web", "unhealthy", reason="a drill")
        told = [events.next() for _ in range(3)]
    assert [(one.kind, one.content.get("health_check_id")) for one in told] == [
        ("transition", "web"),
        ("transition", "both"),
        ("control", None),
    ]
    assert told[0].content.pop("at").endswith("Z")
    assert told[0].content == {"health_check_id": "web", "status": "unhealthy", "why": "forced: a drill"}
    assert told[1].content["why"] == "1 of 2 children healthy, 2 needed"


def test_queries_are_told_as_they_are_listed(checks: Operated) -> None:
    with checks.listening() as events:
        checks.ask("n0.fo.test")
        checks.ask("n1.fo.test", "AAAA", tcp=True)
        told = [events.next() for _ in range(2)]
    assert {one.kind for one in told} == {"query"}
    assert [one.content for one in reversed(told)] == checks.call("GET", "/api/v1/queries").ok["queries"]


def test_what_happened_before_is_not_told() -> None:
    with operated(checks_zone(CHECKS)) as server:
        server.force("web", "unhealthy")
        server.ask("n0.fo.test")
        with server.listening() as events:
            server.ask("n1.fo.test")
            assert events.next().content["name"] == "n1.fo.test."


def test_odd_names_are_told(checks: Operated) -> None:
    with checks.listening() as events:
        checks.ask(r"a\010b\226\128\168.fo.test", "TYPE65280")
        assert events.until("query").content["name"] == r"a\012b\342\200\250.fo.test."


def test_reasons_may_have_line_feeds(checks: Operated) -> None:
    with checks.listening() as events:
        checks.force("web", "unhealthy", reason="one\n\ndata: two\r\u2028three")
        assert events.until("transition").content["why"] == r"forced: one\n\ndata: two\r\u2028three"


def test_probes_are_told() -> None:
    with endpoint() as sock:
        quick = {"failure_threshold": 2, "dnsemu": {"interval": "100ms"}}
        checks = {"web": {"type": "TCP", "ip_address": "127.0.0.1", "port": sock.getsockname()[1], **quick}}
        with operated(checks_zone(checks), probes=True) as server, server.listening() as events:
            well = events.until("probe").content
            sock.close()
            ill = events.until("probe", success=False).content
            events.until("transition", health_check_id="web", status="unhealthy")
    assert list(well) == list(ill)
    assert list(well) == [
        *("health_check_id", "at", "region", "success", "text"),
        *("address", "connect_ms", "tls_ms", "first_byte_ms"),
    ]
    assert (well["health_check_id"], well["success"], well["address"]) == ("web", True, "127.0.0.1")
    assert well["connect_ms"] > 0
    assert well["text"].startswith("Success: ")
    assert ill["text"].startswith("Failure: ")


def test_reloads_are_told(tmp_path: Path) -> None:
    path = tmp_path / "zones.yaml"
    path.write_text(checks_zone(CHECKS), encoding="utf-8")
    with operated(path=path) as server, server.listening() as events:
        sha256 = server.call("POST", "/api/v1/reload").ok["sha256"]
        assert events.until("reload").content == {"succeeded": True, "sha256": sha256}
        path.write_text("version: 2\n", encoding="utf-8")
        server.call("POST", "/api/v1/reload")
        told = events.until("reload").content
        assert told.pop("succeeded") is False
        assert told == {"reasons": [f"{path}:1:10: error[version]: version 2 is not known here"]}
        path.unlink()
        server.call("POST", "/api/v1/reload")
        assert events.until("reload").content["reasons"] == [f"there is no file or folder {path}"]


def test_a_reload_tells_which_checks_it_made_unhealthy(tmp_path: Path) -> None:
    path = tmp_path / "zones.yaml"
    path.write_text(checks_zone(CHECKS), encoding="utf-8")
    with operated(path=path) as server, server.listening() as events:
        changed = CHECKS | {"both": CHECKS["both"] | {"child_health_threshold": 3}}
        path.write_text(checks_zone(changed), encoding="utf-8")
        server.call("POST", "/api/v1/reload")
        told = events.until("transition").content
    assert (told["health_check_id"], told["status"], told["why"]) == (
        "both",
        "unhealthy",
        "the configuration changed",
    )


def test_silence_is_broken_so_that_one_knows_it_is_not_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "_HEARTBEAT", 0.05)
    with operated(checks_zone(CHECKS)) as server, server.connected() as sock:
        sock.sendall(b"GET /api/v1/events HTTP/1.0\r\n\r\n")
        stream = sock.makefile("rb")
        while (line := stream.readline()) != b": still here\n":
            assert line
        assert stream.readline() == b"\n"
        stream.close()


# Many of them


def test_all_listeners_are_told_the_same(checks: Operated) -> None:
    with ExitStack() as stack:
        listeners = [stack.enter_context(checks.listening()) for _ in range(30)]
        checks.force("api", "unhealthy")
        checks.ask("n0.fo.test")
        told = [sorted((events.next() for _ in range(4)), key=repr) for events in listeners]
        assert [one.kind for one in told[0]] == ["control", "query", "transition", "transition"]
        assert all(one == told[0] for one in told)


def test_sixty_four_may_listen(monkeypatch: pytest.MonkeyPatch) -> None:
    with operated(checks_zone(CHECKS)) as server, ExitStack() as stack:
        for _ in range(64):
            stack.enter_context(server.listening())
        reply = server.call("GET", EVENTS)
        assert (reply.status, reply.error["code"]) == (503, "busy")
        assert reply.error["message"] == "64 are listening already"
        for _ in range(5):
            assert server.seems("web") == "healthy"
        assert server.call("GET", "/api/v1/status").status == 200


def test_who_has_left_takes_no_place(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "_LOOK", 0.005)
    with operated(checks_zone(CHECKS)) as server:
        with server.listening():
            pass
        deadline = time.monotonic() + 1
        while server.operations.events.listeners and time.monotonic() < deadline:
            server.on_loop(lambda: None)
        assert not server.operations.events.listeners


def test_who_has_left_is_forgotten_with_the_next_events(checks: Operated) -> None:
    with checks.listening():
        assert len(checks.operations.events.listeners) >= 1

    def are_forgotten() -> bool:
        checks.call("POST", "/api/v1/reset")
        return not checks.operations.events.listeners

    until(are_forgotten)


# Those who are slow


class Slow:
    """A listener that does not read what it is told until `drain`."""

    def __init__(self, server: Operated, sock: socket.socket) -> None:
        self._server, self._sock = server, sock
        self.told = 0
        before = set(server.operations.events.listeners)
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.connect(server.http)
        sock.sendall(b"GET /api/v1/events HTTP/1.1\r\nHost: a\r\n\r\n")
        until(lambda: bool(server.operations.events.listeners - before))
        (self.listener,) = server.operations.events.listeners - before

    def tell(self, size: int) -> None:
        """One more event, to everybody."""
        content = {"what": "x" * size, "by": str(self.told)}
        self._server.on_loop(lambda: self._server.operations.events.tell("control", content))
        self.told += 1

    def fill(self) -> None:
        """Tell until the system keeps no more for it, and the server waits."""
        while not self._waits():
            self.tell(200_000)

    def _waits(self) -> bool:
        return all(self._server.on_loop(lambda: len(self.listener._waiting)) for _ in range(20))


def test_a_slow_listener_is_told_how_much_it_has_missed_and_holds_nobody_up() -> None:
    with operated(checks_zone(CHECKS)) as server, socket.socket() as sock:
        sock.settimeout(20)
        slow = Slow(server, sock)
        slow.fill()
        for _ in range(MOST + 300):
            slow.tell(1)
        with server.listening() as quick:
            assert server.force("web", "unhealthy")["status"] == server.seems("web") == "unhealthy"
            assert quick.until("transition").content["health_check_id"] == "web"
        assert len(slow.listener._waiting) == MOST

        happened, received, lost = slow.told + 4, 0, 0  # two transitions, who made them, a query
        response = HTTPResponse(sock)
        response.begin()
        events = Events(response)
        while received + lost < happened:
            event = events.next()
            if event.kind == "lost":
                lost += event.content["events"]
            else:
                received += 1
        assert received + lost == happened
        assert lost >= 300
        response.close()


def test_a_listener_is_told_how_many_queries_it_has_missed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(looking, "_MOST_QUERIES", 5)
    with operated(checks_zone(CHECKS)) as server, server.listening() as events:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
            sock.connect(server.dns)
            for number in range(60):
                sock.send(dns.message.make_query(f"q{number}.fo.test", "A").to_wire())
        names, lost = [], 0
        while len(names) + lost < 60:
            event = events.next()
            if event.kind == "lost":
                lost += event.content["events"]
            else:
                names.append(event.content["name"])
        assert names == sorted(names, key=lambda name: int(name[1:].partition(".")[0]))
        assert names[-1] == "q59.fo.test."
        assert len(names) + lost == 60


def test_events_wait_for_one_listener_up_to_a_number() -> None:
    """Without a server: the oldest go first."""
    listener, told = Listener(), [as_event("control", {"number": number}) for number in range(MOST + 7)]
    for event in told:
        listener.put(event)
    for expected in (b"".join([as_event("lost", {"events": 7}), *told[7:]]), b""):
        assert asyncio.run(listener.take(0.001)) == expected


# The end


def _ended(server: Operated) -> float:
    began = time.monotonic()
    server.end()
    return time.monotonic() - began


def test_closing_the_server_ends_all_streams() -> None:
    with operated(checks_zone(CHECKS)) as server, ExitStack() as stack:
        listeners = [stack.enter_context(server.listening()) for _ in range(20)]
        assert _ended(server) < 5
        assert [events.next_or_end() for events in listeners] == [None] * 20  # not cut off


def test_closing_the_server_waits_for_nobody_who_is_slow() -> None:
    with operated(checks_zone(CHECKS)) as server, socket.socket() as sock:
        sock.settimeout(20)
        Slow(server, sock).fill()
        began = time.monotonic()
        server.close()
        assert time.monotonic() - began < 5
        sock.close()  # what the system has kept for it goes with it


def test_closing_the_server_leaves_nothing_behind() -> None:
    with operated(checks_zone(CHECKS)) as server, server.listening():
        server.close()
        names = {getattr(task.get_coro(), "__qualname__", "") for task in asyncio.all_tasks(server.loop)}
        assert "_tell_queries" not in names
