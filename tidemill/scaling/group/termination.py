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

PARTS = {DEFAULT: (OLDEST_TEMPLATE, NEXT_HOUR)}
"""The default policy as a sequence of others ("How the default termination policy works"). Its part
for mixed instances groups, purchase option and allocation strategy, is not modelled."""

HOUR = 3600


def choose_for_termination(
    memory: GroupMemory, policies: Sequence[str] = (DEFAULT,), now: float = 0.0
) -> Instance:
    """Return the instance that scale-in terminates first.

    Unhealthy instances are chosen first. If there is none, the choice is within the Availability
    Zone that has the most instances, at least one of them unprotected. The termination policies
    are applied in their order, each to the instances that the previous one has chosen. Default
    chooses those with the oldest launch template, then those that are closest to their next billing
    hour. If several are left, AWS chooses at random; here the oldest instance is chosen, so that a
    run can be repeated (assumed).

    Args:
        memory: the group.
        policies: the group's termination policies.
        now: epoch seconds, for instance hours.

    Raises:
        ValueError: there is no unprotected instance.
    """
    candidates = memory.expendable()
    lost = [item for item in candidates if item.vanished is not None or item.unhealthy]
    chosen: Sequence[Instance] = lost or _fullest_zone(memory.wanted(), candidates)
    return _chosen(policies, chosen, now)


def choose_from_pool(memory: GroupMemory, now: float) -> Instance:
    """Return the instance that is terminated first when a warm pool is too large.

    "When terminating instances in the warm pool, it uses the default termination policy" ("Decrease
    latency for applications with long boot times using warm pools"). Scale-in protection starts
    with InService, so no instance of the pool is protected.

    Raises:
        ValueError: the warm pool is empty.
    """
    pool = memory.warm()
    return _chosen((DEFAULT,), _fullest_zone(pool, pool), now)


def _chosen(policies: Sequence[str], candidates: Sequence[Instance], now: float) -> Instance:
    """Return the one that is left when every policy has narrowed the choice, or the oldest."""
    for policy in (one for named in policies for one in PARTS.get(named, (named,))):
        if len(candidates) > 1:
            candidates = _narrowed(policy, candidates, now)
    return min(candidates, key=lambda item: (item.vanished is None, item.launched_at, item.id))


def _fullest_zone(
    instances: Sequence[Instance], candidates: Sequence[Instance]
) -> Sequence[Instance]:
    """Return the candidates in the zone, or the zones, with the most instances."""
    zones = [item.zone for item in instances]
    most = max((zones.count(item.zone) for item in candidates), default=0)
    return [item for item in candidates if zones.count(item.zone) == most]


def _narrowed(policy: str, candidates: Sequence[Instance], now: float) -> Sequence[Instance]:
    if policy == OLDEST:
        first = min(item.launched_at for item in candidates)
        return [item for item in candidates if item.launched_at == first]
    if policy == NEWEST:
        last = max(item.launched_at for item in candidates)
        return [item for item in candidates if item.launched_at == last]
    if policy in {OLDEST_TEMPLATE, OLDEST_CONFIGURATION}:
        behind = max(item.outdated for item in candidates)
        return [item for item in candidates if item.outdated == behind]
    if policy == NEXT_HOUR:
        left = [HOUR - (now - item.launched_at) % HOUR for item in candidates]
        soonest = min(left)
        return [item for item, rest in zip(candidates, left, strict=True) if rest == soonest]
    return candidates
