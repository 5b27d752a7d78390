"""Mutation testing: what `make mutants` says of a small module with good and with poor tests."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Final

import pytest

from benchmarks.mutants import choosing

ROOT: Final = Path(__file__).parents[2]
MAKER: Final = ROOT / ".venv-mutants/bin/python"

MODULE: Final = '''"""A module of three functions, the first of them tested well."""
from typing import Final

LIMIT: Final[int] = 5

def is_large(number: int) -> bool:
    return number >= LIMIT

def is_small(number: int) -> bool:
    return number < 2

def countdown(number: int) -> int:
    while number > 0:
        number -= 3
    return number
'''
TESTS: Final = """import os

import pytest

from shared.sizes import countdown, is_large, is_small

def test_large() -> None:
    assert [is_large(4), is_large(5), is_large(6)] == [False, True, True]

def test_small() -> None:
    assert is_small(1)
    assert not is_small(3)

def test_countdown() -> None:
    assert countdown(9) == 0

@pytest.mark.impure
def test_left_out() -> None:
    raise AssertionError
"""
CONFTEST: Final = """import pytest

def pytest_addoption(parser):
    parser.addoption("--pure", action="store_true")

def pytest_collection_modifyitems(items):
    items[:] = [item for item in items if item.get_closest_marker("impure") is None]
"""
SETTINGS: Final = """[tool.pytest.ini_options]
markers = ["impure: left out"]
addopts = ["--import-mode=importlib"]
"""


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a folder with a module, its tests, and what pytest needs."""
    files = {
        "images/shared/sizes.py": MODULE,
        "tests/shared/test_sizes.py": TESTS,
        "tests/conftest.py": CONFTEST,
        "pyproject.toml": SETTINGS,
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return tmp_path


def _mutants(project: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    if not MAKER.exists():
        reason = "this test needs .venv-mutants: make mutants"
        (pytest.fail if os.environ.get("CI") else pytest.skip)(reason)
    command = [sys.executable, "-m", "benchmarks.mutants", *arguments]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    return subprocess.run(
        command, check=False, capture_output=True, text=True, cwd=project, env=environment
    )


@pytest.mark.impure
@pytest.mark.timeout(400)  # 14 s of CPU time in all, which a busy machine stretches tenfold
def test_a_fault_that_tests_see_is_killed_and_one_that_they_miss_survives(project: Path) -> None:
    """Tests of 1 and 3 do not see another limit than 2; those of 4, 5 and 6 see every fault."""
    done = _mutants(project, "--json", "images/shared/sizes.py")
    assert done.returncode == 0, done.stderr
    [score] = json.loads(done.stdout)
    diffs = {one["diff"] for one in score["survivors"]}
    assert "-    return number < 2\n+    return number <= 2" in diffs
    assert {one["at"] for one in score["survivors"]} <= {
        f"images/shared/sizes.py:{line}" for line in (10, 13, 14)
    }
    assert score["killed"] + len(score["survivors"]) == score["mutants"]
    assert score["killed"] >= 8
    assert "images/shared/sizes.py: 1 of " in done.stderr
    assert (project / "images/shared/sizes.py").read_text(encoding="utf-8") == MODULE


@pytest.mark.impure
@pytest.mark.timeout(400)  # 14 s of CPU time in all, which a busy machine stretches tenfold
def test_a_mutant_that_never_ends_is_ended_and_counts_as_killed(project: Path) -> None:
    """Counting down by adding does not end before the limit of CPU time."""
    path = project / "images/shared/sizes.py"
    path.write_text(MODULE.replace("number -= 3", "number = number - 3"), encoding="utf-8")
    [score] = json.loads(_mutants(project, "--json", "images/shared/sizes.py").stdout)
    assert score["timed_out"] >= 1
    assert score["timed_out"] <= score["killed"] < score["mutants"]


@pytest.mark.impure
def test_tests_that_fail_without_a_mutant_say_nothing_about_mutants(project: Path) -> None:
    """Every mutant would be killed, by a test that sees nothing."""
    path = project / "tests/shared/test_sizes.py"
    path.write_text(TESTS + "\n\ndef test_broken():\n    assert False\n", encoding="utf-8")
    done = _mutants(project, "--json", "images/shared/sizes.py")
    assert done.returncode == 1
    assert json.loads(done.stdout) == []
    assert "not run, its pure tests do not pass as it is" in done.stderr


@pytest.mark.impure
@pytest.mark.timeout(400)  # 14 s of CPU time in all, which a busy machine stretches tenfold
def test_a_module_that_does_not_exist_is_named(project: Path) -> None:
    """One line, and the exit code of bad usage."""
    done = _mutants(project, "images/shared/nothing.py")
    assert done.returncode == 2
    assert done.stderr.startswith("mutants: images/shared/nothing.py is not a file")


@pytest.mark.parametrize(
    ("module", "name", "test"),
    [
        ("images/consumer/retry.py", "consumer.retry", "tests/consumer/test_retry.py"),
        (
            "tidemill/scaling/alarms/window.py",
            "tidemill.scaling.alarms.window",
            "tests/scaling/alarms/test_window.py",
        ),
        (
            "images/consumer/pool/process_pool.py",
            "consumer.pool.process_pool",
            "tests/consumer/pool/test_process_pool_fifo.py",
        ),
    ],
)
def test_the_tests_of_a_module_mirror_its_path(module: str, name: str, test: str) -> None:
    """Also where they are in several files, each of which begins with the module's name."""
    assert choosing.dotted(Path(module)) == name
    assert Path(test) in choosing.tests_of(ROOT, Path(module))


@pytest.mark.impure
def test_changed_modules_are_those_of_the_tested_folders(tmp_path: Path) -> None:
    """Committed, changed and new ones count; documents, and code that only calls AWS, do not."""
    for name in ("images/consumer/a.py", "images/consumer/a.md", "tidemill/release/b.py"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_text("", encoding="utf-8")
    # git reads a folder's difference to its empty tree like that to a revision
    for arguments in (["init", "--quiet"], ["add", "."]):
        # git is where PATH has it
        subprocess.run(["git", "-C", tmp_path, *arguments], check=True)  # noqa: S607
    (tmp_path / "images/consumer/new.py").write_text("", encoding="utf-8")
    empty = "4b825dc642cb6eb9a060e54bf8d69288fbee4904"
    expected = [Path("images/consumer/a.py"), Path("images/consumer/new.py")]
    assert choosing.changed(tmp_path, empty) == expected
