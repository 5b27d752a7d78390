"""Tests of causes: every line that explains a second attempt, and what nothing explains."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from support.builders.ledger import DELETED, LEASE_LOST, NOT_DELETED, RETURNED, Story

from tidemill.ledger.causes import Cause, Conditions
from tidemill.ledger.problems import problems_of

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Callable

NO_ONE = "no attempt"
GIVEN_UP = "messages not handled, because their visibility timeout was over before"


def not_deleted(story: Story) -> None:
    """Say that a delete was refused."""
    story.attempt("i-1", "1")
    story.say("i-1", NOT_DELETED, "1", reason="ServiceUnavailable")
    story.say("i-1", "stopped")


def lease_lost(story: Story) -> None:
    """Say that the visibility timeout was over; the delete with an old receipt was confirmed."""
    story.say("i-1", LEASE_LOST, "1")
    story.done("i-1", "1")
    story.say("i-1", "stopped")


def receipt_too_old(story: Story) -> None:
    """Have the delete refused, as another worker has the message by now."""
    story.attempt("i-1", "1")
    story.say("i-1", NOT_DELETED, "1", reason="ReceiptHandleIsInvalid The receipt handle ...")
    story.say("i-1", "stopped")


def lease_lost_in_an_outage(story: Story) -> None:
    """Say why it was over."""
    story.say("i-1", "visibility not extended", reason="no answer")
    lease_lost(story)


def not_extended(story: Story) -> None:
    """Say that timeouts could not be extended."""
    story.say("i-1", "visibility not extended", reason="no answer")
    story.done("i-1", "1")
    story.say("i-1", "stopped")


def killed(story: Story) -> None:
    """Be killed between the line and the answer to the delete."""
    story.attempt("i-1", "1")


def stopped(story: Story) -> None:
    """Say nothing of the delete, and stop in order."""
    story.attempt("i-1", "1")
    story.say("i-1", "stopped")


def confirmed(story: Story) -> None:
    """Have the delete confirmed."""
    story.done("i-1", "1")
    story.say("i-1", "stopped")


def killed_later(story: Story) -> None:
    """Have the delete confirmed, and be killed then."""
    story.done("i-1", "1")


@pytest.mark.parametrize(
    ("first", "cause"),
    [
        (not_deleted, Cause.NOT_DELETED),
        (lease_lost, Cause.NOT_KEPT),
        (lease_lost_in_an_outage, Cause.LEASE_LOST),
        (receipt_too_old, Cause.NOT_KEPT),
        (not_extended, Cause.NOT_EXTENDED),
        (killed, Cause.KILLED),
        (stopped, Cause.UNEXPLAINED),
        (confirmed, Cause.DELIVERED_AGAIN),
        (killed_later, Cause.DELIVERED_AGAIN),
    ],
    ids=lambda value: value.__name__ if callable(value) else "",
)
def test_the_first_attempt_needs_a_reason_for_a_second_one(
    first: Callable[[Story], None], cause: Cause
) -> None:
    """The second worker has the message and deletes it; the order of files does not count."""
    story = Story()
    story.sent(1)
    first(story)
    story.done("i-2", "1", receive=2)
    story.say("i-2", "stopped")

    assert story.account().duplicates == {cause: 1}
    story.worker_lines.sort(key=lambda said: said[0], reverse=True)
    assert story.account().duplicates == {cause: 1}


def test_one_reason_explains_one_attempt() -> None:
    """The third attempt needs a second reason."""
    story = Story()
    story.sent(1)
    not_deleted(story)
    stopped(story)
    story.done("i-2", "1", receive=3)

    assert story.account().duplicates == {Cause.NOT_DELETED: 1, Cause.UNEXPLAINED: 1}


def test_a_fault_explains_what_nothing_else_does() -> None:
    """Of the instance alone into which it was injected, or of all of them."""
    story = Story()
    story.sent(1)
    stopped(story)
    story.done("i-2", "1", receive=2)
    story.say("i-2", "stopped")

    def causes(*instances: str) -> Counter[Cause]:
        faults = dict.fromkeys(instances, ("freeze",))
        return story.account(Conditions(faults=faults)).duplicates

    assert causes("i-1") == causes("*") == {Cause.INJECTED: 1}
    assert causes("i-2") == {Cause.INJECTED: 1}, "either of them may be the one"
    assert causes("i-3") == {Cause.UNEXPLAINED: 1}


def test_sqs_may_deliver_again_what_was_deleted_if_that_is_allowed() -> None:
    """On AWS this happens rarely; an emulator never does it."""
    story = Story()
    story.sent(1)
    confirmed(story)
    story.done("i-2", "1", receive=2)
    story.say("i-2", "stopped")

    allowed = story.account(Conditions(delivers_again=True))

    assert allowed.duplicates == {Cause.AT_LEAST_ONCE: 1}
    assert problems_of(allowed) == []
    assert [one.name for one in problems_of(story.account())] == ["duplicates"]


@pytest.mark.parametrize(
    ("ends", "silent"),
    [
        pytest.param([], {Cause.UNEXPLAINED: 2}, id="nothing"),
        pytest.param([RETURNED], {Cause.UNEXPLAINED: 1}, id="returned-once"),
        pytest.param([RETURNED, GIVEN_UP], {}, id="returned-and-given-up"),
        pytest.param(["failed", RETURNED], {}, id="failed-and-returned"),
        pytest.param(["failed", "failed", "failed"], {}, id="too-many"),
        pytest.param(["queue unavailable"], {Cause.UNANSWERED: 2}, id="a-receive-unanswered"),
    ],
)
def test_each_receive_has_an_end(ends: list[str], silent: dict[Cause, int]) -> None:
    """SQS counted three receives, of which the last one was processed."""
    story = Story()
    story.sent(1)
    for number, end in enumerate(ends, 1):
        if end == "failed":
            story.attempt("i-1", "1", "failed", receive=number)
        elif end == "queue unavailable":
            story.say("i-1", end, reason="x")
        else:
            story.say("i-1", end, "1")
    story.done("i-1", "1", receive=3)
    story.say("i-1", "stopped")

    account = story.account()

    assert account.silent_receives == silent
    assert [one.name for one in problems_of(account)] == (
        ["silent_receives"] if Cause.UNEXPLAINED in silent else []
    )


def test_a_receive_without_an_end_may_be_of_a_killed_worker() -> None:
    """Or of one into which a fault was injected."""
    story = Story()
    story.sent(1)
    story.say("i-1", "started")
    story.done("i-2", "1", receive=2)
    story.say("i-2", "stopped")

    assert story.account().silent_receives == {Cause.KILLED: 1}
    ended = Story(story.sent_lines, [*story.worker_lines, *_stopped("i-1")])
    assert ended.account().silent_receives == {Cause.UNEXPLAINED: 1}
    frozen = Conditions(faults={"i-1": ("freeze",)})
    assert ended.account(frozen).silent_receives == {Cause.INJECTED: 1}


def _stopped(instance: str) -> list[tuple[str, dict[str, object]]]:
    story = Story()
    story.say(instance, "stopped")
    return story.worker_lines


def test_a_processed_message_that_is_gone_needs_a_word_about_its_delete() -> None:
    """A living worker says that SQS confirmed it, or that it did not."""
    story = Story()
    story.sent(1)
    story.attempt("i-1", "1")
    assert story.account().silent_ends == (), "the worker was killed"

    story.say("i-1", "stopped")
    assert story.account().silent_ends == ("1",)

    story.say("i-1", NOT_DELETED, "1", reason="no answer")
    assert story.account().silent_ends == ()

    story.say("i-1", DELETED, "1")
    assert story.account().silent_ends == ()
