"""A zone with a group of each routing policy for dnsemu, and the questions about each."""

import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Network
from itertools import islice
from typing import Any

from clients import atlas_networks, in_block, public_network
from world import ZONE, client_subnet, cookie, query, zone_yaml

from dnsemu.config import geography
from dnsemu.config.shipped import tables

Edns = Callable[[random.Random], bytes]
RecordSet = dict[str, Any]
Collection = Mapping[str, Sequence[IPv4Network]]


@dataclass(frozen=True)
class Group:
    """A name to ask for, and `edns`, which says by its data who asks. `answers`: how many records they get."""

    title: str
    name: str
    edns: Edns
    answers: int = 1

    def questions(self, count: int) -> Iterator[bytes]:
        """The same ones in every run."""
        rng = random.Random(self.title)
        return (query(f"{self.name}.{ZONE}", edns=self.edns(rng)) for _ in range(count))


def groups() -> list[Group]:
    """What is measured, in the order of the table."""
    networks = atlas_networks()

    def anywhere(rng: random.Random) -> bytes:
        return client_subnet(rng.choice(networks))

    return [
        Group("one value, and a client subnet in the question", "h5", anywhere),
        Group("weighted, 2 members", "w2", cookie),
        Group("weighted, 100 members", "w100", cookie),
        Group("failover", "failover", cookie),
        Group("multivalue, 8 members", "m8", cookie, 8),
        Group("multivalue, 8 of 20 members", "m20", cookie, 8),
        Group("CNAMEs, weighted, to names of the zone", "cname", cookie, 2),
        Group("latency, 39 regions", "latency", anywhere),
        Group("geolocation, 100 members", "geo", anywhere),
        Group("geoproximity, 30 members", "near", anywhere),
        Group("IP-based, 1,000 blocks side by side", "ip", clients_of(side_by_side())),
        Group("IP-based, 1,000 blocks, gaps and nested ones", "nested", clients_of(nested(), strangers=0.2)),
        Group("aliases: latency, weighted, weighted", "tree", anywhere),
    ]


def located(edns: Edns) -> list[Group]:
    """The groups for which a database of addresses is asked."""
    titles = {"latency": "latency, 39 regions", "geo": "geolocation, 100 members", "near": "geoproximity, 30 members"}
    return [Group(title, name, edns) for name, title in titles.items()]


def clients_of(collection: Collection, strangers: float = 0) -> Edns:
    """Clients of all blocks of a collection, and some from anywhere."""
    blocks = [block for its in collection.values() for block in its]

    def client(rng: random.Random) -> bytes:
        stranger = rng.random() < strangers
        return client_subnet(public_network(rng) if stranger else in_block(rng, rng.choice(blocks)))

    return client


def side_by_side() -> Collection:
    """1,000 /21 without a gap, in turn of 99 locations."""
    return _of_locations([IPv4Network((10 << 24 | number << 11, 21)) for number in range(1000)])


def nested() -> Collection:
    """100 large blocks anywhere, 450 smaller ones in them, 450 anywhere."""
    rng = random.Random("nested")
    large = [_block(rng, public_network(rng), 12, 16) for _ in range(100)]
    inside = [_block(rng, in_block(rng, rng.choice(large)), 17, 24) for _ in range(1000)]
    alone = [_block(rng, public_network(rng), 17, 24) for _ in range(1000)]
    return _of_locations([*_first(100, large), *_first(450, inside), *_first(450, alone)])


def _block(rng: random.Random, network: bytes, least: int, most: int) -> IPv4Network:
    return IPv4Network((network + b"\0", rng.randint(least, most)), strict=False)


def _first(count: int, blocks: Sequence[IPv4Network]) -> list[IPv4Network]:
    return list(islice(dict.fromkeys(blocks), count))


def _of_locations(blocks: Sequence[IPv4Network]) -> Collection:
    return {f"l{number}": blocks[number::99] for number in range(99)}


def policies_yaml(geoip: str | None = None) -> str:
    """10,000 names, all groups, and what they need; `geoip` is the path of a database of addresses."""
    sets = "".join(f"      - {json.dumps(record_set)}\n" for record_set in _record_sets())
    collections = [_collection("side", side_by_side()), _collection("nested", nested())]
    up = {"id": "up", "type": "TCP", "ip_address": "192.0.2.250", "port": 80, "disabled": True}
    rest = {"cidr_collections": collections, "health_checks": [up]} | ({"dnsemu": {"geoip": geoip}} if geoip else {})
    return zone_yaml(extra=sets + "".join(f"{key}: {json.dumps(value)}\n" for key, value in rest.items()))


def _collection(name: str, collection: Collection) -> dict[str, Any]:
    locations = [{"name": name, "cidr_blocks": list(map(str, blocks))} for name, blocks in collection.items()]
    return {"id": name, "name": name, "locations": locations}


def _record_sets() -> Iterator[RecordSet]:
    yield from _group("w2", "weighted_routing_policy", [{"weight": weight} for weight in (3, 1)])
    yield from _group("w100", "weighted_routing_policy", [{"weight": weight} for weight in range(1, 101)])
    yield from _group("m8", "multivalue_answer_routing_policy", [True] * 8)
    yield from _group("m20", "multivalue_answer_routing_policy", [True] * 20)
    for record_set in _group("failover", "failover_routing_policy", [{"type": "PRIMARY"}, {"type": "SECONDARY"}]):
        yield record_set | {"health_check_id": "up"}
    regions = sorted(tables().latency_regions)
    yield from _group("latency", "latency_routing_policy", [{"region": region} for region in regions])
    yield from _group("geo", "geolocation_routing_policy", _areas())
    yield from _group("near", "geoproximity_routing_policy", _points())
    yield from _group("ip", "cidr_routing_policy", _locations("side"))
    yield from _group("nested", "cidr_routing_policy", _locations("nested"))
    for number, record_set in enumerate(_group("cname", "weighted_routing_policy", [{"weight": 1}] * 4)):
        yield record_set | {"type": "CNAME", "records": [f"h{number}.{ZONE}"]}
    yield from _tree()


def _group(name: str, key: str, policies: Sequence[object]) -> Iterator[RecordSet]:
    """A group of A records, a member for each policy."""
    for number, policy in enumerate(policies):
        address, identifier = f"10.200.{len(policies)}.{number}", f"m{number:02}"
        common = {"name": name, "type": "A", "ttl": 60, "records": [address], "set_identifier": identifier}
        yield common | {key: policy}


def _areas() -> list[dict[str, str]]:
    """100 areas: everybody, six continents, the US by state, and 42 countries."""
    states = [{"country": "US", "subdivision": code} for code in sorted(tables().subdivisions["US"])]
    continents = [{"continent": code} for code in ("AF", "AS", "EU", "NA", "OC", "SA")]
    countries = [{"country": code} for code in sorted(tables().countries)[::6]]
    return [{"country": "*"}, *continents, *states, *countries][:100]


def _points() -> list[dict[str, Any]]:
    """30 places: ten regions, ten local zone groups, ten capitals or so with a bias."""
    regions = [{"aws_region": code} for code in sorted(tables().regions)[::4]][:10]
    groups_ = [{"local_zone_group": code} for code in sorted(tables().local_zone_groups)[::4]][:10]
    places = [geography().of_country(code).coordinates or (0, 0) for code in sorted(tables().countries)[7::25]]
    degrees = [{"latitude": north, "longitude": east} for north, east in places[:10]]
    return [*regions, *groups_, *({"coordinates": place, "bias": 9 * n - 40} for n, place in enumerate(degrees))]


def _locations(collection: str) -> list[dict[str, str]]:
    names = [*(f"l{number}" for number in range(99)), "*"]
    return [{"collection_id": collection, "location_name": name} for name in names]


def _tree() -> Iterator[RecordSet]:
    """Three levels, each of which evaluates the health of the next."""
    regions = ("us-east-1", "eu-central-1", "ap-northeast-1", "sa-east-1")
    yield from _aliases("tree", "latency_routing_policy", {f"{code}.tree": {"region": code} for code in regions})
    for code in regions:
        halves = {f"{half}.{code}.tree": {"weight": 1} for half in "ab"}
        yield from _aliases(f"{code}.tree", "weighted_routing_policy", halves)
        for half in halves:
            for leaf in _group(half, "weighted_routing_policy", [{"weight": 1}, {"weight": 2}]):
                yield leaf | {"health_check_id": "up"}


def _aliases(name: str, key: str, targets: Mapping[str, object]) -> Iterator[RecordSet]:
    for record_set, target in zip(_group(name, key, list(targets.values())), targets, strict=True):
        del record_set["records"], record_set["ttl"]
        yield record_set | {"alias": {"name": target, "evaluate_target_health": True}}
