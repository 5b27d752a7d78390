"""Check of a reboot: the worker of a rebooted instance works again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tidemill.scaling.group.memory import ALARM_NOTIFICATION
from tidemill.verify.acting.message import FINE_PAUSE, LONGEST, send
from tidemill.verify.acting.steering import SUSPENDING, suspended
from tidemill.verify.bench import why_missing
from tidemill.verify.check import Check, Level, Observation, Use
from tidemill.verify.finding import compared
from tidemill.verify.fleet_now import CALLS, backlog, group_now, require_idle
from tidemill.verify.logs import worker_lines

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tidemill.verify.bench import Bench
    from tidemill.verify.finding import Row
    from tidemill.verify.target import Target

BACK_SECONDS = 600.0
"""How long a reboot may take until the consumer writes its first line."""

QUIET_SECONDS = 180.0
"""How long to wait for a reboot whose end cannot be seen, because there are no lines."""


def _observe(bench: Bench) -> None:
    require_idle(bench)
    bench.moment("sent")
    send(bench)
    working = bench.wait(
        "an instance has processed a message",
        LONGEST,
        lambda: bool(group_now(bench).in_service()) and not backlog(bench).total,
        FINE_PAUSE,
    )
    instances = group_now(bench).in_service()
    if not working or not instances:
        return
    bench.note("instance", instances[0])
    with suspended(bench, [ALARM_NOTIFICATION], "alarms scale the group again"):
        _reboot(bench, instances[0])
    require_idle(bench)


def _reboot(bench: Bench, instance: str) -> None:
    if bench.ask("ec2:RebootInstances", InstanceIds=[instance]) is None:
        return
    bench.moment("rebooted")

    def back() -> bool:
        return any(
            line.get("event") == "started"
            for line in worker_lines(bench, instance, bench.seen["rebooted"])
            if line["at"] > bench.seen["rebooted"]
        )

    if bench.wait("the consumer starts again", BACK_SECONDS, back):
        bench.moment("worker_back")
    else:
        bench.clock.sleep(QUIET_SECONDS)
    bench.moment("sent_again")
    message = send(bench)
    processed = bench.wait(
        "the rebooted instance processes a message",
        BACK_SECONDS,
        lambda: not backlog(bench).total,
        FINE_PAUSE,
    )
    bench.note("processed", processed)
    bench.note("same", instance in group_now(bench).instances)

    def written() -> bool:
        for line in worker_lines(bench, None, bench.seen["sent_again"]):
            if line.get("message_id") == message:
                bench.note("by", line.get("instance_id"))
        return "by" in bench.seen

    bench.wait("the consumer's line about it", QUIET_SECONDS, written)


def _judge(_target: Target, seen: Mapping[str, Any]) -> Iterator[Row]:
    why = why_missing(seen)
    back = None
    if "rebooted" in seen and "sent_again" in seen:
        back = "yes" if "worker_back" in seen else "no line of it"
    yield compared("the consumer starts again", "yes", back, why)
    processed = seen.get("processed")
    shown = None if processed is None else "yes" if processed else "no"
    yield compared("a message after the reboot is processed", "yes", shown, why)
    instance = seen.get("instance", "the rebooted instance")
    by = seen.get("by")
    yield compared("by which instance", instance, by, why)
    same = seen.get("same")
    kept = None if same is None else "yes" if same else "no"
    yield compared("the group keeps the instance", "yes", kept, why)


REBOOT = Check(
    name="reboot",
    question="Does a rebooted instance work again, without being replaced?",
    observation=Observation(
        name="reboot",
        does="sends a message, suspends AlarmNotification so that the instance stays, reboots it, "
        "sends another message, and resumes",
        level=Level.ACT,
        calls=(
            *CALLS,
            "sqs:SendMessage",
            *SUSPENDING,
            "ec2:RebootInstances",
            "logs:FilterLogEvents",
        ),
        use=lambda _target: Use(seconds=1200.0, instance_seconds=900.0, requests=300),
        observe=_observe,
    ),
    judge=_judge,
    remedy="An instance that does nothing after a reboot still counts as in service: terminate it. "
    "Open a session on it and read `systemctl status worker docker`.",
)
