"""dig, as people ask: every type of the example zone, and every flag that a server may stumble over."""

from __future__ import annotations

import re
import subprocess
from dataclasses import dataclass, field

import pytest
from e2e.launch import PATIENCE, Launched, need

pytestmark = pytest.mark.e2e

SERVERS = {
    f"example.com. 172800 IN NS {name}."
    for name in ("ns-48.awsdns-06.com", "ns-802.awsdns-36.net", "ns-1057.awsdns-04.org", "ns-1830.awsdns-36.co.uk")
}
SOA = "example.com. 900 IN SOA ns-48.awsdns-06.com. awsdns-hostmaster.amazon.com. 1 7200 900 1209600 300"
_STATUS = re.compile(r"opcode: (\w+), status: (\w+)")
_EDNS = re.compile(r"; EDNS: version: (\d+), flags:([^;]*); .*udp: (\d+)")


@dataclass
class Dug:
    """What dig printed."""

    text: str
    status: str = ""
    opcode: str = ""
    flags: set[str] = field(default_factory=set)
    edns: tuple[str, str, str] | None = None
    sections: dict[str, list[str]] = field(default_factory=dict)

    @property
    def answer(self) -> set[str]:
        return set(self.sections.get("ANSWER", []))

    @property
    def authority(self) -> set[str]:
        return set(self.sections.get("AUTHORITY", []))

    @property
    def additional(self) -> set[str]:
        return set(self.sections.get("ADDITIONAL", []))


def dig(server: Launched, *words: str) -> Dug:
    """Ask with dig; it must not warn of anything but that there is no recursion."""
    argv = [need("dig", "bind9-dnsutils"), "-r", "@127.0.0.1", "-p", str(server.port), "+time=10", "+tries=2", *words]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=4 * PATIENCE, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    dug = read(done.stdout)
    warnings = re.findall(r"^;; (?:WARNING|Warning).*", dug.text, re.MULTILINE)
    assert [one for one in warnings if "recursion requested" not in one and "retry with '+noedns'" not in one] == []
    return dug


def read(text: str) -> Dug:
    dug, section = Dug(text), ""
    for line in text.splitlines():
        if found := _STATUS.search(line):
            dug.opcode, dug.status = found[1], found[2]
        elif found := re.match(r";; flags: ([a-z ]*);", line):
            dug.flags = set(found[1].split())
        elif found := _EDNS.match(line):
            dug.edns = (found[1], found[2].strip(), found[3])
        elif found := re.match(r";; (\w+)(?: PSEUDO)? ?SECTION:", line):
            section = found[1]
        elif section and line and not line.startswith(";"):
            dug.sections.setdefault(section, []).append(" ".join(line.split()))
    return dug


TYPES = {
    "api.example.com A": "60 IN A 192.0.2.30",
    "mail.example.com AAAA": "3600 IN AAAA 2001:db8::25",
    "example.com CAA": '3600 IN CAA 0 issue "ca.example.net" | 3600 IN CAA 0 iodef "mailto:security@example.com"',
    "shop.example.com CNAME": "300 IN CNAME shops.example.net.",
    "dev.example.com DS": "86400 IN DS 12345 13 2 D4B7D520E7BB5F0F67674A0CCEB1E3E0614B93C4F9E99B8383F6A1E4 469DA50A",
    "example.com HTTPS": '300 IN HTTPS 1 . alpn="h2,h3" ipv4hint=192.0.2.10,192.0.2.11',
    "example.com MX": "3600 IN MX 10 mail.example.com. | 3600 IN MX 20 backup.example.net.",
    "4.3.2.1.enum.example.com NAPTR": '300 IN NAPTR 100 10 "U" "E2U+sip" "!^.*$!sip:info@example.com!" .',
    "_sip._tcp.example.com SRV": "300 IN SRV 10 60 5060 sip1.example.com. | 300 IN SRV 20 40 5060 sip2.example.com.",
    "10.2.0.192.in-addr.arpa PTR": "3600 IN PTR lb.example.com.",
    "example.com SOA": SOA.removeprefix("example.com. "),
    "example.com SPF": '3600 IN SPF "v=spf1 mx include:_spf.example.net -all"',
    "bastion.example.com SSHFP": (
        "300 IN SSHFP 4 2 5D4B0D3C5D6F2E9F0A1B8C7D6E5F4A3B2C1D0E9F8A7B6C5D4E3F2A1B 0C9D8E7F"
    ),
    "_dns.resolver.example.com SVCB": '300 IN SVCB 1 resolver.example.com. alpn="dot" port=853',
    "_25._tcp.mail.example.com TLSA": (
        "3600 IN TLSA 3 1 1 0C72AC70B745AC19998811B131D662C9AC69DBDBE7CB23E5B514B566 64C5D3D6"
    ),
    "_dmarc.example.com TXT": '3600 IN TXT "v=DMARC1; p=reject; rua=mailto:dmarc@example.com"',
}


@pytest.mark.parametrize("transport", ["+notcp", "+tcp"])
@pytest.mark.parametrize("asked", TYPES)
def test_every_type(server: Launched, asked: str, transport: str) -> None:
    name, rdtype = asked.split()
    dug = dig(server, name, rdtype, transport)
    assert dug.status == "NOERROR"
    assert dug.flags == {"qr", "aa", "rd"}
    assert dug.answer == {f"{name}. {one}" for one in TYPES[asked].split(" | ")}
    assert ("(TCP)" in dug.text) == (transport == "+tcp")
    assert dug.authority == SERVERS or name.endswith(".arpa")


def test_the_name_servers(server: Launched) -> None:
    dug = dig(server, "example.com", "NS")
    assert (dug.status, dug.answer, dug.authority) == ("NOERROR", SERVERS, set())


def test_the_authority_section_is_sorted(server: Launched) -> None:
    names = [one.split()[-1] for one in dig(server, "api.example.com").sections["AUTHORITY"]]
    assert names == sorted(names)


def test_addresses_of_mail_servers_come_with_them(server: Launched) -> None:
    dug = dig(server, "example.com", "MX")
    assert dug.additional == {
        "mail.example.com. 3600 IN A 192.0.2.25",
        "mail.example.com. 3600 IN AAAA 2001:db8::25",
    }


@pytest.mark.parametrize("rdtype", ["A", "AAAA"])
def test_an_alias_at_the_apex_is_invisible(server: Launched, rdtype: str) -> None:
    values = ("192.0.2.10", "192.0.2.11") if rdtype == "A" else ("2001:db8::10", "2001:db8::11")
    dug = dig(server, "example.com", rdtype)
    assert dug.answer == {f"example.com. 60 IN {rdtype} {value}" for value in values}
    assert dug.authority == SERVERS


def test_a_cname_is_followed_inside_its_zone_only(server: Launched) -> None:
    assert dig(server, "www.example.com").answer == {
        "www.example.com. 300 IN CNAME example.com.",
        "example.com. 60 IN A 192.0.2.10",
        "example.com. 60 IN A 192.0.2.11",
    }
    outside = dig(server, "shop.example.com")
    assert outside.answer == {"shop.example.com. 300 IN CNAME shops.example.net."}
    assert (outside.status, outside.authority) == ("NOERROR", SERVERS)


def test_a_name_that_is_not_there(server: Launched) -> None:
    dug = dig(server, "nothing.example.com")
    assert (dug.status, dug.flags, dug.answer, dug.authority) == ("NXDOMAIN", {"qr", "aa", "rd"}, set(), {SOA})


@pytest.mark.parametrize("asked", ["api.example.com AAAA", "_tcp.example.com A", "preview.example.com A"])
def test_a_name_without_that_type(server: Launched, asked: str) -> None:
    dug = dig(server, *asked.split())
    assert (dug.status, dug.flags, dug.answer, dug.authority) == ("NOERROR", {"qr", "aa", "rd"}, set(), {SOA})


@pytest.mark.parametrize("name", ["Branch-7.preview.example.com", "a.b.preview.EXAMPLE.com", "*.preview.example.com"])
def test_a_wildcard_answers_in_the_askers_letter_case(server: Launched, name: str) -> None:
    dug = dig(server, name)
    assert dug.answer == {f"{name}. 60 IN A 192.0.2.20"}


@pytest.mark.parametrize("asked", ["dev.example.com A", "dev.example.com NS", "a.b.dev.example.com TXT"])
def test_a_referral(server: Launched, asked: str) -> None:
    dug = dig(server, *asked.split())
    assert (dug.status, dug.flags, dug.answer) == ("NOERROR", {"qr", "rd"}, set())
    assert dug.authority == {
        f"dev.example.com. 86400 IN NS {name}." for name in ("ns1.dev.example.com", "ns.example.net")
    }
    assert dug.additional == {"ns1.dev.example.com. 86400 IN A 192.0.2.54"}


def test_any_is_everything(server: Launched) -> None:
    dug = dig(server, "example.com", "ANY")
    types = {one.split()[3] for one in dug.answer}
    assert types == {"A", "AAAA", "HTTPS", "MX", "TXT", "SPF", "CAA", "SOA", "NS"}
    assert dug.authority == set()


def test_a_foreign_name_is_refused_without_opt(server: Launched) -> None:
    dug = dig(server, "far.example")
    assert (dug.status, dug.flags, dug.edns) == ("REFUSED", {"qr", "rd"}, None)


# Flags and options


@pytest.mark.parametrize(
    ("option", "echoed"),
    [
        ("+subnet=192.0.2.0/24", "192.0.2.0/24/0"),
        ("+subnet=192.0.2.77/32", "192.0.2.77/32/0"),
        ("+subnet=2001:db8::/56", "2001:db8::/56/0"),
        ("+subnet=0", "0.0.0.0/0/0"),
        ("+subnet=0.0.0.0/0", "0.0.0.0/0/0"),
        ("+subnet=::/0", "::/0/0"),
    ],
)
def test_a_client_subnet_comes_back_with_scope_0(server: Launched, option: str, echoed: str) -> None:
    dug = dig(server, "api.example.com", option)
    assert dug.status == "NOERROR"
    assert re.findall(r"^; CLIENT-SUBNET: (\S+)$", dug.text, re.MULTILINE) == [echoed]


@pytest.mark.parametrize(
    ("options", "edns"),
    [
        (["+noedns"], None),
        (["+bufsize=512"], ("0", "", "4096")),
        (["+bufsize=0"], ("0", "", "4096")),
        (["+ednsopt=65001:abcd"], ("0", "", "4096")),
        (["+ednsopt=65001"], ("0", "", "4096")),
        (["+nsid", "+cookie"], ("0", "", "4096")),
        (["+padding=128", "+keepalive", "+expire"], ("0", "", "4096")),
        (["+ednsflags=0x80", "+noednsneg"], ("0", "", "4096")),
        (["+ednsflags=0x7fff"], ("0", "", "4096")),
        (["+dnssec"], ("0", "do", "4096")),
        (["+cdflag", "+adflag", "+zflag", "+aaflag", "+tcflag", "+raflag"], ("0", "", "4096")),
    ],
)
def test_edns_of_all_kinds_gets_the_same_answer(
    server: Launched, options: list[str], edns: tuple[str, str, str] | None
) -> None:
    dug = dig(server, "api.example.com", *options)
    assert dug.status == "NOERROR"
    assert dug.flags == {"qr", "aa", "rd"} | ({"cd"} if "+cdflag" in options else set())
    assert dug.answer == {"api.example.com. 60 IN A 192.0.2.30"}
    assert dug.edns == edns
    assert not re.search(r"COOKIE|NSID|PAD|OPT=", dug.text.partition("OPT PSEUDOSECTION")[2])


def test_without_recursion_desired(server: Launched) -> None:
    assert dig(server, "api.example.com", "+norecurse").flags == {"qr", "aa"}


def test_an_unknown_edns_version(server: Launched) -> None:
    dug = dig(server, "api.example.com", "+edns=1", "+noednsneg")
    assert (dug.status, dug.edns, dug.answer) == ("BADVERS", ("0", "", "4096"), set())


def test_an_unknown_edns_version_is_negotiated(server: Launched) -> None:
    dug = dig(server, "api.example.com", "+edns=1", "+ednsneg")
    assert (dug.status, dug.answer) == ("NOERROR", {"api.example.com. 60 IN A 192.0.2.30"})


@pytest.mark.parametrize("name", ["version.bind", "id.server", "hostname.bind", "example.com"])
def test_class_chaos_is_refused_with_opt(server: Launched, name: str) -> None:
    dug = dig(server, "CH", "TXT", name)
    assert (dug.status, dug.flags, dug.answer, dug.edns) == ("REFUSED", {"qr", "rd"}, set(), ("0", "", "4096"))


@pytest.mark.parametrize("opcode", ["notify", "update", "status", "iquery"])
def test_other_opcodes_are_not_implemented(server: Launched, opcode: str) -> None:
    dug = dig(server, "example.com", "SOA", f"+opcode={opcode}")
    assert (dug.status, dug.opcode, dug.answer) == ("NOTIMP", opcode.upper(), set())
    assert not dug.flags & {"aa", "ra"}


def test_a_zone_transfer_fails(server: Launched) -> None:
    for kind in ("AXFR", "IXFR=1"):
        assert "; Transfer failed." in dig(server, "example.com", kind).text


def test_two_questions_on_one_connection(server: Launched) -> None:
    dug = dig(server, "+tcp", "+keepopen", "api.example.com", "A", "mail.example.com", "A")
    assert {"api.example.com. 60 IN A 192.0.2.30", "mail.example.com. 3600 IN A 192.0.2.25"} <= dug.answer
