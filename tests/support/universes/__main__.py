"""`python -m support.universes`: many universes on all cores, or one of them with its events.

It prints the revision, how far it is, which faults happened how often, and for each violated
invariant a seed, a smaller universe with the same violation, and the command that replays it.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import subprocess
import sys
import time
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, as_completed
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Final

from support.universes.plan import Plan, draw
from support.universes.record import Violation
from support.universes.shrinking import shrink
from support.universes.universe import Universe

CHUNK: Final = 50
"""Universes that a process runs before it reports."""

PROGRESS_SECONDS: Final = 5.0
KEPT: Final = 5
"""Seeds that are named for each violated invariant."""

ROOT: Final = Path(__file__).parents[3]


@dataclass(slots=True)
class Tally:
    """What some universes gave: the seeds and texts of violations, by rule, and counts."""

    universes: int = 0
    steps: int = 0
    virtual_seconds: float = 0.0
    messages: int = 0
    faults: Counter[str] = field(default_factory=Counter)
    violations: dict[str, list[tuple[int, str]]] = field(default_factory=dict)

    def add(self, other: Tally) -> None:
        """Add what other universes gave."""
        self.universes += other.universes
        self.steps += other.steps
        self.virtual_seconds += other.virtual_seconds
        self.messages += other.messages
        self.faults += other.faults
        for rule, found in other.violations.items():
            self.violations.setdefault(rule, []).extend(found)


def run_seeds(first: int, count: int) -> Tally:
    """Run the universes of these seeds."""
    tally = Tally()
    for seed in range(first, first + count):
        universe = Universe(draw(seed))
        try:
            universe.run()
        except Violation as violation:
            tally.violations.setdefault(violation.rule, []).append((seed, violation.what))
        tally.universes += 1
        tally.steps += universe.scheduler.steps
        tally.virtual_seconds += universe.scheduler.now
        tally.messages += len(universe.record.messages)
        tally.faults += universe.faults.counts
    return tally


def run_many(first: int, count: int, jobs: int) -> Tally:
    """Run so many universes, from this seed on, in so many processes; report the progress."""
    tally, started = Tally(), time.monotonic()
    told = started
    gc.freeze()
    with ProcessPoolExecutor(jobs) as pool:
        chunks = [
            pool.submit(run_seeds, begin, min(CHUNK, first + count - begin))
            for begin in range(first, first + count, CHUNK)
        ]
        for chunk in as_completed(chunks):
            tally.add(chunk.result())
            for rule, found in sorted(chunk.result().violations.items()):
                sys.stderr.write(f"VIOLATED: {rule}, seed {found[0][0]}: {found[0][1]}\n")
            now = time.monotonic()
            if now - told >= PROGRESS_SECONDS:
                told = now
                rate = tally.universes / (now - started)
                left = (count - tally.universes) / rate
                bad = sum(len(found) for found in tally.violations.values())
                sys.stderr.write(
                    f"{tally.universes} of {count} universes, {rate:.0f} a second, "
                    f"{left:.0f} s left, {bad} violations\n"
                )
    return tally


def revision() -> str:
    """Return the commit that is checked out, and whether files differ from it."""
    command = ["git", "-C", str(ROOT), "describe", "--always", "--dirty=, with changes"]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.stdout.strip() or "unknown"


def report(tally: Tally, first: int) -> list[str]:
    """Return the lines of a summary."""
    last = first + tally.universes - 1
    lines = [
        f"revision {revision()}, seeds {first} to {last}",
        (
            f"{tally.universes} universes, {tally.messages} messages, {tally.steps} steps, "
            f"{tally.virtual_seconds / 3600:.0f} hours of virtual time"
        ),
        f"{tally.faults.total()} faults: "
        + ", ".join(f"{count} {kind}" for kind, count in sorted(tally.faults.items())),
    ]
    for rule, found in sorted(tally.violations.items()):
        seed, what = min(found)
        lines += [
            f"VIOLATED in {len(found)} universes: {rule}. Seed {seed}: {what}",
            f"  other seeds: {[one for one, _ in sorted(found)[1:KEPT]]}",
            f"  replay: make universes UNIVERSE={seed}",
        ]
    lines.append("every invariant holds" if not tally.violations else "invariants are violated")
    return lines


def say(*lines: str) -> None:
    """Print lines."""
    sys.stdout.write("".join(f"{line}\n" for line in lines))


def replay(seed: int, *, small: bool) -> int:
    """Run one universe; print its plan, its events, and what it violates."""
    plan = draw(seed)
    universe = Universe(plan, trace=True)
    try:
        universe.run()
    except Violation as violation:
        if small:
            plan = shrink(plan, violation.rule)
            universe = Universe(plan, trace=True)
            try:
                universe.run()
            except Violation as again:
                violation = again
        _print(plan, universe)
        say(f"VIOLATED: {violation}")
        return 1
    _print(plan, universe)
    say("every invariant holds")
    return 0


def _print(plan: Plan, universe: Universe) -> None:
    say(f"revision {revision()}, seed {plan.seed}")
    for one in fields(plan):
        value = getattr(plan, one.name)
        shown = sorted(value) if isinstance(value, frozenset) else value
        say(f"  {one.name}: {shown}")
    for at, who, what in universe.record.trace or ():
        say(f"{at:12.6f} {who:6} {what}")


def main() -> int:
    """Return 0 if every invariant holds, 1 if one does not."""
    parser = argparse.ArgumentParser("python -m support.universes", description=__doc__)
    parser.add_argument("--seed", type=int, help="run this universe alone and print its events")
    parser.add_argument("--whole", action="store_true", help="with --seed: do not make it smaller")
    parser.add_argument("--first", type=int, default=0, help="the first seed")
    parser.add_argument("--count", type=int, default=100_000, help="how many universes")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="processes")
    parser.add_argument("--json", action="store_true", help="print the result as JSON")
    options = parser.parse_args()
    if options.count < 1 or options.jobs < 1:
        parser.error("--count and --jobs are at least 1")
    if options.seed is not None:
        return replay(options.seed, small=not options.whole)
    started = time.monotonic()
    tally = run_many(options.first, options.count, options.jobs)
    seconds = time.monotonic() - started
    if options.json:
        result = {
            "revision": revision(),
            "first_seed": options.first,
            "universes": tally.universes,
            "steps": tally.steps,
            "messages": tally.messages,
            "virtual_seconds": round(tally.virtual_seconds),
            "seconds": round(seconds, 1),
            "faults": dict(sorted(tally.faults.items())),
            "violations": {rule: sorted(found) for rule, found in tally.violations.items()},
        }
        say(json.dumps(result))
    else:
        say(*report(tally, options.first))
        say(f"{seconds:.0f} s, {tally.universes / seconds:.0f} universes a second")
    return 1 if tally.violations else 0


if __name__ == "__main__":
    sys.exit(main())
