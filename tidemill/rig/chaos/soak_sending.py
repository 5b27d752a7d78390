"""Sending of a soak test: runs of the producer, until everything is sent."""

from __future__ import annotations

import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from tidemill.ledger.sent import read_sent_logs
from tidemill.rig.child_processes import child_environment, end_children
from tidemill.rig.errors import RigError
from tidemill.scaling.faults import PRODUCER

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tidemill.rig.chaos.bench import Bench
    from tidemill.rig.chaos.soak_options import SoakOptions

ATTEMPTS: Final = 100
"""Attempts of the producer at each message: more than the longest fault needs."""
MOST_RUNS: Final = 100
"""Runs of the producer, of which each sends what the earlier ones could not send."""
RUN_PAUSE: Final = 1.0
"""Seconds after a failed run of the producer until the next one."""
STOP_SECONDS: Final = 10.0


@dataclass
class Sending:
    """The producer's runs: when one ends with an error, the next one sends what is missing.

    `logs` are their logs of sent messages, `codes` their exit codes. The last one ended at
    `ended_at` of the monotonic clock. `producer` is the command line without options.
    """

    bench: Bench
    options: SoakOptions
    logs: list[Path] = field(default_factory=list)
    codes: list[int] = field(default_factory=list)
    process: subprocess.Popen[bytes] | None = None
    ended_at: float = 0.0
    producer: Sequence[str] = (sys.executable, "-m", "producer")

    def go_on(self) -> bool:
        """Return whether everything is sent; start the next run if the last one has failed.

        Raises:
            RigError: too many runs have failed.
        """
        if self.process is None:
            self._start(self.options.messages - self.options.poison, self.options.poison)
            return False
        code = self.process.poll()
        if code is None:
            return False
        if len(self.codes) < len(self.logs):
            self.codes.append(code)
            self.ended_at = time.monotonic()
        if code == 0:
            return True
        if len(self.codes) >= MOST_RUNS:
            raise RigError(f"the producer failed {MOST_RUNS} times: see {self.logs[-1]}")
        if time.monotonic() < self.ended_at + RUN_PAUSE:
            return False
        history = read_sent_logs(self.logs)
        known = [one.poison for one in history.accepted.values()]
        doubts = [name in history.poison for name in history.unanswered.elements()]
        poison = max(0, self.options.poison - sum(known) - sum(doubts))
        good = self.options.messages - len(known) - len(doubts) - poison
        if good + poison <= 0:
            return True
        self._start(max(0, good), poison)
        return False

    def end(self) -> None:
        """End the producer if it still runs."""
        if self.process is not None:
            end_children([self.process], STOP_SECONDS)

    def _start(self, messages: int, poison: int) -> None:
        number = len(self.logs) + 1
        log = self.bench.folder / f"sent-{number}.jsonl"
        log.unlink(missing_ok=True)
        self.logs.append(log)
        options = self.options
        command = [
            *self.producer,
            *("--count", str(messages), "--poison", str(poison), "--rate", str(options.rate)),
            *("--seed", str(options.seed * MOST_RUNS + number), "--attempts", str(ATTEMPTS)),
            *("--json", "--sent-log", str(log)),
        ]
        with log.with_suffix(".err").open("wb") as errors:
            self.process = subprocess.Popen(
                command,
                env=child_environment(self.bench.folder, self.bench.client_environment(PRODUCER)),
                stdin=subprocess.DEVNULL,
                stdout=errors,
                stderr=errors,
                start_new_session=True,  # Ctrl-C reaches this process only, which ends its children
            )
