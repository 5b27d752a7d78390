"""The faults of a run in its picture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemill.report.timeline_figure import draw_timeline, fault_spans
from tidemill.scaling.facts import FaultBegan, Noted

if TYPE_CHECKING:
    from pathlib import Path

    from tidemill.scaling.facts import Fact

FACTS: list[Fact] = [
    FaultBegan(100.0, "kill", "i-1", {}),
    FaultBegan(160.0, "freeze", "i-1", {"for_seconds": 60.0}),
    FaultBegan(400.0, "freeze", "i-2", {"for_seconds": 300.0}),
    Noted(500.0, "the end"),
]


def test_a_fault_has_a_span_from_its_begin_to_its_end() -> None:
    """One without a duration is a moment; one that lasts longer than the run ends with it."""
    assert fault_spans(FACTS) == {
        "kill": [(100.0, 100.0)],
        "freeze": [(160.0, 220.0), (400.0, 500.0)],
    }


def test_the_picture_has_a_panel_of_faults_if_there_were_any(tmp_path: Path) -> None:
    """Each kind has a row with its name; a run without faults has no such panel."""
    pictures = [tmp_path / "with.svg", tmp_path / "without.svg"]
    for facts, picture in zip((FACTS, FACTS[-1:]), pictures, strict=True):
        draw_timeline(facts, picture)
    drawn, plain = (picture.read_text(encoding="utf-8") for picture in pictures)
    for text in ("Faults", "kill", "freeze"):
        assert f"<!-- {text} -->" in drawn
        assert f"<!-- {text} -->" not in plain
