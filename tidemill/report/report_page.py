"""REPORT.md and its picture, both generated from the files of a run."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from tidemill.report.errors import ReportError
from tidemill.report.observations import conclusion, exercise_steps
from tidemill.report.results import (
    Logs,
    Summary,
    read_facts,
    read_logs,
    read_summary,
    require_one_run,
)
from tidemill.report.sentences import clock_time
from tidemill.report.tables import markdown_table, summary_rows
from tidemill.report.timeline_figure import draw_timeline
from tidemill.scaling.facts import ActivityStarted, AlarmChanged, Noted, stamp

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from tidemill.scaling.facts import Fact

WHERE = """\
This is a run of an offline rig on one machine, **not of AWS**. Real: the producer and the \
consumers (the programs of the images, run as processes), the SQS API that they use (MiniStack, an \
AWS emulator), and `template.yaml`: its alarms, scaling policies, limits and lifecycle hook are \
read from the file and evaluated by the rules that AWS publishes. Imitated: EC2 (an instance is a \
consumer process that starts after the time of a boot), the actions of the Auto Scaling group, and \
the publication of CloudWatch metrics.

There are two clocks. AWS's time runs {speed:g} times as fast as this machine's clock: one of its \
minutes lasts {minute:.1f} s here, and the durations of queue and consumer are shortened to match. \
Both clocks agreed when the rig started. All times below are AWS's time, except those of this \
machine's clock, which are marked."""

LOG_TIMES = """\
These lines are as the consumers wrote them. Their times and durations are by this machine's clock.
"""

KEPT_WHOLE = 12
"""The largest number of rows of a table that is shown open; a longer table is folded."""


def write_report(results: Path, report: Path, picture: Path, further: Iterable[str] = ()) -> None:
    """Write the report of the run whose files are in `results`, and its picture.

    Args:
        results: the folder with the run's files.
        report: the report to write.
        picture: the picture to write.
        further: chapters to put before the last one, which is about repeating the run.

    Raises:
        ReportError: files of the run are missing or broken, or the report cannot be written.
    """
    facts, summary, logs = read_facts(results), read_summary(results), read_logs(results)
    require_one_run(facts, summary)
    try:
        picture.parent.mkdir(parents=True, exist_ok=True)
        draw_timeline(facts, picture)
        chapters = _chapters(facts, summary, logs, link_to(picture, report))
        recipe = ("## How to repeat it\n", _recipe(summary))
        report.write_text("\n".join([*chapters, *further, *recipe]), encoding="utf-8")
    except OSError as error:
        raise ReportError(f"cannot write {error.filename}: {error.strerror}") from error


def _chapters(facts: Sequence[Fact], summary: Summary, logs: Logs, picture: str) -> Iterator[str]:
    caption = conclusion(facts, summary)
    yield "# A scale-out and scale-in test\n"
    yield "## What was run, and where\n"
    yield WHERE.format(speed=summary.get("speed", 1), minute=60 / summary.get("speed", 1)) + "\n"
    yield markdown_table(("condition", "value"), _conditions(facts, summary)) + "\n"
    yield from _left_out(facts)
    yield "## What happened\n"
    yield f"![{caption}]({picture})\n\n*{caption}*\n"
    yield (
        markdown_table(("step of the test", "observed"), exercise_steps(facts, summary, logs))
        + "\n"
    )
    yield "## Scaling activities and their causes\n"
    yield _table(("AWS's time", "activity", "cause"), list(_activities(facts)))
    yield "## Alarms\n"
    yield _table(("AWS's time", "alarm", "state", "reason"), list(_alarm_rows(facts)))
    yield "## Logs\n"
    yield LOG_TIMES
    yield from _excerpts(logs)
    yield "## Figures\n"
    yield markdown_table(("what", "figure"), summary_rows(summary)) + "\n"
    yield (
        "Messages are counted by id. A lost one was acknowledged to the producer, and is neither "
        "processed nor in a queue at the end. [docs/ledger.md](docs/ledger.md) has all words.\n"
    )


def link_to(picture: Path, report: Path) -> str:
    """Return a picture's path as the report links to it."""
    return os.path.relpath(picture, report.parent)


def _conditions(facts: Sequence[Fact], summary: Summary) -> Iterator[tuple[str, str]]:
    for name in ("source", "seed", "template", "speed", "host", "revision"):
        if name in summary:
            yield name.replace("_", " "), str(summary[name])
    if facts:
        yield "began, AWS's time", stamp(facts[0].at)
        yield "ended, AWS's time", stamp(facts[-1].at)
    if "ended_at" in summary:
        yield "ended, this machine's clock", str(summary["ended_at"])
    given = summary.get("parameters") or {}
    chosen = ", ".join(f"{name}={value}" for name, value in given.items())
    yield "parameters", chosen or "the template's defaults"


def _left_out(facts: Sequence[Fact]) -> Iterator[str]:
    notes = [fact.text for fact in facts if isinstance(fact, Noted)]
    if notes:
        yield "The rig noted:\n"
        yield "\n".join(f"- {note}" for note in notes) + "\n"


def _table(head: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    table = markdown_table(head, rows) + "\n"
    if len(rows) <= KEPT_WHOLE:
        return table
    return f"<details><summary>{len(rows)} rows</summary>\n\n{table}\n</details>\n"


def _activities(facts: Sequence[Fact]) -> Iterator[tuple[str, str, str]]:
    for fact in facts:
        if isinstance(fact, ActivityStarted):
            yield clock_time(fact.at), fact.description, fact.cause


def _alarm_rows(facts: Sequence[Fact]) -> Iterator[tuple[str, str, str, str]]:
    for fact in facts:
        if isinstance(fact, AlarmChanged):
            yield clock_time(fact.at), fact.alarm, f"{fact.before} to {fact.after}", fact.reason


def _excerpts(logs: Logs) -> Iterator[str]:
    wanted: list[tuple[str, Callable[[dict[str, Any]], bool]]] = [
        ("A message that was processed, with its content", lambda e: e["outcome"] == "processed"),
        ("An invalid message, with the reason", lambda e: e["outcome"] == "invalid"),
        ("The counts of a cycle, which CloudWatch turns into metrics (EMF)", lambda e: "_aws" in e),
        (
            "A consumer that stops because its instance is to be terminated",
            lambda e: e["event"] == "stopping",
        ),
        ("The end of a consumer", lambda e: e["event"] == "stopped"),
    ]
    entries = [{"outcome": None, "event": None, **entry} for own in logs.values() for entry in own]
    for title, fits in wanted:
        found = next((entry for entry in entries if fits(entry)), None)
        yield f"{title}:\n"
        if found is None:
            yield "There was none in this run.\n"
            continue
        shown = {name: value for name, value in found.items() if value is not None}
        yield f"```json\n{json.dumps(shown, ensure_ascii=False)}\n```\n"
    rows = [
        (instance, str(sum(entry.get("outcome") == "processed" for entry in own)), str(len(own)))
        for instance, own in logs.items()
    ]
    yield markdown_table(("instance", "messages processed", "log lines"), rows) + "\n"


def _recipe(summary: Summary) -> str:
    revision = str(summary.get("revision", "unknown")).removesuffix("-dirty")
    steps = [] if revision == "unknown" else [f"git checkout {revision}"]
    steps += [str(summary.get("command", "tidemill demo")), "tidemill report"]
    return (
        "```\n" + "\n".join(steps) + "\n```\n\n"
        "`make demo` creates `.venv` and runs the demo with its own options. After "
        "`. .venv/bin/activate`, `tidemill` is on the path. Times, and the order of events within "
        "a minute, differ from run to run; the seed determines which messages are sent.\n"
    )
