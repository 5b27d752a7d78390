"""From a template's resources to the fleet they describe."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from tidemill.scaling.errors import TemplateError
from tidemill.scaling.group import group_metric
from tidemill.scaling.intrinsics import Place, Resolver
from tidemill.scaling.properties import part, whole
from tidemill.scaling.queue_metrics import DELAYED, NOT_VISIBLE, VISIBLE, queue_metric
from tidemill.scaling.reading_alarms import read_alarms
from tidemill.scaling.reading_group import published_by, read_group, read_user_data
from tidemill.scaling.reading_policies import read_policies, read_scheduled
from tidemill.scaling.signal import BACKLOG, DESIRED_CAPACITY, signal_metric
from tidemill.scaling.spec import Alarm, Fleet, Group, Metric, Queue

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tidemill.scaling.template import Document

GROUP = "AWS::AutoScaling::AutoScalingGroup"
QUEUE = "AWS::SQS::Queue"
FUNCTION = "AWS::Serverless::Function"
VISIBILITY_TIMEOUT = (0, 43_200)
RECEIVE_COUNT = (1, 1000)
RECEIVE_COUNT_DEFAULT = 10
"""Receives where a RedrivePolicy names no maxReceiveCount (SQS API, SetQueueAttributes)."""


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
    try:
        return _Reading(Resolver(template, given, place or Place()), []).fleet()
    except RecursionError as error:
        raise TemplateError("the template is nested too deep: make it flatter") from error


@dataclass(frozen=True, slots=True)
class _Reading:
    """One reading of one template; `left_out` collects what is not modelled."""

    resolver: Resolver
    left_out: list[str]

    def fleet(self) -> Fleet:
        groups = self.resolver.present(GROUP)
        if len(groups) != 1:
            raise TemplateError(f"Resources: {len(groups)} Auto Scaling groups: keep exactly one")
        group = read_group(self.resolver, groups[0], self.left_out)
        policies, created = read_policies(self.resolver, group, self.left_out)
        alarms = (*read_alarms(self.resolver, cast("Any", policies), self.left_out), *created)
        if not alarms:
            raise TemplateError(
                f"Resources: no alarm triggers a scaling policy of {group.logical_id}: "
                "add an alarm with such a policy in AlarmActions"
            )
        queue = self.queue(alarms)
        signal_period = self.signal_period(queue, alarms)
        self.left_out.extend(_unpublished(group, queue, alarms, signal=bool(signal_period)))
        return Fleet(
            queue=queue,
            group=group,
            policies=policies,
            alarms=alarms,
            user_data=read_user_data(self.resolver, group.logical_id),
            signal_period=signal_period,
            not_modelled=tuple(self.left_out),
            scheduled=tuple(read_scheduled(self.resolver, group)),
        )

    def signal_period(self, queue: Queue, alarms: Iterable[Alarm]) -> int | None:
        """Return the shortest period in which an alarm looks at the signal of a function."""
        periods = [
            query.stat.period
            for alarm in alarms
            for query in alarm.queries
            if query.stat and query.stat.metric in _signal_metrics(queue)
        ]
        return min(periods, default=None) if self.resolver.present(FUNCTION) else None

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
                f"Resources: the scaling alarms watch {len(queues)} queues of the template: give "
                "them the QueueName of exactly one"
            )
        where = f"Resources.{queues[0]}.Properties"
        properties = self.resolver.properties(queues[0])
        redrive = part(properties, "RedrivePolicy", where)
        receives = whole(
            redrive,
            "maxReceiveCount",
            f"{where}.RedrivePolicy",
            RECEIVE_COUNT_DEFAULT,
            RECEIVE_COUNT,
        )
        return Queue(
            logical_id=queues[0],
            name=self.resolver.name(queues[0]),
            visibility_timeout=whole(
                properties, "VisibilityTimeout", where, 30, VISIBILITY_TIMEOUT
            ),
            max_receive_count=receives if redrive else None,
        )


def _signal_metrics(queue: Queue) -> set[Metric]:
    return {signal_metric(queue.name, name) for name in (BACKLOG, DESIRED_CAPACITY)}


def _unpublished(
    group: Group, queue: Queue, alarms: Iterable[Alarm], *, signal: bool
) -> Iterator[str]:
    """Yield a sentence for each metric of an alarm that has no datapoints here."""
    published = {queue_metric(queue.name, name) for name in (VISIBLE, NOT_VISIBLE, DELAYED)}
    published |= {
        group_metric(group, name)
        for name in group.metrics.intersection(published_by(group.warm_pool))
    }
    if signal:
        published |= _signal_metrics(queue)
    for alarm in alarms:
        for query in alarm.queries:
            if query.stat and query.stat.metric not in published:
                metric = query.stat.metric
                yield (
                    f"Resources.{alarm.logical_id}: nothing publishes {metric.namespace} "
                    f"{metric.name} {dict(metric.dimensions)} here"
                )
