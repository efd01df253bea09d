"""What the tests of the import share: outputs of the AWS CLI in a line each, and importing them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from dnsemu.app import load_text
from dnsemu.config import Source, read_configuration
from dnsemu.convert import Imported, import_route53
from dnsemu.errors import ConfigError, Fault, Severity
from dnsemu.model import Configuration

DATA = Path(__file__).parent / "data"
ZONE_ID = "Z0EXAMPLE"
NS = {
    "Name": "example.com.",
    "Type": "NS",
    "TTL": 172800,
    "ResourceRecords": [{"Value": "ns-412.awsdns-51.com."}, {"Value": "ns-1871.awsdns-41.co.uk."}],
}
SOA = {
    "Name": "example.com.",
    "Type": "SOA",
    "TTL": 900,
    "ResourceRecords": [{"Value": "ns-412.awsdns-51.com. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 86400"}],
}
WWW = {"Name": "www.example.com.", "Type": "A", "TTL": 300, "ResourceRecords": [{"Value": "203.0.113.1"}]}


def faults_of(text: str) -> list[Fault]:
    """The errors of the loader."""
    try:
        load_text(text)
    except ConfigError as error:
        return [fault for fault in error.faults if fault.severity is Severity.ERROR]
    return []


def imported(*pages: Any, **files: Any) -> Imported:
    """The import of pages, in files `0.json`, `1.json` …, or by their names without `.json`."""
    named = {str(index): page for index, page in enumerate(pages)} | files
    result = import_route53([(f"{name}.json", json.dumps(page).encode()) for name, page in named.items()], faults_of)
    assert [str(fault) for fault in faults_of(result.text)] == []
    return result


def records(*record_sets: Any, **more: Any) -> dict[str, Any]:
    """`list-resource-record-sets`"""
    return {"ResourceRecordSets": list(record_sets), **more}


def zone(*record_sets: Any) -> dict[str, Any]:
    """A whole list, SOA and NS among it."""
    return records(NS, SOA, *record_sets)


def hosted_zone(name: str = "example.com.", zone_id: str = ZONE_ID, **more: Any) -> dict[str, Any]:
    """`get-hosted-zone`"""
    config = {"PrivateZone": "VPCs" in more, **more.pop("Config", {})}
    hosted = {"Id": f"/hostedzone/{zone_id}", "Name": name, "CallerReference": "1", "Config": config}
    hosted |= {key: more.pop(key) for key in list(more) if key not in ("VPCs", "DelegationSet")}
    return {"HostedZone": hosted, **more}


def items(text: str) -> list[str]:
    """The innermost items of the file's lists, as if each stood in one line, but for SOA and NS."""
    found = []
    for item in re.findall(r"^ *- (.*(?:\n +(?![ -]).*)*)", text, re.M):
        keys = [line.strip() for line in item.split("\n") if not line.lstrip().startswith("#")]
        if not keys[-1].endswith(":") and not re.search(r"type: (SOA|NS)\b", item):
            found.append(keys[0] if keys[0].startswith("{") else f"{{{', '.join(keys)}}}")
    return found


def notes(result: Imported) -> list[str]:
    """What the import has to say."""
    return [str(note) for note in result.notes]


def configuration(text: str) -> Configuration:
    """The model that the native reader makes of a file."""
    return read_configuration([Source("imported.yaml", text)]).configuration


def a(name: str, *values: str, **more: Any) -> dict[str, Any]:
    """An A record set."""
    addresses: Sequence[str] = values or ("203.0.113.1",)
    record_set = {"Name": name, "Type": "A", "TTL": 60, "ResourceRecords": [{"Value": value} for value in addresses]}
    return {**record_set, **more}


def alias(name: str, target: str, zone_id: str = ZONE_ID, rdtype: str = "A", **more: Any) -> dict[str, Any]:
    """An alias record set; `health` is that of its target."""
    health = more.pop("health", False)
    target_of = {"HostedZoneId": zone_id, "DNSName": target, "EvaluateTargetHealth": health}
    return {"Name": name, "Type": rdtype, "AliasTarget": target_of, **more}
