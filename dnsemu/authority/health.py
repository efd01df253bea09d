"""Which record sets are healthy, by a snapshot of health checks (behaviour 2)."""

from __future__ import annotations

from collections.abc import Mapping

from dnsemu.model import Group, HealthSnapshot, RecordSet, Resource

Target = Group | Resource | None
Targets = Mapping[int, Target]
"""`id` of an alias record set → what it points to; None if that is not there."""


class Health:
    """The health of record sets for one snapshot; each group is judged once."""

    def __init__(self, snapshot: HealthSnapshot, targets: Targets) -> None:
        self._snapshot = snapshot
        self._targets = targets
        self._groups: dict[int, bool] = {}

    def of_all(self, group: Group) -> tuple[bool, ...]:
        """The health of each member."""
        return tuple([self.of(member) for member in group.members])

    def of(self, member: RecordSet) -> bool:
        """Both its own health check and, if it evaluates it, its target's health must be well (H4, H7, H9, H10)."""
        if not self._is_well(member.health_check_id):
            return False
        if member.alias and member.alias.evaluate_target_health:
            return self.of_target(self._targets[id(member)])
        return True

    def of_target(self, target: Target) -> bool:
        """A group is healthy if one of its members is, weight 0 or not (H8, H12); what is missing is not (A25)."""
        if target is None:
            return False
        if isinstance(target, Resource):
            return self._is_well(target.health_check_id) if target.health_check_id is not None else target.healthy
        known = self._groups.get(id(target))
        if known is None:
            known = self._groups[id(target)] = any(self.of(member) for member in target.members)
        return known

    def why(self, member: RecordSet) -> str:
        """What decides about a member's health, for people; empty if nothing does."""
        said = []
        if member.health_check_id is not None:
            said.append(f"health check {member.health_check_id}")
        if member.alias and member.alias.evaluate_target_health:
            target = self._targets[id(member)]
            well = self.of_target(target)
            if isinstance(target, Group):
                said.append(f"{'a' if well else 'no'} healthy member there")
            else:
                said.append("its target")
        return " and ".join(said)

    def _is_well(self, check_id: str | None) -> bool:
        return check_id is None or self._snapshot.get(check_id, True)  # H14


def can_fail(member: RecordSet, targets: Targets, known: dict[int, bool]) -> bool:
    """Whether a record set can be unhealthy, by whatever health checks come to (H4, H7, H12).

    `known`: of groups by `id`, whether all their members can.
    """
    if member.health_check_id is not None:
        return True
    if not member.alias or not member.alias.evaluate_target_health:
        return False
    target = targets[id(member)]
    if isinstance(target, Group):
        if id(target) not in known:
            known[id(target)] = all(can_fail(one, targets, known) for one in target.members)
        return known[id(target)]
    return target is None or target.health_check_id is not None or not target.healthy


def checks_of(group: Group, targets: Targets, known: dict[int, frozenset[str]]) -> frozenset[str]:
    """The health checks that decide about a group's members, through aliases too. `known`: of groups by `id`."""
    if id(group) not in known:
        found: set[str] = set()
        for member in group.members:
            if member.health_check_id is not None:
                found.add(member.health_check_id)
            if member.alias and member.alias.evaluate_target_health:
                target = targets[id(member)]
                if isinstance(target, Group):
                    found |= checks_of(target, targets, known)
                elif target is not None and target.health_check_id is not None:
                    found.add(target.health_check_id)
        known[id(group)] = frozenset(found)
    return known[id(group)]
