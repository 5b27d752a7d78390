"""Tests of async handlers: one event loop for all messages, in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import os
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING

import pytest
from support.builders.handlers import arrival, never_extended, verdict

from consumer.attempt import AttemptResult
from consumer.handlers.api import Message, Reject, current_message
from consumer.handlers.handler import HandlerKind
from consumer.handlers.loading import handler_of
from consumer.handlers.verdict import PROCESSED, Verdict

if TYPE_CHECKING:
    from collections.abc import Iterator

    from consumer.handlers.handler import Handler


@contextlib.contextmanager
def started(code: object) -> Iterator[Handler]:
    """Provide a handler between its startup and its shutdown."""
    handler = handler_of(code)
    handler.startup()
    try:
        yield handler
    finally:
        handler.shutdown()


def test_an_async_handler_is_awaited() -> None:
    """Its work is done when the message counts as processed."""
    seen: list[str] = []

    async def handler(message: Message) -> None:
        await asyncio.sleep(0)
        seen.append(message.id)

    assert handler_of(handler).kind is HandlerKind.ASYNC
    assert verdict(handler) == PROCESSED
    assert seen == ["id-1"]


def test_an_object_with_an_async_call_is_awaited() -> None:
    """As other callable objects work, too."""

    class Callee:
        async def __call__(self, _: Message) -> None:
            await asyncio.sleep(0)
            raise Reject("old")

    assert verdict(Callee()) == Verdict(AttemptResult.REJECTED, "old")


def test_messages_of_several_threads_share_one_event_loop() -> None:
    """Each handler waits for the other one, so they run at the same time; each has its message."""
    loops: set[asyncio.AbstractEventLoop] = set()
    ids: set[str] = set()
    both = asyncio.Barrier(2)

    async def handler(_: Message) -> None:
        loops.add(asyncio.get_running_loop())
        await both.wait()
        ids.add(current_message().id)

    with started(handler) as one, ThreadPoolExecutor(2) as threads:
        calls = [
            threads.submit(one.call, [arrival(number=number)], never_extended) for number in (1, 2)
        ]
        assert [call.result(10) for call in calls] == [[PROCESSED]] * 2
    assert (len(loops), ids) == (1, {"id-1", "id-2"})


def test_several_messages_of_one_call_run_at_the_same_time() -> None:
    """As they would in several calls."""
    both = asyncio.Barrier(2)

    async def handler(_: Message) -> None:
        await both.wait()

    with started(handler) as one:
        assert one.call([arrival(), arrival()], never_extended) == [PROCESSED] * 2


def test_a_coroutine_of_another_loop_may_call_an_async_handler() -> None:
    """The handler itself runs in its own loop, where its connections were opened."""
    loops: list[asyncio.AbstractEventLoop] = []

    class Handler:
        async def startup(self) -> None:
            loops.append(asyncio.get_running_loop())

        async def handle(self, _: Message) -> None:
            loops.append(asyncio.get_running_loop())

    with started(Handler) as one:
        assert asyncio.run(one.call_async(arrival(), never_extended)) == PROCESSED
    assert loops[0] is loops[1]


def test_a_task_that_ends_the_program_fails_only_its_message() -> None:
    """SystemExit leaves the loop by asyncio's rules; the loop goes on with the other messages."""
    left = asyncio.Event()

    async def leave() -> None:
        left.set()
        raise SystemExit(3)

    async def handler(message: Message) -> None:
        if message.id == "id-1":
            await asyncio.create_task(leave())
        await left.wait()
        await asyncio.sleep(0.01)

    with started(handler) as one:
        found = one.call([arrival(number=1), arrival(number=2)], never_extended)
    assert found == [Verdict(AttemptResult.FAILED, "SystemExit: 3"), PROCESSED]


def test_a_cancelled_handler_has_failed() -> None:
    """Whoever cancelled it, the work is not done."""

    async def handler(_: Message) -> None:
        task = asyncio.current_task()
        assert task
        task.cancel()
        await asyncio.sleep(1)

    found = verdict(handler)
    assert (found.result, found.reason) == (
        AttemptResult.FAILED,
        "asyncio.exceptions.CancelledError",
    )


def test_a_handler_that_cancels_all_tasks_fails_messages_and_raises_nothing() -> None:
    """One of the tasks is ours; the threads that wait for it go on."""

    async def handler(message: Message) -> None:
        if message.id == "id-1":
            for task in asyncio.all_tasks():
                task.cancel()
        await asyncio.sleep(0.01)

    with started(handler) as one:
        [found] = one.call([arrival(number=1)], never_extended)
        assert found.result is AttemptResult.FAILED
        assert one.call([arrival(number=2)], never_extended) == [PROCESSED]


@pytest.mark.impure
def test_the_child_of_a_handler_that_forks_ends_when_it_comes_back() -> None:
    """It would wait for messages in the event loop of another process."""
    children: list[int] = []

    async def handler(_: Message) -> None:
        children.append(os.fork())

    assert verdict(handler) == PROCESSED
    assert os.waitpid(children[0], 0)[1] == 0


def test_what_a_handler_left_running_ends_with_it() -> None:
    """Its tasks are cancelled and the loop's thread ends."""
    ended: list[str] = []

    async def background() -> None:
        try:
            await asyncio.sleep(60)
        finally:
            ended.append("cancelled")

    async def handler(_: Message) -> None:
        handler.task = asyncio.create_task(background())  # type: ignore[attr-defined]
        await asyncio.sleep(0)

    assert verdict(handler) == PROCESSED
    assert ended == ["cancelled"]
    assert "event-loop" not in {thread.name for thread in threading.enumerate()}


def test_an_async_handler_that_forgets_to_await_has_failed() -> None:
    """It returns the coroutine of another function."""

    async def other() -> None:
        await asyncio.sleep(0)

    async def handler(_: Message) -> object:
        return other()

    assert "declare the handler with async def" in (verdict(handler).reason or "")


def test_a_handler_without_async_needs_no_event_loop() -> None:
    """Nor its thread."""
    before = threading.active_count()
    with started(lambda _: None) as one:
        one.call([arrival()], never_extended)
        assert threading.active_count() == before
