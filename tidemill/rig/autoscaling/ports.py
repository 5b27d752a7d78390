"""Port to the group that the API serves, and the path for faults."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from tidemill.scaling.faults import Fault
    from tidemill.scaling.group.memory import GroupMemory
    from tidemill.scaling.requests.activities import Activity
    from tidemill.scaling.requests.apply import Applied
    from tidemill.scaling.requests.commands import Command
    from tidemill.scaling.spec import Fleet

FAULTS = "/_tidemill/faults"
"""Path in addition to AWS's API: a POST injects the fault that its query describes (in the form of
tidemill.scaling.faults.write_fault). On AWS, Fault Injection Service injects faults."""


@dataclass(frozen=True, slots=True)
class GroupView:
    """The group at one moment, with its activities from the newest to the oldest.

    `created_at` is when the group was created, in epoch seconds.
    """

    fleet: Fleet
    memory: GroupMemory
    activities: tuple[Activity, ...]
    created_at: float


class ServedGroup(Protocol):
    """A group that the API serves; its methods are called from several threads at once."""

    def view(self) -> GroupView:
        """Return the group as it is now."""
        ...

    def request(self, command: Command) -> Applied:
        """Apply a user's request, and return the result.

        Raises:
            RequestError: the request is refused.
        """
        ...

    def inject(self, fault: Fault) -> str:
        """Inject a fault; return the id of its target.

        Raises:
            RigError: there is no such target, or this rig cannot imitate the fault.
        """
        ...
