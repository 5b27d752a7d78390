"""The event loop of async handlers: one for all messages, in a thread of its own."""

from __future__ import annotations

import asyncio
import contextlib
import threading
from typing import TYPE_CHECKING, Any, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Coroutine
    from concurrent.futures import Future

T = TypeVar("T")

LEFT_TASKS_SECONDS: Final = 1
"""How long tasks that a handler has left running may take to be cancelled at the end."""
THREAD_SECONDS: Final = 5


class EventLoop:
    """An event loop that starts when it is used first."""

    def __init__(self) -> None:
        """Start nothing yet."""
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None
        self._thread: threading.Thread | None = None
        self._ended = False

    def submit(self, coroutine: Coroutine[Any, Any, T]) -> Future[T]:
        """Run a coroutine; may be called in any thread."""
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                self._thread = threading.Thread(
                    target=self._serve, args=[self._loop], name="event-loop", daemon=True
                )
                self._thread.start()
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop)

    def run(self, coroutine: Coroutine[Any, Any, T]) -> T:
        """Run a coroutine and wait for it, in another thread than the loop's."""
        return self.submit(coroutine).result()

    def is_running_here(self) -> bool:
        """Return whether the calling coroutine runs in this loop."""
        return asyncio.get_running_loop() is self._loop

    def close(self) -> None:
        """Cancel what is left running and end the thread, if there is one."""
        if self._loop is None or self._thread is None or self._ended:
            return
        with contextlib.suppress(Exception):  # what a left task raises concerns no message
            self.submit(_cancel_all()).result(LEFT_TASKS_SECONDS + 1)
        self._ended = True
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join(THREAD_SECONDS)

    def _serve(self, loop: asyncio.AbstractEventLoop) -> None:
        asyncio.set_event_loop(loop)
        while not self._ended:
            # A task that ends with SystemExit throws it out of the loop; whatever awaits the task
            # gets it as well, and the other messages' tasks go on.
            with contextlib.suppress(BaseException):
                loop.run_forever()
        loop.close()


async def _cancel_all() -> None:
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    if left:
        await asyncio.wait(left, timeout=LEFT_TASKS_SECONDS)
    await asyncio.get_running_loop().shutdown_asyncgens()
