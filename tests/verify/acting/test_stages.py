"""Checks of a message's way: each time, cause and end that is not as predicted differs."""

from __future__ import annotations

from typing import Any

import pytest
from support.builders.verifications import a_run, find, named, row
from support.fakes.account import FakeAccount

from tidemill.scaling.times.catalogue import USUAL, Grade, Time
from tidemill.scaling.times.distributions import Constant, Triangular
from tidemill.verify.acting.stages import measured, span_of, until_work
from tidemill.verify.finding import Span, Verdict

ACTIVITIES, LOGS = "autoscaling:DescribeScalingActivities", "logs:FilterLogEvents"
CHECKS = ("delay", "stages", "cause", "zero")


@pytest.mark.parametrize("fast", ["false", "true"])
@pytest.mark.parametrize("check", CHECKS)
def test_a_message_as_predicted_agrees(check: str, fast: str) -> None:
    """With and without the fast signal."""
    account = FakeAccount(FastSignal=fast, HoldSeconds="300")
    finding = find(check, account)
    assert [one for one in finding.rows if one.verdict is Verdict.DIFFERS] == []
    assert fast == "true" or finding.verdict is Verdict.AGREES


def test_late_metrics_differ() -> None:
    """Two minutes instead of some seconds."""
    account = FakeAccount()
    account.metric_delay = 120.0
    finding = find("delay", account)
    assert row(finding, "GetMetricData").verdict is Verdict.DIFFERS


def test_a_metric_that_shows_no_message_is_no_agreement() -> None:
    """Such as one that CloudWatch does not return."""
    account = FakeAccount()
    account.refused["cloudwatch:GetMetricData"] = "AccessDenied"
    finding = find("delay", account)
    assert finding.verdict is Verdict.NOT_OBSERVED
    assert "AccessDenied" in finding.rows[0].note


@pytest.mark.parametrize(
    ("name", "value", "stage"),
    [("pending", 40.0, "pending"), ("boot", 300.0, "installs")],
)
def test_a_slow_stage_differs(name: str, value: float, stage: str) -> None:
    """The others still agree."""
    account = FakeAccount()
    setattr(account.world, name, value)
    finding = find("stages", account)
    assert [one.what.split(" ")[0].rstrip(":") for one in _differing(finding)] == [stage]


def test_a_late_reaction_differs() -> None:
    """The cause of the activity has both moments."""
    account = FakeAccount()
    account.reaction = 90.0
    assert [one.observed for one in _differing(find("stages", account))] == ["90.0 s"]


def test_a_message_that_fails_differs() -> None:
    """The handler does not accept it."""
    finding = find("stages", body="no vehicle")
    assert row(finding, "outcome").observed == "invalid"


def test_without_lines_their_stages_are_not_observed() -> None:
    """The rows say why."""
    account = FakeAccount()
    account.world.logs = False
    finding = find("stages", account)
    assert finding.verdict is Verdict.NOT_OBSERVED
    assert row(finding, "notice").note == "no such line in CloudWatch Logs"
    assert row(finding, "pending").verdict is Verdict.AGREES


def rewritten(old: str, new: str) -> Any:  # noqa: ANN401 - a change of an answer
    """Return the change of a text in every cause."""
    return lambda answer: {
        "Activities": [
            {**one, "Cause": one["Cause"].replace(old, new)} for one in answer["Activities"]
        ]
    }


def test_another_cause_differs() -> None:
    """A user's request instead of an alarm's policy, or an alarm in another state."""
    account = FakeAccount()
    account.changes[ACTIVITIES] = rewritten("a monitor alarm", "a user request")
    assert find("cause", account).verdict is Verdict.DIFFERS
    account = FakeAccount()
    account.answers[ACTIVITIES] = {"Activities": []}
    finding = find("cause", account)
    assert {one.observed for one in finding.rows} == {"no such activity"}
    account.refused[ACTIVITIES] = "AccessDenied"
    assert find("cause", account).verdict is Verdict.NOT_OBSERVED


def test_a_group_that_stays_differs() -> None:
    """Its instance would be billed for ever."""
    account = FakeAccount()
    account.world.works = False
    finding = find("zero", account)
    assert row(finding, "after the message").observed == "not at 0 in time"
    assert finding.verdict is Verdict.DIFFERS


def test_a_hook_that_ends_by_its_timeout_differs() -> None:
    """The worker did not see that it was to be terminated."""
    account = FakeAccount()
    account.world.drains = False
    finding = find("zero", account)
    assert row(finding, "time in hook").verdict is Verdict.DIFFERS


def test_measured_times_have_the_names_of_the_catalogue() -> None:
    """So that a file of them can be used by the simulator."""
    run = a_run(FakeAccount(), named("zero"))
    found = {stage.name: stage.seconds for stage in measured(run.target.fleet, run.seen["message"])}
    assert found == {
        "reaction": 9.0,
        "alarm_lag": 6.0,
        "launch_request": 2.0,
        "pending": 5.0,
        "os_boot": 14.0,
        "notice": 3.0,
        "flush": 1.0,
        "terminate": 45.0,
    }
    assert until_work(run.seen["message"]) == 31.0
    assert all(hasattr(USUAL, name) for name in found)


def test_a_time_before_its_begin_is_no_observation() -> None:
    """Clocks differ, or two moments belong to different instances."""
    run = a_run(FakeAccount(), named("zero"))
    seen = run.seen["message"] | {"running": run.seen["message"]["launch_time"] - 1}
    assert "pending" not in {stage.name for stage in measured(run.target.fleet, seen)}


@pytest.mark.parametrize(
    ("distribution", "span"),
    [
        (Constant(6.0), Span(2.0, 13.0)),
        (Triangular(3.0, 5.0, 9.0), Span(2.0, 10.0)),
        (Constant(0.0), Span(0.0, 1.0)),
    ],
    ids=str,
)
def test_a_span_is_the_distributions_with_rounding(
    distribution: Constant | Triangular, span: Span
) -> None:
    """A constant has no width of its own: half and double are no surprise."""
    assert span_of(Time("a -> b", distribution, Grade.GUESSED, "x")) == span


def _differing(finding: Any) -> list[Any]:  # noqa: ANN401 - rows of a finding
    return [one for one in finding.rows if one.verdict is Verdict.DIFFERS]
