"""Steering of the group: what several checks do to it, and how they set it back."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING

from tidemill.verify.fleet_now import group_now

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from tidemill.verify.bench import Bench
    from tidemill.verify.expectation import Probe

SUSPENDING = ("autoscaling:SuspendProcesses", "autoscaling:ResumeProcesses")
"""The actions that `suspended` calls, without those of `to_zero`."""

SETTING = "autoscaling:SetDesiredCapacity"
"""The action that `set_desired` calls, and `suspended` with `to_zero`."""

EXECUTING = (*SUSPENDING, SETTING, "autoscaling:ExecutePolicy")
"""The actions of a check that executes policies while processes are suspended."""


@contextmanager
def suspended(
    bench: Bench, processes: Sequence[str], restored: str, *, to_zero: bool = False
) -> Iterator[None]:
    """Suspend processes of the group, and resume them whatever happens meanwhile.

    Args:
        bench: the means of the check.
        processes: the names of the processes.
        restored: the line of progress for when they run again.
        to_zero: whether the desired capacity is set to 0 before that. Afterwards, with Launch
            resumed, the group would launch what was desired last.
    """
    group = bench.target.group
    bench.call(SUSPENDING[0], AutoScalingGroupName=group, ScalingProcesses=list(processes))
    try:
        yield
    finally:
        try:
            if to_zero:
                set_desired(bench, 0)
        finally:
            bench.call(SUSPENDING[1], AutoScalingGroupName=group, ScalingProcesses=list(processes))
        bench.say(restored)


def set_desired(bench: Bench, desired: int) -> None:
    """Set the group's desired capacity at once."""
    bench.call(
        SETTING,
        AutoScalingGroupName=bench.target.group,
        DesiredCapacity=desired,
        HonorCooldown=False,
    )


def execute(bench: Bench, probe: Probe, settle: float) -> int:
    """Execute a policy with a value and a threshold; return the desired capacity after it.

    Args:
        bench: the means of the check.
        probe: the policy, the value and the threshold.
        settle: seconds from the request until the group shows its effect.

    Raises:
        RefusedError: AWS refuses it.
    """
    bench.call(
        "autoscaling:ExecutePolicy",
        AutoScalingGroupName=bench.target.group,
        PolicyName=bench.target.fleet.policy(probe.policy).name,
        MetricValue=probe.value,
        BreachThreshold=probe.threshold,
    )
    bench.clock.sleep(settle)
    return group_now(bench).desired
