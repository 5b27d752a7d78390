"""One simulation from start to end, and what came of it."""

from __future__ import annotations

from dataclasses import dataclass
from random import Random
from typing import TYPE_CHECKING

from tidemill.scaling.metrics.queue import PERIOD
from tidemill.simulator.errors import SimulationError
from tidemill.simulator.instances.simulated_instances import SimulatedFleet
from tidemill.simulator.loop_runner import Control
from tidemill.simulator.queue import WorkQueue
from tidemill.simulator.times import Times
from tidemill.simulator.worker import Worker, read_worker

if TYPE_CHECKING:
    from collections import Counter
    from collections.abc import Iterator

    from tidemill.scaling.spec import Fleet
    from tidemill.simulator.loop_runner import Listener
    from tidemill.simulator.scenario import Scenario

START = 1_767_225_600.0
"""Moment of the first message's day, 2026-01-01 00:00 UTC; the loop only minds whole minutes."""

PATIENCE = 14 * 86_400.0
"""How long after its story a run may take to drain: longer than SQS keeps a message."""


@dataclass(frozen=True, slots=True)
class Subject:
    """What is simulated: a fleet, and how its workers work."""

    name: str
    fleet: Fleet
    worker: Worker

    @staticmethod
    def of_template(fleet: Fleet, name: str = "template") -> Subject:
        """Return a template's fleet with the workers that its launch template starts."""
        return Subject(name, fleet, read_worker(fleet.user_data))


@dataclass(frozen=True, slots=True)
class Result:
    """What a run came to; seconds, but for the counts. Waits are counted in tenths of a second.

    `seconds` is the whole run, `drained_after` from the first message until nothing was left,
    `working_hours` are the hours of the clock in which an instance ran.
    """

    seconds: float
    sent: int
    processed: int
    dead: int
    expired: int
    left: int
    first_waits: Counter[int]
    waits: Counter[int]
    drained_after: float | None
    oldest_age: float
    launches: int
    idle_launches: int
    idle_seconds: float
    billed_seconds: float
    working_hours: int
    peak_instances: int
    requests: int
    turns: int

    @property
    def lost(self) -> int:
        """Return how many messages are unaccounted for; anything but 0 is a mistake here."""
        return self.sent - self.processed - self.dead - self.expired - self.left


def simulate(  # noqa: PLR0913 - what a run depends on
    subject: Subject,
    scenario: Scenario,
    seed: int,
    *,
    times: Times | None = None,
    tell: Listener | None = None,
    pace: float | None = None,
    start: float = START,
    drain: bool = True,
) -> Result:
    """Run a scenario over a fleet, from its creation until the story is over and all is drained.

    Args:
        subject: the fleet.
        scenario: the story.
        seed: of all randomness; messages come alike whatever the fleet does.
        times: AWS's times that the template does not say.
        tell: hears the facts.
        pace: take a turn of the loop every so many seconds, too, and leave out none; without it,
            turns that change nothing are left out. What comes of it is the same.
        start: epoch seconds of the beginning, a whole minute.
        drain: go on after the story until nothing is left; else stop where it ends.

    Raises:
        SimulationError: the fleet does not get through with it, or a message is lost count of.
    """
    times = times or Times()
    poison = _poison(scenario, seed)
    queue = WorkQueue(
        scenario.arrivals(_random(seed, "arrivals")),
        start,
        poison,
        subject.fleet.queue.max_receive_count,
        times.retention,
    )
    instances = SimulatedFleet(
        queue=queue,
        worker=subject.worker,
        handler=scenario.handler,
        visibility=subject.fleet.queue.visibility_timeout,
        times=times,
        boots=_random(seed, "boots"),
        work=_random(seed, "work"),
        sound=poison is None,
    )
    instances.now = start
    control = Control(subject.fleet, queue, instances, start=start, tell=tell, pace=pace)
    control.take_turn(start)
    first = queue.next_arrival()
    ended = _go(control, queue, instances, start + scenario.seconds, drain=drain)
    instances.close(ended)
    queue.advance(ended)
    queue.close()
    drained = queue.is_over() and queue.sent
    result = Result(
        seconds=ended - start,
        sent=queue.sent,
        processed=queue.processed,
        dead=queue.dead,
        expired=queue.expired,
        left=queue.left_over(),
        first_waits=queue.first_waits,
        waits=queue.waits,
        drained_after=queue.emptied_at - first if drained else None,
        oldest_age=control.oldest_age,
        launches=instances.launches,
        idle_launches=instances.idle_launches,
        idle_seconds=instances.idle_seconds,
        billed_seconds=instances.billed_seconds,
        working_hours=len(instances.hours),
        peak_instances=instances.peak,
        requests=queue.requests,
        turns=control.turns,
    )
    if result.lost:
        raise SimulationError(
            f"{scenario.name}, seed {seed}: {result.lost} messages are unaccounted for, which is a "
            "mistake in the simulator: please report it"
        )
    return result


def _poison(scenario: Scenario, seed: int) -> Iterator[bool] | None:
    """Return whether each message is poison, or None where none ever is."""
    if any(scenario.poisoned):
        return iter(scenario.poisoned)
    dice, share = _random(seed, "poison"), scenario.poison
    return iter(lambda: dice.random() < share, None) if share else None


def _random(seed: int, of: str) -> Random:
    """Return a source of its own for each kind of chance, so that one does not disturb another."""
    return Random(f"{seed}-{of}")  # noqa: S311 - chance, not secrets


def _go(
    control: Control, queue: WorkQueue, instances: SimulatedFleet, told: float, *, drain: bool
) -> float:
    """Let time go by until the story is told and the fleet at rest; return when that was."""
    while True:
        now = instances.run_until(control.next_tick())
        if instances.news:
            control.take_turn(now)
        else:
            control.tick(now)
        if now % PERIOD:  # ends are looked for once a minute, however often turns are taken
            continue
        if now >= told and (not drain or (queue.is_over() and control.at_rest())):
            return now
        if now > told + PATIENCE:
            raise SimulationError(
                f"{queue.left_over()} messages and {len(instances)} instances are left "
                f"{PATIENCE / 86_400:.0f} days after the last message: the fleet never rests"
            )
