"""`python -m tidemill` is the command `tidemill`, and so is the script of that name."""

from __future__ import annotations

import os
import signal
from typing import NoReturn


def main() -> NoReturn:
    """Run the command; Ctrl-C ends it in a sentence from the first import on."""
    usual = signal.getsignal(signal.SIGINT)
    if usual is not signal.SIG_IGN:  # as in a shell's background job
        signal.signal(signal.SIGINT, _end_at_once)
    from tidemill.cli.main import main as run  # noqa: PLC0415 - it takes a second: see above

    signal.signal(signal.SIGINT, usual)
    run()


def _end_at_once(_number: int, _frame: object) -> NoReturn:
    """End without the traceback of an import: nothing has been started yet."""
    os.write(2, b"tidemill: ended by Ctrl-C\n")
    os._exit(128 + signal.SIGINT)


if __name__ == "__main__":
    main()
