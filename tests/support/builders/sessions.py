"""A session of a rig for tests: its guard, and the user's keys."""

from __future__ import annotations

from typing import Final

from tidemill.rig.door.credentials import USER, Session
from tidemill.rig.door.guard import Guard

SESSION: Final = Session("a secret of tests")
GUARD: Final = Guard(SESSION)
KEYS: Final = SESSION.keys(USER)
