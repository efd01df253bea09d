"""The places that Route 53 knows, and reading them."""

from dnsemu.location.places import (
    check_area,
    check_local_zone_group,
    check_region,
    read_latitude,
    read_longitude,
)
from dnsemu.location.tables import CONTINENTS, Tables, read_tables

__all__ = [
    "CONTINENTS",
    "Tables",
    "check_area",
    "check_local_zone_group",
    "check_region",
    "read_latitude",
    "read_longitude",
    "read_tables",
]
