"""The two names with a routing policy, for the servers that have such: each adds them to its plain configuration.

`w` has two answers of weight 3 and 1; of `g`, the client subnet decides which of 64 answers there is.
"""

from pathlib import Path

from servers import Prepare, dnsemu, gdnsd, knot, pdns
from world import BLOCKS, ZONE

WEIGHTS = {"192.0.2.10": 3, "192.0.2.11": 1}
ANSWERS = {block: f"192.0.2.{100 + number}" for number, block in enumerate(BLOCKS)}

_PDNS_BLOCKS = (
    ";for i=0,63 do if netmask({'198.'..(18+math.floor(i/32))..'.'..((i%32)*8)..'.0/21'}) "
    "then return '192.0.2.'..(100+i) end end return {}"
)


def routed_dnsemu(template: str) -> Prepare:
    """Weighted and IP-based routing."""
    plain = dnsemu(template)

    def prepare(folder: Path, port: int) -> list[str]:
        command = plain(folder, port)
        _append(folder / "zones" / "bench.yaml", _yaml())
        return command

    return prepare


def _yaml() -> str:
    member = "      - {{name: {}, type: A, ttl: 60, set_identifier: {}, {}, records: [{}]}}\n"
    weighted = "weighted_routing_policy: {{weight: {}}}"
    cidr = "cidr_routing_policy: {{collection_id: bench, location_name: {}}}"
    sets = [member.format("w", to, weighted.format(weight), to) for to, weight in WEIGHTS.items()]
    sets += [member.format("g", f"l{n}", cidr.format(f"l{n}"), to) for n, to in enumerate(ANSWERS.values())]
    locations = [f"      - {{name: l{n}, cidr_blocks: [{block}]}}\n" for n, block in enumerate(ANSWERS)]
    return "".join([*sets, "cidr_collections:\n  - id: bench\n    name: bench\n    locations:\n", *locations])


def routed_knot(folder: Path, port: int) -> list[str]:
    """The module geoip, in the modes `weighted` and `subnet`; the names are in the zone file too."""
    command = knot(folder, port)
    _append(folder / "zone", "w IN A 192.0.2.10\ng IN A 192.0.2.20\n")
    weights = "".join(f"  - weight: {weight}\n    A: {to}\n" for to, weight in WEIGHTS.items())
    blocks = "".join(f"  - net: {block}\n    A: {to}\n" for block, to in ANSWERS.items())
    (folder / "w.conf").write_text(f"w.{ZONE}:\n{weights}")
    (folder / "g.conf").write_text(f"g.{ZONE}:\n{blocks}")
    modules = f"""\
mod-geoip:
  - id: w
    config-file: {folder}/w.conf
    ttl: 60
    mode: weighted
  - id: g
    config-file: {folder}/g.conf
    ttl: 60
    mode: subnet
"""
    config = folder / "knot.conf"
    _insert(config, "  udp-workers: 1\n", "  edns-client-subnet: on\n")
    _insert(config, "zone:\n", modules, before=True)
    _append(config, "    module: [mod-geoip/w, mod-geoip/g]\n")
    return command


def routed_gdnsd(folder: Path, port: int) -> list[str]:
    """The plugins weighted and geoip, whose map has nothing but networks."""
    command = gdnsd(folder, port)
    _append(folder / "zones" / ZONE, "w 60 DYNA weighted!w\ng 60 DYNA geoip!r\n")
    weights = ", ".join(f"a{n} => [{to}, {weight}]" for n, (to, weight) in enumerate(WEIGHTS.items()))
    centers = ", ".join(f"dc{n}" for n in range(len(ANSWERS)))
    nets = "".join(f"        {block} => [dc{n}]\n" for n, block in enumerate(ANSWERS))
    answers = "".join(f"        dc{n} => {to}\n" for n, to in enumerate(ANSWERS.values()))
    plugins = f"""\
plugins => {{
  weighted => {{ w => {{ service_types => up, {weights} }} }}
  geoip => {{
    maps => {{ m => {{
      datacenters => [{centers}]
      nets => {{
{nets}      }}
    }} }}
    resources => {{ r => {{
      map => m
      service_types => up
      dcmap => {{
{answers}      }}
    }} }}
  }}
}}
"""
    _append(folder / "config", plugins)
    return command


def routed_pdns(folder: Path, port: int) -> list[str]:
    """Lua records."""
    command = pdns(folder, port)
    weights = ",".join(f"{{{weight},'{to}'}}" for to, weight in WEIGHTS.items())
    _append(folder / "zone", f'w 60 IN LUA A "pickwrandom({{{weights}}})"\ng 60 IN LUA A "{_PDNS_BLOCKS}"\n')
    _append(folder / "pdns.conf", "enable-lua-records=yes\nedns-subnet-processing=yes\n")
    return command


def prepare_routed(name: str, dnsemu_command: str) -> Prepare | None:
    """How the server of this name is prepared with these names; None if it has no such routing."""
    peers = {"knot": routed_knot, "gdnsd": routed_gdnsd, "pdns": routed_pdns}
    return routed_dnsemu(dnsemu_command) if name == "dnsemu" else peers.get(name)


def _append(file: Path, text: str) -> None:
    file.write_text(file.read_text() + text)


def _insert(file: Path, line: str, text: str, *, before: bool = False) -> None:
    """Put `text` behind or before the only `line` of a file that is that."""
    first, second = file.read_text().split(f"\n{line}")
    file.write_text(f"{first}\n{text}{line}{second}" if before else f"{first}\n{line}{text}{second}")
