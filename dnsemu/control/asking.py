"""Answers without DNS, and why they are what they are."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Sequence
from typing import Any, TypeVar

import dns.exception
import dns.rdatatype
from aiohttp import web

from dnsemu.authority import Asked, Authority, as_json, asked_by, explain, resolve
from dnsemu.config import geography
from dnsemu.control import models
from dnsemu.control.describe import describe_decisions
from dnsemu.control.operator import Operator
from dnsemu.control.routes import Refused, noting, read_body, read_query, reasons
from dnsemu.errors import TextError
from dnsemu.location import read_whence
from dnsemu.model import Type, read_name
from dnsemu.server.queries import decided

T = TypeVar("T")

MOST_QUESTIONS = 1000  # in one request
_SLICE = 50  # questions that are answered before DNS has its turn


async def answer(operator: Operator, request: web.Request) -> web.Response | models.Resolution:
    """Answer questions without DNS, all by what is served now."""
    body = await read_body(request, models.Question, most=MOST_QUESTIONS)
    served = _Served(operator)
    if not isinstance(body, list):
        return _resolution(operator, served.authority, body, served.asked(body))
    with reasons("the questions are not what they should be") as found:  # all of them, before anything is drawn
        asked = [served.read(one, found, str(number)) async for number, one in _in_slices(list(enumerate(body)))]
    answers = [
        _resolution(operator, served.authority, question, one).model_dump_json(by_alias=True)
        async for question, one in _in_slices(list(zip(body, asked, strict=True)))
        if one is not None
    ]
    return web.Response(text=f"[{','.join(answers)}]", content_type="application/json")


async def _in_slices(items: Sequence[T]) -> AsyncIterator[T]:
    """The items; after some of them DNS has its turn."""
    for number, item in enumerate(items):
        if number % _SLICE == _SLICE - 1:
            await asyncio.sleep(0)
        yield item


class _Served:
    """What is served at one moment, whatever comes to be served while questions are read."""

    def __init__(self, operator: Operator) -> None:
        self.authority = operator.authority
        self._clients = operator.served.configuration.clients
        self._places = list(operator.places.values())

    def asked(self, question: models.Question) -> Asked:
        """Who asks for what. Raises Refused with every reason."""
        with reasons("the question is not what it should be") as found:
            asked = self.read(question, found)
        assert asked is not None, "or there are reasons"
        return asked

    def read(self, question: models.Question, found: list[dict[str, Any]], *path: str) -> Asked | None:
        """Who asks for what; None if something is wrong with it, which is `found` then."""
        who = rdtype = asked = None
        with noting(found, *path, "from"):
            who = read_whence(question.from_, geography(), self._clients.places)
        with noting(found, *path, "type"):
            rdtype = _type(question.type)
        with noting(found, *path, "name"):
            read_name(question.name)
            if who is not None and rdtype is not None:
                asked = asked_by(question.name, rdtype, who, self._clients, self._places)
        return asked


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
    served, draws = _Served(operator), operator.draws.ahead()
    told = await asyncio.to_thread(explain, served.authority, served.asked(question), draws)
    if told is None:
        raise Refused(404, f"{question.name} is in no hosted zone: REFUSED")
    return models.Explanation(**as_json(told))


def _type(text: str) -> Type:
    try:
        return Type(int(dns.rdatatype.from_text(text)))
    except (dns.exception.DNSException, ValueError):
        known = ", ".join(sorted(Type.__members__))
        raise TextError("record-type", f"'{text}' is no type that Route 53 serves: {known}") from None
