"""What was asked over DNS, and what happens: for people who look on."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from functools import partial

from aiohttp import web

from dnsemu.control import models
from dnsemu.control.describe import describe_query
from dnsemu.control.operator import Operator
from dnsemu.control.routes import Refused, read_query

_MOST_LISTENERS = 64
_PAUSE = 0.1  # seconds until queries are told again
_LOOK = 0.5  # seconds until it is noticed that a client has gone
_HEARTBEAT = 15.0  # seconds without an event until a comment says that the connection is alive
_MOST_QUERIES = 100  # told at a time


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
        silent = 0.0
        while not told.is_over and request.transport is not None and not request.transport.is_closing():
            taken = await listener.take(_LOOK)
            silent = 0.0 if taken else silent + _LOOK
            if taken or silent >= _HEARTBEAT:
                silent = 0.0
                await response.write(taken or b": still here\n\n")
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
