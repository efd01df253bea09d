"""Prometheus metrics (surface: metrics): what was counted, with names, when somebody wants to see it.

Labels are made when a configuration is loaded, in the thread that loads it; a scrape is rendered in a thread too.
What is there by configuration is there from 0 on.
"""

from __future__ import annotations

import platform
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import accumulate
from typing import NamedTuple

import dns.rcode
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, HistogramMetricFamily, Metric
from prometheus_client.exposition import choose_encoder
from prometheus_client.registry import Collector

from dnsemu import __version__
from dnsemu.authority import Authority, Routed, health_of, routed_of, zones_of
from dnsemu.health import Standing
from dnsemu.model import Configuration, HostedZone, show_name
from dnsemu.server import Kind
from dnsemu.server.answers import DURATIONS, SILENCE, TYPES
from dnsemu.tally import NO_MEMBER, OTHER, Histogram, Reloads, Tally
from dnsemu.wire import UDP, Rcode

_SIZES = (0, 100, 200, 300, 400, 511, 1023, 2047, 4095, 8291, 16000, 32000, 48000, 64000)  # CoreDNS, octets
_NO_ZONE = "none"  # what no hosted zone answered; names of zones end with a dot
_FAMILIES = {4: "1", 6: "2"}  # CoreDNS's numbers
_TYPES = {**TYPES, OTHER: "other"}
_OF_ZONES = (Rcode.NOERROR, Rcode.NXDOMAIN)
_OF_NONE = (Rcode.FORMERR, Rcode.SERVFAIL, Rcode.NOTIMP, Rcode.REFUSED, Rcode.BADVERS)
_MALFORMED = {Rcode.FORMERR: "formerr", Rcode.NOTIMP: "notimp", Rcode.BADVERS: "badvers"}
_Key = tuple[str, ...]


class Labels:
    """The names of what an authority's answers are counted by."""

    def __init__(self, configuration: Configuration, authority: Authority) -> None:
        zones = zones_of(authority)
        self.zones = {"": _NO_ZONE} | {zone_id: _zone_label(zone) for zone_id, zone in zones.items()}
        self.routed = routed_of(authority)
        self.groups = {key: self._group(one) for key, one in self.routed.items()}
        self.members = {key: [m.set_identifier or "" for m in one.group.members] for key, one in self.routed.items()}
        self.record_sets: dict[_Key, float] = {}
        for zone in configuration.hosted_zones:
            for record_set in zone.record_sets:
                policy = record_set.policy.name if record_set.policy else "simple"
                at = self.zones[zone.zone_id], policy
                self.record_sets[at] = self.record_sets.get(at, 0) + 1

    def _group(self, one: Routed) -> tuple[str, str, str]:
        return self.zones[one.zone.zone_id], show_name(one.group.name), one.group.type.name

    def parts(self) -> Iterator[object]:
        """What it is mainly made of, in small parts: for letting go of it bit by bit."""
        yield from self.routed.values()
        yield from self.groups.values()
        yield from self.members.values()

    def numbers_after(self, later: Labels) -> dict[int, tuple[int, Sequence[int]]]:
        """For `Tally.keep`: the numbers that groups and members have in another configuration's labels."""
        return dict(_renumbered(self, later))


def _renumbered(before: Labels, after: Labels) -> Iterator[tuple[int, tuple[int, Sequence[int]]]]:
    for key, one in before.routed.items():
        other = after.routed.get(key)
        if other is not None and other.policy == one.policy:
            members = {name: number for number, name in enumerate(after.members[key])}
            moved = [members.get(name, NO_MEMBER) for name in before.members[key]]
            for number in one.numbers:
                yield number, (other.numbers[0], moved)


def _zone_label(zone: HostedZone) -> str:
    """A private zone may have the name of a public one."""
    vpcs = ",".join(vpc.vpc_id for vpc in zone.vpcs)
    return f"{show_name(zone.name)} ({vpcs})" if vpcs else show_name(zone.name)


class Seen(NamedTuple):
    """All that is to be rendered, taken on the loop, for a thread to look at.

    Nothing of it changes meanwhile but `standings` and `reloads`: their figures are those of different moments, as
    far apart as rendering takes, and each is right by itself.
    """

    labels: Labels
    authority: Authority
    tallies: Mapping[Kind, Tally]
    standings: Sequence[Standing]
    reloads: Reloads
    sha256: str
    overrides: Mapping[str, int]
    log_dropped: int


class Encoding(NamedTuple):
    """A form that metrics can be had in: the text that a registry's metrics come to, and its content type."""

    encode: Callable[[Collector], bytes]
    content_type: str


def encoding_for(accept: str) -> Encoding:
    """The form that an Accept header asks for; the usual one if it can not be read."""
    try:
        return Encoding(*choose_encoder(accept))
    except (TypeError, ValueError):  # version=abc
        return Encoding(*choose_encoder(""))


def render(seen: Seen, encoding: Encoding) -> bytes:
    """The metrics in that form."""
    return encoding.encode(_Collector(seen))


@dataclass(slots=True)
class _Collector:
    """What prometheus-client wants of a registry."""

    seen: Seen

    def collect(self) -> Iterable[Metric]:
        """All metrics."""
        yield _gauge("build_info", "What runs.", ("version", "python"), {(__version__, platform.python_version()): 1})
        yield from _answers(self.seen)
        yield from _routing(self.seen)
        yield from _health(self.seen.standings)
        yield from _configuration(self.seen)


def _answers(seen: Seen) -> Iterator[Metric]:
    zones = seen.labels.zones
    requests: dict[_Key, float] = {
        (zone, rdtype, _proto(kind), _FAMILIES[kind.family]): 0
        for kind in seen.tallies
        for zone in zones.values()
        for rdtype in _TYPES.values()
    }
    responses: dict[_Key, float] = {
        (zone, rcode.name, _proto(kind)): 0
        for kind in seen.tallies
        for zone in zones.values()
        for rcode in (_OF_NONE if zone == _NO_ZONE else _OF_ZONES)
    }
    malformed: dict[_Key, float] = {(reason,): 0 for reason in (*SILENCE, *_MALFORMED.values())}
    truncated: dict[_Key, float] = {(zone,): 0 for zone in zones.values() if zone != _NO_ZONE}
    for kind, tally in seen.tallies.items():
        for (zone_id, rcode, type_class), count in tally.answered().items():
            zone = zones.get(zone_id, _NO_ZONE)
            _add(requests, (zone, _TYPES[type_class], _proto(kind), _FAMILIES[kind.family]), count)
            _add(responses, (zone, dns.rcode.to_text(dns.rcode.Rcode.make(rcode)), _proto(kind)), count)
            if not zone_id and rcode in _MALFORMED:
                _add(malformed, (_MALFORMED[Rcode(rcode)],), count)
        for reason, count in tally.malformed.items():
            _add(malformed, (reason,), count)
        for zone_id, count in tally.truncated.items():
            _add(truncated, (zones.get(zone_id, _NO_ZONE),), count)
    yield _counter("dns_requests", "Questions that were answered.", ("zone", "type", "proto", "family"), requests)
    yield _counter("dns_responses", "Answers, by their RCODE.", ("zone", "rcode", "proto"), responses)
    yield _durations(seen)
    yield _sizes(seen)
    yield _counter("dns_truncated", "Answers of which only a part was given, with TC.", ("zone",), truncated)
    yield _counter("dns_malformed", "Packets that got an error, or no answer at all.", ("reason",), malformed)


def _durations(seen: Seen) -> Metric:
    family = HistogramMetricFamily(
        "dnsemu_dns_request_duration_seconds",
        "Time that answers took to make: of a sample, the first question of each batch that was read from a socket.",
        labels=("zone",),
    )
    timed = [tally.timed() for tally in seen.tallies.values()]
    for zone_id, zone in seen.labels.zones.items():
        times = [histogram for found in timed for histogram in found.get(zone_id, ())]
        _add_histogram(family, (zone,), DURATIONS, times)
    return family


def _sizes(seen: Seen) -> Metric:
    family = HistogramMetricFamily("dnsemu_dns_response_size_bytes", "Sizes of answers.", labels=("proto",))
    protos = dict.fromkeys(map(_proto, seen.tallies))
    for proto in protos:
        sizes = Histogram(_SIZES)
        for kind, tally in seen.tallies.items():
            if _proto(kind) == proto:
                for size, count in tally.sizes().items():
                    sizes.observe(size, count)
        _add_histogram(family, (proto,), _SIZES, [sizes])
    return family


def _routing(seen: Seen) -> Iterator[Metric]:
    labels = seen.labels
    counts: dict[tuple[int, int, str], int] = {}
    for tally in seen.tallies.values():
        for (number, member, reason), count in tally.decided().items():
            at = number, member, reason.value  # type: ignore[attr-defined]
            counts[at] = counts.get(at, 0) + count
    decisions = CounterMetricFamily(
        "dnsemu_routing_decisions",
        "What routing policies decided, by member and reason: matched, default, failover, all_unhealthy, no_match.",
        labels=("zone", "name", "type", "policy", "set_identifier", "reason"),
    )
    for key, one in labels.routed.items():
        group, names = labels.groups[key], labels.members[key]
        for taken, reason in one.outcomes:
            member = NO_MEMBER if taken is None else taken
            total = sum(counts.get((number, member, reason.value), 0) for number in one.numbers)
            name = "" if taken is None else names[taken]
            decisions.add_metric((*group, one.policy, name, reason.value), total)
    yield decisions
    yield _healthy(seen, labels)
    yield _gauge("zone_record_sets", "Record sets, by routing policy.", ("zone", "policy"), labels.record_sets)


def _healthy(seen: Seen, labels: Labels) -> Metric:
    family = GaugeMetricFamily(
        "dnsemu_record_set_healthy",
        "Whether a record set counts as healthy: by its health check, and the target that it evaluates.",
        labels=("zone", "name", "type", "set_identifier"),
    )
    groups = [one.group for one in labels.routed.values()]
    for key, healthy in zip(labels.routed, health_of(seen.authority, groups), strict=True):
        for name, is_healthy in zip(labels.members[key], healthy, strict=True):
            family.add_metric((*labels.groups[key], name), is_healthy)
    return family


def _health(standings: Sequence[Standing]) -> Iterator[Metric]:
    each = ("health_check_id",)
    probed = [one for one in standings if one.check.is_probed]
    yield _gauge(
        "health_check_status",
        "1 healthy, 0 unhealthy.",
        (*each, "type"),
        {(one.check.id, one.check.type): one.healthy for one in standings},
    )
    yield _gauge(
        "health_check_forced",
        "Whether somebody has set the status.",
        each,
        {(one.check.id,): one.forced is not None for one in standings},
    )
    yield _gauge(
        "health_check_percentage_healthy",
        "How many of a hundred checkers report healthy.",
        each,
        {(one.check.id,): one.percentage_healthy for one in probed},
    )
    yield _gauge(
        "health_check_children_healthy",
        "Healthy children of a calculated check.",
        each,
        {(one.check.id,): one.healthy_children for one in standings if one.check.type == "CALCULATED"},
    )
    yield _counter(
        "health_check_probes",
        "Probes, by what came of them.",
        (*each, "result"),
        {
            (one.check.id, result): one.probes[success]
            for one in probed
            for success, result in enumerate(("failure", "success"))
        },
    )
    yield _probe_durations(probed)
    yield _counter(
        "health_check_transitions",
        "Changes of the status.",
        (*each, "to"),
        {
            (one.check.id, to): one.transitions[healthy]
            for one in standings
            for healthy, to in enumerate(("unhealthy", "healthy"))
        },
    )


def _probe_durations(standings: Iterable[Standing]) -> Metric:
    family = HistogramMetricFamily(
        "dnsemu_health_check_probe_duration_seconds",
        "Time that probes took to connect, for the TLS handshake, and from there to the first octet.",
        labels=("health_check_id", "phase"),
    )
    for one in standings:
        for phase, times in one.durations.items():
            _add_histogram(family, (one.check.id, phase), times.bounds, [times])
    return family


def _configuration(seen: Seen) -> Iterator[Metric]:
    reloads = seen.reloads
    results: dict[_Key, float] = {("success",): reloads.succeeded, ("failure",): reloads.failed}
    yield _counter("config_reloads", "How often the files were read again.", ("result",), results)
    yield _gauge(
        "config_last_reload_successful", "Whether what is in the files is served.", (), {(): reloads.was_successful}
    )
    yield _gauge(
        "config_last_reload_success_timestamp_seconds", "When what is served was read.", (), {(): reloads.at}
    )
    yield _gauge("config_info", "What is served.", ("sha256",), {(seen.sha256,): 1})
    kinds: dict[_Key, float] = {(kind,): count for kind, count in seen.overrides.items()}
    yield _gauge("overrides", "What somebody has set: health checks' statuses, clients' places.", ("kind",), kinds)
    dropped: dict[_Key, float] = {(): seen.log_dropped}
    yield _counter("query_log_dropped", "Queries that the query log could not write in time.", (), dropped)


def _proto(kind: Kind) -> str:
    return "udp" if kind.transport is UDP else "tcp"


def _add(counts: dict[_Key, float], key: _Key, count: int) -> None:
    counts[key] = counts.get(key, 0) + count


def _counter(name: str, text: str, labels: Sequence[str], values: Mapping[_Key, float]) -> Metric:
    family = CounterMetricFamily(f"dnsemu_{name}", text, labels=labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family


def _gauge(name: str, text: str, labels: Sequence[str], values: Mapping[_Key, float]) -> Metric:
    family = GaugeMetricFamily(f"dnsemu_{name}", text, labels=labels)
    for key, value in values.items():
        family.add_metric(key, value)
    return family


def _add_histogram(
    family: HistogramMetricFamily, key: _Key, bounds: Sequence[float], parts: Sequence[Histogram]
) -> None:
    counts = [sum(column) for column in zip(*(part.counts for part in parts), strict=True)] or [0] * (len(bounds) + 1)
    ends = [*(f"{bound:g}" for bound in bounds), "+Inf"]
    family.add_metric(key, list(zip(ends, accumulate(counts), strict=True)), sum(part.sum for part in parts))
