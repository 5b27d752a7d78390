"""Check of the drain: messages that are lost, left or cut off are noticed."""

from __future__ import annotations

import pytest
from support.builders.verifications import a_run, find, named, row
from support.fakes.account import FakeAccount

from tidemill.verify.finding import Verdict


def test_a_drain_as_predicted_agrees() -> None:
    """Twenty messages, two polls of ten: some are left when the instance ends."""
    account = FakeAccount()
    run = a_run(account, named("drain"))
    assert len(run.seen["drain"]["messages"]) == 20
    assert len({line["instance_id"] for line in account.world.lines}) == 2
    assert run.findings()[0].verdict is Verdict.AGREES


@pytest.mark.parametrize(
    ("share", "polled", "count"), [("1", "10", 1), ("20", "1000", 15), ("1000", "10", 20)]
)
def test_no_more_messages_are_sent_than_one_instance_is_launched_for(
    share: str, polled: str, count: int
) -> None:
    """A fleet of a thousand instances would be an expensive check."""
    account = FakeAccount(BacklogPerInstance=share, MessagesPerPoll=polled, MaxInstances="1000")
    run = a_run(account, named("drain"))
    assert account.world.sent == count
    assert account.memory.group.launched <= 2
    assert run.findings()[0].verdict is not Verdict.DIFFERS


def test_a_hook_that_times_out_differs() -> None:
    """The worker never completes it."""
    account = FakeAccount()
    account.world.drains = False
    assert row(find("drain", account), "time in hook").verdict is Verdict.DIFFERS


def test_messages_left_in_flight_differ() -> None:
    """The worker ends without returning what it holds."""
    account = FakeAccount()
    account.world.returns = False
    account.world.handling = 60.0
    finding = find("drain", account)
    assert row(finding, "in flight").verdict is Verdict.DIFFERS


def test_a_lost_message_differs() -> None:
    """Its line is missing in the end."""
    account = FakeAccount()
    send = account.world.send

    def losing(body: str) -> str:
        name = send(body)
        if name == "m-20":
            account.world.messages.pop()
        return name

    account.world.send = losing  # type: ignore[method-assign]  # a fake that loses a message
    finding = find("drain", account)
    assert row(finding, "processed in the end").observed == "19 of 20"


def test_without_lines_nobody_knows_what_was_processed() -> None:
    """The counts of the queue alone prove nothing about a message."""
    account = FakeAccount()
    account.world.logs = False
    finding = find("drain", account)
    assert row(finding, "processed in the end").verdict is Verdict.NOT_OBSERVED
    assert finding.verdict is Verdict.NOT_OBSERVED


@pytest.mark.long
def test_without_an_instance_nothing_is_scaled_in() -> None:
    """The capacity stays as it is."""
    account = FakeAccount()
    account.world.pending = 1e6
    finding = find("drain", account)
    assert finding.verdict is not Verdict.AGREES
    assert "autoscaling:SetDesiredCapacity" not in account.calls
