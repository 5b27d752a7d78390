"""Check of an idle queue: after seven hours without a message its metrics are still on time."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

from tidemill.scaling.times.catalogue import USUAL
from tidemill.verify.acting.message import MESSAGE, MINUTE, follow_message, points, visible_query
from tidemill.verify.acting.stages import span_of
from tidemill.verify.bench import SkippedError, why_missing
from tidemill.verify.check import Check, Level, Observation, Use
from tidemill.verify.finding import held, unobserved, within
from tidemill.verify.fleet_now import is_idle, require_idle

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tidemill.verify.bench import Bench
    from tidemill.verify.finding import Row
    from tidemill.verify.target import Target

IDLE_HOURS = 7
"""SQS counts a queue as inactive after six hours without a message and without use (SQS Developer
Guide, "Monitoring Amazon SQS queues using CloudWatch")."""

HOUR = 3600.0
MOST, LEAST = 60, 55
"""Datapoints of one hour in a queue that is active; a few may be late or missing."""

LOOK = 300.0


def _observe(bench: Bench) -> None:
    require_idle(bench)
    bench.moment("idle_since")
    end = bench.clock.now() + IDLE_HOURS * HOUR
    while bench.clock.now() < end:
        left = end - bench.clock.now()
        if left % HOUR < LOOK:
            bench.say(f"{left / HOUR:.0f} h left")
        bench.clock.sleep(min(LOOK, left))
        if not is_idle(bench):
            raise SkippedError(
                "the queue was used meanwhile: repeat it on a night without messages"
            )
    now = bench.clock.now()
    answer = bench.ask(
        "cloudwatch:GetMetricData",
        MetricDataQueries=[visible_query(bench.target)],
        StartTime=datetime.fromtimestamp(now - HOUR, UTC),
        EndTime=datetime.fromtimestamp(now, UTC),
    )
    if answer is not None:
        bench.note("points", len(points(answer)))
    follow_message(bench)


def _judge(target: Target, seen: Mapping[str, Any]) -> Iterator[Row]:
    what = f"datapoints in the last hour of {IDLE_HOURS} idle ones"
    awake = target.fleet.queue.kept_awake or target.fleet.signal_period is not None
    expected = f"{LEAST} to {MOST}" if awake else "0: no schedule uses the queue"
    if "points" not in seen:
        yield unobserved(what, expected, why_missing(seen))
    else:
        count = seen["points"]
        fits = LEAST <= count <= MOST if awake else count == 0
        yield held(what, expected, str(count), holds=fits)
    span = span_of(USUAL.alarm_lag if awake else USUAL.wake_up)
    seconds = None
    if "datapoint_seen" in seen:
        seconds = seen["datapoint_seen"] - seen["datapoint"] - MINUTE
    what = "end of the next message's minute -> its datapoint"
    yield within(what, span, seconds, why_missing(seen))


OVERNIGHT = Check(
    name="overnight",
    question="Does the schedule keep the queue active, so that its metrics are on time?",
    observation=Observation(
        name="overnight",
        does=f"waits {IDLE_HOURS} hours without a message, counts the queue's datapoints, and "
        "sends one message",
        level=Level.OVERNIGHT,
        calls=MESSAGE.calls,
        use=lambda target: Use(
            seconds=IDLE_HOURS * HOUR + MESSAGE.use(target).seconds,
            instance_seconds=MESSAGE.use(target).instance_seconds,
            requests=300,
            metrics_read=MESSAGE.use(target).metrics_read + 1,
        ),
        observe=_observe,
    ),
    judge=_judge,
    remedy="Setting a tag does not count as using a queue: the first message after a night waits "
    "up to 15 minutes longer. Turn FastSignal on, which reads the queue every ten seconds.",
)
