"""What is no reason for a warning, and that `--strict` makes errors of warnings (behaviour R13)."""

from __future__ import annotations

import pytest

from dnsemu.app import load_text
from dnsemu.errors import ConfigError, Fault

WEB = "health_checks:\n  - {id: web, type: TCP, ip_address: 192.0.2.9, port: 80}\n"
WEIGHTED = "type: A, set_identifier: a, weighted_routing_policy: {weight: 1}"


def _zone(*lines: str) -> str:
    return "version: 1\nhosted_zones:\n  - name: example.com\n    record_sets:\n" + "".join(
        f"      - {line}\n" for line in lines
    )


X = f"name: x, {WEIGHTED}, ttl: 60, health_check_id: web, records: [192.0.2.1]"
DEFAULT = 'geolocation_routing_policy: {country: "*"}'
REGION = "latency_routing_policy: {region: eu-west-1}"
TARGET = "{name: lb.us-east-1.elb.amazonaws.com, a: [192.0.2.1], health_check_id: web}"

QUIET = {
    "a TTL of 60 beside a health check": _zone(f"{{{X}}}") + WEB,
    "a longer TTL without one": _zone("{name: x, type: A, ttl: 86400, records: [192.0.2.1]}"),
    "an alias has no TTL": _zone(
        "{name: t, type: A, ttl: 3600, records: [192.0.2.1]}",
        f"{{name: x, {WEIGHTED}, health_check_id: web, alias: {{name: t}}}}",
    ) + WEB,
    "a check of a calculated one": _zone(f"{{{X.replace('web', 'all')}}}") + WEB
    + "  - {id: all, type: CALCULATED, child_healthchecks: [web], child_health_threshold: 1}\n",
    "aliases over three levels": _zone(
        "{name: a, type: A, alias: {name: b}}", "{name: b, type: A, alias: {name: c}}",
        "{name: c, type: A, alias: {name: d}}", "{name: d, type: A, ttl: 60, records: [192.0.2.1]}",
    ),
    "geolocation with a default": _zone(
        f"{{name: x, type: A, ttl: 60, set_identifier: a, {DEFAULT}, records: [192.0.2.1]}}"
    ),
    "latency needs no default": _zone(
        f"{{name: x, type: A, ttl: 60, set_identifier: a, {REGION}, records: [192.0.2.1]}}"
    ),
    "a name under .test": "version: 1\nhosted_zones:\n  - name: my.test\n",
    "local inside a name": "version: 1\nhosted_zones:\n  - name: local.example.com\n  - name: dev.example\n",
    "a name beside the check's": _zone(f"{{{X}}}")
    + "health_checks:\n  - {id: web, type: HTTP, fqdn: web.example.com}\n",
    # With an address, the name is only sent along (Host, SNI) and nothing is looked up, so H15 does not apply.
    "a check's name that is not looked up": _zone(f"{{{X}}}")
    + "health_checks:\n  - {id: web, type: HTTP, fqdn: x.example.com, ip_address: 192.0.2.9}\n",
    "a check of an alias target": f"version: 1\n{WEB}dnsemu:\n  alias_targets: [{TARGET}]\n",
}  # fmt: skip


def _faults(text: str) -> list[Fault]:
    try:
        return load_text(text).warnings
    except ConfigError as error:
        return [fault for fault in error.faults if fault.code != "not-served"]


@pytest.mark.parametrize("text", QUIET.values(), ids=QUIET)
def test_no_warning(text: str) -> None:
    assert _faults(text) == []


def test_warnings_do_not_stop_a_configuration() -> None:
    loaded = load_text("version: 1\nhosted_zones:\n  - name: home.local\n" + WEB)
    assert [fault.code for fault in loaded.warnings] == ["zone-special", "health-unused"]


def test_errors_come_with_warnings() -> None:
    found = _faults("version: 1\nhosted_zones:\n  - name: home.local\n  - name: home.local\n")
    assert [fault.code for fault in found] == ["zone-special", "zone-duplicate"] or sorted(
        fault.code for fault in found
    ) == ["zone-duplicate", "zone-special", "zone-special"]
