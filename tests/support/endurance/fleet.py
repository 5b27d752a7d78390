"""A small fleet of consumers at full load, of which one after another has to leave."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tidemill.ledger.account import draw_up
from tidemill.ledger.aws import counts, look_at
from tidemill.ledger.causes import Conditions
from tidemill.ledger.figures import figures
from tidemill.ledger.folder import LineFolder
from tidemill.ledger.queues import Queues
from tidemill.ledger.sent import read_sent_logs

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mypy_boto3_sqs import SQSClient
    from support.emulators.consumer_stage import Stage

PATIENCE: Final = 60.0
"""Seconds to wait for a consumer; a quiet machine needs far fewer."""

HANDLER: Final = """
import time
from consumer.handlers.api import Message

def handle(body: dict, message: Message) -> None:
    note("begun", message)
    time.sleep(body["seconds"])
    note("ended", message)

def note(what: str, message: Message) -> None:
    with open("notes", "a") as file:
        file.write(f"{what} {message.id} {time.time():.3f}\\n")
"""
"""Notes what it does, so that what happened is known even if the consumer cannot say it."""


@dataclass(frozen=True, slots=True)
class Leaving:
    """How a consumer has to leave.

    With `drained` it gets SIGTERM, as the drain watcher sends it, and SIGKILL if it still runs when
    the hook's time is over. Otherwise all its processes get SIGKILL at once.
    """

    drained: bool
    hook_seconds: float = 12.0


@dataclass(slots=True, eq=False)
class Member:
    """A consumer of the fleet; `asked_at` is when it had to leave, by the monotonic clock."""

    name: str
    process: subprocess.Popen[bytes]
    log: Path
    asked_at: float | None = None

    def kill(self) -> None:
        """End the consumer and its worker processes at once."""
        os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def lines(self) -> int:
        """Return how many attempts it has written a line of."""
        return self.log.read_bytes().count(b'"event":"message",')

    def handles(self) -> bool:
        """Return whether it has handled a message."""
        return self.lines() > 0


@dataclass
class Fleet:
    """The consumers, the messages that are sent to them, and what was seen of both.

    At least `backlog` messages are always visible, so that each consumer has as much as it takes.
    `living` are those that are not asked to leave, the oldest first. `took` are the seconds that
    those which have left took for it, `killed` is how many of them the hook's end has killed.
    """

    stage: Stage
    sqs: SQSClient
    leaving: Leaving
    settings: dict[str, str]
    handler_seconds: float = 0.2
    backlog: int = 100
    living: list[Member] = field(default_factory=list)
    going: list[Member] = field(default_factory=list)
    took: list[float] = field(default_factory=list)
    killed: int = 0
    sent: dict[str, float] = field(default_factory=dict)
    _launched: int = 0
    _fed_at: float = 0.0

    def __post_init__(self) -> None:
        """Write the handler, where the consumers find it."""
        self.logs.mkdir()
        (self.stage.directory / "endurance_handler.py").write_text(HANDLER)

    @property
    def logs(self) -> Path:
        """Return the folder of the consumers' lines."""
        return self.stage.directory / "logs"

    def launch(self) -> Member:
        """Start a consumer."""
        self._launched += 1
        name = f"i-{self._launched:04d}"
        log = self.logs / f"{name}.jsonl"
        environment = {
            **self.stage.server.environment,
            "QUEUE_URL": self.stage.url,
            "INSTANCE_ID": name,
            "HANDLER": "endurance_handler:handle",
            "WORKERS": "1",
            "CONCURRENCY": "2",
            "POLL_WAIT_SECONDS": "0.1",
            **self.settings,
        }
        with log.open("wb") as out, log.with_suffix(".err").open("wb") as errors:
            process = subprocess.Popen(
                [sys.executable, "-m", "consumer"],
                env=environment,
                cwd=self.stage.directory,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=errors,
                start_new_session=True,  # a group of its own, which ends as a whole
            )
        member = Member(name, process, log)
        self.living.append(member)
        return member

    def ask(self, member: Member) -> None:
        """Let a consumer leave."""
        member.asked_at = time.monotonic()
        self.living.remove(member)
        self.going.append(member)
        if self.leaving.drained:
            member.process.send_signal(signal.SIGTERM)
        else:
            member.kill()

    def tend(self) -> None:
        """Note who has left, and kill those for whom the hook's time is over."""
        now = time.monotonic()
        for member in [*self.going]:
            asked = member.asked_at or now
            if member.process.poll() is None:
                if now < asked + self.leaving.hook_seconds:
                    continue
                member.kill()
                self.killed += 1
            self.took.append(now - asked)
            self.going.remove(member)

    def feed(self) -> None:
        """Send as many messages as are missing, a few times a second."""
        now = time.monotonic()
        if now < self._fed_at + 0.25:
            return
        self._fed_at = now
        for _ in range(counts(self.sqs, self.stage.url)[0], self.backlog, 10):
            self.send_ten()

    def send_ten(self) -> None:
        """Send ten messages."""
        body = json.dumps({"seconds": self.handler_seconds})
        answer = self.sqs.send_message_batch(
            QueueUrl=self.stage.url,
            Entries=[{"Id": str(one), "MessageBody": body} for one in range(10)],
        )
        self.sent |= {one["MessageId"]: time.time() for one in answer["Successful"]}

    def go_on_until(self, true: Callable[[], bool], seconds: float = PATIENCE) -> None:
        """Send messages and tend the consumers until something is so.

        Raises:
            AssertionError: it took too long.
        """
        deadline = time.monotonic() + seconds
        while not true():
            assert time.monotonic() < deadline, self._errors()
            self.feed()
            self.tend()
            time.sleep(0.02)

    def begin(self, size: int) -> None:
        """Start consumers, and wait until each of them has handled a message."""
        members = [self.launch() for _ in range(size)]
        self.go_on_until(lambda: all(member.handles() for member in members))

    def scale_in(self, seconds: float, every: float) -> None:
        """Let the oldest leave and start another one every few seconds, for some time."""
        end = time.monotonic() + seconds
        due = time.monotonic()

        def is_due() -> bool:
            return time.monotonic() >= due

        while time.monotonic() < end:
            self.ask(self.living[0])
            self.launch()
            due += every
            self.go_on_until(is_due)

    def replace_all(self) -> None:
        """Replace each one: the next leaves when another has begun to work in its place."""
        for member in [*self.living]:
            self.go_on_until(self.launch().handles)
            self.ask(member)
            self.go_on_until(lambda: not self.going)

    def leave(self) -> None:
        """Let all leave, and wait until all have left, while nothing is sent any more."""
        for member in [*self.living]:
            self.ask(member)
        while self.going:
            self.tend()
            time.sleep(0.02)

    def close(self) -> None:
        """Kill what still runs."""
        for member in (*self.living, *self.going):
            if member.process.poll() is None:
                member.kill()

    def counts(self) -> tuple[int, int]:
        """Return how many messages are visible and how many in flight."""
        visible, in_flight, _ = counts(self.sqs, self.stage.url)
        return visible, in_flight

    def account(self) -> dict[str, Any]:
        """Return the figures of the ledger, once all have left."""
        log = self.stage.directory / "sent.jsonl"
        log.write_text("".join(map(_sent_line, self.sent.items())))
        sent, lines = read_sent_logs([log]), LineFolder(self.logs)
        queues = self._look()
        lines.read()
        account = draw_up(sent, lines.record, queues, Conditions())
        return figures(account, sent, lines.record)

    def _look(self) -> Queues:
        urls = (self.stage.url, self.stage.dead_letters)
        return Queues(*(look_at(self.sqs, url, inside=True) for url in urls))

    def notes(self) -> list[tuple[str, str, float]]:
        """Return what handlers have noted: what, the message's id, and when."""
        lines = (self.stage.directory / "notes").read_text().splitlines()
        parts = (line.split() for line in lines)
        return [(what, message_id, float(at)) for what, message_id, at in parts]

    def _errors(self) -> str:
        return "\n".join(path.read_text()[-500:] for path in sorted(self.logs.glob("*.err")))


def _sent_line(message: tuple[str, float]) -> str:
    message_id, sent_at = message
    return json.dumps({"message_id": message_id, "sent_at": sent_at}) + "\n"
