"""Check of the drain: the group scales in while its instance is at work."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tidemill.scaling.group.memory import ALARM_NOTIFICATION
from tidemill.verify.acting.message import FINE_PAUSE, LONGEST, WAITING, send
from tidemill.verify.acting.stages import hook_row
from tidemill.verify.acting.steering import SETTING, SUSPENDING, set_desired, suspended
from tidemill.verify.bench import why_missing
from tidemill.verify.check import Check, Level, Observation, Use
from tidemill.verify.expectation import desired_for
from tidemill.verify.finding import compared, unobserved
from tidemill.verify.fleet_now import CALLS, backlog, group_now, is_idle, require_idle
from tidemill.verify.logs import worker_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tidemill.verify.bench import Bench
    from tidemill.verify.finding import Row
    from tidemill.verify.target import Target

POLLS = 2
"""The number of polls that the messages are enough for, so that some are left when the first poll
is done."""

END_SECONDS = 180.0
"""How long an instance may take to end after its hook: EC2 takes up to 75 s (times.catalogue)."""


def _count(target: Target) -> int:
    """Return how many messages to send: no more than one instance is launched for."""
    count = POLLS * int(target.parameter("MessagesPerPoll") or 1)
    while count > 1 and desired_for(target.fleet, count) > 1:
        count //= 2
    return count


def _observe(bench: Bench) -> None:
    require_idle(bench)
    dead = bench.target.dead_letter_url
    before = 0 if dead is None else backlog(bench, dead).total
    bench.moment("sent")
    ids = [send(bench) for _ in range(_count(bench.target))]
    bench.note("messages", ids)

    def at_work() -> bool:
        if not group_now(bench).in_service():
            return False
        waiting = backlog(bench)
        return waiting.in_flight > 0 or waiting.total < len(ids)

    if bench.wait("an instance is at work", LONGEST, at_work, FINE_PAUSE):
        with suspended(bench, [ALARM_NOTIFICATION], "alarms scale the group again"):
            _scale_in(bench)
    bench.note("idle", bench.wait("all messages are processed", LONGEST, lambda: is_idle(bench)))
    if dead is not None:
        bench.note("dead", backlog(bench, dead).total - before)
    lines = worker_lines(bench, None, bench.seen["sent"])
    bench.note(
        "processed",
        sorted(
            {
                line["message_id"]
                for line in lines
                if line.get("event") == "message"
                and line.get("outcome") == "processed"
                and line.get("message_id") in ids
            }
        )
        if lines
        else None,
    )


def _scale_in(bench: Bench) -> None:
    instance = group_now(bench).in_service()[0]
    bench.note("instance", instance)
    bench.moment("scaled_in")
    set_desired(bench, 0)
    longest = sum(hook.heartbeat_timeout for hook in bench.target.fleet.group.hooks) + END_SECONDS

    def ended() -> bool:
        state = group_now(bench).instances.get(instance, "gone")
        bench.moment(f"state_{state}")
        if state != WAITING and f"state_{WAITING}" in bench.seen:
            bench.moment("hook_completed")
            bench.note("in_flight", backlog(bench).in_flight)
        return state == "gone"

    bench.wait("the instance drains and ends", longest, ended, FINE_PAUSE)


def _judge(target: Target, seen: Mapping[str, Any]) -> Iterator[Row]:
    for hook in target.fleet.group.hooks:
        yield hook_row(hook.name, hook.heartbeat_timeout, seen)
    what = "messages in flight when the hook is completed"
    if "state_gone" in seen and "in_flight" not in seen:
        yield compared(what, 0, "the hook never held the instance")
    else:
        yield compared(what, 0, seen.get("in_flight"), why_missing(seen))
    what, sent = "messages processed in the end", len(seen.get("messages", [])) or _count(target)
    processed = seen.get("processed")
    if processed is None:
        yield unobserved(what, f"{sent} of {sent}", why_missing(seen) or "no lines of workers")
    else:
        yield compared(what, f"{sent} of {sent}", f"{len(processed)} of {sent}")
    yield compared("queue empty and group at 0 in the end", "yes", _yes(seen.get("idle")))
    yield compared("new dead letters", 0, seen.get("dead"), why_missing(seen))


def _yes(value: bool | None) -> str | None:  # noqa: FBT001 - an observation, not an option
    return None if value is None else "yes" if value else "no"


DRAIN = Check(
    name="drain",
    question="Does an instance at work finish or return its messages when the group scales in?",
    observation=Observation(
        name="drain",
        does="sends messages for two polls, or fewer if one instance is not enough for them; once "
        "an instance is at work, suspends AlarmNotification, sets the desired capacity to 0, "
        "resumes when the instance has ended, and watches until every message is processed",
        level=Level.ACT,
        calls=(
            *CALLS,
            "sqs:SendMessage",
            *SUSPENDING,
            SETTING,
            "logs:FilterLogEvents",
        ),
        use=lambda target: Use(
            seconds=1200.0 + target.longest_period,
            instance_seconds=1200.0,
            requests=200,
        ),
        observe=_observe,
    ),
    judge=_judge,
    remedy="Messages in flight return after their visibility timeout, so none is lost; but they "
    "wait, and are counted as another receive. Read the consumer's lines `stopping` and "
    "`stopped` of that instance, and its boot log.",
)
