"""Health checks and CIDR collections: which arguments go with which type (behaviour 3.1, 1.7)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from dnsemu.config import schema
from dnsemu.config.tree import At, fault_at
from dnsemu.errors import Fault, TextError
from dnsemu.location import Tables, check_region
from dnsemu.model import CHECKER_REGIONS, UNPROBED, CidrCollection, HealthCheck, Network, read_name

_PROBED = ("fqdn", "ip_address", "port", "regions", "request_interval", "failure_threshold")
_HTTP = (*_PROBED, "resource_path", "measure_latency")
_ARGUMENTS = {
    "TCP": (*_PROBED, "measure_latency"),
    "HTTP": _HTTP,
    "HTTPS": (*_HTTP, "enable_sni"),
    "HTTP_STR_MATCH": (*_HTTP, "search_string"),
    "HTTPS_STR_MATCH": (*_HTTP, "enable_sni", "search_string"),
    "CALCULATED": ("child_healthchecks", "child_health_threshold"),
    "CLOUDWATCH_METRIC": (
        "cloudwatch_alarm_region",
        "cloudwatch_alarm_name",
        "insufficient_data_health_status",
    ),
    "RECOVERY_CONTROL": ("routing_control_arn",),
}
"""Arguments that only some types have; the others go with every type."""
_NEEDED = {
    "TCP": ("port",),
    "HTTP_STR_MATCH": ("search_string",),
    "HTTPS_STR_MATCH": ("search_string",),
    "CALCULATED": ("child_healthchecks", "child_health_threshold"),
    "CLOUDWATCH_METRIC": ("cloudwatch_alarm_region", "cloudwatch_alarm_name"),
    "RECOVERY_CONTROL": ("routing_control_arn",),
}
_USUAL_PORTS = {"HTTP": 80, "HTTPS": 443}
_INTERVAL, _FAILURE_THRESHOLD = 30, 3  # 3.1
_SPECIFIC = dict.fromkeys(argument for arguments in _ARGUMENTS.values() for argument in arguments)


def read_health_check(file: schema.HealthCheck, at: At, tables: Tables, faults: list[Fault]) -> HealthCheck:
    """A health check; arguments that its type does not have, or lacks, are faults."""
    for argument in _SPECIFIC:
        if getattr(file, argument) is not None and argument not in _ARGUMENTS[file.type]:
            error = TextError("health-argument", f"a health check of type {file.type} has no {argument}")
            faults.append(fault_at(at.get(argument), error))
    for argument in _NEEDED.get(file.type, ()):
        if getattr(file, argument) is None and not at.has_lost(argument):
            faults.append(
                fault_at(at, TextError("missing-key", f"a health check of type {file.type} needs {argument}"))
            )
    lost = at.has_lost("fqdn") or at.has_lost("ip_address")
    if "fqdn" in _ARGUMENTS[file.type] and file.fqdn is None and file.ip_address is None and not lost:
        error = TextError("missing-key", f"a health check of type {file.type} needs fqdn, ip_address, or both")
        faults.append(fault_at(at, error))
    faults += _check_extras(file, at)
    faults += _check_values(file, at, tables)
    extras = file.dnsemu or schema.HealthCheckExtras()
    initially = extras.initial_status
    alarm = file.cloudwatch_alarm_region, file.cloudwatch_alarm_name
    return HealthCheck(
        file.id,
        file.type,
        at.origin,
        file.fqdn,
        file.ip_address,
        tuple(file.child_healthchecks or ()),
        file.child_health_threshold or 0,
        file.invert_healthcheck,
        file.disabled,
        file.insufficient_data_health_status,
        None if initially is None else initially == "healthy",
        file.port or _USUAL_PORTS.get(file.type.partition("_")[0], 0),
        _path(file.resource_path or ""),
        file.search_string,
        file.enable_sni is not False,
        tuple(file.regions or CHECKER_REGIONS),
        file.request_interval or _INTERVAL if extras.interval is None else extras.interval / 1000,
        file.failure_threshold or _FAILURE_THRESHOLD,
        extras.checkers,
        (alarm[0], alarm[1]) if alarm[0] is not None and alarm[1] is not None else None,
        file.routing_control_arn,
    )


def _path(text: str) -> str:
    """A path begins with a slash, written or not (3.1)."""
    return text if text.startswith("/") else f"/{text}"


def _check_extras(file: schema.HealthCheck, at: At) -> Iterator[Fault]:
    for key in ("interval", "checkers"):
        if file.dnsemu and key in file.dnsemu.model_fields_set and file.type in UNPROBED:
            message = f"a health check of type {file.type} is not probed and has no {key}"
            yield fault_at(at.get("dnsemu", key), TextError("health-argument", message))


def _check_values(file: schema.HealthCheck, at: At, tables: Tables) -> Iterator[Fault]:
    try:
        if file.fqdn is not None:
            read_name(file.fqdn)
    except TextError as error:
        yield fault_at(at.get("fqdn"), error)
    try:
        if file.cloudwatch_alarm_region is not None:
            check_region(file.cloudwatch_alarm_region, tables.regions, "cloudwatch_alarm_region")
    except TextError as error:
        yield fault_at(at, error)
    if len(set(file.regions or ())) != len(file.regions or ()):
        yield fault_at(at.get("regions"), TextError("health-regions", "a region stands in the list twice"))


def check_children(checks: Sequence[tuple[HealthCheck, At]]) -> Iterator[Fault]:
    """Children exist and are not calculated themselves (K5)."""
    types = {check.id: check.type for check, _ in checks}
    for check, at in checks:
        for index, child in enumerate(check.children):
            place = at.get("child_healthchecks", index)
            if child not in types:
                yield fault_at(
                    place, TextError("unknown-health-check", f"A health check with id {child} does not exist")
                )
            elif types[child] == "CALCULATED":
                yield fault_at(
                    place,
                    TextError("health-child", f"{child} is CALCULATED itself, so it can not be a child"),
                )


def read_collection(file: schema.CidrCollection, at: At, faults: list[Fault]) -> CidrCollection:
    """A CIDR collection; blocks of a forbidden length (I2) or in two places (I8) are faults."""
    locations: dict[str, tuple[Network, ...]] = {}
    seen: set[Network] = set()
    for index, location in enumerate(file.locations):
        place = at.get("locations", index)
        if location.name in locations:
            error = TextError("cidr-location", f"the location '{location.name}' stands in this collection already")
            faults.append(fault_at(place.get("name"), error))
        for number, block in enumerate(location.cidr_blocks):
            fault = _wrong_block(block, seen)
            if fault:
                faults.append(fault_at(place.get("cidr_blocks", number), fault))
            seen.add(block)
        locations[location.name] = tuple(location.cidr_blocks)
    return CidrCollection(file.id, file.name, locations, at.origin)


def _wrong_block(block: Network, seen: set[Network]) -> TextError | None:
    longest = 24 if block.version == 4 else 48
    if not 1 <= block.prefixlen <= longest:
        return TextError(
            "cidr-length",
            f"{block}: an IPv{block.version} block of a collection is /1 to /{longest}",
            'the location "*" stands for all addresses' if not block.prefixlen else "",
        )
    if block in seen:
        return TextError("cidr-block-twice", f"{block} stands in this collection already")
    return None
