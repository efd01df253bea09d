"""`dnsemu explain --http`: the words of `explain` with files, by what a running server knows."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from urllib.request import Request, urlopen

import pytest
from cli.test_health import PATIENCE, Operated, closed_port, dnsemu, operated

ZONE = """\
version: 1
hosted_zones:
  - name: e.test
    record_sets:
      - {name: plain, type: A, ttl: 300, records: [192.0.2.1, 192.0.2.2, 192.0.2.3]}
      - {name: www, type: CNAME, ttl: 60, records: geo.e.test}
      - {name: top, type: A, alias: {name: w, evaluate_target_health: true}}
      - {name: "*.wild", type: TXT, ttl: 60, records: '"wild"'}
      - {name: cut, type: NS, ttl: 60, records: ns.example.net}
      - name: w
        type: A
        ttl: 60
        members:
          - {set_identifier: blue, weighted_routing_policy: {weight: 90}, health_check_id: web, records: 192.0.2.10}
          - {set_identifier: green, weighted_routing_policy: {weight: 10}, records: 192.0.2.11}
          - {set_identifier: größer, weighted_routing_policy: {weight: 40}, records: 192.0.2.12}
      - name: mv
        type: A
        ttl: 60
        members:
          - {set_identifier: a, multivalue_answer_routing_policy: true, health_check_id: web, records: 192.0.2.15}
          - {set_identifier: b, multivalue_answer_routing_policy: true, records: 192.0.2.16}
      - name: geo
        type: A
        ttl: 60
        members:
          - {set_identifier: de, geolocation_routing_policy: {country: DE}, records: 192.0.2.20}
          - {set_identifier: rest, geolocation_routing_policy: {country: "*"}, records: 192.0.2.21}
      - name: fo
        type: A
        ttl: 30
        members:
          - {set_identifier: p, failover_routing_policy: {type: PRIMARY}, health_check_id: both, records: 192.0.2.30}
          - {set_identifier: s, failover_routing_policy: {type: SECONDARY}, records: 192.0.2.31}
  - name: corp.e.test
    vpc: [{vpc_id: vpc-lab, vpc_region: eu-west-1}]
    record_sets:
      - {name: db, type: A, ttl: 60, records: 172.30.0.9}
health_checks:
  - {id: web, type: TCP, ip_address: 192.0.2.250, port: 80}
  - {id: down, type: TCP, ip_address: 192.0.2.250, port: 80, dnsemu: {initial_status: unhealthy}}
  - {id: both, type: CALCULATED, child_healthchecks: [web, down], child_health_threshold: 1}
dnsemu:
  seed: 42
  places:
    alice: {country: DE}
    lab: {vpc_id: vpc-lab}
  vpcs: [{vpc_id: vpc-lab, cidr_blocks: [172.30.0.0/24]}]
"""


@pytest.fixture(scope="module")
def zone(tmp_path_factory: pytest.TempPathFactory) -> Path:
    file = tmp_path_factory.mktemp("zones") / "e.yaml"
    file.write_text(ZONE)
    return file


@pytest.fixture(scope="module")
def _server(zone: Path) -> Iterator[Operated]:
    with operated(zone) as one:
        yield one


@pytest.fixture
def server(_server: Operated) -> Operated:
    """Nothing was asked, and nothing is forced."""
    assert _server.dnsemu("reset").exit_code == 0
    return _server


QUESTIONS = [
    *("plain.e.test", "plain.e.test A", "plain.e.test TYPE1", "plain.e.test AAAA", "PLAIN.E.Test.", "e.test"),
    *("www.e.test", "top.e.test", "x.wild.e.test TXT", "a.cut.e.test", "nothing.e.test", "e.test SOA", "e.test ns"),
    *("w.e.test", "mv.e.test", "fo.e.test", "geo.e.test", "geo.e.test --from DE", "geo.e.test --from alice"),
    *("geo.e.test --from 198.51.100.0/24", "geo.e.test --from 2001:db8::/48", "geo.e.test A --from US-VA"),
    *("db.corp.e.test --from lab", "db.corp.e.test --from 172.30.0.7", "db.corp.e.test"),
]


@pytest.mark.parametrize("form", ["human", "json"])
@pytest.mark.parametrize("question", QUESTIONS)
def test_at_the_start_it_is_what_the_files_say(server: Operated, zone: Path, question: str, form: str) -> None:
    words = [*question.split(), "--format", form]
    done = server.dnsemu("explain", *words)
    by_files = dnsemu("explain", *question.split()[:1], *_with_path(question, zone), "--format", form)
    assert (done.exit_code, done.stderr) == (0, "")
    if form == "json":
        assert json.loads(done.stdout) == json.loads(by_files.stdout)
    else:
        assert done.stdout == by_files.stdout


def _with_path(question: str, zone: Path) -> list[str]:
    """What comes behind the name, and the file behind the type."""
    rest = question.split()[1:]
    at = 1 if rest and not rest[0].startswith("--") else 0
    return [*rest[:at], str(zone), *rest[at:]]


@pytest.mark.parametrize("name", ["w.e.test", "top.e.test", "mv.e.test", "plain.e.test"])
def test_it_is_what_the_server_answers_next(server: Operated, name: str) -> None:
    """And asking why does not change the answer."""
    for _ in range(6):
        said = [json.loads(server.dnsemu("explain", name, "--format", "json").stdout)["answer"] for _ in range(2)]
        assert said[0] == said[1]
        assert [record["value"] for record in said[0]["records"]] == server.ask(name)


def lines(server: Operated, *words: str) -> list[str]:
    done = server.dnsemu("explain", *words)
    assert (done.exit_code, done.stderr) == (0, "")
    return [" ".join(line.split()) for line in done.stdout.splitlines()]


def test_it_tells_the_health_that_the_server_knows(server: Operated, zone: Path) -> None:
    before = lines(server, "fo.e.test")
    assert "* p PRIMARY healthy (health check both) 192.0.2.30" in before
    server.dnsemu("health", "force", "web", "unhealthy")
    told = lines(server, "fo.e.test")
    assert "- p PRIMARY UNHEALTHY (health check both) 192.0.2.30" in told
    assert "* s SECONDARY healthy 192.0.2.31" in told
    assert "share 100.00% 192.0.2.31" in told
    assert "- blue weight 90, not in the pool UNHEALTHY (health check web) 192.0.2.10" in lines(server, "w.e.test")
    assert "* p PRIMARY healthy (health check both) 192.0.2.30" in [
        " ".join(line.split()) for line in dnsemu("explain", "fo.e.test", str(zone)).stdout.splitlines()
    ], "files know of nothing that is forced"
    server.dnsemu("health", "clear", "web")
    assert lines(server, "fo.e.test") == before


def test_it_tells_the_places_that_the_server_was_told(server: Operated) -> None:
    url = f"http://{server.place}/api/v1/places/203.0.113.0%2F24"
    with urlopen(Request(url, b'{"country": "DE"}', method="PUT"), timeout=PATIENCE) as answer:
        assert answer.status == 200
    told = lines(server, "geo.e.test", "--from", "203.0.113.9")
    assert "* de country DE: the client is in Germany healthy 192.0.2.20" in told
    server.dnsemu("reset")
    assert "choice rest: the default, as nothing else is for this client" in lines(
        server, "geo.e.test", "--from", "203.0.113.9"
    )


def test_colour_is_for_terminals(server: Operated) -> None:
    server.dnsemu("health", "force", "web", "unhealthy")
    plain, coloured = [server.dnsemu("explain", "w.e.test", color=color).stdout for color in (False, True)]
    assert "\x1b" not in plain
    assert "\x1b[32m  * " in coloured
    assert "\x1b[31m  - blue" in coloured


REFUSED = {
    "nope.example": "nope.example is in no hosted zone: REFUSED",
    "db.corp.example --from lab": "db.corp.example is in no hosted zone: REFUSED",
    "geo.e.test --from Atlantis": "'Atlantis' is no place that is known here",
    "geo.e.test --from UK": "'UK' is no place that is known here",
    "geo.e.test --from 198.51.100.0/33": "'198.51.100.0/33'",
    "geo.e.test --from 300.1.1.1": "'300.1.1.1'",
    "a..b": "'a..b' has an empty label",
}


@pytest.mark.parametrize("question", REFUSED)
def test_what_it_can_not_tell_is_no_traceback(server: Operated, question: str) -> None:
    done = server.dnsemu("explain", *question.split())
    assert (done.exit_code in (1, 2), done.stdout) == (True, "")
    assert REFUSED[question] in done.stderr
    if "no hosted zone" in REFUSED[question]:
        assert (done.exit_code, done.stderr) == (1, f"dnsemu: {REFUSED[question]}\n")


@pytest.mark.parametrize("words", ["PATH", "A PATH"])
def test_files_and_a_server_exclude_each_other(server: Operated, zone: Path, words: str) -> None:
    done = server.dnsemu("explain", "plain.e.test", *words.replace("PATH", str(zone)).split())
    assert (done.exit_code, done.stdout) == (2, "")
    assert "PATH and --http exclude each other" in done.stderr


@pytest.mark.parametrize("rdtype", ["XX", "ANY", "TYPE65280", "a.e.test"])
def test_a_type_that_is_none(server: Operated, rdtype: str) -> None:
    done = server.dnsemu("explain", "plain.e.test", rdtype)
    assert (done.exit_code, done.stdout) == (2, "")


def test_nobody_there_is_3() -> None:
    with closed_port() as nobody:
        done = dnsemu("explain", "plain.e.test", "--http", nobody)
    assert (done.exit_code, done.stdout) == (3, "")
    assert done.stderr.startswith(f"dnsemu: no answer from http://{nobody}: Connection refused")
