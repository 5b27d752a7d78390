"""Candidate: a fleet and its workers, the input of a simulation."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from tidemill.simulator.worker_settings import WorkerSettings, read_worker_settings

if TYPE_CHECKING:
    from tidemill.scaling.spec import Fleet


@dataclass(frozen=True, slots=True)
class Candidate:
    """A fleet and its workers that are simulated and compared with others.

    Attributes:
        name: its name in tables, such as "template" or "target tracking".
        fleet: the queue, the group, its alarms and its policies.
        worker: the settings of the consumer on each instance.
        worker_metrics: the custom metrics that each instance publishes for its policy's sake, once
            a minute.
    """

    name: str
    fleet: Fleet
    worker: WorkerSettings
    worker_metrics: int = 0

    @staticmethod
    def of_template(fleet: Fleet, name: str = "template") -> Candidate:
        """Return a template's fleet with the workers that its launch template starts.

        Raises:
            SimulationError: a setting of the workers is not a number.
            UserDataError: the options of `docker run` in the user data cannot be read.
        """
        return Candidate(name, fleet, read_worker_settings(fleet.user_data, fleet.instance_types))
