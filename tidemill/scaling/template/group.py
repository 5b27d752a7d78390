"""Reader of a group, with its lifecycle hooks and its warm pool."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemill.scaling.errors import TemplateError
from tidemill.scaling.group.hooks import ABANDON, CONTINUE, LAUNCHING, TERMINATING
from tidemill.scaling.group.metrics import GROUP_METRICS, WARM_POOL_METRICS
from tidemill.scaling.group.termination import DEFAULT, MODELLED
from tidemill.scaling.group.warm_pool import PREPARED_BY
from tidemill.scaling.spec import Group, LifecycleHook, MaintenancePolicy, WarmPool
from tidemill.scaling.template.properties import (
    COUNT,
    entries,
    flag,
    needed,
    one_of,
    optional,
    part,
    texts,
    whole,
)
from tidemill.scaling.template.reading import Read
from tidemill.scaling.template.unmodelled import left_out_of_group

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidemill.scaling.template.document import Document
    from tidemill.scaling.template.resolver import Resolver

HOOK = "AWS::AutoScaling::LifecycleHook"
WARM_POOL = "AWS::AutoScaling::WarmPool"
HEARTBEAT_TIMEOUT = (30, 7200)
"""Bounds in seconds (EC2 Auto Scaling API, PutLifecycleHook)."""
HEARTBEAT_DEFAULT = 3600
DEFAULT_RESULT = ABANDON
MAX_HOOKS = 50
"""The largest number of hooks in one group (EC2 Auto Scaling quotas)."""
TERMINATE, RETAIN = "terminate", "retain"
NOT_SET = -1
MIN_OF_MAX_HEALTHY = 100
MAX_DIFFERENCE = 100
"""Percent (EC2 Auto Scaling API, InstanceMaintenancePolicy)."""
WARMUP = (-1, 3600)
"""Bounds in seconds; -1 removes the group's default warm-up (EC2 Auto Scaling User Guide)."""


def read_group(resolver: Resolver, logical_id: str) -> Read[Group]:
    """Return the group with this logical id.

    Raises:
        TemplateError: a property is missing, or out of Auto Scaling's bounds.
    """
    where = f"Resources.{logical_id}.Properties"
    properties = resolver.properties(logical_id)
    minimum = whole(properties, "MinSize", where, bounds=COUNT)
    maximum = whole(properties, "MaxSize", where, bounds=COUNT)
    if minimum > maximum:
        raise TemplateError(f"{where}: MinSize {minimum} is more than MaxSize {maximum}")
    warm_pool = _warm_pool(resolver, logical_id, properties)
    termination = _termination(properties, where)
    metrics: frozenset[str] = frozenset()
    for collection in entries(properties, "MetricsCollection", where):
        named = texts(collection, "Metrics", f"{where}.MetricsCollection")
        metrics |= frozenset(named or published_by(warm_pool.value))
    default_warmup = optional(properties, "DefaultInstanceWarmup", where, WARMUP)
    group = Group(
        logical_id=logical_id,
        name=resolver.name(logical_id),
        min_size=minimum,
        max_size=maximum,
        desired=whole(properties, "DesiredCapacity", where, minimum, (minimum, maximum)),
        default_warmup=None if default_warmup == WARMUP[0] else default_warmup,
        default_cooldown=whole(properties, "Cooldown", where, 300, COUNT),
        hooks=tuple(_hooks(resolver, logical_id, properties)),
        metrics=metrics,
        termination=termination.value,
        grace=whole(properties, "HealthCheckGracePeriod", where, 0, COUNT),
        protects=flag(properties, "NewInstancesProtectedFromScaleIn", where, default=False),
        retains=_retains(properties, where),
        maintenance=_maintenance(properties, where),
        warm_pool=warm_pool.value,
    )
    own = left_out_of_group(logical_id, properties)
    return Read(group, (*own, *warm_pool.left_out, *termination.left_out))


def published_by(warm_pool: WarmPool | None) -> tuple[str, ...]:
    """Return the names of all metrics that a group with this warm pool can publish."""
    return GROUP_METRICS if warm_pool is None else (*GROUP_METRICS, *WARM_POOL_METRICS)


def _termination(properties: Document, where: str) -> Read[tuple[str, ...]]:
    policies = tuple(texts(properties, "TerminationPolicies", where))
    left_out = tuple(
        f"{where}.TerminationPolicies: {policy} is not modelled"
        for policy in policies
        if policy not in MODELLED
    )
    return Read(policies or (DEFAULT,), left_out)


def _retains(properties: Document, where: str) -> bool:
    """Return whether the instance lifecycle policy retains instances; without one, it does not."""
    policy = part(properties, "InstanceLifecyclePolicy", where)
    where = f"{where}.InstanceLifecyclePolicy"
    triggers = part(policy, "RetentionTriggers", where)
    where = f"{where}.RetentionTriggers"
    return one_of((TERMINATE, RETAIN), triggers, "TerminateHookAbandon", where, TERMINATE) == RETAIN


def _maintenance(properties: Document, where: str) -> MaintenancePolicy | None:
    if "InstanceMaintenancePolicy" not in properties:
        return None
    given = part(properties, "InstanceMaintenancePolicy", where)
    where = f"{where}.InstanceMaintenancePolicy"
    least = whole(given, "MinHealthyPercentage", where, bounds=(NOT_SET, 100))
    most = whole(given, "MaxHealthyPercentage", where, bounds=(NOT_SET, 200))
    if least == most == NOT_SET:
        return None
    if NOT_SET in (least, most) or most < MIN_OF_MAX_HEALTHY or most - least > MAX_DIFFERENCE:
        raise TemplateError(
            f"{where}: give MinHealthyPercentage from 0 to 100, MaxHealthyPercentage from 100 to "
            f"200, and a difference of at most {MAX_DIFFERENCE}"
        )
    return MaintenancePolicy(least, most)


def _warm_pool(resolver: Resolver, group: str, properties: Document) -> Read[WarmPool | None]:
    name = resolver.name(group)
    pools = [
        (f"Resources.{logical_id}.Properties", own)
        for logical_id in resolver.present(WARM_POOL)
        if (own := resolver.properties(logical_id)).get("AutoScalingGroupName") == name
    ]
    if not pools:
        return Read(None)
    if len(pools) > 1:
        raise TemplateError(f"Resources: {len(pools)} warm pools of {group}: keep one")
    if "MixedInstancesPolicy" in properties:
        raise TemplateError(
            f"Resources.{group}.Properties: a group with a MixedInstancesPolicy can have no warm "
            "pool: take one of them out"
        )
    where, own = pools[0]
    left_out: tuple[str, ...] = ()
    if "InstanceReusePolicy" in own:
        left_out = (f"{where}.InstanceReusePolicy: not modelled: scale-in terminates",)
    most = optional(own, "MaxGroupPreparedCapacity", where, (NOT_SET, COUNT[1]))
    pool = WarmPool(
        min_size=whole(own, "MinSize", where, 0, COUNT),
        max_prepared=None if most == NOT_SET else most,
        state=one_of(tuple(PREPARED_BY), own, "PoolState", where, "Stopped"),
    )
    return Read(pool, left_out)


def _hooks(resolver: Resolver, group: str, properties: Document) -> Iterator[LifecycleHook]:
    where = f"Resources.{group}.Properties"
    found = [
        (f"{where}.LifecycleHookSpecificationList", hook)
        for hook in entries(properties, "LifecycleHookSpecificationList", where)
    ]
    for logical_id in resolver.present(HOOK):
        own = resolver.properties(logical_id)
        if own.get("AutoScalingGroupName") == resolver.name(group):
            named = {"LifecycleHookName": resolver.name(logical_id)} | own
            found.append((f"Resources.{logical_id}.Properties", named))
    if len(found) > MAX_HOOKS:
        raise TemplateError(f"{where}: {len(found)} lifecycle hooks are more than {MAX_HOOKS}")
    for place, hook in found:
        transition = one_of((LAUNCHING, TERMINATING), hook, "LifecycleTransition", place)
        yield LifecycleHook(
            name=needed(hook, "LifecycleHookName", place),
            transition=transition,
            heartbeat_timeout=whole(
                hook, "HeartbeatTimeout", place, HEARTBEAT_DEFAULT, HEARTBEAT_TIMEOUT
            ),
            default_result=one_of(
                (CONTINUE, ABANDON), hook, "DefaultResult", place, DEFAULT_RESULT
            ),
        )
