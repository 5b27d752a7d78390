"""Servers of the standard library that serve in a thread for the time of a block."""

from __future__ import annotations

import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Final, TypeVar

if TYPE_CHECKING:
    from collections.abc import Iterator
    from socketserver import BaseServer

Server = TypeVar("Server", bound="BaseServer")

LOOK_SECONDS: Final = 0.01
"""How often a server looks whether it has to end."""


@contextmanager
def served(server: Server) -> Iterator[Server]:
    """Let the server serve inside the block, and close it at the end."""
    with server:
        thread = threading.Thread(target=server.serve_forever, args=(LOOK_SECONDS,))
        thread.start()
        try:
            yield server
        finally:
            server.shutdown()
            thread.join()
