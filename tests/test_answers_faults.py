"""What should not happen comes back as SERVFAIL with its fault, for the server to log; nothing is raised."""

from __future__ import annotations

import logging

import dns.flags
import dns.message
import dns.rcode
import pytest

from dnsemu.app import load_text
from dnsemu.authority import Authority, Response, respond
from dnsemu.draws import Draws
from dnsemu.server import Answers
from dnsemu.wire import TCP, UDP, Transport

ZONE = """\
hosted_zones:
  - name: example.com
    record_sets:
      - {name: a, type: A, ttl: 60, records: 192.0.2.1}
"""


class _Broken:
    """An entry with a bug."""

    def choose(self, draws: Draws) -> None:
        raise ZeroDivisionError("a bug of ours")


def _broken() -> tuple[Authority, dns.message.Message]:
    authority = load_text(ZONE).authority
    question = dns.message.make_query("a.example.com", "A", use_edns=0)
    key = question.to_wire()[12:-11]
    assert key in authority.public.questions
    authority.public.questions[key] = _Broken()  # type: ignore[index]
    return authority, question


@pytest.mark.parametrize("transport", [UDP, TCP])
def test_a_bug_is_servfail_with_its_fault(transport: Transport) -> None:
    authority, question = _broken()
    response = respond(authority, question.to_wire(), b"\x7f\0\0\1", transport, Draws(1))
    assert isinstance(response, Response)
    assert isinstance(response.fault, ZeroDivisionError)
    answer = dns.message.from_wire(response.wire)
    assert (answer.rcode(), response.rcode, response.zone_id) == (dns.rcode.SERVFAIL, 2, "")
    assert question.is_response(answer)
    assert not answer.flags & dns.flags.AA
    assert answer.edns == 0


class _Lines(logging.Handler):
    """Keeps what is logged."""

    def __init__(self) -> None:
        super().__init__()
        self.records: list[logging.LogRecord] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.records.append(record)


def test_the_server_logs_it_and_answers_the_others() -> None:
    authority, question = _broken()
    other = dns.message.make_query("nothing.example.com", "A")
    lines, log = _Lines(), logging.getLogger("dnsemu.server.answers")
    log.addHandler(lines)
    try:
        port = Answers(authority, Draws(1)).over(UDP, 4)
        wires = port.to_packets([question.to_wire(), other.to_wire()], [b"\x7f\0\0\1"] * 2)
    finally:
        log.removeHandler(lines)
    assert [dns.message.from_wire(wire).rcode() for wire in wires] == [dns.rcode.SERVFAIL, dns.rcode.NXDOMAIN]
    assert [(record.levelname, bool(record.exc_info)) for record in lines.records] == [("ERROR", True)]
