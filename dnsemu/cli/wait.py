"""`dnsemu wait`"""

from __future__ import annotations

import sys
from time import monotonic, sleep

import click

from dnsemu.cli.http import DurationType, Refusal, Unreachable, call, http_option, path_of
from dnsemu.cli.output import Exit, fail

_PAUSE = 0.1  # seconds from one look to the next


@click.command()
@click.option("--healthy", metavar="ID", multiple=True, help="Until this health check is healthy; again for more.")
@click.option("--timeout", type=DurationType(), default="10s", show_default=True, help="How long at most.")
@http_option
def command(healthy: tuple[str, ...], timeout: int, url: str) -> None:
    """Wait until a server is ready, and until health checks are healthy.

    0: it is so; 1: it is not yet, when the time is over; 3: no server was reached at all.
    """
    end = monotonic() + timeout / 1000
    was_reached = False
    while True:
        missing, status = _missing(url, healthy, max(end - monotonic(), _PAUSE))
        was_reached = was_reached or status is not Exit.UNREACHABLE
        if not missing:
            sys.exit(Exit.DONE)
        if monotonic() >= end:
            fail(f"{missing} after {timeout / 1000:g} s", Exit.NEGATIVE if was_reached else status)
        sleep(min(_PAUSE, max(end - monotonic(), 0.0)))


def _missing(url: str, healthy: tuple[str, ...], patience: float) -> tuple[str, Exit]:
    """What is not so yet, and the exit status if it stays so; empty if nothing is missing."""
    try:
        call(url, "GET", "/ready", timeout=patience)
        checks = [call(url, "GET", path_of("health-checks", check_id), timeout=patience) for check_id in healthy]
        ill = [check["id"] for check in checks if check["status"] != "healthy"]
        if ill:
            return f"health check {ill[0]} is unhealthy", Exit.NEGATIVE
    except Unreachable as error:
        return f"no answer from {url}: {error}", Exit.UNREACHABLE
    except Refusal as error:
        if error.status == 404:  # waiting makes no health check
            fail(str(error), Exit.NEGATIVE)
        return str(error), Exit.NEGATIVE
    return "", Exit.DONE
