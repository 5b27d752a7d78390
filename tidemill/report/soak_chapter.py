"""Chapter of the report with the soak tests: what became of all messages under faults."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any, Final

from tidemill.report.errors import ReportError
from tidemill.report.tables import markdown_table

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    Run = dict[str, Any]

COLUMNS: Final = (
    ("world", "instances are"),
    ("seed", "seed"),
    ("sent", "messages sent"),
    ("faults_happened", "faults"),
    ("kinds", "kinds"),
    ("recovered", "sent, answer lost"),
    ("processed", "processed"),
    ("poison", "malformed"),
    ("poison_dead_lettered", "of them dead letters"),
    ("dead_lettered", "dead letters in all"),
    ("duplicates", "processed again"),
    ("unexplained_duplicates", "of that without a reason"),
    ("lost", "lost"),
    ("left_in_queue", "stuck"),
    ("unexpected", "unexpected"),
)
"""Figures of a soak test with their heads, in the order of the table."""

NEEDED: Final = ("instances", "every_seconds", "speed", "wall_seconds", "duplicate_causes")
"""Further figures that the chapter has."""

TEXT: Final = """\
Messages were sent through a fleet of at most {instances} instances while a fault happened every \
{every:g} seconds of this machine's clock: {kinds}. AWS's time ran {speed:g} times as fast as that \
clock, and a run took {shortest:.0f} to {longest:.0f} seconds of it. After the last fault the \
queue was drained, and every message was accounted for \
(docs/ledger.md says how, docs/faults.md what the faults are). `make soak` repeats the runs; \
which calls a fault hits differs from run to run.
"""


def read_soaks(folder: Path) -> list[Run]:
    """Return the figures of the soak tests in a folder, none if there is no such folder.

    Raises:
        ReportError: a summary is damaged.
    """
    runs = []
    for path in sorted(folder.glob("*/summary.json")):
        try:
            run: Run = json.loads(path.read_text(encoding="utf-8"))
            run["kinds"] = len(run["kinds_happened"])
            missing = [
                name for name in (*NEEDED, *(name for name, _ in COLUMNS)) if name not in run
            ]
        except (OSError, ValueError, LookupError, TypeError) as error:
            raise ReportError(f"{path} is no summary of a soak test: {error}") from error
        if missing:
            raise ReportError(f"{path} is no summary of a soak test: it has no {missing[0]}")
        runs.append(run)
    return sorted(runs, key=lambda run: (run["world"] != "processes", run["seed"]))


def soak_chapter(runs: Sequence[Run]) -> Iterator[str]:
    """Yield the chapter; without a soak test, there is none."""
    if not runs:
        return
    kinds = sorted({kind for run in runs for kind in run["kinds_happened"]})
    yield "## Under faults\n"
    yield TEXT.format(
        instances=max(run["instances"] for run in runs),
        every=runs[0]["every_seconds"],
        kinds=", ".join(f"`{kind}`" for kind in kinds),
        speed=runs[0]["speed"],
        shortest=min(run["wall_seconds"] for run in runs),
        longest=max(run["wall_seconds"] for run in runs),
    )
    rows = [[str(run[name]) for name, _ in COLUMNS] for run in runs]
    yield markdown_table([head for _, head in COLUMNS], rows) + "\n"
    causes: dict[str, int] = {}
    for run in runs:
        for cause, number in run["duplicate_causes"].items():
            causes[cause] = causes.get(cause, 0) + number
    if causes:
        yield "Why messages were processed again, in all of these runs:\n"
        ordered = sorted(causes.items(), key=lambda one: -one[1])
        yield "\n".join(f"- {number}: {cause}" for cause, number in ordered) + "\n"
    broken = [(run, text) for run in runs for text in run["broken_promises"]]
    for run, text in broken:
        yield f"- **Not kept** with seed {run['seed']} in {run['world']}: {text}.\n"
