"""The instances of an Auto Scaling group, what the group remembers, and what changes of it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from tidemill.scaling.group.lifecycle import COMING, LEAVING, WANTED, WARM, LifecycleState

if TYPE_CHECKING:
    from collections.abc import Mapping

    from tidemill.scaling.facts import Fact
    from tidemill.scaling.spec import Group


LAUNCH = "Launch"
TERMINATE = "Terminate"
ALARM_NOTIFICATION = "AlarmNotification"
SCHEDULED_ACTIONS = "ScheduledActions"
HEALTH_CHECK = "HealthCheck"
REPLACE_UNHEALTHY = "ReplaceUnhealthy"
PROCESSES = (
    LAUNCH,
    TERMINATE,
    "AddToLoadBalancer",
    ALARM_NOTIFICATION,
    "AZRebalance",
    HEALTH_CHECK,
    "InstanceRefresh",
    REPLACE_UNHEALTHY,
    SCHEDULED_ACTIONS,
)
"""What can be suspended (API reference, SuspendProcesses); those without a name of their own here
have nothing to do in a group like this one."""


@dataclass(frozen=True, slots=True)
class Hold:
    """A hook, by its name, that holds an instance until a time in epoch seconds.

    Heartbeats put `until` off to `limit` at most.
    """

    hook: str
    until: float
    limit: float = float("inf")


@dataclass(frozen=True, slots=True)
class Instance:
    """An instance of the group; times in epoch seconds.

    `holds` are the hooks that hold it in its state, all at once. `protected` is scale-in
    protection. `prepared` tells that it comes from the warm pool. `unhealthy` is why it is to be
    replaced, as a health check has found.
    `vanished` is set while the group still has an instance that the world has lost, because a
    process is suspended that would have replaced it; it is what the world said of it.
    `zone` is its Availability Zone, and `outdated` how many versions its launch template is behind
    the group's: both count in the choice of what goes first, and are the same for all instances
    unless somebody says otherwise.
    """

    id: str
    state: LifecycleState
    launched_at: float
    in_service_at: float | None = None
    holds: tuple[Hold, ...] = ()
    protected: bool = False
    prepared: bool = False
    unhealthy: str = ""
    vanished: str | None = None
    zone: str = ""
    outdated: int = 0

    @property
    def hook_until(self) -> float | None:
        """Return when the first of its hooks times out, None where none holds it."""
        return min((hold.until for hold in self.holds), default=None)


@dataclass(frozen=True, slots=True)
class Cooldown:
    """The cooldown of a simple scaling, in seconds from `since`.

    While it is `open`, each instance that has launched or terminated begins it anew: it runs from
    when the last one has finished ("Scaling cooldowns for Amazon EC2 Auto Scaling").
    """

    seconds: int
    since: float
    open: bool = True

    @property
    def until(self) -> float:
        """Return when it is over, as far as is known yet."""
        return self.since + self.seconds


@dataclass(frozen=True, slots=True)
class GroupMemory:
    """The group's own memory: `launched` counts launches ever, `cause` tells the last change.

    `min_size` and `max_size` are what a scheduled action has set, None where the group's own hold.

    `suspended` has each suspended process with the moment of its suspension in epoch seconds.
    `stuck` tells that a scale-in finds only protected instances, so that it is told once.
    """

    desired: int
    instances: tuple[Instance, ...] = ()
    launched: int = 0
    cause: str = ""
    suspended: Mapping[str, float] = field(default_factory=dict)
    stuck: bool = False
    min_size: int | None = None
    max_size: int | None = None
    cooldown: Cooldown | None = None

    def find(self, instance_id: str) -> Instance | None:
        """Return the instance with this id, if the group still has it."""
        return next((item for item in self.instances if item.id == instance_id), None)

    def wanted(self) -> tuple[Instance, ...]:
        """Return the instances that count towards the desired capacity."""
        return tuple(item for item in self.instances if item.state in WANTED)

    def limits(self, group: Group) -> tuple[int, int]:
        """Return the least and the most instances that the group may want."""
        return (
            group.min_size if self.min_size is None else self.min_size,
            group.max_size if self.max_size is None else self.max_size,
        )

    def in_progress(self) -> bool:
        """Tell whether an instance is being launched or terminated."""
        return any(item.state in COMING or item.state in LEAVING for item in self.instances)

    def serving(self) -> tuple[Instance, ...]:
        """Return the instances in service."""
        return tuple(item for item in self.instances if item.state is LifecycleState.IN_SERVICE)

    def warm(self) -> tuple[Instance, ...]:
        """Return the instances of the warm pool, those on their way there included."""
        return tuple(item for item in self.instances if item.state in WARM)

    def expendable(self) -> tuple[Instance, ...]:
        """Return the instances that a scale-in may choose from."""
        return tuple(item for item in self.wanted() if not item.protected)


@dataclass(frozen=True, slots=True)
class Step:
    """A change of the group: its new memory, what the world has to do, and the facts.

    `launch` starts instances, those that wait stopped in a warm pool for a second time; `stop`
    stops or hibernates instances for the warm pool; `drain` tells instances that they have to go
    (a hook holds them), `terminate` ends them.
    """

    memory: GroupMemory
    facts: tuple[Fact, ...] = ()
    launch: tuple[str, ...] = ()
    drain: tuple[str, ...] = ()
    terminate: tuple[str, ...] = ()
    stop: tuple[str, ...] = ()

    def then(self, other: Step) -> Step:
        """Return both changes as one, the other after this."""
        return Step(
            other.memory,
            self.facts + other.facts,
            self.launch + other.launch,
            self.drain + other.drain,
            self.terminate + other.terminate,
            self.stop + other.stop,
        )
