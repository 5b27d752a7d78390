"""Handler of the soak test: writes to its disk and takes some time for each message.

It needs the consumer's modules alone, because containers get this folder and nothing else.
"""

from __future__ import annotations

import tempfile
import time
from typing import Final

from consumer.handlers.api import Message  # noqa: TC001 - the consumer reads the annotation

WORK_SECONDS: Final = 0.1
"""Wall-clock seconds for each message, so that each worker always has some in hand."""


def handle(message: Message) -> None:
    """Handle one vehicle: on a full disk it fails, and is tried again."""
    with tempfile.TemporaryFile() as file:
        file.write(repr(message.vehicle).encode())
        file.flush()
    time.sleep(WORK_SECONDS)
