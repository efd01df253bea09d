"""What compiling gathers about routing: the groups with a policy, numbered, and what their health depends on."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import NamedTuple, cast

from dnsemu.authority.choosing import Routing
from dnsemu.authority.health import Health, Target, checks_of
from dnsemu.authority.tree import ZoneTree
from dnsemu.location import Locator
from dnsemu.model import CidrCollection, Group, HealthSnapshot, Options
from dnsemu.routing import Chooser, Policy, World


class _Routed(NamedTuple):
    group: Group
    key: bytes
    world: World


class Registry:
    """Numbers groups in the order they are met."""

    def __init__(
        self, locator: Callable[[], Locator], collections: Mapping[str, CidrCollection], options: Options
    ) -> None:
        legacy = options.geoproximity_bias == "legacy"
        self._worlds = {
            private: World(locator, collections, legacy_bias=legacy, private=private) for private in (False, True)
        }
        self._routed: list[_Routed] = []
        self._numbers: dict[int, int] = {}
        self._targets: dict[int, Target] = {}

    def add_aliases(self, tree: ZoneTree) -> None:
        """Take down what the aliases of a zone point to."""
        for group in tree.groups.values():
            for member in group.members:
                if member.alias:
                    self._targets[id(member)] = tree.target(member)

    def number_of(self, group: Group, key: bytes, *, private: bool) -> int:
        """The number of a group with a routing policy; `key` is that of its draws."""
        number = self._numbers.setdefault(id(group), len(self._routed))
        if number == len(self._routed):
            self._routed.append(_Routed(group, key, self._worlds[private]))
        return number

    def routing(self, snapshot: HealthSnapshot) -> Routing:
        """All groups with their choosers."""
        health = Health(snapshot, self._targets)
        choosers = [_chooser(routed, health) for routed in self._routed]
        dependents: dict[str, set[int]] = {}
        known: dict[int, frozenset[str]] = {}
        for number, routed in enumerate(self._routed):
            for check in checks_of(routed.group, self._targets, known):
                dependents.setdefault(check, set()).add(number)
        return Routing(
            tuple(routed.group for routed in self._routed),
            tuple(choosers),
            snapshot,
            self._targets,
            self._numbers,
            {check: frozenset(numbers) for check, numbers in dependents.items()},
        )


def _chooser(routed: _Routed, health: Health) -> Chooser:
    policy = cast("Policy", routed.group.first.policy)
    return policy.chooser(routed.group.members, health.of_all(routed.group), routed.key, routed.world)
