"""A universe: consumers, their threads and SQS in virtual time, from a plan to its end."""

from __future__ import annotations

import logging
from contextlib import contextmanager
from functools import partial
from random import Random
from typing import TYPE_CHECKING, Final

from support.universes.faults import Faults
from support.universes.invariants import Rules
from support.universes.life import Blueprint, Life, World
from support.universes.record import MessageRecord, Record, Violation
from support.universes.rule_names import IN_TIME, NO_DEADLOCK, NO_SURPRISE
from support.universes.scheduler import Machine, Scheduler, StuckError
from support.universes.sqs import UniverseSqs
from support.universes.wire import Wire

from consumer.logs import events

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from support.universes.plan import Event, Plan

PATIENCE: Final = 400.0
"""Seconds after the last stop within which every consumer has ended, and again for the last drain:
longer than any frozen process, request, visibility timeout and retry."""

SLOW: Final = 1000.0
"""How much longer a step takes on a slow processor."""

LAST: Final = 0
"""The number of the consumer that drains the queue at the end."""

THE_PRODUCT: Final = Blueprint()


class Universe:
    """One universe; `run` goes through the whole plan, other methods do one thing of it."""

    def __init__(
        self, plan: Plan, blueprint: Blueprint = THE_PRODUCT, *, trace: bool = False
    ) -> None:
        """Make everything; nothing happens yet."""
        self.plan = plan
        self.record = Record()
        if trace:
            self.record.trace = []
        turns, rng = _chance(plan, "turns"), _chance(plan, "times")
        self.scheduler = Scheduler(turns, plan.step, plan.interruptions)
        self.faults = Faults(_chance(plan, "faults"), plan.faults, plan.left_out)
        self.wire = Wire(self.scheduler, self.record, self.faults, rng, plan.usual)
        self.sqs = UniverseSqs(
            self.scheduler,
            self.record,
            self.faults,
            rng,
            fifo=plan.fifo,
            max_receives=plan.max_receives,
        )
        self.nature = Machine("nature")
        self.wire.sqs_machine = Machine("SQS")
        self.rules = Rules()
        self.world = World(
            plan, self.scheduler, self.record, self.faults, self.wire, self.sqs, self.rules, rng
        )
        self.rules.world = self.world
        self.scheduler.after_step = self.rules.after_step
        self.sqs.on_delivery = self.rules.on_delivery
        self.violation: Violation | None = None
        self._blueprint = blueprint
        self._rng = rng

    def run(self) -> None:
        """Let the plan happen, then end everything and check it.

        Raises:
            Violation: an invariant does not hold.
        """
        with self.watched():
            plan = self.plan
            for at in plan.sends:
                self._after(at, self.send)
            for number, (start, stop) in enumerate(zip(plan.starts, plan.stops, strict=True), 1):
                life = self.life(number)
                self._after(start, life.start)
                self._after(stop, life.stop.request)
            for event in plan.events:
                self._after(event.at, partial(self.strike, event))
            self.pass_time(max([*plan.sends, *plan.starts, *plan.stops]))
            self._run(PATIENCE, lambda: len(self.record.messages) == len(plan.sends))
            self.finish()

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Take the consumers' log lines in the block, and end all tasks after it."""
        listener = _Listener(self)
        before = events.root.level
        events.root.addHandler(listener)
        events.root.setLevel(logging.INFO)
        try:
            yield
        finally:
            events.root.removeHandler(listener)
            events.root.setLevel(before)
            machines = [life.machine for life in self.world.lives.values()]
            sqs = self.wire.sqs_machine
            self.scheduler.close([*machines, self.nature, *([sqs] if sqs else [])])

    def life(self, number: int) -> Life:
        """Return the consumer of this number, a new one if there is none."""
        name = f"c{number}"
        if name not in self.world.lives:
            self.world.lives[name] = Life(self.world, name, self._blueprint)
        return self.world.lives[name]

    def send(self) -> None:
        """Send the next message."""
        number = len(self.record.messages) + 1
        group = f"g{self._rng.randint(1, self.plan.groups)}" if self.plan.fifo else None
        message = MessageRecord(number, group)
        message.poison = number <= self.plan.poison
        self.sqs.send(message)

    def strike(self, event: Event) -> None:
        """Let a fault happen that concerns one consumer."""
        life = self.life(event.consumer)
        machine = life.machine
        if self.faults.calm:
            return
        self.faults.counts[event.kind] += 1
        self.record.note(self.scheduler.now, machine.name, f"{event.kind}, {event.seconds:.3g} s")
        if event.kind == "killed":
            life.kill()
        elif event.kind == "frozen":
            life.freeze(event.seconds)
        elif event.kind == "second signal":
            life.stop.hurry()
        elif event.kind == "clock set":
            machine.jump += event.seconds
        elif event.kind == "slow processor":
            machine.slow, life.was_slow = SLOW, True
            self.record.excuse_machine(machine.name, event.kind)
            self._after(event.seconds, partial(setattr, machine, "slow", 1.0))
        elif event.kind == "outage":
            self.wire.outage_until = self.scheduler.now + event.seconds

    def pass_time(self, seconds: float) -> None:
        """Let virtual time pass."""
        self._run(seconds)

    def finish(self) -> None:
        """Stop all consumers, let a last one drain the queue without a fault, and check all."""
        lives = [life for life in self.world.lives.values() if life.started_at >= 0]
        for life in lives:
            life.stop.request()
        self._until_over(lives)
        self.faults.calm = True
        self.wire.outage_until = self.scheduler.now
        last = self.life(LAST)
        last.start()
        self._run(PATIENCE, self.sqs.empty)
        last.stop.request()
        self._until_over([last])
        self.rules.on_last()

    def _until_over(self, lives: list[Life]) -> None:
        self._run(PATIENCE, lambda: all(life.over for life in lives))
        if running := [life.machine.name for life in lives if not life.over]:
            raise Violation(IN_TIME, f"{running} run on after {PATIENCE} s")

    def _run(self, seconds: float, done: Callable[[], bool] = lambda: False) -> None:
        try:
            self.scheduler.run(self.scheduler.now + seconds, done)
        except Violation as violation:
            self.violation = violation
            raise
        except StuckError as error:
            self.violation = Violation(NO_DEADLOCK, str(error))
            raise self.violation from error
        except Exception as error:
            self.violation = Violation(NO_SURPRISE, repr(error))
            raise self.violation from error

    def _after(self, seconds: float, action: Callable[[], object]) -> None:
        def wait() -> None:
            self.scheduler.sleep(seconds)
            action()

        self.scheduler.spawn(self.nature, "nature", wait)


def _chance(plan: Plan, of: str) -> Random:
    """Return a stream of its own for each purpose, so that one does not change another."""
    return Random(f"{plan.seed} {of}")  # noqa: S311 - chance, not secrets


class _Listener(logging.Handler):
    """Gives each event to the consumer whose thread logs it."""

    def __init__(self, universe: Universe) -> None:
        super().__init__()
        self._universe = universe

    def emit(self, record: logging.LogRecord) -> None:
        """Give the event to its consumer; a violation passes through to the thread."""
        task = self._universe.scheduler.current
        if task is not None and not self._universe.scheduler.closing:
            self._universe.world.lives[task.machine.name].lines.log(record)
