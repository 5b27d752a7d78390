"""The worker that a template starts: its rhythm, as consumer.cycle has it, and its settings."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from consumer import cycle
from tidemill.scaling.template.user_data import NoConsumerError, container_settings
from tidemill.simulator.errors import SimulationError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Worker:
    """How a consumer works; durations in seconds, defaults are the consumer's own.

    `retry_base` and `retry_longest` are how long a failed message stays away.
    """

    rhythm: cycle.Rhythm = field(default_factory=cycle.Rhythm)
    concurrency: int = 1
    drain: float = 30.0
    retry_base: float = 30.0
    retry_longest: float = 900.0


def read_worker(user_data: str) -> Worker:
    """Return the worker that a launch template's script starts with `docker run`.

    A script that sets nothing of the kind, or starts no container, has a worker with the
    consumer's defaults.

    Raises:
        SimulationError: a setting is no number, such as one that only an instance knows.
        UserDataError: what `docker run` is given cannot be read.
    """
    try:
        given = container_settings(user_data)
    except NoConsumerError:
        given = {}
    usual, rhythm = Worker(), cycle.Rhythm()
    return Worker(
        rhythm=cycle.Rhythm(
            messages_per_poll=int(_number(given, "MESSAGES_PER_POLL", rhythm.messages_per_poll)),
            poll_wait=_number(given, "POLL_WAIT_SECONDS", rhythm.poll_wait),
            receive_wait=int(_number(given, "RECEIVE_WAIT_SECONDS", rhythm.receive_wait)),
        ),
        concurrency=int(_number(given, "CONCURRENCY", usual.concurrency)),
        drain=_number(given, "DRAIN_SECONDS", usual.drain),
        retry_base=_number(given, "RETRY_DELAY_SECONDS", usual.retry_base),
        retry_longest=_number(given, "RETRY_DELAY_MAX_SECONDS", usual.retry_longest),
    )


def _number(given: Mapping[str, str], name: str, default: float) -> float:
    try:
        return float(given.get(name, default))
    except ValueError:
        raise SimulationError(f"user data: {name}={given[name]} is no number") from None


class Steps:
    """The rhythm as a table that fills as it is used: each entry is consumer.cycle's answer.

    A step is (messages taken so far in this poll, seconds to rest, limit, seconds to wait), the
    last two of the receive that follows the rest, if there is one.
    """

    def __init__(self, rhythm: cycle.Rhythm) -> None:
        """Begin with an empty table."""
        self._rhythm = rhythm
        self._after: dict[tuple[int, int], tuple[int, float, int, int]] = {}
        _, opening = cycle.first_step(rhythm)
        self.first = (0, 0.0, *_receive(opening))

    def after(self, taken: int, count: int) -> tuple[int, float, int, int]:
        """Return the step after a receive that brought `count`, with `taken` before it."""
        key = (taken, count)
        step = self._after.get(key)
        if step is None:
            step = self._after[key] = self._ask(taken, count)
        return step

    def _ask(self, taken: int, count: int) -> tuple[int, float, int, int]:
        rhythm = self._rhythm
        memory, step = cycle.next_step(rhythm, cycle.Memory(taken), cycle.Received(count))
        rest = 0.0
        if isinstance(step, cycle.Rest):
            rest = step.seconds
            memory, step = cycle.next_step(rhythm, memory, cycle.Rested())
        return (memory.taken, rest, *_receive(step))


def _receive(step: cycle.Step) -> tuple[int, int]:
    if isinstance(step, cycle.Rest):  # two rests in a row make no sense to a worker
        raise SimulationError("the rhythm rests twice in a row")
    return step.limit, step.wait_seconds
