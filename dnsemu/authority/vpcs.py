"""Rules about VPCs: who belongs to which, and in which region it is (behaviour 7.1)."""

from __future__ import annotations

from collections.abc import Iterator

from dnsemu.errors import Fault, Origin, warning
from dnsemu.model import Configuration, Network


def check_vpcs(configuration: Configuration) -> Iterator[Fault]:
    """An address belongs to one VPC, a VPC is in one region, and somebody can ask for a private zone."""
    yield from _check_blocks(configuration)
    yield from _check_regions(configuration)
    yield from _check_clients(configuration)


def _check_blocks(configuration: Configuration) -> Iterator[Fault]:
    seen: dict[Network, str] = {}
    for vpc in configuration.clients.vpcs:
        for block in vpc.blocks:
            other = seen.setdefault(block, vpc.vpc_id)
            if other != vpc.vpc_id:
                message = f"{block} belongs to {other} already, and an address belongs to one VPC"
                yield Fault(
                    vpc.origin, "vpc-block", message, "of blocks inside each other, the longest prefix counts"
                )


def _check_regions(configuration: Configuration) -> Iterator[Fault]:
    written: list[tuple[str, str | None, Origin]] = [
        (vpc.vpc_id, vpc.vpc_region, vpc.origin) for zone in configuration.hosted_zones for vpc in zone.vpcs
    ]
    written += [(vpc.vpc_id, vpc.region, vpc.origin) for vpc in configuration.clients.vpcs]
    seen: dict[str, tuple[str, Origin]] = {}
    for vpc_id, region, origin in sorted(written, key=lambda vpc: vpc[2]):
        if region is not None:
            other, at = seen.setdefault(vpc_id, (region, origin))
            if other != region:
                message = f"{vpc_id} is in {region} here, and in {other} at {at}"
                yield Fault(origin, "vpc-region", message, "a VPC is in one region, and to say so once is enough")


def _check_clients(configuration: Configuration) -> Iterator[Fault]:
    with_clients = {vpc.vpc_id for vpc in configuration.clients.vpcs if vpc.blocks}
    told: set[str] = set()
    for zone in configuration.hosted_zones:
        for vpc in zone.vpcs:
            if vpc.vpc_id and vpc.vpc_id not in with_clients | told:
                told.add(vpc.vpc_id)
                yield warning(
                    vpc.origin,
                    "vpc-clients",
                    f"no address belongs to {vpc.vpc_id}, so nobody can ask for its private zones",
                    "say under dnsemu: vpcs which cidr_blocks it has",
                )
