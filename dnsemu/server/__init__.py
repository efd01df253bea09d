"""Sockets: UDP in batches and TCP, bound together, answered by one function of a packet."""

from dnsemu.server.answers import Answers
from dnsemu.server.bind import BindError, Endpoint, bind, read_endpoint
from dnsemu.server.serving import Serving
from dnsemu.server.tcp import Limits

__all__ = ["Answers", "BindError", "Endpoint", "Limits", "Serving", "bind", "read_endpoint"]
