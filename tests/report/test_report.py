"""The picture and the report, made from a run's files."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from support.builders.runs import SUMMARY, finished_run, write_results

from tidemill.report.errors import ReportError
from tidemill.report.observations import conclusion
from tidemill.report.report_page import write_report
from tidemill.report.results import NEEDED, read_facts, read_logs, read_summary
from tidemill.report.tables import ROWS, markdown_table, summary_rows
from tidemill.report.timeline_figure import draw_timeline
from tidemill.scaling.facts import DesiredChanged

if TYPE_CHECKING:
    from pathlib import Path


@pytest.fixture
def results(tmp_path: Path) -> Path:
    """Provide a folder with the files of a finished run."""
    write_results(tmp_path / "demo")
    return tmp_path / "demo"


@pytest.mark.long
def test_the_same_facts_make_the_same_picture(tmp_path: Path) -> None:
    """Two drawings of the same facts are identical byte for byte."""
    facts = finished_run().facts
    for name in ("a.png", "b.png", "a.svg", "b.svg"):
        draw_timeline(facts, tmp_path / name)
    png = (tmp_path / "a.png").read_bytes()
    assert png.startswith(b"\x89PNG")
    assert png == (tmp_path / "b.png").read_bytes()
    assert (tmp_path / "a.svg").read_bytes() == (tmp_path / "b.svg").read_bytes()


def test_a_run_without_facts_has_an_empty_picture(tmp_path: Path) -> None:
    """A run that was stopped early has an empty picture instead of an error."""
    draw_timeline([], tmp_path / "empty.png")
    assert (tmp_path / "empty.png").exists()


@pytest.mark.parametrize(
    ("changes", "labels"), [pytest.param(15, 15, id="few"), pytest.param(16, 0, id="many")]
)
def test_only_few_changes_of_capacity_are_labelled(
    tmp_path: Path, changes: int, labels: int
) -> None:
    """Up to 15 changes have labels; more labels would overlap."""
    picture = tmp_path / "fleet.svg"
    facts = [DesiredChanged(60.0 * at, "A", "P", "", 1, {}, at, at + 1) for at in range(changes)]
    draw_timeline(facts, picture)
    assert picture.read_text(encoding="utf-8").count("→") == labels


def test_further_chapters_are_before_the_recipe(results: Path, tmp_path: Path) -> None:
    """Additional chapters are between the figures and the recipe."""
    write_report(results, tmp_path / "R.md", tmp_path / "t.png", ["## More\n", "So it is.\n"])
    before, after = (tmp_path / "R.md").read_text().split("## More\n")
    assert "## Figures" in before
    assert after.index("So it is.") < after.index("## How to repeat it")


def test_the_report_has_all_that_the_exercise_asks_for(results: Path, tmp_path: Path) -> None:
    """The report has conditions, picture, causes, logs, figures, and how to repeat the run."""
    report = tmp_path / "docs/REPORT.md"
    report.parent.mkdir()
    write_report(results, report, tmp_path / "docs/pictures/timeline.png")
    text = report.read_text()
    assert "**not of AWS**" in text
    assert "](pictures/timeline.png)" in text
    assert (tmp_path / "docs/pictures/timeline.png").exists()
    assert conclusion(read_facts(results), read_summary(results)) in text
    assert "changing the desired capacity from 0 to 4" in text
    assert "BacklogAlarm | INSUFFICIENT_DATA to ALARM | Threshold Crossed" in text
    assert '"outcome": "processed"' in text
    assert "not JSON: x" in text
    assert "MessagesReceived" in text
    assert '"exit_code": 0' in text
    assert "| lost | 0 |" in text
    assert "git checkout abc1234" in text
    assert SUMMARY["command"] in text
    assert "1 instance processed 500 messages, and 0 were left in the queue" in text
    assert "HoldSeconds=120" in text


def test_a_run_that_did_not_scale_is_reported_as_such(results: Path, tmp_path: Path) -> None:
    """The report of a run without scaling claims nothing that its files do not show."""
    (results / "timeline.jsonl").write_text("")
    nothing = {"scale_out_activities": 0, "scale_in_activities": 0, "seconds_to_drain": None}
    (results / "summary.json").write_text(json.dumps(SUMMARY | nothing))
    (results / "logs/i-1.jsonl").write_text("")
    write_report(results, tmp_path / "R.md", tmp_path / "t.png")
    text = (tmp_path / "R.md").read_text()
    assert "caused no scale-out" in text
    assert "It did not happen in this run." in text
    assert "There was none in this run." in text
    assert "| AWS seconds from the first send to the last processed | never |" in text


def test_files_of_two_runs_make_no_report(results: Path, tmp_path: Path) -> None:
    """After Ctrl-C, the timeline is of another run than the figures, which is an error."""
    torn = (results / "timeline.jsonl").read_text().splitlines()[:20]
    (results / "timeline.jsonl").write_text("\n".join(torn))
    with pytest.raises(ReportError, match="of different runs: let a demo run to its end"):
        write_report(results, tmp_path / "R.md", tmp_path / "t.png")
    assert not (tmp_path / "R.md").exists()


def test_times_in_log_lines_are_not_taken_for_the_times_of_aws(
    results: Path, tmp_path: Path
) -> None:
    """The report says which of its times are AWS's, and which this machine's."""
    write_report(results, tmp_path / "R.md", tmp_path / "t.png")
    before, logs = (tmp_path / "R.md").read_text().split("## Logs\n")
    assert "All times below are AWS's time, except those of this machine's clock" in before
    assert "by this machine's clock" in logs


def test_a_long_table_is_folded(results: Path, tmp_path: Path) -> None:
    """A table with more than 12 rows is folded."""
    note = json.loads((results / "timeline.jsonl").read_text().splitlines()[0])
    change = {
        "kind": "alarm_changed",
        "at": note["at"],
        "alarm": "A",
        "before": "OK",
        "after": "ALARM",
        "reason": "why",
        "value": 1.0,
    }
    with (results / "timeline.jsonl").open("a") as timeline:
        timeline.writelines(f"{json.dumps(change)}\n" for _ in range(20))
    write_report(results, tmp_path / "R.md", tmp_path / "t.png")
    alarms = (tmp_path / "R.md").read_text().split("## Alarms\n")[1].split("## Logs")[0]
    assert "<details><summary>24 rows</summary>\n\n| AWS's time |" in alarms
    assert alarms.rstrip().endswith("\n\n</details>")


@pytest.mark.parametrize(
    ("name", "content", "expected"),
    [
        pytest.param("timeline.jsonl", None, "run `make demo` first", id="no-timeline"),
        pytest.param("timeline.jsonl", "{}\n", "line 1: not a fact", id="no-fact"),
        pytest.param("timeline.jsonl", '{"kind": "noted"}\n', "line 1", id="no-fields"),
        pytest.param("timeline.jsonl", "[1]\n", "line 1", id="no-object"),
        pytest.param("summary.json", None, "run `make demo` first", id="no-summary"),
        pytest.param("summary.json", "{", "not JSON", id="torn-summary"),
        pytest.param("summary.json", "5", "not a JSON object", id="no-object-of-figures"),
        pytest.param("summary.json", "\xff", "not UTF-8", id="no-text"),
        pytest.param("summary.json", "{}", "no sent, processed", id="no-figures"),
    ],
)
def test_broken_files_are_reported(
    results: Path, name: str, content: str | None, expected: str
) -> None:
    """The error names the file and says why and what to do."""
    if content is None:
        (results / name).unlink()
    else:
        (results / name).write_text(content, encoding="latin-1")
    with pytest.raises(ReportError, match=expected) as caught:
        write_report(results, results / "R.md", results / "t.png")
    assert name in str(caught.value)


def test_logs_are_read_by_instance(results: Path) -> None:
    """Log lines are grouped by instance; those that are not JSON objects are left out."""
    logs = read_logs(results)
    assert list(logs) == ["i-1"]
    assert [entry["event"] for entry in logs["i-1"]] == ["message", "message", "cycle", "stopped"]


def test_every_figure_that_a_summary_needs_has_a_row() -> None:
    """Every figure that a summary must have has a row, and each is shown."""
    assert set(NEEDED) <= {name for name, _ in ROWS}
    assert len(summary_rows(SUMMARY)) == sum(name in SUMMARY for name, _ in ROWS)


def test_cells_cannot_break_a_table() -> None:
    """Bars and line ends in a cell are escaped."""
    table = markdown_table(("a", "b"), [("x|y", "1\n2")])
    assert table.splitlines()[-1] == "| x\\|y | 1 2 |"


def test_the_summary_is_plain_json(results: Path) -> None:
    """The figures are read as they are in summary.json."""
    assert read_summary(results) == json.loads((results / "summary.json").read_text())
