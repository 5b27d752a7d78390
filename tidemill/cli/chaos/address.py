"""Address and keys of the fleet that a command is about: the given one, or the rig that is up."""

from __future__ import annotations

import os
from dataclasses import dataclass

from tidemill.cli.rig import RIG_FOLDER
from tidemill.rig import background
from tidemill.rig.door.credentials import Keys
from tidemill.rig.errors import RigError


@dataclass(frozen=True, slots=True)
class FleetAddress:
    """Where a fleet's Auto Scaling API is, and the user's keys of its session.

    `speed` is how many times faster than wall-clock time its AWS runs, None if it is not known.
    """

    autoscaling_url: str
    keys: Keys
    speed: float | None = None


def find_fleet(given: str | None) -> FleetAddress:
    """Return the fleet at the given URL, or the running rig.

    Raises:
        RigError: no URL is given and no rig is up, or the keys are missing.
    """
    if given is not None:
        keys = Keys.read(os.environ)
        if keys is None:
            raise RigError(
                "set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY to the keys of the fleet's "
                "session: `tidemill compose keys` prints those of the containers"
            )
        return FleetAddress(given, keys)
    state = background.read_state(RIG_FOLDER)
    if state is None:
        raise RigError(f"{background.NONE_UP}, or give the --endpoint-url of a fleet")
    return FleetAddress(state.autoscaling_url, state.keys(), float(state.status["speed"]))
