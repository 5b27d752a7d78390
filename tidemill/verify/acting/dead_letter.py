"""Check of dead letters: a message that no worker can process, and the alarm about it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tidemill.scaling.spec import AlarmState
from tidemill.verify.acting.message import LONGEST, send
from tidemill.verify.bench import SkippedError, why_missing
from tidemill.verify.check import Check, Level, Observation, Use
from tidemill.verify.finding import compared
from tidemill.verify.fleet_now import CALLS, backlog, require_idle

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tidemill.verify.bench import Bench
    from tidemill.verify.finding import Row
    from tidemill.verify.target import Target

BODY = "tidemill verify: this is no JSON, so no worker can process it"
ALARM = "DeadLettersAlarm"
"""Logical id of the template's alarm about dead letters."""

RETRY = 60.0
"""Seconds between two receives of a message, beside the wait of the worker: generously."""

ALARM_SECONDS = 420.0
"""How long the alarm may take: the metric's minute, its delay, and one evaluation."""


def _observe(bench: Bench) -> None:
    dead = bench.target.dead_letter_url
    if dead is None:
        raise SkippedError("the stack has no dead-letter queue")
    most = bench.target.fleet.queue.max_receive_count or 0
    seconds = most * (float(bench.target.parameter("PollWaitSeconds") or 0) + RETRY)
    if seconds > LONGEST:
        raise SkippedError(f"{most} receives take too long: try it with a lower MaxReceiveCount")
    require_idle(bench)
    if backlog(bench, dead).total:
        raise SkippedError("the dead-letter queue has messages of others: empty it first")
    bench.moment("sent")
    send(bench, BODY)
    if bench.wait(
        "the message is in the dead-letter queue",
        LONGEST,
        lambda: backlog(bench, dead).visible > 0,
    ):
        bench.moment("dead")
        _await_alarm(bench, AlarmState.ALARM)
        bench.note("body", _take_back(bench, dead))
        _await_alarm(bench, AlarmState.OK)
    else:
        bench.note("dead", None)
    require_idle(bench)


def _await_alarm(bench: Bench, wanted: AlarmState) -> None:
    alarm = bench.target.deployed.get(ALARM)
    if alarm is None:
        return

    def reached() -> bool:
        answer = bench.call("cloudwatch:DescribeAlarms", AlarmNames=[alarm.physical])
        states = [one["StateValue"] for one in answer["MetricAlarms"]]
        bench.seen[f"alarm, {wanted} awaited"] = states[0] if states else "no such alarm"
        return states == [wanted]

    bench.wait(f"{ALARM} is in {wanted}", ALARM_SECONDS, reached)


def _take_back(bench: Bench, dead: str) -> str | None:
    """Receive the message from the dead-letter queue, delete it, and return its body."""
    answer = bench.call("sqs:ReceiveMessage", QueueUrl=dead, WaitTimeSeconds=20)
    for message in answer.get("Messages", []):
        if message["Body"] == BODY:
            bench.call("sqs:DeleteMessage", QueueUrl=dead, ReceiptHandle=message["ReceiptHandle"])
        return str(message["Body"])
    return None


def _judge(target: Target, seen: Mapping[str, Any]) -> Iterator[Row]:
    why = why_missing(seen)
    receives = target.fleet.queue.max_receive_count
    arrived = None
    if "dead" in seen:
        arrived = "there" if seen["dead"] is not None else "not there in time"
    yield compared(
        f"invalid message in the dead-letter queue ({receives} receives)", "there", arrived, why
    )
    yield compared("its text", BODY, seen.get("body"), why)
    for state in (AlarmState.ALARM, AlarmState.OK):
        cause = "while it is there" if state is AlarmState.ALARM else "after it was deleted"
        found = seen.get(f"alarm, {state} awaited")
        yield compared(f"state of {ALARM} {cause}", str(state), found, why)


DEAD_LETTER = Check(
    name="dead-letter",
    question="Does an invalid message reach the dead-letter queue, and do people get to know?",
    observation=Observation(
        name="dead-letter",
        does="sends a text that is no JSON, waits until it is a dead letter and its alarm is in "
        "ALARM, and deletes it; NotificationEmail gets its e-mails",
        level=Level.ACT,
        calls=(
            *CALLS,
            "sqs:SendMessage",
            "sqs:ReceiveMessage",
            "sqs:DeleteMessage",
            "cloudwatch:DescribeAlarms",
        ),
        use=lambda _target: Use(seconds=1800.0, instance_seconds=1500.0, requests=500),
        observe=_observe,
    ),
    judge=_judge,
    remedy="Read the consumer's lines about the message (saved query `one message's history`). An "
    "alarm that does not follow: the dead-letter queue's metrics start late after idle hours.",
)
