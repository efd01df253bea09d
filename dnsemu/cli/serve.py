"""`dnsemu serve`"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import os
import signal
import sys
from collections.abc import Sequence
from dataclasses import replace
from ipaddress import ip_network
from pathlib import Path
from time import monotonic
from typing import Any, NoReturn

import click

from dnsemu.app import Loaded, Server, Settings, load
from dnsemu.cli.log import log_to_stderr, log_without_waiting, logs_json
from dnsemu.cli.output import Exit, fail, print_faults, status_of
from dnsemu.config import MissingPath, Watcher
from dnsemu.errors import ConfigError, Fault, Severity, counted_faults
from dnsemu.model import Network, unmapped_block
from dnsemu.server import BindError, Endpoint, QueryLog, read_endpoint

_log = logging.getLogger("dnsemu")

DEFAULT_PATH = Path("zones")
DEFAULT_LISTEN = "127.0.0.1:5300"
DEFAULT_HTTP = "127.0.0.1:8053"
_COLLECTIONS = (20_000, 20, 50)  # of the young things after so many, of older ones after so many of those
_SELDOM, _MOST_TOLD = 10.0, 100  # seconds between two lines that say the same; how many lines are known
_SWITCH = 0.0005  # seconds that a thread that renders or reads keeps answers waiting; Python's default is 5 ms


@click.command()
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--listen",
    metavar="HOST:PORT",
    multiple=True,
    help=f"Where to answer, over UDP and TCP; may be given several times; port 0 is a free one. [{DEFAULT_LISTEN}]",
)
@click.option(
    "--http",
    metavar="HOST:PORT",
    help=f"Where the HTTP API and metrics are; port 0 is a free one, off is nowhere. [{DEFAULT_HTTP}]",
)
@click.option(
    "--allow-control",
    metavar="CIDR",
    multiple=True,
    help="Who may change something over HTTP, beside this machine; may be given several times.",
)
@click.option(
    "--query-log",
    metavar="json|route53[:FILE]",
    help="Logs every question, as JSON lines or in Route 53's form, on stdout or to a file.",
)
@click.option("--no-watch", is_flag=True, help="Do not reload when files change.")
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), help="Makes random choices the same each time.")
@click.option(
    "--port-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help='Gets {"dns": ["HOST:PORT"], "http": "HOST:PORT"} once it answers.',
)
@click.option(
    "--log-level",
    type=click.Choice(["debug", "info", "warning", "error"]),
    default="info",
    show_default=True,
    help="The least that is logged, on stderr.",
)
@click.option(
    "--log-format",
    type=click.Choice(["text", "json"]),
    default="text",
    show_default=True,
    help="One line an event, or one JSON object a line.",
)
def command(
    paths: tuple[Path, ...],
    listen: tuple[str, ...],
    http: str | None,
    allow_control: tuple[str, ...],
    query_log: str | None,
    no_watch: bool,  # noqa: FBT001 (click's)
    seed: int | None,
    port_file: Path | None,
    log_level: str,
    log_format: str,
) -> None:
    """Answer the hosted zones of files and folders (default: zones/) until SIGTERM or Ctrl-C."""
    log_to_stderr(log_level, log_format)
    signal.signal(signal.SIGHUP, signal.SIG_IGN)  # what it asks for is being done
    try:
        endpoints = [read_endpoint(text) for text in listen or (DEFAULT_LISTEN,)]
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--listen") from None
    twice = [endpoint for endpoint in endpoints if endpoint.port and endpoints.count(endpoint) > 1]
    if twice:
        raise click.BadParameter(f"{twice[0]} is given twice", param_hint="--listen")
    if http == "off" and allow_control:
        raise click.UsageError("--allow-control is about HTTP, and --http off is without: leave one of them out")
    settings = Settings(
        http=_read_http(http),
        http_may_lack=http is None,
        allow_control=[read_block(text) for text in allow_control],
        query_log=_query_log(query_log),
        settle=gc.freeze,
    )
    _remove(port_file)
    paths = paths or (DEFAULT_PATH,)
    gc.disable()  # until all is loaded: there are next to no cycles in it, and looking for them takes long
    files = _Files(paths)
    watcher = None if no_watch else Watcher(paths, also=files.also)
    digest = watcher.digest() if watcher else None  # before the files are read: what changes from here on is noticed
    loaded = _load(files)
    if watcher and digest:
        digest = watcher.after_reading(digest)
    try:
        server = Server(
            loaded, endpoints, seed, settings=replace(settings, read=files, watcher=watcher, digest=digest)
        )
    except BindError as error:
        _leave(str(error), Exit.CANNOT_BIND)
    if asyncio.run(_serve(server, port_file)) == signal.SIGINT:
        sys.exit(Exit.INTERRUPTED)


def _read_http(text: str | None) -> Endpoint | None:
    if text == "off":
        return None
    try:
        return read_endpoint(DEFAULT_HTTP if text is None else text)
    except ValueError as error:
        told = str(error).replace(":5300", ":8053")
        raise click.BadParameter(f"{told}, or off", param_hint="--http") from None


def read_block(text: str) -> Network:
    """A block of --allow-control. Raises click.BadParameter."""
    try:
        return unmapped_block(ip_network(text))
    except ValueError as error:
        raise click.BadParameter(
            f"{error}: write 172.30.0.0/24 or 172.30.0.1", param_hint="--allow-control"
        ) from None


def _query_log(text: str | None) -> QueryLog | None:
    if text is None:
        return None
    form, colon, file = text.partition(":")
    target = Path(file) if file else None
    if form == "json" and bool(colon) == bool(file):
        return QueryLog("json", target)
    if form == "route53" and bool(colon) == bool(file):
        return QueryLog("route53", target)
    raise click.BadParameter(
        f"'{text}' is neither json nor route53: write json, or route53:queries.log", param_hint="--query-log"
    )


def _leave(message: str, status: Exit) -> NoReturn:
    """Say why, in the log's own form, and leave."""
    if logs_json():
        _log.error("%s", message)
        sys.exit(status)
    fail(message, status)


def _remove(port_file: Path | None) -> None:
    """What an earlier run has left would mislead who waits for the file."""
    try:
        if port_file:
            port_file.unlink(missing_ok=True)
    except OSError as error:
        _leave(f"--port-file {port_file} can not be written: {error.strerror}", Exit.UNREADABLE)


async def _serve(server: Server, port_file: Path | None) -> int:
    """Serve until a signal comes; which one it was."""
    loop = asyncio.get_running_loop()
    loop.set_exception_handler(_log_failure)
    ended: asyncio.Queue[int] = asyncio.Queue()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, ended.put_nowait, number)
    sys.setswitchinterval(_SWITCH)
    log_without_waiting()
    try:
        await server.start()
    except OSError as error:
        where = error.filename or "to stdout"
        _leave(f"--query-log {where} can not be written: {error.strerror}", Exit.UNREADABLE)
    # What was compiled holds no cycles, and lives long: the collector need not look at it, now or later. Of what is
    # made while serving it looks at the young things often, and seldom at all, as answers wait meanwhile.
    gc.freeze()
    gc.set_threshold(*_COLLECTIONS)
    gc.enable()
    if port_file:
        _write_ports(port_file, server)
    loop.add_signal_handler(signal.SIGHUP, _on_hangup, server)
    operating = loop.create_task(_operate(server))  # what answers does not wait for it
    try:
        caught = await ended.get()
    finally:
        operating.cancel()
        await asyncio.gather(operating, return_exceptions=True)
        _log.info("stopping")
        await server.close()
    if server.operations.is_busy:  # maybe for seconds, and the interpreter would wait for that thread
        logging.shutdown()
        os._exit(Exit.INTERRUPTED if caught == signal.SIGINT else Exit.DONE)
    return caught


async def _operate(server: Server) -> None:
    """All else that a server does; what that has imported lives as long as the process too."""
    try:
        await server.operate()
    except Exception:
        _log.exception("going on without HTTP, probes or watching")
    gc.freeze()


def _on_hangup(server: Server) -> None:
    """SIGHUP: read the files again, and write the query log to what its name means now."""
    server.reopen_log()
    task = asyncio.get_running_loop().create_task(server.reload())
    _reloads.add(task)
    task.add_done_callback(_reloads.discard)


_reloads: set[asyncio.Task[None]] = set()  # the loop itself keeps no task alive


def _log_failure(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What the event loop has to say, as one line of our log; the same thing seldom, as it may come all the time."""
    line = f"{context['message']}: {context.get('exception', '')}"
    now = monotonic()
    if now >= _told.get(line, 0.0):
        if len(_told) >= _MOST_TOLD:
            _told.clear()
        _told[line] = now + _SELDOM
        _log.error("%s", line)


_told: dict[str, float] = {}  # lines, and until when they are not said again


def _write_ports(file: Path, server: Server) -> None:
    """Whole or not at all: who waits for the file finds all of it."""
    unfinished = file.with_name(f".{file.name}.new")
    try:
        ports = {
            "dns": [str(endpoint) for endpoint in server.endpoints],
            "http": str(server.http) if server.http else None,
        }
        unfinished.write_text(json.dumps(ports) + "\n")
        unfinished.replace(file)
    except OSError as error:
        _leave(f"--port-file {file} can not be written: {error.strerror}", Exit.UNREADABLE)


def _tell(faults: Sequence[Fault], texts: dict[str, str]) -> None:
    """With lines and carets for people; each as an event where the log is for programs."""
    if not logs_json():
        print_faults(faults, texts)
        return
    for fault in faults:
        _log.log(
            logging.ERROR if fault.severity is Severity.ERROR else logging.WARNING,
            "%s",
            fault,
            extra={"fault": fault},
        )


class _Files:
    """Reads the files, and remembers what else they read: the database of addresses."""

    def __init__(self, paths: Sequence[Path]) -> None:
        self._paths = paths
        self._also: tuple[Path, ...] = ()

    def __call__(self) -> Loaded:
        """What is in them now. Raises ConfigError, MissingPath."""
        try:
            loaded = load(self._paths)
        except ConfigError as error:  # a database that is missing may come
            self._also = tuple(map(Path, error.others)) or self._also
            raise
        geoip = loaded.configuration.clients.geoip
        self._also = (Path(geoip),) if geoip is not None else ()
        return loaded

    def also(self) -> tuple[Path, ...]:
        """What those read last read beside themselves."""
        return self._also


def _load(files: _Files) -> Loaded:
    try:
        loaded = files()
    except MissingPath as error:
        _leave(f"{error}; dnsemu init writes a zone file to begin with", Exit.UNREADABLE)
    except ConfigError as error:
        _tell(error.faults, error.texts)
        _leave(f"not serving: {counted_faults(error.faults)}", status_of(error.faults))
    _tell(loaded.warnings, loaded.texts)
    return loaded
