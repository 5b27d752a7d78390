"""A worker's rhythm as a lookup table."""

from __future__ import annotations

from consumer import cycle
from tidemill.simulator.errors import SimulationError


class RhythmTable:
    """A lookup table of the results of consumer.cycle, which are computed on first use.

    A step is (messages received so far in this poll, seconds to rest, limit, seconds to wait). The
    last two are for the receive after the rest. Example with the defaults: after an empty receive
    the step is (0, 60, 10, 20). The poll has ended; the worker rests for 60 s, then receives up to
    10 messages and waits for up to 20 s.
    """

    def __init__(self, rhythm: cycle.Rhythm) -> None:
        """Begin with an empty table."""
        self._rhythm = rhythm
        self._after: dict[tuple[int, int], tuple[int, float, int, int]] = {}
        _, opening = cycle.first_step(rhythm)
        self.first = (0, 0.0, *_receive(opening))

    def after(self, taken: int, count: int) -> tuple[int, float, int, int]:
        """Return the step after a receive of `count` messages, with `taken` ones before it."""
        key = (taken, count)
        step = self._after.get(key)
        if step is None:
            step = self._after[key] = self._compute(taken, count)
        return step

    def _compute(self, taken: int, count: int) -> tuple[int, float, int, int]:
        rhythm = self._rhythm
        memory, step = cycle.next_step(rhythm, cycle.CycleMemory(taken), cycle.ReceiveEnded(count))
        rest = 0.0
        if isinstance(step, cycle.Rest):
            rest = step.seconds
            memory, step = cycle.next_step(rhythm, memory, cycle.RestEnded())
        return (memory.taken, rest, *_receive(step))


def _receive(step: cycle.Step) -> tuple[int, int]:
    if isinstance(step, cycle.Rest):  # no worker rests twice
        raise SimulationError("the rhythm rests twice in a row")
    return step.limit, step.wait_seconds
