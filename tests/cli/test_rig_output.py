"""Tables of a rig for a terminal."""

from __future__ import annotations

from support.builders.runs import SUMMARY

from tidemill.cli.rig_output import state_table, summary_table
from tidemill.report.tables import summary_rows
from tidemill.rig.background import RigState


def test_every_figure_of_a_summary_has_a_row() -> None:
    """The terminal shows what the report shows."""
    assert summary_table(SUMMARY).row_count == len(summary_rows(SUMMARY))


def test_the_state_of_a_rig_has_its_addresses_and_its_status() -> None:
    """The time of the status is left out, because it means nothing to a user."""
    status = {"at": 1.8e9, "visible": 3, "alarms": {"BacklogAlarm": "OK"}, "speed": 20.0}
    state = RigState(1, "http://aws", "http://autoscaling", "http://queue", None, {}, status)
    table = state_table(state)
    assert list(table.columns[0].cells) == [
        *("endpoint", "Auto Scaling", "queue", "visible", "alarms", "speed")
    ]
    assert list(table.columns[1].cells)[3:] == ["3", "BacklogAlarm OK", "20.0"]
