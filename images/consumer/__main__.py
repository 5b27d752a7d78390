"""`python -m consumer`: runs the consumer; docs/settings.md lists its settings."""

from __future__ import annotations

import os
import sys

from shared.stopping import SignalStop

if __name__ == "__main__":
    stop = SignalStop()
    stop.install()  # first, because a container's main process ignores SIGTERM until then
    from consumer.program import main  # the import is slow enough for a signal to arrive during it

    sys.exit(main(os.environ, stop))
