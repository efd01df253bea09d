"""Metrics (surface 4): what is counted, under which names, and what is there from 0 on."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import dns.edns
import dns.message
import dns.opcode
import pytest
from prometheus_client.openmetrics.parser import text_string_to_metric_families as read_openmetrics
from prometheus_client.parser import text_string_to_metric_families as read_text

from dnsemu.app import Loaded, load, load_text
from dnsemu.draws import Draws
from dnsemu.health import Forced, Ledger, Observation
from dnsemu.metrics import Labels, Seen, encoding_for, render
from dnsemu.server import Answers
from dnsemu.tally import Reloads
from dnsemu.wire import TCP, UDP

ROOT = Path(__file__).resolve().parents[1]
LOOPBACK = b"\x7f\0\0\1"
ZONE = """
version: 1
hosted_zones:
  - name: m.test
    record_sets:
      - {name: plain, type: A, ttl: 60, records: 192.0.2.1}
      - {name: big, type: TXT, ttl: 60, records: [TEXTS]}
      - name: w
        type: A
        ttl: 60
        members:
          - {set_identifier: a, weighted_routing_policy: {weight: 1}, health_check_id: up, records: 192.0.2.2}
          - {set_identifier: b, weighted_routing_policy: {weight: 0}, records: 192.0.2.3}
      - name: f
        type: A
        ttl: 60
        members:
          - {set_identifier: p, failover_routing_policy: {type: PRIMARY}, health_check_id: up, records: 192.0.2.4}
          - {set_identifier: s, failover_routing_policy: {type: SECONDARY}, health_check_id: up, records: 192.0.2.5}
      - name: geo
        type: A
        ttl: 60
        set_identifier: de
        geolocation_routing_policy: {country: DE}
        records: 192.0.2.6
      - name: many
        type: A
        ttl: 60
        members:
          MEMBERS
health_checks:
  - {id: up, type: HTTP, ip_address: 192.0.2.9}
  - {id: both, type: CALCULATED, child_healthchecks: [up], child_health_threshold: 1}
"""
_TEXTS = ", ".join(f"""'"{letter * 200}"'""" for letter in "xyz")
_MEMBERS = "\n          ".join(
    f"- {{set_identifier: m{n}, multivalue_answer_routing_policy: true, records: 192.0.2.{n}}}"
    for n in range(100, 112)
)
ZONE = ZONE.replace("TEXTS", _TEXTS).replace("MEMBERS", _MEMBERS)


class Watched:
    """Answers that are counted, without sockets."""

    def __init__(self, loaded: Loaded) -> None:
        self.loaded = loaded
        self.answers = Answers(loaded.authority, Draws(1), counts=True)
        self.labels = Labels(loaded.configuration, loaded.authority)
        self.ledger = Ledger(loaded.configuration.health_checks, 0.0)
        self.ports = {kind: self.answers.over(*kind) for kind in ((UDP, 4), (UDP, 6), (TCP, 4))}

    def ask(
        self, name: str, rdtype: str = "A", times: int = 1, over: tuple[object, int] = (UDP, 4), **more: object
    ) -> None:
        packet = dns.message.make_query(name, rdtype, **more).to_wire()
        self.put(packet, times, over)

    def put(self, packet: bytes, times: int = 1, over: tuple[object, int] = (UDP, 4)) -> None:
        self.ports[over].to_packets([packet] * times, [LOOPBACK] * times)  # type: ignore[index]

    def text(self, accept: str = "") -> str:
        standings = list(self.ledger.standings.values())
        tallies = {kind: tally.copy() for kind, tally in self.answers.tallies.items()}
        seen = Seen(
            self.labels, self.answers.authority, tallies, standings, Reloads(0.0), "abc", {"health": 0, "place": 0}, 0
        )
        return render(seen, encoding_for(accept)).decode()

    def samples(self) -> dict[str, dict[tuple[str, ...], float]]:
        """Name → values of the labels in their alphabetical order → value."""
        found: dict[str, dict[tuple[str, ...], float]] = {}
        for family in read_text(self.text()):
            for sample in family.samples:
                key = tuple(sample.labels[label] for label in sorted(sample.labels))
                assert key not in found.setdefault(sample.name, {}), f"{sample.name}{sample.labels} is there twice"
                found[sample.name][key] = sample.value
        return found

    def value(self, metric: str, /, **labels: str) -> float:
        """The sum of the samples that have these labels."""
        chosen = [
            sample.value
            for family in read_text(self.text())
            for sample in family.samples
            if sample.name == metric and labels.items() <= sample.labels.items()
        ]
        assert chosen, f"there is no {metric} with {labels}"
        return sum(chosen)


@pytest.fixture
def watched() -> Watched:
    return Watched(load_text(ZONE))


# Names


def _documented() -> Mapping[str, set[str]]:
    """Name → labels, by docs/metrics.md."""
    rows = re.findall(r"^\| `(dnsemu_\w+)` \| ([^|]*)\|", (ROOT / "docs/metrics.md").read_text(), re.M)
    return {name: set(re.findall(r"`(\w+)`", labels)) for name, labels in rows}


def test_every_metric_is_documented_with_its_labels_and_the_other_way_round(watched: Watched) -> None:
    found = {}
    for family in read_text(watched.text()):
        name = f"{family.name}_total" if family.type == "counter" else family.name
        assert family.documentation
        found[name] = set().union(*(sample.labels for sample in family.samples)) - {"le"}
    assert found == _documented()


def test_the_text_is_well_formed_in_both_formats(watched: Watched) -> None:
    watched.ask("plain.m.test")
    plain = {family.name for family in read_text(watched.text())}
    other = {family.name for family in read_openmetrics(watched.text("application/openmetrics-text; version=1.0.0"))}
    assert plain == other


@pytest.mark.parametrize(
    "accept", ["application/openmetrics-text; version=abc", "text/plain; version=x", ";;,=", "\u00e9"]
)
def test_an_accept_header_that_can_not_be_read_asks_for_the_usual_form(watched: Watched, accept: str) -> None:
    assert encoding_for(accept).content_type.startswith("text/plain; version=0.0.4")
    assert watched.text(accept) == watched.text()


def test_no_label_has_what_was_asked_for_or_who_asked(watched: Watched) -> None:
    for name in ("secret.m.test", "secret.example", "plain.m.test"):
        watched.ask(name)
    watched.ask("w.m.test", use_edns=0, options=[dns.edns.ECSOption.from_text("203.0.113.0/24")])
    text = watched.text()
    assert not re.search(r"secret|127\.0\.0\.1|203\.0\.113|plain", text)


# From 0 on


def test_what_is_configured_is_there_before_anybody_asks() -> None:
    watched = Watched(load([ROOT / "zones"]))
    samples = watched.samples()
    zones = {"policies.example.", "policies.example. (vpc-lab)", "example.com.", "2.0.192.in-addr.arpa.", "none"}
    requests = samples["dnsemu_dns_requests_total"]
    assert {key[3] for key in requests} == zones
    assert {key[2] for key in requests} >= {"A", "AAAA", "CNAME", "HTTPS", "SPF", "ANY", "other"}
    assert {key[:2] for key in requests} == {("1", "udp"), ("2", "udp"), ("1", "tcp")}
    assert not any(requests.values())
    responses = {(zone, rcode) for _, rcode, zone in samples["dnsemu_dns_responses_total"]}
    assert responses >= {(zone, rcode) for zone in zones - {"none"} for rcode in ("NOERROR", "NXDOMAIN")}
    assert responses >= {("none", rcode) for rcode in ("REFUSED", "FORMERR", "NOTIMP", "SERVFAIL", "BADVERS")}
    assert {key[0] for key in samples["dnsemu_health_check_status"]} == {"up", "down"}


def test_only_reasons_that_can_occur_have_a_series(watched: Watched) -> None:
    found: dict[str, set[tuple[str, str]]] = {}
    for name, _, reason, set_identifier, _, _ in watched.samples()["dnsemu_routing_decisions_total"]:
        found.setdefault(name.partition(".")[0], set()).add((set_identifier, reason))
    assert found == {
        "w": {("a", "matched"), ("b", "failover")},  # b has no health check: there is no last resort
        "f": {("p", "matched"), ("s", "failover"), ("p", "all_unhealthy")},
        "geo": {("de", "matched"), ("", "no_match")},  # no default, no health check
        "many": {(f"m{n}", "matched") for n in range(100, 112)},
    }


# Counting


def test_requests_and_responses_by_zone_type_protocol_and_family(watched: Watched) -> None:
    watched.ask("plain.m.test", times=3)
    watched.ask("plain.m.test", "AAAA", over=(UDP, 6))
    watched.ask("nothing.m.test", "TYPE65400", over=(TCP, 4))
    watched.ask("plain.m.test", "ANY")
    watched.ask("other.example", times=2)
    requests = "dnsemu_dns_requests_total"
    assert watched.value(requests, zone="m.test.", type="A", proto="udp", family="1") == 3
    assert watched.value(requests, zone="m.test.", type="AAAA", proto="udp", family="2") == 1
    assert watched.value(requests, zone="m.test.", type="other", proto="tcp", family="1") == 1
    assert watched.value(requests, zone="m.test.", type="ANY") == 1
    assert watched.value(requests, zone="none", type="A") == 2
    assert watched.value(requests) == 8
    responses = "dnsemu_dns_responses_total"
    assert watched.value(responses, zone="m.test.", rcode="NOERROR", proto="udp") == 5
    assert watched.value(responses, zone="m.test.", rcode="NXDOMAIN", proto="tcp") == 1
    assert watched.value(responses, zone="none", rcode="REFUSED") == 2
    assert watched.value(responses) == 8


def _other_opcode() -> bytes:
    question = dns.message.make_query("plain.m.test", "A")
    question.set_opcode(dns.opcode.STATUS)
    return question.to_wire()


MALFORMED = [
    (b"\0\1", "short"),
    (b"", "short"),
    (b"\0\1\x80" + bytes(9), "response"),
    (bytes(12), "formerr"),
    (_other_opcode(), "notimp"),
    (dns.message.make_query("plain.m.test", "A", use_edns=1).to_wire(), "badvers"),
]


@pytest.mark.parametrize(("packet", "reason"), MALFORMED, ids=range(len(MALFORMED)))
def test_malformed_packets_by_reason(watched: Watched, packet: bytes, reason: str) -> None:
    watched.put(packet, 2)
    assert watched.value("dnsemu_dns_malformed_total", reason=reason) == 2
    assert watched.value("dnsemu_dns_malformed_total") == 2
    silent = reason in ("short", "response")
    assert watched.value("dnsemu_dns_responses_total") == (0 if silent else 2)
    assert watched.value("dnsemu_dns_response_size_bytes_count") == (0 if silent else 2)


def test_sizes_and_truncation(watched: Watched) -> None:
    watched.ask("big.m.test", "TXT", times=2)
    watched.ask("big.m.test", "TXT", over=(TCP, 4))
    assert watched.value("dnsemu_dns_truncated_total", zone="m.test.") == 2
    size = "dnsemu_dns_response_size_bytes"
    assert watched.value(f"{size}_count", proto="udp") == 2
    assert watched.value(f"{size}_count", proto="tcp") == 1
    assert watched.value(f"{size}_bucket", proto="tcp", le="511") == 0
    assert watched.value(f"{size}_bucket", proto="tcp", le="1023") == 1
    assert watched.value(f"{size}_sum", proto="tcp") > 600


def test_times_are_those_of_a_sample(watched: Watched) -> None:
    watched.ask("plain.m.test", times=64)
    watched.ask("plain.m.test")
    assert watched.value("dnsemu_dns_request_duration_seconds_count", zone="m.test.") == 2
    assert "sample" in watched.text().partition("HELP dnsemu_dns_request_duration_seconds")[2].partition("\n")[0]


def test_decisions_by_member_and_reason(watched: Watched) -> None:
    watched.ask("w.m.test", times=5)
    watched.answers.publish(watched.answers.authority.with_health({"up": False}))
    watched.ask("w.m.test", times=3)
    watched.ask("f.m.test")
    watched.ask("geo.m.test", times=2)
    watched.ask("many.m.test", times=10)
    decisions = "dnsemu_routing_decisions_total"
    assert watched.value(decisions, name="w.m.test.", set_identifier="a", reason="matched") == 5
    assert watched.value(decisions, name="w.m.test.", set_identifier="b", reason="failover") == 3
    assert watched.value(decisions, name="f.m.test.", set_identifier="p", reason="all_unhealthy") == 1
    assert (
        watched.value(decisions, name="geo.m.test.", set_identifier="", reason="no_match", policy="geolocation") == 2
    )
    assert watched.value(decisions, name="many.m.test.", policy="multivalue") == 80  # eight members each time
    healthy = "dnsemu_record_set_healthy"
    assert watched.value(healthy, name="w.m.test.", set_identifier="a") == 0
    assert watched.value(healthy, name="w.m.test.", set_identifier="b") == 1


def test_no_decision_lacks_a_series() -> None:
    """Whatever health is, what is counted is shown: nothing is decided that was not foreseen."""
    watched = Watched(load([ROOT / "zones" / "all-policies.yaml"]))
    base = watched.loaded.authority
    names = [group.name for group in base.routing.groups]
    watched.answers.watchers.append(
        lambda batch: decided.extend(choice for one in batch.outcomes if one for _, choice in one.decisions)
    )
    decided: list[tuple[tuple[int, ...], object, int]] = []
    for up in (True, False):
        for down in (True, False):
            watched.answers.publish(base.with_health({"up": up, "down": down}))
            for name in set(names):
                for subnet in ("198.18.56.0/24", "198.18.3.0/24", "203.0.113.0/24", "8.8.8.0/24"):
                    question = dns.message.make_query(
                        "x", "A", use_edns=0, options=[dns.edns.ECSOption.from_text(subnet)]
                    )
                    packet = question.to_wire().replace(b"\1x\0", name.replace(b"\1*", b"\1z"))
                    watched.put(packet)
    taken = sum(len(members) or 1 for members, _, _ in decided)
    assert taken > 300
    assert watched.value("dnsemu_routing_decisions_total") == taken


def test_counters_stay_small_whatever_is_asked(watched: Watched) -> None:
    port = watched.ports[UDP, 4]
    for begin in range(0, 20_000, 50):
        packets = [
            dns.message.make_query("plain.m.test", number, "CH" if number % 2 else "IN").to_wire()
            for number in range(begin + 1, begin + 51)
        ]
        port.to_packets(packets, [LOOPBACK] * 50)
    watched.ask("many.m.test", times=20_000)
    (tally, *_) = watched.answers.tallies.values()
    assert len(tally._new) + len(tally._answered) + len(tally._sizes) + len(tally._decided) < 10_000
    assert watched.value("dnsemu_dns_requests_total") == 40_000
    assert watched.value("dnsemu_routing_decisions_total", name="many.m.test.") == 8 * 20_000


# Health


def test_health_checks(watched: Watched) -> None:
    ledger = watched.ledger
    ledger.observe("up", 0, Observation(True, "Success", "192.0.2.9", 0.002, None, 0.3), 1.0)
    for number in range(3):
        ledger.observe("up", 0, Observation(False, "Failure"), 2.0 + number)
    ledger.force("both", Forced(True), 9.0)
    prefix = "dnsemu_health_check_"
    assert watched.value(f"{prefix}status", health_check_id="up", type="HTTP") == 0
    assert watched.value(f"{prefix}status", health_check_id="both", type="CALCULATED") == 1
    assert watched.value(f"{prefix}forced", health_check_id="both") == 1
    assert watched.value(f"{prefix}percentage_healthy") == 0
    assert watched.value(f"{prefix}children_healthy", health_check_id="both") == 0
    assert watched.value(f"{prefix}probes_total", health_check_id="up", result="failure") == 3
    assert watched.value(f"{prefix}probes_total", health_check_id="up", result="success") == 1
    assert watched.value(f"{prefix}transitions_total", health_check_id="up", to="unhealthy") == 1
    assert watched.value(f"{prefix}transitions_total", health_check_id="both", to="healthy") == 1
    duration = f"{prefix}probe_duration_seconds"
    assert watched.value(f"{duration}_bucket", phase="connect", le="0.001") == 0
    assert watched.value(f"{duration}_bucket", phase="connect", le="0.005") == 1
    assert watched.value(f"{duration}_sum", phase="first_byte") == pytest.approx(0.3)
    assert f'{duration}_count{{health_check_id="up",phase="tls"}}' not in watched.text()


# Another configuration


def test_a_reload_keeps_counting_what_stays_and_drops_what_goes(watched: Watched) -> None:
    watched.ask("plain.m.test", times=2)
    watched.ask("w.m.test", times=3)
    watched.ask("many.m.test")
    watched.ask("elsewhere.example")
    text = ZONE.replace("  - name: m.test\n", "  - name: a.first\n    record_sets: []\n  - name: m.test\n")
    text = text.replace("set_identifier: m100,", "set_identifier: new,")
    text = text.replace(
        "- {set_identifier: b, weighted",
        "- {set_identifier: aa, weighted_routing_policy: {weight: 0}, "
        "records: 192.0.2.30}\n          - {set_identifier: b, weighted",
    )
    later = load_text(text)
    _replace(watched, later)
    assert watched.value("dnsemu_dns_requests_total", zone="m.test.") == 6
    assert watched.value("dnsemu_dns_requests_total", zone="none") == 1
    assert (
        watched.value("dnsemu_routing_decisions_total", name="w.m.test.", set_identifier="a", reason="matched") == 3
    )
    assert watched.value("dnsemu_routing_decisions_total", name="many.m.test.", set_identifier="new") == 0
    assert watched.value("dnsemu_dns_requests_total", zone="a.first.") == 0
    _replace(watched, load_text("version: 1\nhosted_zones: [{name: z.last, record_sets: []}]\n"))
    assert "m.test" not in watched.text()
    _replace(watched, load_text(ZONE))
    assert watched.value("dnsemu_dns_requests_total", zone="m.test.") == 0
    assert watched.value("dnsemu_routing_decisions_total") == 0


def _replace(watched: Watched, later: Loaded) -> None:
    labels = Labels(later.configuration, later.authority)
    numbers = watched.labels.numbers_after(labels)
    for tally in watched.answers.tallies.values():
        tally.keep(labels.zones, numbers)
    watched.labels = labels
    watched.answers.publish(later.authority)
