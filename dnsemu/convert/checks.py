"""Health checks: from the API's keys to Terraform's arguments, and stand-ins for those that no file has."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from dnsemu.convert import aws
from dnsemu.convert.documents import Document
from dnsemu.convert.draft import Item
from dnsemu.convert.flow import Value
from dnsemu.convert.notes import Kind, Note, counted

_PROBED = ("fqdn", "ip_address", "port", "regions", "request_interval", "failure_threshold", "measure_latency")
_HTTP = (*_PROBED, "resource_path")
ARGUMENTS = {
    "TCP": _PROBED,
    "HTTP": _HTTP,
    "HTTPS": (*_HTTP, "enable_sni"),
    "HTTP_STR_MATCH": (*_HTTP, "search_string"),
    "HTTPS_STR_MATCH": (*_HTTP, "enable_sni", "search_string"),
    "CALCULATED": ("child_healthchecks", "child_health_threshold"),
    "CLOUDWATCH_METRIC": ("cloudwatch_alarm_region", "cloudwatch_alarm_name", "insufficient_data_health_status"),
    "RECOVERY_CONTROL": ("routing_control_arn",),
}
"""Arguments that a type has beside those of every type; AWS prints `EnableSNI` for types that have none."""
_EVERY_TYPE = ("invert_healthcheck", "disabled")
_STAND_IN: dict[str, Value] = {"type": "TCP", "ip_address": "192.0.2.1", "port": 80, "disabled": True}


class HealthChecks:
    """The health checks of all files."""

    def __init__(self, documents: Sequence[Document], notes: list[Note]) -> None:
        lists = [page for _, page in documents if isinstance(page, aws.HealthCheckList)]
        checks = [check for page in lists for check in page.health_checks]
        checks += [page.health_check for _, page in documents if isinstance(page, aws.OneHealthCheck)]
        self._known = {check.id: check for check in checks}
        self._notes = notes
        if lists and all(page.goes_on for page in lists):
            text = "the list goes on (NextToken, IsTruncated): give its other pages too"
            notes.append(Note(Kind.INCOMPLETE, "health checks", text))

    def items(self, used: Iterable[str] | None) -> list[Item]:
        """Those of the ids `used`, with their children, by id; all there are for None."""
        wanted = self._with_children(sorted(self._known if used is None else set(used)))
        unused = [check for check in self._known if check not in wanted]
        if unused:
            shown = ", ".join(sorted(unused)[:2]) + (", …" if len(unused) > 2 else "")
            text = f"unused by the record sets here: {shown}"
            self._notes.append(Note(Kind.LEFT_OUT, counted(len(unused), "health check"), text))
        return [self._item(check_id) for check_id in sorted(wanted)]

    def _with_children(self, ids: Iterable[str]) -> set[str]:
        wanted = set(ids)
        for check_id in list(wanted):
            check = self._known.get(check_id)
            wanted.update(check.health_check_config.child_health_checks or () if check else ())
        return wanted

    def _item(self, check_id: str) -> Item:
        subject = f"health check {check_id}"
        check = self._known.get(check_id)
        if check is None:
            text = "no file has it: it is always healthy, until you put in the real one"
            self._notes.append(Note(Kind.MADE_UP, subject, text))
            return Item(subject, stand_in(check_id), remark="made up: no file had it")
        for key in aws.unknown_keys(check):
            self._notes.append(Note(Kind.LEFT_OUT, subject, f"{key}, which is not known here"))
        value = {"id": check_id, "type": check.health_check_config.type, **dict(self._arguments(check, subject))}
        return Item(subject, value, instead=stand_in(check_id))

    def _arguments(self, check: aws.HealthCheck, subject: str) -> Iterator[tuple[str, Value]]:
        """What the check's type has; what it has not makes no difference on AWS either."""
        allowed = ARGUMENTS.get(check.health_check_config.type)
        for name, value in _settings(check.health_check_config):
            is_default = value in ("", []) or (value is False and name != "enable_sni")
            if value is None or (is_default and name != "child_healthchecks"):
                continue
            if allowed is None or name in allowed or name in _EVERY_TYPE:
                yield name, value
            elif not is_default and name != "enable_sni":
                text = f"{name}, which checks of type {check.health_check_config.type} do not have"
                self._notes.append(Note(Kind.LEFT_OUT, subject, text))


def stand_in(check_id: str) -> dict[str, Value]:
    """A check that is always healthy: nothing probes what is disabled."""
    return {"id": check_id, **_STAND_IN}


def _settings(config: aws.HealthCheckConfig) -> Iterator[tuple[str, Value | None]]:
    """Terraform's names with their values, in Terraform's order."""
    alarm = config.alarm_identifier
    yield "fqdn", config.fully_qualified_domain_name
    yield "ip_address", config.ip_address
    yield "port", config.port
    yield "resource_path", config.resource_path
    yield "search_string", config.search_string
    yield "request_interval", config.request_interval
    yield "failure_threshold", config.failure_threshold
    yield "enable_sni", config.enable_sni
    yield "regions", config.regions
    yield "measure_latency", config.measure_latency
    yield "child_healthchecks", config.child_health_checks
    yield "child_health_threshold", config.health_threshold
    yield "cloudwatch_alarm_region", alarm.region if alarm else None
    yield "cloudwatch_alarm_name", alarm.name if alarm else None
    yield "insufficient_data_health_status", config.insufficient_data_health_status
    yield "routing_control_arn", config.routing_control_arn
    yield "invert_healthcheck", config.inverted
    yield "disabled", config.disabled
