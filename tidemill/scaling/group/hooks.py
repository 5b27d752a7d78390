"""Lifecycle hooks: the hooks that hold an instance, their timeouts and their results.

Rules: EC2 Auto Scaling User Guide, "Amazon EC2 Auto Scaling lifecycle hooks", and API reference,
PutLifecycleHook and LifecycleHook.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
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
"""A hook holds an instance for at most 48 hours or 100 heartbeat timeouts, whichever is less,
regardless of heartbeats (API reference, LifecycleHook)."""


@dataclass(frozen=True, slots=True)
class HookResult:
    """Result that ends the wait of an instance: CONTINUE or ABANDON.

    `hook` is the name of the hook, None for all hooks that hold the instance. `detail` becomes the
    detail of the fact about the instance.
    """

    result: str = CONTINUE
    hook: str | None = None
    detail: str = ""


def hooks_for(group: Group, transition: str) -> tuple[LifecycleHook, ...]:
    """Return the group's hooks for a transition."""
    return tuple(hook for hook in group.hooks if hook.transition == transition)


def find_hook(group: Group, name: str) -> LifecycleHook | None:
    """Return the group's hook with this name, if it has one."""
    return next((hook for hook in group.hooks if hook.name == name), None)


def holds_of(hooks: tuple[LifecycleHook, ...], now: float) -> tuple[Hold, ...]:
    """Return the holds that start now, one for each hook; they run at the same time."""
    return tuple(
        Hold(hook.name, now + hook.heartbeat_timeout, now + global_timeout(hook)) for hook in hooks
    )


def hold_detail(hooks: tuple[LifecycleHook, ...]) -> str:
    """Return these hooks as the detail of a fact, such as "hook drain"."""
    plural = "s" if len(hooks) > 1 else ""
    return f"hook{plural} {', '.join(hook.name for hook in hooks)}"


def global_timeout(hook: LifecycleHook) -> int:
    """Return the most seconds for which a hook holds an instance."""
    return min(GLOBAL_TIMEOUT, GLOBAL_HEARTBEATS * hook.heartbeat_timeout)


def released(instance: Instance, result: HookResult) -> Instance:
    """Return the instance without the hold that this result ends; None ends all holds.

    ABANDON ends all of them: the group does not wait for the other hooks.
    """
    if result.hook is None or result.result == ABANDON:
        return replace(instance, holds=())
    return replace(
        instance, holds=tuple(hold for hold in instance.holds if hold.hook != result.hook)
    )


def extended(instance: Instance, hook: LifecycleHook, now: float) -> Instance:
    """Return the instance after a heartbeat: the hook's timeout starts again, from now on."""
    return replace(
        instance,
        holds=tuple(
            replace(hold, until=min(now + hook.heartbeat_timeout, hold.limit))
            if hold.hook == hook.name
            else hold
            for hold in instance.holds
        ),
    )
