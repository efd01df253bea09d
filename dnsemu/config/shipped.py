"""What is in the package beside the code: tables of places, and a database of addresses."""

from __future__ import annotations

from functools import cache
from importlib.resources import as_file, files

from dnsemu.location import (
    Database,
    Geography,
    LatencyModel,
    Tables,
    read_geography,
    read_latency_model,
    read_tables,
)

_DATABASE = "dnsemu-geo.mmdb"


def _text_of(name: str) -> str:
    return (files("dnsemu") / "data" / name).read_text("utf-8")


@cache
def tables() -> Tables:
    """The codes of places; they do not change while a program runs."""
    return read_tables(_text_of)


@cache
def geography() -> Geography:
    """Where the places are."""
    return read_geography(_text_of)


@cache
def latency_model() -> LatencyModel:
    """How far the regions are from places."""
    return read_latency_model(_text_of)


def open_database(path: str | None = None) -> Database:
    """The database at `path`, or the shipped one, mapped into memory for as long as somebody looks things up in it.

    Raises OSError, and ValueError for a file that is no such database.
    """
    import maxminddb  # not before somebody asks where a client is

    try:
        if path is not None:
            return maxminddb.open_database(path, maxminddb.MODE_AUTO).get_with_prefix_len
        with as_file(files("dnsemu") / "data" / _DATABASE) as shipped:
            return maxminddb.open_database(shipped, maxminddb.MODE_AUTO).get_with_prefix_len
    except maxminddb.InvalidDatabaseError as error:
        raise ValueError(str(error)) from error
