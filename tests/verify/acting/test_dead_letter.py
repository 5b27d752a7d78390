"""Check of dead letters: the message, its alarm, and other people's dead letters."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.builders.verifications import find, row
from support.fakes.account import FakeAccount
from support.fakes.living_world import Message

from tidemill.verify.acting.dead_letter import BODY
from tidemill.verify.finding import Verdict

if TYPE_CHECKING:
    from tidemill.verify.ports import Answer

ALARMS = "cloudwatch:DescribeAlarms"


def test_an_invalid_message_becomes_a_dead_letter_and_is_removed() -> None:
    """Nothing is left behind."""
    account = FakeAccount()
    assert find("dead-letter", account).verdict is Verdict.AGREES
    assert account.world.dead == []


def test_a_message_that_is_processed_all_the_same_differs() -> None:
    """Such as by a handler that accepts any text."""
    account = FakeAccount()
    account.world.replaced = "{}"
    finding = find("dead-letter", account)
    assert row(finding, "in the dead-letter queue").observed == "not there in time"


@pytest.mark.parametrize(
    ("state", "part"), [("OK", "while it is there"), ("ALARM", "after it was deleted")]
)
def test_an_alarm_that_does_not_follow_differs(state: str, part: str) -> None:
    """It stays in OK, or stays in ALARM."""
    account = FakeAccount()

    def always(answer: Answer) -> Answer:
        return {"MetricAlarms": [{**one, "StateValue": state} for one in answer["MetricAlarms"]]}

    account.changes[ALARMS] = always
    assert row(find("dead-letter", account), part).verdict is Verdict.DIFFERS


def test_other_peoples_dead_letters_are_left_alone() -> None:
    """They cannot be told from the check's own by a count."""
    account = FakeAccount()
    account.world.dead.append(Message("other", "precious"))
    finding = find("dead-letter", account)
    assert finding.verdict is Verdict.NOT_OBSERVED
    assert [one.body for one in account.world.dead] == ["precious"]
    assert account.world.sent == 0


def test_a_message_that_is_received_very_often_is_not_waited_for() -> None:
    """A thousand receives take a day."""
    account = FakeAccount(MaxReceiveCount="1000")
    finding = find("dead-letter", account)
    assert finding.verdict is Verdict.NOT_OBSERVED
    assert "1000 receives take too long" in finding.rows[0].note
    assert account.world.sent == 0


def test_only_the_checks_own_text_is_deleted() -> None:
    """A dead letter of others that arrives meanwhile stays."""
    account = FakeAccount()
    account.world.replaced = "precious"
    finding = find("dead-letter", account)
    assert row(finding, "its text").observed == "precious"
    assert [one.body for one in account.world.dead] == ["precious"]
    assert BODY != "precious"
