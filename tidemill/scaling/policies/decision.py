"""What the policies of ringing alarms decide together about the desired capacity."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from tidemill.scaling.facts import DesiredChanged, PolicyHeld, stamp
from tidemill.scaling.group.capacity import see_capacity
from tidemill.scaling.group.memory import ALARM_NOTIFICATION
from tidemill.scaling.policies.simple import begin_cooldown, simply_scaled, why_wait
from tidemill.scaling.policies.step import Outcome, find_step, new_desired
from tidemill.scaling.policies.tracking import tracked_in, tracked_out
from tidemill.scaling.spec import SimpleScalingPolicy, TargetTrackingPolicy

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from tidemill.scaling.alarms.watching import Ringing
    from tidemill.scaling.facts import Fact
    from tidemill.scaling.group.capacity import Capacity
    from tidemill.scaling.group.memory import GroupMemory
    from tidemill.scaling.spec import Fleet, Policy, StepScalingPolicy


@dataclass(frozen=True, slots=True)
class Decision:
    """The group with its new desired capacity, why policies did nothing, and the news of both."""

    group: GroupMemory
    held: Mapping[str, str]
    facts: tuple[Fact, ...] = ()


def decide(
    fleet: Fleet,
    group: GroupMemory,
    held_before: Mapping[str, str],
    ringing: Sequence[Ringing],
    now: float,
) -> Decision:
    """Run the policies of the ringing alarms; of several the largest capacity wins.

    The largest wins for scale-out and for scale-in ("Dynamic scaling for Amazon EC2 Auto
    Scaling"), so one policy that is content with what is there keeps it there. None is run while
    AlarmNotification is suspended.
    """
    if not ringing or ALARM_NOTIFICATION in group.suspended:
        return Decision(group, held_before)
    changes: list[DesiredChanged] = []
    simple: dict[str, SimpleScalingPolicy] = {}
    held: dict[str, PolicyHeld] = {}
    stays = False
    for rung in ringing:
        for action in rung.alarm.actions_in(rung.state):
            policy = fleet.policy(action)
            outcome = _run(fleet, group, rung, policy, now)
            if isinstance(policy, SimpleScalingPolicy):
                simple[action] = policy
            if outcome.stays:
                stays = True
            elif outcome.desired is None:
                held[action] = PolicyHeld(now, rung.alarm.logical_id, action, outcome.held)
            else:
                changes.append(_change(rung, action, group.desired, outcome.desired, now))
    winner = max(changes, key=lambda change: change.after, default=None)
    if winner is not None and stays and winner.after < group.desired:
        why = f"another policy asks for {group.desired}"
        held |= {one.policy: PolicyHeld(now, one.alarm, one.policy, why) for one in changes}
        winner = None
    news = tuple(fact for action, fact in held.items() if held_before.get(action) != fact.why)
    reasons = {action: fact.why for action, fact in held.items()}
    if winner is None:
        return Decision(group, reasons, news)
    cause = (
        f"At {stamp(now)} a monitor alarm {winner.alarm} in state {winner.state} triggered policy "
        f"{winner.policy} changing the desired capacity from {winner.before} to {winner.after}."
    )
    changed = replace(group, desired=winner.after, cause=cause)
    if winner.policy in simple:
        cooldown = begin_cooldown(fleet.group, simple[winner.policy], now)
        changed = replace(changed, cooldown=cooldown)
    return Decision(changed, reasons, (*news, winner))


def warmup(fleet: Fleet, policy: StepScalingPolicy | TargetTrackingPolicy) -> int:
    """Return the warm-up: the policy's, else the group's default, else the default cooldown."""
    if policy.warmup is not None:
        return policy.warmup
    if fleet.group.default_warmup is not None:
        return fleet.group.default_warmup
    return fleet.group.default_cooldown


def _run(fleet: Fleet, group: GroupMemory, rung: Ringing, policy: Policy, now: float) -> Outcome:
    if rung.held:
        return Outcome(None, rung.held)
    low, high = group.limits(fleet.group)
    if isinstance(policy, SimpleScalingPolicy):
        why = why_wait(group, now)
        if why:
            return Outcome(None, why)
        return simply_scaled(policy, see_capacity(group, 0, now), low, high)
    capacity = see_capacity(group, warmup(fleet, policy), now)
    if isinstance(policy, TargetTrackingPolicy):
        if rung.value is None:
            return Outcome(None, "the metric has no datapoint")
        side = tracked_out if rung.alarm.logical_id == policy.high else tracked_in
        return side(policy, rung.value, capacity, low, high)
    return _step(policy, rung, capacity, low, high)


def _step(
    policy: StepScalingPolicy, rung: Ringing, capacity: Capacity, low: int, high: int
) -> Outcome:
    alarm = rung.alarm
    step = None
    if rung.value is not None:
        step = find_step(policy.steps, alarm.comparison, alarm.threshold, rung.value)
    if step is None:
        return Outcome(None, "the alarm's value is in no step")
    return new_desired(policy, step, capacity, low, high)


def _change(rung: Ringing, policy: str, before: int, after: int, now: float) -> DesiredChanged:
    alarm = rung.alarm
    return DesiredChanged(
        at=now,
        alarm=alarm.logical_id,
        policy=policy,
        label=next((query.label for query in alarm.queries if query.id == alarm.returned), ""),
        value=rung.value or 0.0,
        inputs=rung.inputs,
        before=before,
        after=after,
        state=rung.state,
    )
