"""A redrive as a process that is killed at its calls, and resumed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections import Counter
from typing import TYPE_CHECKING

import pytest
from support.emulators.recording_proxy import Fault, recording

from tidemill.dead_letters.sweep import HIDE_SECONDS

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from support.emulators.ministack import Ministack
    from support.emulators.recording_proxy import Request

pytestmark = pytest.mark.impure  # starts the command

LETTERS = 15
LONG = f'"VisibilityTimeout": {HIDE_SECONDS}'.encode()
SHORT = b'"VisibilityTimeout":  2'
"""Letters of a program that is killed are hidden for two seconds, not for half a minute."""


def test_a_redrive_that_is_killed_and_resumed_moves_everything(
    ministack: Ministack, tmp_path: Path
) -> None:
    """By SIGKILL, after SQS has acted on a send, and on a delete; nothing else is there twice."""
    dead, work = (ministack.create_queue(f"killed-{name}") for name in ("dead", "work"))
    bodies = [str(number) for number in range(LETTERS)]
    ministack.send(dead, *bodies)
    command = [sys.executable, "-m", "tidemill", "dlq", "redrive", "--all", "--yes", "--json"]
    command += ["--queue", "killed-dead", "--to", "killed-work", "--journal", "journal.jsonl"]
    assert len(LONG) == len(SHORT)
    for operation in ("SendMessageBatch", "DeleteMessageBatch"):
        with recording(ministack.endpoint) as proxy:
            proxy.rewrite = lambda body: body.replace(LONG, SHORT)
            proxy.fault = _after(operation)
            process = subprocess.Popen(
                [*command, "--endpoint-url", proxy.endpoint],
                env=ministack.environment,
                cwd=tmp_path,
            )
            try:
                proxy.wait_until_held()
            finally:
                process.kill()
                process.wait()
    done = subprocess.run(
        command, env=ministack.environment, cwd=tmp_path, capture_output=True, check=False
    )
    assert done.returncode == 0, done.stderr.decode()
    found = json.loads(done.stdout)
    copies = Counter(ministack.take_all(work))
    assert set(copies) == set(bodies)
    assert ministack.counts(dead) == (0, 0)
    # One request had been taken when the process was killed; the next run sent it again.
    assert sum(copies.values()) == LETTERS + 10
    assert not found["unanswered"]


def _after(operation: str) -> Callable[[Request], Fault | None]:
    def decide(request: Request) -> Fault | None:
        return Fault.ANSWER_HELD if request.operation == operation else None

    return decide
