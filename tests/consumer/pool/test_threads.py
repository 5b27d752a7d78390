"""Tests of handling one after the other and several at once."""

from __future__ import annotations

import threading

import pytest
from support.fakes.consuming import messages

from consumer.pool.threads import create_thread_pool


def test_a_pool_of_one_works_in_order_and_in_the_callers_thread() -> None:
    """A pool of one starts no thread."""
    seen: list[tuple[str, int]] = []
    pool = create_thread_pool(1)
    list(pool(lambda m: seen.append((m.message_id, threading.get_ident())), messages(3)))
    assert seen == [(f"id-{number}", threading.get_ident()) for number in (1, 2, 3)]


def test_a_pool_of_three_works_on_three_at_once() -> None:
    """The barrier opens only when three threads wait at it."""
    together = threading.Barrier(3, timeout=30)

    def meet(_message: object) -> None:
        together.wait()

    assert len(list(create_thread_pool(3)(meet, messages(3)))) == 3


def test_a_pool_passes_on_what_ends_the_program() -> None:
    """An exception that is not the handler's failure reaches the worker."""

    def leave(_message: object) -> None:
        raise SystemExit(3)

    with pytest.raises(SystemExit):
        list(create_thread_pool(2)(leave, messages(2)))
