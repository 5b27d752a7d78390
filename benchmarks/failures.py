"""Failures: what each kind of failure costs Tidemill and other workers, side by side.

`python -m benchmarks.failures` starts a local SQS (MiniStack), installs the peers into
build/benchmarks, and lets each worker handle a bad message beside nine good ones, or be stopped or
killed with ten in hand. It prints tables. A run takes up to 75 s, and several go on at once.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

import boto3

from benchmarks.failure_run import Outcome, run
from benchmarks.peers.catalogue import SESSION, WORKERS, install
from benchmarks.peers.work import IN_HAND
from tidemill.rig.door.credentials import USER
from tidemill.rig.local_aws.ministack import local_aws

if TYPE_CHECKING:
    from collections.abc import Callable

    from benchmarks.peers.catalogue import Worker

CASES: Final = {
    "raise": "the handler raises",
    "exit": "it exits (`sys.exit`)",
    "sigkill": "its process gets SIGKILL",
    "segfault": "its process crashes (SIGSEGV)",
    "hang": "it never returns",
    "invalid": "the body cannot be read",
    "stop": "SIGTERM to the worker",
    "kill": "SIGKILL to all its processes",
}


def main() -> None:
    """Run what was asked for and print what each kind of failure cost."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--cases", default=",".join(CASES), help="some of them, by commas")
    parser.add_argument("--workers", default="", help="names that contain one of these texts")
    parser.add_argument("--jobs", type=int, default=3, help="runs at the same time")
    parser.add_argument("--keep", type=Path, help="folder for the workers' logs")
    options = parser.parse_args()
    missing = install()
    asked = [name.lower() for name in options.workers.split(",") if name]
    workers = [
        worker
        for worker in WORKERS
        if not asked or any(name in worker.name.lower() for name in asked)
    ]
    with tempfile.TemporaryDirectory() as temporary:
        folder = options.keep or Path(temporary)
        folder.mkdir(parents=True, exist_ok=True)
        with local_aws(folder, 0, "eu-west-1", SESSION) as aws:
            outcomes = _run_all(workers, options, missing, folder, aws.url)
    cases = options.cases.split(",")
    bad = [case for case in cases if case not in IN_HAND]
    whole = [case for case in cases if case in IN_HAND]
    table = Tables(workers, outcomes, missing)
    table.write("The bad message: attempts, its end, seconds until then", bad, bad_message)
    table.write("Its nine neighbours: handled, seconds until the last one was", bad, neighbours)
    table.write("Ten messages in hand: handled, seconds until the last one was", whole, neighbours)


def _run_all(
    workers: list[Worker],
    options: argparse.Namespace,
    missing: dict[str, str],
    folder: Path,
    endpoint: str,
) -> dict[tuple[str, str], Outcome]:
    client = boto3.client(
        "sqs",
        endpoint_url=endpoint,
        region_name="eu-west-1",
        aws_access_key_id=SESSION.keys(USER).access_key,
        aws_secret_access_key=SESSION.keys(USER).secret_key,
    )
    pairs = [
        (worker, case)
        for case in options.cases.split(",")
        for worker in workers
        if worker.name not in missing
    ]

    def one(pair: tuple[Worker, str]) -> Outcome:
        outcome = run(*pair, client, folder)
        sys.stderr.write(f"{pair[0].name}, {pair[1]}: {outcome}\n")
        return outcome

    with ThreadPoolExecutor(options.jobs) as threads:
        results = list(threads.map(one, pairs))
    return {
        (worker.name, case): result for (worker, case), result in zip(pairs, results, strict=True)
    }


@dataclass(frozen=True, slots=True)
class Tables:
    """The outcomes as tables of Markdown: a row for each case, a column for each worker."""

    workers: list[Worker]
    outcomes: dict[tuple[str, str], Outcome]
    missing: dict[str, str]

    def write(self, title: str, cases: list[str], cell: Callable[[Outcome], str]) -> None:
        """Print a table, unless it has no row."""
        if not cases:
            return
        names = [worker.name for worker in self.workers]
        rows = [f"### {title}", _row(["", *names]), _row(["---"] * (len(names) + 1))]
        rows += [
            _row([CASES[case], *(self._cell(name, case, cell) for name in names)]) for case in cases
        ]
        sys.stdout.write("\n".join(rows) + "\n\n")

    def _cell(self, name: str, case: str, cell: Callable[[Outcome], str]) -> str:
        outcome = self.outcomes.get((name, case))
        return f"not run: {self.missing[name]}" if outcome is None else cell(outcome)


def bad_message(outcome: Outcome) -> str:
    """Return what became of the bad message."""
    if outcome.seconds is None:
        return f"{outcome.attempts}, {outcome.end} to the end"
    return f"{outcome.attempts}, {outcome.end}, {outcome.seconds:.0f} s"


def neighbours(outcome: Outcome) -> str:
    """Return what became of good messages."""
    parts = [f"{outcome.handled}"]
    if outcome.last is not None:
        parts[0] += f", {outcome.last:.0f} s"
    for number, what in (
        (outcome.again, "begun twice"),
        (outcome.dead, "dead-lettered"),
        (outcome.gone, "lost"),
        (outcome.left, "still waiting"),
    ):
        if number:
            parts.append(f"**{number} {what}**")
    if outcome.restarts:
        parts.append(f"{outcome.restarts} restarted")
    return "; ".join(parts)


def _row(cells: list[str]) -> str:
    return f"| {' | '.join(cells)} |"


if __name__ == "__main__":
    main()
