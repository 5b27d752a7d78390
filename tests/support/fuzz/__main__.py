"""Fuzzer: `python -m support.fuzz` gives hostile input to every part that reads what others write.

It prints the seed and the number of cases of each target, and the input of each failure.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
import traceback
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from support.fuzz.targets import TARGETS

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from support.fuzz.target import Target

CHUNK: Final = 2_000
"""Cases of one run of hypothesis: it remembers all of them, so longer runs become slow."""


@dataclass(frozen=True, slots=True)
class Result:
    """A chunk of a target: `failure` is empty, or says what went wrong with which input."""

    target: str
    seed: int
    cases: int
    failure: str


def run_chunk(name: str, seed: int, cases: int, targets: Sequence[Target] = TARGETS) -> Result:
    """Run a chunk in this process."""
    count = 0

    def counted() -> None:
        nonlocal count
        count += 1

    target = next(target for target in targets if target.name == name)
    try:
        target.test(cases, seed, counted)()
    except BaseException as error:  # noqa: BLE001 - whatever the code under test has raised
        return Result(name, seed, count, "".join(traceback.format_exception(error)))
    return Result(name, seed, count, "")


def main(arguments: Sequence[str]) -> int:
    """Run the fuzzer; return 1 if a case failed."""
    options = _options(arguments)
    chosen = [target for target in TARGETS if not options.target or target.name in options.target]
    shares = sum(target.share for target in chosen)
    began = time.monotonic()
    done = {target.name: 0 for target in chosen}
    failures: list[Result] = []
    with ProcessPoolExecutor(options.jobs) as pool:
        futures = [
            pool.submit(run_chunk, target.name, seed, cases)
            for target in chosen
            for seed, cases in chunks(options.seed, options.cases * target.share / shares)
        ]
        for future in as_completed(futures):
            result = future.result()
            done[result.target] += result.cases
            if result.failure:
                failures.append(result)
                print(f"{result.target}, seed {result.seed}:\n{result.failure}", file=sys.stderr)
            if sys.stderr.isatty():
                print(f"\r{sum(done.values()):,} cases", end="", file=sys.stderr)
    seconds = time.monotonic() - began
    if options.json:
        print(
            json.dumps(
                {
                    "seed": options.seed,
                    "seconds": round(seconds, 1),
                    "cases": done,
                    "failures": [asdict(failure) for failure in failures],
                }
            )
        )
    else:
        for name, cases in done.items():
            failed = sum(failure.target == name for failure in failures)
            print(f"{name:20} {cases:>9,} cases  {failed} failures")
        total = sum(done.values())
        print(f"{'all':20} {total:>9,} cases  seed {options.seed}, {seconds:.0f} s")
    return 1 if failures else 0


def chunks(seed: int, cases: float) -> Iterator[tuple[int, int]]:
    """Yield a seed and a number of cases for each chunk of a target."""
    left, number = max(1, round(cases)), seed
    while left > 0:
        yield number, min(CHUNK, left)
        left -= CHUNK
        number += 1


def _options(arguments: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m support.fuzz", description=__doc__)
    parser.add_argument("--cases", type=int, default=1_000_000, help="cases in all (%(default)s)")
    parser.add_argument("--seed", type=int, default=1, help="seed of the first chunk")
    parser.add_argument("--jobs", type=int, default=os.cpu_count(), help="processes")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    parser.add_argument(
        "--target",
        action="append",
        choices=[target.name for target in TARGETS],
        help="only this one; may be given several times",
    )
    return parser.parse_args(arguments)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
