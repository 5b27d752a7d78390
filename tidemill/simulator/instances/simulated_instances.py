"""Instances of a group in virtual time: launch, boot, drain, interruption, termination."""

from __future__ import annotations

from collections.abc import Callable
from heapq import heappop
from typing import TYPE_CHECKING, Final

from tidemill.scaling.fault_kinds import SPOT
from tidemill.scaling.faults import Fault
from tidemill.scaling.loop import Booted, Vanished
from tidemill.simulator.errors import SimulationError
from tidemill.simulator.instances.agenda import Agenda
from tidemill.simulator.instances.billing import InstanceCounts
from tidemill.simulator.instances.consumers import Consumers
from tidemill.simulator.instances.instance import ConsumerState, SimulatedInstance

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tidemill.scaling.loop import InstanceEvent
    from tidemill.simulator.instances.handling import Attempts, Draw
    from tidemill.simulator.queues.work_queue import WorkQueue
    from tidemill.simulator.time_draws import TimeDraws
    from tidemill.simulator.worker_settings import WorkerSettings

NEVER = float("inf")


class SimulatedInstances:
    """The core's port to a group's instances (tidemill.scaling.ports.World), in virtual time.

    Attributes:
        now: the time of the core's orders, in epoch seconds.
        queue: the queue that the instances poll.
        counts: launches and bills so far.
        reports: the events that instances have reported since the last turn.
    """

    def __init__(
        self,
        queue: WorkQueue,
        worker: WorkerSettings,
        times: TimeDraws,
        attempts: Attempts,
        spot_life: Draw | None,
    ) -> None:
        """Begin without an instance.

        Args:
            queue: the queue.
            worker: the settings of the consumer on each instance.
            times: draws AWS's times.
            attempts: draws how long attempts take and how they end.
            spot_life: returns the seconds from running until a Spot instance gets its notice; None
                without random interruptions.
        """
        self.now = 0.0
        self.queue = queue
        self.counts = InstanceCounts()
        self._times = times
        self._spot_life = spot_life
        self._instances: dict[str, SimulatedInstance] = {}
        self._agenda = Agenda()
        self._consumers = Consumers(queue, self._agenda, worker, times, attempts)
        self.reports = self._agenda.reports

    def __len__(self) -> int:
        """Return the number of instances in any state."""
        return len(self._instances)

    # Orders of the core.

    def launch(self, instance: str) -> None:
        """Launch an instance with this id, or start the one that waits in the warm pool."""
        known = self._instances.get(instance)
        if known is not None and known.state is not ConsumerState.ENDED:  # a running warm pool
            self.reports.append(Booted(instance))
            return
        launched = self._instances[instance] = SimulatedInstance(instance)
        self.counts.launches += known is None
        times = self._times
        running = self.now + times.until_running()
        created, works = times.until_work() if known is None else times.until_work_again()
        launched.starts_at = running + works
        launched.watches_from = running + created + times.startup_watch()
        self._agenda.plan(running, self._boot, launched)
        self._agenda.plan(launched.starts_at, self._consumers.start, launched)
        if self._spot_life is not None:
            self._agenda.plan(running + self._spot_life(), self.interrupt, launched)

    def drain(self, instance: str) -> None:
        """Drain an instance; it checks every few seconds whether it is to be terminated."""
        draining = self._instances[instance]
        if draining.drained:  # a Spot notice was earlier, and the consumer has stopped already
            at = self.now + self._times.reaction() + self._times.notice()
            self._agenda.plan(at, self._consumers.report_drained, draining)
        else:
            self._plan_notice(draining, self.now + self._times.reaction())

    def stop(self, instance: str) -> None:
        """Stop an instance for the warm pool; it keeps what user data has installed."""
        self._end(self._instances[instance], self.now)

    def terminate(self, instance: str) -> None:
        """Terminate an instance; it no longer exists some seconds later."""
        ended = self._instances.get(instance)
        if ended is not None:
            self._end(ended, self.now)
            self.counts.terminate(ended)
            self._agenda.plan(self.now + self._times.terminate(), self._disappear, ended)

    def events(self) -> list[InstanceEvent]:
        """Return the events that instances have reported since the last call."""
        reports = self.reports.copy()
        self.reports.clear()
        return reports

    # Passage of time.

    def run_until(self, end: float) -> float:
        """Process events until `end`, or until an instance reports to the group.

        Returns:
            The time of the report, or `end`.
        """
        events, reports, queue = self._agenda.events, self.reports, self.queue
        consumers, polling = self._consumers, self._consumers.polling
        if reports:  # by an instance that the group has just launched
            return self.now
        while True:
            due = events[0][0] if events else NEVER
            if polling and (arrival := queue.next_arrival()) <= due:
                if arrival > end:
                    return end
                consumers.receive_arrivals(arrival)
                continue
            if due > end:
                return end
            _, _, act, instance, step = heappop(events)
            if step is None or step == instance.step:
                act(instance, due)
                if reports:
                    self.now = due
                    return due

    def is_polled(self) -> bool:
        """Return whether a consumer waits in a long poll now."""
        return bool(self._consumers.polling)

    def count_held(self, seconds: float) -> None:
        """Count these seconds of the running instances, if all messages wait for a retry."""
        retries = self._consumers.returns.retries
        if retries and retries == self.queue.left_over():
            self.counts.held_seconds += seconds * self.counts.running

    def inject(self, target: str, fault: Fault, now: float) -> None:
        """Inject a fault into an instance.

        Raises:
            SimulationError: there is no such instance, or it no longer runs.
        """
        instance = self._instances.get(target)
        if instance is None or instance.state is ConsumerState.ENDED:
            raise SimulationError(f"the instance {target} does not run")
        EFFECTS[fault.kind](self, instance, fault, now)

    def interrupt(self, instance: SimulatedInstance, now: float) -> None:
        """Interrupt a Spot instance: it gets its notice now, and ends two minutes later."""
        if instance.state is not ConsumerState.ENDED:
            self._plan_notice(instance, now)
            self._agenda.plan(now + self._times.spot_warning(), self._reclaim, instance)

    def close(self, now: float) -> None:
        """Bill the instances that still run at the end of the simulation.

        Their work is not cut off, so they are billed before their consumers end.
        """
        for instance in self._instances.values():
            if instance.state is not ConsumerState.ENDED:
                self.counts.end(instance, now, self._times.billed_at_least)
                self._consumers.end(instance, now)

    def _boot(self, instance: SimulatedInstance, now: float) -> None:
        if instance.state is not ConsumerState.ENDED:
            self.counts.begin(instance, now)
            self.reports.append(Booted(instance.id))

    def _disappear(self, instance: SimulatedInstance, _: float) -> None:
        del self._instances[instance.id]
        self.reports.append(Vanished(instance.id))

    def _reclaim(self, instance: SimulatedInstance, now: float) -> None:
        """End a Spot instance two minutes after its notice."""
        if instance.state is not ConsumerState.ENDED:
            self._end(instance, now)
            del self._instances[instance.id]
            self.reports.append(Vanished(instance.id, "a Spot interruption"))

    def _plan_notice(self, instance: SimulatedInstance, now: float) -> None:
        """Plan when the instance's script notices the termination; it checks after its start."""
        at = max(now, instance.watches_from) + self._times.notice()
        self._agenda.plan(at, self._consumers.stop, instance)

    def _end(self, instance: SimulatedInstance, now: float) -> None:
        if instance.state is not ConsumerState.ENDED:
            self._consumers.end(instance, now)
            self.counts.end(instance, now, self._times.billed_at_least)


Effect = Callable[[SimulatedInstances, SimulatedInstance, Fault, float], None]

EFFECTS: Final[Mapping[str, Effect]] = {
    SPOT.name: lambda instances, instance, _, now: instances.interrupt(instance, now),
}
"""The function that applies each kind of fault to an instance, by the kind's name."""
