"""One run of benchmarks/failures.py: a worker, a queue with a bad message, and what became of both.

A worker that ends by itself is started again after a second, as Docker or systemd would do it.
"""

from __future__ import annotations

import base64
import binascii
import json
import re
import signal
import subprocess
import time
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

import psutil

from benchmarks.peers.catalogue import ROOT, Worker, environment
from benchmarks.peers.work import ATTEMPTS, BAD, IN_HAND, VISIBILITY, messages

if TYPE_CHECKING:
    from pathlib import Path

    from mypy_boto3_sqs import SQSClient
    from mypy_boto3_sqs.literals import QueueAttributeNameType

PATIENCE: Final = 75.0
"""Seconds after which a run ends, whatever is left in the queue."""

QUIET_SECONDS: Final = 8.0
"""How long a queue has to stay empty: some workers delete a message before they handle it, and send
it again for its retry."""

RESTART_SECONDS: Final = 1.0
INTERRUPT_SECONDS: Final = 1.5
"""When a worker with work in hand is stopped or killed, after its first message began."""

STOP_SECONDS: Final = 30.0
"""How long a stopped worker may take: then it is killed, as Docker or systemd would do it."""

COUNTS: Final[tuple[QueueAttributeNameType, ...]] = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)
IDS: Final = re.compile(rf"{BAD}|good-\d+")


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a failure cost.

    Attributes:
        attempts: how often the bad message's handler began.
        end: what became of the bad message.
        seconds: from the begin of the first handling until the bad message was out of the queue, or
            until all messages were where there is no bad one; None if that did not happen.
        handled: good messages that were handled to their end.
        again: handlings of good messages that had begun before.
        dead: good messages among the dead letters, never handled.
        gone: good messages that are nowhere, never handled.
        left: good messages still in the queue after PATIENCE, never handled.
        last: seconds from that begin until the last good message was handled.
        restarts: how often the worker had to be started again.
    """

    attempts: int
    end: str
    seconds: float | None
    handled: int
    again: int
    dead: int
    gone: int
    left: int
    last: float | None
    restarts: int


@dataclass(slots=True)
class Process:
    """The worker's process, started again whenever it has ended."""

    command: tuple[str, ...]
    environment: dict[str, str]
    log: Path
    restarts: int = -1
    ended_at: float = 0.0
    process: subprocess.Popen[bytes] | None = None
    orphans: list[psutil.Process] = field(default_factory=list)

    def keep_running(self) -> None:
        """Start the worker if it does not run, a second after it has ended."""
        if self.process is not None and self.process.poll() is None:
            with suppress(psutil.Error):
                self.orphans = psutil.Process(self.process.pid).children(recursive=True)
            return
        if self.process is not None and not self.ended_at:
            self.ended_at = time.monotonic()
        if time.monotonic() - self.ended_at >= RESTART_SECONDS:
            self.restarts += 1
            self.ended_at = 0.0
            with self.log.open("ab") as output:
                self.process = subprocess.Popen(
                    self.command,
                    env=self.environment,
                    cwd=ROOT,
                    stdin=subprocess.DEVNULL,
                    stdout=output,
                    stderr=subprocess.STDOUT,
                    start_new_session=True,
                )

    def stop(self) -> None:
        """Send SIGTERM to the worker's first process, and wait for its end."""
        if self.process is not None:
            self.process.send_signal(signal.SIGTERM)
            with suppress(subprocess.TimeoutExpired):
                self.process.wait(STOP_SECONDS)
        self.kill()

    def kill(self) -> None:
        """Kill all of the worker's processes, as the end of its container would."""
        if self.process is None:
            return
        with suppress(psutil.Error):
            self.orphans += psutil.Process(self.process.pid).children(recursive=True)
        self.process.kill()
        for orphan in self.orphans:
            with suppress(psutil.Error):
                orphan.kill()
        self.process.wait()


def run(worker: Worker, case: str, client: SQSClient, folder: Path) -> Outcome:
    """Run a worker on the messages of a case, until its queue is empty or patience is over."""
    name = re.sub(r"\W+", "-", f"{worker.name}-{case}".lower())
    notes, log = folder / f"{name}.notes", folder / f"{name}.log"
    notes.unlink(missing_ok=True)
    url, dead_url = _queues(client, name)
    variables = environment(worker, client.meta.endpoint_url, url, notes)
    if case == "invalid":
        client.send_message(QueueUrl=url, MessageBody=f"no JSON, no base64: {BAD}")
    subprocess.run((*worker.send, case), env=variables, cwd=ROOT, check=True, capture_output=True)
    process = Process(worker.start, variables, log)
    began, bad_gone, all_gone, interrupted = time.time(), None, None, False
    try:
        while time.time() - began < min(PATIENCE, (all_gone or PATIENCE) + QUIET_SECONDS):
            process.keep_running()
            time.sleep(0.2)
            lines = _lines(notes)
            if case in IN_HAND and not interrupted and _is_due(lines):
                interrupted = True
                process.stop() if case == "stop" else process.kill()
            if bad_gone is None and _is_dead(client, dead_url):
                bad_gone = time.time() - began
            if not lines or _waiting(client, url):
                all_gone = None
            elif all_gone is None:
                all_gone = time.time() - began
    finally:
        process.kill()
    gone = bad_gone if bad_gone is not None else all_gone
    lines = _lines(notes)
    first = min((line["at"] for line in lines), default=began)
    seconds = None if gone is None else max(0.0, began + gone - first)
    good = {str(message["id"]) for message in messages(case)} - {BAD}
    ids = _ids(client, url), _ids(client, dead_url)
    return _outcome(good, lines, ids, first, seconds, process.restarts)


def _queues(client: SQSClient, name: str) -> tuple[str, str]:
    dead_url = client.create_queue(QueueName=f"{name}_dlq")["QueueUrl"]
    answer = client.get_queue_attributes(QueueUrl=dead_url, AttributeNames=["QueueArn"])
    redrive = {
        "deadLetterTargetArn": answer["Attributes"]["QueueArn"],
        "maxReceiveCount": str(ATTEMPTS),
    }
    url = client.create_queue(
        QueueName=name,
        Attributes={"VisibilityTimeout": str(VISIBILITY), "RedrivePolicy": json.dumps(redrive)},
    )["QueueUrl"]
    return url, dead_url


def _outcome(
    good: set[str],
    lines: list[dict[str, Any]],
    ids: tuple[list[str], list[str]],
    first: float,
    seconds: float | None,
    restarts: int,
) -> Outcome:
    left, dead = ids
    begins = Counter(line["id"] for line in lines if line["event"] == "begin")
    ends = {line["id"]: line["at"] for line in reversed(lines) if line["event"] == "end"}
    unhandled = good - ends.keys()
    end = "dead letter" if BAD in dead else "in the queue" if BAD in left else "deleted"
    handled_at = [at for one, at in ends.items() if one != BAD]
    return Outcome(
        attempts=begins[BAD],
        end=end,
        seconds=seconds,
        handled=len(good) - len(unhandled),
        again=sum(count - 1 for one, count in begins.items() if one != BAD),
        dead=len(unhandled & set(dead)),
        gone=len(unhandled - set(dead) - set(left)),
        left=len(unhandled & set(left) - set(dead)),
        last=max(handled_at) - first if handled_at else None,
        restarts=restarts,
    )


def _lines(notes: Path) -> list[dict[str, Any]]:
    if not notes.exists():
        return []
    return [json.loads(line) for line in notes.read_text(encoding="utf-8").splitlines()]


def _is_due(lines: list[dict[str, Any]]) -> bool:
    return bool(lines) and time.time() - lines[0]["at"] >= INTERRUPT_SECONDS


def _waiting(client: SQSClient, url: str) -> int:
    answer = client.get_queue_attributes(QueueUrl=url, AttributeNames=COUNTS)
    return sum(int(answer["Attributes"].get(name, "0")) for name in COUNTS)


def _is_dead(client: SQSClient, dead_url: str) -> bool:
    """Look at the dead letters without keeping them hidden."""
    answer = client.receive_message(QueueUrl=dead_url, MaxNumberOfMessages=10, VisibilityTimeout=0)
    return any(BAD in _readable(message["Body"]) for message in answer.get("Messages", []))


def _ids(client: SQSClient, url: str) -> list[str]:
    """Return the ids of the messages in a queue, those in flight excepted."""
    found: list[str] = []
    for _ in range(10):
        answer = client.receive_message(QueueUrl=url, MaxNumberOfMessages=10, VisibilityTimeout=60)
        messages = answer.get("Messages", [])
        if not messages:
            break
        found += [one for message in messages for one in IDS.findall(_readable(message["Body"]))]
    return found


def _readable(body: str) -> str:
    """Return the body with whatever is encoded in it: some workers nest base64 in JSON."""
    texts = [body]
    for _ in range(3):
        for part in re.findall(r"[A-Za-z0-9+/]{24,}={0,2}", texts[-1]):
            with suppress(binascii.Error, ValueError):
                texts.append(base64.b64decode(part, validate=True).decode(errors="replace"))
    return " ".join(texts)
