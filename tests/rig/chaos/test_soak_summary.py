"""The summary of a soak test: what counts as a broken promise."""

from __future__ import annotations

from typing import Any

import pytest

from tidemill.rig.chaos.plan import Plan
from tidemill.rig.chaos.runner import Happening, PlanRun
from tidemill.rig.chaos.soak_summary import broken_promises, faults_of
from tidemill.rig.errors import RigError

GOOD: dict[str, Any] = {
    "messages": 100,
    "sent": 100,
    "indeterminate": 0,
    "poison": 1,
    "poison_dead_lettered": 1,
    "unknown": 0,
    "problems": ["not proven: 3 lines were not delivered"],
    "faults_happened": 3,
}


def test_a_run_that_kept_every_promise_has_none_broken() -> None:
    """Messages whose send got no answer are accounted for as well."""
    assert broken_promises(GOOD) == []
    assert broken_promises(GOOD | {"sent": 90, "indeterminate": 10}) == []


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        pytest.param({"problems": ["2 messages lost"]}, "2 messages lost", id="ledger"),
        pytest.param({"unknown": 2}, "2 messages are of unknown fate", id="unknown"),
        pytest.param(
            {"poison_dead_lettered": 0},
            "1 malformed messages are not among the dead letters",
            id="poison",
        ),
        pytest.param({"faults_happened": 0}, "no fault happened", id="faults"),
        pytest.param({"sent": 90}, "10 messages were not sent", id="sent"),
    ],
)
def test_each_broken_promise_is_a_sentence(changes: dict[str, int], sentence: str) -> None:
    """So the run fails, and says why."""
    assert broken_promises(GOOD | changes) == [sentence]


def test_the_ledger_learns_of_faults_that_happened_to_one_instance() -> None:
    """Those of all callers, of metrics and of the producer explain nothing by themselves."""
    run = PlanRun(Plan((), 0), _never, speed=1)
    for kind, target, missed in (
        ("kill", "i-1", ""),
        ("network-cut", "i-1", ""),
        ("freeze", "i-2", ""),
        ("freeze", "", "no instance is in service"),
        ("sqs-slow", "every caller", ""),
        ("sqs-slow", "producer", ""),
        ("metrics-late", "SQS's metrics", ""),
    ):
        run.done.append(Happening(1.0, {"kind": kind}, target, missed))
    assert faults_of(run) == {"i-1": ["kill", "network-cut"], "i-2": ["freeze"]}


def _never(_: object) -> str:
    raise RigError("no fault happens here")
