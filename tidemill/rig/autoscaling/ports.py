"""The group that the API serves: what the API needs of it, and the path for faults."""

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
"""Path beside AWS's API: a POST injects the fault in its query, as tidemill.scaling.faults writes
it. On AWS, Fault Injection Service does that."""


@dataclass(frozen=True, slots=True)
class GroupView:
    """The group at a moment: its activities from the newest to the oldest, times in epoch seconds.

    `created_at` is when the group was created.
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
        """Apply what a user asks for, and return the result.

        Raises:
            RequestError: the request is refused.
        """
        ...

    def inject(self, fault: Fault) -> str:
        """Let a fault happen; return the id of its target.

        Raises:
            RigError: there is no such target, or this rig cannot do it.
        """
        ...
