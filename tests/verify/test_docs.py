"""docs/first-hour.md: its tables are those of the plan, and its chapters those of docs/loop.md."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

from tidemill.verify.check import Level
from tidemill.verify.plan import CHECKS, NAMES, permissions

DOCS: Final = Path(__file__).parents[2] / "docs"
PAGE: Final = (DOCS / "first-hour.md").read_text(encoding="utf-8")
LOOP: Final = (DOCS / "loop.md").read_text(encoding="utf-8")
ASSUMED: Final = "## What AWS does not publish, and what we assume"


def table(head: str) -> list[list[str]]:
    """Return the rows of the page's table with this first line."""
    lines = PAGE.partition(f"{head}\n")[2].splitlines()[1:]
    rows = []
    for line in lines:
        if not line.startswith("|"):
            break
        rows.append([cell.strip() for cell in line.strip("|").split(" | ")])
    return rows


def test_every_check_is_in_the_table() -> None:
    """With its question and with what it does; a new one needs a row."""
    expected = [
        [f"`{check.name}`", check.question, _begun(check.observation.does)] for check in CHECKS
    ]
    assert table("| check | what it asks | what it does |") == expected, "\n".join(
        f"| {' | '.join(row)} |" for row in expected
    )


def _begun(sentence: str) -> str:
    return f"{sentence[0].upper()}{sentence[1:]}."


def test_the_permissions_are_those_of_the_checks() -> None:
    """Each option adds to those of reading."""
    reading = permissions([one for one in CHECKS if one.observation.level is Level.READ])
    expected = [["none", _listed(reading)]]
    for level in (Level.ACT, Level.OVERNIGHT, Level.DELETE):
        mine = permissions([one for one in CHECKS if one.observation.level is level])
        option = f"`{level.value.rpartition(' ')[2]}`"
        expected.append([option, _listed([call for call in mine if call not in reading])])
    assert table("| option | actions |") == expected, "\n".join(
        f"| {' | '.join(row)} |" for row in expected
    )


def _listed(calls: list[str]) -> str:
    return ", ".join(f"`{call}`" for call in calls)


def test_every_chapter_of_assumptions_is_answered_or_left_with_a_reason() -> None:
    """docs/loop.md has the assumptions; what is not modelled is none."""
    section = LOOP.partition(ASSUMED)[2].partition("\n## ")[0]
    chapters = [
        name for name in re.findall(r"^### (.+)$", section, re.MULTILINE) if name != "Not modelled"
    ]
    rows = table("| chapter | answered by a check | not answered here |")
    assert [row[0] for row in rows] == chapters
    assert all(all(row) for row in rows)


def test_checks_and_files_that_the_page_names_exist() -> None:
    """In backticks after an option, or as an answer."""
    rows = table("| chapter | answered by a check | not answered here |")
    named = {name for row in rows for name in re.findall(r"`([a-z-]+)`", row[1])}
    named |= set(re.findall(r"--only ([a-z-]+)", PAGE))
    advice = PAGE.partition("## What to do about a difference")[2].partition("## ")[0]
    for group in re.findall(r"\*\*.+?\*\* \((.+?)\)", advice):
        named |= set(re.findall(r"`([a-z-]+)`", group))
    assert named <= set(NAMES)
    assert named
