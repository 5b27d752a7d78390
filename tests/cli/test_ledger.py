"""The command `tidemill ledger`, over the files of a run."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from support.builders.ledger import Story
from typer.testing import CliRunner, Result

from tidemill.cli.main import app
from tidemill.ledger.errors import LedgerError
from tidemill.ledger.queues import write_queues

if TYPE_CHECKING:
    from pathlib import Path


def a_run() -> Story:
    """Return a run of two messages, of which one was processed and one was not."""
    story = Story()
    story.sent(1, 2)
    story.say("i-1", "started")
    story.done("i-1", "1")
    return story


def written(folder: Path, story: Story) -> Path:
    """Write the files of a run, and return its folder."""
    (folder / "logs").mkdir()
    (folder / "sent.jsonl").write_bytes(b"".join(story.sent_lines))
    lines = "".join(f"{json.dumps(line)}\n" for _, line in story.worker_lines)
    (folder / "logs/i-1.jsonl").write_text(lines)
    write_queues(folder, story.queues())
    return folder


def ledger(*arguments: object) -> Result:
    """Run the command."""
    return CliRunner().invoke(app, ["ledger", *map(str, arguments)])


def test_a_run_that_kept_its_promises_is_shown(tmp_path: Path) -> None:
    """For people a table, for machines an object."""
    story = a_run()
    story.done("i-1", "2")
    story.say("i-1", "stopped")
    folder = written(tmp_path, story)

    shown, printed = ledger("--folder", folder), ledger("--folder", folder, "--json")

    assert (shown.exit_code, printed.exit_code) == (0, 0)
    assert "lost" in shown.output
    assert json.loads(printed.output)["fates"]["done"] == 2


def test_broken_promises_are_an_error(tmp_path: Path) -> None:
    """The figures are printed all the same."""
    result = ledger("--folder", written(tmp_path, a_run()), "--json")

    assert isinstance(result.exception, LedgerError)
    assert "1 messages lost: not processed, and in no queue (2)" in str(result.exception)
    assert "1 workers ended without their last line: killed (i-1)" in str(result.exception)
    assert json.loads(result.stdout)["lost"] == 1


@pytest.mark.parametrize("option", ["--fault i-1", "--running"])
def test_a_worker_may_have_no_last_line(tmp_path: Path, option: str) -> None:
    """It was killed on purpose, or still runs."""
    story = a_run()
    story.done("i-1", "2")

    assert ledger("--folder", written(tmp_path, story), *option.split()).exit_code == 0


def test_records_of_other_places_can_be_given(tmp_path: Path) -> None:
    """Only what is not given is read from the folder."""
    folder = written(tmp_path, a_run())
    (folder / "sent.jsonl").rename(tmp_path / "other")
    (folder / "logs").rename(tmp_path / "lines")

    given = ("--sent-log", tmp_path / "other", "--logs", tmp_path / "lines", "--running")
    result = ledger("--folder", folder, *given)

    assert "lost" in str(result.exception)
    assert "no folder" in str(ledger("--folder", folder, *given[:2]).exception)


@pytest.mark.parametrize(
    ("options", "sentence"),
    [
        pytest.param("--logs a --log-group b", "--logs and --log-group cannot", id="two-places"),
        pytest.param("--look-inside", "need --queue-url", id="no-queue-to-look-into"),
        pytest.param("--wait 5", "need --queue-url", id="no-queue-to-wait-for"),
    ],
)
def test_wrong_usage_is_refused(options: str, sentence: str) -> None:
    """One sentence, and the exit code for wrong usage."""
    result = ledger(*options.split())

    assert result.exit_code == 2
    assert sentence in result.output
