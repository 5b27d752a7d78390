"""The command `make mutants`: a table of modules and scores, and a diff for each survivor."""

from __future__ import annotations

import argparse
import difflib
import json
import subprocess
import sys
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from rich.console import Console
from rich.table import Column, Table

from benchmarks.mutants import choosing, running

if TYPE_CHECKING:
    from collections.abc import Iterable

MAKER: Final = Path(sys.prefix).parent / ".venv-mutants/bin/python"
MAKING: Final = Path(__file__).with_name("making.py")


@dataclass
class Score:
    """What became of the mutants of one module."""

    module: str
    mutants: int = 0
    killed: int = 0
    timed_out: int = 0  # of those killed
    survivors: list[dict[str, str]] = field(default_factory=list)

    @property
    def percent(self) -> float:
        """Return the share of mutants that were killed, in percent, or 100 if there were none."""
        return 100 * self.killed / self.mutants if self.mutants else 100.0


class Refusal(Exception):  # noqa: N818 - a message for the user, and not a fault of the program
    """There is nothing to run, or no way to run it."""


def main() -> int:
    """Run the command; return 0 if every module could be tested, whatever its score."""
    options = _options()
    talk = Console(stderr=True, highlight=False)
    root = Path.cwd()
    try:
        targets, untested = _targets(root, options)
        for module in untested:
            talk.print(f"{module}: not run, because it has no pure tests of its own")
        scores, broken = _run(root, targets, options.jobs, talk)
    except Refusal as refusal:
        talk.print(f"mutants: {refusal}")
        return 2
    if options.json:
        print(json.dumps([vars(score) for score in scores], indent=2))  # noqa: T201 - the output
    else:
        _print(Console(highlight=False), scores)
    return 1 if broken else 0


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.mutants", description=__doc__)
    parser.add_argument("modules", nargs="*", type=Path, help="such as images/consumer/retry.py")
    parser.add_argument(
        "--base", default="HEAD~1", help="without modules: those changed since this revision"
    )
    parser.add_argument("--jobs", type=int, help="tests at once; by default one for each core")
    parser.add_argument("--json", action="store_true", help="print JSON instead of a table")
    return parser.parse_args()


def _targets(root: Path, options: argparse.Namespace) -> tuple[list[running.Target], list[Path]]:
    missing = [path for path in options.modules if not (root / path).is_file()]
    if missing:
        raise Refusal(f"{missing[0]} is not a file; modules are named from {root}")
    try:
        modules = options.modules or choosing.changed(root, options.base)
    except subprocess.CalledProcessError as error:
        raise Refusal(f"git does not know {options.base}: {error.stderr.strip()}") from error
    if not modules:
        raise Refusal(f"no module has changed since {options.base}; name some, or another BASE")
    tests = {path: tuple(choosing.tests_of(root, path)) for path in modules}
    targets = [
        running.Target(path, choosing.dotted(path), found) for path, found in tests.items() if found
    ]
    return targets, [path for path, found in tests.items() if not found]


def _run(
    root: Path, targets: list[running.Target], jobs: int | None, talk: Console
) -> tuple[list[Score], bool]:
    """Return the scores, and whether a module is missing from them."""
    if not MAKER.exists():
        raise Refusal(f"{MAKER} is missing; `make mutants` installs it")
    running.prepare([path for target in targets for path in target.tests])
    scores = []
    for target in targets:
        try:
            scores.append(_score(root, target, jobs, talk))
        except KeyboardInterrupt:
            talk.print(f"\nstopped in {target.path}: the table has the modules before it")
            break
        except Refusal as refusal:
            talk.print(f"{target.path}: not run, {refusal}")
    return scores, len(scores) < len(targets)


def _score(
    root: Path,
    target: running.Target,
    jobs: int | None,
    talk: Console,
) -> Score:
    unharmed = running.baseline(root, target)
    if unharmed.code != running.PASSED:
        raise Refusal(f"its pure tests do not pass as it is: pytest's code is {unharmed.code}")
    mutants = _make(target.path)
    sources = [mutant["source"] for mutant in mutants]
    score = Score(str(target.path), len(mutants))
    runs = running.run(root, target, sources, running.limits(unharmed), jobs)
    for number, (index, outcome) in enumerate(runs, start=1):
        if outcome.code == running.PASSED:
            score.survivors.append(_survivor(root, target.path, mutants[index]))
        else:
            score.killed += 1
            score.timed_out += outcome.code is None
        if talk.is_terminal or number in {1, len(mutants)} or number % 25 == 0:
            text = f"{target.path}: {number} of {len(mutants)}, {len(score.survivors)} survived"
            talk.print(text, end="\r" if talk.is_terminal and number < len(mutants) else "\n")
    return score


def _make(module: Path) -> list[dict[str, str]]:
    command = [str(MAKER), str(MAKING), str(module)]
    lines = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True).stdout
    return [json.loads(line) for line in lines.splitlines()]


def _survivor(root: Path, path: Path, mutant: dict[str, str]) -> dict[str, str]:
    before = (root / path).read_text(encoding="utf-8").splitlines()
    lines = difflib.unified_diff(before, mutant["source"].splitlines(), n=0, lineterm="")
    diff = [line for line in lines if not line.startswith(("---", "+++"))]
    line = diff[0].split()[1].lstrip("-").split(",")[0]
    return {"at": f"{path}:{line}", "operator": mutant["operator"], "diff": "\n".join(diff[1:])}


def _print(console: Console, scores: Iterable[Score]) -> None:
    table = Table(
        Column("module", overflow="fold"),
        "mutants",
        "killed",
        "of these by time",
        "survived",
        "score",
    )
    for score in scores:
        counts = (score.mutants, score.killed, score.timed_out, len(score.survivors))
        table.add_row(score.module, *map(str, counts), f"{score.percent:.0f} %")
        for survivor in score.survivors:
            console.print(f"{survivor['at']} survived ({survivor['operator']})")
            console.print(f"{survivor['diff']}\n", markup=False, soft_wrap=True)
    console.print(table)


if __name__ == "__main__":
    sys.exit(main())
