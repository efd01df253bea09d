"""What is no reason for an error or a warning, and that `--strict` makes errors of warnings (behaviour R13)."""

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


def _private(*zones: str) -> str:
    """Zones, each with the VPC it belongs to, if it does; the file ends in the list of VPCs."""
    text = "version: 1\nhosted_zones:\n"
    for zone in zones:
        name, _, vpc = zone.partition(": ")
        text += f"  - {{name: {name.removesuffix(':')}{vpc and f', vpc: [{{vpc_id: {vpc}}}]'}}}\n"
    return text + (
        "dnsemu:\n  vpcs:\n    - {vpc_id: vpc-a, cidr_blocks: [10.0.0.0/24]}\n"
        "    - {vpc_id: vpc-b, cidr_blocks: [10.0.1.0/24]}\n"
    )


X = f"name: x, {WEIGHTED}, ttl: 60, health_check_id: web, records: [192.0.2.1]"
DEFAULT = 'geolocation_routing_policy: {country: "*"}'
REGION = "latency_routing_policy: {region: eu-west-1}"
PRIMARY = "type: A, set_identifier: a, failover_routing_policy: {type: PRIMARY}"
SECONDARY = "type: A, set_identifier: b, failover_routing_policy: {type: SECONDARY}"
OTHER = WEIGHTED.replace("set_identifier: a", "set_identifier: b")
LB = "lb.us-east-1.elb.amazonaws.com"
S3 = "s3-website-us-east-1.amazonaws.com"
CLOUDFRONT = "d111111abcdef8.cloudfront.net"
RESOURCES = "dnsemu:\n  alias_targets:\n" + "".join(
    f"    - {{name: {name}, a: [192.0.2.1]}}\n" for name in (LB, f"other.{LB}", S3, CLOUDFRONT)
)
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
    "aliases of AWS resources beside values": _zone(
        f"{{name: x, {WEIGHTED}, alias: {{name: dualstack.{LB}, evaluate_target_health: true}}}}",
        f"{{name: x, {OTHER}, ttl: 60, records: [192.0.2.1]}}",
    ) + RESOURCES,
    "two load balancers in a group": _zone(
        f"{{name: x, {WEIGHTED}, alias: {{name: {LB}}}}}", f"{{name: x, {OTHER}, alias: {{name: other.{LB}}}}}"
    ) + RESOURCES,
    "one S3 website in a group": _zone(
        f"{{name: x, {WEIGHTED}, alias: {{name: {S3}, evaluate_target_health: true}}}}",
        f"{{name: x, {OTHER}, alias: {{name: {LB}}}}}",
    ) + RESOURCES,
    "an S3 website at two names": _zone(
        f"{{name: x, type: A, alias: {{name: {S3}}}}}", f"{{name: y, type: A, alias: {{name: {S3}}}}}"
    ) + RESOURCES,
    "CloudFront without its health": _zone(
        *(f"{{name: x, type: {rdtype}, alias: {{name: {CLOUDFRONT}}}}}" for rdtype in ("A", "AAAA", "HTTPS"))
    ) + RESOURCES,
    "CloudFront in a failover group": _zone(
        f"{{name: x, {PRIMARY}, alias: {{name: {CLOUDFRONT}}}}}",
        f"{{name: x, {SECONDARY}, alias: {{name: {S3}, evaluate_target_health: true}}}}",
    ) + RESOURCES,
    "a resource without the alias's type": _zone(f"{{name: x, type: AAAA, alias: {{name: {LB}}}}}") + RESOURCES,
    "zone ids of AWS": _zone(
        f"{{name: x, type: A, alias: {{name: {LB}, zone_id: Z35SXDOTRQ7X7K}}}}",
        f"{{name: y, type: A, alias: {{name: {LB}, zone_id: Z00000000NEWER}}}}",
    ) + RESOURCES,
    "a private zone beside a public one": _private("example.com: vpc-a", "example.com:"),
    "two private zones of one name for two VPCs": _private("example.com: vpc-a", "example.com: vpc-b"),
    "a private zone below another": _private("example.com: vpc-a", "sub.example.com: vpc-a"),
    "blocks of VPCs inside each other": _private("example.com: vpc-a")
    + "    - {vpc_id: vpc-c, cidr_blocks: [10.0.0.0/25]}\n",
    "a VPC that is told about twice": _private("example.com: vpc-a")
    + "    - {vpc_id: vpc-a, vpc_region: eu-west-1}\n",
    "locations inside each other": "dnsemu:\n  locations:\n    - {cidr: 192.0.2.0/24, country: DE}\n"
    "    - {cidr: 192.0.2.0/25, region: eu-west-1, latency: {eu-west-1: 1}}\n"
    "    - {cidr: 192.0.2.7, continent: AS}\n",
    "a place in a VPC": _private("example.com: vpc-a") + "  places: {alice: {vpc_id: vpc-a}}\n",
    "latencies of everything that has some": "dnsemu:\n  places: {alice: {country: DE}}\n  latencies:\n"
    "    {alice: {eu-west-1: 1}, DE: {eu-west-1: 2}, US-VA: {eu-west-1: 3}, 192.0.2.0/24: {eu-west-1: 4}, "
    "'2001:DB8::/32': {eu-west-1: 5}}\n",
}  # fmt: skip


def _faults(text: str) -> list[Fault]:
    try:
        return load_text(text).warnings
    except ConfigError as error:
        return error.faults


@pytest.mark.parametrize("text", QUIET.values(), ids=QUIET)
def test_nothing_is_said(text: str) -> None:
    assert _faults(text) == []


def test_warnings_do_not_stop_a_configuration() -> None:
    loaded = load_text("version: 1\nhosted_zones:\n  - name: home.local\n" + WEB)
    assert [fault.code for fault in loaded.warnings] == ["zone-special", "health-unused"]


@pytest.mark.parametrize("text", ["---\n", "# version: 1\n"])
def test_a_file_with_nothing_in_it(text: str) -> None:
    """Who serves it wants to know why there is no answer."""
    assert [str(fault) for fault in load_text(text, "zones/a.yaml").warnings] == [
        "zones/a.yaml: warning[file-comments]: there is nothing in this file but comments"
    ]


@pytest.mark.parametrize("text", ["", "\n", " \n\n"])
def test_a_file_that_is_empty(text: str) -> None:
    """As `generate > a.yaml` leaves it while it generates: what was served before has to go on."""
    assert [str(fault) for fault in _faults(text)] == ["zones.yaml: error[file-empty]: the file is empty"]


def test_errors_come_with_warnings() -> None:
    found = _faults("version: 1\nhosted_zones:\n  - name: home.local\n  - name: home.local\n")
    assert [fault.code for fault in found] == ["zone-special", "zone-duplicate"] or sorted(
        fault.code for fault in found
    ) == ["zone-duplicate", "zone-special", "zone-special"]
