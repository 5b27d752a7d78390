"""Faults that a scenario lists happen to simulated instances at their moments."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import Phase, given
from hypothesis import settings as how
from hypothesis import strategies as st
from support.builders.simulations import bursts, scenarios, simulated, the_template

from tidemill.scaling.errors import FaultError
from tidemill.scaling.facts import Fact, FaultBegan, FaultEnded, InstanceChanged, Noted
from tidemill.scaling.fault_kinds import KINDS, SPOT, Target, WorldKind
from tidemill.scaling.faults import SPOT_NOTICE_SECONDS, Fault
from tidemill.simulator.errors import SimulationError
from tidemill.simulator.instances.handling import HandlerTime
from tidemill.simulator.instances.simulated_instances import EFFECTS
from tidemill.simulator.planned_faults import windowed_faults
from tidemill.simulator.run import START, simulate
from tidemill.simulator.scenario import Scenario  # noqa: TC001 - hypothesis reads annotations

FIRST = "i-00000000000000001"


def a_scenario(*faults: Fault) -> Scenario:
    """Return half an hour of work for four instances, with these faults."""
    return replace(bursts((30, 500), handler=HandlerTime(5.0)), faults=faults)


def notes(facts: list[Fact]) -> list[Noted]:
    """Return what was noted."""
    return [fact for fact in facts if isinstance(fact, Noted)]


def gone_at(facts: list[Fact], instance: str) -> float:
    """Return when an instance was terminated, in seconds since the start."""
    (at,) = (
        fact.at
        for fact in facts
        if isinstance(fact, InstanceChanged)
        and (fact.instance, fact.state) == (instance, "Terminated")
    )
    return at - START


def test_an_interruption_ends_the_oldest_instance_in_service_after_its_notice() -> None:
    """The timeline notes it, the instance is replaced, and no message is lost."""
    result, facts = simulated(the_template(), a_scenario(Fault(SPOT.name, at=600.0)))
    assert notes(facts) == [Noted(START + 600, f"{FIRST} {SPOT.note}")]
    assert gone_at(facts, FIRST) == 600 + SPOT_NOTICE_SECONDS
    assert (result.messages.processed, result.lost) == (500, 0)
    assert result.instances.launches == result.instances.peak + 1


def test_a_fault_finds_its_target() -> None:
    """The fault happens to the instance that it names, not to the oldest one."""
    second = FIRST.replace("1", "2")
    _, facts = simulated(the_template(), a_scenario(Fault(SPOT.name, second, 600.0)))
    assert gone_at(facts, second) == 600 + SPOT_NOTICE_SECONDS
    assert gone_at(facts, FIRST) > 600 + SPOT_NOTICE_SECONDS


@pytest.mark.parametrize(
    ("fault", "why"),
    [
        pytest.param(Fault(SPOT.name, at=10.0), "no instance is in service", id="too early"),
        pytest.param(Fault(SPOT.name, "i-9", 600.0), "i-9 does not run", id="no such instance"),
    ],
)
def test_a_fault_that_cannot_happen_is_noted(fault: Fault, why: str) -> None:
    """Apart from the note, the run is the same as without the fault."""
    result, facts = simulated(the_template(), a_scenario(fault))
    (note,) = notes(facts)
    assert why in note.text
    usual, undisturbed = simulated(the_template(), a_scenario())
    assert [fact for fact in facts if fact is not note] == undisturbed
    assert replace(result, turns=0) == replace(usual, turns=0)


def test_faults_happen_alike_at_any_pace_of_turns() -> None:
    """All facts are in the same order, also those of a fault at a whole minute."""
    scenario = a_scenario(Fault(SPOT.name, at=900.0), Fault(SPOT.name, at=433.3))
    _, facts = simulated(the_template(), scenario)
    assert facts == simulated(the_template(), scenario, turn_every=7.0)[1]
    assert [note.at - START for note in notes(facts)] == pytest.approx([433.3, 900.0])


LATE = {"late_minutes": 3.0, "for_minutes": 20.0}
WINDOWED = [
    pytest.param(Fault("metrics-late", at=433.0, parameters=LATE), id="late"),
    pytest.param(Fault("metrics-late", "in-flight", 0.0, LATE), id="one-metric-late"),
    pytest.param(Fault("metrics-missing", "visible", 600.0, {"for_minutes": 5.0}), id="missing"),
    pytest.param(Fault("metrics-irregular", parameters={"for_minutes": 0.0}), id="irregular"),
    pytest.param(Fault("phantom-in-flight", at=1.5), id="phantom"),
    pytest.param(Fault("alarms-late", at=606.0, parameters=LATE), id="alarms-late"),
]
"""A fault of each kind that the loop itself has."""


@pytest.mark.parametrize("fault", WINDOWED)
@given(scenario=scenarios(), seed=st.integers(0, 3), turn_every=st.sampled_from([60.0, 23.0, 7.0]))
@how(max_examples=4, phases=[phase for phase in Phase if phase is not Phase.shrink])
def test_faults_of_metrics_happen_alike_at_any_pace_of_turns(
    fault: Fault, scenario: Scenario, seed: int, turn_every: float
) -> None:
    """The facts are the same, the fault's begin and end among them, and nothing is lost."""
    faulty = replace(scenario, faults=(fault,))
    result, facts = simulated(the_template(), faulty, seed=seed)
    assert facts == simulated(the_template(), faulty, seed=seed, turn_every=turn_every)[1]
    assert result.lost == 0
    (begun,) = (fact for fact in facts if isinstance(fact, FaultBegan))
    assert (begun.at, begun.fault) == (START + fault.at, fault.kind)
    ends = [fact.at for fact in facts if isinstance(fact, FaultEnded)]
    assert ends == [START + fault.until][: len(ends)]


def test_another_seed_of_the_run_makes_other_minutes_irregular() -> None:
    """A fault with a seed of its own keeps it."""
    irregular = Fault("metrics-irregular", parameters={"for_minutes": 0.0})
    fixed = replace(irregular, parameters={**irregular.parameters, "seed": 5.0})
    for fault, expected in ((irregular, [1.0, 2.0]), (fixed, [5.0, 5.0])):
        planned = [windowed_faults([fault], the_template().fleet, START, seed) for seed in (1, 2)]
        assert [one.planned[0].value("seed") for one in planned] == expected


def test_a_fault_of_an_alarm_that_does_not_exist_is_an_error() -> None:
    """The error has the alarms of the fleet."""
    fault = Fault("alarms-late", "BacklogAlert")
    with pytest.raises(FaultError, match="no alarm BacklogAlert: choose one of BacklogAlarm"):
        simulate(the_template(), a_scenario(fault), seed=1)


def test_every_fault_of_the_table_that_names_the_simulator_has_its_effect_here() -> None:
    """It has exactly the instances' faults of KINDS that name it, and refuses others."""
    assert EFFECTS.keys() == {
        name
        for name, kind in KINDS.items()
        if WorldKind.SIMULATOR in kind.worlds and kind.target is Target.INSTANCE
    }
    with pytest.raises(SimulationError, match="cannot imitate the fault flood"):
        simulate(the_template(), a_scenario(Fault("flood")), seed=1)
