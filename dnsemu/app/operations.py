"""What is served while it is served: its health, its places, its configuration; how they come to be published."""

from __future__ import annotations

import asyncio
import logging
import secrets
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from functools import partial
from importlib import import_module
from random import Random
from time import time
from typing import TYPE_CHECKING, NamedTuple

from dnsemu import __version__
from dnsemu.app.coalescing import Coalescing
from dnsemu.app.collector import collector_at_rest
from dnsemu.app.loading import Loaded
from dnsemu.app.release import held, let_go
from dnsemu.authority import Authority
from dnsemu.config import MissingPath
from dnsemu.control.events import Events
from dnsemu.control.operator import NotReloadable, Served
from dnsemu.draws import Draws
from dnsemu.errors import ConfigError, Fault, Severity, counted_faults
from dnsemu.health import Monitor, Observation, Probed, Resolver, Succession, Transition
from dnsemu.model import ClientBlock, Configuration, HealthCheck, HealthSnapshot, Network
from dnsemu.server import Answers, QueryLog, Recent
from dnsemu.tally import Reloads

if TYPE_CHECKING:
    from dnsemu.metrics import Encoding, Labels

_log = logging.getLogger("dnsemu")


class _Prepared(NamedTuple):
    """A configuration that is ready to be served, what `Tally.keep` needs, and parts of the one `before`."""

    loaded: Loaded
    health: Succession
    labels: Labels | None
    numbers: Mapping[int, tuple[int, Sequence[int]]]
    before: list[object]


class Operations:
    """Implements `control.Operator`. Everything that changes what is served ends in one assignment here."""

    version = __version__

    def __init__(
        self,
        loaded: Loaded,
        seed: int | None,
        *,
        counts: bool,
        probes: int,
        read: Callable[[], Loaded] | None = None,
        settle: Callable[[], None] = lambda: None,
        log: QueryLog | None = None,
    ) -> None:
        """`counts`: whether there will be metrics; `probes`: how many at a time.

        `read` reads the files again, and `settle` is called when that is done, in the thread that does it.
        """
        self._seed = seed
        self._read = read
        self._settle = settle
        self._query_log = log
        self._reading = Coalescing()
        self._rendering = Coalescing()
        self._counts = counts
        self._labels: Labels | None = None
        self._reloads = Reloads(time())
        self.started_at = time()
        self.listeners: Mapping[str, Sequence[str]] = {}
        self.is_ready = False
        self.places: dict[Network, ClientBlock] = {}
        self.events = Events()
        self.recent = Recent()
        self.served = Served(loaded.configuration, loaded.digest, loaded.warnings)
        self.answers = Answers(loaded.authority, self._new_draws(), counts=counts)
        if counts:
            self.answers.watchers.append(self.recent.watch)
        if log is not None:
            self.answers.watchers.append(log.watch)
        draws = self._new_draws()  # not those of the answers, which probes must not disturb
        self._resolver = Resolver(lambda: self.authority, draws)
        self.monitor = Monitor(
            loaded.configuration.health_checks,
            self._probe,
            self._publish_health,
            time,
            Random(draws.next(b"phases")),
            probes,
        )
        self.monitor.watchers.append(self._tell_health)

    @property
    def authority(self) -> Authority:
        """What is served now."""
        return self.answers.authority

    @property
    def is_busy(self) -> bool:
        """Whether a thread does something that takes long."""
        return self._reading.is_busy or self._rendering.is_busy

    @property
    def checks(self) -> Sequence[HealthCheck]:
        """The health checks of what is served now."""
        return self.served.configuration.health_checks

    @property
    def draws(self) -> Draws:
        """Those of the answers."""
        return self.answers.draws

    # Health

    async def _probe(self, check: HealthCheck) -> Observation:
        from dnsemu.health.probe import probe  # what it needs is imported after the sockets are open

        return await probe(check, self._resolver)

    def _publish_health(self, snapshot: HealthSnapshot, changed: Collection[str]) -> None:
        self.answers.publish(self.authority.with_health(snapshot, changed))

    def _tell_health(self, news: Probed | Transition) -> None:
        if not self.events.listeners:
            return
        from dnsemu.control.describe import describe_news

        self.events.tell("probe" if isinstance(news, Probed) else "transition", describe_news(news))

    # Places

    def set_place(self, place: ClientBlock) -> None:
        """Take the clients of a block to be somewhere, from the next answer on."""
        self.places[place.block] = place
        self._publish_places()

    def drop_place(self, block: Network) -> bool:
        """Take them to be where they are; False if that block was not set."""
        if self.places.pop(block, None) is None:
            return False
        self._publish_places()
        return True

    def _publish_places(self) -> None:
        self.answers.publish(self.authority.with_places(list(self.places.values())))

    # The configuration

    async def reload(self) -> Served:
        """Read the files again, and serve what is in them; all or nothing.

        Raises ConfigError, MissingPath, NotReloadable: then what was served still is.
        """
        if self._read is None:
            raise NotReloadable("what is served does not come from files: there is nothing to read again")
        return await self._reading.do("files", partial(self._reload, self._read))

    async def _reload(self, read: Callable[[], Loaded]) -> Served:
        try:
            prepared = await asyncio.to_thread(self._prepare, read, self.monitor.ledger.snapshot)
            self._take(prepared)
            served = self.served
        except Exception as error:
            if not isinstance(error, ConfigError | MissingPath):
                _log.exception("reloading went wrong")
            await self._refuse(error)
            raise
        await asyncio.to_thread(_log_faults, served.warnings)
        _log.info("reloaded: %s", summary_of(served.configuration))
        return served

    def _prepare(self, read: Callable[[], Loaded], healthy: HealthSnapshot) -> _Prepared:
        """All that can be done beside the answers: in a thread. `healthy`: what is known when it begins."""
        with collector_at_rest():
            loaded = read()
            loaded = loaded._replace(authority=loaded.authority.with_health(healthy))
            checks = loaded.configuration.health_checks
            if any(check.is_probed for check in checks):
                import_module("dnsemu.health.probe")
            labels = self._make_labels(loaded.configuration, loaded.authority)
            numbers = self._labels.numbers_after(labels) if labels is not None and self._labels is not None else {}
            others = self._labels.parts() if self._labels is not None else ()
            before = held(self.authority, self.served.configuration, others)
            prepared = _Prepared(loaded, self.monitor.plan(checks), labels, numbers, before)
            self._settle()  # before the collector looks at all of it
            return prepared

    def _make_labels(self, configuration: Configuration, authority: Authority) -> Labels | None:
        if not self._counts:
            return None
        from dnsemu.metrics import Labels

        return Labels(configuration, authority)

    def _take(self, prepared: _Prepared) -> None:
        """Serve another configuration: what is known of health and places goes on with it."""
        loaded, health, labels, numbers, before = prepared
        configuration = loaded.configuration
        let_go(before)
        self.recent.settle()
        self.monitor.take(health)
        authority = loaded.authority.with_health(self.monitor.ledger.snapshot)
        if self.places:
            authority = authority.with_places(list(self.places.values()))
        if labels is not None:
            for tally in self.answers.tallies.values():
                tally.keep(labels.zones, numbers)
        self._labels = labels
        self.answers.publish(authority)
        self.served = Served(configuration, loaded.digest, loaded.warnings)
        self._note_reload(succeeded=True)
        self.events.tell("reload", {"succeeded": True, "sha256": loaded.digest})

    async def _refuse(self, error: Exception) -> None:
        self._note_reload(succeeded=False)
        faults = error.faults if isinstance(error, ConfigError) else []
        await asyncio.to_thread(_log_faults, faults)
        why = counted_faults(faults) or str(error) or repr(error)
        _log.error("not reloaded: %s; what was served before still is", why)
        reasons = [str(fault) for fault in faults if fault.severity is Severity.ERROR] or [why]
        self.events.tell("reload", {"succeeded": False, "reasons": reasons})

    def _note_reload(self, *, succeeded: bool) -> None:
        self._reloads.note(time(), succeeded=succeeded)

    def reset(self) -> None:
        """Drop what was forced, set and remembered; chance begins anew."""
        self.monitor.reset()
        if self.places:
            self.places.clear()
            self._publish_places()
        self.recent.clear()
        self.answers.draws = self._new_draws()

    def _new_draws(self) -> Draws:
        seed = self.served.configuration.seed if self._seed is None else self._seed
        return Draws(secrets.randbits(63) if seed is None else seed)

    # Metrics

    async def prepare_metrics(self) -> None:
        """Imports and names, before the first scrape."""
        await self._reading.do("labels", self._prepare_labels)  # not beside a reload, which makes them anew

    async def _prepare_labels(self) -> None:
        self._labels = await asyncio.to_thread(self._make_labels, self.served.configuration, self.authority)

    async def render_metrics(self, accept: str) -> tuple[bytes, str]:
        """Metrics in a form that is acceptable, and its content type; rendered in a thread, once for all who wait."""
        from dnsemu.metrics import encoding_for

        encoding = encoding_for(accept)
        return await self._rendering.do(encoding.content_type, partial(self._render, encoding)), encoding.content_type

    async def _render(self, encoding: Encoding) -> bytes:
        from dnsemu.metrics import Seen, render

        assert self._labels is not None, "prepare_metrics comes first"
        standings = list(self.monitor.ledger.standings.values())
        seen = Seen(
            self._labels,
            self.authority,
            {kind: tally.copy() for kind, tally in self.answers.tallies.items()},
            standings,
            self._reloads,
            self.served.sha256,
            {"health": sum(one.forced is not None for one in standings), "place": len(self.places)},
            self._query_log.dropped if self._query_log else 0,
        )

        def rendered() -> bytes:
            with collector_at_rest():
                return render(seen, encoding)

        return await asyncio.to_thread(rendered)


def summary_of(configuration: Configuration) -> str:
    """`2 hosted zones with 31 record sets, 1 health check`."""
    zones, checks = configuration.hosted_zones, len(configuration.health_checks)
    sets = sum(len(zone.record_sets) for zone in zones)
    told = f"{_count(len(zones), 'hosted zone')} with {_count(sets, 'record set')}"
    return f"{told}, {_count(checks, 'health check')}" if checks else told


def _count(number: int, what: str) -> str:
    return f"{number} {what}{'s' if number != 1 else ''}"


def _log_faults(faults: Iterable[Fault]) -> None:
    """A line for each; there may be thousands."""
    for fault in faults:
        level = logging.ERROR if fault.severity is Severity.ERROR else logging.WARNING
        hint = f" ({fault.hint})" if fault.hint else ""
        _log.log(level, "%s%s", fault, hint, extra={"fault": fault})
