"""An explanation as text: one line a step, the same on a terminal and in TXT records."""

from __future__ import annotations

from collections.abc import Iterator
from ipaddress import ip_address, ip_network
from typing import Any

from dnsemu.authority.explain import Explanation, Json
from dnsemu.errors import printable

_LABEL = 9  # columns


def lines(explanation: Explanation) -> list[str]:
    """The explanation from question to answer; what zones hold is there as far as it can be printed."""
    return [printable(line) for line in _lines(explanation)]  # identifiers may be anything


def _lines(explanation: Explanation) -> list[str]:
    question, answer = explanation.question, explanation.answer
    told = [_line("question", f"{question['name']} {question['type']}"), _line("client", _client(explanation.client))]
    if explanation.zone:
        told.append(_line("zone", _zone(explanation.zone)))
    for step in explanation.steps:
        told += _STEPS[step["step"]](step)
    told += _answer(answer)
    told += [_line("share", f"{share:7.2%} {value}") for value, share in explanation.shares.items()]
    return told


def as_json(explanation: Explanation) -> dict[str, Any]:
    """The explanation as JSON objects; the client's address as text."""
    client = dict(explanation.client)
    del client["length"]
    client["address"] = _address(explanation.client)
    return explanation._asdict() | {"client": client, "text": lines(explanation)}


def _line(label: str, text: str) -> str:
    return f"{label:{_LABEL}}{text}"


def _address(client: Json) -> str:
    address = ip_address(client["address"])
    return str(ip_network((address, client["length"]), strict=False)) if client["is_subnet"] else str(address)


def _client(client: Json) -> str:
    which = "client subnet" if client["is_subnet"] else "source address"
    member = f", in {client['vpc_id']}" if client["vpc_id"] else ""
    who = f"{client['named'] or _address(client)} ({'place' if client['named'] else which}{member})"
    unknown = not client["country"] and not client["continent"] and not client["coordinates"]
    place = "nobody knows where that is" if unknown else f"{client['place']}, says {client['word']}"
    return f"{who}: {place}"


def _zone(zone: Json) -> str:
    private = f", private to {', '.join(zone['vpc_ids'])}" if zone["vpc_ids"] else ""
    return f"{zone['name']} ({zone['zone_id']}{private}) is the longest zone around the name"


def _name(step: Json) -> Iterator[str]:
    name = step["name"]
    if step["found"] == "missing":
        yield _line("name", f"{name} does not exist, and no wildcard covers it: NXDOMAIN")
    elif step["found"] == "cut":
        servers = ", ".join(step["name_servers"])
        yield _line("name", f"{name} is delegated at {step['owner']}: a referral to {servers}")
    else:
        where = name if step["owner"] == name else f"{name} does not exist, {step['owner']} covers it:"
        has = f"has {', '.join(step['types'])}" if step["types"] else "has no records, only names below it"
        missing = "" if step["wanted"] in step["types"] else f", so no {step['wanted']}: NODATA"
        yield _line("name", f"{where} {has}{missing}")


def _group(step: Json) -> Iterator[str]:
    if step["policy"] == "simple":
        yield _line("records", f"{step['name']} {step['type']}, simple routing")
        return
    yield _line("group", f"{step['name']} {step['type']}, {step['policy']} routing")
    rows = [_member(member) for member in step["members"]]
    widths = [max(len(row[column]) for row in rows) for column in range(4)]
    for row in rows:
        yield ("  " + "  ".join(f"{cell:{width}}" for cell, width in zip(row, widths, strict=True))).rstrip()
    names = ", ".join(member["set_identifier"] for member in step["members"] if member["taken"])
    for member in step["members"]:
        if step["reason"] == "failover" and member["matched"] and member["alias"] and not member["healthy"]:
            yield _line("", f"backed out of {member['set_identifier']}, which is unhealthy ({member['health']})")
    yield _line("choice", f"{names + ': ' if names else ''}{step['because']}")


def _member(member: Json) -> tuple[str, str, str, str]:
    healthy = "healthy" if member["healthy"] else "UNHEALTHY"
    health = f" ({member['health']})" if member["health"] else ""
    to = f"-> {member['alias']}" if member["alias"] else " ".join(member["values"][:3])
    more = len(member["values"]) - 3
    return (
        f"{'*' if member['taken'] else '-'} {member['set_identifier']}",
        f"{member['why']}",
        f"{healthy}{health}",
        f"{to} and {more} more" if more > 0 else to,
    )


def _alias(step: Json) -> Iterator[str]:
    what = f"{step['target']}, {_a(step['kind'])}" if step["kind"] != "record set" else step["target"]
    values = step.get("values")
    none = ", which has no such records: NODATA" if values is not None and not values else ""
    yield _line("alias", f"to {what}{none}")


def _a(kind: str) -> str:
    """`an S3 website`, `a load balancer`: by how the first letter sounds."""
    return f"{'an' if kind.startswith(('A', 'E', 'S3')) else 'a'} {kind}"


def _cname(step: Json) -> Iterator[str]:
    yield _line("cname", f"on to {step['target']} in the same zone")


_STEPS = {"name": _name, "group": _group, "alias": _alias, "cname": _cname}


def _answer(answer: Json) -> Iterator[str]:
    records = answer["records"]
    scope = f", client subnet scope /{answer['scope']}" if answer["scope"] else ""
    count = f"{len(records)} record{'s' if len(records) != 1 else ''}"
    source = f", TTL from {answer['ttl_from']}" if answer["ttl_from"] else ""
    yield _line("answer", f"{answer['rcode']}, {count}{source}{scope}")
    for record in records:
        yield f"  {record['name']} {record['ttl']} {record['type']} {record['value']}"
