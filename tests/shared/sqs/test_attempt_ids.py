"""Tests of the ids of receives from FIFO queues."""

from __future__ import annotations

from shared.sqs.attempt_ids import AttemptIds


def test_every_receive_that_is_answered_has_an_id_of_its_own() -> None:
    """The same id would return the messages of the receive before."""
    ids = AttemptIds("worker")
    first = ids.begin(10, 0)
    ids.answered()
    assert first == "worker-1"
    assert ids.begin(10, 1) == "worker-2"


def test_a_receive_without_an_answer_is_repeated_with_its_id() -> None:
    """However often it fails, for as long as SQS knows the id."""
    ids = AttemptIds("worker")
    assert [ids.begin(10, second) for second in (0, 60, 269)] == ["worker-1"] * 3
    assert ids.begin(10, 271) == "worker-2"


def test_a_receive_of_another_size_is_not_a_repetition() -> None:
    """SQS documents the id for the same request alone."""
    ids = AttemptIds("worker")
    assert ids.begin(10, 0) != ids.begin(1, 1)
