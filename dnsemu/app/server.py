"""A configuration on open sockets, and all that goes with it: probes, HTTP, watching files, the query log."""

from __future__ import annotations

import asyncio
import errno
import logging
import socket
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from importlib import import_module
from typing import TYPE_CHECKING

from dnsemu.app.descriptors import shares
from dnsemu.app.loading import Loaded
from dnsemu.app.operations import Operations
from dnsemu.config import Digest, Watcher
from dnsemu.model import Configuration, HostedZone, Network, show_name
from dnsemu.server import BindError, Endpoint, Limits, QueryLog, Serving, bind, bind_http
from dnsemu.server.bind import Sockets

if TYPE_CHECKING:
    from dnsemu.control.listener import Listener

MOST_ZONES_LOGGED = 20
_PAUSE = 0.2  # seconds until a file descriptor may be free
_QUIET, _FEW = 1.0, 100  # seconds, and questions in them
_FOR_HTTP = ("dnsemu.metrics", "dnsemu.control.listener")

_log = logging.getLogger("dnsemu")


@dataclass(frozen=True, slots=True)
class Settings:
    """What a server does beside answering.

    `http`: where it listens for HTTP; without it there are no metrics either. `http_may_lack`: if that address is
    taken, go on without. `allow_control`: who may change something over HTTP, beside this machine. `probes`: without
    them health is what it is at the beginning, or what is forced.

    `read` reads the files again, `watcher` tells when, and `digest` is what it said of those that are served.
    `settle` is called when another configuration was loaded, before it serves.
    """

    http: Endpoint | None = None
    http_may_lack: bool = False
    allow_control: Sequence[Network] = ()
    query_log: QueryLog | None = None
    read: Callable[[], Loaded] | None = None
    watcher: Watcher | None = None
    digest: Digest | None = None
    probes: bool = True
    settle: Callable[[], None] = lambda: None


class Server:
    """A configuration on open sockets: `start` it in a running loop, `close` it there."""

    def __init__(
        self,
        loaded: Loaded,
        listen: Sequence[Endpoint],
        seed: int | None = None,
        limits: Limits | None = None,
        settings: Settings | None = None,
    ) -> None:
        """Opens the sockets. `seed` beats the configuration's; without either, chance is chance. Raises BindError."""
        self._settings = settings = settings or Settings()
        sockets = _bind_all(listen)
        try:
            self._http = _bind_http(settings)
        except BindError:
            _close_all(sockets)
            raise
        limits = limits or Limits()
        self._shares = shares(limits.connections)
        self.operations = Operations(
            loaded,
            seed,
            counts=self._http is not None,
            probes=self._shares.probes,
            read=self._read if settings.read else None,
            settle=settings.settle,
            log=settings.query_log,
        )
        self._serving = Serving(sockets, self.operations.answers, replace(limits, connections=self._shares.tcp))
        self._listener: Listener | None = None
        self._watching: asyncio.Task[None] | None = None
        self._digest = settings.digest
        self._was_read = asyncio.Event()

    @property
    def endpoints(self) -> list[Endpoint]:
        """Where it listens for DNS, with real port numbers."""
        return self._serving.endpoints

    @property
    def http(self) -> Endpoint | None:
        """Where it listens for HTTP, if it does."""
        return self._http[0] if self._http else None

    async def start(self) -> None:
        """Begin to answer."""
        self._loop = asyncio.get_running_loop()
        if self._settings.query_log is not None:
            self._settings.query_log.start()
        await self._serving.start()
        self.operations.is_ready = True
        for line in _summary(self.operations.served.configuration):
            _log.info("serving %s", line)
        for endpoint in self.endpoints:
            _log.info("listening on %s (UDP and TCP)", endpoint)

    async def operate(self) -> None:
        """Begin with all that is not needed for answering: probes, HTTP, watching files."""
        if self._settings.probes and any(check.is_probed for check in self.operations.checks):
            await _import("dnsemu.health.probe")
        if self._settings.probes:
            self.operations.monitor.start()
        if self._settings.watcher is not None:
            self._watching = asyncio.create_task(self._watch(self._settings.watcher))
        if self._http is not None:
            await self._begin_http(*self._http)

    async def _begin_http(self, endpoint: Endpoint, sock: socket.socket) -> None:
        operations = self.operations
        operations.listeners = {"dns": [str(one) for one in self.endpoints], "http": [str(endpoint)]}
        _log.info("listening on http://%s", endpoint)
        if not all(name in sys.modules for name in _FOR_HTTP):  # by a server before this one, in the same process
            await self._until_wanted(sock)
        for name in _FOR_HTTP:
            await _import(name)
        await operations.prepare_metrics()
        from dnsemu.control.listener import Listener

        self._listener = Listener(sock, operations, self._settings.allow_control, self._shares.http)
        await self._listener.start()

    async def _until_wanted(self, sock: socket.socket) -> None:
        """Until somebody connects, or few questions come: what HTTP needs takes most of a second to be imported."""
        connected = asyncio.Event()
        self._loop.add_reader(sock, connected.set)
        try:
            while not connected.is_set():
                asked = self.operations.recent.total
                with suppress(TimeoutError):
                    async with asyncio.timeout(_QUIET):
                        await connected.wait()
                if self.operations.recent.total - asked < _FEW:
                    break
        finally:
            self._loop.remove_reader(sock)

    async def reload(self) -> None:
        """Read the files again and serve them; what goes wrong is logged, and what was served still is."""
        with suppress(Exception):
            await self.operations.reload()

    def _read(self) -> Loaded:
        """What is in the files now; whatever it is, it need not be noticed again."""
        read, watcher = self._settings.read, self._settings.watcher
        assert read is not None, "without it nothing is read again"
        if watcher is None:
            return read()
        self._digest = watcher.digest()
        try:
            return read()
        finally:
            self._digest = watcher.after_reading(self._digest)
            with suppress(RuntimeError):  # the loop is closed
                self._loop.call_soon_threadsafe(self._was_read.set)

    async def _watch(self, watcher: Watcher) -> None:
        try:
            await self._watch_for_ever(watcher)
        except Exception:
            _log.exception("files are no longer watched: reload by SIGHUP or dnsemu reload")

    async def _watch_for_ever(self, watcher: Watcher) -> None:
        if self._digest is None:
            self._digest = await asyncio.to_thread(watcher.digest)
        while True:
            looking = asyncio.create_task(watcher.changed(self._digest))
            reading = asyncio.create_task(self._was_read.wait())
            try:
                await asyncio.wait({looking, reading}, return_when=asyncio.FIRST_COMPLETED)
            finally:
                reading.cancel()
                if not looking.done():
                    looking.cancel()  # somebody else has read the files: from now on it is another digest that counts
            self._was_read.clear()
            if not looking.cancelled() and looking.done() and looking.result() != self._digest:
                await self.reload()
                self._was_read.clear()

    def reopen_log(self) -> None:
        """Write the query log to what its file's name means now."""
        if self._settings.query_log is not None:
            self._settings.query_log.reopen()

    async def close(self) -> None:
        """Stop answering and close every socket."""
        self.operations.is_ready = False
        self.operations.events.end()
        if self._watching is not None:
            self._watching.cancel()
            await asyncio.gather(self._watching, return_exceptions=True)
        await self.operations.monitor.close()
        if self._listener is not None:
            await self._listener.close()
        elif self._http is not None:
            self._http[1].close()
        await self._serving.close()
        if self._settings.query_log is not None:
            await asyncio.to_thread(self._settings.query_log.close, _LOG_PATIENCE)


_LOG_PATIENCE = 2.0  # seconds to write what is left of the query log


async def _import(name: str) -> None:
    """Import a module in a thread, as that takes a while; again and again where there is no file descriptor left."""
    while True:
        try:
            await asyncio.to_thread(import_module, name)
        except OSError as error:
            if error.errno not in (errno.EMFILE, errno.ENFILE):
                raise
            await asyncio.sleep(_PAUSE)
        else:
            return


def _bind_http(settings: Settings) -> tuple[Endpoint, socket.socket] | None:
    if settings.http is None:
        return None
    try:
        return bind_http(settings.http)
    except BindError as error:
        if not settings.http_may_lack:
            raise
        _log.warning("no HTTP and no metrics: %s; --http HOST:PORT takes another port", str(error).partition("\n")[0])
        return None


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
