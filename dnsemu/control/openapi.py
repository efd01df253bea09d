"""The OpenAPI document, made of the routes and their models."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from functools import cache
from http import HTTPStatus
from typing import Any

from pydantic import BaseModel, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode

from dnsemu.control import models
from dnsemu.control.routes import Route

_REF = "#/components/schemas/{model}"
Json = dict[str, Any]


def document(routes: Sequence[Route], version: str) -> Json:
    """The description of the API, OpenAPI 3.1."""
    kinds = [kind for route in routes for kind in _kinds(route)]
    schemas, components = _schemas([(models.Error, "serialization"), *kinds])
    paths: dict[str, Json] = {}
    for route in routes:
        paths.setdefault(_plain(route.path), {})[route.method.lower()] = _operation(route, schemas)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "dnsemu",
            "version": version,
            "description": "Operate a dnsemu server: health, places, answers and why they are what they are.",
        },
        "paths": paths,
        "components": {"schemas": components},
    }


def _kinds(route: Route) -> Iterable[tuple[Any, JsonSchemaMode]]:
    if route.asks is not None:
        yield route.asks, "validation"
    if not isinstance(route.gives, str):
        yield route.gives, "serialization"


def _schemas(kinds: Iterable[tuple[Any, JsonSchemaMode]]) -> tuple[dict[Any, Json], Json]:
    """A schema for each kind, and what they refer to."""
    once = dict.fromkeys(kinds)
    inputs = [(kind, mode, _adapter(kind)) for kind, mode in once]
    made, components = TypeAdapter.json_schemas(
        [((str(kind), mode), mode, adapter) for kind, mode, adapter in inputs],
        ref_template=_REF,
        schema_generator=GenerateJsonSchema,
    )
    schemas = {(str(kind), mode): made[(str(kind), mode), mode] for kind, mode in once}
    return schemas, components.get("$defs", {})


@cache
def _adapter(kind: Any) -> TypeAdapter[Any]:
    return TypeAdapter(kind)


def _plain(path: str) -> str:
    """`/places/{cidr:.+}` as `/places/{cidr}`."""
    return re.sub(r"\{(\w+):[^}]*\}", r"{\1}", path)


def _operation(route: Route, schemas: dict[Any, Json]) -> Json:
    parameters = [
        {"name": name, "in": "path", "required": True, "schema": {"type": "string"}}
        for name in re.findall(r"\{(\w+)", route.path)
    ]
    operation: Json = {
        "summary": route.summary,
        "operationId": f"{route.method.lower()}{re.sub(r'[^a-z0-9]+', '_', _plain(route.path).lower())}".strip("_"),
        "responses": {"200": _answer(route, schemas), **_failures(route)},
    }
    parameters += _query_parameters(route.by) if route.by else []
    if parameters:
        operation["parameters"] = parameters
    if route.asks is not None:
        content = {"application/json": {"schema": schemas[str(route.asks), "validation"]}}
        operation["requestBody"] = {"required": True, "content": content}
    return operation


def _answer(route: Route, schemas: dict[Any, Json]) -> Json:
    if isinstance(route.gives, str):
        return {"description": "OK", "content": {route.gives: {"schema": {"type": "string"}}}}
    schema = schemas[str(route.gives), "serialization"]
    return {"description": "OK", "content": {"application/json": {"schema": schema}}}


def _failures(route: Route) -> Json:
    """Every request can be one of a browser's for a foreign page; a body can be wrong, too large, or never come."""
    statuses = {403, *route.fails, *((400,) if route.path.startswith("/api/") else ())}
    statuses |= {408, 413} if route.asks is not None or route.changes else set()
    schema = {"$ref": _REF.format(model="Error")}
    return {
        str(status): {"description": HTTPStatus(status).phrase, "content": {"application/json": {"schema": schema}}}
        for status in sorted(statuses)
    }


def _query_parameters(kind: type[BaseModel]) -> list[Json]:
    schema = kind.model_json_schema(mode="validation")
    required = schema.get("required", ())
    return [
        {"name": name, "in": "query", "required": name in required, "schema": one}
        for name, one in schema["properties"].items()
    ]
