"""The groups with a routing policy and what chooses for each: a table that is swapped when health changes."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace

from dnsemu.authority.health import Health, Targets
from dnsemu.model import Group, HealthSnapshot
from dnsemu.routing import Chooser


@dataclass(frozen=True, slots=True)
class Routing:
    """The groups with a routing policy, by their numbers, each with its chooser for the health that is known now.

    `numbers`: those of the groups, by their `id`. `dependents`: health check → numbers of the groups that it decides
    about, through aliases too.
    """

    groups: tuple[Group, ...]
    choosers: tuple[Chooser, ...]
    snapshot: HealthSnapshot
    targets: Targets
    numbers: Mapping[int, int]
    dependents: Mapping[str, frozenset[int]]

    def with_health(self, snapshot: HealthSnapshot, changed: Iterable[str] | None = None) -> Routing:
        """The same for another snapshot; only what depends on a change is made anew.

        `changed`: the checks that may have another status, if that is known.
        """
        before = self.snapshot
        if changed is None:
            changed = [check for check in self.dependents if before.get(check, True) != snapshot.get(check, True)]
        health = Health(snapshot, self.targets)
        choosers = list(self.choosers)
        for number in {number for check in changed for number in self.dependents.get(check, ())}:
            choosers[number] = choosers[number].with_health(health.of_all(self.groups[number]))
        return replace(self, choosers=tuple(choosers), snapshot=snapshot)
