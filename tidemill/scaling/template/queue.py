"""Reader of the queue that the alarms of a group watch."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tidemill.scaling.errors import TemplateError
from tidemill.scaling.metrics.queue import ACTIVE_SECONDS
from tidemill.scaling.spec import Queue
from tidemill.scaling.template.properties import flag, part, whole
from tidemill.scaling.template.reading import Read

if TYPE_CHECKING:
    from collections.abc import Collection, Iterable

    from tidemill.scaling.spec import Alarm
    from tidemill.scaling.template.resolver import Resolver

QUEUE = "AWS::SQS::Queue"
SCHEDULE = "AWS::Scheduler::Schedule"
SQS_CALL = ":scheduler:::aws-sdk:sqs:"
"""Part of the ARN of a schedule's target that calls SQS itself (EventBridge Scheduler user guide,
"Using universal targets")."""
RATE = re.compile(r"rate\((\d+) (minute|hour|day)s?\)")
SECONDS = {"minute": 60, "hour": 3600, "day": 86_400}
VISIBILITY_TIMEOUT = (0, 43_200)
VISIBILITY_DEFAULT = 30
RECEIVE_COUNT = (1, 1000)
RECEIVE_COUNT_DEFAULT = 10
"""The default of maxReceiveCount in a RedrivePolicy (SQS API, SetQueueAttributes)."""


def watched_queues(alarms: Iterable[Alarm]) -> list[str]:
    """Return the names of the queues that alarms watch, each once, in the alarms' order."""
    return list(
        dict.fromkeys(
            value
            for alarm in alarms
            for query in alarm.queries
            if query.stat and query.stat.metric.namespace == "AWS/SQS"
            for name, value in query.stat.metric.dimensions
            if name == "QueueName"
        )
    )


def queue_arns(resolver: Resolver) -> dict[str, str]:
    """Return the names of the template's queues by their ARNs."""
    return {
        resolver.resolve({"Fn::GetAtt": [queue, "Arn"]}, queue): resolver.name(queue)
        for queue in resolver.present(QUEUE)
    }


def read_queue(resolver: Resolver, alarms: Collection[Alarm]) -> Read[Queue]:
    """Return the queue that the alarms watch; of several queues, the first in the template.

    Raises:
        TemplateError: the alarms watch no queue.
    """
    watched = watched_queues(alarms)
    if not watched:
        raise TemplateError(
            f"Resources: the scaling alarms watch no queue, but {_watched_instead(alarms)}: give "
            "one of them a metric of AWS/SQS with the QueueName of a queue"
        )
    queues = {resolver.name(logical_id): logical_id for logical_id in resolver.present(QUEUE)}
    name = next((name for name in watched if name in queues), watched[0])
    left_out: tuple[str, ...] = ()
    if len(watched) > 1:
        left_out = (f"Resources: the alarms watch several queues: only {name} is modelled",)
    address = queue_arns(resolver).get(name, re.split(r"[/:]", name)[-1])
    if name not in queues and address != name:
        unseen = f"Resources: {name} is no QueueName: the alarms never get a datapoint of its queue"
        if address in queues:
            own = _queue(resolver, queues[address])
            return Read(own.value, (*left_out, unseen, *own.left_out))
        return Read(Queue("", address, VISIBILITY_DEFAULT), (*left_out, unseen))
    if name not in queues:
        missing = (
            f"Resources: the queue {name} is not in this template: SQS's defaults are used for its "
            "settings"
        )
        return Read(Queue("", name, VISIBILITY_DEFAULT), (*left_out, missing))
    own = _queue(resolver, queues[name])
    return Read(own.value, left_out + own.left_out)


def _watched_instead(alarms: Iterable[Alarm]) -> str:
    metrics = {
        f"{query.stat.metric.namespace} {query.stat.metric.name}": None
        for alarm in alarms
        for query in alarm.queries
        if query.stat
    }
    return ", ".join(metrics)


def _queue(resolver: Resolver, logical_id: str) -> Read[Queue]:
    where = f"Resources.{logical_id}.Properties"
    properties = resolver.properties(logical_id)
    left_out = []
    if whole(properties, "DelaySeconds", where, 0):
        left_out.append(f"{where}.DelaySeconds: a delay of all messages is not modelled")
    redrive = part(properties, "RedrivePolicy", where)
    receives = whole(
        redrive,
        "maxReceiveCount",
        f"{where}.RedrivePolicy",
        RECEIVE_COUNT_DEFAULT,
        RECEIVE_COUNT,
    )
    queue = Queue(
        logical_id=logical_id,
        name=resolver.name(logical_id),
        visibility_timeout=whole(
            properties, "VisibilityTimeout", where, VISIBILITY_DEFAULT, VISIBILITY_TIMEOUT
        ),
        max_receive_count=receives if redrive else None,
        fifo=flag(properties, "FifoQueue", where, default=False),
        kept_awake=any(
            _uses(resolver, schedule, logical_id) for schedule in resolver.present(SCHEDULE)
        ),
    )
    return Read(queue, tuple(left_out))


def _uses(resolver: Resolver, schedule: str, queue: str) -> bool:
    """Return whether a schedule calls SQS about the queue before the queue becomes inactive."""
    where = f"Resources.{schedule}.Properties"
    properties = resolver.properties(schedule)
    rate = RATE.fullmatch(str(properties.get("ScheduleExpression", "")))
    if rate is None or int(rate[1]) * SECONDS[rate[2]] > ACTIVE_SECONDS:
        return False
    target = part(properties, "Target", where)
    url = resolver.resolve({"Ref": queue}, where)
    return SQS_CALL in str(target.get("Arn")) and f'"{url}"' in str(target.get("Input"))
