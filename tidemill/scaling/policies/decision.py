"""Decision: one new desired capacity from all policies whose alarms have due actions.

Source: EC2 Auto Scaling User Guide, "Dynamic scaling for Amazon EC2 Auto Scaling".
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tidemill.scaling.facts import DesiredChanged, PolicyHeld, stamp
from tidemill.scaling.group.memory import ALARM_NOTIFICATION
from tidemill.scaling.policies.dispatch import (
    Trigger,
    after_scaling,
    run_policy,
    why_policy_waits,
)
from tidemill.scaling.policies.outcome import Outcome

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tidemill.scaling.alarms.watching import DueAlarm
    from tidemill.scaling.facts import Fact
    from tidemill.scaling.group.memory import GroupMemory
    from tidemill.scaling.spec import Fleet, Policy


@dataclass(frozen=True, slots=True)
class Decision:
    """The group with its new desired capacity, and the facts of the change.

    `held` has, by logical id, the reason why a triggered policy changed nothing.
    """

    group: GroupMemory
    held: Mapping[str, str]
    facts: tuple[Fact, ...] = ()


def decide(
    fleet: Fleet,
    group: GroupMemory,
    held_before: Mapping[str, str],
    due: Sequence[DueAlarm],
    now: float,
) -> Decision:
    """Run the policies of the alarms whose actions are due, and choose the largest capacity.

    The largest capacity is chosen for scale-out and for scale-in, so a policy that asks for the
    present capacity prevents scale-in. Example: the group has 4 instances, one policy asks for 2
    and another for 5: the desired capacity becomes 5. No policy runs while AlarmNotification is
    suspended.

    Args:
        fleet: the fleet of the template.
        group: the group as it is now.
        held_before: `held` of the previous decision; an unchanged reason is not recorded again.
        due: the alarms, each with its state and value.
        now: epoch seconds.
    """
    if not due or ALARM_NOTIFICATION in group.suspended:
        return Decision(group, held_before)
    changes: list[DesiredChanged] = []
    held: dict[str, PolicyHeld] = {}
    stays = False
    for one in due:
        for policy in one.alarm.policies_in(one.state):
            outcome = _outcome(fleet, group, one, fleet.policy(policy), now)
            if outcome.stays:
                stays = True
            elif outcome.desired is None:
                held[policy] = PolicyHeld(now, one.alarm.logical_id, policy, outcome.held)
            else:
                changes.append(_change(one, policy, group.desired, outcome.desired, now))
    winner = max(changes, key=lambda change: change.after, default=None)
    if winner is not None and stays and winner.after < group.desired:
        why = f"another policy asks for {group.desired}"
        held |= {one.policy: PolicyHeld(now, one.alarm, one.policy, why) for one in changes}
        winner = None
    new = tuple(fact for policy, fact in held.items() if held_before.get(policy) != fact.why)
    reasons = {policy: fact.why for policy, fact in held.items()}
    if winner is None:
        return Decision(group, reasons, new)
    chosen = fleet.policy(winner.policy)
    alarm = next(one.alarm for one in due if one.alarm.logical_id == winner.alarm)
    cause = (
        f"At {stamp(now)} a monitor alarm {alarm.name} in state {winner.state} triggered policy "
        f"{chosen.name} changing the desired capacity from {winner.before} to {winner.after}."
    )
    changed = replace(group, desired=winner.after, cause=cause)
    changed = after_scaling(changed, chosen, now)
    return Decision(changed, reasons, (*new, winner))


def _outcome(
    fleet: Fleet, group: GroupMemory, due: DueAlarm, policy: Policy, now: float
) -> Outcome:
    why = due.held or why_policy_waits(fleet, policy, group, now)
    if why:
        return Outcome(None, why)
    return run_policy(fleet, group, policy, Trigger.of_alarm(due.alarm, due.value), now)


def _change(due: DueAlarm, policy: str, before: int, after: int, now: float) -> DesiredChanged:
    alarm = due.alarm
    return DesiredChanged(
        at=now,
        alarm=alarm.logical_id,
        policy=policy,
        label=next((query.label for query in alarm.queries if query.id == alarm.returned), ""),
        value=due.value or 0.0,
        inputs=due.inputs,
        before=before,
        after=after,
        state=due.state,
    )
