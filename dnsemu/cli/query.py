"""`dnsemu query`"""

from __future__ import annotations

import json
import time

import click
import dns.edns
import dns.exception
import dns.flags
import dns.message
import dns.name
import dns.rcode
import dns.rdatatype
import dns.rrset

from dnsemu.cli.ask import ask, server_option
from dnsemu.cli.count import count, print_counts
from dnsemu.cli.output import Exit, fail
from dnsemu.cli.whence import read_whence
from dnsemu.location import Whence
from dnsemu.server import Endpoint

_NAMED_PLACE = 64  # the prefix length of a named place's addresses
_SECTIONS = ("answer", "authority", "additional")


@click.command()
@click.argument("name")
@click.argument("rdtype", metavar="[TYPE]", default="A")
@server_option
@click.option(
    "--from",
    "whence",
    metavar="PLACE|IP|CIDR",
    help="Ask for a client there, by its client subnet: DE, US-VA, eu-west-1, a name of dnsemu: places, an address.",
)
@click.option("--tcp", is_flag=True, help="Ask over TCP.")
@click.option(
    "--repeat", type=click.IntRange(1, 1_000_000), help="Ask so often, and count the answers beside what is expected."
)
@click.option("--short", is_flag=True, help="Print the values of the answer only.")
@click.option("--format", "form", type=click.Choice(["human", "json"]), default="human", show_default=True)
def command(
    name: str,
    rdtype: str,
    server: Endpoint,
    whence: str | None,
    *,
    tcp: bool,
    repeat: int | None,
    short: bool,
    form: str,
) -> None:
    """Ask a running server for NAME and TYPE (default: A), as dig would."""
    if short and repeat is not None:
        raise click.UsageError("--short prints values, and --repeat counts them: take one of both")
    who = read_whence(whence) if whence is not None else None
    question = _question(name, rdtype, who)
    began = time.perf_counter()
    try:
        if repeat is not None:
            if who is not None and who.place is not None:
                _check_known(who.place, ask(question, server, tcp=tcp))
            print_counts(count(question, server, repeat, tcp=tcp), as_json=form == "json")
            return
        answer = ask(question, server, tcp=tcp)
    except (OSError, dns.exception.DNSException) as error:
        fail(
            f"no answer from {server}: {str(error).rstrip('.') or 'timed out'}; is dnsemu serve running?",
            Exit.UNREACHABLE,
        )
    milliseconds = (time.perf_counter() - began) * 1000
    if form == "json":
        click.echo(json.dumps(_as_json(answer), indent=2))
    elif short:
        for value in (value for rrset in answer.answer for value in rrset):
            click.echo(str(value))
    else:
        _print(answer)
        click.echo(f"\n;; {len(answer.wire or b'')} bytes from {server} in {milliseconds:.1f} ms")
    if who is not None and who.place is not None:
        _check_known(who.place, answer)


def _question(name: str, rdtype: str, who: Whence | None) -> dns.message.Message:
    options = [dns.edns.ECSOption.from_text(who.subnet)] if who is not None else []
    try:
        return dns.message.make_query(name, rdtype.upper(), use_edns=0, payload=1232, options=options)
    except (dns.rdatatype.UnknownRdatatype, ValueError):
        raise click.BadParameter(f"'{rdtype}' is no record type", param_hint="TYPE") from None
    except dns.exception.DNSException as error:
        raise click.BadParameter(f"'{name}' is no domain name: {error}", param_hint="NAME") from None


def _check_known(place: str, answer: dns.message.Message) -> None:
    """Leaves if the server knows no place by that name; one that does answers for exactly its addresses.

    A scope of 0 says nothing of it.
    """
    scopes = [option.scopelen for option in answer.options if isinstance(option, dns.edns.ECSOption)]
    if scopes and 0 < scopes[0] < _NAMED_PLACE:
        fail(f"this server knows no place by the name {place}", Exit.NEGATIVE)


def _print(answer: dns.message.Message) -> None:
    flags = dns.flags.to_text(answer.flags).lower()
    rcode = dns.rcode.to_text(answer.rcode())
    colour = "green" if answer.rcode() == dns.rcode.NOERROR else "yellow"
    click.echo(f";; {click.style(rcode, fg=colour, bold=True)}, flags {flags}")
    for option in answer.options:
        click.echo(f";; {_shown(option)}")
    for section in _SECTIONS:
        rrsets: list[dns.rrset.RRset] = getattr(answer, section)
        if rrsets:
            click.echo(click.style(f"\n;; {section.upper()}", dim=True))
            _print_records(rrsets)


def _shown(option: dns.edns.Option) -> str:
    """An EDNS option for people."""
    if isinstance(option, dns.edns.ECSOption):
        return f"client subnet {option.address}/{option.srclen}, scope /{option.scopelen}"
    if isinstance(option, dns.edns.EDEOption):
        return f"extended error {int(option.code)}: {option.text}"
    return option.to_text()


def _print_records(rrsets: list[dns.rrset.RRset]) -> None:
    """Records in columns."""
    rows = [
        (str(rrset.name), str(rrset.ttl), dns.rdatatype.to_text(rrset.rdtype), str(value))
        for rrset in rrsets
        for value in rrset
    ]
    widths = [max(len(row[column]) for row in rows) for column in range(3)]
    for owner, ttl, rdtype, value in rows:
        click.echo(f"{owner:{widths[0]}}  {ttl:>{widths[1]}}  {rdtype:{widths[2]}}  {value}")


def _as_json(answer: dns.message.Message) -> dict[str, object]:
    return {
        "rcode": dns.rcode.to_text(answer.rcode()),
        "flags": dns.flags.to_text(answer.flags).lower().split(),
        "edns": [_shown(option) for option in answer.options],
        **{section: _records(getattr(answer, section)) for section in _SECTIONS},
    }


def _records(rrsets: list[dns.rrset.RRset]) -> list[dict[str, object]]:
    return [
        {
            "name": str(rrset.name),
            "ttl": rrset.ttl,
            "type": dns.rdatatype.to_text(rrset.rdtype),
            "value": str(value),
        }
        for rrset in rrsets
        for value in rrset
    ]
