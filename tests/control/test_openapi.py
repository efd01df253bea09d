"""The description of the API: it is valid, it is complete, and what it says holds whatever is sent."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from http.client import HTTPConnection
from typing import Any
from zlib import crc32

import pytest
import schemathesis
from aiohttp import web
from control.harness import ARN, CHECKS, PATIENCE, Operated, checks_zone, operated
from jsonschema import Draft202012Validator
from properties.strategies import EXPLORE
from schemathesis.checks import not_a_server_error
from schemathesis.core.parameters import ParameterLocation
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    missing_required_header,
    negative_data_rejection,
    positive_data_acceptance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
    unsupported_method,
)

from dnsemu import __version__
from dnsemu.control.api import ROUTES
from dnsemu.control.openapi import document

DOCUMENT = document(ROUTES, __version__)
SCHEMA = schemathesis.openapi.from_dict(DOCUMENT).exclude(path="/api/v1/events")  # it has no end
SCHEMA.config.generation.update(deterministic=not EXPLORE, max_examples=8 * (EXPLORE or 1))
METHODS = ("get", "put", "post", "delete")
HELD = [
    *(not_a_server_error, status_code_conformance, content_type_conformance, response_schema_conformance),
    *(response_headers_conformance, negative_data_rejection, positive_data_acceptance),
    *(missing_required_header, unsupported_method),
]
"""Checks of schemathesis. Left out is that `Allow` tells the methods of the document and no others: HEAD is possible
where GET is, and is not told twice."""
LONGEST = 8190  # octets of a request target


@pytest.fixture(scope="module")
def fuzzed() -> Iterator[Operated]:
    vpcs = "dnsemu: {vpcs: [{vpc_id: vpc-lab, cidr_blocks: [127.0.0.2/32]}]}\n"
    with operated(checks_zone(CHECKS) + vpcs) as server:
        yield server


# What the document says


def test_it_is_served(checks: Operated) -> None:
    assert checks.call("GET", "/api/v1/openapi.json").ok == DOCUMENT


def test_it_is_valid_openapi_3_1() -> None:
    assert DOCUMENT["openapi"] == "3.1.0"
    SCHEMA.validate()


def test_its_schemas_are_valid() -> None:
    schemas = [*DOCUMENT["components"]["schemas"].values(), *_schemas(DOCUMENT["paths"])]
    assert len(schemas) > 40
    for schema in schemas:
        Draft202012Validator.check_schema(schema)


def _schemas(node: object) -> Iterator[Any]:
    """What stands under `schema`, anywhere."""
    if isinstance(node, dict):
        for key, value in node.items():
            if key == "schema":
                yield value
            else:
                yield from _schemas(value)
    elif isinstance(node, list):
        for value in node:
            yield from _schemas(value)


def _references(node: object) -> Iterator[str]:
    if isinstance(node, dict):
        yield from ([node["$ref"]] if "$ref" in node else [])
        for value in node.values():
            yield from _references(value)
    elif isinstance(node, list):
        for value in node:
            yield from _references(value)


def test_all_that_it_refers_to_is_there_and_nothing_else() -> None:
    used = {reference.removeprefix("#/components/schemas/") for reference in _references(DOCUMENT)}
    assert used == DOCUMENT["components"]["schemas"].keys()


def _routes(app: web.Application) -> set[tuple[str, str]]:
    """All that an application answers; a path as in the document, for which a slash may be in a parameter."""
    found = set()
    for route in app.router.routes():
        assert route.resource is not None
        if route.method != "HEAD":
            found.add((route.method.lower(), re.sub(r"\{(\w+):[^}]*\}", r"{\1}", route.resource.canonical)))
    return found


def _described() -> set[tuple[str, str]]:
    return {(method, path) for path, operations in DOCUMENT["paths"].items() for method in operations}


def test_every_operation_is_there(checks: Operated) -> None:
    listener = checks.server._listener
    assert listener is not None
    app = listener._runner.app
    assert _described() == _routes(app)


def test_operations_are_told_apart_and_described() -> None:
    operations = [one for path in DOCUMENT["paths"].values() for one in path.values()]
    assert len({one["operationId"] for one in operations}) == len(operations)
    assert all(re.fullmatch(r"[a-z][a-z0-9_]*", one["operationId"]) for one in operations)
    assert all(one["summary"] for one in operations)
    for path, methods in DOCUMENT["paths"].items():
        for method, one in methods.items():
            assert method in METHODS
            names = [parameter["name"] for parameter in one.get("parameters", ()) if parameter["in"] == "path"]
            assert names == re.findall(r"\{(\w+)\}", path)


def test_an_object_has_no_keys_but_those_that_are_named() -> None:
    for name, schema in DOCUMENT["components"]["schemas"].items():
        assert schema["additionalProperties"] is False, name
        assert schema["description"], name


# What is done

NAMES = (
    "n0.fo.test",
    "N1.fo.test.",
    "fo.test",
    "nothing.fo.test",
    "_explain.n0.fo.test",
    r"\052.fo.test",
    "other.example",
)
TYPES = ("A", "aaaa", "TXT", "TYPE65", "SOA")
CLIENTS = ("127.0.0.1", "DE", "US-WA", "eu-west-1", "192.0.2.0/24", "::ffff:192.0.2.1", "2001:db8::/32", "0.0.0.0/0")
BLOCKS = ("192.0.2.0/24", "127.0.0.1", "2001:db8::/32", "::ffff:10.0.0.0/104", "0.0.0.0/0", "::/0")
DURATIONS = ("1ms", "30s", "2m", "12h")
VALUES: dict[str, Sequence[str]] = {"country": ("US", "DE"), "region": ("eu-west-1",), "vpc_id": ("vpc-lab",)}


def pick(text: object, choices: Sequence[str]) -> str:
    """One of them, the same each time."""
    return choices[crc32(repr(text).encode()) % len(choices)]


PATHS = {
    "cidr": BLOCKS,
    "id": (*CHECKS, ARN, "cell-1", "none"),
    "region": ("eu-west-1",),
    "name": (CHECKS["alarm"]["cloudwatch_alarm_name"], CHECKS["alarm"]["cloudwatch_alarm_name"], "none"),
}


def make_sensible(case: Any) -> None:
    """Texts that a schema allows are not all names, places or blocks: others instead, that are.

    JSON Schema can not say what a domain name in presentation format is, or which places there are. What was made
    wrong on purpose stays as it is.
    """

    def is_right(location: ParameterLocation) -> bool:
        return case.meta is None or not case.meta.is_negative_at(location)

    if case.path_parameters and is_right(ParameterLocation.PATH):
        for key, value in case.path_parameters.items():
            case.path_parameters[key] = pick(value, PATHS[key])
    if case.operation.path == "/api/v1/explain" and is_right(ParameterLocation.QUERY):
        case.query = sensible_question(case.query)
    if is_right(ParameterLocation.BODY):
        case.body = sensible_body(case.operation.path, case.body)


def sensible_body(path: str, body: Any) -> Any:
    if path == "/api/v1/resolve":
        return [sensible_question(one) for one in body] if isinstance(body, list) else sensible_question(body)
    if path == "/api/v1/places/{cidr}" and isinstance(body, dict):
        return sensible_place(body)
    if path.endswith("/override") and isinstance(body, dict) and body.get("for") is not None:
        return {**body, "for": pick(body["for"], DURATIONS)}
    return body


def sensible_question(question: Any) -> dict[str, str]:
    """The keys that it has, with other values."""
    choices = {"name": NAMES, "type": TYPES, "from": CLIENTS}
    return {key: pick(value, choices[key]) for key, value in question.items()}


def sensible_place(place: Any) -> dict[str, Any]:
    """A place that there is, and one at least."""
    found = {key: pick(place[key], choices) for key, choices in VALUES.items() if place.get(key) is not None}
    if place.get("coordinates") is not None:
        found["coordinates"] = place["coordinates"]
    if found.get("country") == "US" and place.get("subdivision") is not None:
        found["subdivision"] = "WA"
    if "country" not in found and place.get("continent") is not None:
        found["continent"] = "EU"
    return found or {"country": "DE"}


@SCHEMA.parametrize()
def test_what_is_described_holds(fuzzed: Operated, case: schemathesis.Case) -> None:
    """Examples of each kind of mistake, and random ones."""
    make_sensible(case)
    reply = case.call(base_url=fuzzed.url)
    if len(reply.request.path_url) > LONGEST:
        assert reply.status_code == 400  # said by aiohttp, before anything of ours is asked, and as text
    else:
        case.validate_response(reply, checks=HELD)


def test_the_server_is_well_after_all_that(fuzzed: Operated) -> None:
    connection = HTTPConnection(*fuzzed.http, timeout=PATIENCE)
    connection.request("GET", "/ready")
    assert connection.getresponse().read() == b"ready\n"
    connection.close()
    assert fuzzed.values("n0.fo.test")
