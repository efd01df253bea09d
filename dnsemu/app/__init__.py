"""Composition root: the only place that knows everybody."""

from dnsemu.app.loading import Loaded, load, load_sources, load_text
from dnsemu.app.server import Server, Settings

__all__ = ["Loaded", "Server", "Settings", "load", "load_sources", "load_text"]
