"""The geography that the package ships, read once for all tests."""

from __future__ import annotations

import csv
from importlib.resources import files
from pathlib import Path

from dnsemu.location import read_geography, read_latency_model, read_tables

DATA = Path(str(files("dnsemu") / "data"))
KNOWN = Path(__file__).resolve().parents[1] / "data" / "geography"


def text_of(name: str) -> str:
    return (DATA / name).read_text("utf-8")


def rows(path: Path) -> list[dict[str, str]]:
    return list(csv.DictReader(path.read_text("utf-8").splitlines()))


GEOGRAPHY = read_geography(text_of)
LATENCIES = read_latency_model(text_of)
TABLES = read_tables(text_of)
