"""Tests of the claims of a consumer, over a table in memory."""

from __future__ import annotations

from typing import Final

import pytest
from support.fakes.claims import FakeTable
from support.fakes.consuming import START, FakeClock

from consumer.attempt import Attempt, AttemptResult
from consumer.clock import SystemThreads
from consumer.delivery import Delivery
from consumer.idempotency.claims import Claims, ClaimTerms
from consumer.idempotency.key import IdempotencyKey
from consumer.idempotency.no_claims import NoClaims
from consumer.idempotency.ports import TableRefusedError, TableUnavailableError
from shared.queue import ReceivedMessage

HOUR: Final = 3600


class Stage:
    """Consumers that share a table and a clock, which starts at START."""

    def __init__(self) -> None:
        """Start with an empty table."""
        self.table = FakeTable()
        self.clock = FakeClock()

    def claims(self, owner: str = "one", *, fifo: bool = False) -> Claims:
        """Build the claims of a consumer."""
        return Claims(
            self.table,
            IdempotencyKey("{order}", "orders"),
            ClaimTerms(owner, lease=120, keep=HOUR, outage_delay=30, fifo=fifo),
            self.clock,
            SystemThreads(),
        )


@pytest.fixture
def stage() -> Stage:
    """Provide a stage."""
    return Stage()


def delivery(key: int, order: str | None = None, group: str | None = None) -> Delivery:
    """Build a delivery received at START; its order has the delivery's key unless it is given."""
    system = {} if group is None else {"MessageGroupId": group}
    body = f'{{"order":"{key if order is None else order}"}}'
    received = ReceivedMessage(f"id-{key}", f"receipt-{key}", body, 1, START, system=system)
    return Delivery(key, received, START, body)


def ended(one: Delivery, result: AttemptResult = AttemptResult.PROCESSED) -> Attempt:
    """Build the end of an attempt."""
    return Attempt(one, result, None, 1.0, START + 1)


def results(attempts: list[Attempt]) -> list[tuple[int, str, int | None]]:
    """Return key, result and delay of the attempts."""
    return [(one.delivery.key, one.result.value, one.retry_after) for one in attempts]


def test_a_message_that_nobody_has_is_ours(stage: Stage) -> None:
    """Its claim ends a second before the visibility timeout of its receive does."""
    one = delivery(1)
    assert stage.claims().claim([one], {}).mine == [one]
    assert stage.table.claims["orders#1"].until == START + 119


def test_a_copy_of_a_processed_message_is_not_handled(stage: Stage) -> None:
    """Whichever consumer gets it, as long as the key counts as done."""
    first, second = stage.claims("one"), stage.claims("two")
    one = delivery(1)
    first.claim([one], {})
    first.settle([ended(one)])
    claimed = second.claim([delivery(5, "1")], {})
    assert claimed.mine == []
    assert results(claimed.attempts) == [(5, "duplicate", None)]
    stage.clock.sleep(HOUR + 1)
    assert len(second.claim([delivery(6, "1")], {}).mine) == 1


def test_a_copy_of_a_message_in_progress_comes_again_later(stage: Stage) -> None:
    """When the claim ends, unless it is renewed until then."""
    stage.claims("one").claim([delivery(1)], {})
    stage.clock.sleep(50.5)
    claimed = stage.claims("two").claim([delivery(5, "1")], {})
    assert results(claimed.attempts) == [(5, "retry", 69)]
    assert claimed.attempts[0].reason == "in progress elsewhere"


def test_two_copies_in_one_receive_are_handled_once(stage: Stage) -> None:
    """The second one comes again when the first is done."""
    claimed = stage.claims().claim([delivery(1, "7"), delivery(2, "7")], {})
    assert [one.key for one in claimed.mine] == [1]
    assert results(claimed.attempts) == [(2, "retry", 120)]


@pytest.mark.parametrize(
    "result",
    [one for one in AttemptResult if one is not AttemptResult.PROCESSED],
    ids=str,
)
def test_a_message_that_was_not_processed_is_free_for_its_next_attempt(
    stage: Stage, result: AttemptResult
) -> None:
    """A rejected one is, too: it may be sent to the queue again from the dead letters."""
    first, second = stage.claims("one"), stage.claims("two")
    one = delivery(1)
    first.claim([one], {})
    first.settle([ended(one, result)])
    assert len(second.claim([delivery(5, "1")], {}).mine) == 1


def test_a_message_that_is_returned_untouched_is_free(stage: Stage) -> None:
    """The consumer that receives it next must not wait for the claim's end."""
    first = stage.claims("one")
    one = delivery(1)
    first.claim([one], {})
    first.release([one])
    assert len(stage.claims("two").claim([delivery(5, "1")], {}).mine) == 1


def test_the_claim_of_a_killed_consumer_ends_with_its_visibility_timeout(stage: Stage) -> None:
    """So the message's next receive may handle it."""
    stage.claims("one").claim([delivery(1)], {})
    stage.clock.sleep(119.1)
    assert len(stage.claims("two").claim([delivery(5, "1")], {}).mine) == 1


def test_claims_of_messages_in_hand_are_renewed_before_half_is_over(stage: Stage) -> None:
    """A handler may take longer than a visibility timeout, and so may the wait for it."""
    claims = stage.claims()
    claims.claim([delivery(1)], {})
    stage.clock.sleep(46)
    claims.renew()
    assert stage.table.claims["orders#1"].until == START + 119
    stage.clock.sleep(1)
    claims.renew()
    assert stage.table.claims["orders#1"].until == START + 47 + 119


def test_a_claim_that_another_consumer_has_got_is_not_renewed(stage: Stage) -> None:
    """After an outage of the table, for instance; what both have done counts as done."""
    first, second = stage.claims("one"), stage.claims("two")
    one = delivery(1)
    first.claim([one], {})
    stage.clock.sleep(121)
    second.claim([delivery(5, "1")], {})
    first.renew()
    first.renew()
    assert stage.table.calls.count("renew") == 1
    first.settle([ended(one)])
    assert stage.table.done == {"orders#1"}


def test_nothing_is_handled_without_a_claim(stage: Stage) -> None:
    """While the table is out of order: its messages come again, and no more are received."""
    claims = stage.claims()
    stage.table.down = True
    assert claims.ready()
    claimed = claims.claim([delivery(1), delivery(2)], {})
    assert claimed.mine == []
    assert results(claimed.attempts) == [(1, "retry", 30), (2, "retry", 30)]
    assert not claims.ready()
    stage.table.down = False
    assert claims.ready()
    assert len(claims.claim([delivery(1)], {}).mine) == 1


def test_a_table_that_refuses_is_an_error_that_somebody_has_to_mend(
    stage: Stage, caplog: pytest.LogCaptureFixture
) -> None:
    """So the alarm on errors rings; an outage that ends by itself is a warning."""
    levels = []
    for error in (TableUnavailableError("it is down"), TableRefusedError("not allowed")):
        caplog.clear()
        stage.table.down, stage.table.error = True, error
        claims = stage.claims()
        assert results(claims.claim([delivery(1)], {}).attempts) == [(1, "retry", 30)]
        levels += [record.levelname for record in caplog.records]
    assert levels == ["WARNING", "ERROR"]


def test_what_is_done_during_an_outage_is_noted_after_it(stage: Stage) -> None:
    """The thread that deletes messages waits for the table once, and not for each message."""
    claims = stage.claims()
    one, two = delivery(1), delivery(2)
    claims.claim([one, two], {})
    stage.table.down = True
    claims.settle([ended(one)])
    claims.settle([ended(two)])
    assert stage.table.calls.count("complete") == 1
    stage.table.down = False
    claims.renew()
    assert stage.table.done == {"orders#1", "orders#2"}
    assert claims.ready()


def test_the_end_of_the_consumer_tries_a_last_time(stage: Stage) -> None:
    """Else the copies of its last messages would be handled."""
    claims = stage.claims()
    one = delivery(1)
    claims.claim([one], {})
    stage.table.down = True
    claims.settle([ended(one)])
    stage.table.down = False
    claims.stop()
    assert stage.table.done == {"orders#1"}


def test_a_failure_to_release_is_no_failure_of_the_consumer(stage: Stage) -> None:
    """The claim ends by itself."""
    claims = stage.claims()
    one = delivery(1)
    claims.claim([one], {})
    stage.table.down = True
    claims.release([one])
    assert not claims.ready()


def test_a_message_without_a_key_is_invalid(stage: Stage) -> None:
    """It is on its way to the dead letters, as any message that cannot be read."""
    received = ReceivedMessage("id-1", "receipt-1", "{}", 1, START)
    claimed = stage.claims().claim([Delivery(1, received, START, "{}")], {})
    assert results(claimed.attempts) == [(1, "invalid", None)]
    assert stage.table.calls == []


def test_what_has_ended_already_needs_no_claim(stage: Stage) -> None:
    """A message without anything for a handler, such as the test of a notification."""
    one, other = delivery(1), delivery(2)
    claimed = stage.claims().claim([one, other], {1: ended(one)})
    assert (claimed.attempts, claimed.mine) == ([ended(one)], [other])
    assert set(stage.table.claims) == {"orders#2"}


def test_what_follows_an_unclaimed_message_of_its_group_goes_back(stage: Stage) -> None:
    """On a FIFO queue it is not handled before that one, and its claim is released."""
    stage.claims("one").claim([delivery(9, "1")], {})
    claims = stage.claims("two", fifo=True)
    one, other, follower = delivery(1, group="A"), delivery(2, group="B"), delivery(3, group="A")
    claimed = claims.claim([one, other, follower], {})
    assert claimed.mine == [other]
    assert results(claimed.attempts) == [(1, "retry", 120)]
    assert claimed.followers == [follower]
    assert set(stage.table.claims) == {"orders#1", "orders#2"}


def test_a_group_goes_on_after_a_duplicate(stage: Stage) -> None:
    """That message is through."""
    claims = stage.claims(fifo=True)
    one, follower = delivery(1, "7", group="A"), delivery(2, group="A")
    claims.claim([one], {})
    claims.settle([ended(one)])
    claimed = claims.claim([delivery(3, "7", group="A"), follower], {})
    assert results(claimed.attempts) == [(3, "duplicate", None)]
    assert claimed.mine == [follower]


def test_the_background_thread_renews_until_it_is_stopped(stage: Stage) -> None:
    """It looks ten times in a visibility timeout."""
    claims = stage.claims()
    claims.start()
    claims.stop()


def test_without_a_table_every_message_may_be_handled() -> None:
    """IDEMPOTENCY_TABLE is not set by default."""
    claims = NoClaims(fifo=False)
    claims.start()
    assert claims.ready()
    one = delivery(1)
    assert claims.claim([one], {}).mine == [one]
    claims.settle([ended(one)])
    claims.release([one])
    claims.stop()
