"""`dnsemu explain`: what it prints, as JSON too, and what it says where it can not."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dnsemu.cli import explain

ZONE = """\
version: 1
hosted_zones:
  - name: example.com
    zone_id: Z0EXAMPLE
    name_servers: [ns1.example.net]
    record_sets:
      - {name: plain, type: A, ttl: 300, records: [192.0.2.1, 192.0.2.2, 192.0.2.3, 192.0.2.4, 192.0.2.5]}
      - {name: www, type: CNAME, ttl: 60, records: geo.example.com}
      - {name: top, type: A, alias: {name: w, evaluate_target_health: true}}
      - {name: nothing, type: A, alias: {name: lb-1.us-east-1.elb.amazonaws.com}}
      - {name: "*.wild", type: TXT, ttl: 60, records: '"x"'}
      - {name: a.ent, type: A, ttl: 60, records: 192.0.2.9}
      - {name: cut, type: NS, ttl: 60, records: ns.example.net}
      - name: w
        type: A
        ttl: 60
        members:
          - {set_identifier: blue, weighted_routing_policy: {weight: 90}, health_check_id: web, records: 192.0.2.10}
          - {set_identifier: green, weighted_routing_policy: {weight: 10},
             records: [192.0.2.11, 192.0.2.12, 192.0.2.13, 192.0.2.14, 192.0.2.15]}
      - name: geo
        type: A
        ttl: 60
        members:
          - {set_identifier: de, geolocation_routing_policy: {country: DE}, records: 192.0.2.20}
          - {set_identifier: rest, geolocation_routing_policy: {country: "*"}, records: 192.0.2.21}
      - name: fo
        type: A
        members:
          - set_identifier: p
            failover_routing_policy: {type: PRIMARY}
            alias: {name: ill, evaluate_target_health: true}
          - {set_identifier: s, failover_routing_policy: {type: SECONDARY}, ttl: 30, records: 192.0.2.31}
      - {name: ill, type: A, ttl: 60, set_identifier: i, weighted_routing_policy: {weight: 1}, health_check_id: web,
         records: 192.0.2.40}
  - name: corp.example
    zone_id: Z0CORP
    vpc: [{vpc_id: vpc-lab, vpc_region: eu-west-1}]
    record_sets:
      - {name: db, type: A, ttl: 60, records: 172.30.0.9}
health_checks:
  - {id: web, type: TCP, ip_address: 192.0.2.250, port: 80, dnsemu: {initial_status: unhealthy}}
dnsemu:
  seed: 42
  places:
    alice: {country: DE, coordinates: {latitude: "52.52", longitude: "13.40"}}
    lab: {vpc_id: vpc-lab}
  alias_targets:
    - {name: lb-1.us-east-1.elb.amazonaws.com, aaaa: "2001:db8::1"}
  vpcs: [{vpc_id: vpc-lab, cidr_blocks: [172.30.0.0/24]}]
"""
CLIENT = "client   127.0.0.1 (source address): nobody knows where that is\n"
IN_ZONE = "zone     example.com. (Z0EXAMPLE) is the longest zone around the name\n"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with zones/, to be in."""
    (tmp_path / "zones").mkdir()
    (tmp_path / "zones" / "zone.yaml").write_text(ZONE)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def run(*arguments: str, color: bool = False) -> Result:
    return CliRunner().invoke(explain.command, arguments, color=color)


WHOLE = [  # arguments, and what is printed behind question, client and zone
    (
        "top.example.com",
        """\
name     top.example.com. has A
records  top.example.com. A, simple routing
alias    to w.example.com.
group    w.example.com. A, weighted routing
  - blue   weight 90, not in the pool  UNHEALTHY (health check web)  192.0.2.10
  * green  weight 10 of 10             healthy                       192.0.2.11 192.0.2.12 192.0.2.13 and 2 more
choice   green: drawn by weight
""",
    ),
    (
        "geo.example.com",
        """\
name     geo.example.com. has A
group    geo.example.com. A, geolocation routing
  - de    country DE                   healthy  192.0.2.20
  * rest  country *, for every client  healthy  192.0.2.21
choice   rest: the default, as nothing else is for this client
""",
    ),
    (
        "fo.example.com",
        """\
name     fo.example.com. has A
group    fo.example.com. A, failover routing
  - p  PRIMARY    UNHEALTHY (no healthy member there)  -> ill.example.com.
  * s  SECONDARY  healthy                              192.0.2.31
         backed out of p, which is unhealthy (no healthy member there)
choice   s: the next best, as what would come first is unhealthy
answer   NOERROR, 1 record, TTL from s of fo.example.com. A
  fo.example.com. 30 A 192.0.2.31
share    100.00% 192.0.2.31
""",
    ),
    (
        "ill.example.com",
        """\
name     ill.example.com. has A
group    ill.example.com. A, weighted routing
  * i  weight 1 of 1  UNHEALTHY (health check web)  192.0.2.40
choice   i: the last resort: no member is healthy, so all are considered healthy
answer   NOERROR, 1 record, TTL from i of ill.example.com. A
  ill.example.com. 60 A 192.0.2.40
share    100.00% 192.0.2.40
""",
    ),
    (
        "x.wild.example.com TXT",
        """\
name     x.wild.example.com. does not exist, *.wild.example.com. covers it: has TXT
records  *.wild.example.com. TXT, simple routing
answer   NOERROR, 1 record, TTL from *.wild.example.com. TXT
  x.wild.example.com. 60 TXT "x"
share    100.00% "x"
""",
    ),
    (
        "nowhere.example.com MX",
        """\
name     nowhere.example.com. does not exist, and no wildcard covers it: NXDOMAIN
answer   NXDOMAIN, 0 records, TTL from the SOA of example.com.
""",
    ),
    (
        "plain.example.com AAAA",
        """\
name     plain.example.com. has A, so no AAAA: NODATA
answer   NOERROR, 0 records, TTL from the SOA of example.com.
""",
    ),
    (
        "nothing.example.com",
        """\
name     nothing.example.com. has A
records  nothing.example.com. A, simple routing
alias    to lb-1.us-east-1.elb.amazonaws.com, a load balancer, which has no such records: NODATA
answer   NOERROR, 0 records, TTL from the SOA of example.com.
""",
    ),
    (
        "x.cut.example.com",
        "name     x.cut.example.com. is delegated at cut.example.com.: a referral to ns.example.net.\n",
    ),
]


@pytest.mark.parametrize(("arguments", "expected"), WHOLE, ids=[row[0] for row in WHOLE])
def test_what_is_printed(folder: Path, arguments: str, expected: str) -> None:
    done = run(*arguments.split())
    name, rdtype = (*arguments.split(), "A")[:2]
    assert (done.exit_code, done.stderr) == (0, "")
    assert done.stdout.startswith(f"question {name}. {rdtype}\n{CLIENT}{IN_ZONE}{expected}")


def test_a_chain_for_a_named_place(folder: Path) -> None:
    done = run("www.example.com", "--from", "alice")
    assert done.stdout.splitlines()[1:] == [
        "client   alice (place): Germany, says the place alice",
        "zone     example.com. (Z0EXAMPLE) is the longest zone around the name",
        "name     www.example.com. has CNAME",
        "records  www.example.com. CNAME, simple routing",
        "cname    on to geo.example.com. in the same zone",
        "name     geo.example.com. has A",
        "group    geo.example.com. A, geolocation routing",
        "  * de    country DE: the client is in Germany  healthy  192.0.2.20",
        "  - rest  country *, for every client           healthy  192.0.2.21",
        "choice   de: the smallest place that the client is in",
        "answer   NOERROR, 2 records, TTL from de of geo.example.com. A, client subnet scope /64",
        "  www.example.com. 60 CNAME geo.example.com.",
        "  geo.example.com. 60 A 192.0.2.20",
        "share    100.00% 192.0.2.20",
    ]


PRIVATE = [  # who asks, the line about them; the exit status
    ("lab", "172.30.0.9", 0),
    ("172.30.0.5", "172.30.0.9", 0),
    ("172.30.0.0/24", "", 1),  # over DNS a client subnet makes nobody a client of a VPC
    ("DE", "", 1),
    ("127.0.0.1", "", 1),
]


@pytest.mark.parametrize(("whence", "value", "status"), PRIVATE)
def test_private_zones(folder: Path, whence: str, value: str, status: int) -> None:
    done = run("db.corp.example", "--from", whence)
    assert done.exit_code == status
    if value:
        assert "in vpc-lab)" in done.stdout.splitlines()[1]
        assert "(Z0CORP, private to vpc-lab)" in done.stdout.splitlines()[2]
        assert done.stdout.endswith(f"share    100.00% {value}\n")
    else:
        assert done.stderr == "db.corp.example is in no hosted zone: REFUSED\n"


WHENCE = [  # --from, the client as it is told
    ("127.0.0.1", "127.0.0.1 (source address): nobody knows where that is"),
    ("198.18.56.7", "198.18.56.7 (source address): Germany, says the atlas: DE"),
    ("2001:db8:1038::7", "2001:db8:1038::7 (source address): Germany, says the atlas: DE"),
    ("198.18.56.7/24", "198.18.56.0/24 (client subnet): Germany, says the atlas: DE"),
    ("DE", "198.18.56.0/24 (client subnet): Germany, says the atlas: DE"),
    ("de", "198.18.56.0/24 (client subnet): Germany, says the atlas: DE"),
    ("US-VA", "198.19.61.0/24 (client subnet): Virginia, United States, says the atlas: US-VA"),
    ("eu-west-1", "198.19.136.0/24 (client subnet): Ireland, says the atlas: eu-west-1"),
    ("alice", "alice (place): Germany, says the place alice"),
]


@pytest.mark.parametrize(("whence", "client"), WHENCE)
def test_who_asks(folder: Path, whence: str, client: str) -> None:
    done = run("geo.example.com", "--from", whence)
    assert done.stdout.splitlines()[1] == f"client   {client}"


def test_json(folder: Path) -> None:
    done = run("w.example.com", "--format", "json", "--from", "DE")
    told = json.loads(done.stdout)
    assert told.keys() == {"question", "client", "zone", "steps", "answer", "shares", "text"}
    assert told["question"] == {"name": "w.example.com.", "type": "A"}
    assert told["client"]["address"] == "198.18.56.0/24"
    assert (told["client"]["country"], told["client"]["word"]) == ("DE", "the atlas: DE")
    assert told["zone"] == {"name": "example.com.", "zone_id": "Z0EXAMPLE", "vpc_ids": []}
    assert [step["step"] for step in told["steps"]] == ["name", "group"]
    blue, green = told["steps"][1]["members"]
    assert (blue["healthy"], blue["share"], blue["taken"]) == (False, 0, False)
    assert (green["healthy"], green["share"], green["taken"]) == (True, 1, True)
    assert told["shares"] == {f"192.0.2.{number}": 1 for number in range(11, 16)}
    assert told["text"] == run("w.example.com", "--from", "DE").stdout.splitlines()


def test_the_files_seed_decides(folder: Path) -> None:
    """As it would come first after a start: again and again the same."""
    text = (
        (folder / "zones" / "zone.yaml").read_text().replace("initial_status: unhealthy", "initial_status: healthy")
    )
    (folder / "zones" / "zone.yaml").write_text(text)
    assert len({run("w.example.com").stdout for _ in range(10)}) == 1
    (folder / "zones" / "zone.yaml").write_text(text.replace("seed: 42", "seed: 43"))
    assert len({run("plain.example.com").stdout for _ in range(10)}) == 1


def test_without_a_seed_chance_is_chance(folder: Path) -> None:
    (folder / "zones" / "zone.yaml").write_text(ZONE.replace("  seed: 42\n", ""))
    assert len({run("plain.example.com").stdout for _ in range(10)}) > 1, "of 120 orders"


def test_types_and_paths(folder: Path) -> None:
    """What stands behind the name is a type if it is no file."""
    other = folder / "other.yaml"
    other.write_text(ZONE.replace("192.0.2.9", "192.0.2.99"))
    assert "192.0.2.99" in run("a.ent.example.com", "other.yaml").stdout
    assert "192.0.2.99" in run("a.ent.example.com", "a", "other.yaml").stdout
    assert "192.0.2.99" not in run("a.ent.example.com", "A").stdout
    (folder / "TXT").mkdir()
    (folder / "TXT" / "zone.yaml").write_text(other.read_text())
    assert "192.0.2.99" in run("a.ent.example.com", "TXT").stdout


WRONG = [  # arguments, exit status, what stderr ends with
    ("far.example", 1, "far.example is in no hosted zone: REFUSED"),
    ("www.example.com nowhere.yaml", 4, "dnsemu: there is no file or folder nowhere.yaml"),
    ("www.example.com A nowhere/", 4, "dnsemu: there is no file or folder nowhere"),
    ("www.example.com FOO", 2, "'FOO' is neither a file nor a type of Route 53: A, AAAA, CAA, CNAME, DS, .*TXT"),
    ("a..example.com", 2, "Invalid value for NAME: 'a..example.com' has an empty label"),
    ("www.example.com --from alcie", 2, "'alcie' is no place that is known here: .*; did you mean alice\\?"),
    (
        "www.example.com --from us-east-11",
        2,
        "'us-east-11' is no place that is known here: .*; did you mean us-east-1\\?",
    ),
    ("www.example.com --from 192.0.2.300", 2, "'192.0.2.300' is no place that is known here: .*a CIDR block"),
    ("www.example.com --from 192.0.2.0/33", 2, "'192.0.2.0/33' is no place that is known here: .*a CIDR block"),
    ("www.example.com --format xml", 2, "'xml' is not one of 'human', 'json'."),
    ("", 2, "Missing argument 'NAME'."),
]


@pytest.mark.parametrize(("arguments", "status", "message"), WRONG)
def test_what_can_not_be_explained(folder: Path, arguments: str, status: int, message: str) -> None:
    done = run(*arguments.split())
    assert (done.exit_code, done.stdout) == (status, "")
    assert re.search(message.replace("..", "\\.\\.") + "$", done.stderr.splitlines()[-1])
    assert "Traceback" not in done.stderr


def test_files_that_could_not_be_served(folder: Path) -> None:
    (folder / "zones" / "zone.yaml").write_text(ZONE.replace("192.0.2.10}", "192.0.2}"))
    done = run("w.example.com")
    assert (done.exit_code, done.stdout) == (1, "")
    assert "zone.yaml:18:" in done.stderr
    assert done.stderr.endswith("dnsemu: 1 error\n")


def test_no_zone_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    done = run("www.example.com")
    assert (done.exit_code, done.stdout) == (4, "")
    assert "zones" in done.stderr


def test_colours(folder: Path) -> None:
    """On a terminal what was taken is green, what is unhealthy is red; elsewhere nothing is."""
    plain, coloured = run("top.example.com"), run("top.example.com", color=True)
    assert "\x1b" not in plain.stdout
    assert re.sub(r"\x1b\[\d*m", "", coloured.stdout) == plain.stdout
    assert re.search(r"^\x1b\[31m  - blue .*\x1b\[0m$", coloured.stdout, re.M)
    assert re.search(r"^\x1b\[32m  \* green .*\x1b\[0m$", coloured.stdout, re.M)
    assert "\x1b[1mchoice   \x1b[0mgreen: drawn by weight" in coloured.stdout
    assert "\x1b" not in run("top.example.com", "--format", "json", color=True).stdout


def test_no_scope_without_a_client_subnet(folder: Path) -> None:
    assert "scope" not in run("geo.example.com", "--from", "198.18.56.7").stdout


# What is known to be wrong


def test_a_subnet_of_no_length_is_nobody_in_particular(folder: Path) -> None:
    done = run("geo.example.com", "--from", "0.0.0.0/0")
    assert "scope" not in done.stdout
    assert "0.0.0.0/0 (client subnet)" not in done.stdout


def test_a_referral(folder: Path) -> None:
    assert "SOA" not in run("x.cut.example.com").stdout


def test_types_by_number(folder: Path) -> None:
    assert run("plain.example.com", "TYPE1").stdout == run("plain.example.com", "A").stdout
