"""`dnsemu query --from` and `--repeat` against servers of ours: who asks, and how often each answer comes."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator

import pytest
from click.testing import CliRunner, Result

from dnsemu.cli import query
from dnsemu.testing import TestServer, serve

ZONE = """\
version: 1
hosted_zones:
  - name: example.com
    zone_id: Z0EXAMPLE
    name_servers: [ns1.example.net]
    record_sets:
      - {name: plain, type: A, ttl: 60, records: [192.0.2.1, 192.0.2.2]}
      - {name: text, type: TXT, ttl: 60, records: ['"a b"', '"c"']}
      - {name: away, type: CNAME, ttl: 60, records: far.example}
      - {name: www, type: CNAME, ttl: 60, records: geo.example.com}
      - {name: cut, type: NS, ttl: 60, records: ns.example.net}
      - name: w
        type: A
        ttl: 60
        members:
          - {set_identifier: a, weighted_routing_policy: {weight: 90}, records: 192.0.2.10}
          - {set_identifier: b, weighted_routing_policy: {weight: 10}, records: 192.0.2.11}
          - {set_identifier: c, weighted_routing_policy: {weight: 0}, records: 192.0.2.12}
      - name: half
        type: A
        ttl: 60
        members:
          - {set_identifier: a, weighted_routing_policy: {weight: 1}, records: [192.0.2.20, 192.0.2.21]}
          - {set_identifier: b, weighted_routing_policy: {weight: 1}, records: 192.0.2.20}
      - name: lost
        type: CNAME
        ttl: 60
        members:
          - {set_identifier: a, weighted_routing_policy: {weight: 1}, records: w.example.com}
          - {set_identifier: b, weighted_routing_policy: {weight: 1}, records: nowhere.example.com}
      - name: geo
        type: A
        ttl: 60
        members:
          - {set_identifier: de, geolocation_routing_policy: {country: DE}, records: 192.0.2.30}
          - {set_identifier: us, geolocation_routing_policy: {country: US}, records: 192.0.2.31}
          - {set_identifier: va, geolocation_routing_policy: {country: US, subdivision: VA}, records: 192.0.2.32}
          - {set_identifier: ie, geolocation_routing_policy: {country: IE}, records: 192.0.2.33}
          - {set_identifier: rest, geolocation_routing_policy: {country: "*"}, records: 192.0.2.39}
      - {name: ill, type: A, ttl: 60, set_identifier: i, weighted_routing_policy: {weight: 1}, health_check_id: down,
         records: 192.0.2.40}
health_checks:
  - {id: down, type: TCP, ip_address: 192.0.2.250, port: 80, dnsemu: {initial_status: unhealthy}}
dnsemu:
  places:
    alice: {country: DE}
    office-2: {country: IE}
"""
SILENT = ZONE + "  options: {explain_txt: false}\n"
EXPLAINED = ("192.0.2.10", "192.0.2.11")

pytestmark = pytest.mark.e2e


@pytest.fixture(scope="module")
def server() -> Iterator[TestServer]:
    with serve(text=ZONE, seed=1) as running:
        yield running


def run(server: TestServer, arguments: str, color: bool = False) -> Result:
    host, port = server.address
    words = [*arguments.split(), "--server", f"{host}:{port}"]
    return CliRunner().invoke(query.command, words, color=color)


# --from

WHENCE = [  # --from, who answers for geo
    ("DE", "192.0.2.30"),
    ("de", "192.0.2.30"),
    ("US-VA", "192.0.2.32"),
    ("us-wa", "192.0.2.31"),
    ("eu-west-1", "192.0.2.33"),
    ("us-east-1", "192.0.2.32"),
    ("us-east-1-bos-1", "192.0.2.31"),
    ("alice", "192.0.2.30"),
    ("office-2", "192.0.2.33"),
    ("198.18.56.7", "192.0.2.30"),
    ("198.18.56.7/24", "192.0.2.30"),
    ("2001:db8:1038::7", "192.0.2.30"),
    ("2001:DB8:1038::/48", "192.0.2.30"),
    ("198.18.0.0/16", "192.0.2.39"),
    ("JP", "192.0.2.39"),
    ("0.0.0.0/0", "192.0.2.39"),
]


@pytest.mark.parametrize(("whence", "value"), WHENCE)
def test_who_asks(server: TestServer, whence: str, value: str) -> None:
    for more in ("", " --tcp"):
        done = run(server, f"geo.example.com --short --from {whence}{more}")
        assert (done.exit_code, done.stdout, done.stderr) == (0, f"{value}\n", "")


@pytest.mark.parametrize(
    ("whence", "subnet"),
    [
        ("DE", "198.18.56.0/24, scope /24"),
        ("198.18.56.7", "198.18.56.7/32, scope /24"),
        ("2001:db8:1038::/48", "2001:db8:1038::/48, scope /48"),
        ("alice", "2001:db8:f6dc:f3c5::/64, scope /64"),
        ("0.0.0.0/0", "0.0.0.0/0, scope /0"),
    ],
)
def test_the_subnet_and_its_scope_are_printed(server: TestServer, whence: str, subnet: str) -> None:
    lines = run(server, f"geo.example.com --from {whence}").stdout.splitlines()
    assert lines[:2] == [";; NOERROR, flags qr aa rd", f";; client subnet {subnet}"]
    assert "client subnet" not in run(server, "geo.example.com").stdout


@pytest.mark.parametrize("name", ["nobody", "alcie", "UK", "US-XX"])
def test_a_place_that_the_server_does_not_know(server: TestServer, name: str) -> None:
    done = run(server, f"geo.example.com --short --from {name}")
    assert (done.exit_code, done.stdout) == (1, "192.0.2.39\n")
    assert done.stderr == f"dnsemu: this server knows no place by the name {name}\n"


def test_where_the_place_does_not_matter_nothing_is_said_of_it(server: TestServer) -> None:
    done = run(server, "plain.example.com --short --from nobody")
    assert (done.exit_code, done.stderr) == (0, "")


@pytest.mark.parametrize("whence", ["192.0.2.300", "192.0.2.0/33", "a.b", "DE/24", "::g", "2001:db8::/129"])
def test_no_place(server: TestServer, whence: str) -> None:
    done = run(server, f"geo.example.com --from {whence}")
    assert (done.exit_code, done.stdout) == (2, "")
    last = done.stderr.splitlines()[-1]
    assert last.startswith(
        f"Error: Invalid value for --from: '{whence}' is no place that is known here: a country (DE)"
    )


def test_an_extended_error_is_printed(server: TestServer) -> None:
    lines = run(server, "ill.example.com").stdout.splitlines()
    assert lines[1] == ";; extended error 0: all members unhealthy, all considered healthy"


# --repeat


def table(done: Result) -> dict[str, tuple[str, ...]]:
    """Value → the columns beside it, but for the bar."""
    assert done.exit_code == 0
    title, *rows = done.stdout.splitlines()
    assert title.split() == ["value", "answers", "share", "expected"]
    return {columns[0]: tuple(columns[-3:]) for columns in (re.split(r"  +", row) for row in rows)}


def test_counts_beside_what_is_expected(server: TestServer) -> None:
    found = table(run(server, "w.example.com --repeat 400"))
    assert [*found] == ["192.0.2.10", "192.0.2.11"], "the most frequent first, and none that never comes"
    assert [columns[2] for columns in found.values()] == ["90.00%", "10.00%"]
    often, seldom = (int(columns[0]) for columns in found.values())
    assert often + seldom == 400
    assert 15 < seldom < 70
    assert found["192.0.2.10"][1] == f"{often / 4:.2f}%"


def test_a_seed_gives_the_same_counts() -> None:
    printed = []
    for _ in range(2):
        with serve(text=ZONE, seed=7) as running:
            printed.append(run(running, "w.example.com --repeat 60").stdout)
    assert printed[0] == printed[1]


def test_asking_what_is_expected_disturbs_no_draws() -> None:
    values = []
    for options in ("", "  options: {explain_txt: false}\n"):
        with serve(text=ZONE + options, seed=7) as running:
            values.append(json.loads(run(running, "w.example.com --repeat 60 --format json").stdout)["values"])
    assert [value["count"] for value in values[0]] == [value["count"] for value in values[1]]
    assert {value["expected"] for value in values[1]} == {None}


EXPECTED = [  # arguments, and for each value: answers, share, expected
    ("plain.example.com --repeat 3", {"192.0.2.1": "3 100.00% 100.00%", "192.0.2.2": "3 100.00% 100.00%"}),
    ("text.example.com TXT --repeat 2", {'"a b"': "2 100.00% 100.00%", '"c"': "2 100.00% 100.00%"}),
    ("geo.example.com --repeat 2 --from DE", {"192.0.2.30": "2 100.00% 100.00%"}),
    ("www.example.com --repeat 2 --from alice", {"192.0.2.30": "2 100.00% 100.00%"}),
    ("www.example.com CNAME --repeat 2", {"geo.example.com.": "2 100.00% 100.00%"}),
    ("www.example.com --repeat 1 --tcp", {"192.0.2.39": "1 100.00% 100.00%"}),
]


@pytest.mark.parametrize(("arguments", "expected"), EXPECTED)
def test_values(server: TestServer, arguments: str, expected: dict[str, str]) -> None:
    assert table(run(server, arguments)) == {value: tuple(row.split()) for value, row in expected.items()}


@pytest.mark.parametrize(
    ("arguments", "row"),
    [
        ("nowhere.example.com --repeat 2", r"NXDOMAIN +#+ +2  100.00%"),
        ("plain.example.com MX --repeat 2", r"NODATA +#+ +2  100.00%"),
        ("away.example.com --repeat 2", r"CNAME to elsewhere +#+ +2  100.00%"),
    ],
)
def test_no_values(server: TestServer, arguments: str, row: str) -> None:
    done = run(server, arguments)
    assert re.fullmatch(f"value .*expected\n{row}\n", done.stdout)
    assert done.stderr == ""


def test_some_answers_without_a_value(server: TestServer) -> None:
    lines = run(server, "lost.example.com --repeat 60").stdout.splitlines()
    assert [line.split()[0] for line in lines] == ["value", "192.0.2.10", "192.0.2.11", "NXDOMAIN"]
    assert [line.split()[-1] for line in lines[1:3]] == ["45.00%", "5.00%"]


def test_json(server: TestServer) -> None:
    told = json.loads(run(server, "lost.example.com --repeat 40 --format json").stdout)
    assert told["asked"] == 40
    assert [value["value"] for value in told["values"]] == list(EXPLAINED)
    assert [value["expected"] for value in told["values"]] == pytest.approx([0.45, 0.05])
    assert sum(value["count"] for value in told["values"]) + told["empty"]["NXDOMAIN"] == 40
    assert all(value["share"] == value["count"] / 40 for value in told["values"])


def test_a_server_that_does_not_explain() -> None:
    with serve(text=SILENT, seed=1) as running:
        done = run(running, "plain.example.com --repeat 2")
        assert done.stderr == "this server does not say what to expect\n"
        assert [line.split()[-1] for line in done.stdout.splitlines()[1:]] == ["100.00%"] * 2
        told = json.loads(run(running, "plain.example.com --repeat 2 --format json").stdout)
        assert [value["expected"] for value in told["values"]] == [None, None]


@pytest.mark.parametrize(("columns", "bar"), [(200, 40), (80, 40), (60, 21), (30, 10), (5, 10)])
def test_bars_fit_the_terminal(server: TestServer, monkeypatch: pytest.MonkeyPatch, columns: int, bar: int) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    title, *rows = run(server, "plain.example.com --repeat 1").stdout.splitlines()
    assert {row.count("#") for row in rows} == {bar}
    assert title.index("answers") == len("192.0.2.1") + 2 + bar + 2
    assert columns < 60 or max(len(line) for line in (title, *rows)) <= columns


@pytest.mark.parametrize("count", ["0", "-1", "x", "1000001", "1.5"])
def test_counts_that_are_none(server: TestServer, count: str) -> None:
    done = run(server, f"w.example.com --repeat {count}")
    assert (done.exit_code, done.stdout) == (2, "")
    assert f"'--repeat': {'' if count.lstrip('-').isdigit() else chr(39)}{count}" in done.stderr.splitlines()[-1]


# On a terminal


def test_colours(server: TestServer) -> None:
    for arguments in ("lost.example.com --from DE", "nowhere.example.com", "lost.example.com --repeat 20"):
        plain, coloured = run(server, arguments), run(server, arguments, color=True)
        assert "\x1b" not in plain.stdout
        assert "\x1b[" in coloured.stdout
    assert "\x1b[33m\x1b[1mNXDOMAIN\x1b[0m" in run(server, "nowhere.example.com", color=True).stdout
    for quiet in ("w.example.com --format json", "w.example.com --short", "w.example.com --repeat 2 --format json"):
        assert "\x1b" not in run(server, quiet, color=True).stdout


# What is known to be wrong


def test_columns_are_straight(server: TestServer) -> None:
    title, *rows = run(server, "half.example.com --repeat 60").stdout.splitlines()
    assert {len(line) for line in (title, *rows)} == {len(title)}


def test_any(server: TestServer) -> None:
    assert "192.0.2.1 " in run(server, "plain.example.com ANY --repeat 1").stdout


def test_a_referral_is_not_nodata(server: TestServer) -> None:
    assert "NODATA" not in run(server, "x.cut.example.com --repeat 1").stdout


def test_repeating_for_an_unknown_place(server: TestServer) -> None:
    done = run(server, "geo.example.com --repeat 1 --from nobody")
    assert done.stderr == "dnsemu: this server knows no place by the name nobody\n"


def test_json_has_what_edns_said(server: TestServer) -> None:
    assert "198.18.56.0/24" in run(server, "geo.example.com --from DE --format json").stdout
