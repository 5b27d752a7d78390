"""Figures and picture of the same run in rig and simulator, side by side."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from support.builders.runs import finished_run

from tidemill.report.agreement import (
    Side,
    agreement_chapter,
    agreement_rows,
    draw_agreement,
    first_events,
)
from tidemill.scaling.facts import AlarmChanged, DesiredChanged

if TYPE_CHECKING:
    from pathlib import Path

FACTS = finished_run().facts
RIG = Side(FACTS, 500, 5, 0)


def test_a_run_agrees_with_itself() -> None:
    """Both columns have the same figures, and the events are in the same order."""
    *figures, order = agreement_rows(RIG, RIG)
    assert all(rig == simulated != "never" for _, rig, simulated in figures)
    assert order == ("order of first events", "", "the same")


def test_what_did_not_happen_is_reported_as_never() -> None:
    """An empty run next to a complete one has zeros and "never"."""
    rows = {what: simulated for what, _, simulated in agreement_rows(RIG, Side([], 0, 0, 0))}
    assert rows["minutes until the last instance is gone"] == "never"
    assert rows["instances at the peak"] == "0"
    assert rows["order of first events"] == "another"


def test_minutes_count_from_the_start_of_the_rig() -> None:
    """Both runs use one clock, so a run that is a minute later has a minute more."""
    later = Side([replace(fact, at=fact.at + 60) for fact in FACTS], 500, 5, 0)
    rows = {what: (rig, simulated) for what, rig, simulated in agreement_rows(RIG, later)}
    rig, simulated = rows["minutes until the last instance is gone"]
    assert float(simulated) - float(rig) == pytest.approx(1)


def test_events_of_one_kind_are_listed_once() -> None:
    """Alarms count by name, changes of capacity by direction, each only once."""
    ring = AlarmChanged(0, "A", "OK", "ALARM", "", None)
    rise = DesiredChanged(1, "A", "P", "", 1, {}, 0, 1)
    quiet = replace(ring, after="OK")
    assert first_events([ring, rise, quiet, ring, replace(rise, before=1, after=0)]) == [
        "A is in ALARM",
        "capacity rises",
        "capacity falls",
    ]


def test_the_same_runs_make_the_same_picture(tmp_path: Path) -> None:
    """Two drawings of the same runs are identical byte for byte."""
    for name in ("a.png", "b.png"):
        draw_agreement(FACTS, FACTS, tmp_path / name)
    assert (tmp_path / "a.png").read_bytes() == (tmp_path / "b.png").read_bytes()


def test_the_chapter_has_figures_picture_and_what_the_simulator_was_given() -> None:
    """The chapter is Markdown with the picture, the figures, and what the simulator was given."""
    text = "\n".join(agreement_chapter(agreement_rows(RIG, RIG), "docs/agreement.png"))
    assert "](docs/agreement.png)" in text
    assert "| processed | 500 | 500 |" in text
    assert "The input of the simulator was" in text
