"""Lifecycle of an instance as a table: state, event, next state.

Source: EC2 Auto Scaling User Guide, "Amazon EC2 Auto Scaling instance lifecycle", "Lifecycle state
transitions for instances in a warm pool" and "Manage retained instances". The table leaves out
states that would last no time here: Pending:Proceed, Terminating, Warmed:Pending:Proceed,
Warmed:Terminating, and the Terminating:Proceed before Terminating:Retained.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class LifecycleState(StrEnum):
    """States of an instance, as DescribeAutoScalingInstances names them."""

    PENDING = "Pending"
    PENDING_WAIT = "Pending:Wait"
    IN_SERVICE = "InService"
    STANDBY = "Standby"
    DETACHED = "Detached"
    TERMINATING_WAIT = "Terminating:Wait"
    TERMINATING_PROCEED = "Terminating:Proceed"
    TERMINATING_RETAINED = "Terminating:Retained"
    TERMINATED = "Terminated"
    WARMED_PENDING = "Warmed:Pending"
    WARMED_PENDING_WAIT = "Warmed:Pending:Wait"
    WARMED_STOPPED = "Warmed:Stopped"
    WARMED_RUNNING = "Warmed:Running"
    WARMED_HIBERNATED = "Warmed:Hibernated"
    WARMED_TERMINATING_WAIT = "Warmed:Terminating:Wait"
    WARMED_TERMINATING_PROCEED = "Warmed:Terminating:Proceed"
    WARMED_TERMINATING_RETAINED = "Warmed:Terminating:Retained"


class Event(StrEnum):
    """An event that moves an instance to its next state; the texts are labels of a diagram."""

    BOOTS = "it has booted"
    BOOTS_HELD = "it has booted, and a launch hook holds it"
    READY = "the launch hooks have continued"
    STOPS = "it is prepared, and is stopped"
    STAYS_UP = "it is prepared, and keeps running"
    HIBERNATES = "it is prepared, and is hibernated"
    NEEDED = "the group needs it"
    ENTERS_STANDBY = "it enters standby"
    EXITS_STANDBY = "it exits standby"
    DETACHES = "it is detached from the group"
    TERMINATES = "it is terminated"
    TERMINATES_HELD = "it is terminated, and a termination hook holds it"
    RELEASED = "the termination hooks are complete"
    ABANDONED = "a launch hook has abandoned it"
    RETAINED = "a termination hook has abandoned it, and the group retains it"
    ENDS = "it has ended"
    VANISHES = "it no longer exists"


@dataclass(frozen=True, slots=True)
class Transition:
    """One line of the table."""

    before: LifecycleState
    event: Event
    after: LifecycleState


_S, _E = LifecycleState, Event

PENDING_STATES = frozenset({_S.PENDING, _S.PENDING_WAIT})
WANTED = PENDING_STATES | {_S.IN_SERVICE}
"""The states whose instances count towards the desired capacity."""
TERMINATING_STATES = frozenset(
    {
        _S.TERMINATING_WAIT,
        _S.TERMINATING_PROCEED,
        _S.WARMED_TERMINATING_WAIT,
        _S.WARMED_TERMINATING_PROCEED,
    }
)
RETAINED = frozenset({_S.TERMINATING_RETAINED, _S.WARMED_TERMINATING_RETAINED})
"""The states of instances that wait for a user to terminate them: no capacity, but billed."""
PREPARING = frozenset({_S.WARMED_PENDING, _S.WARMED_PENDING_WAIT})
PREPARED = frozenset({_S.WARMED_STOPPED, _S.WARMED_RUNNING, _S.WARMED_HIBERNATED})
WARM = PREPARING | PREPARED
"""The states whose instances make up the warm pool."""
POOLED = WARM | {
    _S.WARMED_TERMINATING_WAIT,
    _S.WARMED_TERMINATING_PROCEED,
    _S.WARMED_TERMINATING_RETAINED,
}
"""The states of the warm pool's instances, including those that are leaving it for good."""

_PREPARES = {
    _E.STOPS: _S.WARMED_STOPPED,
    _E.STAYS_UP: _S.WARMED_RUNNING,
    _E.HIBERNATES: _S.WARMED_HIBERNATED,
}

TRANSITIONS: tuple[Transition, ...] = (
    Transition(_S.PENDING, _E.BOOTS, _S.IN_SERVICE),
    Transition(_S.PENDING, _E.BOOTS_HELD, _S.PENDING_WAIT),
    Transition(_S.PENDING_WAIT, _E.READY, _S.IN_SERVICE),
    Transition(_S.PENDING_WAIT, _E.ABANDONED, _S.TERMINATING_PROCEED),
    Transition(_S.IN_SERVICE, _E.ENTERS_STANDBY, _S.STANDBY),
    Transition(_S.STANDBY, _E.EXITS_STANDBY, _S.IN_SERVICE),
    Transition(_S.IN_SERVICE, _E.DETACHES, _S.DETACHED),
    Transition(_S.STANDBY, _E.DETACHES, _S.DETACHED),
    *(
        Transition(state, _E.TERMINATES, _S.TERMINATING_PROCEED)
        for state in sorted(WANTED | {_S.STANDBY})
    ),
    *(
        Transition(state, _E.TERMINATES_HELD, _S.TERMINATING_WAIT)
        for state in sorted(WANTED | {_S.STANDBY})
    ),
    Transition(_S.TERMINATING_WAIT, _E.RELEASED, _S.TERMINATING_PROCEED),
    Transition(_S.TERMINATING_PROCEED, _E.ENDS, _S.TERMINATED),
    Transition(_S.TERMINATING_WAIT, _E.RETAINED, _S.TERMINATING_RETAINED),
    Transition(_S.TERMINATING_RETAINED, _E.TERMINATES, _S.TERMINATING_PROCEED),
    Transition(_S.TERMINATING_RETAINED, _E.DETACHES, _S.DETACHED),
    Transition(_S.WARMED_PENDING, _E.BOOTS_HELD, _S.WARMED_PENDING_WAIT),
    *(Transition(_S.WARMED_PENDING, event, state) for event, state in _PREPARES.items()),
    *(Transition(_S.WARMED_PENDING_WAIT, event, state) for event, state in _PREPARES.items()),
    Transition(_S.WARMED_PENDING_WAIT, _E.ABANDONED, _S.WARMED_TERMINATING_PROCEED),
    *(Transition(state, _E.NEEDED, _S.PENDING) for state in sorted(PREPARED)),
    *(Transition(state, _E.TERMINATES, _S.WARMED_TERMINATING_PROCEED) for state in sorted(WARM)),
    *(Transition(state, _E.TERMINATES_HELD, _S.WARMED_TERMINATING_WAIT) for state in sorted(WARM)),
    Transition(_S.WARMED_TERMINATING_WAIT, _E.RELEASED, _S.WARMED_TERMINATING_PROCEED),
    Transition(_S.WARMED_TERMINATING_PROCEED, _E.ENDS, _S.TERMINATED),
    Transition(_S.WARMED_TERMINATING_WAIT, _E.RETAINED, _S.WARMED_TERMINATING_RETAINED),
    Transition(_S.WARMED_TERMINATING_RETAINED, _E.TERMINATES, _S.WARMED_TERMINATING_PROCEED),
    Transition(_S.WARMED_TERMINATING_RETAINED, _E.DETACHES, _S.DETACHED),
    *(
        Transition(state, _E.VANISHES, _S.TERMINATED)
        for state in sorted(
            WANTED | WARM | RETAINED | {_S.TERMINATING_WAIT, _S.WARMED_TERMINATING_WAIT}
        )
    ),
)
"""All transitions; a new instance is Pending, or Warmed:Pending in a warm pool."""

_AFTER = {(line.before, line.event): line.after for line in TRANSITIONS}


def after(state: LifecycleState, event: Event) -> LifecycleState:
    """Return the state of an instance after an event.

    Raises:
        KeyError: the table has no such transition.
    """
    return _AFTER[state, event]


def target_state(state: LifecycleState, prepared: LifecycleState) -> str:
    """Return the steady state that an instance in this state is moving to, as it reads it itself.

    Source: EC2 Auto Scaling User Guide, "Retrieve the target lifecycle state through instance
    metadata". Example: for Terminating:Wait it is Terminated, for Warmed:Pending Warmed:Stopped.

    Args:
        state: the instance's state.
        prepared: the state of prepared instances in the group's warm pool.
    """
    if state in WANTED:
        return LifecycleState.IN_SERVICE.value
    if state in PREPARING:
        return prepared.value
    if state in PREPARED or state in {LifecycleState.STANDBY, LifecycleState.DETACHED}:
        return state.value
    return "Warmed:Terminated" if state in POOLED else LifecycleState.TERMINATED.value


def diagram() -> str:
    """Return the table as a Mermaid state diagram, for documentation.

    Lines with the same states on both sides share one arrow.
    """
    arrows: dict[tuple[LifecycleState, LifecycleState], list[str]] = {}
    for line in TRANSITIONS:
        arrows.setdefault((line.before, line.after), []).append(line.event.value)
    names = {state: f"s{number}" for number, state in enumerate(LifecycleState)}
    return "\n".join(
        (
            "stateDiagram-v2",
            *(f'    state "{state}" as {name}' for state, name in names.items()),
            *(f"    [*] --> {names[state]}" for state in (_S.PENDING, _S.WARMED_PENDING)),
            *(
                f"    {names[before]} --> {names[last]}: {', or '.join(events)}"
                for (before, last), events in arrows.items()
            ),
            *(f"    {names[state]} --> [*]" for state in (_S.TERMINATED, _S.DETACHED)),
            "",
        )
    )
