"""`python -m tidemill.rig.door`: a local AWS behind its door; the rig and Compose start it."""

from __future__ import annotations

import os
import sys

from tidemill.rig.door.server import main
from tidemill.rig.errors import RigError

if __name__ == "__main__":
    try:
        main(os.environ)
    except (RigError, OSError) as error:
        sys.exit(f"tidemill: {error}")
