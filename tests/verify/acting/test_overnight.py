"""Check of an idle queue: without its metrics the schedule does not keep it active."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.builders.fleets import product_template
from support.builders.verifications import find, row
from support.fakes.account import FakeAccount
from support.fakes.account_answers import STACK

from tidemill.verify.acting.overnight import OVERNIGHT
from tidemill.verify.finding import Verdict
from tidemill.verify.target import read_target

if TYPE_CHECKING:
    from tidemill.verify.ports import Answer

pytestmark = pytest.mark.long  # each test lets seven hours pass, second by second


def test_an_active_queue_agrees_after_seven_hours() -> None:
    """Its datapoints are there, and the next message's is on time."""
    account = FakeAccount()
    start = account.world.now
    assert find("overnight", account).verdict is Verdict.AGREES
    assert account.world.now - start > 7 * 3600


def test_a_queue_that_publishes_nothing_differs() -> None:
    """A tag does not count as a use."""
    account = FakeAccount()

    def nothing(answer: Answer) -> Answer:
        if account.world.sent:
            return answer
        (one,) = answer["MetricDataResults"]
        return {"MetricDataResults": [one | {"Timestamps": [], "Values": []}]}

    account.changes["cloudwatch:GetMetricData"] = nothing
    finding = find("overnight", account)
    assert row(finding, "datapoints").observed == "0"
    assert finding.verdict is Verdict.DIFFERS


def test_a_queue_without_the_schedule_is_expected_to_fall_silent() -> None:
    """The expectation follows the template: SQS stops publishing, and starts 15 minutes late."""
    template = product_template()
    del template["Resources"]["QueueHeartbeatSchedule"]
    target = read_target(FakeAccount(template=template), template, STACK, lambda _: None)
    silent = {"points": 0, "sent": 0.0, "datapoint": 0.0, "datapoint_seen": 900.0}
    assert {one.verdict for one in OVERNIGHT.judge(target, silent)} == {Verdict.AGREES}
    awake = silent | {"points": 60, "datapoint_seen": 66.0}
    assert {one.verdict for one in OVERNIGHT.judge(target, awake)} == {Verdict.DIFFERS}


def test_messages_of_others_end_the_wait() -> None:
    """The queue was not idle."""
    account = FakeAccount()
    go = account.go

    def busy(seconds: float) -> None:
        go(seconds)
        if not account.world.sent and account.world.now > 1_750_010_000:
            account.world.send("{}")

    account.go = busy  # type: ignore[method-assign]  # a fake with other people's messages
    finding = find("overnight", account)
    assert finding.verdict is Verdict.NOT_OBSERVED
    assert "was used meanwhile" in finding.rows[0].note
