"""Reader of fleets: each Auto Scaling group of a template, with its alarms and its queue."""

from __future__ import annotations

from contextlib import contextmanager
from dataclasses import dataclass
from enum import Enum, auto
from typing import TYPE_CHECKING

from tidemill.scaling.errors import ParameterError, TemplateError
from tidemill.scaling.group.metrics import group_metric
from tidemill.scaling.metrics.queue import PUBLISHED, queue_metric
from tidemill.scaling.metrics.signal import BACKLOG, DESIRED_CAPACITY, signal_metric
from tidemill.scaling.spec import Fleet
from tidemill.scaling.template.alarms import read_alarms
from tidemill.scaling.template.group import published_by, read_group
from tidemill.scaling.template.launch_template import read_launch
from tidemill.scaling.template.place import Place
from tidemill.scaling.template.policies import read_policies, read_scheduled
from tidemill.scaling.template.queue import read_queue, watched_queues
from tidemill.scaling.template.resolver import Resolver
from tidemill.scaling.template.unmodelled import left_out_of_template

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from tidemill.scaling.spec import Alarm, Group, Metric, Policy, Queue
    from tidemill.scaling.template.document import Document

GROUP = "AWS::AutoScaling::AutoScalingGroup"
FUNCTION = "AWS::Serverless::Function"


SERVICE_POLICY = "AWS::ApplicationAutoScaling::ScalingPolicy"


class Part(Enum):
    """A part of the template that a fleet is read from; `not_modelled` follows this order."""

    GROUP = auto()
    POLICIES = auto()
    ALARMS = auto()
    QUEUE = auto()
    USER_DATA = auto()
    METRICS = auto()
    TEMPLATE = auto()


@dataclass(frozen=True, slots=True)
class FleetReading:
    """A fleet as read from a template; `left_out` has the sentences about what is not modelled."""

    fleet: Fleet
    left_out: Mapping[Part, tuple[str, ...]]


def read_fleet(
    template: Document,
    given: Mapping[str, str],
    place: Place | None = None,
    group: str | None = None,
) -> Fleet:
    """Return a group of the template, its policies and alarms, and the queue that they follow.

    Args:
        template: the document that parse_template returns.
        given: values for parameters, by name.
        place: stack name, region, and the names of deployed resources.
        group: the logical id of the group; without it, the only group that follows a queue.

    Raises:
        ParameterError: a parameter is unknown, missing or out of its bounds, or there is no such
            group.
        TemplateError: the template lacks a part that a fleet needs, or its scaling depends on a
            feature that is not modelled.
    """
    return resolved_fleet(Resolver(template, given, place or Place()), group)


def resolved_fleet(resolver: Resolver, group: str | None = None) -> Fleet:
    """Return the same as `read_fleet`, for a resolver that exists already.

    Raises:
        ParameterError, TemplateError: as `read_fleet`.
    """
    with _not_too_deep():
        groups = resolver.present(GROUP)
        if group is None:
            return _read_fleet(_only(resolver)).fleet
        if group not in groups:
            known = ", ".join(groups) or "none"
            raise ParameterError(f"Resources: no Auto Scaling group {group}; there are: {known}")
        return _read_fleet(_GroupReading.of(resolver, group)).fleet


def read_fleets(
    template: Document, given: Mapping[str, str], place: Place | None = None
) -> tuple[Fleet, ...]:
    """Return the fleet of every group of the template that follows a queue, in its order.

    Args and raises: as `read_fleet`.
    """
    resolver = Resolver(template, given, place or Place())
    return tuple(reading.fleet for reading in read_all_fleets(resolver))


def read_all_fleets(resolver: Resolver) -> tuple[FleetReading, ...]:
    """Return the reading of every group that follows a queue, in the template's order.

    Raises:
        TemplateError: as `read_fleet`.
    """
    with _not_too_deep():
        readings = [_GroupReading.of(resolver, one) for one in resolver.present(GROUP)]
        following = [reading for reading in readings if reading.follows_a_queue]
        return tuple(_read_fleet(one) for one in following or [_only(resolver)])


@contextmanager
def _not_too_deep() -> Iterator[None]:
    try:
        yield
    except RecursionError as error:
        raise TemplateError("the template is nested too deep: make it flatter") from error


@dataclass(frozen=True, slots=True)
class _GroupReading:
    """A group with its policies and alarms, before the rest of the fleet is read."""

    resolver: Resolver
    group: Group
    policies: tuple[Policy, ...]
    alarms: tuple[Alarm, ...]
    left_out: Mapping[Part, tuple[str, ...]]

    @staticmethod
    def of(resolver: Resolver, logical_id: str) -> _GroupReading:
        group = read_group(resolver, logical_id)
        scaling = read_policies(resolver, group.value)
        policies, created = scaling.value
        own = read_alarms(resolver, policies)
        left_out = {
            Part.GROUP: group.left_out,
            Part.POLICIES: scaling.left_out,
            Part.ALARMS: own.left_out,
        }
        return _GroupReading(resolver, group.value, policies, (*own.value, *created), left_out)

    @property
    def follows_a_queue(self) -> bool:
        return bool(watched_queues(self.alarms))


def _only(resolver: Resolver) -> _GroupReading:
    """Return the template's only group, or of several groups the only one that follows a queue."""
    groups = resolver.present(GROUP)
    if not groups:
        raise TemplateError("Resources: there is no Auto Scaling group: add one")
    readings = [_GroupReading.of(resolver, group) for group in groups]
    if len(readings) == 1:
        return readings[0]
    following = [reading for reading in readings if reading.follows_a_queue]
    if len(following) != 1:
        names = ", ".join(one.group.logical_id for one in following or readings)
        if following:
            raise TemplateError(
                f"Resources: several Auto Scaling groups follow a queue: choose one of {names}"
            )
        raise TemplateError(f"Resources: no Auto Scaling group follows a queue; there are: {names}")
    return following[0]


def _read_fleet(reading: _GroupReading) -> FleetReading:
    resolver, group, alarms = reading.resolver, reading.group, reading.alarms
    if not alarms:
        others = resolver.present(SERVICE_POLICY)
        hint = (
            f"{', '.join(others)} scale something else, which is not modelled"
            if others
            else "add an alarm with such a policy in AlarmActions"
        )
        raise TemplateError(
            f"Resources: no alarm triggers a scaling policy of {group.logical_id}: {hint}"
        )
    queue = read_queue(resolver, alarms)
    signal_period = _signal_period(resolver, queue.value, alarms)
    launch = read_launch(resolver, group.logical_id)
    left_out = {
        **reading.left_out,
        Part.QUEUE: queue.left_out,
        Part.USER_DATA: launch.left_out,
        Part.METRICS: tuple(_unpublished(group, queue.value, alarms, signal=bool(signal_period))),
        Part.TEMPLATE: tuple(left_out_of_template(resolver)),
    }
    fleet = Fleet(
        queue=queue.value,
        group=group,
        policies=reading.policies,
        alarms=alarms,
        user_data=launch.value.user_data,
        instance_types=launch.value.instance_types,
        signal_period=signal_period,
        not_modelled=tuple(sentence for part in Part for sentence in left_out[part]),
        scheduled=tuple(read_scheduled(resolver, group)),
    )
    return FleetReading(fleet, left_out)


def _signal_period(resolver: Resolver, queue: Queue, alarms: Iterable[Alarm]) -> int | None:
    """Return the shortest period of an alarm on the signal function's metrics, None without one."""
    periods = [
        query.stat.period
        for alarm in alarms
        for query in alarm.queries
        if query.stat and query.stat.metric in _signal_metrics(queue)
    ]
    return min(periods, default=None) if resolver.present(FUNCTION) else None


def _signal_metrics(queue: Queue) -> set[Metric]:
    return {signal_metric(queue.name, name) for name in (BACKLOG, DESIRED_CAPACITY)}


def _unpublished(
    group: Group, queue: Queue, alarms: Iterable[Alarm], *, signal: bool
) -> Iterator[str]:
    """Yield a sentence for each metric of an alarm that has no datapoints here."""
    published = {queue_metric(queue.name, name) for name in PUBLISHED}
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
