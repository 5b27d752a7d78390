"""Tests of calls: their attempts, the budget of these, and the time of an answer."""

from __future__ import annotations

import json
import time
from typing import TYPE_CHECKING

import pytest
from botocore.exceptions import ConnectionError as BotoConnectionError
from support.emulators.wrong_bench import HANGING, PATIENCE, SECONDS, queue_at
from support.emulators.wrong_server import (
    be_right,
    cut,
    drip_the_body,
    refuse,
    right_answer,
    say,
    silent,
    wrong_server,
)

from shared.errors import QueueError, QueueRefusedError, QueueUnavailableError
from shared.sqs.calls import Calls

if TYPE_CHECKING:
    from support.emulators.wrong_bench import Bench
    from support.emulators.wrong_server import Behaviour, Call

pytestmark = [pytest.mark.impure, pytest.mark.usefixtures("aws_settings")]


def test_a_call_is_made_again_until_it_is_answered(bench: Bench) -> None:
    """A wrong answer now and then costs a pause, and nobody sees it."""
    queue = bench.behaving(say(200, "<html>"), refuse("OverLimit"), be_right, attempts=3)
    assert queue.delete(["r-1"]) == ()
    assert bench.server.operations() == ["DeleteMessageBatch"] * 3


def test_an_earlier_lost_answer_is_remembered(bench: Bench) -> None:
    """A send that was cut off and then throttled may be in the queue."""
    queue = bench.behaving(cut, refuse("OverLimit"), attempts=2)
    with pytest.raises(QueueUnavailableError) as raised:
        queue.send(["one"])
    assert raised.value.answer_lost


def test_an_outage_is_not_made_worse_by_retries(bench: Bench) -> None:
    """When the budget is used up, each call is a single request."""
    queue = bench.behaving(refuse("OverLimit"), attempts=4)
    while queue._calls._budget.take():
        pass
    for _ in range(5):
        with pytest.raises(QueueUnavailableError):
            queue.delete(["r-1"])
    assert len(bench.server.calls) == 5


def test_last_calls_have_a_time_of_their_own(bench: Bench) -> None:
    """A queue for them makes one attempt over a new connection, and the others go on."""
    queue = bench.behaving(be_right, silent, be_right, attempts=4)
    assert queue.delete(["r-1"]) == ()
    with pytest.raises(QueueUnavailableError, match="within 2 s"):
        queue.afresh(2).delete(["r-1"])
    assert queue.delete(["r-1"]) == ()
    assert len({call.connection for call in bench.server.calls}) == 3


def test_a_further_attempt_of_a_receive_waits_for_the_rest_of_the_time() -> None:
    """A receive under way at a signal to stop ends no later for having been made again."""
    waits: list[int] = []

    def call(wait: int) -> str:
        waits.append(wait)
        if len(waits) == 1:
            time.sleep(1.1)
            raise BotoConnectionError(error=OSError("reset"))
        return "answer"

    assert Calls(attempts=4).make_waiting("queue", call, 20) == "answer"
    assert waits[0] == 20
    assert 1 <= waits[1] < 20
    assert Calls().make_waiting("queue", lambda wait: wait, 0) == 0


def test_an_answer_in_pieces_counts(bench: Bench) -> None:
    """What is whole within its time is a right answer, however it comes."""

    def behave(call: Call) -> None:
        body = json.dumps(right_answer(call)).encode()
        call.connection.sendall(f"HTTP/1.1 200 OK\r\nContent-Length: {len(body)}\r\n\r\n".encode())
        call.drip(body[:10], 0.001)
        call.connection.sendall(body[10:])

    queue = bench.behaving(behave)
    assert [message.body for message in queue.receive(10, 0, 30)] == ["body"]
    assert queue.delete(["r-1"]) == ()


@pytest.mark.parametrize(
    ("behave", "error"),
    [
        (say(200, "<html>"), QueueUnavailableError),
        (drip_the_body, QueueUnavailableError),
        (refuse("AccessDenied"), QueueRefusedError),
    ],
    ids=["HTML", "a byte now and then", "denied"],
)
def test_the_queues_name_may_get_wrong_answers_as_well(
    behave: Behaviour, error: type[QueueError]
) -> None:
    """Finding a queue by its name is a call like the others."""
    seconds = SECONDS if behave in HANGING else PATIENCE
    with wrong_server(behave) as server, pytest.raises(error), queue_at(server, "work", seconds):
        pytest.fail("there is no such queue")
