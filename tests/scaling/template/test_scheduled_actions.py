"""Readers of scheduled actions, and what they refuse."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.builders.fleets import small_fleet

from tidemill.scaling.errors import TemplateError
from tidemill.scaling.spec import ScheduledAction

if TYPE_CHECKING:
    from tidemill.scaling.spec import Fleet
    from tidemill.scaling.template.document import Document


def planned(**properties: Any) -> Fleet:  # noqa: ANN401 - any property
    """Return the small template's fleet with a scheduled action."""
    action = {"AutoScalingGroupName": {"Ref": "Workers"}, **properties}
    return small_fleet(
        Resources__Plan={"Type": "AWS::AutoScaling::ScheduledAction", "Properties": action}
    )


def test_a_scheduled_action_is_read_with_its_times() -> None:
    """A time without an offset is in UTC; -1 leaves a number as it is."""
    fleet = planned(
        MinSize=1,
        MaxSize=-1,
        Recurrence="0 8 * * 1-5",
        TimeZone="Europe/Berlin",
        StartTime="2030-01-01T00:00:00Z",
        EndTime="2030-01-02T00:00:00",
    )
    assert fleet.scheduled == (
        ScheduledAction(
            "Plan",
            "tidemill-Plan",
            min_size=1,
            recurrence="0 8 * * 1-5",
            start=1893456000,
            end=1893542400,
            zone="Europe/Berlin",
        ),
    )


@pytest.mark.parametrize(
    ("properties", "text"),
    [
        ({"StartTime": "2030-01-01T00:00:00Z"}, "give MinSize, MaxSize or DesiredCapacity"),
        ({"MinSize": 1}, "give Recurrence or StartTime"),
        ({"MinSize": 1, "Recurrence": "often"}, "a recurrence has five fields"),
        ({"MinSize": 1, "Recurrence": "0 8 * * *", "TimeZone": "Moon/Base"}, "no IANA time zone"),
        ({"MinSize": 1, "StartTime": "soon"}, "'soon' is no time: write it as"),
        ({"MinSize": 2, "MaxSize": 1, "Recurrence": "0 8 * * *"}, "2 is more than MaxSize 1"),
    ],
    ids=["no-number", "no-time", "recurrence", "zone", "start", "limits"],
)
def test_what_is_wrong_with_a_scheduled_action_is_reported(properties: Document, text: str) -> None:
    """The error has the place in the template."""
    with pytest.raises(TemplateError) as error:
        planned(**properties)
    assert str(error.value).startswith("Resources.Plan.Properties")
    assert text in str(error.value)


def test_two_actions_with_one_start_time_are_refused() -> None:
    """Auto Scaling refuses the second one; two with the same recurrence are allowed."""
    at = {"AutoScalingGroupName": {"Ref": "Workers"}, "StartTime": "2030-01-01T00:00:00Z"}
    kind = "AWS::AutoScaling::ScheduledAction"
    with pytest.raises(TemplateError, match=r"Two\.Properties\.StartTime: One has the same start"):
        small_fleet(
            Resources__One={"Type": kind, "Properties": {"MinSize": 1, **at}},
            Resources__Two={"Type": kind, "Properties": {"MinSize": 2, **at}},
        )
    daily = {"AutoScalingGroupName": {"Ref": "Workers"}, "Recurrence": "0 8 * * *"}
    fleet = small_fleet(
        Resources__One={"Type": kind, "Properties": {"MinSize": 1, **daily}},
        Resources__Two={"Type": kind, "Properties": {"MinSize": 2, **daily}},
    )
    assert len(fleet.scheduled) == 2
