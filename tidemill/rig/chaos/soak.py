"""Soak test: sends messages through a fleet while faults happen, drains it, and counts them all."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from tidemill.ledger.account import draw_up
from tidemill.ledger.causes import Conditions
from tidemill.ledger.figures import figures
from tidemill.ledger.folder import LineFolder
from tidemill.ledger.queues import write_queues
from tidemill.ledger.sent import read_sent_logs
from tidemill.rig.chaos.plan import draw_plan, kinds_of, write_plan
from tidemill.rig.chaos.runner import PlanRun
from tidemill.rig.child_processes import child_environment, end_children
from tidemill.rig.errors import RigError
from tidemill.scaling.fault_kinds import KINDS, Target
from tidemill.scaling.faults import PRODUCER

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from pathlib import Path

    from tidemill.ledger.queues import Queues
    from tidemill.rig.chaos.bench import Bench
    from tidemill.rig.chaos.runner import Happening

PAUSE: Final = 0.1
QUIET_SECONDS: Final = 2.0
"""Seconds for which a queue has to be empty until it counts as drained."""
ATTEMPTS: Final = 100
"""Attempts of the producer at each message: more than the longest fault needs."""
MOST_RUNS: Final = 100
"""Runs of the producer, of which each sends what the earlier ones could not send."""
RUN_PAUSE: Final = 1.0
"""Seconds after a failed run of the producer until the next one."""
STOP_SECONDS: Final = 10.0
BOOT_SECONDS: Final = 60.0
"""Time for the first worker to start: faults begin then, even without one."""


@dataclass(frozen=True, slots=True)
class SoakOptions:
    """A soak test; its times are wall-clock seconds.

    Attributes:
        seed: of the plan, and of the messages.
        messages: how many are sent, malformed ones included.
        poison: how many of them are malformed.
        rate: messages a second.
        instances: the largest number of instances.
        every: seconds from one fault to the next; while messages are sent, faults happen.
        kinds: the kinds of faults; empty for all that the world can imitate.
        drain_seconds: how long to wait for an empty queue after the last fault.
    """

    seed: int
    messages: int
    poison: int
    rate: float
    every: float
    instances: int
    kinds: Sequence[str] = ()
    drain_seconds: float = 300.0


@dataclass
class _Sending:
    """The producer's runs: when one ends with an error, the next one sends what is missing.

    `logs` are their logs of sent messages, `codes` their exit codes. The last one ended at
    `ended_at` of the monotonic clock.
    """

    bench: Bench
    options: SoakOptions
    logs: list[Path] = field(default_factory=list)
    codes: list[int] = field(default_factory=list)
    process: subprocess.Popen[bytes] | None = None
    ended_at: float = 0.0

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
            *(sys.executable, "-m", "producer"),
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


def run_soak(
    bench: Bench, options: SoakOptions, show: Callable[[str], None]
) -> tuple[Queues, PlanRun, _Sending]:
    """Send messages while faults happen, and wait until the queue is empty.

    Args:
        bench: the fleet under test.
        options: what to send, and how often faults happen.
        show: called with a line about each fault, and about the producer.

    Returns:
        One look at the queues, what became of the faults, and the producer's runs.

    Raises:
        RigError: the producer fails again and again.
    """
    plan = draw_plan(
        options.seed,
        options.messages / options.rate * bench.speed,
        options.every * bench.speed,
        options.kinds or kinds_of(bench.kind),
    )
    (bench.folder / "plan.json").write_text(write_plan(plan) + "\n")
    going = PlanRun(plan, bench.inject, bench.speed)
    sending = _Sending(bench, options)
    begun = time.monotonic()
    started: float | None = None  # when the faults begin
    busy_at, calm_at = begun, float("inf")
    try:
        now = begun
        while now < busy_at + QUIET_SECONDS and now < calm_at + options.drain_seconds:
            bench.turn()
            now = time.monotonic()
            if started is None and (_works(bench) or now > begun + BOOT_SECONDS):
                started = now
            for one in going.advance(now - started) if started is not None else ():
                show(line_of(one))
            sent = sending.go_on()
            over = sent and started is not None and going.is_over(now - started)
            if over:
                calm_at = min(calm_at, now)
            if not over or bench.waiting():
                busy_at = now
            time.sleep(PAUSE)
    finally:
        sending.end()
    return bench.look(), going, sending


def _works(bench: Bench) -> bool:
    """Return whether a worker has written a line."""
    return any(path.stat().st_size for path in bench.logs.glob("*.jsonl"))


def line_of(one: Happening) -> str:
    """Return what became of a fault, in a line."""
    what = f"missed: {one.missed}" if one.missed else f"of {one.target}"
    return f"{one.at:g} s: {one.fault['kind']} {what}"


def summarize(
    bench: Bench, options: SoakOptions, outcome: tuple[Queues, PlanRun, _Sending]
) -> dict[str, Any]:
    """Return the figures of a soak test whose workers have ended, and keep them in its folder."""
    queues, going, sending = outcome
    write_queues(bench.folder, queues)
    sent = read_sent_logs(sending.logs)
    lines = LineFolder(bench.logs)
    lines.read()
    account = draw_up(sent, lines.record, queues, Conditions(faults=faults_of(going)))
    summary = {
        "world": bench.kind.value,
        "messages": options.messages,
        "instances": options.instances,
        "every_seconds": options.every,
        **going.figures(),
        "producer_runs": len(sending.logs),
        **figures(account, sent, lines.record),
    }
    summary["broken_promises"] = broken_promises(summary)
    (bench.folder / "summary.json").write_text(json.dumps(summary, indent=1) + "\n")
    return summary


def faults_of(going: PlanRun) -> dict[str, list[str]]:
    """Return the faults that happened to each instance itself, or to its calls alone."""
    found: dict[str, list[str]] = {}
    for one in going.done:
        kind = one.fault["kind"]
        ours = KINDS[kind].target in {Target.INSTANCE, Target.CALLER}
        if ours and one.target.startswith("i-"):
            found.setdefault(one.target, []).append(kind)
    return found


def broken_promises(summary: dict[str, Any]) -> list[str]:
    """Return a sentence for each promise that a run did not keep; without any, it passes."""
    wrong = [
        f"{summary[name]} messages are {word}"
        for name, word in (
            ("lost", "lost"),
            ("left_in_queue", "stuck in the queue"),
            ("unexpected", "unexpected"),
            ("unknown", "of unknown fate"),
        )
        if summary[name]
    ]
    if summary["poison_dead_lettered"] != summary["poison"]:
        wrong.append(
            f"{summary['poison'] - summary['poison_dead_lettered']} malformed messages are not "
            "among the dead letters"
        )
    if summary["unexplained_duplicates"]:
        wrong.append(f"{summary['unexplained_duplicates']} duplicates have no explanation")
    if not summary["faults_happened"]:
        wrong.append("no fault happened")
    known = summary["sent"] + summary["indeterminate"]
    if known < summary["messages"]:
        wrong.append(f"{summary['messages'] - known} messages were not sent")
    return wrong
