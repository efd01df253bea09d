"""The operations of the HTTP API, a handler each (surface: HTTP)."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial
from ipaddress import IPv6Network, ip_network
from typing import Any

import dns.exception
import dns.rdatatype
from aiohttp import web

from dnsemu.authority import Asked, Authority, as_json, asked_by, explain, resolve
from dnsemu.config import MissingPath, geography, tables
from dnsemu.control import models
from dnsemu.control.describe import (
    describe_check,
    describe_decisions,
    describe_fault,
    describe_place,
    describe_query,
    describe_served,
    describe_server,
    word,
)
from dnsemu.control.operator import NotReloadable, Operator
from dnsemu.control.routes import Refused, Route, give, read_body, read_query
from dnsemu.errors import ConfigError, TextError
from dnsemu.health import Standing
from dnsemu.location import check_area, check_region, read_whence
from dnsemu.model import ClientBlock, Network, Type, Whereabouts, read_duration
from dnsemu.server.queries import decided

MOST_QUESTIONS = 1000  # in one request
_SLICE = 50  # questions that are answered before DNS has its turn
_MOST_LISTENERS = 64
_PAUSE = 0.1  # seconds until queries are told again
_HEARTBEAT = 15.0  # seconds without an event until a comment says that the connection is alive
_MOST_QUERIES = 100  # told at a time


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


async def status(operator: Operator, request: web.Request) -> models.ServerStatus:
    """The server."""
    return describe_server(operator)


# Health


async def list_checks(operator: Operator, request: web.Request) -> web.Response:
    """All health checks; in a thread, as there may be thousands."""
    ledger = operator.monitor.ledger

    def describe() -> web.Response:
        standings = list(ledger.standings.values())
        return give(models.HealthChecks(health_checks=[describe_check(one, ledger) for one in standings]))

    return await asyncio.to_thread(describe)


async def show_check(operator: Operator, request: web.Request) -> models.HealthCheck:
    """One health check."""
    return describe_check(_standing(operator, request), operator.monitor.ledger)


async def force(operator: Operator, request: web.Request) -> models.HealthCheck:
    """Force a status; it holds before the reply leaves."""
    standing = _standing(operator, request)
    body: models.OverrideRequest = await read_body(request, models.OverrideRequest)
    seconds = None if body.for_ is None else read_duration(body.for_) / 1000
    if seconds == 0:
        raise Refused(400, "for: 0 is no time at all")
    forced = operator.monitor.force(
        standing.check.id, healthy=body.status == "healthy", reason=body.reason, seconds=seconds
    )
    duration, reason = f" for {body.for_}" if body.for_ else "", f": {body.reason}" if body.reason else ""
    _tell(operator, request, f"health check {standing.check.id} forced {body.status}{duration}{reason}")
    return describe_check(forced, operator.monitor.ledger)


async def clear(operator: Operator, request: web.Request) -> models.HealthCheck:
    """Let a status be what it is."""
    standing = operator.monitor.clear(_standing(operator, request).check.id)
    _tell(operator, request, f"health check {standing.check.id} no longer forced, {word(standing.healthy)}")
    return describe_check(standing, operator.monitor.ledger)


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
        operator.monitor.set_control(control, body.state)
    except LookupError as error:
        raise Refused(404, str(error)) from None
    _tell(operator, request, f"routing control {control} is {body.state}")
    return models.RoutingControl(arn=control, state=body.state)


# Places


async def list_places(operator: Operator, request: web.Request) -> models.Places:
    """The places that were set."""
    return models.Places(places=[describe_place(place) for place in operator.places.values()])


async def set_place(operator: Operator, request: web.Request) -> models.Place:
    """Take the clients of a block to be somewhere."""
    block = _block(request)
    place = ClientBlock(block, _whereabouts(operator, await read_body(request, models.PlaceRequest)))
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
        block = ip_network(text)
    except ValueError as error:
        raise Refused(400, f"not a CIDR block: {error}") from None
    if isinstance(block, IPv6Network) and block.prefixlen >= 96 and block.network_address.ipv4_mapped:
        return ip_network((block.network_address.ipv4_mapped, block.prefixlen - 96))
    return block


def _whereabouts(operator: Operator, body: models.PlaceRequest) -> Whereabouts:
    """What the body says, by the rules of zone files."""
    try:
        if body.region is not None:
            check_region(body.region, tables().regions)
        if body.continent is not None or body.country is not None or body.subdivision is not None:
            check_area(tables(), body.continent, body.country, body.subdivision)
    except TextError as error:
        raise Refused(400, f"{error.message}{f'; {error.hint}' if error.hint else ''}") from None
    known = _vpc_ids(operator)
    if body.vpc_id is not None and body.vpc_id not in known:
        raise Refused(400, f"there is no VPC '{body.vpc_id}'; known: {', '.join(sorted(known)) or 'none'}")
    degrees = (body.coordinates.latitude, body.coordinates.longitude) if body.coordinates else None
    where = Whereabouts(body.continent, body.country, body.subdivision, degrees, body.region, body.vpc_id)
    if not where.is_place and where.vpc_id is None:
        raise Refused(400, "say where: continent, country, subdivision, coordinates, region or vpc_id")
    return where


def _vpc_ids(operator: Operator) -> set[str]:
    configuration = operator.served.configuration
    associated = {vpc.vpc_id for zone in configuration.hosted_zones for vpc in zone.vpcs}
    return associated | {vpc.vpc_id for vpc in configuration.clients.vpcs}


# Answers


async def answer(operator: Operator, request: web.Request) -> web.Response | models.Resolution:
    """Answer questions without DNS, all by what is served now."""
    body = await read_body(request, models.Question | list[models.Question])
    authority = operator.authority
    if not isinstance(body, list):
        return _resolve(operator, authority, body)
    if len(body) > MOST_QUESTIONS:
        raise Refused(400, f"{len(body)} questions are too many: at most {MOST_QUESTIONS} at once")
    asked = [_asked(operator, question) for question in body]  # all of them, before anything is drawn
    answers = []
    for number, (question, one) in enumerate(zip(body, asked, strict=True)):
        if number % _SLICE == _SLICE - 1:
            await asyncio.sleep(0)
        answers.append(_resolution(operator, authority, question, one).model_dump_json(by_alias=True))
    return web.Response(text=f"[{','.join(answers)}]", content_type="application/json")


def _resolve(operator: Operator, authority: Authority, question: models.Question) -> models.Resolution:
    return _resolution(operator, authority, question, _asked(operator, question))


def _resolution(
    operator: Operator, authority: Authority, question: models.Question, asked: Asked
) -> models.Resolution:
    resolved = resolve(authority, asked, operator.draws)
    return models.Resolution(
        name=question.name,
        type=asked.type.name,
        from_=question.from_,
        zone_id=resolved.zone_id if resolved else None,
        rcode=resolved.rcode if resolved else "REFUSED",
        records=[models.ResourceRecord(**record) for record in resolved.records] if resolved else [],
        scope=resolved.scope if resolved else 0,
        decisions=describe_decisions([decided(authority, *one) for one in resolved.decisions]) if resolved else [],
    )


async def explain_answer(operator: Operator, request: web.Request) -> models.Explanation:
    """Why an answer, as `dnsemu explain` tells it; nothing is drawn."""
    question = read_query(request, models.Question)
    asked, authority, draws = _asked(operator, question), operator.authority, operator.draws.ahead()
    told = await asyncio.to_thread(explain, authority, asked, draws)
    if told is None:
        raise Refused(404, f"{question.name} is in no hosted zone: REFUSED")
    return models.Explanation(**as_json(told))


def _asked(operator: Operator, question: models.Question) -> Asked:
    clients = operator.served.configuration.clients
    try:
        who = read_whence(question.from_, geography(), clients.places)
        return asked_by(question.name, _type(question.type), who, clients, operator.places.values())
    except TextError as error:
        raise Refused(400, f"{error.message}{f'; {error.hint}' if error.hint else ''}") from None


def _type(text: str) -> Type:
    try:
        return Type(int(dns.rdatatype.from_text(text)))
    except (dns.exception.DNSException, ValueError):
        known = ", ".join(sorted(Type.__members__))
        raise TextError("record-type", f"'{text}' is no type that Route 53 serves: {known}") from None


# What was asked, and what happens


async def queries(operator: Operator, request: web.Request) -> models.LoggedQueries:
    """The last questions over DNS, the newest first."""
    limit = read_query(request, models.Limit).limit
    return models.LoggedQueries(queries=[describe_query(query) for query in operator.recent.last(limit)])


async def events(operator: Operator, request: web.Request) -> web.StreamResponse:
    """Server-sent events: query, probe, transition, reload, control; `lost` tells how many a slow listener missed."""
    told = operator.events
    if len(told.listeners) >= _MOST_LISTENERS:
        raise Refused(503, f"{_MOST_LISTENERS} are listening already")
    response = web.StreamResponse(headers={"Content-Type": "text/event-stream", "Cache-Control": "no-store"})
    with told.listening() as listener, suppress(ConnectionResetError):  # the client has gone
        told.begin(partial(_tell_queries, operator))
        await response.prepare(request)
        await response.write(b": dnsemu\n\n")
        while not told.is_over:
            await response.write(await listener.take(_HEARTBEAT) or b": still here\n\n")
    return response


async def _tell_queries(operator: Operator) -> None:
    """Tells what is asked, as long as anybody listens; of a flood, the last ones."""
    told, seen = operator.events, operator.recent.total
    while told.listeners and not told.is_over:
        await asyncio.sleep(_PAUSE)
        asked, seen, missed = operator.recent.since(seen, _MOST_QUERIES)
        if missed:
            told.tell("lost", {"events": missed})
        for query in asked:
            told.tell("query", describe_query(query).model_dump(by_alias=True))


# The server


async def reload(operator: Operator, request: web.Request) -> models.ServedConfiguration:
    """Read the files again; 200: what is in them is served, 400: every reason why it can not be."""
    try:
        return describe_served(await operator.reload())
    except ConfigError as error:
        details = [describe_fault(fault) for fault in error.faults]
        count = f"{len(details)} fault{'s' if len(details) != 1 else ''}"
        message = f"{count}; what was served before still is"
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
    operator.events.note(what, request.remote or "")


def _routes() -> list[Route]:
    text, api = "text/plain", "/api/v1"
    checks = f"{api}/health-checks"
    check = f"{checks}/{{id:.+}}"
    many: Any = models.Resolution | list[models.Resolution]
    questions: Any = models.Question | list[models.Question]
    return [
        Route("GET", "/healthz", health, "Whether the process is alive", text),
        Route("GET", "/ready", ready, "Whether it answers questions", text, fails=(503,)),
        Route("GET", "/metrics", metrics, "Prometheus metrics", text),
        Route("GET", f"{api}/status", status, "Version, listeners, configuration, counts", models.ServerStatus),
        Route("GET", checks, list_checks, "All health checks", models.HealthChecks),
        Route("PUT", f"{check}/override", force, "Force a health check's status", models.HealthCheck,
              models.OverrideRequest, changes=True, fails=(404,)),
        Route("DELETE", f"{check}/override", clear, "Let a health check's status be what it is", models.HealthCheck,
              changes=True, fails=(404,)),
        Route("GET", check, show_check, "One health check", models.HealthCheck, fails=(404,)),
        Route("PUT", f"{api}/alarms/{{region}}/{{name:.+}}", set_alarm, "Feed a CloudWatch alarm", models.Alarm,
              models.AlarmRequest, changes=True, fails=(404,)),
        Route("PUT", f"{api}/routing-controls/{{id:.+}}", set_control, "Set a routing control",
              models.RoutingControl, models.RoutingControlRequest, changes=True, fails=(404,)),
        Route("POST", f"{api}/resolve", answer, "Answers without DNS, to one question or many", many, questions),
        Route("GET", f"{api}/explain", explain_answer, "Why an answer", models.Explanation, by=models.Question,
              fails=(404,)),
        Route("GET", f"{api}/queries", queries, "The last questions", models.LoggedQueries, by=models.Limit),
        Route("GET", f"{api}/events", events, "What happens, as server-sent events", "text/event-stream",
              fails=(503,)),
        Route("GET", f"{api}/places", list_places, "Places that were set", models.Places),
        Route("PUT", f"{api}/places/{{cidr:.+}}", set_place, "Take clients to be somewhere", models.Place,
              models.PlaceRequest, changes=True),
        Route("DELETE", f"{api}/places/{{cidr:.+}}", drop_place, "Take clients to be where they are", models.Done,
              changes=True, fails=(400, 404)),
        Route("POST", f"{api}/reload", reload, "Read the files again", models.ServedConfiguration, changes=True,
              fails=(400, 409)),
        Route("POST", f"{api}/reset", reset, "Drop overrides, places, alarms and history", models.Done,
              changes=True),
    ]  # fmt: skip


ROUTES = _routes()
