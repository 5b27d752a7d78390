"""Faults as values: the table of kinds, and the text fields that a fault travels in."""

from __future__ import annotations

import re
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tidemill.scaling import faults
from tidemill.scaling.errors import FaultError
from tidemill.scaling.fault_kinds import (
    FOR_MINUTES,
    KINDS,
    SPOT,
    FaultParameter,
    Target,
    WorldKind,
)
from tidemill.scaling.faults import SPOT_NOTICE_SECONDS, Fault, read_fault, write_fault

if TYPE_CHECKING:
    from tidemill.scaling.fault_kinds import FaultKind

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
    assert (kind.target in {Target.METRIC, Target.ALARM}) == (FOR_MINUTES in kind.parameters)
    for parameter in kind.parameters:
        assert re.fullmatch(r"[a-z][a-z_]*", parameter.name)
        assert parameter.name not in HELD
        assert re.fullmatch(r"[A-Z].*\.", parameter.meaning)


def values(kind: FaultKind) -> str:
    """Return a kind's parameters with their defaults, as a cell of a table."""
    return ", ".join(f"`{one.name}` {one.default:g}" for one in kind.parameters)


def rows_of(page: str, head: str) -> list[str]:
    """Return the rows of the table with this head on a page of the docs."""
    text = (Path(__file__).parents[2] / "docs" / page).read_text(encoding="utf-8")
    start = text.index(head)
    return text[start : text.index("\n\n", start)].splitlines()[2:]


def test_the_table_in_the_docs_has_every_kind_as_it_is_described_here() -> None:
    """docs/faults.md lists the kinds with targets, parameters, meanings and worlds."""
    rows = []
    for kind in KINDS.values():
        worlds = ", ".join(world.value for world in WorldKind if world in kind.worlds)
        cells = [f"`{kind.name}`", kind.target.value, values(kind), kind.meaning, worlds]
        rows.append("|" + "|".join(f" {cell} " if cell else " " for cell in cells) + "|")
    assert rows_of("faults.md", "| kind | happens to | values and their defaults |") == rows


def test_the_simulators_table_has_the_kinds_that_it_can_imitate() -> None:
    """docs/simulator.md lists those with their parameters, defaults and meanings."""
    rows = [
        f"| `{kind.name}` | {values(kind) + ' ' if values(kind) else ''}| {kind.meaning} |"
        for kind in KINDS.values()
        if WorldKind.SIMULATOR in kind.worlds
    ]
    assert rows_of("simulator.md", "| kind | values and their defaults | what happens |") == rows


def test_a_fault_of_an_instance_or_of_calls_lasts_for_seconds_or_happens_once() -> None:
    """A kind without a duration is over at once."""
    assert Fault("freeze", at=10.0, parameters={"for_seconds": 30.0}).until == 40
    assert Fault("freeze").seconds == 180
    assert Fault("reboot", at=10.0).until == 10
    assert Fault("metrics-late", parameters={"for_minutes": 2.0}).seconds == 120


@pytest.mark.parametrize(
    "fault",
    [
        pytest.param(Fault(SPOT.name), id="any-target-at-once"),
        pytest.param(Fault(SPOT.name, "i-1"), id="one-target"),
        pytest.param(Fault(SPOT.name, "i 1&at=?", 1_750_000_000.25), id="later"),
        pytest.param(
            Fault("metrics-late", "visible", 30.0, {"late_minutes": 15.0, "for_minutes": 0.0}),
            id="metric",
        ),
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
        pytest.param(
            {"kind": "metrics-late", "target": "sent"},
            "cannot happen to 'sent': choose one of visible, in-flight",
            id="metric",
        ),
        pytest.param(
            {"kind": "alarms-late", "late_minutes": "1.5"},
            "late_minutes of a fault is 1.5: it must be a whole number",
            id="part-of-a-minute",
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


def test_a_fault_of_metrics_lasts_as_long_as_it_says() -> None:
    """It is on from its time on and off at its end; 0 minutes have no end."""
    fault = Fault("metrics-missing", at=60.0, parameters={"for_minutes": 2.0})
    assert [fault.is_on(at) for at in (59.9, 60, 179.9, 180)] == [False, True, True, False]
    assert Fault("metrics-missing", at=60.0, parameters={"for_minutes": 0.0}).is_on(1e9)


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        pytest.param(Fault("metrics-late"), "SQS's metrics will arrive 5 minutes late", id="all"),
        pytest.param(
            Fault("metrics-late", "visible", parameters={"late_minutes": 15.0}),
            "the metric visible will arrive 15 minutes late",
            id="one",
        ),
        pytest.param(
            Fault("phantom-in-flight"),
            "the metric in-flight will be 1 while the queue is empty",
            id="only-one",
        ),
        pytest.param(
            Fault("alarms-late"), "all alarms will be evaluated 2 minutes late", id="all-alarms"
        ),
        pytest.param(
            Fault("alarms-late", "BacklogAlarm"),
            "the alarm BacklogAlarm will be evaluated 2 minutes late",
            id="alarm",
        ),
    ],
)
def test_a_fault_of_metrics_or_alarms_has_words_for_what_it_happens_to(
    fault: Fault, words: str
) -> None:
    """They are the beginning of the timeline's sentence, its note is the end."""
    assert f"{fault.subject()} {fault.phrase(KINDS[fault.kind].note)}" == words
