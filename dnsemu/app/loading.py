"""From files to an authority."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Sequence
from functools import partial
from hashlib import sha256
from pathlib import Path
from typing import NamedTuple

from dnsemu.app.collector import collector_at_rest
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
from dnsemu.errors import ConfigError, Fault, Origin, Severity, printable
from dnsemu.health import initial_snapshot
from dnsemu.model import Configuration

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

    @property
    def digest(self) -> str:
        """A digest of the files' names and texts."""
        found = sha256()
        for name, text in self.texts.items():
            for part in (name, text):
                octets = part.encode("utf-8", "surrogatepass")
                found.update(len(octets).to_bytes(8, "big") + octets)
        return found.hexdigest()


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
    with collector_at_rest():
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
        geoip = read.configuration.clients.geoip
        raise ConfigError(_in_order(error.faults), texts, [] if geoip is None else [geoip]) from None
    authority = authority.with_health(initial_snapshot(read.configuration.health_checks))
    return Loaded(authority, read.configuration, _in_order([*faults, *warnings]), texts)


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
    return fault._replace(message=printable(fault.message), hint=printable(fault.hint))
