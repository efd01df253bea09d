"""`dnsemu health`: health checks of a running server."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import Any

import click

from dnsemu.cli.http import DurationType, call_or_leave, http_option, path_of
from dnsemu.cli.output import columns_of
from dnsemu.model import show_duration

_CHECKS = "health-checks"
_form_option = click.option(
    "--format", "form", type=click.Choice(["human", "json"]), default="human", show_default=True
)


@click.group()
def command() -> None:
    """See and force the health of a running server's health checks."""


@command.command("list")
@http_option
@_form_option
def list_checks(url: str, form: str) -> None:
    """List all health checks, with what was seen last."""
    checks = call_or_leave(url, "GET", path_of(_CHECKS))["health_checks"]
    if form == "json":
        click.echo(json.dumps(checks, indent=2, ensure_ascii=False))
        return
    if not checks:
        click.echo("There are no health checks.", err=True)
        return
    rows = [
        (check["id"], check["type"], check["status"], check["since"][:19] + "Z", _why(check, _brief) + _end_of(check))
        for check in checks
    ]
    _print_table(("ID", "TYPE", "STATUS", "SINCE", "WHY"), rows)


@command.command()
@click.argument("check_id", metavar="ID")
@http_option
@_form_option
def show(check_id: str, url: str, form: str) -> None:
    """Show one health check: every checker, what it saw and how long that took."""
    check = call_or_leave(url, "GET", path_of(_CHECKS, check_id))
    if form == "json":
        click.echo(json.dumps(check, indent=2, ensure_ascii=False))
    else:
        _print_check(check)


@command.command()
@click.argument("check_id", metavar="ID")
@click.argument("status", type=click.Choice(["healthy", "unhealthy"]))
@click.option("--for", "duration", type=DurationType(), help="How long, as 30s; for ever if absent.")
@click.option("--reason", metavar="TEXT", default="", help="Why, for those who will see it.")
@http_option
def force(check_id: str, status: str, duration: int | None, reason: str, url: str) -> None:
    """Force the status of health check ID, at once, above everything else."""
    if duration == 0:
        raise click.BadParameter("0 is no time at all", param_hint="--for")
    body = {"status": status, "reason": reason} | ({} if duration is None else {"for": show_duration(duration)})
    check = call_or_leave(url, "PUT", path_of(_CHECKS, check_id, "override"), body)
    until = check["forced"]["until"]
    click.echo(f"{check_id} is {_coloured(status)}, forced{f' until {until}' if until else ''}")


@command.command()
@click.argument("check_id", metavar="ID", required=False)
@click.option("--all", "everything", is_flag=True, help="All that are forced.")
@http_option
def clear(check_id: str | None, everything: bool, url: str) -> None:  # noqa: FBT001 (click's)
    """Let the status of health check ID be what it is."""
    if (check_id is None) != everything:
        raise click.UsageError("say which: ID, or --all")
    checks = call_or_leave(url, "GET", path_of(_CHECKS))["health_checks"] if everything else []
    chosen = [check["id"] for check in checks if check["forced"]] if everything else [check_id]
    for one in chosen:
        check = call_or_leave(url, "DELETE", path_of(_CHECKS, str(one), "override"))
        click.echo(f"{one} is {_coloured(check['status'])}, not forced")
    if not chosen:
        click.echo("Nothing is forced.", err=True)


def _end_of(check: dict[str, Any]) -> str:
    """Until when it is forced."""
    until = check["forced"]["until"] if check["forced"] else None
    return f", until {until[:19]}Z" if until else ""


def _brief(text: str) -> str:
    """What a checker saw, without what the status says already."""
    for words in ("Success: ", "Failure: ", "The health checker ", "The endpoint "):
        text = text.removeprefix(words)
    return text


def _why(check: dict[str, Any], told: Callable[[str], str] = str) -> str:
    """What the status comes from, in a line; `told` makes words of what a checker saw."""
    forced = check["forced"]
    if forced:
        return f"forced{': ' if forced['reason'] else ''}{forced['reason']}"
    if check["disabled"]:
        return "disabled" + (", and inverted" if check["inverted"] else "")
    inverted = " (inverted)" if check["inverted"] else ""
    return f"{_seen(check, told)}{inverted}"


def _seen(check: dict[str, Any], told: Callable[[str], str]) -> str:
    children, alarm, control = check["children"], check["alarm"], check["routing_control"]
    if children:
        healthy, needed = children["healthy"], children["threshold"]
        return f"{healthy} of {len(children['statuses'])} children healthy, {needed} needed"
    if alarm:
        return f"alarm {alarm['name']} in {alarm['region']}: {alarm['state'] or 'not heard of yet'}"
    if control:
        return f"routing control {control['arn'].rpartition('/')[2]}: {control['state'] or 'not heard of yet'}"
    seen = [checker["observation"] for checker in check["checkers"] if checker["observation"]]
    if not seen:
        return "not probed yet"
    last = max(seen, key=lambda one: str(one["at"]))
    if len(check["checkers"]) == 1:
        return told(last["text"])
    return f"{check['percentage_healthy']:.0f} % of {len(check['checkers'])} checkers; {told(last['text'])}"


def _print_check(check: dict[str, Any]) -> None:
    title = f"{check['id']} ({check['type']}) is {_coloured(check['status'])} since {check['since']}"
    click.echo(title)
    rows = [("why", _why(check))]
    if check["forced"]:
        rows.append(("otherwise", check["unforced_status"]))
        rows.append(("until", check["forced"]["until"] or "it is cleared"))
    if check["endpoint"]:
        rows.append(("endpoint", check["endpoint"]))
        rows.append(("interval", f"{check['interval']:g} s, turned by {check['failure_threshold']} results in a row"))
        probes = check["probes"]
        rows.append(("probes", f"{probes['success']} succeeded, {probes['failure']} failed"))
    turns = check["transitions"]
    rows.append(("turned", f"unhealthy {_times(turns['unhealthy'])}, healthy {_times(turns['healthy'])}"))
    for child, status in (check["children"] or {"statuses": {}})["statuses"].items():
        rows.append(("child", f"{child} is {_coloured(status)}"))
    for label, text in rows:
        click.echo(f"  {label:10} {text}")
    for checker in check["checkers"]:
        _print_checker(checker)


def _print_checker(checker: dict[str, Any]) -> None:
    seen = checker["observation"]
    click.echo(f"  checker    {checker['region']}: {_coloured(checker['status'])}")
    if not seen:
        click.echo("             not probed yet")
        return
    phases = [
        f"{name} {seen[key]:g} ms"
        for name, key in (("connect", "connect_ms"), ("TLS", "tls_ms"), ("first byte", "first_byte_ms"))
        if seen[key] is not None
    ]
    click.echo(f"             {seen['text']}")
    click.echo(f"             {', '.join([seen['at'], seen['address'] or 'no address', *phases])}")


def _times(count: int) -> str:
    return {0: "never", 1: "once", 2: "twice"}.get(count, f"{count} times")


def _coloured(status: str) -> str:
    return click.style(status, fg="green" if status == "healthy" else "red")


def _print_table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> None:
    widths = [max(columns_of(row[column]) for row in (titles, *rows)) for column in range(len(titles))]
    for row in (titles, *rows):
        cells = [cell + " " * (width - columns_of(cell)) for cell, width in zip(row, widths, strict=True)]
        if row is titles:
            click.secho("  ".join(cells).rstrip(), bold=True)
        else:
            cells[2] = click.style(cells[2], fg="green" if row[2] == "healthy" else "red")
            click.echo("  ".join(cells).rstrip())
