"""From a template's resources to the fleets they describe."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING

from tidemill.scaling.errors import TemplateError
from tidemill.scaling.group.metrics import group_metric
from tidemill.scaling.metrics.queue import DELAYED, NOT_VISIBLE, VISIBLE, queue_metric
from tidemill.scaling.metrics.signal import BACKLOG, DESIRED_CAPACITY, signal_metric
from tidemill.scaling.spec import Fleet
from tidemill.scaling.template.alarms import read_alarms
from tidemill.scaling.template.group import published_by, read_group
from tidemill.scaling.template.machine import read_user_data
from tidemill.scaling.template.place import Place
from tidemill.scaling.template.policies import read_policies, read_scheduled
from tidemill.scaling.template.queue import read_queue, watched_queues
from tidemill.scaling.template.resolver import Resolver
from tidemill.scaling.template.unmodelled import left_out_of_template

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping, Sequence

    from tidemill.scaling.spec import Alarm, Group, Metric, Policy, Queue
    from tidemill.scaling.template.document import Document

GROUP = "AWS::AutoScaling::AutoScalingGroup"
FUNCTION = "AWS::Serverless::Function"


def read_fleet(
    template: Document,
    given: Mapping[str, str],
    place: Place | None = None,
    group: str | None = None,
) -> Fleet:
    """Return a group of the template's, its policies and alarms, and the queue that they follow.

    Args:
        template: as parse_template returns it.
        given: values for parameters, by name.
        place: stack name, region, and the names of what has been deployed.
        group: the logical id of the group; without one, the only group that follows a queue.

    Raises:
        ParameterError: a parameter is unknown, missing or out of its bounds.
        TemplateError: the template does not have what a fleet needs, or uses what scaling here
            cannot follow.
    """
    with _not_too_deep():
        resolver = Resolver(template, given, place or Place())
        groups = resolver.present(GROUP)
        if group is None:
            group = _only(resolver, groups)
        elif group not in groups:
            known = ", ".join(groups) or "none"
            raise TemplateError(f"Resources: no Auto Scaling group {group}; there are: {known}")
        return _Reading(resolver, group, []).fleet()


def read_fleets(
    template: Document, given: Mapping[str, str], place: Place | None = None
) -> tuple[Fleet, ...]:
    """Return the fleet of every group of the template that follows a queue, in its order.

    Args and raises: as `read_fleet`.
    """
    with _not_too_deep():
        resolver = Resolver(template, given, place or Place())
        groups = resolver.present(GROUP)
        following = [one for one in groups if _Reading(resolver, one, []).follows_a_queue()]
        if not following:  # say why
            following = [_only(resolver, groups)]
        return tuple(_Reading(resolver, one, []).fleet() for one in following)


@contextmanager
def _not_too_deep() -> Iterator[None]:
    try:
        yield
    except RecursionError as error:
        raise TemplateError("the template is nested too deep: make it flatter") from error


def _only(resolver: Resolver, groups: Sequence[str]) -> str:
    """Return the only group that follows a queue; a group that is alone need not do so."""
    if not groups:
        raise TemplateError("Resources: there is no Auto Scaling group: add one")
    if len(groups) == 1:
        return groups[0]
    following = [one for one in groups if _Reading(resolver, one, []).follows_a_queue()]
    if len(following) != 1:
        told = ", ".join(following or groups)
        found = (
            "several Auto Scaling groups follow" if following else "no Auto Scaling group follows"
        )
        raise TemplateError(f"Resources: {found} a queue: choose one of {told}")
    return following[0]


@dataclass(frozen=True, slots=True)
class _Reading:
    """One reading of one group; `left_out` collects what is not modelled."""

    resolver: Resolver
    logical_id: str
    left_out: list[str]

    def follows_a_queue(self) -> bool:
        group = read_group(self.resolver, self.logical_id, [])
        _, alarms = self.policies_and_alarms(group)
        return bool(watched_queues(alarms))

    def fleet(self) -> Fleet:
        group = read_group(self.resolver, self.logical_id, self.left_out)
        policies, alarms = self.policies_and_alarms(group)
        if not alarms:
            raise TemplateError(
                f"Resources: no alarm triggers a scaling policy of {group.logical_id}: "
                "add an alarm with such a policy in AlarmActions"
            )
        queue = read_queue(self.resolver, alarms, self.left_out)
        signal_period = self.signal_period(queue, alarms)
        user_data = read_user_data(self.resolver, group.logical_id, self.left_out)
        self.left_out.extend(_unpublished(group, queue, alarms, signal=bool(signal_period)))
        self.left_out.extend(left_out_of_template(self.resolver))
        return Fleet(
            queue=queue,
            group=group,
            policies=policies,
            alarms=alarms,
            user_data=user_data,
            signal_period=signal_period,
            not_modelled=tuple(self.left_out),
            scheduled=tuple(read_scheduled(self.resolver, group)),
        )

    def policies_and_alarms(self, group: Group) -> tuple[tuple[Policy, ...], tuple[Alarm, ...]]:
        policies, created = read_policies(self.resolver, group, self.left_out)
        own = read_alarms(self.resolver, policies, self.left_out)
        return policies, (*own, *created)

    def signal_period(self, queue: Queue, alarms: Iterable[Alarm]) -> int | None:
        """Return the shortest period in which an alarm looks at the signal of a function."""
        periods = [
            query.stat.period
            for alarm in alarms
            for query in alarm.queries
            if query.stat and query.stat.metric in _signal_metrics(queue)
        ]
        return min(periods, default=None) if self.resolver.present(FUNCTION) else None


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
