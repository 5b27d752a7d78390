"""Claims of docs/reliability.md: each names a test, and the tests exist."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = (ROOT / "docs/reliability.md").read_text("utf-8")
TEST: Final = re.compile(r"tests/[\w/]+\.py")
CHAPTERS: Final = dict(
    part.split("\n", 1) for part in re.split(r"^## ", PAGE, flags=re.MULTILINE)[1:]
)
MEASURED: Final = {"Beside other workers": "python -m benchmarks.failures"}
"""Chapters of figures that a program measures; no test holds those of other projects."""


def test_every_test_that_is_named_exists() -> None:
    """A test that is moved takes its name with it."""
    named = set(TEST.findall(PAGE))
    assert named
    assert sorted(name for name in named if not (ROOT / name).is_file()) == []


def test_every_chapter_names_a_test_or_the_program_that_measures_it() -> None:
    """So that each claim can be tried."""
    without = {title for title, text in CHAPTERS.items() if not TEST.search(text)}
    assert without == set(MEASURED)
    for title, command in MEASURED.items():
        assert command in CHAPTERS[title]


def test_every_row_of_a_table_of_claims_names_its_test() -> None:
    """A table whose last column is `test` has one in each row."""
    rows = [row for table in _tables() for row in table]
    assert len(rows) > 25
    assert [row for row in rows if not TEST.search(row.rsplit("|", 2)[-2])] == []


def _tables() -> list[list[str]]:
    """Return the rows of the tables of claims, without their heads."""
    blocks = re.findall(r"(?:^\|.*\n)+", PAGE, flags=re.MULTILINE)
    tables = [block.splitlines() for block in blocks]
    return [table[2:] for table in tables if table[0].endswith("| test |")]
