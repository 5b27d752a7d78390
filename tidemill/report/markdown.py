"""Writes REPORT.md and its picture from the files of a run; nothing in it is written by hand."""

from __future__ import annotations

import json
import os
from typing import TYPE_CHECKING, Any

from tidemill.report.errors import ReportError
from tidemill.report.figure import draw_timeline
from tidemill.report.results import Summary, read_facts, read_logs, read_summary
from tidemill.report.sentences import clock_time
from tidemill.report.story import conclusion, test_process
from tidemill.report.tables import markdown_table, summary_rows
from tidemill.scaling.timeline import ActivityStarted, AlarmChanged, Noted

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from tidemill.scaling.timeline import Fact

Logs = dict[str, list[dict[str, Any]]]

WHERE = """\
This is a run of an offline rig on one machine, **not of AWS**. Real in it: producer and consumers \
(the programs that the images hold, as processes), the SQS API that they use (MiniStack, an AWS \
emulator), and `template.yaml`: its alarms, scaling policies, limits and hook, read from the file \
and evaluated by the rules that AWS publishes. Imitated: EC2 (an instance is a consumer process \
that takes its time to boot), the group's own actions, and the publication of CloudWatch's \
metrics. Time runs {speed:g} times faster than ours: AWS's minute lasts {minute:.1f} s, and what a \
second means to queue and consumer is shortened alike. All times below are AWS's."""


def write_report(results: Path, report: Path, picture: Path) -> None:
    """Write the report of the run whose files are in `results`, and its picture.

    Raises:
        ReportError: files of the run are missing or broken, or the report cannot be written.
    """
    facts, summary, logs = read_facts(results), read_summary(results), read_logs(results)
    try:
        picture.parent.mkdir(parents=True, exist_ok=True)
        draw_timeline(facts, picture)
        link = os.path.relpath(picture, report.parent)
        report.write_text("\n".join(_chapters(facts, summary, logs, link)), encoding="utf-8")
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
    yield markdown_table(("step of the test", "observed"), test_process(facts, summary)) + "\n"
    yield "## Scaling activities and their causes\n"
    yield markdown_table(("time", "activity", "cause"), _activities(facts)) + "\n"
    yield "## Alarms\n"
    yield markdown_table(("time", "alarm", "state", "reason"), _alarm_rows(facts)) + "\n"
    yield "## Logs\n"
    yield from _excerpts(logs)
    yield "## Figures\n"
    yield markdown_table(("what", "figure"), summary_rows(summary)) + "\n"
    yield (
        "`lost` is computed from ids: those that SQS gave the producer, less those in the "
        "consumers' logs as processed, less those found in either queue at the end.\n"
    )
    yield "## How to repeat it\n"
    yield _recipe(summary)


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
        yield "The rig noted at its start:\n"
        yield "\n".join(f"- {note}" for note in notes) + "\n"


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
    command = "make demo"
    return (
        f"```\ngit checkout {str(summary.get('revision', 'main')).removesuffix('-dirty')}\n"
        f"{command}\nmake report\n```\n\n"
        f"or, with other options than the demo's own, `{summary.get('command', 'tidemill demo')}` "
        "and `tidemill report`. Times and the order of events within a minute differ from run to "
        "run; the seed fixes what is sent.\n"
    )
