"""Tests of the first contact: patient, and over as soon as a stop is requested."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING

import pytest
from support.fakes.stopping import FakeStop

from shared.errors import QueueRefusedError, QueueUnavailableError
from shared.first_contact import patiently
from shared.stopping import SignalStop

if TYPE_CHECKING:
    from collections.abc import Callable

DOWN = QueueUnavailableError("no answer")


def answers(*prepared: str | Exception) -> Callable[[], str]:
    """Return a function that answers so, in turn."""
    left = list(prepared)

    def make() -> str:
        answer = left.pop(0)
        if isinstance(answer, Exception):
            raise answer
        return answer

    return make


def test_an_outage_at_the_start_is_waited_for() -> None:
    """The reason is told each time."""
    told: list[str] = []
    stop = FakeStop()
    assert patiently(answers(DOWN, DOWN, "queue"), stop, 100, told.append) == "queue"
    assert told == ["no answer", "no answer"]
    assert len(stop.waits) == 2


def test_patience_has_an_end() -> None:
    """With none, the first error is the last."""
    with pytest.raises(QueueUnavailableError):
        patiently(answers(DOWN, "queue"), FakeStop(), 0, pytest.fail)


def test_what_no_retry_helps_is_raised_at_once() -> None:
    """A queue that does not exist is no outage."""
    with pytest.raises(QueueRefusedError):
        patiently(answers(QueueRefusedError("absent"), "queue"), FakeStop(), 100, pytest.fail)


def test_a_stop_ends_the_wait_between_two_attempts() -> None:
    """A signal is answered at once."""
    told: list[str] = []
    stop = FakeStop(stop_in_wait=1)
    assert patiently(answers(DOWN, "queue"), stop, 100, told.append) is None


def test_a_stop_ends_a_request_that_hangs() -> None:
    """The thread of the request is left behind; it does not keep the program alive."""
    stop, begun, over = SignalStop(), threading.Event(), threading.Event()

    def hang() -> str:
        begun.set()
        over.wait(60)
        return "too late"

    def request() -> None:
        begun.wait(60)
        stop.request()

    requester = threading.Thread(target=request)
    requester.start()
    assert patiently(hang, stop, 100, pytest.fail) is None
    over.set()
    requester.join()
