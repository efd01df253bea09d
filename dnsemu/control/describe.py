"""From what the server knows to what the HTTP API gives."""

from __future__ import annotations

import platform
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from time import time
from typing import Any

from dnsemu.control import models
from dnsemu.control.operator import Operator, Served
from dnsemu.errors import Fault
from dnsemu.health import Checker, Observation, Probed, Standing, Transition
from dnsemu.model import ClientBlock, HealthCheck
from dnsemu.server import Query
from dnsemu.server.queries import Decided


def moment(seconds: float) -> str:
    """Seconds since the epoch as `2026-11-20T10:04:52.120Z`."""
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def word(healthy: bool) -> models.Status:  # noqa: FBT001
    """A status as a word."""
    return "healthy" if healthy else "unhealthy"


def describe_fault(fault: Fault) -> dict[str, Any]:
    """A fault of a configuration, as `dnsemu check --format json` prints it."""
    return {
        "file": fault.origin.file.encode("utf-8", "backslashreplace").decode(),  # JSON can not hold any octets
        "line": fault.origin.line,
        "column": fault.origin.column,
        "severity": fault.severity.value,
        "code": fault.code,
        "message": fault.message,
        "hint": fault.hint,
    }


def describe_check(standing: Standing, standings: Mapping[str, Standing]) -> models.HealthCheck:
    """A health check and where it stands; `standings`: those of all, its children among them."""
    check, forced = standing.check, standing.forced
    return models.HealthCheck(
        id=check.id,
        type=check.type,
        status=word(standing.healthy),
        since=moment(standing.since),
        forced=models.Override(
            status=word(forced.healthy),
            reason=forced.reason,
            until=None if forced.until is None else moment(forced.until),
        )
        if forced
        else None,
        unforced_status=word(standing.unforced),
        inverted=check.inverted,
        disabled=check.disabled,
        endpoint=endpoint_of(check),
        interval=check.interval if check.is_probed else None,
        failure_threshold=check.failure_threshold if check.is_probed else None,
        checkers=[_checker(checker) for checker in standing.checkers],
        percentage_healthy=standing.percentage_healthy if standing.checkers else None,
        children=_children(standing, standings) if check.type == "CALCULATED" else None,
        alarm=models.Alarm(region=check.alarm[0], name=check.alarm[1], state=standing.alarm) if check.alarm else None,
        routing_control=models.RoutingControl(arn=check.routing_control, state=standing.control)
        if check.routing_control is not None
        else None,
        probes={"success": standing.probes[True], "failure": standing.probes[False]},
        transitions={"healthy": standing.transitions[True], "unhealthy": standing.transitions[False]},
    )


def endpoint_of(check: HealthCheck) -> str | None:
    """What is probed, as a URL; None if nothing is."""
    if not check.is_probed:
        return None
    host = check.fqdn or check.ip_address or ""
    host = f"[{host}]" if ":" in host else host
    at = f" at {check.ip_address}" if check.fqdn and check.ip_address else ""
    scheme = check.type.partition("_")[0].lower()
    path = "" if check.type == "TCP" else check.resource_path
    return f"{scheme}://{host}:{check.port}{path}{at}"


def _checker(checker: Checker) -> models.HealthChecker:
    seen, at = checker.observation, checker.at
    return models.HealthChecker(
        region=checker.region,
        status=word(checker.turn.healthy),
        results_to_the_contrary=checker.turn.opposite,
        observation=describe_observation(seen, at) if seen is not None and at is not None else None,
    )


def describe_observation(seen: Observation, at: float) -> models.ProbeObservation:
    """What a probe came to."""
    return models.ProbeObservation(
        at=moment(at),
        success=seen.success,
        text=seen.text,
        address=seen.address,
        connect_ms=_milliseconds(seen.connect),
        tls_ms=_milliseconds(seen.tls),
        first_byte_ms=_milliseconds(seen.first_byte),
    )


def _milliseconds(seconds: float | None) -> float | None:
    return None if seconds is None else round(seconds * 1000, 3)


def describe_news(news: Probed | Transition) -> dict[str, Any]:
    """A probe or a transition, as an event."""
    event: dict[str, Any] = {"health_check_id": news.check.id, "at": moment(news.at)}
    if isinstance(news, Probed):
        seen = describe_observation(news.observation, news.at).model_dump()
        return event | {"region": news.region} | seen
    return event | {"status": word(news.healthy), "why": news.why}


def _children(standing: Standing, standings: Mapping[str, Standing]) -> models.Children:
    check = standing.check
    return models.Children(
        statuses={child: word(standings[child].healthy) for child in check.children},
        healthy=standing.healthy_children,
        threshold=check.threshold,
    )


def describe_query(query: Query) -> models.LoggedQuery:
    """A question that was asked over DNS."""
    return models.LoggedQuery(
        at=moment(query.at),
        name=query.name,
        type=query.type,
        rcode=query.rcode or None,
        transport=query.transport,
        client=query.client,
        subnet=query.subnet,
        zone_id=query.zone_id or None,
        zone=query.zone or None,
        truncated=query.truncated,
        decisions=describe_decisions(query.decisions),
    )


def describe_decisions(decisions: Iterable[Decided]) -> list[models.RoutingDecision]:
    """What routing policies decided."""
    return [
        models.RoutingDecision(
            name=one.name,
            type=one.type,
            policy=one.policy,
            set_identifiers=list(one.set_identifiers),
            reason=one.reason,
        )
        for one in decisions
    ]


def describe_place(place: ClientBlock) -> models.Place:
    """A place that was set."""
    where = place.whereabouts
    degrees = where.coordinates
    return models.Place(
        cidr=str(place.block),
        continent=where.continent,
        country=where.country,
        subdivision=where.subdivision,
        coordinates=models.CoordinatesRequest(latitude=degrees[0], longitude=degrees[1]) if degrees else None,
        region=where.region,
        vpc_id=where.vpc_id,
    )


def describe_served(served: Served) -> models.ServedConfiguration:
    """What is served now."""
    configuration = served.configuration
    return models.ServedConfiguration(
        sha256=served.sha256,
        hosted_zones=len(configuration.hosted_zones),
        record_sets=sum(len(zone.record_sets) for zone in configuration.hosted_zones),
        health_checks=len(configuration.health_checks),
        warnings=[describe_fault(fault) for fault in served.warnings],
    )


def describe_server(operator: Operator) -> models.ServerStatus:
    """The server."""
    forced = sum(standing.forced is not None for standing in operator.monitor.ledger.standings.values())
    return models.ServerStatus(
        version=operator.version,
        python=platform.python_version(),
        started_at=moment(operator.started_at),
        uptime=round(time() - operator.started_at, 3),
        listeners={kind: list(endpoints) for kind, endpoints in operator.listeners.items()},
        configuration=describe_served(operator.served),
        queries=operator.recent.total,
        overrides={"health": forced, "place": len(operator.places)},
    )
