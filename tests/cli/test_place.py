"""`dnsemu place`: where somebody is taken to be, and how to play them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from dnsemu.cli import place
from dnsemu.location import named_place

ZONE = """\
version: 1
hosted_zones:
  - {name: corp.example, vpc: [{vpc_id: vpc-lab, vpc_region: eu-west-1}]}
dnsemu:
  places:
    alice: {country: DE, coordinates: {latitude: "52.52", longitude: "13.40"}}
    longer-name: {continent: AF}
    lab: {vpc_id: vpc-lab}
  locations:
    - {cidr: 198.51.100.0/24, country: JP}
    - {cidr: 203.0.113.0/24, coordinates: {latitude: "-33.9", longitude: "18.4"}, latency: {us-east-1: 0.5}}
  vpcs: [{vpc_id: vpc-lab, cidr_blocks: [172.30.0.0/24]}]
"""
ALSO = "also: a country as DE, a state as US-VA, a region as eu-west-1, an address, a CIDR block\n"


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A file with places, in a folder without zones/."""
    (tmp_path / "z.yaml").write_text(ZONE)
    monkeypatch.chdir(tmp_path)
    return "z.yaml"


def run(*arguments: str, color: bool = False) -> Result:
    return CliRunner().invoke(place.command, arguments, color=color)


def rows(done: Result) -> dict[str, str]:
    """The labels and what stands beside them."""
    assert (done.exit_code, done.stderr) == (0, "")
    assert all(line[11] == " " and line[12] != " " for line in done.stdout.splitlines()), "columns"
    return {line[:12].strip(): line[12:] for line in done.stdout.splitlines()}


def test_as_printed(file: str) -> None:
    assert run("US-VA").stdout == (
        "client      198.19.61.0/24\n"
        "where       Virginia, United States\n"
        "says        the atlas: US-VA\n"
        "continent   NA (North America)\n"
        "country     US\n"
        "subdivision VA\n"
        "coordinates 37.20, -76.92\n"
        "regions     us-east-1 11.6 ms, us-east-2 18.4 ms, us-gov-east-1 18.4 ms\n"
        "play it     dig +subnet=198.19.61.0/24 …   or +subnet=2001:db8:113d::/48\n"
    )


PLACES = [  # what is given, client, where, who says so, how to play it
    ("DE", "198.18.56.0/24", "Germany", "the atlas: DE", "198.18.56.0/24 …   or +subnet=2001:db8:1038::/48"),
    ("de", "198.18.56.0/24", "Germany", "the atlas: DE", "198.18.56.0/24 …   or +subnet=2001:db8:1038::/48"),
    ("eu-west-1", "198.19.136.0/24", "Ireland", "the atlas: eu-west-1", "198.19.136.0/24 …   or +subnet=.*/48"),
    (
        "us-west-2-den-1",
        ".*/24",
        "Colorado, United States",
        "the atlas: us-west-2-den-1",
        ".*/24 …   or +subnet=.*/48",
    ),
    ("alice", "2001:db8:f6dc:f3c5::/64", "Germany", "the place alice", "2001:db8:f6dc:f3c5::/64 …"),
    ("longer-name", ".*/64", "Africa", "the place longer-name", ".*/64 …"),
    ("198.18.56.7", "198.18.56.7", "Germany", "the atlas: DE", "198.18.56.7/32 …"),
    ("2001:DB8:1038::7", "2001:db8:1038::7", "Germany", "the atlas: DE", "2001:db8:1038::7/128 …"),
    ("198.51.100.7", "198.51.100.7", "Japan", "locations: 198.51.100.0/24", "198.51.100.7/32 …"),
    ("198.51.100.7/24", "198.51.100.0/24", "Japan", "locations: 198.51.100.0/24", "198.51.100.0/24 …"),
    ("192.0.2.0/23", "192.0.2.0/23", "nobody knows", "-", "192.0.2.0/23 …"),
    ("203.0.113.1", "203.0.113.1", "-33.90, 18.40", "locations: 203.0.113.0/24", "203.0.113.1/32 …"),
    ("10.0.0.1", "10.0.0.1", "nobody knows", "-", "10.0.0.1/32 …"),
]


@pytest.mark.parametrize(("text", "client", "where", "says", "play"), PLACES)
def test_places(file: str, text: str, client: str, where: str, says: str, play: str) -> None:
    found = rows(run(text, file))
    assert re.fullmatch(client, found["client"])
    assert (found["where"], found["says"]) == (where, says)
    assert re.fullmatch(re.escape("dig +subnet=") + play.replace("+", "\\+"), found["play it"])


def test_what_is_not_known_is_a_dash(file: str) -> None:
    unknown = ("continent", "country", "subdivision", "coordinates", "regions")
    assert [rows(run("10.0.0.1", file))[label] for label in unknown] == ["-"] * 5
    assert [rows(run("longer-name", file))[label] for label in unknown] == ["AF (Africa)", *["-"] * 4]


def test_latencies_that_are_given(file: str) -> None:
    first, *others = rows(run("203.0.113.1", file))["regions"].split(", ")
    assert first == "us-east-1 0.5 ms"
    assert len(others) == 2


def test_a_place_in_a_vpc(file: str) -> None:
    found = rows(run("lab", file))
    assert (found["vpc"], found["where"]) == ("vpc-lab", "Ireland")
    assert found["says"] == "vpc-lab in eu-west-1"
    assert found["play it"] == "dig -b ADDRESS …, with an address of 172.30.0.0/24"
    found = rows(run("172.30.0.1", file))
    assert (found["where"], found["says"]) == ("Ireland", "vpc-lab in eu-west-1")
    assert found["play it"] == "dig -b 172.30.0.1 …"


def test_without_any_file(file: str) -> None:
    """The folder zones/ need not be there."""
    assert rows(run("DE"))["where"] == "Germany"
    done = run()
    assert (done.exit_code, done.stdout) == (0, "")
    assert done.stderr == f"no named places here: dnsemu: places in a zone file gives names to clients\n{ALSO}"


def test_the_list(file: str) -> None:
    Path("zones").mkdir()
    Path(file).rename("zones/z.yaml")
    done = run()
    assert (done.exit_code, done.stderr) == (0, ALSO)
    assert [line.split() for line in done.stdout.splitlines()] == [
        ["alice", "+subnet=2001:db8:f6dc:f3c5::/64"],
        ["longer-name", f"+subnet={named_place('longer-name')}"],
        ["lab", f"+subnet={named_place('lab')}"],
    ]
    assert len({line.index("+subnet") for line in done.stdout.splitlines()}) == 1, "one below the other"


WRONG = [  # arguments, exit status, the last line of stderr
    (["nobody", "z.yaml"], 2, "'nobody' is no place that is known here: a country \\(DE\\), .*"),
    (["alcie", "z.yaml"], 2, ".*; did you mean alice\\?"),
    (["us-va1"], 2, ".*; did you mean US-VA\\?"),
    (["1.2.3"], 2, ".* an address or a CIDR block.*"),
    (["192.0.2.0/33"], 2, ".* an address or a CIDR block.*"),
    ([""], 2, ".* an address or a CIDR block"),
    (["DE", "nowhere"], 4, "dnsemu: there is no file or folder nowhere"),
]


@pytest.mark.parametrize(("arguments", "status", "message"), WRONG)
def test_what_is_no_place(file: str, arguments: list[str], status: int, message: str) -> None:
    done = run(*arguments)
    assert (done.exit_code, done.stdout) == (status, "")
    assert re.fullmatch(f"(Error: Invalid value for PLACE: )?{message}", done.stderr.splitlines()[-1])


def test_files_that_could_not_be_served(file: str) -> None:
    Path(file).write_text(ZONE.replace("country: JP", "country: XX"))
    done = run("DE", file)
    assert (done.exit_code, done.stdout) == (1, "")
    assert done.stderr.endswith("dnsemu: 1 error\n")


def test_colours(file: str) -> None:
    plain, coloured = run("DE", file), run("DE", file, color=True)
    assert "\x1b" not in plain.stdout
    assert coloured.stdout.startswith("\x1b[1mclient      \x1b[0m198.18.56.0/24\n")
    assert re.sub(r"\x1b\[\d*m", "", coloured.stdout) == plain.stdout
