"""Values of the scaling alarms: none is where AWS does not publish which step it falls in.

Every scenario is simulated with every fault of metrics and alarms. A run ends only when the group
is at rest, so each of them also shows that the fleet reaches 0 after the load.
"""

from __future__ import annotations

from dataclasses import replace
from itertools import takewhile
from typing import TYPE_CHECKING

import pytest
from support.builders.simulations import bursts, the_template
from support.fakes.pacing import WatchedTurns

from tidemill.scaling.fault_kinds import KINDS, Target, WorldKind
from tidemill.scaling.faults import Fault
from tidemill.scaling.spec import StepScalingPolicy
from tidemill.simulator.instances.handling import HandlerTime
from tidemill.simulator.run import RunOptions, simulate
from tidemill.simulator.scenario import HOUR, SCENARIOS, Scenario

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidemill.simulator.candidate import Candidate

DELAYS = (1.0, 5.0, 15.0)
"""Minutes by which metrics and alarms are late."""

LOAD_SECONDS = 3 * HOUR
HANDLER = HandlerTime(4.0, 0.5)
"""With work in flight, so that both metrics of the alarms have values."""


def faults(at: float) -> Iterator[Fault]:
    """Yield every fault of metrics and alarms, for each of its targets and delays."""
    alarms = tuple(alarm.logical_id for alarm in the_template().fleet.alarms)
    for kind in KINDS.values():
        if kind.target is Target.INSTANCE or WorldKind.SIMULATOR not in kind.worlds:
            continue
        delayed = any(one.name == "late_minutes" for one in kind.parameters)
        targets = alarms if kind.target is Target.ALARM else kind.choices
        for target in (None, *targets):
            for delay in DELAYS if delayed else (None,):
                given = {} if delay is None else {"late_minutes": delay}
                yield Fault(kind.name, target, at, given)


def name_of(fault: Fault) -> str:
    """Return a name for a test."""
    delay = fault.parameters.get("late_minutes")
    return " ".join(
        [fault.kind, fault.target or "all", *([] if delay is None else [f"{delay:g} min"])]
    )


FAULTS = [pytest.param(fault, id=name_of(fault)) for fault in faults(0.0)]


def a_load(name: str, fault: Fault) -> Scenario:
    """Return the first three hours of a scenario, with a fault from the first message on."""
    scenario = SCENARIOS[name]
    end = scenario.seconds if name == "asleep" else LOAD_SECONDS
    first = 7 * HOUR if name == "asleep" else 0.0
    return replace(
        scenario,
        arrivals=lambda rng: takewhile(lambda at: at < end, scenario.arrivals(rng)),
        seconds=end,
        handler=HANDLER,
        faults=(replace(fault, at=first),),
    )


def watched(candidate: Candidate, scenario: Scenario) -> WatchedTurns:
    """Simulate a scenario with seed 1, and return what was seen after its turns."""
    turns = WatchedTurns()
    simulate(candidate, scenario, 1, RunOptions(pacing=turns))
    return turns


def on_a_bound(candidate: Candidate, turns: WatchedTurns) -> set[tuple[str, float]]:
    """Return the values that equal their alarm's threshold, or are on a bound of a step."""
    fleet = candidate.fleet
    found = set()
    for alarm in fleet.alarms:
        bounds = {0.0}
        for policy in map(fleet.policy, alarm.policies):
            assert isinstance(policy, StepScalingPolicy)
            bounds |= {step.lower for step in policy.steps if step.lower is not None}
            bounds |= {step.upper for step in policy.steps if step.upper is not None}
        found |= {
            (alarm.logical_id, value)
            for value in turns.values.get(alarm.logical_id, ())
            if value - alarm.threshold in bounds
        }
    return found


def check(candidate: Candidate, scenario: Scenario) -> None:
    """Check that no value is on a bound, and that the fleet is at 0 in the end."""
    turns = watched(candidate, scenario)
    assert on_a_bound(candidate, turns) == set()
    assert max(turns.values["BacklogAlarm"]) > 0  # the alarm has seen the load
    assert turns.last is not None
    assert (turns.last.group.desired, turns.last.group.instances) == (0, ())


@pytest.mark.parametrize("fault", FAULTS)
def test_no_value_is_on_a_bound_and_the_fleet_reaches_0(fault: Fault) -> None:
    """With each fault of metrics and alarms during a load."""
    load = bursts((30, 90), (1800, 45), handler=HANDLER)
    check(the_template(), replace(load, faults=(replace(fault, at=300.0),)))


@pytest.mark.long
@pytest.mark.parametrize("name", SCENARIOS)
@pytest.mark.parametrize("fault", FAULTS)
def test_the_same_holds_in_every_scenario(name: str, fault: Fault) -> None:
    """With each fault from the first message on."""
    check(the_template(), a_load(name, fault))


def test_with_the_fast_signal_no_value_is_on_a_bound_either() -> None:
    """The alarm on the newest sample has whole numbers, too."""
    fast = the_template(("FastSignal", "true"), ("HoldSeconds", "300"))
    load = bursts((30, 90), (1800, 45), handler=HANDLER)
    turns = watched(fast, load)
    assert turns.values["BacklogRisingAlarm"] > {0.0}
    assert on_a_bound(fast, turns) == set()


def test_a_threshold_that_is_a_whole_number_would_be_found() -> None:
    """With a threshold of 1, the commonest backlog of all is on a bound."""
    ours = the_template()
    alarms = tuple(replace(alarm, threshold=1.0) for alarm in ours.fleet.alarms)
    whole = replace(ours, fleet=replace(ours.fleet, alarms=alarms))
    found = on_a_bound(whole, watched(ours, bursts((30, 20), handler=HANDLER)))
    assert ("BacklogAlarm", 1.0) in found
