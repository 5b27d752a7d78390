"""Facts as records, and back."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from support.builders.runs import finished_run

from tidemill.scaling.facts import (
    KINDS,
    FaultBegan,
    FaultEnded,
    Noted,
    from_record,
    stamp,
    to_record,
)

if TYPE_CHECKING:
    from tidemill.scaling.facts import Fact


def test_every_fact_of_a_run_survives_being_written_down() -> None:
    """A fact read from its line of JSON is the same fact."""
    facts: list[Fact] = [
        *finished_run().facts,
        FaultBegan(0, "metrics-late", "visible", {"late_minutes": 15.0}),
        FaultEnded(0, "metrics-late", "visible"),
    ]
    assert {type(fact) for fact in facts} >= set(KINDS.values()) - {Noted}
    lines = [json.dumps(to_record(fact)) for fact in facts]
    assert [from_record(json.loads(line)) for line in lines] == facts


def test_a_record_says_its_kind_and_its_time() -> None:
    """Other tools read `kind` and `time`."""
    assert to_record(Noted(1_750_000_020.5, "hello")) == {
        "kind": "noted",
        "time": "2025-06-15T15:07:00Z",
        "at": 1_750_000_020.5,
        "text": "hello",
    }
    assert stamp(0) == "1970-01-01T00:00:00Z"


@pytest.mark.parametrize(
    ("record", "error"),
    [
        pytest.param({"kind": "nothing"}, KeyError, id="unknown-kind"),
        pytest.param({"kind": "noted", "at": 1.0}, TypeError, id="field-missing"),
    ],
)
def test_other_records_are_refused(record: dict[str, object], error: type[Exception]) -> None:
    """A record of an unknown kind, or with wrong fields, is an error."""
    with pytest.raises(error):
        from_record(record)
