"""`alias_targets`: the AWS resources that aliases may point to (behaviour 4.2)."""

from __future__ import annotations

from collections.abc import Mapping
from difflib import get_close_matches

from dnsemu.config import schema
from dnsemu.config.tree import At, fault_at
from dnsemu.errors import Fault, TextError
from dnsemu.model import HealthCheck, Resource, Type, Value, kind_of, read_name, read_value, spelled_resource


def read_resource(
    file: schema.AliasResource, at: At, checks: Mapping[str, HealthCheck], faults: list[Fault]
) -> Resource:
    """A resource; what can not be read of it is a fault and left out."""
    try:
        read_name(file.name)
    except TextError as error:
        faults.append(fault_at(at.get("name"), error))
    if file.health_check_id is not None and file.health_check_id not in checks:
        message = f"A health check with id {file.health_check_id} does not exist"
        close = get_close_matches(file.health_check_id, checks, n=1)
        hint = f"did you mean {close[0]}?" if close else ""
        faults.append(fault_at(at.get("health_check_id"), TextError("unknown-health-check", message, hint)))
    if file.health_check_id is not None and file.healthy is not None:
        message = "health_check_id decides about the health here, so healthy can not be given too"
        faults.append(fault_at(at.get("healthy"), TextError("alias-health", message, "leave one of them out")))
    ttl = kind_of(file.name).ttl if file.ttl is None else file.ttl
    values = {Type.A: _values(Type.A, file.a, at, faults), Type.AAAA: _values(Type.AAAA, file.aaaa, at, faults)}
    return Resource(
        spelled_resource(file.name), ttl, values, file.health_check_id, file.healthy is not False, at.origin
    )


def _values(rdtype: Type, texts: list[str] | None, at: At, faults: list[Fault]) -> tuple[Value, ...]:
    values: dict[bytes, Value] = {}
    for number, text in enumerate(texts or ()):
        place = at.get(rdtype.name.lower(), number)
        try:
            rdata = read_value(rdtype, text)
            if rdata in values:
                raise TextError("value-duplicate", f"{text} stands in the list already")
            values[rdata] = Value(rdata, place.origin)
        except TextError as error:
            faults.append(fault_at(place, error))
    return tuple(values.values())
