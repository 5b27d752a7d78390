"""Runs of plans: each fault at its time, and what became of it."""

from __future__ import annotations

from dataclasses import replace

from tidemill.rig.chaos.plan import Plan
from tidemill.rig.chaos.runner import Happening, PlanRun
from tidemill.rig.errors import RigError
from tidemill.scaling.faults import Fault

KILL = Fault("kill", "2", 100.0)
FREEZE = Fault("freeze", at=200.0, parameters={"for_seconds": 50.0})


class Fleet:
    """A fleet that notes its faults, and has no second instance."""

    def __init__(self) -> None:
        """Begin without a fault."""
        self.faults: list[Fault] = []

    def send(self, fault: Fault) -> str:
        """Take a fault."""
        self.faults.append(fault)
        if fault.target == "2":
            raise RigError("no instance is in service")
        return "i-1"


def test_each_fault_happens_once_at_its_time() -> None:
    """At speed 10, a fault at 100 s of AWS's time happens after 10 s."""
    fleet = Fleet()
    run = PlanRun(Plan((KILL, FREEZE), 220), fleet.send, speed=10)
    assert run.advance(9.9) == []
    assert run.advance(10) == [
        Happening(100, {"kind": "kill", "target": "2"}, "", "no instance is in service")
    ]
    assert run.advance(19.9) == []
    assert [one.target for one in run.advance(20)] == ["i-1"]
    assert run.advance(1000) == []
    assert fleet.faults == [replace(KILL, at=0.0), replace(FREEZE, at=0.0)]


def test_a_plan_is_over_when_its_last_fault_has_ended() -> None:
    """A fault that lasts beyond the end of the plan is waited for."""
    run = PlanRun(Plan((KILL, FREEZE), 220), Fleet().send, speed=10)
    assert not run.is_over(1000)
    run.advance(20)
    assert not run.is_over(24.9)
    assert run.is_over(25)


def test_the_figures_say_which_kinds_have_happened() -> None:
    """A fault that found no target does not count."""
    run = PlanRun(Plan((KILL, FREEZE), 220, seed=7), Fleet().send, speed=10)
    run.advance(1000)
    figures = run.figures()
    assert (figures["seed"], figures["faults_planned"], figures["faults_happened"]) == (7, 2, 1)
    assert figures["kinds_happened"] == ["freeze"]
