"""The names of the invariants, which docs/universes.md explains."""

from __future__ import annotations

from typing import Final

DONE: Final = "deleted only when done"
ONCE: Final = "handled twice only for a reason"
ORDER: Final = "message groups keep their order"
KNOWN_LOST: Final = "not handled once known as lost"
SLOTS: Final = "no more handlers than slots"
COUNTED: Final = "in-flight counts add up"
TRUE_LINES: Final = "lines tell the truth"
NOTHING_LEFT: Final = "nothing left unsaid"
NOBODY_GONE: Final = "nothing delivered to who is gone"
IN_TIME: Final = "ends in time"
NO_SURPRISE: Final = "no error of its own"
RECOVERED: Final = "every message comes to its end"
INNOCENT: Final = "dead letters only for a reason"
NO_DEADLOCK: Final = "no deadlock"
STAYS_BACK: Final = "not hidden after a return"

RULES: Final = (
    *(DONE, ONCE, ORDER, KNOWN_LOST, SLOTS, COUNTED, TRUE_LINES, NOTHING_LEFT, NOBODY_GONE),
    *(IN_TIME, NO_SURPRISE, RECOVERED, INNOCENT, NO_DEADLOCK, STAYS_BACK),
)
