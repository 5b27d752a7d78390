"""Termination policies: the instance that scale-in terminates first.

Rules: EC2 Auto Scaling User Guide, "Configure termination policies for Amazon EC2 Auto Scaling".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tidemill.scaling.group.memory import GroupMemory, Instance

DEFAULT = "Default"
OLDEST, NEWEST = "OldestInstance", "NewestInstance"
OLDEST_TEMPLATE, OLDEST_CONFIGURATION = "OldestLaunchTemplate", "OldestLaunchConfiguration"
NEXT_HOUR = "ClosestToNextInstanceHour"
MODELLED = (DEFAULT, OLDEST, NEWEST, OLDEST_TEMPLATE, OLDEST_CONFIGURATION, NEXT_HOUR)
"""Termination policies that are modelled. AllocationStrategy and custom policies (Lambda functions)
are not: they are ignored here."""

HOUR = 3600


def choose_victim(
    memory: GroupMemory, policies: Sequence[str] = (DEFAULT,), now: float = 0.0
) -> Instance:
    """Return the instance that scale-in terminates first.

    Unhealthy instances come before all others. Otherwise the Availability Zone is chosen that has
    the most instances and an unprotected one among them. There the termination policies choose, in
    their order, each among the instances that the previous one has left. Default takes the oldest
    launch template and leaves the rest to billing hours and chance; where AWS chooses by chance,
    this takes the oldest instance, so that runs repeat.

    Args:
        memory: the group.
        policies: the group's termination policies.
        now: epoch seconds, for instance hours.

    Raises:
        ValueError: all instances are protected, or there is none.
    """
    candidates = memory.expendable()
    lost = [item for item in candidates if item.vanished is not None or item.unhealthy]
    chosen: Sequence[Instance] = lost or _of_fullest_zone(memory, candidates)
    for policy in policies:
        if len(chosen) > 1:
            chosen = _narrowed(policy, chosen, now)
    return min(chosen, key=lambda item: (item.vanished is None, item.launched_at, item.id))


def _of_fullest_zone(memory: GroupMemory, candidates: Sequence[Instance]) -> list[Instance]:
    zones = [item.zone for item in memory.wanted()]
    most = max((zones.count(item.zone) for item in candidates), default=0)
    return [item for item in candidates if zones.count(item.zone) == most]


def _narrowed(policy: str, candidates: Sequence[Instance], now: float) -> Sequence[Instance]:
    if policy == OLDEST:
        first = min(item.launched_at for item in candidates)
        return [item for item in candidates if item.launched_at == first]
    if policy == NEWEST:
        last = max(item.launched_at for item in candidates)
        return [item for item in candidates if item.launched_at == last]
    if policy in {DEFAULT, OLDEST_TEMPLATE, OLDEST_CONFIGURATION}:
        behind = max(item.outdated for item in candidates)
        return [item for item in candidates if item.outdated == behind]
    if policy == NEXT_HOUR:
        left = [HOUR - (now - item.launched_at) % HOUR for item in candidates]
        soonest = min(left)
        return [item for item, rest in zip(candidates, left, strict=True) if rest == soonest]
    return candidates
