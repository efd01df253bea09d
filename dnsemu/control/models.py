"""What the HTTP API takes and gives (surface: HTTP). The OpenAPI document is made of these models."""

from __future__ import annotations

import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field
from pydantic_core import PydanticCustomError

from dnsemu.model import DURATION

Text = Annotated[str, Field(max_length=1024)]
Moment = Annotated[str, Field(description="ISO 8601, UTC", examples=["2026-11-20T10:04:52.120Z"])]
Status = Literal["healthy", "unhealthy"]
_SOME_TIME = f"^{DURATION}$".replace("(0|", "(")  # but none at all


def _read_number(value: object) -> object:
    """A number in a query string is written in digits alone."""
    return int(value) if isinstance(value, str) and re.fullmatch("[0-9]{1,9}", value) else value


def _some_time(text: str) -> str:
    if not re.fullmatch(_SOME_TIME, text):
        raise PydanticCustomError("time", "write a time, as 500ms, 30s, 5m or 2h")
    return text


_Time = Annotated[str, AfterValidator(_some_time), Field(json_schema_extra={"pattern": _SOME_TIME})]


class Model(BaseModel):
    """A JSON object; keys that are not named are errors."""

    model_config = ConfigDict(extra="forbid", frozen=True, strict=True)


# What is taken


class OverrideRequest(Model):
    """The status to force. It is the final one: after inversion, above disabled and above children."""

    status: Status
    reason: Text = ""
    for_: Annotated[_Time | None, Field(alias="for", description="How long, as 30s; for ever if absent")] = None


class AlarmRequest(Model):
    """What the data of a CloudWatch alarm say."""

    state: Literal["OK", "ALARM", "INSUFFICIENT_DATA"]


class RoutingControlRequest(Model):
    """How a routing control is set."""

    state: Literal["On", "Off"]


class CoordinatesRequest(Model):
    """Degrees north and east."""

    latitude: Annotated[float, Field(ge=-90, le=90)]
    longitude: Annotated[float, Field(ge=-180, le=180)]


class PlaceRequest(Model):
    """Where clients are, by the codes that zone files have; `vpc_id` makes them clients of that VPC too."""

    continent: Text | None = None
    country: Text | None = None
    subdivision: Text | None = None
    coordinates: CoordinatesRequest | None = None
    region: Text | None = None
    vpc_id: Text | None = None


class Question(Model):
    """Who asks for what. `from`: a place (DE, US-VA, eu-west-1, a named one), an address, a CIDR block."""

    name: Annotated[str, Field(min_length=1, max_length=1024)]
    type: Annotated[str, Field(max_length=16)] = "A"
    from_: Annotated[str, Field(alias="from", max_length=256)] = "127.0.0.1"


class Limit(Model):
    """How many."""

    limit: Annotated[int, Field(ge=1, le=1000), BeforeValidator(_read_number)] = 100


# What is given


class ErrorContent(Model):
    """What is wrong: a code for programs, a sentence for people, and every reason, each with a `message`."""

    code: str
    message: str
    details: list[dict[str, Any]] = []


class Error(Model):
    """The answer to what can not be done."""

    error: ErrorContent


class Override(Model):
    """A status that was forced, and until when."""

    status: Status
    reason: str
    until: Moment | None


class ProbeObservation(Model):
    """What a checker saw last; durations in milliseconds."""

    at: Moment
    success: bool
    text: str
    address: str | None
    connect_ms: float | None
    tls_ms: float | None
    first_byte_ms: float | None


class HealthChecker(Model):
    """One checker, what it thinks and what it saw."""

    region: str
    status: Status
    results_to_the_contrary: Annotated[int, Field(description="in a row; failure_threshold of them turn it")]
    observation: ProbeObservation | None


class Alarm(Model):
    """The CloudWatch alarm that a check watches; `state` is null before anybody said."""

    region: str
    name: str
    state: str | None


class RoutingControl(Model):
    """The routing control that a check follows; `state` is null before anybody said."""

    arn: str
    state: str | None


class Children(Model):
    """The children of a calculated check."""

    statuses: dict[str, Status]
    healthy: int
    threshold: int


class HealthCheck(Model):
    """A health check and where it stands."""

    id: str
    type: str
    status: Status
    since: Moment
    forced: Override | None
    unforced_status: Annotated[Status, Field(description="what it would be if nobody had forced it")]
    inverted: bool
    disabled: bool
    endpoint: str | None
    interval: Annotated[float | None, Field(description="seconds")]
    failure_threshold: int | None
    checkers: list[HealthChecker]
    percentage_healthy: float | None
    children: Children | None
    alarm: Alarm | None
    routing_control: RoutingControl | None
    probes: dict[str, int]
    transitions: dict[str, int]


class HealthChecks(Model):
    """All health checks."""

    health_checks: list[HealthCheck]


class Place(PlaceRequest):
    """Clients that are taken to be somewhere."""

    cidr: str


class Places(Model):
    """All places that were set."""

    places: list[Place]


class ResourceRecord(Model):
    """A record of an answer."""

    name: str
    ttl: int
    type: str
    value: str


class RoutingDecision(Model):
    """What a routing policy decided, and why: matched, default, failover, all_unhealthy or no_match."""

    name: str
    type: str
    policy: str
    set_identifiers: list[str]
    reason: str


class Resolution(Model):
    """An answer; RCODE REFUSED if the name is in no hosted zone."""

    model_config = ConfigDict(extra="forbid", frozen=True, populate_by_name=True)

    name: str
    type: str
    from_: Annotated[str, Field(alias="from")]
    zone_id: str | None
    rcode: str
    records: list[ResourceRecord]
    scope: int
    decisions: list[RoutingDecision]


class LoggedQuery(Model):
    """A question that was asked over DNS; `rcode` is null where there was silence."""

    at: Moment
    name: str
    type: str
    rcode: str | None
    transport: str
    client: str
    subnet: str | None
    zone_id: str | None
    zone: str | None
    truncated: bool
    decisions: list[RoutingDecision]


class LoggedQueries(Model):
    """The last questions, the newest first."""

    queries: list[LoggedQuery]


class Explanation(Model):
    """Why an answer: the very steps that `dnsemu explain` prints, and its lines as `text`."""

    question: dict[str, Any]
    client: dict[str, Any]
    zone: dict[str, Any] | None
    steps: list[dict[str, Any]]
    answer: dict[str, Any]
    shares: dict[str, float]
    text: list[str]


class ServedConfiguration(Model):
    """What is served now."""

    sha256: str
    hosted_zones: int
    record_sets: int
    health_checks: int
    warnings: list[dict[str, Any]]


class ServerStatus(Model):
    """The server."""

    version: str
    python: str
    started_at: Moment
    uptime: Annotated[float, Field(description="seconds")]
    listeners: dict[str, list[str]]
    configuration: ServedConfiguration
    queries: int
    overrides: dict[str, int]


class Done(Model):
    """It was done."""

    done: Literal[True] = True
