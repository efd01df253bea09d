"""Unbound as a process of its own, with one name server for everything: no packet leaves the machine."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import dns.edns
import dns.exception
import dns.message
import dns.query
import dns.rcode
import dns.rdatatype
import pytest
from e2e.launch import PATIENCE, need

CONFIG = """
server:
  interface: 127.0.0.1@{port}
  outgoing-interface: 127.0.0.1
  access-control: 127.0.0.0/8 allow
  directory: "{folder}"
  logfile: "{folder}/log"
  username: ""
  chroot: ""
  pidfile: ""
  use-syslog: no
  do-daemonize: no
  do-ip6: no
  num-threads: 1
  verbosity: 4
  do-not-query-localhost: no
  module-config: "subnetcache iterator"
  send-client-subnet: 127.0.0.1
  target-fetch-policy: "0 0 0 0 0"
  edns-buffer-size: 1232
{options}
stub-zone:
  name: "{zone}"
  stub-addr: 127.0.0.1@{upstream}
stub-zone:
  name: "."
  stub-addr: 127.0.0.1@{upstream}
remote-control:
  control-enable: no
"""


_ATTEMPTS = 5  # to find a port that stays free


class Resolver:
    """Unbound, to be asked."""

    def __init__(self, port: int, log: Path) -> None:
        self.port, self._log = port, log

    def ask(self, name: str, rdtype: str = "A", subnet: str | None = None) -> dns.message.Message:
        options = [dns.edns.ECSOption.from_text(subnet)] if subnet else []
        question = dns.message.make_query(name, rdtype, use_edns=0, payload=4096, options=options)
        return dns.query.udp_with_fallback(question, "127.0.0.1", PATIENCE, self.port)[0]

    def values(self, name: str, rdtype: str = "A", subnet: str | None = None) -> set[str]:
        """The values of that type in the answer, which must be a good one."""
        reply = self.ask(name, rdtype, subnet)
        assert reply.rcode() == dns.rcode.NOERROR, f"{reply}\n{self.log}"
        return {
            one.to_text()
            for rrset in reply.answer
            if rrset.rdtype == dns.rdatatype.from_text(rdtype)
            for one in rrset
        }

    @property
    def log(self) -> str:
        return self._log.read_text(encoding="utf-8")


@contextmanager
def resolving(folder: Path, zone: str, upstream: int, *options: str) -> Iterator[Resolver]:
    """Unbound on a port that was free a moment ago; `upstream` is the port of the name server of `zone`."""
    program = need("unbound", "unbound")
    about = subprocess.run([program, "-V"], capture_output=True, text=True, check=False)
    if "subnetcache" not in about.stdout + about.stderr:
        pytest.skip("this Unbound was built without the module subnetcache")
    log, more = folder / "log", "\n".join(f"  {option}" for option in options)
    for _ in range(_ATTEMPTS):
        port, config = _free_port(), folder / "unbound.conf"
        config.write_text(
            CONFIG.format(port=port, upstream=upstream, folder=folder, zone=zone, options=more), "utf-8"
        )
        with subprocess.Popen([program, "-d", "-p", "-c", str(config)], stderr=subprocess.DEVNULL) as process:
            try:
                if _is_answering(port, process):
                    yield Resolver(port, log)
                    return
            finally:
                process.terminate()
    pytest.fail(f"unbound does not run:\n{log.read_text(encoding='utf-8') if log.exists() else ''}")


def _free_port() -> int:
    """A port that was free a moment ago, for UDP and TCP; another program may be quicker to take it."""
    while True:
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as udp, socket.socket() as tcp:
            udp.bind(("127.0.0.1", 0))
            port: int = udp.getsockname()[1]
            with suppress(OSError):
                tcp.bind(("127.0.0.1", port))
                return port


def _is_answering(port: int, process: subprocess.Popen[bytes]) -> bool:
    """Wait until it answers anything; False if it ends or takes too long."""
    deadline = time.monotonic() + PATIENCE
    question = dns.message.make_query("version.bind", "TXT", "CH")
    while process.poll() is None and time.monotonic() < deadline:
        try:
            dns.query.udp(question, "127.0.0.1", 0.2, port)
        except (dns.exception.Timeout, OSError):
            time.sleep(0.02)
            continue
        return True
    return False
