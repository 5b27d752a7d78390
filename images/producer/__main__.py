"""`python -m producer`: runs the producer; `--help` lists its options."""

import signal

# Until the run handles the signals itself, Ctrl-C ends the program at once, without a traceback.
signal.signal(signal.SIGINT, signal.SIG_DFL)

from producer.cli import main  # noqa: E402 - the import is slow enough to be interrupted

if __name__ == "__main__":
    raise SystemExit(main())
