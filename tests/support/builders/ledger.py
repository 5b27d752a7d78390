"""Records of runs for the ledger: a sent log, workers' lines and what is in the queues."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any

from shared.body_digest import body_digest
from tidemill.ledger.account import Account, draw_up
from tidemill.ledger.causes import Conditions
from tidemill.ledger.lines import WorkerRecord
from tidemill.ledger.queues import QueueLook, Queues
from tidemill.ledger.sent import SentHistory, add_lines

DELETED = "messages deleted"
NOT_DELETED = "messages not deleted, they will be received again"
RETURNED = "messages returned"
LEASE_LOST = "message may be received again while its handler runs"
CUT_OFF = "handler still running at the limit"


def body_of(message_id: str) -> str:
    """Return the body of a message."""
    return json.dumps({"name": message_id})


@dataclass(slots=True)
class Story:
    """What happened in a run, told line by line."""

    sent_lines: list[bytes] = field(default_factory=list)
    worker_lines: list[tuple[str, dict[str, Any]]] = field(default_factory=list)
    work: dict[str, str] = field(default_factory=dict)
    dead: dict[str, str] = field(default_factory=dict)
    hidden: int = 0

    # ---- the producer

    def sending(self, *numbers: int, poison: bool = False) -> None:
        """Let the producer ask SQS to take messages, whose bodies are those of "1", "2", ..."""
        origin = "poison" if poison else "line"
        named = [[origin, number, body_digest(body_of(str(number)))] for number in numbers]
        self._add_sent({"sending": named, "at": 1.0})

    def accepted(self, number: int, message_id: str = "", *, poison: bool = False) -> None:
        """Let SQS accept the message, by default with its number as its id."""
        place = {"index" if poison else "line": number}
        line = {"message_id": message_id or str(number), "poison": poison, "sent_at": 1.0}
        self._add_sent({**line, **place})

    def not_sent(self, *numbers: int) -> None:
        """Let SQS refuse messages."""
        self._add_sent({"not_sent": [["line", number] for number in numbers], "at": 1.0})

    def sent(self, *numbers: int) -> None:
        """Let SQS accept messages, one request for each."""
        for number in numbers:
            self.sending(number)
            self.accepted(number)

    def _add_sent(self, line: dict[str, Any]) -> None:
        self.sent_lines.append(json.dumps(line).encode() + b"\n")

    # ---- workers

    def say(self, instance: str, event: str, *ids: str, **fields: Any) -> None:  # noqa: ANN401 - any field of a line
        """Let a worker write a line."""
        named: dict[str, Any] = {"message_ids": list(ids)} if ids else {}
        if event == LEASE_LOST:
            named = {"message_id": ids[0]}
        time = f"2026-01-01T00:00:{len(self.worker_lines) % 60:02d}.000+00:00"
        line = {"time": time, "level": "INFO", "event": event, "instance_id": instance}
        self.worker_lines.append((instance, {**line, **named, **fields}))

    def attempt(
        self, instance: str, message_id: str, outcome: str = "processed", receive: int = 1
    ) -> None:
        """Let an attempt end."""
        self.say(
            instance,
            "message",
            message_id=message_id,
            outcome=outcome,
            receive_count=receive,
            reason=None if outcome == "processed" else "because",
            body=json.loads(body_of(message_id)),
        )

    def done(self, instance: str, message_id: str, receive: int = 1) -> None:
        """Let a message be processed and deleted."""
        self.attempt(instance, message_id, receive=receive)
        self.say(instance, DELETED, message_id)

    # ---- the ledger

    def history(self) -> SentHistory:
        """Return what was sent."""
        history = SentHistory()
        add_lines(history, self.sent_lines)
        return history

    def record(self) -> WorkerRecord:
        """Return what the workers say."""
        record = WorkerRecord()
        for instance, line in self.worker_lines:
            record.add(instance, json.dumps(line, separators=(",", ":")).encode())
        return record

    def queues(self) -> Queues:
        """Return what is in the queues."""
        return Queues(QueueLook(self.work, self.hidden), QueueLook(self.dead))

    def account(self, conditions: Conditions | None = None) -> Account:
        """Return the account of the run."""
        return draw_up(self.history(), self.record(), self.queues(), conditions or Conditions())
