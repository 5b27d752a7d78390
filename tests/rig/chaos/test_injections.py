"""What each kind of fault does to the lifetime of an instance."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

import pytest
from support.builders.times import MINUTE_BOOT

from tidemill.rig.chaos.injections import FAILED, inject
from tidemill.rig.lifetime import (
    START,
    Lifetime,
    LimitDisk,
    ProgramState,
    ReportVanished,
    Rules,
    Signal,
)
from tidemill.scaling.faults import Fault
from tidemill.scaling.loop import Booted, HookCompleted

ONE: Final = "i-1"
RULES: Final = Rules.of_consumers(MINUTE_BOOT)
BOOTING: Final = Lifetime.launch(ONE, RULES, 0)
WORKING: Final = replace(BOOTING, booted=True, started=True)
RUNNING: Final = ProgramState.RUNNING
ENDED: Final = ProgramState.ENDED


def test_an_instance_that_fails_is_killed_and_reported_at_the_next_check() -> None:
    """It gets no notice, and the report says what happened."""
    change = inject(WORKING, Fault("kill"), 100)
    assert change.steps == (Signal("SIGKILL"),)
    assert change.lifetime.check(100, ENDED).steps == (ReportVanished(FAILED),)


def test_an_instance_that_fails_while_it_drains_completes_no_hook() -> None:
    """Nobody is left who could."""
    change = inject(replace(WORKING, draining=True), Fault("kill"), 100)
    assert change.lifetime.check(101, ENDED).steps == (ReportVanished(FAILED),)


def test_an_instance_that_fails_while_it_boots_has_no_program_to_kill() -> None:
    """It is reported all the same."""
    change = inject(BOOTING, Fault("kill"), 10)
    assert change.steps == ()
    assert change.lifetime.check(60, ProgramState.WAITING).steps == (ReportVanished(FAILED),)


def test_a_frozen_instance_continues_when_its_time_is_over() -> None:
    """Its programs are stopped for so many seconds, and are where they were."""
    change = inject(WORKING, Fault("freeze", parameters={"for_seconds": 30.0}), 100)
    assert change.steps == (Signal("SIGSTOP"),)
    still = change.lifetime.check(129.9, RUNNING)
    assert still.steps == ()
    over = still.lifetime.check(130, RUNNING)
    assert over.steps == (Signal("SIGCONT"),)
    assert over.lifetime.check(131, RUNNING).steps == ()


def test_of_two_freezes_the_one_that_ends_last_counts() -> None:
    """The shorter one does not end the longer one."""
    first = inject(WORKING, Fault("freeze", parameters={"for_seconds": 60.0}), 100).lifetime
    both = inject(first, Fault("freeze", parameters={"for_seconds": 5.0}), 110).lifetime
    assert both.check(120, RUNNING).steps == ()
    assert both.check(160, RUNNING).steps == (Signal("SIGCONT"),)


def test_an_instance_that_restarts_starts_its_program_after_a_boot() -> None:
    """It neither leaves the group nor reports a second boot."""
    change = inject(WORKING, Fault("reboot"), 100)
    assert change.steps == (Signal("SIGKILL"),)
    down = change.lifetime.check(101, ENDED)
    assert down.steps == ()
    assert down.lifetime.check(100 + RULES.restarts_after, ENDED).steps == (START,)


def test_an_instance_that_restarts_while_it_drains_has_nothing_to_finish() -> None:
    """Its hook is completed, as by an instance without a consumer."""
    change = inject(replace(WORKING, draining=True), Fault("reboot"), 100)
    assert change.lifetime.check(101, ENDED).steps == (HookCompleted(ONE),)


def test_a_full_disk_has_room_again() -> None:
    """The room is taken once, and given back once."""
    change = inject(WORKING, Fault("disk-full", parameters={"for_seconds": 20.0}), 100)
    assert change.steps == (LimitDisk(full=True),)
    assert change.lifetime.check(119, RUNNING).steps == ()
    assert change.lifetime.check(120, RUNNING).steps == (LimitDisk(full=False),)


def test_instance_metadata_are_back_at_the_end_of_the_fault() -> None:
    """The world reads the time from the lifetime."""
    change = inject(WORKING, Fault("metadata-down", parameters={"for_seconds": 20.0}), 100)
    assert change.steps == ()
    assert change.lifetime.metadata_back_at == 120


@pytest.mark.parametrize("kind", ["freeze", "reboot", "disk-full"])
def test_a_fault_of_programs_changes_nothing_before_they_start(kind: str) -> None:
    """The boot goes on."""
    change = inject(BOOTING, Fault(kind), 10)
    assert change.steps == ()
    assert change.lifetime.check(60, ProgramState.WAITING).steps == (Booted(ONE), START)
