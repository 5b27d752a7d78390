"""Lifecycle hooks: what holds an instance, for how long, and what lets go of it.

Rules: EC2 Auto Scaling User Guide, "Amazon EC2 Auto Scaling lifecycle hooks", and API reference,
PutLifecycleHook and LifecycleHook.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from tidemill.scaling.group.memory import Hold

if TYPE_CHECKING:
    from tidemill.scaling.group.memory import Instance
    from tidemill.scaling.spec import Group, LifecycleHook

LAUNCHING = "autoscaling:EC2_INSTANCE_LAUNCHING"
TERMINATING = "autoscaling:EC2_INSTANCE_TERMINATING"
CONTINUE = "CONTINUE"
ABANDON = "ABANDON"
TIMED_OUT = "the hook timed out"

GLOBAL_TIMEOUT = 48 * 3600
GLOBAL_HEARTBEATS = 100
"""A hook holds an instance 48 hours or 100 heartbeat timeouts at most, whichever is less, however
many heartbeats come (API reference, LifecycleHook)."""


def hooks_for(group: Group, transition: str) -> tuple[LifecycleHook, ...]:
    """Return the group's hooks for a transition."""
    return tuple(hook for hook in group.hooks if hook.transition == transition)


def find_hook(group: Group, name: str) -> LifecycleHook | None:
    """Return the group's hook with this name, if it has one."""
    return next((hook for hook in group.hooks if hook.name == name), None)


def holds_of(hooks: tuple[LifecycleHook, ...], now: float) -> tuple[Hold, ...]:
    """Return what hooks hold an instance by from now on; several begin at once."""
    return tuple(
        Hold(hook.name, now + hook.heartbeat_timeout, now + global_timeout(hook)) for hook in hooks
    )


def told(hooks: tuple[LifecycleHook, ...]) -> str:
    """Return what a fact says of an instance that these hooks hold."""
    plural = "s" if len(hooks) > 1 else ""
    return f"hook{plural} {', '.join(hook.name for hook in hooks)}"


def global_timeout(hook: LifecycleHook) -> int:
    """Return the seconds for which a hook holds an instance at most."""
    return min(GLOBAL_TIMEOUT, GLOBAL_HEARTBEATS * hook.heartbeat_timeout)


def released(instance: Instance, hook: str | None, result: str) -> Instance:
    """Return an instance after a hook's result; None stands for all of its hooks.

    ABANDON ends all of them: the others are not waited for any more.
    """
    if hook is None or result == ABANDON:
        return replace(instance, holds=())
    return replace(instance, holds=tuple(hold for hold in instance.holds if hold.hook != hook))


def prolonged(instance: Instance, hook: LifecycleHook, now: float) -> Instance:
    """Return an instance that a hook holds for its heartbeat timeout again, from now on."""
    return replace(
        instance,
        holds=tuple(
            replace(hold, until=min(now + hook.heartbeat_timeout, hold.limit))
            if hold.hook == hook.name
            else hold
            for hold in instance.holds
        ),
    )
