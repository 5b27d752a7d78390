"""The way of one message: what is noted, also when it does not arrive."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.builders.verifications import a_run, named
from support.fakes.account import FakeAccount

from tidemill.verify.bench import SKIPPED

if TYPE_CHECKING:
    from tidemill.verify.bench import Seen


def followed(account: FakeAccount, body: str | None = "{}") -> Seen:
    """Return what was seen of one message."""
    return a_run(account, named("zero"), body).seen["message"]


def test_every_moment_of_a_message_is_noted_in_its_order() -> None:
    """From the sending to the end of the instance."""
    seen = followed(FakeAccount())
    names = (
        "sent",
        "datapoint_seen",
        "desired_up",
        "state_Pending",
        "running",
        "state_InService",
        "user_data",
        "state_Terminating:Wait",
        "hook_completed",
        "state_gone",
    )
    moments = [seen[name] for name in names]
    assert moments == sorted(moments)
    assert seen["finished"] is True
    assert [line["event"] for line in seen["lines"] if line["event"] != "cycle"] == [
        "started",
        "message",
        "stopping",
        "stopped",
    ]


def test_a_message_for_a_fifo_queue_has_a_group_of_its_own() -> None:
    """SQS refuses one without a group, or without an id for deduplication."""
    assert followed(FakeAccount(QueueKind="fifo"))["finished"] is True


def test_the_messages_content_is_not_kept() -> None:
    """The record may be sent to others."""
    assert not any("body" in line for line in followed(FakeAccount())["lines"])


def test_a_stack_with_a_handler_of_its_own_needs_a_message() -> None:
    """Nobody knows what another handler would do with a vehicle."""
    account = FakeAccount(Handler="shop.orders:handle")
    seen = followed(account, None)
    assert seen[SKIPPED] == (
        "the stack's handler is shop.orders:handle: give --message TEXT, a message that it may "
        "process"
    )
    assert account.world.sent == 0


@pytest.mark.long
def test_a_message_that_is_never_processed_ends_the_watch_in_time() -> None:
    """What AWS has recorded by then is noted all the same."""
    account = FakeAccount()
    account.world.works = False
    seen = followed(account)
    assert seen["finished"] is False
    assert seen["activities"]
    assert {"hook_completed", "state_gone"}.isdisjoint(seen)


def test_an_interruption_keeps_what_was_seen() -> None:
    """And AWS's own records of the time before."""
    account = FakeAccount()
    clock = account.clock()

    def stop(name: str, line: str) -> None:
        if (name, line) == ("zero", "state InService"):
            raise KeyboardInterrupt

    run = a_run(account, ())
    run.checks = named("zero")
    with pytest.raises(KeyboardInterrupt):
        run.observe(account, clock, stop)
    seen = run.seen["message"]
    assert seen["state_InService"] > seen["sent"]
    assert [one["description"][:9] for one in seen["activities"]] == ["Launching"]
    assert "finished" not in seen
