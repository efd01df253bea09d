"""`dnsemu query --repeat`: how often each answer comes, beside how often it should."""

from __future__ import annotations

import json
import re
from collections import Counter
from dataclasses import dataclass, field
from shutil import get_terminal_size

import click
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype

from dnsemu.cli.ask import ask
from dnsemu.server import Endpoint

_SHARE = re.compile(r"share +([0-9.]+)% (.*)")
_LEAST, _MOST = 10, 40  # columns of a bar


@dataclass
class Counts:
    """Answers to one question, asked many times.

    `values`: value → in how many answers it was; `rcodes`: those without an answer, by response code.
    `expected`: value → share, 0 … 1, as the server explains it; None if it does not explain.
    """

    asked: int = 0
    values: Counter[str] = field(default_factory=Counter)
    rcodes: Counter[str] = field(default_factory=Counter)
    expected: dict[str, float] | None = None


def count(question: dns.message.Message, server: Endpoint, times: int, *, tcp: bool) -> Counts:
    """Ask so many times. Raises OSError, DNSException."""
    counts = Counts(expected=_expected(question, server))
    rdtype = question.question[0].rdtype
    for _ in range(times):
        question.id = dns.message.make_query(".", "A").id
        answer = ask(question, server, tcp=tcp)
        counts.asked += 1
        wanted = [rrset for rrset in answer.answer if rdtype in (rrset.rdtype, dns.rdatatype.ANY)]
        values = [str(value) for rrset in wanted for value in rrset]
        counts.values.update(values)
        if not values:
            counts.rcodes[_why_empty(answer)] += 1
    return counts


def _why_empty(answer: dns.message.Message) -> str:
    rcode = dns.rcode.to_text(answer.rcode())
    if rcode != "NOERROR":
        return rcode
    if answer.answer:
        return "CNAME to elsewhere"
    return "NODATA" if answer.flags & dns.flags.AA or not answer.authority else "referral"


def _expected(question: dns.message.Message, server: Endpoint) -> dict[str, float] | None:
    """What the server says about the shares of values, by the very explanation that dig gets."""
    asked = question.question[0]
    prefix = dns.name.from_text(f"_explain._{dns.rdatatype.to_text(asked.rdtype).lower()}", None)
    try:
        explaining = dns.message.make_query(prefix + asked.name, "TXT", use_edns=0, options=list(question.options))
        answer = ask(explaining, server, tcp=True)
    except (dns.exception.DNSException, OSError):  # a name that is too long; no TCP here
        return None
    told = ["".join(map(bytes.decode, value.strings)) for rrset in answer.answer for value in rrset]
    if not told:
        return None
    return {found[2]: float(found[1]) / 100 for line in told if (found := _SHARE.fullmatch(line))}


def print_counts(counts: Counts, *, as_json: bool) -> None:
    """A bar for each value, with its share and the one expected."""
    if as_json:
        click.echo(json.dumps(_as_json(counts), indent=2))
        return
    values = sorted({*counts.values, *(counts.expected or ())}, key=lambda value: (-counts.values[value], value))
    width = max([len(value) for value in values] + [len(rcode) for rcode in counts.rcodes] + [5])
    bar = max(_LEAST, min(_MOST, get_terminal_size().columns - width - 30))
    click.echo(click.style(f"{'value':{width}}  {'':{bar}}  answers    share  expected", bold=True))
    for value in values:
        expected = "" if counts.expected is None else f"{counts.expected.get(value, 0):9.2%}"
        click.echo(f"{value:{width}}  {_row(counts.values[value], counts.asked, bar)} {expected}".rstrip())
    for rcode, number in counts.rcodes.most_common():
        click.secho(f"{rcode:{width}}  {_row(number, counts.asked, bar)}".rstrip(), fg="yellow")
    if counts.expected is None:
        click.echo("this server does not say what to expect", err=True)


def _row(number: int, asked: int, bar: int) -> str:
    return f"{'#' * round(bar * number / asked):{bar}}  {number:7}  {number / asked:7.2%}"


def _as_json(counts: Counts) -> dict[str, object]:
    values = sorted({*counts.values, *(counts.expected or ())})
    return {
        "asked": counts.asked,
        "values": [
            {
                "value": value,
                "count": counts.values[value],
                "share": counts.values[value] / counts.asked,
                "expected": None if counts.expected is None else counts.expected.get(value, 0.0),
            }
            for value in values
        ],
        "empty": dict(counts.rcodes),
    }
