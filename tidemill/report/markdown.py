"""Writes REPORT.md and its picture from the files of a run; nothing in it is written by hand."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from tidemill.report.errors import ReportError
from tidemill.report.results import (
    Logs,
    Summary,
    read_facts,
    read_logs,
    read_summary,
    require_one_run,
)
from tidemill.report.sentences import clock_time
from tidemill.report.story import conclusion, test_process
from tidemill.report.tables import markdown_table, summary_rows
from tidemill.report.timeline_figure import draw_timeline
from tidemill.scaling.facts import ActivityStarted, AlarmChanged, Noted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence
    from pathlib import Path

    from tidemill.scaling.facts import Fact

WHERE = """\
This is a run of an offline rig on one machine, **not of AWS**. Real in it: producer and consumers \
(the programs that the images hold, as processes), the SQS API that they use (MiniStack, an AWS \
emulator), and `template.yaml`: its alarms, scaling policies, limits and hook, read from the file \
and evaluated by the rules that AWS publishes. Imitated: EC2 (an instance is a consumer process \
that takes its time to boot), the group's own actions, and the publication of CloudWatch's \
metrics. Time runs {speed:g} times faster than ours: AWS's minute lasts {minute:.1f} s, and what a \
second means to queue and consumer is shortened alike. All times below are AWS's, but for those \
in log lines."""

LOG_TIMES = """\
The lines are as the consumers wrote them: their times and durations are by this machine's clock, \
not by AWS's.
"""

KEPT_WHOLE = 12
"""Rows of a table up to which it stands open in the report; a longer one is folded."""


def write_report(results: Path, report: Path, picture: Path, further: Iterable[str] = ()) -> None:
    """Write the report of the run whose files are in `results`, and its picture.

    Args:
        results: the folder with the run's files.
        report: the report to write.
        picture: where to put the picture.
        further: chapters to put before the recipe for another run.

    Raises:
        ReportError: files of the run are missing or broken, or the report cannot be written.
    """
    facts, summary, logs = read_facts(results), read_summary(results), read_logs(results)
    require_one_run(facts, summary)
    try:
        picture.parent.mkdir(parents=True, exist_ok=True)
        draw_timeline(facts, picture)
        told = _chapters(facts, summary, logs, link_to(picture, report))
        recipe = ("## How to repeat it\n", _recipe(summary))
        report.write_text("\n".join([*told, *further, *recipe]), encoding="utf-8")
    except OSError as error:
        raise ReportError(f"cannot write {error.filename}: {error.strerror}") from error


def _chapters(facts: Sequence[Fact], summary: Summary, logs: Logs, picture: str) -> Iterator[str]:
    said = conclusion(facts, summary)
    yield "# A scale-out and scale-in test\n"
    yield "## What was run, and where\n"
    yield WHERE.format(speed=summary.get("speed", 1), minute=60 / summary.get("speed", 1)) + "\n"
    yield markdown_table(("condition", "value"), _conditions(summary)) + "\n"
    yield from _left_out(facts)
    yield "## What happened\n"
    yield f"![{said}]({picture})\n\n*{said}*\n"
    yield (
        markdown_table(("step of the test", "observed"), test_process(facts, summary, logs)) + "\n"
    )
    yield "## Scaling activities and their causes\n"
    yield _table(("time", "activity", "cause"), list(_activities(facts)))
    yield "## Alarms\n"
    yield _table(("time", "alarm", "state", "reason"), list(_alarm_rows(facts)))
    yield "## Logs\n"
    yield LOG_TIMES
    yield from _excerpts(logs)
    yield "## Figures\n"
    yield markdown_table(("what", "figure"), summary_rows(summary)) + "\n"
    yield (
        "`lost` is computed from ids: those that SQS gave the producer, less those in the "
        "consumers' logs as processed, less those found in either queue at the end.\n"
    )


def link_to(picture: Path, report: Path) -> str:
    """Return a picture's path as the report links to it."""
    return os.path.relpath(picture, report.parent)


def _conditions(summary: Summary) -> Iterator[tuple[str, str]]:
    for name in ("source", "seed", "template", "speed", "host", "revision", "ended_at"):
        if name in summary:
            yield name.replace("_", " "), str(summary[name])
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
        ("A message that was found invalid, with the reason", lambda e: e["outcome"] == "invalid"),
        ("A cycle's counts, which CloudWatch turns into metrics (EMF)", lambda e: "_aws" in e),
        ("A consumer that is told to go", lambda e: e["event"] == "stopping"),
        ("The end of an instance's consumer", lambda e: e["event"] == "stopped"),
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
        "`make demo` sets up `.venv` and runs the demo with its own options; from then on "
        "`. .venv/bin/activate` puts `tidemill` on the path. Times and the order of events within "
        "a minute differ from run to run; the seed fixes what is sent.\n"
    )
