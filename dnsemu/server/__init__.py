"""Sockets: UDP in batches and TCP, bound together, answered by one function of a packet."""

from dnsemu.server.answers import Answers, Batch, Kind
from dnsemu.server.bind import BindError, Endpoint, bind, bind_http, read_endpoint
from dnsemu.server.queries import Query, Recent, queries_of
from dnsemu.server.query_log import QueryLog
from dnsemu.server.serving import Serving
from dnsemu.server.tcp import Limits

__all__ = [
    "Answers",
    "Batch",
    "BindError",
    "Endpoint",
    "Kind",
    "Limits",
    "Query",
    "QueryLog",
    "Recent",
    "Serving",
    "bind",
    "bind_http",
    "queries_of",
    "read_endpoint",
]
