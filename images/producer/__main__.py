"""Runs the producer: `python -m producer --help`."""

import signal

# Until the run takes the signals over, Ctrl-C ends the program at once and without a traceback.
signal.signal(signal.SIGINT, signal.SIG_DFL)

from producer.cli import main  # noqa: E402 - importing takes long enough to be interrupted

if __name__ == "__main__":
    raise SystemExit(main())
