"""Commands of a user to the group, as data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SetDesiredCapacity:
    """Set the desired capacity; with `honor_cooldown`, not during the cooldown."""

    desired: int
    honor_cooldown: bool = False


@dataclass(frozen=True, slots=True)
class UpdateGroup:
    """Change the group's limits and its desired capacity; None leaves a number as it is."""

    min_size: int | None = None
    max_size: int | None = None
    desired: int | None = None


@dataclass(frozen=True, slots=True)
class DeleteGroup:
    """Delete the group, which may have no instances any more."""


@dataclass(frozen=True, slots=True)
class ExecutePolicy:
    """Run a policy, by its name; a step policy as if an alarm had this value and threshold.

    `honor_cooldown` is for simple scaling: the request is refused during the cooldown.
    """

    policy: str
    metric_value: float | None = None
    breach_threshold: float | None = None
    honor_cooldown: bool = False


@dataclass(frozen=True, slots=True)
class SetInstanceProtection:
    """Protect instances from scale-in, or end their protection."""

    instances: tuple[str, ...]
    protected: bool


@dataclass(frozen=True, slots=True)
class SetInstanceHealth:
    """Mark an instance as unhealthy, so that it is replaced, or as healthy.

    With `respect_grace` an unhealthy instance in its health check grace period is not marked.
    """

    instance: str
    unhealthy: bool
    respect_grace: bool = True


@dataclass(frozen=True, slots=True)
class CompleteLifecycleAction:
    """Complete a hook that holds an instance, with CONTINUE or ABANDON."""

    hook: str
    instance: str
    result: str


@dataclass(frozen=True, slots=True)
class RecordLifecycleActionHeartbeat:
    """Restart the heartbeat timeout of a hook that holds an instance."""

    hook: str
    instance: str


@dataclass(frozen=True, slots=True)
class TerminateInstance:
    """Terminate an instance; decrement the desired capacity, or replace the instance."""

    instance: str
    should_decrement: bool


@dataclass(frozen=True, slots=True)
class TerminateInstances:
    """Terminate several instances as TerminateInstance does; all of them, or none."""

    instances: tuple[str, ...]
    should_decrement: bool


@dataclass(frozen=True, slots=True)
class EnterStandby:
    """Put instances on standby; decrement the desired capacity, or replace them."""

    instances: tuple[str, ...]
    should_decrement: bool


@dataclass(frozen=True, slots=True)
class ExitStandby:
    """Return instances from standby to service, and increment the desired capacity."""

    instances: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DetachInstances:
    """Detach instances, which keep running; decrement the desired capacity, or replace them."""

    instances: tuple[str, ...]
    should_decrement: bool


@dataclass(frozen=True, slots=True)
class SuspendProcesses:
    """Suspend processes of the group by name; with none named, all of them."""

    processes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ResumeProcesses:
    """Resume processes of the group by name; with none named, all of them."""

    processes: tuple[str, ...] = ()


Command = (
    SetDesiredCapacity
    | UpdateGroup
    | DeleteGroup
    | ExecutePolicy
    | SetInstanceProtection
    | SetInstanceHealth
    | CompleteLifecycleAction
    | RecordLifecycleActionHeartbeat
    | TerminateInstance
    | TerminateInstances
    | EnterStandby
    | ExitStandby
    | DetachInstances
    | SuspendProcesses
    | ResumeProcesses
)
