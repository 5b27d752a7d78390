"""The limits that keep the code easy to read: sizes, no copies, no exception without a reason."""

from __future__ import annotations

import ast
import re
from collections import Counter, defaultdict
from pathlib import Path

ROOT = Path(__file__).parents[1]
SOURCE = ("tidemill", "images", "benchmarks", "localstack", "ansible")
MODULES_IN_A_FOLDER = 20
LINES_IN_A_MODULE = 280
LINES_IN_A_COPY = 10


def _modules() -> list[Path]:
    return [path for folder in SOURCE for path in sorted((ROOT / folder).rglob("*.py"))]


def _tests() -> list[Path]:
    return sorted((ROOT / "tests").rglob("*.py"))


def _texts() -> list[Path]:
    """Return the files in which a copy counts: Python, shell scripts and Dockerfiles."""
    found = [
        path for name in (*SOURCE, "tests", ".ci") for path in sorted((ROOT / name).rglob("*"))
    ]
    return [
        path
        for path in found
        if path.suffix in {".py", ".sh"} or path.name == "Dockerfile" or path.parent.name == ".ci"
    ]


def _statements(path: Path) -> list[tuple[int, str]]:
    """Return the lines that a copy would share, numbered: no blank ones, comments or imports."""
    lines = []
    imports = False  # inside a `from module import (`, whose names follow one a line
    for number, raw in enumerate(path.read_text(encoding="utf-8").splitlines(), start=1):
        line = raw.strip()
        if imports or (line.startswith("from ") and line.endswith("import (")):
            imports = line != ")"
        elif line.strip("()[]{},") and not line.startswith(("#", "import ", "from ")):
            lines.append((number, line))
    return lines


def test_no_folder_holds_more_modules_than_a_reader_can_survey() -> None:
    """A folder of source has 20 modules at most, its __init__.py included."""
    counts = Counter(path.parent.relative_to(ROOT) for path in _modules())
    assert {str(folder): n for folder, n in counts.items() if n > MODULES_IN_A_FOLDER} == {}


def test_no_module_is_long_without_a_reason() -> None:
    """A module has 280 lines at most, or its docstring says why it is longer; tests as well."""
    long = {}
    for path in (*_modules(), *_tests()):
        text = path.read_text(encoding="utf-8")
        lines = len(text.splitlines())
        if lines > LINES_IN_A_MODULE and "280 lines" not in (
            ast.get_docstring(ast.parse(text)) or ""
        ):
            long[str(path.relative_to(ROOT))] = lines
    assert long == {}


def test_no_ten_lines_stand_twice() -> None:
    """Ten lines in a row that stand in two places of the source belong in one."""
    found: dict[tuple[str, ...], list[str]] = defaultdict(list)
    for path in _texts():
        lines = _statements(path)
        for start in range(len(lines) - LINES_IN_A_COPY + 1):
            run = tuple(line for _, line in lines[start : start + LINES_IN_A_COPY])
            found[run].append(f"{path.relative_to(ROOT)}:{lines[start][0]}")
    assert [places for places in found.values() if len(places) > 1] == []


def test_every_exception_to_a_rule_of_ruff_has_its_reason() -> None:
    """A noqa is followed by its reason, or a comment just above the line gives it."""
    exception = re.compile(r"# noqa: [A-Z0-9, ]+( - .+)?$")
    unexplained = []
    for path in (*_modules(), *_tests()):
        lines = path.read_text(encoding="utf-8").splitlines()
        for number, line in enumerate(lines, start=1):
            found = exception.search(line)
            above = [one.strip()[:1] for one in lines[max(number - 4, 0) : number - 1]]
            if found and not found[1] and "#" not in above:
                unexplained.append(f"{path.relative_to(ROOT)}:{number}")
    assert unexplained == []
