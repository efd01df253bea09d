"""The servers that can be compared: each writes its own configuration and says how it is run."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from world import NAMES, ZONE, address, zone_file, zone_yaml

HERE = Path(__file__).resolve().parent
DNSEMU = f"{shlex.quote(sys.executable)} -m dnsemu serve {{zones}} --listen 127.0.0.1:{{port}} --http 127.0.0.1:0"

# Writes what the server reads into an empty folder; returns the command that serves it on 127.0.0.1:port.
Prepare = Callable[[Path, int], list[str]]


@dataclass(frozen=True)
class Server:
    """A server by the name it has in the tables."""

    name: str
    prepare: Prepare
    version: str = ""

    @property
    def title(self) -> str:
        """Name and version."""
        return f"{self.name} {self.version}".rstrip()


def compile_c(name: str, folder: Path) -> Path:
    """Compile `name`.c into the folder; returns the program. Ends this one where that can not be done."""
    compiler = shutil.which("gcc") or shutil.which("cc")
    if not compiler:
        sys.exit("The load generator is written in C: install gcc.")
    program = folder / name
    subprocess.run([compiler, "-std=gnu11", "-O2", "-o", program, HERE / f"{name}.c"], check=True, timeout=60)
    return program


def floor(folder: Path, port: int) -> list[str]:
    """The same answer to everything, in C."""
    return [str(compile_c("floor", folder)), str(port)]


def dnslib(folder: Path, port: int) -> list[str]:
    """asyncio and dnslib, in this Python."""
    (folder / "zone").write_text(zone_file())
    return [sys.executable, str(HERE / "dnslib_server.py"), str(folder / "zone"), str(port)]


def dnsemu(template: str) -> Prepare:
    """dnsemu, run by a command line with {zones} and {port} in it."""

    def prepare(folder: Path, port: int) -> list[str]:
        (folder / "zones").mkdir()
        (folder / "zones" / "bench.yaml").write_text(zone_yaml())
        return fill(template, folder / "zones", port)

    return prepare


def fill(template: str, zones: Path, port: int) -> list[str]:
    """The words of a command line, {zones} and {port} filled in after it is split."""
    words = shlex.split(template)
    return [word.replace("{zones}", str(zones)).replace("{port}", str(port)) for word in words]


def nsd(folder: Path, port: int) -> list[str]:
    """One server process, no response rate limit."""
    (folder / "zone").write_text(zone_file())
    (folder / "nsd.conf").write_text(f"""\
server:
  ip-address: 127.0.0.1@{port}
  server-count: 1
  username: ""
  chroot: ""
  zonesdir: "{folder}"
  database: ""
  pidfile: "{folder}/pid"
  xfrdfile: "{folder}/xfrd"
  zonelistfile: "{folder}/zones"
  xfrdir: "{folder}"
  rrl-ratelimit: 0
  rrl-whitelist-ratelimit: 0
remote-control:
  control-enable: no
zone:
  name: {ZONE}
  zonefile: zone
""")
    return ["nsd", "-d", "-c", str(folder / "nsd.conf")]


def knot(folder: Path, port: int) -> list[str]:
    """One worker of each kind."""
    (folder / "zone").write_text(zone_file())
    (folder / "knot.conf").write_text(f"""\
server:
  rundir: {folder}
  listen: 127.0.0.1@{port}
  udp-workers: 1
  tcp-workers: 1
  background-workers: 1
database:
  storage: {folder}/db
log:
  - target: stderr
    any: warning
zone:
  - domain: {ZONE}
    storage: {folder}
    file: zone
    zonefile-sync: -1
    zonefile-load: whole
    journal-content: none
""")
    return ["knotd", "-c", str(folder / "knot.conf")]


def gdnsd(folder: Path, port: int) -> list[str]:
    """One thread for UDP."""
    for name in ("zones", "run", "state"):
        (folder / name).mkdir()
    (folder / "zones" / ZONE).write_text(zone_file())
    (folder / "config").write_text(f"""\
options => {{
  listen => 127.0.0.1:{port}
  run_dir => {folder}/run
  state_dir => {folder}/state
  udp_threads => 1
  tcp_threads => 1
}}
""")
    return ["gdnsd", "-c", str(folder), "start"]


def pdns(folder: Path, port: int) -> list[str]:
    """The BIND backend, one receiver and one distributor, caches as they come."""
    (folder / "zone").write_text(zone_file())
    (folder / "named.conf").write_text(f'zone "{ZONE}" {{ type master; file "{folder}/zone"; }};\n')
    (folder / "pdns.conf").write_text(f"""\
launch=bind
bind-config={folder}/named.conf
local-address=127.0.0.1
local-port={port}
socket-dir={folder}
setuid=
setgid=
security-poll-suffix=
receiver-threads=1
distributor-threads=1
loglevel=3
""")
    return ["pdns_server", f"--config-dir={folder}", "--daemon=no", "--guardian=no"]


def bind(folder: Path, port: int) -> list[str]:
    """One worker thread, no NOTIFY, no control channel."""
    (folder / "zone").write_text(zone_file())
    (folder / "named.conf").write_text(f"""\
options {{
  directory "{folder}";
  listen-on port {port} {{ 127.0.0.1; }};
  listen-on-v6 {{ none; }};
  pid-file "{folder}/pid";
  session-keyfile "{folder}/key";
  recursion no;
  notify no;
  dnssec-validation no;
}};
controls {{ }};
zone "{ZONE}" {{ type primary; file "{folder}/zone"; }};
""")
    return ["named", "-n", "1", "-f", "-c", str(folder / "named.conf")]


def dnsmasq(folder: Path, port: int) -> list[str]:
    """Host records, everything else in the zone answered locally, no upstream."""
    hosts = "".join(f"host-record=h{number}.{ZONE},{address(number)}\n" for number in range(NAMES))
    (folder / "dnsmasq.conf").write_text(f"""\
port={port}
listen-address=127.0.0.1
bind-interfaces
no-daemon
no-resolv
no-hosts
log-facility={folder}/log
local=/{ZONE}/
{hosts}""")
    return ["dnsmasq", "-C", str(folder / "dnsmasq.conf")]


# name → (how it is prepared, its program, how it is asked for its version)
PEERS: dict[str, tuple[Prepare, str, str]] = {
    "nsd": (nsd, "nsd", "-v"),
    "knot": (knot, "knotd", "-V"),
    "gdnsd": (gdnsd, "gdnsd", "-h"),
    "pdns": (pdns, "pdns_server", "--version"),
    "bind": (bind, "named", "-v"),
    "dnsmasq": (dnsmasq, "dnsmasq", "-v"),
}
NAMED = ("floor", "dnsemu", "dnslib", *PEERS)


def find(name: str, dnsemu_command: str = DNSEMU) -> Server | str:
    """The server of this name, or why it can not be run here."""
    if name == "floor":
        return Server(name, floor)
    if name == "dnsemu":
        return Server(name, dnsemu(dnsemu_command), _package_version("dnsemu"))
    if name == "dnslib":
        found = _package_version("dnslib")
        return Server(name, dnslib, found) if found else f"dnslib is not installed for {sys.executable}"
    prepare, program, flag = PEERS[name]
    if not shutil.which(program):
        return f"{program} is not installed"
    return Server(name, prepare, _program_version(program, flag))


def search_sbin_too() -> None:
    """Servers are often installed where only root looks."""
    path = os.environ.get("PATH", os.defpath)
    os.environ["PATH"] = os.pathsep.join([path, "/usr/local/sbin", "/usr/sbin", "/sbin"])


def _package_version(package: str) -> str:
    with suppress(PackageNotFoundError):
        return version(package)
    return ""


def _program_version(program: str, flag: str) -> str:
    asked = subprocess.run([program, flag], capture_output=True, text=True, check=False, timeout=10)
    found = re.search(r"\d+\.\d+(\.\d+)?", asked.stdout + asked.stderr)
    return found[0] if found else ""
