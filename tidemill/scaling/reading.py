"""From a template's resources to the fleet they describe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tidemill.scaling.errors import TemplateError
from tidemill.scaling.intrinsics import Place, Resolver
from tidemill.scaling.policy import step_problems
from tidemill.scaling.properties import bound, choice, needed, optional, whole
from tidemill.scaling.reading_alarms import read_alarms
from tidemill.scaling.spec import (
    AdjustmentType,
    Alarm,
    Fleet,
    Group,
    LifecycleHook,
    Queue,
    StepAdjustment,
    StepScalingPolicy,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    from tidemill.scaling.template import Document

GROUP = "AWS::AutoScaling::AutoScalingGroup"
POLICY = "AWS::AutoScaling::ScalingPolicy"
HOOK = "AWS::AutoScaling::LifecycleHook"
LAUNCH_TEMPLATE = "AWS::EC2::LaunchTemplate"
QUEUE = "AWS::SQS::Queue"
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


def read_fleet(template: Document, given: Mapping[str, str], place: Place | None = None) -> Fleet:
    """Return the template's group, its policies and alarms, and the queue that they follow.

    Args:
        template: as parse_template returns it.
        given: values for parameters, by name.
        place: stack name, region, and the names of what has been deployed.

    Raises:
        ParameterError: a parameter is unknown, missing or out of its bounds.
        TemplateError: the template does not have what a fleet needs, or uses what scaling here
            cannot follow.
    """
    reading = _Reading(Resolver(template, given, place or Place()), [])
    groups = reading.resolver.present(GROUP)
    if len(groups) != 1:
        raise TemplateError(f"the template has {len(groups)} Auto Scaling groups, not one")
    group = reading.group(groups[0])
    policies = tuple(reading.policies(group))
    alarms = tuple(read_alarms(reading.resolver, policies))
    if not policies or not alarms:
        raise TemplateError(f"no step scaling policy that an alarm triggers moves {groups[0]}")
    return Fleet(
        queue=reading.queue(alarms),
        group=group,
        policies=policies,
        alarms=alarms,
        user_data=reading.user_data(groups[0]),
        not_modelled=tuple(reading.left_out),
    )


@dataclass(frozen=True, slots=True)
class _Reading:
    """One reading of one template; `left_out` collects what is not modelled."""

    resolver: Resolver
    left_out: list[str]

    def group(self, logical_id: str) -> Group:
        where = f"Resources.{logical_id}.Properties"
        properties = self.resolver.properties(logical_id)
        for feature in ("WarmPool", "InstanceMaintenancePolicy", "TerminationPolicies"):
            if feature in properties:
                self.left_out.append(f"{where}.{feature}: not modelled")
        minimum = whole(properties, "MinSize", where)
        metrics: frozenset[str] = frozenset()
        for collection in properties.get("MetricsCollection", []):
            metrics |= frozenset(collection.get("Metrics", ALL_GROUP_METRICS))
        return Group(
            logical_id=logical_id,
            name=self.resolver.name(logical_id),
            min_size=minimum,
            max_size=whole(properties, "MaxSize", where),
            desired=whole(properties, "DesiredCapacity", where, minimum),
            default_warmup=optional(properties, "DefaultInstanceWarmup", where),
            default_cooldown=whole(properties, "Cooldown", where, 300),
            hooks=tuple(self._hooks(logical_id, properties)),
            metrics=metrics,
        )

    def _hooks(self, group: str, properties: Document) -> Iterable[LifecycleHook]:
        specifications = list(properties.get("LifecycleHookSpecificationList", []))
        for logical_id in self.resolver.present(HOOK):
            own = self.resolver.properties(logical_id)
            if own.get("AutoScalingGroupName") == self.resolver.name(group):
                specifications.append(
                    {"LifecycleHookName": self.resolver.name(logical_id)} | own,
                )
        for hook in specifications:
            where = f"Resources.{group}: hook {hook.get('LifecycleHookName')}"
            yield LifecycleHook(
                name=needed(hook, "LifecycleHookName", where),
                transition=needed(hook, "LifecycleTransition", where),
                heartbeat_timeout=whole(hook, "HeartbeatTimeout", where, 3600),
                default_result=hook.get("DefaultResult", "ABANDON"),
            )

    def policies(self, group: Group) -> Iterable[StepScalingPolicy]:
        for logical_id in self.resolver.present(POLICY):
            where = f"Resources.{logical_id}.Properties"
            properties = self.resolver.properties(logical_id)
            if properties.get("AutoScalingGroupName") != group.name:
                continue
            kind = properties.get("PolicyType", "SimpleScaling")
            if kind != "StepScaling":
                self.left_out.append(f"{where}: {kind} is not modelled")
                continue
            policy = StepScalingPolicy(
                logical_id=logical_id,
                name=self.resolver.name(logical_id),
                adjustment_type=choice(AdjustmentType, properties, "AdjustmentType", where),
                steps=tuple(
                    StepAdjustment(
                        bound(step, "MetricIntervalLowerBound", where),
                        bound(step, "MetricIntervalUpperBound", where),
                        whole(step, "ScalingAdjustment", where),
                    )
                    for step in properties.get("StepAdjustments", [])
                ),
                warmup=optional(properties, "EstimatedInstanceWarmup", where),
                min_adjustment_magnitude=optional(properties, "MinAdjustmentMagnitude", where),
            )
            problems = step_problems(policy.steps)
            if problems:
                raise TemplateError(f"{where}.StepAdjustments: {'; '.join(problems)}")
            yield policy

    def queue(self, alarms: Iterable[Alarm]) -> Queue:
        watched = {
            value
            for alarm in alarms
            for query in alarm.queries
            if query.stat and query.stat.metric.namespace == "AWS/SQS"
            for name, value in query.stat.metric.dimensions
            if name == "QueueName"
        }
        queues = [q for q in self.resolver.present(QUEUE) if self.resolver.name(q) in watched]
        if len(queues) != 1:
            raise TemplateError(
                f"the scaling alarms watch {len(queues)} queues of the template, not one"
            )
        where = f"Resources.{queues[0]}.Properties"
        properties = self.resolver.properties(queues[0])
        redrive = properties.get("RedrivePolicy") or {}
        return Queue(
            logical_id=queues[0],
            name=self.resolver.name(queues[0]),
            visibility_timeout=whole(properties, "VisibilityTimeout", where, 30),
            max_receive_count=optional(redrive, "maxReceiveCount", f"{where}.RedrivePolicy"),
        )

    def user_data(self, group: str) -> str:
        properties = self.resolver.properties(group)
        specification = properties.get("LaunchTemplate") or properties.get(
            "MixedInstancesPolicy", {}
        ).get("LaunchTemplate", {}).get("LaunchTemplateSpecification", {})
        wanted = specification.get("LaunchTemplateId") or specification.get("LaunchTemplateName")
        for logical_id in self.resolver.present(LAUNCH_TEMPLATE):
            reference = self.resolver.resolve({"Ref": logical_id}, group)
            if wanted in {reference, self.resolver.name(logical_id)}:
                data = self.resolver.properties(logical_id).get("LaunchTemplateData", {})
                return str(data.get("UserData", ""))
        raise TemplateError(f"Resources.{group}: its launch template is not in the template")
