"""Every target of the fuzzer, with a small number of cases; `make fuzz` runs a million."""

from __future__ import annotations

import pytest
from support.fuzz.__main__ import CHUNK, Result, chunks, run_chunk
from support.fuzz.target import Target
from support.fuzz.targets import TARGETS

CASES = 123
LEAST = 20
SLOW = {"metadata-requests"}


@pytest.mark.parametrize(
    "name",
    [
        pytest.param(one.name, marks=[pytest.mark.impure] if one.name in SLOW else [])
        for one in TARGETS
    ],
)
def test_hostile_input_is_treated_as_documented(name: str) -> None:
    """It ends in a value, or in an error that the caller expects."""
    [target] = [one for one in TARGETS if one.name == name]
    cases = max(LEAST, round(CASES * min(1.0, target.share)))
    result = run_chunk(name, 1, cases)
    assert not result.failure, result.failure
    assert result.cases >= cases / 2


def test_a_failure_is_reported_with_its_input_and_its_seed() -> None:
    """So that it can be tried again."""
    [target] = [one for one in TARGETS if one.name == "traces"]

    def refuse(content: bytes) -> None:
        assert b"7" not in content

    broken = Target("broken", target.inputs, refuse, target.change)
    result = run_chunk("broken", 3, 2_000, [broken])
    assert isinstance(result, Result)
    assert result.seed == 3
    assert "AssertionError" in result.failure
    assert "Failing test case" in result.failure


def test_a_case_that_hangs_is_a_failure() -> None:
    """A case has a time limit."""

    def hang(_content: object) -> None:
        while True:
            pass

    [target] = [one for one in TARGETS if one.name == "traces"]
    result = run_chunk("hangs", 1, 1, [Target("hangs", target.inputs, hang, seconds=0.2)])
    assert "not done within 0.2 s" in result.failure


def test_a_target_has_as_many_cases_as_its_share() -> None:
    """In chunks with seeds that follow one another."""
    found = list(chunks(5, 2 * CHUNK + 1))
    assert found == [(5, CHUNK), (6, CHUNK), (7, 1)]
