"""Simulation of one candidate in one scenario, from start to end."""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import partial
from math import isfinite
from random import Random
from typing import TYPE_CHECKING

from shared.quotas import DEFAULT_RETENTION
from tidemill.scaling.group.lifecycle import RETAINED
from tidemill.scaling.loop import begin
from tidemill.scaling.metrics.queue import AGE, PERIOD, queue_metric
from tidemill.scaling.times.catalogue import USUAL, Times
from tidemill.simulator.errors import NeverRestsError, SimulationError
from tidemill.simulator.instances.handling import Attempts
from tidemill.simulator.instances.simulated_instances import SimulatedInstances
from tidemill.simulator.loop_runner import LoopRunner
from tidemill.simulator.pacing.choice import choose_pacing
from tidemill.simulator.planned_faults import PlannedFaults, windowed_faults
from tidemill.simulator.queues.fifo_queue import FifoQueue
from tidemill.simulator.queues.message_ages import MessageAges
from tidemill.simulator.queues.queue_attributes import QueueAttributes
from tidemill.simulator.queues.queued_message import MessageKind
from tidemill.simulator.queues.work_queue import WorkQueue
from tidemill.simulator.result import Result
from tidemill.simulator.scenario import DAY
from tidemill.simulator.time_draws import TimeDraws

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidemill.simulator.candidate import Candidate
    from tidemill.simulator.loop_runner import FactListener
    from tidemill.simulator.pacing.pacing import Pacing
    from tidemill.simulator.scenario import Scenario

START = 1_767_225_600.0
"""The default start of runs, 2026-01-01 00:00 UTC; any whole minute is possible."""

PATIENCE = 14.0 * DAY
"""Time to drain the queue after the scenario's end: longer than SQS keeps a message."""


@dataclass(frozen=True, slots=True)
class RunOptions:
    """Options of a simulation.

    Attributes:
        times: times of AWS that are not in the template.
        start: when the run begins, in epoch seconds; a whole minute.
        drain: whether the run continues after the scenario until no message is left.
        turn_every: seconds between additional turns of the loop, with no turn left out. None leaves
            out the turns that change nothing. The result is the same except for the number of
            turns, and so are the facts, except for a sample of the capacity in the very second in
            which an instance or a scheduled action changes it.
        pacing: decides which turns are taken, in place of the simulator's own choice.
        spot_per_hour: random Spot interruptions of one instance in an hour. AWS publishes only
            ranges per month for each instance type (Spot Instance advisor).
    """

    times: Times = USUAL
    start: float = START
    drain: bool = True
    turn_every: float | None = None
    pacing: Pacing | None = None
    spot_per_hour: float = 0.0


USUAL_RUN = RunOptions()


def simulate(
    candidate: Candidate,
    scenario: Scenario,
    seed: int,
    options: RunOptions = USUAL_RUN,
    listener: FactListener | None = None,
) -> Result:
    """Run a scenario over a candidate, from the stack's creation until the queue is drained.

    Args:
        candidate: the fleet and its workers.
        scenario: the load and the faults.
        seed: the seed of every random number; the messages do not depend on the candidate.
        options: the options of the simulation.
        listener: receives the facts of the run, in order.

    Raises:
        NeverRestsError: the fleet never drains the queue, or never becomes empty afterwards.
        SimulationError: a message is unaccounted for, or the simulator cannot imitate one of the
            scenario's faults.
        FaultError: a fault names an alarm that the fleet does not have.
    """
    candidate = replace(candidate, fleet=candidate.fleet.under(options.times))
    faults = PlannedFaults(scenario.faults, options.start)
    windows = windowed_faults(scenario.faults, candidate.fleet, options.start, seed)
    instances = _build(candidate, scenario, seed, options)
    pacing = options.pacing or choose_pacing(
        candidate.fleet, options.turn_every, planned_faults=bool(scenario.faults)
    )
    memory = begin(candidate.fleet, options.start, windows)
    runner = LoopRunner(candidate.fleet, instances, pacing, listener, memory)
    queue = instances.queue
    first = queue.next_arrival()  # before the first turn, which may already receive it
    runner.take_turn(options.start)
    over = options.start + scenario.seconds
    ended = _run(runner, instances, faults, over, drain=options.drain)
    if ended is None:
        raise NeverRestsError(
            f"{scenario.name}, {candidate.name}: the fleet never rests: {queue.left_over()} "
            f"messages and {len(instances)} instances are left {PATIENCE / DAY:.0f} days after the "
            "last message"
        )
    instances.close(ended)
    queue.advance(ended)
    queue.close()
    drained = queue.is_over() and isfinite(queue.emptied_at)  # not if every message expired
    result = Result(
        seconds=ended - options.start,
        messages=queue.counts,
        instances=instances.counts,
        left=queue.left_over(),
        drained_after=queue.emptied_at - first if drained else None,
        oldest_age=runner.oldest_age,
        turns=runner.turns,
        retained=sum(one.state in RETAINED for one in runner.memory.group.instances),
    )
    if result.lost:
        raise SimulationError(
            f"{scenario.name}, seed {seed}: {result.lost} messages are unaccounted for: this is an "
            "error in the simulator, please report it"
        )
    return result


def _build(
    candidate: Candidate, scenario: Scenario, seed: int, options: RunOptions
) -> SimulatedInstances:
    """Return the world of the group, without an instance yet, with the queue."""
    spec = candidate.fleet.queue
    attributes = QueueAttributes(
        spec.max_receive_count, spec.visibility_timeout, float(DEFAULT_RETENTION)
    )
    arrivals = scenario.arrivals(_random(seed, "arrivals"))
    kinds = _kinds(scenario, seed)
    if spec.fifo:
        group = partial(_random(seed, "groups").randrange, scenario.groups)
        queue: WorkQueue = FifoQueue(arrivals, options.start, kinds, attributes, group)
    else:
        queue = WorkQueue(arrivals, options.start, kinds, attributes)
    if candidate.fleet.reads(queue_metric(spec.name, AGE)):
        queue.ages = MessageAges()
    handler, chance = scenario.handler, _random(seed, "failures").random
    draw = partial(handler.draw, _random(seed, "work")) if handler.mean else None
    worker = candidate.worker.handling(handler.mean)
    attempts = Attempts(draw, scenario.failures, chance, worker.time_limit)
    per_second = options.spot_per_hour / 3600
    spot = partial(_random(seed, "spot").expovariate, per_second) if per_second else None
    times = TimeDraws(options.times, seed)
    return SimulatedInstances(queue, worker, times, attempts, spot)


def _kinds(scenario: Scenario, seed: int) -> Iterator[MessageKind] | None:
    """Return what each message is, or None if all are valid."""
    if any(scenario.poisoned):
        return (MessageKind(poison) for poison in scenario.poisoned)
    poison, always = scenario.poison, scenario.failures.always
    if not poison and not always:
        return None
    invalid, failing = _random(seed, "poison").random, _random(seed, "always failing").random

    def kinds() -> Iterator[MessageKind]:
        while True:
            fails = failing() < always
            yield MessageKind.INVALID if invalid() < poison else MessageKind(2 * fails)

    return kinds()


def _random(seed: int, of: str) -> Random:
    """Return the random numbers for one purpose; those for other purposes do not affect them."""
    return Random(f"{seed}-{of}")  # noqa: S311 - chance, not secrets


def _run(
    runner: LoopRunner,
    instances: SimulatedInstances,
    faults: PlannedFaults,
    over: float,
    *,
    drain: bool,
) -> float | None:
    """Run until the scenario has ended and the group is at rest; return the time of the end.

    None means that the group is not at rest after all patience.
    """
    queue, reports = instances.queue, instances.reports
    next_fault = faults.next_at()
    while True:
        now = instances.run_until(min(runner.next_tick(), next_fault))
        if reports:
            runner.take_turn(now)
        elif now == next_fault:
            runner.report((faults.inject(instances, runner.memory.group, now),))
            next_fault = faults.next_at()
            continue
        else:
            runner.tick(now)
        if now % PERIOD:  # the end is checked once a minute, with every pacing
            continue
        if now >= over and (not drain or (queue.is_over() and runner.at_rest())):
            return now
        if now > over + PATIENCE:
            return None
