"""Faults of instances that are processes: what the programs and their children notice."""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import psutil
import pytest
from support.builders.times import MINUTE_BOOT
from support.fakes.engines import HandClock

from tidemill.rig.chaos.injections import FAILED
from tidemill.rig.processes import ProcessWorld
from tidemill.scaling.faults import Fault
from tidemill.scaling.loop import Booted, InstanceEvent, Vanished

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

PATIENCE = 60.0

PROGRAM = """
import subprocess, sys, time
from pathlib import Path
sleep = [sys.executable, "-c", "import time; time.sleep(300)"]
child = subprocess.Popen(sleep, stdout=subprocess.DEVNULL)
print(f"child {child.pid}", flush=True)
number = 0
while True:
    number += 1
    try:
        with Path("PLACE").open("a") as file:
            file.write(f"{number}\\n")
        print(f"wrote {number}", flush=True)
    except OSError as error:
        print(f"failed {number} {error.errno}", flush=True)
    time.sleep(0.02)
"""


class Stage:
    """A world with one instance, whose program writes a file and lines, and has a child."""

    def __init__(self, folder: Path) -> None:
        """Launch the instance and wait for its first line."""
        self.clock = HandClock()
        self.file = folder / "written"
        program = PROGRAM.replace("PLACE", str(self.file))
        command = (sys.executable, "-c", program)
        self.world = ProcessWorld(
            folder, self.clock, lambda _: {}, times=MINUTE_BOOT, command=command
        )
        self.world.launch("i-1")
        self.pass_time(60)

    def lines(self) -> list[str]:
        """Return the lines that the program has written to its output."""
        return (self.world.logs / "i-1.jsonl").read_text().splitlines()

    def child(self) -> psutil.Process:
        """Return the child of the newest program."""
        (*_, line) = [line for line in self.lines() if line.startswith("child ")]
        return psutil.Process(int(line.split()[1]))

    def await_lines(self, text: str, more: int = 1) -> None:
        """Wait until the program has written so many further lines with this text."""
        wanted = self.count(text) + more
        await_that(lambda: self.count(text) >= wanted)

    def count(self, text: str) -> int:
        """Return the number of lines with this text."""
        return sum(text in line for line in self.lines())

    def inject(self, kind: str, **parameters: float) -> None:
        """Let a fault happen to the instance."""
        self.world.inject("i-1", Fault(kind, parameters=parameters))

    def pass_time(self, seconds: float) -> list[InstanceEvent]:
        """Let time pass, and return the events."""
        self.clock.time += seconds
        return list(self.world.events())


def await_that(true: Callable[[], bool]) -> None:
    """Wait until this is true."""
    deadline = time.monotonic() + PATIENCE
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.fixture
def stage(tmp_path: Path) -> Iterator[Stage]:
    """Provide a stage whose program works; close it at the end."""
    stage = Stage(tmp_path)
    try:
        stage.await_lines("wrote")
        yield stage
    finally:
        stage.world.close()


def test_an_instance_that_fails_takes_the_children_of_its_program_along(stage: Stage) -> None:
    """Nothing of it works on, and the group learns why."""
    child = stage.child()
    stage.inject("kill")
    assert stage.pass_time(1) == [Vanished("i-1", FAILED)]
    await_that(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)


def test_a_frozen_instance_does_nothing_and_then_goes_on(stage: Stage) -> None:
    """Its children are frozen as well; no line is lost."""
    child = stage.child()
    stage.inject("freeze", for_seconds=30.0)
    await_that(lambda: child.status() == psutil.STATUS_STOPPED)
    assert stage.pass_time(29) == []
    assert child.status() == psutil.STATUS_STOPPED
    stage.pass_time(1)
    await_that(lambda: child.status() != psutil.STATUS_STOPPED)
    stage.await_lines("wrote")


def test_an_instance_that_restarts_is_the_same_instance(stage: Stage) -> None:
    """Its program starts again after a boot, in the same log."""
    child = stage.child()
    stage.inject("reboot")
    await_that(lambda: not child.is_running() or child.status() == psutil.STATUS_ZOMBIE)
    assert stage.pass_time(1) == []
    assert stage.pass_time(60) == []
    await_that(lambda: stage.count("child ") == 2)
    assert Booted("i-1") not in stage.pass_time(1)


def test_a_program_on_a_full_disk_cannot_write_to_files_but_its_lines_arrive(stage: Stage) -> None:
    """When there is room again, it can."""
    stage.inject("disk-full", for_seconds=30.0)
    stage.await_lines("failed", more=3)
    size = stage.file.stat().st_size
    stage.await_lines("failed", more=3)
    assert stage.file.stat().st_size == size
    stage.pass_time(30)
    stage.await_lines("wrote")
