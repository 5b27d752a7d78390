"""Check of the warm-up: no policy scales in while an instance is pending or warms up."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from tidemill.scaling.group.lifecycle import LifecycleState
from tidemill.scaling.group.memory import ALARM_NOTIFICATION, GroupMemory, Instance
from tidemill.scaling.requests.commands import ExecutePolicy
from tidemill.scaling.requests.execute_policy import requested_outcome
from tidemill.verify.acting.message import FINE_PAUSE
from tidemill.verify.acting.steering import EXECUTING, execute, set_desired, suspended
from tidemill.verify.bench import SkippedError, why_missing
from tidemill.verify.check import Check, Level, Observation, Use
from tidemill.verify.expectation import NOW, probes
from tidemill.verify.finding import compared
from tidemill.verify.fleet_now import CALLS, group_now, require_idle

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from tidemill.scaling.spec import Fleet
    from tidemill.verify.bench import Bench
    from tidemill.verify.expectation import Probe
    from tidemill.verify.finding import Row
    from tidemill.verify.target import Target

LAUNCH_SECONDS = 300.0
SETTLE = 2.0
PENDING, WARMING, WARM = "pending", "in service, within the warm-up", "after the warm-up"


def _scale_in(fleet: Fleet) -> Probe | None:
    """Return a probe that sets the group to 0, None if no policy of the fleet does."""
    return next((one for one in probes(fleet) if one.control and one.expected == 0), None)


def _expected(fleet: Fleet, probe: Probe) -> dict[str, int]:
    """Return the desired capacity after the probe in each phase of the only instance."""
    warmup = fleet.group.default_warmup or 0
    phases = {
        PENDING: Instance("i-1", LifecycleState.PENDING, NOW),
        WARMING: Instance("i-1", LifecycleState.IN_SERVICE, NOW, NOW),
        WARM: Instance("i-1", LifecycleState.IN_SERVICE, NOW, NOW - warmup - 1),
    }
    policy = fleet.policy(probe.policy)
    command = ExecutePolicy(policy.name, probe.value, probe.threshold)
    found = {}
    for phase, instance in phases.items():
        memory = GroupMemory(desired=1, instances=(instance,))
        outcome = requested_outcome(fleet, memory, policy, command, NOW)
        found[phase] = 1 if outcome.desired is None else outcome.desired
    return found


def _observe(bench: Bench) -> None:
    fleet = bench.target.fleet
    probe = _scale_in(fleet)
    if probe is None:
        raise SkippedError("no policy of the fleet sets it to 0 by a value of its own")
    require_idle(bench)
    restored = "desired capacity 0 again, and alarms scale the group"
    with suspended(bench, [ALARM_NOTIFICATION], restored, to_zero=True):
        set_desired(bench, 1)
        for phase, state, wait in (
            (PENDING, "Pending", 0.0),
            (WARMING, "InService", 0.0),
            (WARM, "InService", float(fleet.group.default_warmup or 0) + SETTLE),
        ):
            reached = partial(_is, bench, state)
            if not bench.wait(f"the instance is {phase}", LAUNCH_SECONDS, reached, FINE_PAUSE):
                return
            bench.clock.sleep(wait)
            bench.note(phase, execute(bench, probe, SETTLE))
            if bench.seen[phase] != 1:
                return  # the instance goes, so there is no later phase


def _is(bench: Bench, state: str) -> bool:
    return state in group_now(bench).instances.values()


def _judge(target: Target, seen: Mapping[str, Any]) -> Iterator[Row]:
    probe = _scale_in(target.fleet)
    if probe is None:
        yield compared("desired capacity after a scale-in", 0, None, why_missing(seen))
        return
    for phase, desired in _expected(target.fleet, probe).items():
        what = f"desired capacity after {probe.policy} asks for 0, with 1 instance {phase}"
        yield compared(what, desired, seen.get(phase), why_missing(seen))


WARM_UP = Check(
    name="warm-up",
    question="Does a policy wait until an instance has warmed up before it scales in?",
    observation=Observation(
        name="warm-up",
        does="suspends AlarmNotification, launches one instance, and executes the policy that sets "
        "the group to 0 while the instance is pending, warms up, and has warmed up; resumes",
        level=Level.ACT,
        calls=(*CALLS, *EXECUTING),
        use=lambda target: Use(
            seconds=60.0 + (target.fleet.group.default_warmup or 0),
            instance_seconds=240.0 + (target.fleet.group.default_warmup or 0),
            requests=30,
        ),
        observe=_observe,
    ),
    judge=_judge,
    remedy="If AWS scales in earlier, a slow boot may be terminated before it has worked: raise "
    "HoldSeconds above the time of a boot.",
)
