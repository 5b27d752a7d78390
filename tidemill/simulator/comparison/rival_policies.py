"""Other scaling policies for the same group and queue, to compare with the template's."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from tidemill.scaling.metrics.queue import AGE, VISIBLE
from tidemill.scaling.spec import Comparison, MetricQuery
from tidemill.simulator.comparison.exact_steps import exact_steps
from tidemill.simulator.comparison.rival_fleet import adding, alarm_on, of_queue, under
from tidemill.simulator.comparison.tracking_rivals import (
    backlog_tracking,
    fast_backlog_tracking,
    utilization_tracking,
)

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidemill.scaling.spec import Fleet
    from tidemill.simulator.candidate import Candidate

CDK_PERIOD: Final = 300
OLD: Final = 60
VERY_OLD: Final = 300
"""Ages in seconds of the oldest message from which one instance, or two, are added."""


def rivals(
    ours: Candidate, backlog_per_instance: int, *, high_resolution: bool = False
) -> Iterator[Candidate]:
    """Yield the template's fleet and the same group and workers under other policies.

    Args:
        ours: the template's fleet.
        backlog_per_instance: the target of the policies that track the backlog, in messages per
            instance.
        high_resolution: whether the policy on metrics of ten seconds is among them. Its days take
            some seconds each, because it has six times the turns.
    """
    yield ours
    fleet, slots = ours.fleet, ours.worker.rhythm.messages_per_poll
    exact = exact_steps(fleet)
    if exact is not None:
        yield replace(ours, name="exact steps", fleet=exact)
    yield replace(ours, name="target tracking", fleet=backlog_tracking(fleet, backlog_per_instance))
    if high_resolution:
        fast = fast_backlog_tracking(fleet, backlog_per_instance)
        yield replace(ours, name="target tracking, 10 s", fleet=fast)
    tracked = utilization_tracking(fleet, slots)
    yield replace(ours, name="worker utilization", fleet=tracked, worker_metrics=1)
    yield replace(ours, name="oldest message", fleet=_oldest_message(fleet))
    yield replace(ours, name="CDK defaults", fleet=_queue_service(fleet))
    yield replace(ours, name="one by one", fleet=_plus_minus_one(fleet))
    for size in sorted({1, fleet.group.max_size}):
        yield replace(ours, name=f"fixed at {size}", fleet=_fixed(fleet, size))


def _fixed(fleet: Fleet, size: int) -> Fleet:
    """Return the fleet with a fixed number of instances and no alarm."""
    return under(fleet, (), (), least=size, most=size)


def _plus_minus_one(fleet: Fleet) -> Fleet:
    """Return the fleet as in most exercises: +1 instance with messages, -1 without messages."""
    out, back = adding("SomeMessages", (0, None, 1)), adding("NoMessages", (None, 0, -1))
    visible = (of_queue(fleet, VISIBLE),)
    alarms = (
        alarm_on(visible, Comparison.GREATER_OR_EQUAL, 1, out),
        alarm_on(visible, Comparison.LESS_OR_EQUAL, 0, back),
    )
    return under(fleet, (out, back), alarms)


def _oldest_message(fleet: Fleet) -> Fleet:
    """Return the fleet that follows the age of the oldest message, by steps of our own.

    AWS names the metric for this purpose, and no steps (SQS Developer Guide, "Available CloudWatch
    metrics for Amazon SQS"). The steps are one instance more from a minute on, two more from five
    minutes on, one less below a minute. A queue without messages has no age, so that there would
    be nothing to compare with a step; in the sum, the missing age counts as 0.
    """
    out = adding("OldMessages", (0, VERY_OLD - OLD, 1), (VERY_OLD - OLD, None, 2))
    back = adding("YoungMessages", (None, 0, -1))
    age = (
        of_queue(fleet, AGE, key="age"),
        of_queue(fleet, VISIBLE, key="visible"),
        MetricQuery("oldest", expression="age + 0 * visible", label="age of the oldest message"),
    )
    alarms = (
        alarm_on(age, Comparison.GREATER_OR_EQUAL, OLD, out),
        alarm_on(age, Comparison.LESS, OLD, back),
    )
    return under(fleet, (out, back), alarms)


def _queue_service(fleet: Fleet) -> Fleet:
    """Return the fleet with the defaults of CDK's QueueProcessingEc2Service, on instances.

    Source: aws-cdk-lib, aws-ecs-patterns, queue-processing-service-base. The steps are -1 instance
    without a message, +1 from 100 messages and +5 from 500; the minimum is 1, and the metric's
    period is five minutes. The maximum is the template's instead of 2. Tracking of CPU is left out,
    because workers that rest between polls use hardly any.
    """
    out = adding("QueueServiceOut", (0, 400, 1), (400, None, 5))
    back = adding("QueueServiceIn", (None, 0, -1))
    visible = (of_queue(fleet, VISIBLE, CDK_PERIOD),)
    alarms = (
        alarm_on(visible, Comparison.GREATER_OR_EQUAL, 100, out),
        alarm_on(visible, Comparison.LESS_OR_EQUAL, 0, back),
    )
    return under(fleet, (out, back), alarms, least=1)
