"""A user at a dead-letter queue of a local SQS, who gives commands about it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from typer.testing import CliRunner

from tidemill.cli.dead_letters.app import app

if TYPE_CHECKING:
    from pathlib import Path

    from support.emulators.ministack import Ministack
    from typer.testing import Result


class Desk:
    """A dead-letter queue with its work queue, and a user who gives commands about it."""

    def __init__(self, server: Ministack, name: str, folder: Path) -> None:
        """Create both queues."""
        self.server = server
        self.folder = folder
        stem, dot, suffix = name.partition(".")
        fifo = {"FifoQueue": "true"} if dot else {}
        self.dead = server.create_queue(f"{stem}-dead-letters{dot}{suffix}", fifo)  # type: ignore[arg-type]  # a literal
        arn = f"arn:aws:sqs:eu-west-1:000000000000:{stem}-dead-letters{dot}{suffix}"
        policy = json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": "2"})
        self.work = server.create_queue(
            f"{stem}-work{dot}{suffix}",
            {**fifo, "RedrivePolicy": policy},  # type: ignore[dict-item]  # the same
        )
        self.stem = stem
        self.count = 1

    def fill(self, *bodies: str, **more: Any) -> list[str]:  # noqa: ANN401 - any parameter
        """Send dead letters; return their ids."""
        self.count = len(bodies)
        with self.server.sqs() as client:
            return [
                client.send_message(QueueUrl=self.dead, MessageBody=body, **more)["MessageId"]
                for body in bodies
            ]

    def give(self, *words: str, typed: str = "", code: int = 0) -> Result:
        """Give a command about the stack's queues; it must end with this code.

        With as many letters as the limit, it need not wait to see that there are no more.
        """
        place = ["--stack", self.stem, "--limit", str(self.count)]
        done = CliRunner().invoke(app, [words[0], *place, *words[1:]], input=typed)
        assert done.exit_code == code, (done.output, done.exception)
        return done

    def json(self, *words: str) -> Any:  # noqa: ANN401 - any object
        """Give a command and return its JSON."""
        return json.loads(self.give(*words, "--json").stdout)
