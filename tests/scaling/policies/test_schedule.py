"""Scheduled actions: when they are due, in which time zone, and what they change."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from support.builders.fleets import a_fleet, a_group
from support.fakes.worlds import MINUTE, START, Run

from tidemill.scaling.facts import ActivityStarted, Noted
from tidemill.scaling.group.memory import GroupMemory
from tidemill.scaling.policies.schedule import cron_problem, first_due, run_due
from tidemill.scaling.spec import Fleet, ScheduledAction

ONCE = ScheduledAction("Once", "once", desired=3, start=START + 90)
DAY = 86_400


def moment(text: str) -> float:
    """Return a time in UTC in epoch seconds."""
    return datetime.fromisoformat(f"{text}+00:00").timestamp()


def scheduled(*actions: ScheduledAction) -> Fleet:
    """Return a fleet of 0 to 10 with these actions."""
    return replace(a_fleet(), scheduled=actions)


def times(action: ScheduledAction, begin: float, count: int) -> list[str]:
    """Return the next times of an action, in UTC."""
    fleet = scheduled(action)
    due = first_due(fleet, begin)
    found: list[str] = []
    while len(found) < count and due[0] is not None:
        found.append(datetime.fromtimestamp(due[0], UTC).strftime("%d %H:%M"))
        _, due = run_due(fleet, GroupMemory(0), due, due[0])
    return found


def test_an_action_at_a_time_runs_once() -> None:
    """Later activities give the action as their cause."""
    run = Run(scheduled(ONCE))
    run.go(89)
    assert run.desired == 0
    run.go(2 * DAY / 24)
    assert run.desired == 3
    (noted,) = run.of_kind(Noted)
    assert noted.at == START + 90
    assert "scheduled action once executed" in run.of_kind(ActivityStarted)[0].cause


def test_an_action_whose_time_has_passed_is_never_due() -> None:
    """A stack that is created later does not run it."""
    assert first_due(scheduled(ONCE), START + 91) == (None,)


@pytest.mark.parametrize(
    ("action", "expected"),
    [
        pytest.param(
            ScheduledAction("A", "a", desired=1, recurrence="30 8 * * 1-5"),
            ["27 08:30", "30 08:30", "31 08:30"],
            id="on-weekdays",
        ),
        pytest.param(
            ScheduledAction("A", "a", desired=1, recurrence="0 9 * * *", zone="Europe/Berlin"),
            ["27 08:00", "28 08:00", "29 07:00"],
            id="through-a-change-of-the-clock",
        ),
        pytest.param(
            ScheduledAction(
                "A", "a", desired=1, recurrence="0 9 * * *", start=moment("2026-03-28T09:00:00")
            ),
            ["28 09:00", "29 09:00", "30 09:00"],
            id="from-a-start",
        ),
        pytest.param(
            ScheduledAction(
                "A", "a", desired=1, recurrence="0 9 * * *", start=moment("2026-03-28T07:30:00")
            ),
            ["28 07:30", "28 09:00", "29 09:00"],
            id="at-a-start-that-is-no-recurrence",
        ),
        pytest.param(
            ScheduledAction(
                "A", "a", desired=1, recurrence="0 9 * * *", start=moment("2026-03-26T07:30:00")
            ),
            ["27 09:00", "28 09:00", "29 09:00"],
            id="from-a-start-that-has-passed",
        ),
        pytest.param(
            ScheduledAction("A", "a", desired=1, recurrence="30 6 * * 2"),
            ["31 06:30", "07 06:30", "14 06:30"],
            id="every-tuesday",
        ),
        pytest.param(
            ScheduledAction(
                "A", "a", desired=1, recurrence="0 9 * * *", end=moment("2026-03-28T09:00:01")
            ),
            ["27 09:00", "28 09:00"],
            id="to-an-end",
        ),
        pytest.param(
            ScheduledAction(
                "A", "a", desired=1, recurrence="0 9 * * *", end=moment("2026-03-28T09:00:00")
            ),
            ["27 09:00"],
            id="not-at-the-end-itself",
        ),
    ],
)
def test_a_recurrence_is_due_by_its_time_zone(action: ScheduledAction, expected: list[str]) -> None:
    """The first time is its start, also if the recurrence does not contain it."""
    assert times(action, moment("2026-03-27T00:00:00"), 3) == expected


def test_a_time_zone_keeps_its_hour_when_the_clock_changes() -> None:
    """The user guide's example: 8:00 in New York is 13:00 UTC before the change, 12:00 after it."""
    action = ScheduledAction("A", "a", desired=1, recurrence="0 8 * * *", zone="America/New_York")
    assert times(action, moment("2026-03-07T00:00:00"), 2) == ["07 13:00", "08 12:00"]


@pytest.mark.parametrize(
    ("action", "limits", "desired"),
    [
        pytest.param({"desired": 5}, (2, 8), 5, id="desired"),
        pytest.param({"min_size": 5}, (5, 8), 5, id="min-above-the-desired"),
        pytest.param({"max_size": 3}, (2, 3), 3, id="max-below-the-desired"),
        pytest.param({"min_size": 0, "desired": 0}, (0, 8), 0, id="min-and-desired"),
        pytest.param({"max_size": 9, "desired": 9}, (2, 9), 9, id="max-and-desired"),
        pytest.param({"min_size": 6, "max_size": 9, "desired": 7}, (6, 9), 7, id="all"),
        pytest.param({"desired": 0}, (2, 8), 2, id="desired-below-the-minimum"),
        pytest.param({"desired": 9}, (2, 8), 8, id="desired-above-the-maximum"),
        pytest.param({"min_size": 9}, (9, 9), 9, id="min-above-the-maximum"),
        pytest.param({"max_size": 1}, (2, 2), 2, id="max-below-the-minimum"),
    ],
)
def test_an_action_sets_any_of_the_three_sizes(
    action: dict[str, Any], limits: tuple[int, int], desired: int
) -> None:
    """Sizes outside one another are brought together (assumed)."""
    fleet = replace(
        scheduled(ScheduledAction("A", "a", start=START + 1, **action)),
        group=a_group(min_size=2, max_size=8),
    )
    step, _ = run_due(fleet, GroupMemory(4), first_due(fleet, START), START + 1)
    assert step.memory.limits(fleet.group) == limits
    assert step.memory.desired == desired


def test_limits_move_and_the_desired_capacity_with_them() -> None:
    """The sizes of an action hold until the next action."""
    up = ScheduledAction("Up", "up", min_size=2, max_size=4, start=START + 60)
    down = ScheduledAction("Down", "down", min_size=0, desired=0, start=START + 600)
    run = Run(scheduled(up, down))
    run.go(70)
    assert run.memory.group.limits(run.fleet.group) == (2, 4)
    assert run.desired == 2
    run.go(600)
    assert run.memory.group.limits(run.fleet.group) == (0, 4)
    assert run.desired == 0


def test_policies_go_by_the_limits_that_an_action_has_set() -> None:
    """The limits of the template do not apply then."""
    tight = ScheduledAction("Tight", "tight", max_size=1, start=START + 1)
    run = Run(scheduled(tight))
    run.queue.visible = 100
    run.world.rate = 0
    run.go(20 * MINUTE)
    assert run.desired == 1


def test_a_suspended_process_loses_what_comes_due() -> None:
    """A skipped action is not run later."""
    fleet = scheduled(ONCE)
    memory = GroupMemory(0, suspended={"ScheduledActions": START})
    step, due = run_due(fleet, memory, first_due(fleet, START), START + 90)
    assert (step.memory.desired, due) == (0, (None,))


def test_actions_that_come_due_together_run_in_the_order_of_their_times() -> None:
    """The order does not depend on the time of the turn."""
    late = replace(ONCE, logical_id="Late", desired=5, start=START + 95)
    fleet = replace(scheduled(late, ONCE), group=a_group())
    step, _ = run_due(fleet, GroupMemory(0), first_due(fleet, START), START + 100)
    assert step.memory.desired == 5


@pytest.mark.parametrize(
    ("recurrence", "says"),
    [("0 9 * * 1-5", ""), ("0 0 9 * * 1", "five fields"), ("61 * * * *", "not a cron expression")],
)
def test_what_is_wrong_with_a_recurrence_is_reported(recurrence: str, says: str) -> None:
    """A recurrence has five fields, each within its bounds."""
    problem = cron_problem(recurrence)
    assert says in problem
    assert bool(problem) is bool(says)
