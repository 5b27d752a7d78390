"""Scripts of trials: which programs run, when they are stopped, and what the ledger says then."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from support.gate.faulty_sqs import faulty
from support.gate.trial import Trial, wait_until

from tidemill.ledger.account import draw_up
from tidemill.ledger.causes import Conditions
from tidemill.ledger.figures import figures
from tidemill.ledger.folder import LineFolder
from tidemill.ledger.problems import problems_of
from tidemill.ledger.queues import Queues, read_queues
from tidemill.ledger.sent import read_sent_logs

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

ORDERS: Final = [
    *["work"] * 12,
    *("slow", "fail once", "fail once", "fail", "reject", "reject"),
    *["work"] * 18,
]
"""What becomes of each message; the first ones are deleted first, and one of them is not."""


@dataclass(slots=True)
class Found:
    """What the ledger says: the names of its problems, its figures, and sentences for people."""

    names: set[str]
    figures: dict[str, Any]
    texts: list[str]


def _found(folder: Path, queues: Queues) -> Found:
    """Return what the ledger says of the records in a folder."""
    lines = LineFolder(folder / "logs")
    lines.read()
    sent = read_sent_logs([folder / "sent.jsonl"])
    account = draw_up(sent, lines.record, queues, Conditions())
    problems = problems_of(account)
    return Found(
        {one.name for one in problems},
        figures(account, sent, lines.record),
        [str(one) for one in problems],
    )


def _order(number: int, does: str) -> str:
    return json.dumps({"name": number, "does": does})


def busy(trial: Trial) -> None:
    """Two workers handle orders; the one that has a slow one in hand is stopped meanwhile."""
    trial.produce([_order(number, does) for number, does in enumerate(ORDERS)])
    with (
        trial.worker("i-1", RECEIVE_WAIT_SECONDS="1") as one,
        trial.worker("i-2", RECEIVE_WAIT_SECONDS="1") as other,
    ):
        slow = trial.folder / "slow"
        wait_until(lambda: slow.exists() and bool(slow.read_text()))
        first, second = (other, one) if slow.exists() and "2" in slow.read_text() else (one, other)
        trial.stop(first)
        wait_until(trial.empty)
        trial.stop(second)


def idle(trial: Trial) -> None:
    """A worker that waits for messages is stopped, and one comes before its receive has ended.

    It expects handlers to take 30 s, so it cannot finish the message and returns it.
    """
    with trial.worker("i-1", RECEIVE_WAIT_SECONDS="5") as first:
        wait_until(lambda: trial.said("i-1", "started"))
        before = trial.sqs.receives
        wait_until(lambda: trial.sqs.receives > before)
        first.send_signal(signal.SIGTERM)
        trial.send_at_once(_order(1, "work"))
        trial.wait(first)
    with trial.worker("i-2", RECEIVE_WAIT_SECONDS="1") as second:
        wait_until(trial.empty)
        trial.stop(second)


def fleet(copy: Path, folder: Path) -> Found:
    """A whole rig runs the copy's template from the first instance to the last."""
    options = ("--count", "40", "--speed", "30", "--boot-seconds", "30", "-P", "HoldSeconds=120")
    command = (sys.executable, "-m", "tidemill", "demo", "--template", str(copy / "template.yaml"))
    folder.mkdir()
    subprocess.run([*command, *options], cwd=folder, check=False, capture_output=True)
    return _found(folder / "build/demo", read_queues(folder / "build/demo"))


def tried(name: str, environment: Mapping[str, str], copy: Path, folder: Path) -> Found:
    """Run the trial of this name with a copy of programs and template; return what is found.

    The environment is that of a client of the emulator; this process's own changes meanwhile.
    """
    if name == "fleet":
        return fleet(copy, folder)
    with faulty(environment["AWS_ENDPOINT_URL"]) as sqs:
        trial = Trial(environment, sqs, copy / "images", folder)
        {"busy": busy, "idle": idle}[name](trial)
        return _found(folder, trial.queues())
