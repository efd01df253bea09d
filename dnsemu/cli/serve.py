"""`dnsemu serve`"""

from __future__ import annotations

import asyncio
import gc
import json
import logging
import signal
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NoReturn

import click

from dnsemu.app import Loaded, Server, load
from dnsemu.cli.log import log_to_stderr, logs_json
from dnsemu.cli.output import Exit, fail, print_faults, status_of, summary
from dnsemu.config import MissingPath
from dnsemu.errors import ConfigError, Fault, Severity
from dnsemu.server import BindError, read_endpoint

_log = logging.getLogger("dnsemu")

DEFAULT_PATH = Path("zones")
DEFAULT_LISTEN = "127.0.0.1:5300"


@click.command()
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(path_type=Path))
@click.option(
    "--listen",
    metavar="HOST:PORT",
    multiple=True,
    help=f"Where to answer, over UDP and TCP; may be given several times; port 0 is a free one. [{DEFAULT_LISTEN}]",
)
@click.option("--seed", type=click.IntRange(0, 2**63 - 1), help="Makes random choices the same each time.")
@click.option(
    "--port-file",
    type=click.Path(path_type=Path, dir_okay=False),
    help='Gets {"dns": ["HOST:PORT"]} once it answers.',
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
    seed: int | None,
    port_file: Path | None,
    log_level: str,
    log_format: str,
) -> None:
    """Answer the hosted zones of files and folders (default: zones/) until SIGTERM or Ctrl-C."""
    log_to_stderr(log_level, log_format)
    # A process 1, as in a container, ignores signals that it has no handler for; it may be stopped while it reads.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(Exit.DONE))
    try:
        endpoints = [read_endpoint(text) for text in listen or (DEFAULT_LISTEN,)]
    except ValueError as error:
        raise click.BadParameter(str(error), param_hint="--listen") from None
    twice = [endpoint for endpoint in endpoints if endpoint.port and endpoints.count(endpoint) > 1]
    if twice:
        raise click.BadParameter(f"{twice[0]} is given twice", param_hint="--listen")
    _remove(port_file)
    try:
        server = Server(_load(paths or (DEFAULT_PATH,)), endpoints, seed)
    except BindError as error:
        _leave(str(error), Exit.CANNOT_BIND)
    if asyncio.run(_serve(server, port_file)) == signal.SIGINT:
        sys.exit(Exit.INTERRUPTED)


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
    await server.start()
    # What was compiled lives as long as the process and holds no cycles: the collector need not walk it again.
    gc.collect()
    gc.freeze()
    if port_file:
        _write_ports(port_file, server)
    try:
        return await ended.get()
    finally:
        _log.info("stopping")
        await server.close()


def _log_failure(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
    """What the event loop has to say, as one line of our log."""
    _log.error("%s: %s", context["message"], context.get("exception", ""))


def _write_ports(file: Path, server: Server) -> None:
    """Whole or not at all: who waits for the file finds all of it."""
    unfinished = file.with_name(f".{file.name}.new")
    try:
        unfinished.write_text(json.dumps({"dns": [str(endpoint) for endpoint in server.endpoints]}) + "\n")
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


def _load(paths: Sequence[Path]) -> Loaded:
    try:
        loaded = load(paths)
    except MissingPath as error:
        _leave(f"{error}; dnsemu init writes a zone file to begin with", Exit.UNREADABLE)
    except ConfigError as error:
        _tell(error.faults, error.texts)
        _leave(f"not serving: {summary(error.faults)}", status_of(error.faults))
    _tell(loaded.warnings, loaded.texts)
    return loaded
