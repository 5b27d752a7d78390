"""The life of one consumer in a universe: its parts as in the program, its lines, its end."""

from __future__ import annotations

import errno
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from support.universes.handler import UniverseHandler, Work
from support.universes.record import ids_of
from support.universes.requests import UniverseDeadLetters, UniverseQueue
from support.universes.scheduler import Machine
from support.universes.threads import UniverseClock, UniverseStop, UniverseThreads

from consumer.acknowledge import Acknowledger, Endings
from consumer.admission import Admission
from consumer.capacity import HandlingTimes
from consumer.cycle import Rhythm
from consumer.groups.message_groups import MessageGroups
from consumer.heartbeat import Heartbeat
from consumer.idempotency.no_claims import NoClaims
from consumer.in_flight import InFlight
from consumer.leaving.drain import Drain
from consumer.leaving.last_resort import LastResort
from consumer.logs.counts import MetricLabels
from consumer.logs.cycles import Cycles
from consumer.pool.threads import PoolLimits, ThreadPool
from consumer.ports import PoolReports, Ports
from consumer.retry import RetryDelays
from consumer.supervise import Failures, Parts, ShutdownLimits, supervise
from consumer.worker import Job, Worker

if TYPE_CHECKING:
    import logging
    from random import Random

    from support.universes.faults import Faults
    from support.universes.invariants import Rules
    from support.universes.plan import Plan
    from support.universes.record import Record
    from support.universes.scheduler import Scheduler
    from support.universes.sqs import UniverseSqs
    from support.universes.wire import Wire

    from consumer.supervise import Ending

LONGEST_RETRY: Final = 20.0
"""The consumer's RETRY_DELAY_MAX_SECONDS: a universe should not last for hours."""


@dataclass(frozen=True, slots=True)
class Blueprint:
    """The classes of which a consumer is built: those of the product, or of a broken consumer."""

    in_flight: type[InFlight] = InFlight
    acknowledger: type[Acknowledger] = Acknowledger
    pool: type[ThreadPool] = ThreadPool
    heartbeat: type[Heartbeat] = Heartbeat
    letters: type[UniverseDeadLetters] = UniverseDeadLetters


class World:
    """What all consumers of a universe share."""

    def __init__(  # noqa: PLR0913, PLR0917 - the parts of a universe, made in one place
        self,
        plan: Plan,
        scheduler: Scheduler,
        record: Record,
        faults: Faults,
        wire: Wire,
        sqs: UniverseSqs,
        rules: Rules,
        rng: Random,
    ) -> None:
        """Share these."""
        self.plan = plan
        self.scheduler = scheduler
        self.record = record
        self.faults = faults
        self.wire = wire
        self.sqs = sqs
        self.rules = rules
        self.rng = rng
        self.lives: dict[str, Life] = {}


class Lines:
    """The lines of one consumer: its sink, and the events that it logs."""

    def __init__(self, world: World, life: Life) -> None:
        """Start with nothing written."""
        self._world = world
        self._life = life
        self.broken = False
        self.cycles: list[dict[str, Any]] = []

    def write(self, lines: list[bytes]) -> None:
        """Take lines, unless the disk is full."""
        self._world.scheduler.interrupt()
        self.broken = self.broken or self._world.faults.happens("no output")
        if self.broken:
            self._world.record.excuse_machine(self._life.machine.name, "no output")
            raise OSError(errno.ENOSPC, "No space left on device")
        for line in lines:
            fields = json.loads(line)
            if fields["event"] == "cycle":
                self.cycles.append(fields)
            else:
                self._world.rules.on_message_line(self._life, fields)

    def log(self, record: logging.LogRecord) -> None:
        """Take an event."""
        fields: dict[str, Any] = getattr(record, "fields", {})
        event, machine = record.getMessage(), self._life.machine.name
        self._world.record.note(self._world.scheduler.now, machine, f"says {event!r} {fields}")
        self._world.rules.on_event(self._life, record, event, ids_of(fields))


class Life:
    """One consumer from its start to its end."""

    def __init__(self, world: World, name: str, blueprint: Blueprint) -> None:
        """Be born, without running."""
        self.world = world
        self.machine = Machine(name)
        self.stop = UniverseStop(world.scheduler)
        self.lines = Lines(world, self)
        self.parts: Parts | None = None
        self.ending: Ending | None = None
        self.started_at = self.ended_at = -1.0
        self.killed = self.was_frozen = self.was_slow = False
        self.events: list[tuple[str, list[str]]] = []
        self.receiving = False  # at its end, as it has said
        self._blueprint = blueprint
        self._ready = False

    @property
    def over(self) -> bool:
        """Return whether it has ended, in whichever way."""
        return self.machine.dead

    def start(self) -> None:
        """Run from now on."""
        self.started_at = self.world.scheduler.now
        self.world.scheduler.spawn(self.machine, "main", self._main)

    def kill(self) -> None:
        """End at once (SIGKILL)."""
        if not self.over:
            self.world.record.excuse_machine(self.machine.name, "killed")
            self.world.record.note(self.world.scheduler.now, self.machine.name, "is killed")
            self.killed = True
            self._end()

    def freeze(self, seconds: float) -> None:
        """Do nothing for a while (SIGSTOP and SIGCONT)."""
        if not self.over:
            self.world.record.excuse_machine(self.machine.name, "frozen")
            self.world.record.note(
                self.world.scheduler.now, self.machine.name, f"is frozen for {seconds:.3g} s"
            )
            self.was_frozen = True
            self.world.scheduler.freeze(self.machine, seconds)

    def _main(self) -> None:
        world, plan = self.world, self.world.plan
        ports = Ports(
            UniverseQueue(world.wire, world.sqs, self.machine),
            self.lines,
            UniverseClock(world.scheduler, self.machine),
            self.stop,
            UniverseThreads(world.scheduler, self.machine, self._no_thread),
        )
        last_resort = LastResort(self.stop, Drain.of(plan.drain).whole, ports.threads, self._exit)
        last_resort.start()
        self.parts = parts = build_parts(self, ports, self._blueprint)
        parts.pool.start()
        heartbeat = self._blueprint.heartbeat(ports, parts.in_flight, parts.pool, plan.visibility)
        heartbeat.start()
        self._ready = True
        last_resort.watch(parts)
        self.ending = supervise(parts, ShutdownLimits.of_settings(plan.drain, rhythm_of(plan)))
        heartbeat.stop()
        world.record.note(world.scheduler.now, self.machine.name, f"ends: {self.ending}")
        world.rules.on_end(self)
        self._end()
        world.scheduler.block()

    def _exit(self, code: int) -> None:
        """End as the last resort does, with os._exit."""
        self.world.record.note(self.world.scheduler.now, self.machine.name, f"exits with {code}")
        self.world.rules.on_exit(self)
        self._end()
        self.world.scheduler.block()

    def _end(self) -> None:
        self.ended_at = self.world.scheduler.now
        self.world.scheduler.kill(self.machine)

    def _no_thread(self, name: str) -> bool:
        later = self._ready and name in {"handler", "last calls", "shutdown"}
        if not later or not self.world.faults.happens("no further thread"):
            return False
        self.world.record.excuse_machine(self.machine.name, "no further thread")
        return True


def rhythm_of(plan: Plan) -> Rhythm:
    """Return when a consumer of this universe polls."""
    return Rhythm.of_settings(plan.messages_per_poll, plan.poll_wait, plan.receive_wait, plan.drain)


def build_parts(life: Life, ports: Ports, blueprint: Blueprint) -> Parts:
    """Build a consumer's parts and connect them, as consumer.program does."""
    world, plan = life.world, life.world.plan
    in_flight = blueprint.in_flight(ports, plan.visibility, HandlingTimes(plan.handling))
    failures = Failures(ports.stop)
    cycles = Cycles(ports, MetricLabels("Tidemill", "work", life.machine.name))
    groups = MessageGroups(ports.clock, fifo=plan.fifo, poll_wait=plan.poll_wait)
    admission = Admission(NoClaims(fifo=plan.fifo), groups)
    letters = blueprint.letters(world.wire, life.machine) if plan.dead_letters else None
    endings = Endings(RetryDelays(plan.retry_delay, LONGEST_RETRY), admission, letters)
    acknowledger = blueprint.acknowledger(ports, in_flight, cycles, endings, life.machine.name)
    reports = PoolReports(
        start=world.rules.watched_start(life, in_flight),
        finished=in_flight.finish,
        returned=in_flight.give_back,
        broken=failures.add,
    )
    work = Work(world.rng, plan.handling, plan.message_seconds, batch=plan.batch)
    work.on_begin = lambda delivery, before: world.rules.on_begin(life, delivery, before)
    handler = UniverseHandler(world.scheduler, life.machine, world.record, world.faults, work)
    limits = PoolLimits(plan.concurrency, plan.message_seconds, fifo=plan.fifo)
    pool = blueprint.pool(lambda: handler, limits, ports, reports)
    job = Job(rhythm_of(plan), plan.visibility, Drain.of(plan.drain).handlers)
    worker = Worker(ports, job, pool, in_flight, cycles, admission)
    return Parts(ports, worker, pool, in_flight, acknowledger, cycles, failures)
