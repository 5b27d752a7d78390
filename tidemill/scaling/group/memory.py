"""Memory of an Auto Scaling group: its instances and desired capacity, and changes of them."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING

from tidemill.scaling.facts import stamp
from tidemill.scaling.group.lifecycle import (
    PENDING_STATES,
    POOLED,
    TERMINATING_STATES,
    WANTED,
    WARM,
    LifecycleState,
)
from tidemill.scaling.spec import Limits

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
"""Processes that can be suspended (API reference, SuspendProcesses); those without a constant of
their own do nothing in a group like this one."""


@dataclass(frozen=True, slots=True)
class Hold:
    """A lifecycle hook, by its name, that holds an instance until a time in epoch seconds.

    Heartbeats extend `until`, up to `limit`.
    """

    hook: str
    until: float
    limit: float = float("inf")


@dataclass(frozen=True, slots=True)
class Instance:
    """An instance of the group; times in epoch seconds.

    `holds` are the hooks that hold it in its state, all at once. `protected` is scale-in
    protection. `unhealthy` is the reason why a health check wants it replaced, empty for a healthy
    one.
    `vanished` is set if the instance no longer exists and the process that would replace it is
    suspended, or the instance is on standby; its text is the detail that the world reported.
    `zone` is its Availability Zone. `outdated` is how many versions its launch template is behind
    the group's. Scale-in considers both when it chooses an instance. They are the same for all
    instances unless a test or a request sets them.
    """

    id: str
    state: LifecycleState
    launched_at: float
    in_service_at: float | None = None
    holds: tuple[Hold, ...] = ()
    protected: bool = False
    unhealthy: str = ""
    vanished: str | None = None
    zone: str = ""
    outdated: int = 0

    @property
    def hook_until(self) -> float | None:
        """Return when the first of its hooks times out, None if no hook holds it."""
        return min((hold.until for hold in self.holds), default=None)


@dataclass(frozen=True, slots=True)
class Cooldown:
    """The cooldown after a scaling activity, in seconds from `since`; None for the group's default.

    While it is `open`, each instance that finishes launching or terminating restarts it, because a
    cooldown starts when the last one has finished ("Scaling cooldowns for Amazon EC2 Auto
    Scaling").
    """

    seconds: int | None
    since: float
    open: bool = True

    def until(self, group: Group) -> float:
        """Return when it ends unless it is restarted, in epoch seconds."""
        return self.since + (group.default_cooldown if self.seconds is None else self.seconds)


@dataclass(frozen=True, slots=True)
class GroupMemory:
    """The group's state between turns.

    `launched` counts all launches so far. `cause` is Auto Scaling's sentence about the last change
    of the desired capacity, empty if no policy caused it.
    `min_size` and `max_size` are those that a scheduled action has set, None while the template's
    apply. `suspended` has the time of suspension, in epoch seconds, of each suspended process.
    `stuck` is set while only protected instances are left to scale in, so that this is reported
    once. `deleted` is set when the group was deleted, so that its owner ends the loop.
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
    deleted: bool = False

    @staticmethod
    def of_new_group(group: Group, now: float) -> GroupMemory:
        """Return the memory of a group that has been created at `now`, in epoch seconds."""
        desired = group.limits.clamp(group.desired)
        cause = (
            f"At {stamp(now)} a user request created an AutoScalingGroup changing the desired "
            f"capacity from 0 to {desired}."
        )
        return GroupMemory(desired, cause=cause if desired else "")

    def find(self, instance_id: str) -> Instance | None:
        """Return the instance with this id, None if the group does not have it."""
        return next((item for item in self.instances if item.id == instance_id), None)

    def wanted(self) -> tuple[Instance, ...]:
        """Return the instances that count towards the desired capacity."""
        return tuple(item for item in self.instances if item.state in WANTED)

    def limits(self, group: Group) -> Limits:
        """Return the least and the most instances that the group may have now."""
        return Limits(
            group.min_size if self.min_size is None else self.min_size,
            group.max_size if self.max_size is None else self.max_size,
        )

    def in_progress(self) -> bool:
        """Return whether an instance is being launched or terminated; the warm pool's do not count.

        That they do not count is assumed: a pool "sits alongside" the group, and its size changes
        with each change of the group's.
        """
        return any(
            (item.state in PENDING_STATES or item.state in TERMINATING_STATES)
            and item.state not in POOLED
            for item in self.instances
        )

    def serving(self) -> tuple[Instance, ...]:
        """Return the instances in service."""
        return tuple(item for item in self.instances if item.state is LifecycleState.IN_SERVICE)

    def oldest_in_service(self) -> Instance | None:
        """Return the instance that was launched first of those that came into service, if any.

        An instance that drains counts as well.
        """
        return next((item for item in self.instances if item.in_service_at is not None), None)

    def warm(self) -> tuple[Instance, ...]:
        """Return the instances of the warm pool, including those that are being prepared."""
        return tuple(item for item in self.instances if item.state in WARM)

    def with_instance(self, instance: Instance) -> GroupMemory:
        """Return the group with this instance in place of the one with the same id."""
        instances = tuple(instance if item.id == instance.id else item for item in self.instances)
        return replace(self, instances=instances)

    def without_instance(self, instance_id: str) -> GroupMemory:
        """Return the group without the instance with this id."""
        left = tuple(item for item in self.instances if item.id != instance_id)
        return replace(self, instances=left)

    def unattributed(self) -> GroupMemory:
        """Return the group without the cause of its last change.

        Used before an instance is replaced: the activity that launches the replacement must not
        name the policy that changed the desired capacity earlier.
        """
        return replace(self, cause="")

    def expendable(self) -> tuple[Instance, ...]:
        """Return the instances that scale-in may terminate."""
        return tuple(item for item in self.wanted() if not item.protected)


@dataclass(frozen=True, slots=True)
class Step:
    """A change of the group: its new memory, the facts, and the orders to the world.

    The orders name instances. `launch` starts new ones, and restarts those that are stopped in the
    warm pool. `stop` stops or hibernates instances for the warm pool. `drain` announces the
    termination to instances that a hook holds. `terminate` terminates instances.
    """

    memory: GroupMemory
    facts: tuple[Fact, ...] = ()
    launch: tuple[str, ...] = ()
    drain: tuple[str, ...] = ()
    terminate: tuple[str, ...] = ()
    stop: tuple[str, ...] = ()

    def then(self, other: Step) -> Step:
        """Return this change followed by the other as one change."""
        return Step(
            other.memory,
            self.facts + other.facts,
            self.launch + other.launch,
            self.drain + other.drain,
            self.terminate + other.terminate,
            self.stop + other.stop,
        )
