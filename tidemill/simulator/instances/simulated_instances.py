"""Simulated instances: they boot, poll by their rhythm, work, drain, and are gone."""

from __future__ import annotations

import heapq
from collections import deque
from typing import TYPE_CHECKING

from consumer.retry import RetryDelays
from tidemill.scaling.loop import Booted, Gone, HookCompleted
from tidemill.simulator.instances.handling import cut_short, plan
from tidemill.simulator.instances.instance import Doing, Due, Machine
from tidemill.simulator.worker import Steps

if TYPE_CHECKING:
    from collections.abc import Callable
    from random import Random

    from tidemill.scaling.loop import InstanceEvent
    from tidemill.simulator.instances.handling import HandlerTime
    from tidemill.simulator.queue import Message, WorkQueue
    from tidemill.simulator.times import Times
    from tidemill.simulator.worker import Worker

NEVER = float("inf")
HOUR = 3600


class SimulatedFleet:
    """The instances of a group, in virtual time; also the core's port to them.

    `now` is the moment of the event that is being dealt with. What instances tell the group is
    collected in `news`.
    """

    def __init__(  # noqa: PLR0913 - what an instance depends on
        self,
        *,
        queue: WorkQueue,
        worker: Worker,
        handler: HandlerTime,
        visibility: int,
        times: Times,
        boots: Random,
        work: Random,
        sound: bool,
    ) -> None:
        """Begin with no instance; `sound` says that no message is ever poison."""
        self.now = 0.0
        self.news: list[InstanceEvent] = []
        self.launches = 0
        self.idle_launches = 0
        self.idle_seconds = 0.0
        self.billed_seconds = 0.0
        self.hours: set[int] = set()
        self.peak = 0
        self._running = 0
        self._queue = queue
        self._worker = worker
        self._handler = handler
        self._visibility = visibility
        self._times = times
        self._boots = boots
        self._work = work
        self._instant = sound and not handler.mean
        self._steps = Steps(worker.rhythm)
        self._machines: dict[str, Machine] = {}
        self._polling: deque[Machine] = deque()
        self._heap: list[tuple[float, int, Due, Machine, int]] = []
        self._shown: dict[int, list[Message]] = {}
        self._serial = 0
        self._deal: dict[Due, Callable[[Machine, int], None]] = {
            Due.BOOTED: self._booted,
            Due.STARTED: self._started,
            Due.POLL_ENDED: self._poll_ended,
            Due.SETTLED: self._settled,
            Due.NOTICED: self._noticed,
            Due.LEFT: self._left,
            Due.GONE: self._gone,
            Due.INTERRUPTED: self._interrupted,
            Due.KILLED: self._killed,
            Due.SHOWN: self._show,
        }

    def __len__(self) -> int:
        """Return how many instances there are, in whatever state."""
        return len(self._machines)

    # What the core orders.

    def launch(self, instance: str) -> None:
        """Start an instance with this id, be it a new one or one that waits in the warm pool."""
        known = self._machines.get(instance)
        if known is not None and known.doing is not Doing.ENDED:  # it has been running all along
            self.news.append(Booted(instance))
            return
        machine = self._machines[instance] = Machine(instance, self.now)
        self.launches += known is None
        running = self.now + self._spread(self._times.launch)
        prepared = self._times.user_data if known is None else self._times.restart
        machine.starts_at = running + self._spread(prepared)
        self._push(running, Due.BOOTED, machine)
        self._push(machine.starts_at, Due.STARTED, machine)
        if self._times.spot_per_hour:
            life = self._boots.expovariate(self._times.spot_per_hour / 3600)
            self._push(running + life, Due.INTERRUPTED, machine)

    def drain(self, instance: str) -> None:
        """Tell an instance that it has to go; it looks now and then."""
        machine = self._machines[instance]
        if machine.left:  # a Spot interruption came first: it is ready to go
            self._push(self.now + self._times.notice, Due.LEFT, machine)
        else:
            self._notify(machine)

    def stop(self, instance: str) -> None:
        """Stop an instance for the warm pool; it keeps what user data has installed."""
        self._end(self._machines[instance])

    def terminate(self, instance: str) -> None:
        """End an instance."""
        machine = self._machines.get(instance)
        if machine is not None:
            self._end(machine)
            if machine.running_at is not None and not machine.processed:
                self.idle_launches += 1
                self.idle_seconds += machine.billed
            self._push(self.now + self._times.terminate, Due.GONE, machine)

    def events(self) -> list[InstanceEvent]:
        """Return what instances did since the last call."""
        news, self.news = self.news, []
        return news

    # What time brings.

    def run_until(self, end: float) -> float:
        """Deal with what happens until `end`, but stop at news for the group.

        Returns:
            When it stopped: at the moment of the news, or at `end`.
        """
        heap, queue, deal = self._heap, self._queue, self._deal
        if self.news:  # of what the group has just ordered
            return self.now
        while True:
            due = heap[0][0] if heap else NEVER
            if self._polling and (arrival := queue.next_arrival()) <= due:
                if arrival > end:
                    return end
                self.now = arrival
                self._arrived()
                continue
            if due > end:
                return end
            _, _, kind, machine, turn = heapq.heappop(heap)
            self.now = due
            if kind == Due.NEXT:
                if machine.turn == turn:
                    self._receive(machine)
            else:
                deal[kind](machine, turn)
                if self.news:
                    return due

    def polled(self) -> bool:
        """Tell whether a consumer waits for messages right now."""
        return bool(self._polling)

    def close(self, now: float) -> None:
        """Bill what still runs."""
        self.now = now
        for machine in list(self._machines.values()):
            self._end(machine)

    def _booted(self, machine: Machine, _: int) -> None:
        if machine.doing is Doing.ENDED:
            return
        machine.running_at = self.now
        self._running += 1
        self.peak = max(self.peak, self._running)
        self.news.append(Booted(machine.id))

    def _started(self, machine: Machine, _: int) -> None:
        if machine.doing is Doing.BOOTING:
            machine.taken, _rest, machine.limit, machine.wait = self._steps.first
            self._receive(machine)

    def _poll_ended(self, machine: Machine, turn: int) -> None:
        if machine.turn == turn:
            self._polling.remove(machine)
            self._queue.touch(self.now)
            self._received(machine, 0)

    def _settled(self, machine: Machine, turn: int) -> None:
        if machine.turn == turn:
            self._settle(machine)

    def _noticed(self, machine: Machine, _: int) -> None:
        if machine.doing is not Doing.ENDED and not machine.stopping:
            self._stop(machine)

    def _left(self, machine: Machine, _: int) -> None:
        if machine.doing is not Doing.ENDED:
            machine.left = True
            self.news.append(HookCompleted(machine.id))

    def _gone(self, machine: Machine, _: int) -> None:
        del self._machines[machine.id]
        self.news.append(Gone(machine.id))

    def _interrupted(self, machine: Machine, _: int) -> None:
        if machine.doing is not Doing.ENDED:
            self._notify(machine)
            self._push(self.now + self._times.spot_warning, Due.KILLED, machine)

    def _killed(self, machine: Machine, _: int) -> None:
        if machine.doing is not Doing.ENDED:
            self._end(machine)
            del self._machines[machine.id]
            self.news.append(Gone(machine.id, "a Spot interruption"))

    def _show(self, _: Machine, key: int) -> None:
        self._queue.give_back(self.now, self._shown.pop(key))
        self._arrived()

    # The consumer's rhythm.

    def _receive(self, machine: Machine) -> None:
        if self._instant:
            count = self._queue.consume(self.now, machine.limit)
            if count:
                machine.processed += count
                self._received(machine, count)
                return
        else:
            messages = self._queue.receive(self.now, machine.limit)
            if messages:
                self._begin(machine, messages)
                return
        if machine.wait:
            machine.doing = Doing.POLLING
            machine.turn += 1
            self._polling.append(machine)
            self._push(self.now + machine.wait, Due.POLL_ENDED, machine)
        else:
            self._received(machine, 0)

    def _received(self, machine: Machine, count: int) -> None:
        """Go on after a receive whose messages are dealt with."""
        if machine.stopping:
            self._leave(machine)
            return
        taken, rest, limit, wait = self._steps.after(machine.taken, count)
        machine.taken, machine.limit, machine.wait = taken, limit, wait
        machine.doing = Doing.RESTING
        machine.turn += 1
        pause = rest + self._times.request if count else rest
        self._push(self.now + pause, Due.NEXT, machine)

    def _arrived(self) -> None:
        """Let the consumer that has waited longest have what has just arrived."""
        self._queue.advance(self.now)
        while self._polling and self._queue.visible():
            machine = self._polling.popleft()
            machine.turn += 1
            if not machine.stopping:
                self._receive(machine)
                continue
            # A receive that was under way when stopping was asked for: all goes back at once.
            self._queue.give_back(self.now, self._queue.receive(self.now, machine.limit))
            self._leave(machine)

    def _begin(self, machine: Machine, messages: list[Message]) -> None:
        durations = [0.0 if m.poison else self._handler.draw(self._work) for m in messages]
        machine.batch = plan(messages, self.now, durations, self._worker.concurrency)
        machine.received_at = self.now
        machine.doing = Doing.WORKING
        machine.turn += 1
        self._settle_when_due(machine)

    def _settle_when_due(self, machine: Machine) -> None:
        if machine.batch is not None and machine.batch.groups[-1][0] <= self.now:
            self._settle(machine)
        elif machine.batch is not None:
            self._push(machine.batch.groups[-1][0], Due.SETTLED, machine)

    def _settle(self, machine: Machine) -> None:
        batch = machine.batch
        if batch is None:
            return
        _, group = batch.groups.pop()
        failed = self._queue.settle(self.now, group)
        machine.processed += len(group) - len(failed)
        self._send_back(failed)
        if batch.groups:
            self._settle_when_due(machine)
            return
        machine.batch = None
        self._queue.give_back(self.now, batch.late)
        self._received(machine, len(batch.spans))
        self._arrived()

    def _send_back(self, failed: list[Message]) -> None:
        delays = RetryDelays(self._worker.retry_base, self._worker.retry_longest)
        for message in failed:
            delay = delays.invalid(message.receives)
            if delay:
                self._hide([message], self.now + delay)
            else:
                self._queue.give_back(self.now, [message])

    def _hide(self, messages: list[Message], until: float) -> None:
        """Let messages stay in flight until SQS shows them again."""
        self._serial += 1
        self._shown[self._serial] = messages
        heapq.heappush(self._heap, (until, self._serial, Due.SHOWN, _NOBODY, self._serial))

    # The end of an instance.

    def _notify(self, machine: Machine) -> None:
        looks_from = self.now
        if machine.doing is Doing.BOOTING:
            looks_from = max(self.now, machine.starts_at + self._times.settle)
        elif self.now < machine.starts_at + self._times.settle:
            looks_from = machine.starts_at + self._times.settle
        self._push(looks_from + self._boots.uniform(0, self._times.notice), Due.NOTICED, machine)

    def _stop(self, machine: Machine) -> None:
        machine.stopping = True
        if machine.doing in {Doing.BOOTING, Doing.RESTING}:
            self._leave(machine)
        elif machine.doing is Doing.WORKING and machine.batch is not None:
            machine.batch, waiting = cut_short(machine.batch, self.now, self._worker.drain)
            machine.turn += 1
            self._queue.give_back(self.now, waiting)
            self._settle_when_due(machine)
            self._arrived()

    def _leave(self, machine: Machine) -> None:
        machine.doing = Doing.RESTING
        machine.turn += 1
        self._push(self.now + self._times.flush, Due.LEFT, machine)

    def _end(self, machine: Machine) -> None:
        """End an instance at once; what it holds shows up again by the visibility timeout."""
        if machine.doing is Doing.ENDED:
            return
        if machine.doing is Doing.POLLING and machine in self._polling:
            self._polling.remove(machine)
        if machine.batch is not None:
            held = [message for _, group in machine.batch.groups for message in group]
            held += machine.batch.late
            half = self._visibility / 2
            beats = (self.now - machine.received_at) // half if half else 0
            self._hide(held, machine.received_at + beats * half + self._visibility)
            machine.batch = None
        machine.doing = Doing.ENDED
        machine.turn += 1
        if machine.running_at is not None:
            self._running -= 1
            machine.billed = max(self.now - machine.running_at, self._times.billed_at_least)
            self.billed_seconds += machine.billed
            self.hours.update(range(int(machine.running_at // HOUR), int(self.now // HOUR) + 1))

    def _spread(self, seconds: float) -> float:
        spread = self._times.spread
        return seconds * self._boots.uniform(1 - spread, 1 + spread)

    def _push(self, at: float, kind: Due, machine: Machine) -> None:
        self._serial += 1
        heapq.heappush(self._heap, (at, self._serial, kind, machine, machine.turn))


_NOBODY = Machine("", 0.0)
