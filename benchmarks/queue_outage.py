"""Queue outage: what an outage of SQS costs a consumer in time, memory and work done twice.

`PYTHONPATH=tests python -m benchmarks.queue_outage` starts a local SQS and a consumer. For a third
of the outage SQS answers 503, for a third it answers nothing, and for a third it does what it is
asked and its answers are lost.
"""

from __future__ import annotations

import argparse
import tempfile
from dataclasses import fields
from pathlib import Path

from support.emulators.ministack import running
from support.endurance.outage import Disaster, lossy, run_outage, silent, unavailable

from benchmarks.scale_in import say

KINDS = (unavailable, silent, lossy)


def main() -> None:
    """Make an outage and print what it has shown."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=10, help="how long the outage lasts")
    options = parser.parse_args()
    disaster = Disaster(KINDS, options.minutes * 60 / len(KINDS))
    with tempfile.TemporaryDirectory() as folder, running() as server:
        recovery = run_outage(server, Path(folder, "outage"), disaster)
    for field in fields(recovery):
        say(f"{field.name}: {getattr(recovery, field.name)}")


if __name__ == "__main__":
    main()
