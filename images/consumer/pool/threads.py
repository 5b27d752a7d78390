"""Concurrent handling of the messages of one receive: in the worker's thread, or in several."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor, as_completed
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Sequence

    from shared.queue import ReceivedMessage

ThreadPool: TypeAlias = (
    "Callable[[Callable[[ReceivedMessage], None], Sequence[ReceivedMessage]], Iterable[None]]"
)
"""Applies a function to all messages; yields once each time one of them is done."""


def create_thread_pool(size: int) -> ThreadPool:
    """Return a pool that handles `size` messages at once; one needs no thread of its own."""
    return map if size == 1 else _pool(ThreadPoolExecutor(size, thread_name_prefix="handler"))


def _pool(executor: ThreadPoolExecutor) -> ThreadPool:
    def apply(
        handle: Callable[[ReceivedMessage], None], messages: Sequence[ReceivedMessage]
    ) -> Iterator[None]:
        futures = [executor.submit(handle, message) for message in messages]
        for future in as_completed(futures):
            yield future.result()

    return apply
