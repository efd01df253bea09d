"""The places that Route 53 knows, where they are, how far from each other, and reading them."""

from dnsemu.location.atlas import AtlasBlock
from dnsemu.location.blocks import MAPPED, Blocks, Chain
from dnsemu.location.client import MAPPED_BITS, Client, Latencies, Located, unmapped
from dnsemu.location.distance import great_circle
from dnsemu.location.geography import Geography, read_geography
from dnsemu.location.latency import LatencyModel, read_latency_model
from dnsemu.location.locator import NAMED_PLACES, Database, Known, LatencyTables, Locator, named_place
from dnsemu.location.place import NOWHERE, Coordinates, Place
from dnsemu.location.places import (
    check_area,
    check_local_zone_group,
    check_region,
    read_latitude,
    read_longitude,
)
from dnsemu.location.tables import CONTINENTS, Tables, read_tables
from dnsemu.location.whence import Whence, read_whence

__all__ = [
    "CONTINENTS",
    "MAPPED",
    "MAPPED_BITS",
    "NAMED_PLACES",
    "NOWHERE",
    "AtlasBlock",
    "Blocks",
    "Chain",
    "Client",
    "Coordinates",
    "Database",
    "Geography",
    "Known",
    "Latencies",
    "LatencyModel",
    "LatencyTables",
    "Located",
    "Locator",
    "Place",
    "Tables",
    "Whence",
    "check_area",
    "check_local_zone_group",
    "check_region",
    "great_circle",
    "named_place",
    "read_geography",
    "read_latency_model",
    "read_latitude",
    "read_longitude",
    "read_tables",
    "read_whence",
    "unmapped",
]
