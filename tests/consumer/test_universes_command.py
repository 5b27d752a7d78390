"""`python -m support.universes`, the program of `make universes`."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = pytest.mark.impure

TESTS = Path(__file__).parents[1]


def run(*arguments: str, hash_seed: str = "0") -> subprocess.CompletedProcess[str]:
    """Run the program to its end."""
    return subprocess.run(
        [sys.executable, "-m", "support.universes", *arguments],
        env={**os.environ, "PYTHONPATH": str(TESTS), "PYTHONHASHSEED": hash_seed},
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )


def test_the_summary_says_what_was_run_and_that_everything_holds() -> None:
    """Revision, seeds, faults and the verdict."""
    done = run("--count", "60", "--jobs", "2")
    assert done.returncode == 0, done.stdout
    first, universes, faults, verdict, speed = done.stdout.splitlines()
    assert first.startswith("revision ")
    assert first.endswith("seeds 0 to 59")
    assert universes.startswith("60 universes, ")
    assert " faults: " in faults
    assert verdict == "every invariant holds"
    assert "universes a second" in speed


def test_machines_get_the_summary_as_json() -> None:
    """With the first seed that was asked for."""
    done = run("--count", "10", "--first", "100", "--json")
    result = json.loads(done.stdout)
    assert (result["first_seed"], result["universes"], result["violations"]) == (100, 10, {})


def test_a_seed_is_replayed_alike_in_every_process() -> None:
    """Whatever Python's hashes of strings are."""
    once, again = (run("--seed", "7", hash_seed=seed) for seed in ("1", "2"))
    assert once.returncode == 0, once.stdout
    assert "SQS" in once.stdout
    assert once.stdout == again.stdout


def test_a_count_of_nothing_is_a_usage_error() -> None:
    """With a line that says what is allowed."""
    done = run("--count", "0")
    assert done.returncode == 2
    assert "--count and --jobs are at least 1" in done.stderr
