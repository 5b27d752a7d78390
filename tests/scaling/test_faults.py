"""Faults as values: the table of kinds, and the text fields that a fault travels in."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from tidemill.scaling import faults
from tidemill.scaling.errors import FaultError
from tidemill.scaling.faults import (
    KINDS,
    SPOT,
    SPOT_NOTICE_SECONDS,
    Fault,
    FaultParameter,
    read_fault,
    write_fault,
)

HELD = ("kind", "target", "at")
"""Names of fields that no parameter may have."""


def test_a_spot_notice_comes_two_minutes_before_the_end() -> None:
    """EC2 user guide, "Spot Instance interruption notices"."""
    assert SPOT_NOTICE_SECONDS == 120


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_describes_itself(name: str) -> None:
    """Its name and its parameters are words of a command line, its meaning is a sentence."""
    kind = KINDS[name]
    assert kind.name == name
    assert re.fullmatch(r"[a-z][a-z-]*", name)
    assert kind.worlds
    assert re.fullmatch(r"[A-Z].*\.", kind.meaning)
    for parameter in kind.parameters:
        assert re.fullmatch(r"[a-z][a-z_]*", parameter.name)
        assert parameter.name not in HELD
        assert re.fullmatch(r"[A-Z].*\.", parameter.meaning)


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault(SPOT.name), id="any-target-at-once"),
        pytest.param(Fault(SPOT.name, "i-1"), id="one-target"),
        pytest.param(Fault(SPOT.name, "i 1&at=?", 1_750_000_000.25), id="later"),
    ],
)
def test_a_fault_is_read_as_it_was_written(fault: Fault) -> None:
    """The fields hold all of it."""
    assert read_fault(write_fault(fault)) == fault


def test_a_parameter_has_a_default(monkeypatch: pytest.MonkeyPatch) -> None:
    """A fault carries only the values that differ from it, in text as numbers."""
    kind = replace(
        SPOT, parameters=(FaultParameter("notice_seconds", 120.0, "How long it lasts."),)
    )
    monkeypatch.setattr(faults, "KINDS", {"spot": kind})
    assert Fault("spot").value("notice_seconds") == 120
    given = Fault("spot", parameters={"notice_seconds": 5.0})
    assert given.value("notice_seconds") == 5
    assert read_fault(write_fault(given)) == given


@pytest.mark.parametrize(
    ("fields", "problem"),
    [
        pytest.param({}, "there is no fault ''", id="none"),
        pytest.param({"kind": "meteor"}, "there is no fault 'meteor': choose one of", id="unknown"),
        pytest.param(
            {"kind": "spot", "depth": "1"}, "the fault spot has no parameter depth", id="parameter"
        ),
        pytest.param({"kind": "spot", "at": "soon"}, "at of a fault is 'soon'", id="text"),
        pytest.param({"kind": "spot", "at": "nan"}, "at of a fault is nan", id="nan"),
        pytest.param({"kind": "spot", "at": "-1"}, "at of a fault is -1", id="negative"),
    ],
)
def test_wrong_fields_are_refused(fields: dict[str, str], problem: str) -> None:
    """The error says which one is wrong."""
    with pytest.raises(FaultError, match=problem):
        read_fault(fields)
