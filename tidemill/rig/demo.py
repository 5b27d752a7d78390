"""Demo of a rig: sends messages, and runs until the queue is empty and no instance is left."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from shared.queue_names import is_fifo
from tidemill.ledger.account import draw_up
from tidemill.ledger.causes import Conditions
from tidemill.ledger.figures import figures
from tidemill.ledger.queues import write_queues
from tidemill.ledger.sent import read_sent_logs
from tidemill.rig.child_processes import child_environment, end_children
from tidemill.rig.door.credentials import PRODUCER
from tidemill.rig.errors import RigError
from tidemill.rig.last_words import last_words
from tidemill.scaling.facts import ActivityStarted, Fact, InstanceChanged, in_service_over_time
from tidemill.scaling.group.lifecycle import RETAINED

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    from tidemill.ledger.sent import SentHistory
    from tidemill.rig.rig import Rig
    from tidemill.rig.status import Status

STATUS_SECONDS = 0.5
PRODUCER_STOP_SECONDS = 10.0
USAGE_ERROR = "exit code 2"


@dataclass(frozen=True, slots=True)
class DemoOptions:
    """What to send, as options of the producer, and the time limit in minutes of AWS's time."""

    producer: Sequence[str]
    max_minutes: float


def run_demo(
    rig: Rig, options: DemoOptions, folder: Path, show: Callable[[Status], None]
) -> dict[str, Any]:
    """Send messages, and take turns until the queue is empty and no instance is left.

    Args:
        rig: a running rig.
        options: the messages to send, and the time limit.
        folder: the folder for the producer's output and its log of sent messages.
        show: called with the state of the rig twice a second.

    Returns:
        The figures of the run, as summary.json has them.

    Raises:
        RigError: the producer failed, a consumer cannot work, or the time limit was reached.
    """
    sent_log = folder / "sent.jsonl"
    with _producer(rig, options.producer, folder, sent_log) as producer:
        shown, all_sent = 0.0, False
        while not (all_sent and _drained(rig)):
            recorded = len(rig.recorder.facts)
            # Checked before the turn samples the queue, so that the sample holds all messages.
            all_sent = _ended(producer, folder, sent_log)
            rig.turn()
            _check(rig, rig.recorder.facts[recorded:], folder, options.max_minutes)
            if time.monotonic() - shown >= STATUS_SECONDS:
                show(rig.status())
                shown = time.monotonic()
            time.sleep(rig.pause)
    show(rig.status())
    sent, queues = read_sent_logs([sent_log]), rig.probe.left_over()
    rig.logs.read()
    write_queues(folder, queues)  # for `tidemill ledger`, since the queues end with the rig
    account = draw_up(sent, rig.logs.record, queues, Conditions())
    return {**figures(account, sent, rig.logs.record), **figures_of_run(rig, sent)}


def figures_of_run(rig: Rig, sent: SentHistory) -> dict[str, object]:
    """Return what is not about single messages; times are AWS's, except `wall_seconds`."""
    facts, record = rig.recorder.facts, rig.logs.record
    activities = [fact.kind_of for fact in facts if isinstance(fact, ActivityStarted)]

    def since_begun(moment: float | None) -> float | None:
        return None if moment is None else round((moment - sent.begun()) * rig.clock.speed, 1)

    return {
        "peak_instances": peak_in_service(facts),
        "final_instances": len(rig.memory.group.instances),
        "seconds_to_first_message": since_begun(record.first),
        "seconds_to_drain": since_begun(record.last),
        "scale_out_activities": activities.count("launch"),
        "scale_in_activities": activities.count("terminate"),
        "aws_minutes": round((rig.memory.at - rig.clock.started) / 60, 1),
        "wall_seconds": round(rig.clock.wall_seconds(), 1),
    }


def nothing_done(summary: Mapping[str, Any]) -> str | None:
    """Return in a sentence that no message was processed, with the most frequent reason."""
    wanted = summary["sent"] - summary["poison"]
    if wanted <= 0 or summary["processed"] or summary["known_copies"]:
        return None
    reasons = [*summary["dead_letter_reasons"], "no attempt ended"]
    return f"none of {wanted} messages was processed: {reasons[0]}"


def peak_in_service(facts: Sequence[Fact]) -> int:
    """Return the largest number of instances that were in service at the same time."""
    return max((number for _, number in in_service_over_time(facts)), default=0)


def _drained(rig: Rig) -> bool:
    """Return whether the queue is empty and the group has launched and terminated instances.

    Retained instances stay until a user terminates them, so the demo does not wait for them.
    """
    queue = rig.probe.latest
    waiting = queue.visible + queue.in_flight + queue.delayed
    group = rig.memory.group
    gone = all(item.state in RETAINED for item in group.instances)
    return not waiting and bool(group.launched) and gone


def _ended(producer: subprocess.Popen[bytes], folder: Path, sent_log: Path) -> bool:
    """Return whether the producer has sent all messages.

    Raises:
        RigError: it failed, or had nothing to send.
    """
    code = producer.poll()
    if code:
        raise RigError(_complaint(folder))
    if code == 0 and not sent_log.stat().st_size:
        raise RigError("nothing was sent: the input holds no message")
    return code == 0


def _check(rig: Rig, facts: Sequence[Fact], folder: Path, max_minutes: float) -> None:
    """Raise RigError if a consumer refuses its settings or the time limit is reached."""
    for fact in facts:
        if isinstance(fact, InstanceChanged) and USAGE_ERROR in fact.detail:
            raise RigError(f"no consumer can work with these settings: {fact.detail}")
    minutes = (rig.memory.at - rig.clock.started) / 60
    if minutes > max_minutes:
        last = rig.probe.latest
        raise RigError(
            f"after {minutes:.0f} minutes of AWS's time there are still "
            f"{last.visible + last.in_flight} messages and "
            f"{len(rig.memory.group.instances)} instances: raise --max-minutes, or look at "
            f"{folder / 'timeline.jsonl'}"
        )


@contextmanager
def _producer(
    rig: Rig, arguments: Sequence[str], folder: Path, sent_log: Path
) -> Iterator[subprocess.Popen[bytes]]:
    sent_log.unlink(missing_ok=True)
    with (folder / "producer.json").open("wb") as out, (folder / "producer.err").open("wb") as err:
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "producer", *arguments, *_of_queue(rig, arguments)),
                *("--json", "--sent-log", str(sent_log)),
            ],
            env=child_environment(folder, rig.client_environment(PRODUCER)),
            stdout=out,
            stderr=err,
            start_new_session=True,  # Ctrl-C reaches the rig only, which ends its children
        )
    try:
        yield process
    finally:
        end_children([process], PRODUCER_STOP_SECONDS)


def _of_queue(rig: Rig, arguments: Sequence[str]) -> list[str]:
    """Return the option that random vehicles need for a FIFO queue, unless it is given."""
    given = any(one.startswith("--group-id") for one in arguments)
    if given or not is_fifo(rig.queue_url) or "--file" in arguments:
        return []
    return ["--group-id", "{vehicleId}"]


def _complaint(folder: Path) -> str:
    """Return the producer's error: from its summary, otherwise its last line."""
    try:
        return str(json.loads((folder / "producer.json").read_text())["error"])
    except (ValueError, KeyError):
        return last_words(folder / "producer.err", "the producer failed").removeprefix("Error: ")
