"""What a user can ask of the group, as data."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class SetDesiredCapacity:
    """Want so many instances; with `honor_cooldown`, not while a simple scaling cools down."""

    desired: int
    honor_cooldown: bool = False


@dataclass(frozen=True, slots=True)
class UpdateGroup:
    """Change the group's limits and what it wants within them; None leaves a number as it is."""

    min_size: int | None = None
    max_size: int | None = None
    desired: int | None = None


@dataclass(frozen=True, slots=True)
class ExecutePolicy:
    """Run a policy, by its name; a step policy as if an alarm had this value and threshold.

    `honor_cooldown` is for simple scaling: the request is refused while the group cools down.
    """

    policy: str
    metric_value: float | None = None
    breach_threshold: float | None = None
    honor_cooldown: bool = False


@dataclass(frozen=True, slots=True)
class SetInstanceProtection:
    """Protect instances from scale-in, or protect them no longer."""

    instances: tuple[str, ...]
    protected: bool


@dataclass(frozen=True, slots=True)
class SetInstanceHealth:
    """Mark an instance as unhealthy, so that it is replaced, or as healthy.

    With `respect_grace` an unhealthy one in its health check grace period is left alone.
    """

    instance: str
    unhealthy: bool
    respect_grace: bool = True


@dataclass(frozen=True, slots=True)
class CompleteLifecycleAction:
    """Let a hook go of an instance, with CONTINUE or ABANDON."""

    hook: str
    instance: str
    result: str


@dataclass(frozen=True, slots=True)
class RecordLifecycleActionHeartbeat:
    """Let a hook hold an instance for its heartbeat timeout again."""

    hook: str
    instance: str


@dataclass(frozen=True, slots=True)
class TerminateInstance:
    """Terminate an instance, and want one fewer or replace it."""

    instance: str
    should_decrement: bool


@dataclass(frozen=True, slots=True)
class EnterStandby:
    """Put instances on standby, and want as many fewer or replace them."""

    instances: tuple[str, ...]
    should_decrement: bool


@dataclass(frozen=True, slots=True)
class ExitStandby:
    """Take instances from standby into service, and want as many more."""

    instances: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class DetachInstances:
    """Let instances go on without the group, and want as many fewer or replace them."""

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
    | ExecutePolicy
    | SetInstanceProtection
    | SetInstanceHealth
    | CompleteLifecycleAction
    | RecordLifecycleActionHeartbeat
    | TerminateInstance
    | EnterStandby
    | ExitStandby
    | DetachInstances
    | SuspendProcesses
    | ResumeProcesses
)
