"""Tests of the page: notes of a worker that the consumer reads without its help."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest

from consumer.pool import page as states
from consumer.pool.page import Page, create_file

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def sides() -> Iterator[tuple[Page, Page]]:
    """Provide the worker's and the consumer's mapping of one page."""
    file = create_file()
    worker, parent = Page(file), Page(file)
    os.close(file)
    yield worker, parent
    worker.close()
    parent.close()


def test_each_side_sees_what_the_other_has_noted(sides: tuple[Page, Page]) -> None:
    """A message is queued, started with a deadline that may move, and finished."""
    worker, parent = sides
    parent.clear(3)
    assert parent.state(3) == states.QUEUED
    assert worker.start(3, 10.0, 40.0)
    assert (parent.state(3), parent.started_at(3), parent.deadline(3)) == (states.STARTED, 10, 40)
    worker.set_deadline(3, 50.0)
    assert parent.deadline(3) == 50
    worker.finish(3, 12.0, states.PROCESSED)
    assert (parent.state(3), parent.finished_at(3)) == (states.PROCESSED, 12)
    parent.clear(3)
    assert parent.state(3) == states.QUEUED


def test_a_message_that_was_taken_back_does_not_start(sides: tuple[Page, Page]) -> None:
    """The worker passes over it, and says so."""
    worker, parent = sides
    parent.clear(0)
    parent.revoke(0)
    assert parent.state(0) == states.QUEUED
    assert not worker.start(0, 10.0, 40.0)
    assert parent.state(0) == states.SKIPPED


def test_a_message_that_has_started_is_not_taken_back(sides: tuple[Page, Page]) -> None:
    """The mark is too late, and the consumer sees it."""
    worker, parent = sides
    parent.clear(0)
    assert worker.start(0, 10.0, 40.0)
    parent.revoke(0)
    assert parent.state(0) == states.STARTED


def test_a_ping_is_answered_in_the_page(sides: tuple[Page, Page]) -> None:
    """The number says which ping."""
    worker, parent = sides
    assert parent.last_pong() == 0
    worker.pong(2)
    assert parent.last_pong() == 2
