"""Failures: what each kind of failure costs Tidemill and other workers, side by side.

`python -m benchmarks.failures` starts a local SQS (MiniStack), installs the peers into
build/benchmarks, and lets each worker handle a bad message beside nine good ones, or be stopped or
killed with ten in hand. It prints a table. A run takes up to 75 s, and several go on at once.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING, Final

import boto3

from benchmarks.failure_run import Outcome, run
from benchmarks.peers.catalogue import WORKERS, install
from benchmarks.peers.work import IN_HAND, NEIGHBOURS
from tidemill.rig.local_aws.ministack import local_aws

if TYPE_CHECKING:
    from benchmarks.peers.catalogue import Worker

CASES: Final = {
    "raise": "the handler raises",
    "exit": "the handler calls sys.exit(1)",
    "sigkill": "the handler's process gets SIGKILL (out of memory)",
    "segfault": "the handler's process crashes (segmentation fault)",
    "hang": "the handler never returns",
    "invalid": "the body cannot be read",
    "stop": "SIGTERM with ten messages in hand",
    "kill": "SIGKILL of all processes with ten messages in hand",
}
HEADINGS: Final = (
    *("worker", "attempts", "its end", "after", "neighbours handled"),
    *("begun again", "dead letters", "lost", "last one after", "restarts"),
)


def main() -> None:
    """Run what was asked for and print a table for each kind of failure."""
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
        with local_aws(folder, 0, "eu-west-1") as endpoint:
            outcomes = _run_all(workers, options, missing, folder, endpoint)
    for case in options.cases.split(","):
        _print_table(case, workers, outcomes, missing)


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
        aws_access_key_id="test",
        aws_secret_access_key="test",  # noqa: S106 - no secret: emulators check none
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


def _print_table(
    case: str,
    workers: list[Worker],
    outcomes: dict[tuple[str, str], Outcome],
    missing: dict[str, str],
) -> None:
    total = NEIGHBOURS + (case in IN_HAND)
    rows = [f"### {case}: {CASES[case]}", _row(HEADINGS), _row(["---"] * len(HEADINGS))]
    for worker in workers:
        outcome = outcomes.get((worker.name, case))
        if outcome is None:
            rows.append(_row([worker.name, f"not run: {missing[worker.name]}"]))
            continue
        bad = case not in IN_HAND
        rows.append(
            _row(
                [
                    worker.name,
                    str(outcome.attempts) if bad else "",
                    outcome.end if bad else "",
                    _seconds(outcome.seconds) if bad else "",
                    f"{outcome.handled} of {total}",
                    str(outcome.again),
                    str(outcome.dead),
                    str(outcome.gone) + (f" and {outcome.left} waiting" if outcome.left else ""),
                    _seconds(outcome.last),
                    str(outcome.restarts),
                ]
            )
        )
    sys.stdout.write("\n".join(rows) + "\n\n")


def _row(cells: list[str] | tuple[str, ...]) -> str:
    return f"| {' | '.join(cells)} |"


def _seconds(seconds: float | None) -> str:
    return "never" if seconds is None else f"{seconds:.0f} s"


if __name__ == "__main__":
    main()
