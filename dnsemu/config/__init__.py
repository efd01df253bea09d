"""From files to the model: `find_files`, `read_sources`, `read_configuration`; `json_schema` for editors."""

from dnsemu.config.read import read_configuration
from dnsemu.config.schema import json_schema
from dnsemu.config.shipped import geography, latency_model, open_database, tables
from dnsemu.config.source import MissingPath, Source, decode, find_files, read_sources
from dnsemu.config.watching import Digest, Watcher

__all__ = [
    "Digest",
    "MissingPath",
    "Source",
    "Watcher",
    "decode",
    "find_files",
    "geography",
    "json_schema",
    "latency_model",
    "open_database",
    "read_configuration",
    "read_sources",
    "tables",
]
