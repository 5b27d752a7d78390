"""What the API needs from whoever has the group."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from tidemill.scaling.group.memory import GroupMemory
    from tidemill.scaling.requests.activities import Activity
    from tidemill.scaling.requests.apply import Applied
    from tidemill.scaling.requests.commands import Command
    from tidemill.scaling.spec import Fleet


INTERRUPT = "/_tidemill/interrupt"
"""Beside AWS's API: a POST gives the Spot instance `?instance=` its notice, or any in service. On
AWS, Fault Injection Service does that."""


@dataclass(frozen=True, slots=True)
class View:
    """The group at a moment; activities are the newest first, times are epoch seconds."""

    fleet: Fleet
    memory: GroupMemory
    activities: tuple[Activity, ...]
    created_at: float


class Group(Protocol):
    """Has the group; called from several threads at once."""

    def view(self) -> View:
        """Return the group as it is now."""
        ...

    def request(self, command: Command) -> Applied:
        """Do what a user asks, and return what came of it.

        Raises:
            RequestError: the request is refused.
        """
        ...

    def interrupt(self, instance: str | None) -> str:
        """Give a Spot instance its notice, by default the oldest in service; return which.

        Raises:
            RigError: there is no such instance, or none in service.
        """
        ...
