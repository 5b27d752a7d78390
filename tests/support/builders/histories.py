"""Builders of random histories of a group: hypothesis chooses the events, one after another."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from hypothesis import strategies as st

from tidemill.scaling.group.hooks import ABANDON, CONTINUE, HookResult
from tidemill.scaling.group.reconcile import reconcile
from tidemill.scaling.group.transitions import booted, expire_hooks, hook_completed, vanished

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidemill.scaling.group.memory import Step
    from tidemill.scaling.spec import Group

HistoryEvent = tuple[str, int]
"""What happens, and a number: of the instance, of the desired capacity, or of half minutes."""

EVENTS = st.lists(
    st.tuples(
        st.sampled_from(["desire", "boot", "complete", "abandon", "vanish", "wait"]),
        st.integers(0, 10),
    ),
    max_size=40,
)


def history(
    group: Group, step: Step, events: list[HistoryEvent], now: float
) -> Iterator[tuple[str, str, Step]]:
    """Yield each event's name, its instance, and all changes so far."""
    for name, number in events:
        now += 1
        memory = step.memory
        chosen = memory.instances[number % len(memory.instances)].id if memory.instances else ""
        match name:
            case "desire":
                step = replace(step, memory=replace(memory, desired=number))
            case "boot":
                step = step.then(booted(group, memory, chosen, now))
            case "complete" | "abandon":
                result = CONTINUE if name == "complete" else ABANDON
                step = step.then(hook_completed(group, memory, chosen, now, HookResult(result)))
            case "vanish":
                step = step.then(vanished(memory, chosen, "", now))
            case _:
                now += 30 * number
                step = step.then(expire_hooks(group, memory, now))
        step = step.then(reconcile(group, step.memory, now))
        yield name, chosen, step
