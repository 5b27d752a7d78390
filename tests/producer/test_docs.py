"""docs/producer.md: every command runs and prints what the page says; tables are complete."""

from __future__ import annotations

import json
import re
import shlex
from pathlib import Path
from typing import Final

import pytest
from typer.testing import CliRunner

from producer.cli import app
from producer.messages.input_messages import Format

PAGE: Final = (Path(__file__).parents[2] / "docs/producer.md").read_text(encoding="utf-8")
FILES: Final = dict(re.findall(r"(?ms)^`([\w.]+)`:\n```\w*\n(.*?)^```$", PAGE))
COMMANDS: Final = re.findall(r"(?m)^python -m producer (.*)$", PAGE)
TRACE: Final = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"
ORDERS: Final = [
    {"orderId": "A-1", "customer": "ada", "total": 9.5},
    {"orderId": "A-2", "customer": "ben", "total": 3},
]
TEXTS: Final = [{**order, "total": str(order["total"])} for order in ORDERS]

PRINTED: Final = {
    "--file orders.jsonl --dry-run": ORDERS,
    "--file orders.csv --csv-types json --dry-run": [
        {**ORDERS[0], "traceparent": TRACE},
        {**ORDERS[1], "traceparent": ""},
    ],
    "--file orders.jsonl --schema shop:Order --dry-run": ORDERS,
    "--file orders.csv --attribute type=order --attribute-column traceparent --dry-run": [
        {"body": TEXTS[0], "attributes": {"type": "order", "traceparent": TRACE}},
        {"body": TEXTS[1], "attributes": {"type": "order"}},
    ],
    "--file events.jsonl --with-attributes --dry-run": [
        json.loads(line) for line in FILES["events.jsonl"].splitlines()
    ],
    '--file orders.jsonl --group-id "{customer}" --dry-run': [
        {"body": order, "groupId": order["customer"]} for order in ORDERS
    ],
}
"""What each command prints."""

TO_A_QUEUE: Final = "--queue-name orders --file orders.jsonl --resume orders.journal"
"""The one command that needs a queue; tests/producer/test_resume_program.py runs such ones."""


@pytest.fixture(autouse=True)
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Write the page's files into the current folder."""
    for name, text in FILES.items():
        (tmp_path / name).write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)


@pytest.mark.parametrize("command", PRINTED, ids=lambda command: command.replace(" --dry-run", ""))
def test_a_command_prints_what_the_page_says(command: str) -> None:
    """It is run as it stands, on the page's own files."""
    result = CliRunner().invoke(app, shlex.split(command))

    assert result.exit_code == 0, result.output
    assert [json.loads(line) for line in result.stdout.splitlines()] == PRINTED[command]


def test_no_command_is_left_out() -> None:
    """A command that is added to the page is run here, too."""
    assert sorted(COMMANDS) == sorted([*PRINTED, TO_A_QUEUE])


def test_every_format_has_a_row() -> None:
    """The table lists the formats, auto last."""
    rows = re.findall(r"(?m)^\| `(\w+)`[^|]* \|", PAGE)

    assert rows[:4] == [*(item for item in Format if item is not Format.AUTO), Format.AUTO]


def test_every_option_that_the_page_names_exists() -> None:
    """A renamed option is renamed on the page."""
    text = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"}).stdout

    assert {name for name in re.findall(r"--[a-z-]+[a-z]", PAGE) if name not in text} == set()
