"""Log outage: what an outage of CloudWatch Logs costs a consumer in lines and memory.

`PYTHONPATH=tests python -m benchmarks.log_outage` starts a local SQS, a stand-in of CloudWatch Logs
and one consumer, which processes messages before, in and after the outage. It prints which lines
arrived and how much memory the consumer took. Linux only: the memory is read from /proc.
"""

from __future__ import annotations

import argparse
import json
import sys
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from support.emulators.consumer_stage import Stage
from support.emulators.log_service import LogService, Mood, log_service
from support.emulators.ministack import running
from support.fakes.consuming import CIVIC

if TYPE_CHECKING:
    from support.emulators.programs import Program


@dataclass(frozen=True, slots=True)
class Memory:
    """Memory of a process in MiB: now, and at most so far."""

    now: float
    most: float

    @staticmethod
    def of(pid: int) -> Memory:
        """Read the memory of a process."""
        status = Path(f"/proc/{pid}/status").read_text()
        fields = dict(line.split(":", 1) for line in status.splitlines())
        now, most = (int(fields[name].split()[0]) / 1024 for name in ("VmRSS", "VmHWM"))
        return Memory(now, most)

    def __str__(self) -> str:
        """Return both numbers."""
        return f"{self.now:.0f} MiB (at most {self.most:.0f})"


def main() -> None:
    """Run an outage and print what became of the lines."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="how long the outage lasts")
    parser.add_argument("--rate", type=float, default=20, help="messages a second")
    parser.add_argument("--buffer", type=int, default=16, help="LOG_BUFFER_MIB")
    options = parser.parse_args()
    settings = {"LOG_BUFFER_MIB": str(options.buffer), "POLL_WAIT_SECONDS": "0"}
    with tempfile.TemporaryDirectory() as folder, running() as server, log_service() as service:
        stage = Stage(server, Path(folder))
        with stage.consumer(**settings, **service.environment) as consumer:
            sent = _send(stage, consumer, options.rate, 10)
            say(f"before the outage: {Memory.of(consumer.pid)}")
            service.mood = Mood.UNAVAILABLE
            began = time.monotonic()
            sent = _send(stage, consumer, options.rate, options.minutes * 60, sent)
            say(f"after {time.monotonic() - began:.0f} s of outage: {Memory.of(consumer.pid)}")
            service.mood = Mood.WELL
            consumer.wait_for("CloudWatch Logs available again")
            back = consumer.events("CloudWatch Logs available again")[0]
            say(f"available again after {back['after_seconds']:.0f} s by the consumer's clock")
            sent = _send(stage, consumer, options.rate, 10, sent)
            say(f"at the end: {Memory.of(consumer.pid)}")
            code = consumer.stop()
    say(f"exit code {code}; {sent} messages sent, {_processed(consumer)} lines of processed ones")
    sys.exit(_compare(consumer.lines, service))


def _send(stage: Stage, consumer: Program, rate: float, seconds: float, sent: int = 0) -> int:
    """Send messages for some time, and wait until they are processed; return how many so far."""
    end = time.monotonic() + seconds
    with stage.server.sqs() as client:
        while time.monotonic() < end:
            batch = [{"Id": str(number), "MessageBody": CIVIC} for number in range(10)]
            client.send_message_batch(QueueUrl=stage.url, Entries=batch)  # type: ignore[arg-type]
            sent += 10
            time.sleep(10 / rate)
    consumer.wait_for("message", sent)
    return sent


def _processed(consumer: Program) -> int:
    return sum(line["outcome"] == "processed" for line in consumer.events("message"))


def _compare(printed: list[dict[str, Any]], service: LogService) -> int:
    """Compare what was printed with what arrived; return 0 if every line is accounted for."""
    written, arrived = (list(map(json.dumps, lines)) for lines in (printed, service.lines))
    gaps = [line["LogLinesDropped"] for line in printed if line["event"] == "log lines dropped"]
    kept = set(arrived)
    in_order = [line for line in written if line in kept] == arrived
    complete = len(written) == len(arrived) + sum(gaps)
    say(f"lines: {len(written)} printed, {len(arrived)} arrived, {sum(gaps)} dropped in {gaps}")
    say(f"each that arrived came once and in order: {in_order}; all accounted for: {complete}")
    return 0 if in_order and complete else 1


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
