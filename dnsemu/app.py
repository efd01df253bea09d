"""Composition root: from files to an authority, and from an authority to a server."""

from __future__ import annotations

import gc
import logging
import secrets
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from functools import partial
from pathlib import Path
from typing import NamedTuple

from dnsemu.authority import Authority, Sources, check_configuration, compile_authority
from dnsemu.config import (
    Source,
    decode,
    find_files,
    geography,
    latency_model,
    open_database,
    read_configuration,
    read_sources,
)
from dnsemu.draws import Draws
from dnsemu.errors import ConfigError, Fault, Origin, Severity
from dnsemu.model import Configuration, HostedZone, show_name
from dnsemu.server import Answers, BindError, Endpoint, Limits, Serving, bind
from dnsemu.server.bind import Sockets, file_descriptors

MOST_ZONES_LOGGED = 20

_log = logging.getLogger("dnsemu")

_MISSES = {
    "failover-alone": {"hosted_zones"},
    "health-unused": {"dnsemu", "health_checks", "hosted_zones"},
    "policy-default": {"hosted_zones"},
    "unknown-cidr": {"cidr_collections"},
    "unknown-health-check": {"health_checks"},
    "unknown-vpc": {"dnsemu", "hosted_zones"},
}
"""Faults about something that is not there: where there is another fault below that key, it may be there."""


class Loaded(NamedTuple):
    """A configuration that can be served.

    `warnings` are doubts about it; `texts` is what stands in the files they point into.
    """

    authority: Authority
    configuration: Configuration
    warnings: list[Fault]
    texts: dict[str, str]


def load(paths: Sequence[Path]) -> Loaded:
    """Read and compile files and folders. Raises ConfigError with every fault, MissingPath for a wrong path."""
    files = find_files(paths)
    sources, faults = read_sources(files)
    if not files:
        where = ", ".join(str(path) for path in paths)
        faults.append(
            Fault(
                Origin(where),
                "no-zones",
                "there is no zone file (*.yaml, *.yml) here",
                "dnsemu init writes one",
            )
        )
    return load_sources(sources, faults)


def load_text(text: str, name: str = "zones.yaml") -> Loaded:
    """Read and compile one text. Raises ConfigError with every fault."""
    source = decode(name, text.encode("utf-8", "surrogatepass"))
    return load_sources([source], []) if isinstance(source, Source) else load_sources([], [source])


def load_sources(sources: Sequence[Source], faults: list[Fault]) -> Loaded:
    """Read and compile; `faults` are those of files that have no text. Raises ConfigError with every fault."""
    with _collector_at_rest():
        return _load_sources(sources, faults)


def _load_sources(sources: Sequence[Source], faults: list[Fault]) -> Loaded:
    texts = {source.name: source.text for source in sources}
    read = read_configuration(sources)
    faults = [*faults, *read.faults]
    try:
        if any(fault.severity is Severity.ERROR for fault in faults):
            others = check_configuration(read.configuration)
            raise ConfigError(
                [*faults, *(fault for fault in others if not _MISSES.get(fault.code, set()) & read.sections)]
            )
        authority, warnings = compile_authority(
            read.configuration, partial(_sources, read.configuration.clients.geoip)
        )
    except ConfigError as error:
        raise ConfigError(_in_order(error.faults), texts) from None
    return Loaded(authority, read.configuration, _in_order(warnings), texts)


def _sources(geoip: str | None) -> Sources:
    """What is known of places, and the database of addresses, the shipped one if there is no other."""
    return Sources(geography(), latency_model(), open_database(geoip))


def _in_order(faults: Iterable[Fault]) -> list[Fault]:
    """By place, each once; where a value is missing, nothing else is said about it."""
    faults = dict.fromkeys(sorted(map(_printable, faults), key=lambda fault: fault.origin))
    empty = {fault.origin for fault in faults if fault.code == "empty-value"}
    return [fault for fault in faults if fault.code == "empty-value" or fault.origin not in empty]


def _printable(fault: Fault) -> Fault:
    """What files hold may be anything, and what goes to a terminal may not."""
    if fault.message.isprintable() and fault.hint.isprintable():
        return fault
    shown = [
        "".join(letter if letter.isprintable() else ascii(letter)[1:-1] for letter in text) for text in fault[2:4]
    ]
    return fault._replace(message=shown[0], hint=shown[1])


class Server:
    """A configuration on open sockets: `start` it in a running loop, `close` it there."""

    def __init__(
        self,
        loaded: Loaded,
        listen: Sequence[Endpoint],
        seed: int | None = None,
        limits: Limits | None = None,
    ) -> None:
        """Opens the sockets. `seed` beats the configuration's; without either, chance is chance. Raises BindError."""
        if seed is None:
            seed = loaded.configuration.seed
        answers = Answers(loaded.authority, Draws(secrets.randbits(63) if seed is None else seed))
        self._serving = Serving(_bind_all(listen), answers, (limits or Limits()).within(file_descriptors()))
        self._summary = _summary(loaded.configuration)

    @property
    def endpoints(self) -> list[Endpoint]:
        """Where it listens, with real port numbers."""
        return self._serving.endpoints

    async def start(self) -> None:
        """Begin to answer."""
        await self._serving.start()
        for line in self._summary:
            _log.info("serving %s", line)
        for endpoint in self.endpoints:
            _log.info("listening on %s (UDP and TCP)", endpoint)

    async def close(self) -> None:
        """Stop answering and close every socket."""
        await self._serving.close()


def _summary(configuration: Configuration) -> list[str]:
    """A line for each zone; of many zones, one line."""
    zones = configuration.hosted_zones
    if len(zones) > MOST_ZONES_LOGGED:
        return [f"{len(zones)} hosted zones with {sum(len(zone.record_sets) for zone in zones)} record sets"]
    return [
        f"{show_name(zone.name)} ({zone.zone_id}, {len(zone.record_sets)} record sets{_vpcs(zone)})" for zone in zones
    ]


def _vpcs(zone: HostedZone) -> str:
    """To whom a private zone is served."""
    return f", private to {', '.join(vpc.vpc_id for vpc in zone.vpcs)}" if zone.vpcs else ""


@contextmanager
def _collector_at_rest() -> Iterator[None]:
    """Without looking for cycles: loading makes millions of objects and next to none."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def _bind_all(listen: Sequence[Endpoint]) -> list[Sockets]:
    """Sockets for all endpoints, or none. `[::]` is best effort where there is no IPv6, if another one opened."""
    opened: list[Sockets] = []
    failed: BindError | None = None
    for endpoint in listen:
        try:
            opened.append(bind(endpoint))
        except BindError as error:
            if endpoint.host != "::" or not error.without_family:
                _close_all(opened)
                raise
            failed = error
    if failed and not opened:
        raise failed
    if failed:
        _log.warning("%s; going on without it", failed)
    return opened


def _close_all(opened: Sequence[Sockets]) -> None:
    for pair in opened:
        pair.udp.close()
        pair.tcp.close()
