"""`python -m tidemill.rig.door`: MiniStack behind the door; the rig starts it as a process."""

from __future__ import annotations

import os

from tidemill.rig.door.server import main

if __name__ == "__main__":
    main(os.environ)
