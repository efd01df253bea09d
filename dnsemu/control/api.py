"""The operations of the HTTP API, a handler each (surface: HTTP)."""

from __future__ import annotations

import asyncio
from functools import cache
from ipaddress import ip_network
from typing import Annotated, Any

from aiohttp import web
from pydantic import Field

from dnsemu.config import MissingPath, tables
from dnsemu.control import models
from dnsemu.control.asking import MOST_QUESTIONS, answer, explain_answer
from dnsemu.control.describe import (
    describe_check,
    describe_fault,
    describe_place,
    describe_served,
    describe_server,
    word,
)
from dnsemu.control.looking import events, queries
from dnsemu.control.openapi import document
from dnsemu.control.operator import NotReloadable, Operator
from dnsemu.control.routes import Refused, Route, give, noting, read_body, reasons
from dnsemu.errors import ConfigError, counted_faults, printable
from dnsemu.health import Standing
from dnsemu.location import check_area, check_region
from dnsemu.model import ClientBlock, Network, Whereabouts, read_duration, unmapped_block

_LONGEST = 36500 * 86400  # seconds that something may be forced for


async def health(operator: Operator, request: web.Request) -> web.Response:
    """The process is alive."""
    return web.Response(text="ok\n")


async def ready(operator: Operator, request: web.Request) -> web.Response:
    """It answers questions."""
    if not operator.is_ready:
        raise Refused(503, "not ready: the sockets are not open", code="not-ready")
    return web.Response(text="ready\n")


async def metrics(operator: Operator, request: web.Request) -> web.Response:
    """Prometheus's text."""
    octets, content_type = await operator.render_metrics(request.headers.get("Accept", ""))
    return web.Response(body=octets, headers={"Content-Type": content_type})


async def openapi(operator: Operator, request: web.Request) -> web.Response:
    """The description of this API; made when somebody asks for the first time, as few do."""
    return web.json_response(await asyncio.to_thread(_description, operator.version))


@cache
def _description(version: str) -> dict[str, Any]:
    return document(ROUTES, version)


async def status(operator: Operator, request: web.Request) -> models.ServerStatus:
    """The server."""
    return describe_server(operator)


# Health


async def list_checks(operator: Operator, request: web.Request) -> web.Response:
    """All health checks; in a thread, as there may be thousands."""
    standings = operator.monitor.ledger.standings  # a reload makes another mapping

    def describe() -> web.Response:
        checks = [describe_check(one, standings) for one in standings.values()]
        return give(models.HealthChecks(health_checks=checks))

    return await asyncio.to_thread(describe)


async def show_check(operator: Operator, request: web.Request) -> models.HealthCheck:
    """One health check."""
    return _described(operator, _standing(operator, request))


async def force(operator: Operator, request: web.Request) -> models.HealthCheck:
    """Force a status; it holds before the reply leaves."""
    _standing(operator, request)
    body: models.OverrideRequest = await read_body(request, models.OverrideRequest)
    seconds = None if body.for_ is None else read_duration(body.for_) / 1000
    if seconds is not None and seconds > _LONGEST:
        with reasons("the body is not what it should be") as found:
            told = "at most 876000h; leave it out, and it holds until it is cleared"
            found.append({"path": "for", "message": told, "code": "too-long"})
    reason = printable(body.reason)
    standing = _standing(operator, request)  # again: a reload may have come before the body
    forced = operator.monitor.force(
        standing.check.id, healthy=body.status == "healthy", reason=reason, seconds=seconds
    )
    duration, why = f" for {body.for_}" if body.for_ else "", f": {reason}" if reason else ""
    _tell(operator, request, f"health check {standing.check.id} forced {body.status}{duration}{why}")
    return _described(operator, forced)


async def clear(operator: Operator, request: web.Request) -> models.HealthCheck:
    """Let a status be what it is."""
    standing = operator.monitor.clear(_standing(operator, request).check.id)
    _tell(operator, request, f"health check {standing.check.id} no longer forced, {word(standing.healthy)}")
    return _described(operator, standing)


def _described(operator: Operator, standing: Standing) -> models.HealthCheck:
    return describe_check(standing, operator.monitor.ledger.standings)


def _standing(operator: Operator, request: web.Request) -> Standing:
    check_id = request.match_info["id"]
    try:
        return operator.monitor.ledger.standings[check_id]
    except KeyError:
        raise Refused(404, f"there is no health check '{check_id}'") from None


async def set_alarm(operator: Operator, request: web.Request) -> models.Alarm:
    """Say what the data of an alarm say."""
    region, name = request.match_info["region"], request.match_info["name"]
    body: models.AlarmRequest = await read_body(request, models.AlarmRequest)
    try:
        operator.monitor.set_alarm(region, name, body.state)
    except LookupError as error:
        raise Refused(404, str(error)) from None
    _tell(operator, request, f"alarm {name} in {region} is {body.state}")
    return models.Alarm(region=region, name=name, state=body.state)


async def set_control(operator: Operator, request: web.Request) -> models.RoutingControl:
    """Set a routing control, by its ARN or what is behind the ARN's last slash."""
    control = request.match_info["id"]
    body: models.RoutingControlRequest = await read_body(request, models.RoutingControlRequest)
    try:
        arn = operator.monitor.set_control(control, body.state)
    except LookupError as error:
        raise Refused(404, str(error)) from None
    _tell(operator, request, f"routing control {arn} is {body.state}")
    return models.RoutingControl(arn=arn, state=body.state)


# Places


async def list_places(operator: Operator, request: web.Request) -> models.Places:
    """The places that were set."""
    return models.Places(places=[describe_place(place) for place in operator.places.values()])


async def set_place(operator: Operator, request: web.Request) -> models.Place:
    """Take the clients of a block to be somewhere."""
    block = _block(request)
    body: models.PlaceRequest = await read_body(request, models.PlaceRequest)
    place = ClientBlock(block, _whereabouts(operator, body))
    operator.set_place(place)
    _tell(operator, request, f"place set for {block}")
    return describe_place(place)


async def drop_place(operator: Operator, request: web.Request) -> models.Done:
    """Take them to be where they are."""
    block = _block(request)
    if not operator.drop_place(block):
        raise Refused(404, f"no place is set for {block}")
    _tell(operator, request, f"place of {block} dropped")
    return models.Done()


def _block(request: web.Request) -> Network:
    text = request.match_info["cidr"]
    try:
        if "%" in text:  # of one interface only, or encoded twice
            raise ValueError(f"'{text}' has a % in it")
        block = ip_network(text)
    except ValueError as error:
        raise Refused(400, f"not a CIDR block: {error}") from None
    return unmapped_block(block)


def _whereabouts(operator: Operator, body: models.PlaceRequest) -> Whereabouts:
    """What the body says, by the rules of zone files. Raises Refused with every reason."""
    known = _vpc_ids(operator)
    with reasons("the body is not what it should be") as found:
        if body.region is not None:
            with noting(found):
                check_region(body.region, tables().regions)
        if body.continent is not None or body.country is not None or body.subdivision is not None:
            with noting(found):
                check_area(tables(), body.continent, body.country, body.subdivision)
        if body.vpc_id is not None and body.vpc_id not in known:
            told = f"there is no VPC '{body.vpc_id}'; known: {', '.join(sorted(known)) or 'none'}"
            found.append({"path": "vpc_id", "message": told, "code": "unknown-vpc"})
    degrees = (body.coordinates.latitude, body.coordinates.longitude) if body.coordinates else None
    where = Whereabouts(body.continent, body.country, body.subdivision, degrees, body.region, body.vpc_id)
    if not where.is_place and where.vpc_id is None:
        raise Refused(400, "say where: continent, country, subdivision, coordinates, region or vpc_id")
    return where


def _vpc_ids(operator: Operator) -> set[str]:
    configuration = operator.served.configuration
    associated = {vpc.vpc_id for zone in configuration.hosted_zones for vpc in zone.vpcs}
    return associated | {vpc.vpc_id for vpc in configuration.clients.vpcs}


# The server


async def reload(operator: Operator, request: web.Request) -> models.ServedConfiguration:
    """Read the files again; 200: what is in them is served, 400: every reason why it can not be."""
    try:
        return describe_served(await operator.reload())
    except ConfigError as error:
        details = [describe_fault(fault) for fault in error.faults]
        message = f"{counted_faults(error.faults)}; what was served before still is"
        raise Refused(400, message, details, "invalid-configuration") from None
    except MissingPath as error:
        raise Refused(400, f"{error}; what was served before still is", code="missing-path") from None
    except NotReloadable as error:
        raise Refused(409, str(error)) from None


async def reset(operator: Operator, request: web.Request) -> models.Done:
    """Drop overrides, places, alarms, routing controls and history."""
    operator.reset()
    _tell(operator, request, "reset")
    return models.Done()


def _tell(operator: Operator, request: web.Request, what: str) -> None:
    """To the log and to listeners: who changed what."""
    operator.events.note(printable(what), request.remote or "")


def _routes() -> list[Route]:
    text, api = "text/plain", "/api/v1"
    checks = f"{api}/health-checks"
    check = f"{checks}/{{id:[^/]+}}"  # with a slash in it as %2F; what else may have one, also plain
    many: Any = models.Resolution | list[models.Resolution]
    questions: Any = models.Question | Annotated[list[models.Question], Field(max_length=MOST_QUESTIONS)]
    return [
        Route("GET", "/healthz", health, "Whether the process is alive", text),
        Route("GET", "/ready", ready, "Whether it answers questions", text, fails=(503,)),
        Route("GET", "/metrics", metrics, "Prometheus metrics", text),
        Route("GET", f"{api}/openapi.json", openapi, "This description", dict[str, Any]),
        Route("GET", f"{api}/status", status, "Version, listeners, configuration, counts", models.ServerStatus),
        Route("GET", checks, list_checks, "All health checks", models.HealthChecks),
        Route("PUT", f"{check}/override", force, "Force a health check's status", models.HealthCheck,
              models.OverrideRequest, changes=True, fails=(404,)),
        Route("DELETE", f"{check}/override", clear, "Let a health check's status be what it is", models.HealthCheck,
              changes=True, fails=(404,)),
        Route("GET", check, show_check, "One health check", models.HealthCheck, fails=(404,)),
        Route("PUT", f"{api}/alarms/{{region}}/{{name:(?s:.+)}}", set_alarm, "Feed a CloudWatch alarm", models.Alarm,
              models.AlarmRequest, changes=True, fails=(404,)),
        Route("PUT", f"{api}/routing-controls/{{id:(?s:.+)}}", set_control, "Set a routing control",
              models.RoutingControl, models.RoutingControlRequest, changes=True, fails=(404,)),
        Route("POST", f"{api}/resolve", answer, "Answers without DNS, to one question or many", many, questions),
        Route("GET", f"{api}/explain", explain_answer, "Why an answer", models.Explanation, by=models.Question,
              fails=(404,)),
        Route("GET", f"{api}/queries", queries, "The last questions", models.LoggedQueries, by=models.Limit),
        Route("GET", f"{api}/events", events, "What happens, as server-sent events", "text/event-stream",
              fails=(503,)),
        Route("GET", f"{api}/places", list_places, "Places that were set", models.Places),
        Route("PUT", f"{api}/places/{{cidr:(?s:.+)}}", set_place, "Take clients to be somewhere", models.Place,
              models.PlaceRequest, changes=True),
        Route("DELETE", f"{api}/places/{{cidr:(?s:.+)}}", drop_place, "Take clients to be where they are",
              models.Done, changes=True, fails=(400, 404)),
        Route("POST", f"{api}/reload", reload, "Read the files again", models.ServedConfiguration, changes=True,
              fails=(400, 409)),
        Route("POST", f"{api}/reset", reset, "Drop overrides, places, alarms and history", models.Done,
              changes=True),
    ]  # fmt: skip


ROUTES = _routes()
