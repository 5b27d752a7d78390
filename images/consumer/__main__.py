"""`python -m consumer`: runs the program; docs/settings.md lists its settings."""

from __future__ import annotations

import os
import sys

from shared.stopping import SignalStop

if __name__ == "__main__":
    stop = SignalStop()
    stop.install()  # first of all: as a container's main process we would ignore SIGTERM until then
    from consumer.program import main  # importing takes long enough for a signal to come

    sys.exit(main(os.environ, stop))
