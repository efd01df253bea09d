"""DNS messages as bytes; knows no zone.

parse: `read_header`, `name_end`, `read_edns`; compose: `heads`, `record_body`, `failure`, `truncate`.
"""

from dnsemu.wire.codes import HEADER, POINTER_TO_QNAME, Meta, Rcode, type_and_class
from dnsemu.wire.compose import MAX_MESSAGE, TCP, UDP, Heads, Transport, failure, heads, record_body, truncate
from dnsemu.wire.edns import NO_EDNS, compose_opt, read_edns
from dnsemu.wire.names import MAX_LABEL, MAX_NAME, is_below, name_end, parents
from dnsemu.wire.query import USUAL_HEADERS, read_header

__all__ = [
    "HEADER",
    "MAX_LABEL",
    "MAX_MESSAGE",
    "MAX_NAME",
    "NO_EDNS",
    "POINTER_TO_QNAME",
    "TCP",
    "UDP",
    "USUAL_HEADERS",
    "Heads",
    "Meta",
    "Rcode",
    "Transport",
    "compose_opt",
    "failure",
    "heads",
    "is_below",
    "name_end",
    "parents",
    "read_edns",
    "read_header",
    "record_body",
    "truncate",
    "type_and_class",
]
