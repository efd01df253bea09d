"""DNS messages as bytes; knows no zone.

parse: `read_header`, `name_end`, `read_edns`; compose: `heads`, `record_body`, `failure`, `truncate`.
"""

from dnsemu.wire.codes import HEADER, POINTER_TO_QNAME, Meta, Rcode, type_and_class
from dnsemu.wire.compose import (
    MAX_MESSAGE,
    TCP,
    UDP,
    Heads,
    Transport,
    failure,
    heads,
    record_body,
    records_of,
    truncate,
)
from dnsemu.wire.edns import (
    NO_EDNS,
    OPT_HEAD,
    UNUSUAL_OPT,
    USUAL_OPTS,
    Edns,
    Subnet,
    compose_opt,
    read_edns,
    read_subnet,
    with_extended_error,
    with_scope,
    without_options,
)
from dnsemu.wire.names import MAX_LABEL, MAX_NAME, is_below, name_end, parents
from dnsemu.wire.query import AA, RA, TC, USUAL_HEADERS, read_header

__all__ = [
    "AA",
    "HEADER",
    "MAX_LABEL",
    "MAX_MESSAGE",
    "MAX_NAME",
    "NO_EDNS",
    "OPT_HEAD",
    "POINTER_TO_QNAME",
    "RA",
    "TC",
    "TCP",
    "UDP",
    "UNUSUAL_OPT",
    "USUAL_HEADERS",
    "USUAL_OPTS",
    "Edns",
    "Heads",
    "Meta",
    "Rcode",
    "Subnet",
    "Transport",
    "compose_opt",
    "failure",
    "heads",
    "is_below",
    "name_end",
    "parents",
    "read_edns",
    "read_header",
    "read_subnet",
    "record_body",
    "records_of",
    "truncate",
    "type_and_class",
    "with_extended_error",
    "with_scope",
    "without_options",
]
