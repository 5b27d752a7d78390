"""Scale-in: what it costs when consumers at full load leave, with the drain and without it.

`PYTHONPATH=tests python -m benchmarks.scale_in` starts a local SQS and four consumers, whose
handler takes 0.2 s. For five minutes one of them leaves every few seconds while another one is
started; in a second run, all four are replaced one after another. Both are made with the drain,
and without it: then a consumer is killed at once, as by an instance that ends without a hook.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Final

from support.emulators.ministack import running
from support.endurance.fleet import Fleet, Leaving
from support.endurance.trial import Outcome, Plan, run

if TYPE_CHECKING:
    from collections.abc import Callable

RUNS: Final = ("scale-in", "rolling")
WAYS: Final = {"drained": Leaving(drained=True), "killed": Leaving(drained=False)}
ROWS: Final[tuple[tuple[str, Callable[[Outcome], object]], ...]] = (
    ("consumers that left", lambda one: one.stops),
    ("of these killed at the hook's end", lambda one: one.killed),
    ("the slowest one left after", lambda one: f"{one.longest_leaving:.1f} s"),
    ("messages sent", lambda one: one.sent),
    ("processed", lambda one: one.ledger["processed"]),
    ("lost", lambda one: one.ledger["lost"] + one.ledger["unknown"]),
    ("left in the queue", lambda one: one.ledger["left_in_queue"]),
    ("good ones dead-lettered", lambda one: one.ledger["dead_lettered"]),
    ("handled again", lambda one: one.handled_again),
    ("handlers begun and cut off", lambda one: one.cut_off),
    ("returned at once", lambda one: one.ledger["returned"]),
    ("hidden until the visibility timeout, in all", lambda one: one.hidden_receives),
    ("hidden when the last four had left", lambda one: one.waiting),
    ("the last of these was visible after", lambda one: f"{one.waiting_seconds:.0f} s"),
    ("the queue was empty after", lambda one: f"{one.drained_seconds:.0f} s"),
    ("longest from sent to handled", lambda one: f"{one.longest:.0f} s"),
)


def main() -> None:
    """Make the runs and print the table."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=300, help="how long consumers leave")
    parser.add_argument("--every", type=float, default=5, help="seconds from one to the next")
    parser.add_argument("--runs", nargs="+", choices=RUNS, default=RUNS)
    parser.add_argument("--ways", nargs="+", choices=WAYS, default=[*WAYS])
    options = parser.parse_args()

    def scale_in(fleet: Fleet) -> None:
        fleet.scale_in(options.seconds, options.every)

    happenings = {"scale-in": scale_in, "rolling": Fleet.replace_all}
    outcomes: dict[str, Outcome] = {}
    with tempfile.TemporaryDirectory() as folder, running() as server:
        for name in options.runs:
            for way in options.ways:
                title = f"{name}, {way}"
                plan = Plan(WAYS[way], happenings[name])
                outcomes[title] = run(server, Path(folder, f"{name}-{way}"), plan)
                say(f"{title}: {outcomes[title]}")
    say("|  | " + " | ".join(outcomes) + " |")
    say("| --- |" + " --- |" * len(outcomes))
    for title, figure in ROWS:
        say(f"| {title} | " + " | ".join(str(figure(one)) for one in outcomes.values()) + " |")


def say(text: str) -> None:
    """Print a line at once."""
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
