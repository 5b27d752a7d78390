"""From a template's group, hooks and launch template to the group that is scaled."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemill.scaling.errors import TemplateError
from tidemill.scaling.group import ABANDON, CONTINUE, LAUNCHING, TERMINATING
from tidemill.scaling.properties import (
    COUNT,
    as_text,
    entries,
    needed,
    one_of,
    optional,
    part,
    texts,
    whole,
)
from tidemill.scaling.spec import Group, LifecycleHook

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidemill.scaling.intrinsics import Resolver
    from tidemill.scaling.template import Document

HOOK = "AWS::AutoScaling::LifecycleHook"
LAUNCH_TEMPLATE = "AWS::EC2::LaunchTemplate"
ALL_GROUP_METRICS = (
    "GroupDesiredCapacity",
    "GroupInServiceInstances",
    "GroupMaxSize",
    "GroupMinSize",
    "GroupPendingInstances",
    "GroupTerminatingInstances",
    "GroupTotalInstances",
)
"""What a MetricsCollection without a list of metrics turns on, as far as it is modelled."""

HEARTBEAT_TIMEOUT = (30, 7200)
"""Seconds that a hook may hold an instance (EC2 Auto Scaling API, PutLifecycleHook)."""
HEARTBEAT_DEFAULT = 3600
DEFAULT_RESULT = ABANDON
MAX_HOOKS = 50
"""Hooks of one group at most (EC2 Auto Scaling quotas)."""
WARMUP = (-1, 3600)
"""Seconds of warm-up; -1 takes the group's default away (EC2 Auto Scaling User Guide)."""


def read_group(resolver: Resolver, logical_id: str, left_out: list[str]) -> Group:
    """Return the group with this logical id; `left_out` is added what is not modelled of it.

    Raises:
        TemplateError: a property is missing, or out of Auto Scaling's bounds.
    """
    where = f"Resources.{logical_id}.Properties"
    properties = resolver.properties(logical_id)
    left_out.extend(
        f"{where}.{feature}: not modelled"
        for feature in ("WarmPool", "InstanceMaintenancePolicy", "TerminationPolicies")
        if feature in properties
    )
    minimum = whole(properties, "MinSize", where, bounds=COUNT)
    maximum = whole(properties, "MaxSize", where, bounds=COUNT)
    if minimum > maximum:
        raise TemplateError(f"{where}: MinSize {minimum} is more than MaxSize {maximum}")
    metrics: frozenset[str] = frozenset()
    for collection in entries(properties, "MetricsCollection", where):
        named = texts(collection, "Metrics", f"{where}.MetricsCollection")
        metrics |= frozenset(named or ALL_GROUP_METRICS)
    default_warmup = optional(properties, "DefaultInstanceWarmup", where, WARMUP)
    return Group(
        logical_id=logical_id,
        name=resolver.name(logical_id),
        min_size=minimum,
        max_size=maximum,
        desired=whole(properties, "DesiredCapacity", where, minimum, (minimum, maximum)),
        default_warmup=None if default_warmup == WARMUP[0] else default_warmup,
        default_cooldown=whole(properties, "Cooldown", where, 300, COUNT),
        hooks=tuple(_hooks(resolver, logical_id, properties, left_out)),
        metrics=metrics,
    )


def _hooks(
    resolver: Resolver, group: str, properties: Document, left_out: list[str]
) -> Iterator[LifecycleHook]:
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
    seen: set[str] = set()
    for place, hook in found:
        transition = one_of((LAUNCHING, TERMINATING), hook, "LifecycleTransition", place)
        if transition in seen:
            left_out.append(f"{place}: only the first hook for {transition} is modelled")
        seen.add(transition)
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


def read_user_data(resolver: Resolver, group: str) -> str:
    """Return the script of the group's launch template.

    Raises:
        TemplateError: the launch template is not in this template, or its script is no text.
    """
    where = f"Resources.{group}.Properties"
    properties = resolver.properties(group)
    specification = part(properties, "LaunchTemplate", where)
    if not specification:
        mixed = part(properties, "MixedInstancesPolicy", where)
        launch = part(mixed, "LaunchTemplate", f"{where}.MixedInstancesPolicy")
        specification = part(launch, "LaunchTemplateSpecification", f"{where}.MixedInstancesPolicy")
    wanted = specification.get("LaunchTemplateId", specification.get("LaunchTemplateName"))
    for logical_id in resolver.present(LAUNCH_TEMPLATE):
        reference = resolver.resolve({"Ref": logical_id}, where)
        if wanted in (reference, resolver.name(logical_id)):
            place = f"Resources.{logical_id}.Properties"
            data = part(resolver.properties(logical_id), "LaunchTemplateData", place)
            return as_text(data.get("UserData", ""), f"{place}.LaunchTemplateData.UserData")
    raise TemplateError(
        f"{where}: no launch template of this template: give LaunchTemplate its id by Ref"
    )
