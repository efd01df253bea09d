"""The container without a container engine: what both files promise, and the image's very command at work."""

import ipaddress
import json
import os
import pwd
import re
import shutil
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

import dns.message
import dns.query
import dns.rcode
import pytest
import yaml

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).resolve().parents[2]


# ── The two files ─────────────────────────────────────────────────────────────────────────────────────────


class Instruction(NamedTuple):
    """One line of a Dockerfile. ``words`` is the argv of the JSON form, or what stands between the blanks."""

    name: str
    flags: dict[str, str]
    words: list[str]
    is_json: bool


def logical_lines(text: str) -> Iterator[str]:
    """Lines without comments, continuations joined. Docker drops comments inside a continued line as well."""
    kept = [line.strip() for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    yield from re.sub(r"\\\n", " ", "\n".join(kept)).split("\n")


def instruction(line: str) -> Instruction:
    name, _, rest = line.partition(" ")
    flags: dict[str, str] = {}
    while match := re.match(r"\s*--([a-z-]+)=(\S+)\s*", rest):
        flags[match[1]] = match[2]
        rest = rest[match.end() :]
    if name.upper() == "HEALTHCHECK":
        rest = rest.strip().removeprefix("CMD")
    rest = rest.strip()
    is_json = rest.startswith("[")
    return Instruction(name.upper(), flags, json.loads(rest) if is_json else rest.split(), is_json)


def stages(text: str) -> list[list[Instruction]]:
    found: list[list[Instruction]] = []
    for line in logical_lines(text):
        one = instruction(line)
        if one.name == "FROM":
            found.append([])
        found[-1].append(one)
    return found


def last(stage: list[Instruction], name: str) -> Instruction:
    """The instruction that counts: Docker lets a later one replace an earlier one of the same name."""
    found = [one for one in stage if one.name == name]
    assert found, f"the stage has no {name}"
    return found[-1]


BUILD, FINAL = stages((ROOT / "Dockerfile").read_text(encoding="utf-8"))
ENTRYPOINT = last(FINAL, "ENTRYPOINT").words
CMD = last(FINAL, "CMD").words
HEALTHCHECK = last(FINAL, "HEALTHCHECK").words
ENV = dict(word.split("=", 1) for one in FINAL if one.name == "ENV" for word in one.words)

COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
DNSEMU = COMPOSE["services"]["dnsemu"]
CLIENT = COMPOSE["services"]["client"]


def option(argv: list[str], name: str) -> str:
    assert argv.count(name) == 1, f"{argv} should have {name} once"
    return argv[argv.index(name) + 1]


def port_of(address: str) -> int:
    return int(address.rpartition(":")[2])


def copied(stage: list[Instruction]) -> Iterator[tuple[str, str]]:
    """(source in the checkout, destination in the stage) of all that the stage copies from the checkout."""
    for one in stage:
        if one.name == "COPY" and "from" not in one.flags:
            *sources, destination = one.words
            yield from ((source, destination) for source in sources)


SERVED_FOLDER = CMD[1]
LISTEN = option(CMD, "--listen")
HTTP = option(CMD, "--http")


def test_the_parser_reads_what_dockerfiles_may_contain() -> None:
    text = 'FROM a:1 AS b\n# no\nRUN x \\\n  # no\n  && y\nhealthcheck --a-b=1 --c=d \\\n CMD ["p", "q r"]\n'
    assert stages(text) == [
        [
            Instruction("FROM", {}, ["a:1", "AS", "b"], is_json=False),
            Instruction("RUN", {}, ["x", "&&", "y"], is_json=False),
            Instruction("HEALTHCHECK", {"a-b": "1", "c": "d"}, ["p", "q r"], is_json=True),
        ]
    ]


# ── Dockerfile ────────────────────────────────────────────────────────────────────────────────────────────


def test_both_stages_stand_on_one_pinned_slim_image() -> None:
    bases = {stage[0].words[0] for stage in (BUILD, FINAL)}
    # One and the same: the environment of the first stage links to the interpreter of its base.
    assert len(bases) == 1
    assert re.fullmatch(r"python:3\.\d+-slim", bases.pop())


def test_only_the_first_stage_sees_the_checkout() -> None:
    stage_name = BUILD[0].words[2]
    assert {one.flags.get("from") for one in FINAL if one.name == "COPY"} == {stage_name}
    assert not any("pip" in one.words for one in FINAL)


def test_the_image_runs_the_environment_that_it_copies() -> None:
    destinations = {one.words[-1] for one in FINAL if one.name == "COPY"}
    first = ENV["PATH"].split(":")[0]
    assert first.endswith("/bin")
    assert first.removesuffix("/bin") in destinations


def test_the_image_does_not_run_as_root() -> None:
    user, _, group = last(FINAL, "USER").words[0].partition(":")
    assert int(user) > 0
    assert int(group) > 0


@pytest.mark.parametrize("name", ["ENTRYPOINT", "CMD", "HEALTHCHECK"])
def test_no_shell_stands_between(name: str) -> None:
    # A shell would be process 1 and keep the signal that stops the container to itself.
    assert last(FINAL, name).is_json


def test_the_container_serves_a_folder_of_example_zones() -> None:
    assert [*ENTRYPOINT, CMD[0]] == ["dnsemu", "serve"]
    assert SERVED_FOLDER == "/etc/dnsemu"
    assert ("zones", SERVED_FOLDER) in set(copied(BUILD))
    assert [SERVED_FOLDER, SERVED_FOLDER] in [one.words for one in FINAL if one.name == "COPY"]


def test_the_container_listens_on_all_addresses_and_stops_on_sigterm() -> None:
    assert LISTEN == "0.0.0.0:53"
    exposed = {f"{port_of(LISTEN)}/udp", f"{port_of(LISTEN)}/tcp", f"{port_of(HTTP)}/tcp"}
    assert set(last(FINAL, "EXPOSE").words) == exposed
    assert last(FINAL, "STOPSIGNAL").words == ["SIGTERM"]


def test_the_health_check_asks_the_port_that_is_served() -> None:
    assert HEALTHCHECK[:2] == ["dnsemu", "healthcheck"]
    assert option(HEALTHCHECK, "--server") == f"127.0.0.1:{port_of(LISTEN)}"
    # Without a start period a failure while dnsemu starts would count.
    assert {"interval", "timeout", "start-period"} <= last(FINAL, "HEALTHCHECK").flags.keys()


def test_what_is_copied_is_in_the_build_context() -> None:
    lines = (ROOT / ".dockerignore").read_text(encoding="utf-8").split()
    allowed = {line.removeprefix("!") for line in lines if line.startswith("!")}
    sources = {source for source, _ in copied(BUILD)}
    assert lines[0] == "*"
    assert sources <= allowed
    assert [source for source in sorted(sources) if not (ROOT / source).exists()] == []


def test_what_the_wheel_needs_is_copied() -> None:
    config = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    project = config["project"]
    packages = config["tool"]["hatch"]["build"]["targets"]["wheel"]["packages"]
    needed = {"pyproject.toml", project["readme"], *project["license-files"], *packages}
    assert {Path(name).parts[0] for name in needed} <= {source for source, _ in copied(BUILD)}


# ── docker-compose.yml ────────────────────────────────────────────────────────────────────────────────────


def test_compose_builds_and_runs_the_image_as_it_is() -> None:
    assert DNSEMU["build"] == "."
    # With `image` beside `build`, compose would first look for one of that name in a registry.
    assert not {"image", "entrypoint", "user", "privileged", "network_mode"} & DNSEMU.keys()
    assert "test" not in DNSEMU["healthcheck"]


def test_compose_allows_control_to_the_host_alone() -> None:
    """The gateway, from where all comes that goes through a published port; else it is the image's own command."""
    (ipam,) = COMPOSE["networks"]["lab"]["ipam"]["config"]
    assert DNSEMU["command"] == [*CMD, "--allow-control", ipam["gateway"]]


def test_both_protocols_are_published_on_the_loopback_interface_only() -> None:
    target = port_of(LISTEN)
    assert sorted(DNSEMU["ports"]) == [
        f"127.0.0.1:5300:{target}/tcp",
        f"127.0.0.1:5300:{target}/udp",
        f"127.0.0.1:8053:{port_of(HTTP)}/tcp",
    ]


def test_dnsemu_has_a_fixed_address_that_nobody_else_gets() -> None:
    ((network, attachment),) = DNSEMU["networks"].items()
    (ipam,) = COMPOSE["networks"][network]["ipam"]["config"]
    address = ipaddress.ip_address(attachment["ipv4_address"])
    subnet = ipaddress.ip_network(ipam["subnet"])
    handed_out = ipaddress.ip_network(ipam["ip_range"])
    assert subnet.is_private
    assert address in subnet
    assert address not in {subnet.network_address, subnet.broadcast_address}
    assert str(address) != ipam["gateway"]
    assert handed_out.subnet_of(subnet)  # type: ignore[arg-type]
    assert address not in handed_out


def test_the_client_has_dnsemu_as_its_only_name_server() -> None:
    ((network, attachment),) = DNSEMU["networks"].items()
    assert CLIENT["dns"] == attachment["ipv4_address"]
    assert CLIENT["networks"] == [network]
    assert CLIENT["depends_on"] == {"dnsemu": {"condition": "service_healthy"}}
    # `docker compose run client nslookup …` replaces the command; an entry point would stay in front of it.
    assert "entrypoint" not in CLIENT
    assert CLIENT["command"][0] == "nslookup"


def test_the_client_image_is_pinned() -> None:
    assert re.fullmatch(r"alpine:3\.\d+", CLIENT["image"])


def test_the_folder_of_zones_is_mounted_where_it_is_served() -> None:
    (volume,) = DNSEMU["volumes"]
    source, target, mode = volume.split(":")
    assert (ROOT / source).is_dir()
    assert (target, mode) == (SERVED_FOLDER, "ro")


def test_dnsemu_runs_with_nothing_that_it_does_not_need() -> None:
    assert DNSEMU["read_only"] is True
    assert DNSEMU["cap_drop"] == ["ALL"]
    assert "no-new-privileges:true" in DNSEMU["security_opt"]
    # Neither root nor a capability is left, so that low ports are free for all is what opens port 53.
    assert DNSEMU["sysctls"]["net.ipv4.ip_unprivileged_port_start"] <= port_of(LISTEN)


# ── docs/containers.md ────────────────────────────────────────────────────────────────────────────────────


def test_the_compose_snippets_of_the_docs_fit_the_compose_file() -> None:
    text = (ROOT / "docs" / "containers.md").read_text(encoding="utf-8")
    snippets = [yaml.safe_load(block) for block in re.findall(r"^```yaml\n(.*?)^```$", text, re.M | re.S)]
    assert snippets
    ((network, attachment),) = DNSEMU["networks"].items()
    for snippet in snippets:
        app = snippet["services"]["app"]
        assert app["dns"] == attachment["ipv4_address"]
        assert app["networks"] == [network]
        outside = snippet.get("networks", {}).get(network)
        assert outside in (None, {"name": f"{COMPOSE['name']}_{network}", "external": True})


# ── The command of the image, in a fresh environment, as somebody who is not root ─────────────────────────


@pytest.fixture
def room() -> Iterator[Path]:
    """A folder that others may enter. Not tmp_path: its parent is closed to everybody but who runs pytest."""
    with tempfile.TemporaryDirectory(prefix="dnsemu-container-", ignore_cleanup_errors=True) as folder:
        path = Path(folder)
        path.chmod(0o755)
        (path / "run").mkdir()
        (path / "run").chmod(0o777)
        yield path


def somebody() -> dict[str, Any]:
    """What makes subprocess run a command as a user who is not root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def interpreter(room: Path) -> str:
    """The Python that runs the tests, or the system's if that user may not: /root is closed to others."""
    names = [*(f"python3.{minor}" for minor in range(11, 20)), "python3"]
    system = [path for name in names if (path := shutil.which(name, path="/usr/local/bin:/usr/bin:/bin"))]
    probe = "import sys, ensurepip, venv; sys.exit(sys.version_info < (3, 11))"
    for candidate in [str(getattr(sys, "_base_executable", sys.executable)), *system]:
        with suppress(PermissionError):
            argv = [candidate, "-c", probe]
            if subprocess.run(argv, cwd=room, capture_output=True, **somebody()).returncode == 0:
                return candidate
    pytest.skip("no Python ≥ 3.11 with venv and ensurepip that a user other than root may run")


def laid_out(room: Path) -> tuple[Path, Path]:
    """What the first stage copies, and only that: (the source of the wheel, the folder of zones)."""
    for source, destination in copied(BUILD):
        target = room / "image" / ("src/" + source if not destination.startswith("/") else destination[1:])
        target.parent.mkdir(parents=True, exist_ok=True)
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, target, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / source, target)
    # As the Dockerfile does: the checkout may be closed to others.
    subprocess.run(["chmod", "-R", "a+rX", room / "image"], check=True)
    return room / "image" / "src", room / "image" / SERVED_FOLDER[1:]


def installed(source: Path, room: Path) -> Path:
    """A fresh virtual environment with the wheel in it. pip runs as the tests' user, for its settings."""
    home = room / "venv"
    for argv in (
        [interpreter(room), "-m", "venv", str(home)],
        [f"{home}/bin/python", "-m", "pip", "install", "--disable-pip-version-check", "-q", str(source)],
    ):
        # umask: others must be able to read it. cwd: no module of the checkout may be found by chance.
        done = subprocess.run(argv, cwd=room, umask=0o022, capture_output=True, text=True)
        assert done.returncode == 0, f"{argv}\n{done.stdout}{done.stderr}"
    return home


class Container:
    """Runs commands as the image does: with its variables, the environment in PATH, and not as root."""

    def __init__(self, home: Path, room: Path) -> None:
        path = f"{home}/bin:{os.defpath}"
        self._settings = {"cwd": room, "env": {**ENV, "PATH": path}, **somebody()}

    def run(self, argv: list[str]) -> "subprocess.CompletedProcess[str]":
        return subprocess.run(argv, capture_output=True, text=True, timeout=20, **self._settings)

    @contextmanager
    def start(self, argv: list[str], log: Path) -> Iterator["subprocess.Popen[bytes]"]:
        with log.open("wb") as out:
            process = subprocess.Popen(argv, stdout=out, stderr=subprocess.STDOUT, **self._settings)
        with process:
            try:
                yield process
            finally:
                process.kill()


def replaced(argv: list[str], changes: dict[str, str]) -> list[str]:
    """``argv`` with words replaced, each of which must be there. Nothing else may differ from the image."""
    assert changes.keys() <= set(argv)
    return [changes.get(word, word) for word in argv]


def served_port(port_file: Path, process: "subprocess.Popen[bytes]", log: Path) -> int:
    deadline = time.monotonic() + 20
    while process.poll() is None and time.monotonic() < deadline:
        if port_file.exists() and (text := port_file.read_text(encoding="utf-8")):
            (address,) = json.loads(text)["dns"]
            return port_of(address)
        time.sleep(0.02)
    pytest.fail(f"not serving, exit status {process.poll()}:\n{log.read_text(encoding='utf-8')}")


@pytest.mark.install
def test_the_command_of_the_image_serves(room: Path) -> None:
    source, zones = laid_out(room)
    container = Container(installed(source, room), room)
    port_file, log = room / "run" / "ports.json", room / "log"
    command = replaced(CMD, {SERVED_FOLDER: str(zones), LISTEN: "0.0.0.0:0", HTTP: "0.0.0.0:0"})
    argv = [*ENTRYPOINT, *command, "--port-file", str(port_file)]

    with container.start(argv, log) as process:
        port = served_port(port_file, process, log)
        assert port_file.stat().st_uid != 0
        question = dns.message.make_query(CLIENT["command"][-1], "A")
        for ask in (dns.query.udp, dns.query.tcp):
            reply = ask(question, "127.0.0.1", port=port, timeout=2)
            assert reply.rcode() == dns.rcode.NOERROR
            assert reply.answer, reply
        health_check = replaced(HEALTHCHECK, {option(HEALTHCHECK, "--server"): f"127.0.0.1:{port}"})
        healthy = container.run(health_check)
        assert healthy.returncode == 0, healthy.stderr

        process.terminate()
        # 0, not -SIGTERM: as process 1 of a container it gets no default action and must handle the signal.
        assert process.wait(timeout=1) == 0, log.read_text(encoding="utf-8")
    assert container.run(health_check).returncode == 3
