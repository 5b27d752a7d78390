"""Kinds of published examples that are not run, each with the reason.

A reason holds for every example of its kind. Where it says that MiniStack answers otherwise than
AWS, a test asks MiniStack.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from support.examples.kind import Expected, Given, Kind, fields
from support.examples.math import is_series
from support.examples.sqs_answers import METHODS

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

NO_STATUS_CHECKS: Final = "EC2's status checks are not modelled: an instance runs, or it is gone"
NO_WEIGHTS: Final = "instance weights are not modelled: each instance counts as one"
OTHER_SERVICE: Final = "alarms of Application Auto Scaling, which scales no EC2 instances"
DEPARTS: Final = "MiniStack answers otherwise, and the product makes no such call"
NO_FIFO: Final = "the simulator sends each message once, and limits no calls"
SINGLE: Final = (
    "single measurements; tidemill/scaling/times/catalogue.py says what it takes of them"
)
LOGS_API: Final = "a limit of CloudWatch Logs that nothing here comes near or reads"


NO_LONGER_PRINTED: Final = "AWS printed this until 2023; its page prints another result now"
UNBOUGHT: Final = ("million requests, surcharge", "GB scanned")
CALLED: Final = ("CreateQueue", "GetQueueUrl", "GetQueueAttributes", *METHODS)
THREE_SERIES: Final = re.compile(r"IF\(\s*(\w+)\s*,\s*(\w+)\s*,\s*(\w+)\s*\)")


def kind(
    name: str,
    why: str,
    sides: tuple[str, str],
    fits: Callable[[Given, Expected], bool] = lambda _, __: True,
    optional: tuple[str, str] = ("", ""),
) -> Kind:
    """Return a kind that is not run; `sides` and `optional` name its input and its expectation."""
    given, expected = (fields(*names) for names in zip(sides, optional, strict=True))
    return Kind(name, given, expected, None, fits=fits, why_not_run=why)


def refusal(name: str, op: str, fits: Callable[[Mapping[str, object]], bool]) -> Kind:
    """Return a kind of error with which AWS refuses a call, and MiniStack does not.

    `fits` is whether the case of a call of `op` is one of this kind.
    """
    return kind(
        name,
        DEPARTS,
        ("op case", "Code"),
        lambda given, _: (
            given["op"] == op and isinstance(given["case"], dict) and fits(given["case"])
        ),
        ("recorded_step", "Message QueryErrorCode http_status"),
    )


def fifo(case: Mapping[str, object], *names: str) -> bool:
    """Return whether a case is about a FIFO queue and has these names."""
    return case.get("queue") == "fifo" and set(names) <= case.keys()


DEPARTURES: tuple[Kind, ...] = (
    refusal("a change of a queue's type", "SetQueueAttributes", lambda case: "FifoQueue" in case),
    refusal(
        "attributes of FIFO queues for a standard queue",
        "CreateQueue",
        lambda case: "standard with FIFO attributes" in case,
    ),
    refusal(
        "a batch for a FIFO queue without groups",
        "SendMessageBatch",
        lambda case: fifo(case, "no MessageGroupId"),
    ),
    refusal(
        "a deduplication id that is not allowed",
        "SendMessage",
        lambda case: "MessageDeduplicationId" in case,
    ),
    refusal(
        "a late delete in a FIFO queue",
        "DeleteMessage",
        lambda case: fifo(case, "visibility expired"),
    ),
    refusal(
        "a message attribute that is not allowed",
        "SendMessage",
        lambda case: any(name.startswith("attribute ") for name in case),
    ),
    refusal(
        "a message group's id that is not allowed",
        "SendMessage",
        lambda case: "MessageGroupId" in case,
    ),
)
"""Kinds of errors for which MiniStack departs from AWS."""


def is_old_if(given: Given, expected: Expected) -> bool:
    """Return whether an IF of three series has no result for a missing point of the third one.

    All points have to be as the older page printed them: it has no 0 there, the present one has.
    """
    called = THREE_SERIES.fullmatch(str(given["expression"]))
    series = [given.get(name) for name in called.groups()] if called else []
    if not (len(series) == 3 and all(isinstance(one, list) for one in series)):
        return False
    points = list(zip(*series, strict=True))
    old = [
        None if test is None else (yes or 0) if test else no  # a missing second one was 0 then, too
        for test, yes, no in points
    ]
    differs = any(test == 0 and no is None for test, _, no in points)
    return differs and expected["values"] == old


CONTRADICTED: Final = Kind(
    "an example that the present page contradicts",
    fields(),
    fields(),
    None,
    why_not_run="an older page printed this, and the file says what contradicts it",
)
NOT_RUN: tuple[Kind, ...] = (
    Kind(
        "an IF of three series, as it was until 2023",
        fields("expression"),
        fields("values[]"),
        None,
        fits=is_old_if,
        others=is_series,
        why_not_run=NO_LONGER_PRINTED,
    ),
    kind("a status check", NO_STATUS_CHECKS, ("status_check", "marked")),
    kind(
        "a step scale-in in a group's cooldown",
        "AWS says that the scale-in may be delayed, not when, so that no result contradicts it",
        ("policy group_in_cooldown", "may_be_delayed"),
    ),
    kind(
        "the margin of rebalancing",
        "zones are not rebalanced: a zone with more instances shrinks first, no more",
        ("max", "may_exceed_max_by"),
    ),
    kind(
        "a group with weights",
        NO_WEIGHTS,
        ("instance_weights", "scaling_activity"),
        optional=("desired current adjustment adjustment_type", ""),
    ),
    kind("an overage of weights", NO_WEIGHTS, ("remaining_units weight_chosen", "exceeds_by")),
    kind(
        "the target that a user computes",
        "the user computes the target of a policy before writing the template",
        ("acceptable_latency_s avg_processing_s", "target_backlog_per_instance"),
    ),
    kind(
        "the alarms of another service",
        OTHER_SERVICE,
        ("target service", ""),
        lambda given, _: str(given["service"]).startswith("Application Auto Scaling"),
        ("", "AlarmHigh AlarmLow"),
    ),
    kind(
        "the window of a Metrics Insights query",
        "alarms on Metrics Insights queries are refused: they cannot trigger scaling policies here",
        ("window period_s limit_s", "max_evaluation_periods"),
        optional=("", "sliding_max_evaluation_periods"),
    ),
    kind("requests of CloudWatch Logs a second", LOGS_API, ("", "per_account_region")),
    kind(
        "quotas of Logs Insights",
        LOGS_API,
        ("", "timeout_min concurrent log_groups"),
        optional=("", "max_results page"),
    ),
    kind(
        "packets to the metadata service",
        "the rig's service limits no traffic: an instance's loop looks every five seconds",
        ("", "link_local_pps"),
    ),
    kind(
        "the phases of a boot",
        SINGLE,
        ("", "ms[]"),
        optional=("phase[] runs date region type", ""),
    ),
    kind(
        "a price of something that the stack has not",
        "the sender chooses fair queues, and the stack has no query over logs but its dashboards'",
        ("unit", "usd"),
        lambda given, _: given["unit"] in UNBOUGHT,
    ),
    kind(
        "an error of another call",
        "neither the product nor the rig calls this operation of SQS",
        ("op case", "Code"),
        lambda given, _: str(given["op"]).split(" ")[0] not in CALLED,
        ("recorded_step", "Message QueryErrorCode http_status"),
    ),
    kind(
        "attributes of a message",
        "the product sends no message attributes, and MiniStack takes any number",
        ("", "max_attributes"),
    ),
    kind(
        "metrics of calls",
        "the core publishes a queue's counts and its oldest age, not the metrics of single calls",
        ("calls", "period_s"),
        optional=("", "NumberOfEmptyReceives NumberOfMessagesSent SentMessageSize"),
    ),
    kind(
        "when counts are consistent",
        "nothing reads the counts of a queue as exact: alarms have a minute at least between them",
        ("", "may_need_at_least_s"),
    ),
    kind(
        "the wait for a new queue",
        "a queue is created by CloudFormation, which waits itself",
        ("", "wait_s"),
    ),
    kind("deduplication", NO_FIFO, ("", "interval_s hash")),
    kind("throughput of FIFO queues", NO_FIFO, ("", "tps_per_action msgs_per_s_batched")),
    *DEPARTURES,
)
