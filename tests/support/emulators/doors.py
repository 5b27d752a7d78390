"""A door of this test process, over an application of the test."""

from __future__ import annotations

import asyncio
import socket
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING

from hypercorn.asyncio import serve
from hypercorn.config import Config

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidemill.rig.door.app import Door


@contextmanager
def standing(door: Door) -> Iterator[str]:
    """Serve a door inside the block and yield its URL."""
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        config = Config()
        config.bind = [f"fd://{listener.fileno()}"]
        config.graceful_timeout = 1
        loop = asyncio.new_event_loop()
        ending = asyncio.Event()

        def run() -> None:
            trigger = ending.wait
            loop.run_until_complete(serve(door, config, shutdown_trigger=trigger))  # type: ignore[arg-type]  # Hypercorn's own names for ASGI's types
            loop.close()

        thread = threading.Thread(target=run)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            loop.call_soon_threadsafe(ending.set)
            thread.join()
            listener.detach()  # Hypercorn has closed it
