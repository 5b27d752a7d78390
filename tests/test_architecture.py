"""docs/architecture.md leads to files that exist, and leaves out no package."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Final

import pytest

ROOT: Final = Path(__file__).parents[1]
PAGES: Final = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").glob("*.md")])
PAGE: Final = (ROOT / "docs/architecture.md").read_text(encoding="utf-8")
TOP: Final = "images|tidemill|tests|docs|benchmarks|localstack|ansible"
TO_CHANGE: Final = PAGE.partition("\n## To change X, open Y\n")[2]
ASKED: Final = (
    *("a scaling rule", "a setting", "an alarm action", "a fault", "a lint rule", "a metric"),
    *("a command", "a template resource", "a price", "a policy kind", "a docs table"),
)
"""Changes that the table must have a row for."""


def paths(text: str) -> set[str]:
    """Return the repository's paths in a page: in backticks, with a known folder or extension."""
    words = re.findall(r"`([^` ]+)`", text)
    known = re.compile(rf"(?:{TOP})/\S*|[\w.]+\.(?:md|yaml|toml)|Makefile")
    return {word for word in words if known.fullmatch(word)}


def headings(page: Path) -> set[str]:
    """Return the anchors of a page's headings, as GitHub makes them."""
    lines = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), flags=re.MULTILINE)
    return {re.sub(r"[^\w -]", "", line.lower()).replace(" ", "-") for line in lines}


def test_every_path_of_the_page_exists() -> None:
    """Files and folders, from the repository's root."""
    found = paths(PAGE)
    assert len(found) > 60
    assert {path for path in found if not (ROOT / path).exists()} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_path_in_a_documented_package_exists(page: Path) -> None:
    """Pages for users name source files as well; a file that is moved must be moved there, too."""
    sources = {path for path in paths(page.read_text(encoding="utf-8")) if path.endswith(".py")}
    assert {path for path in sources if not (ROOT / path).exists()} == set()


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_relative_link_leads_to_a_file(page: Path) -> None:
    """And to a heading of it, where the link names one."""
    links = re.findall(r"\]\((?!https?:)([^)#]*)#?([^)]*)\)", page.read_text(encoding="utf-8"))
    for file, heading in links:
        target = page.parent / file if file else page
        assert target.exists(), file
        assert not heading or heading in headings(target), heading


def test_every_package_is_on_the_map() -> None:
    """Each folder of source that Python imports from."""
    packages = {
        f"{file.parent.relative_to(ROOT)}/"
        for top in ("images", "tidemill", "benchmarks")
        for file in (ROOT / top).rglob("__init__.py")
    } - {"tidemill/"}
    assert packages - paths(PAGE) == set()


@pytest.mark.parametrize("change", ASKED)
def test_the_table_has_a_row_for_each_change_that_people_ask_about(change: str) -> None:
    """A row that names a file to open first."""
    (row, *_) = [line for line in TO_CHANGE.splitlines() if line.startswith(f"| {change}")]
    assert paths(row.split("|")[2])


def test_a_path_that_is_gone_would_be_found() -> None:
    """Otherwise the tests above would prove nothing."""
    assert paths("open `tidemill/gone.py`, then `template.yaml`, never `make test` or `x > y`") == {
        "tidemill/gone.py",
        "template.yaml",
    }
