"""Processes as instances.

The module is over 280 lines because all of its tests share a stage of real processes.
"""

from __future__ import annotations

import sys
import time
from typing import TYPE_CHECKING

import psutil
import pytest
from support.builders.times import MINUTE_BOOT
from support.fakes.engines import HandClock

from tidemill.rig.errors import RigError
from tidemill.rig.lifetime import RECLAIMED
from tidemill.rig.processes import ProcessWorld
from tidemill.scaling.fault_kinds import SPOT
from tidemill.scaling.faults import Fault
from tidemill.scaling.loop import Booted, HookCompleted, Vanished

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tidemill.scaling.loop import InstanceEvent

PATIENCE = 20.0
SPOT_FAULT = Fault(SPOT.name)

ORDERLY = """
import signal, sys, time
signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
print("working", flush=True)
time.sleep(60)
"""
STUBBORN = ORDERLY.replace("lambda *_: sys.exit(0)", "signal.SIG_IGN")
BROKEN = 'import sys; print("consumer: no queue", file=sys.stderr); sys.exit(2)'


class Stage:
    """A world whose instances run a program of the test."""

    def __init__(self, folder: Path, program: str) -> None:
        """Create a world whose instances run this Python program."""
        self.clock = HandClock()
        self.world = ProcessWorld(
            folder,
            self.clock,
            lambda instance: {"INSTANCE_ID": instance},
            times=MINUTE_BOOT,
            command=(sys.executable, "-c", program),
        )
        self.folder = folder

    def await_event(self) -> InstanceEvent:
        """Return the next event."""
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            for event in self.world.events():
                return event
            time.sleep(0.02)
        raise AssertionError("no event")

    def await_output(self, *instances: str) -> None:
        """Wait until the programs of these instances, or of i-1, have written something."""
        deadline = time.monotonic() + PATIENCE
        for instance in instances or ("i-1",):
            while not (self.world.logs / f"{instance}.jsonl").read_text():
                assert time.monotonic() < deadline, "no output"
                time.sleep(0.02)

    @staticmethod
    def consumers(program: str) -> list[psutil.Process]:
        """Return this test's processes that run this program."""
        return [child for child in psutil.Process().children() if program in child.cmdline()]

    def boot(self) -> None:
        """Launch an instance, and let its consumer start."""
        self.world.launch("i-1")
        self.clock.time += 60
        assert list(self.world.events()) == [Booted("i-1")]


@pytest.fixture
def stage_of(tmp_path: Path) -> Iterator[Callable[[str], Stage]]:
    """Provide a function that creates stages; close them at the end."""
    stages: list[Stage] = []

    def make(program: str) -> Stage:
        stages.append(Stage(tmp_path, program))
        return stages[-1]

    yield make
    for stage in stages:
        stage.world.close()


def test_an_instance_is_running_before_its_consumer_works(stage_of: Callable[[str], Stage]) -> None:
    """On EC2, user data runs after the boot."""
    stage = stage_of(ORDERLY)
    stage.world.launch("i-1")
    assert list(stage.world.events()) == []
    stage.clock.time = 20
    assert list(stage.world.events()) == [Booted("i-1")]
    assert not stage.world.polled()
    stage.clock.time = 60
    assert list(stage.world.events()) == []
    assert stage.world.polled()


def test_draining_asks_the_consumer_to_stop_and_completes_the_hook(
    stage_of: Callable[[str], Stage],
) -> None:
    """Its end is the hook's completion; the instance is gone when it is terminated."""
    stage = stage_of(ORDERLY)
    stage.boot()
    stage.await_output()
    stage.world.drain("i-1")
    assert stage.await_event() == HookCompleted("i-1")
    stage.world.terminate("i-1")
    assert stage.await_event() == Vanished("i-1")
    assert not stage.world.polled()


def test_an_instance_that_has_not_started_its_consumer_drains_at_once(
    stage_of: Callable[[str], Stage],
) -> None:
    """It has no work to finish."""
    stage = stage_of(ORDERLY)
    stage.world.launch("i-1")
    stage.world.drain("i-1")
    assert list(stage.world.events()) == [HookCompleted("i-1")]


def test_terminating_ends_a_consumer_that_does_not_listen(stage_of: Callable[[str], Stage]) -> None:
    """It is killed."""
    stage = stage_of(STUBBORN)
    stage.boot()
    stage.await_output()
    stage.world.drain("i-1")
    stage.world.terminate("i-1")
    assert stage.await_event() == Vanished("i-1")


def test_a_consumer_that_ends_by_itself_takes_its_instance_along(
    stage_of: Callable[[str], Stage],
) -> None:
    """The event has its exit code and its last line."""
    stage = stage_of(BROKEN)
    stage.boot()
    event = stage.await_event()
    assert event == Vanished("i-1", "its consumer ended with exit code 2: consumer: no queue")


def test_a_consumer_that_is_killed_takes_its_instance_along(
    stage_of: Callable[[str], Stage],
) -> None:
    """The event has the signal."""
    stage = stage_of(ORDERLY)
    stage.boot()
    stage.await_output()
    (consumer,) = stage.consumers(ORDERLY)
    consumer.kill()
    assert stage.await_event() == Vanished("i-1", "its consumer was killed by signal 9")


def test_a_consumer_that_ends_without_output_is_reported(stage_of: Callable[[str], Stage]) -> None:
    """The event has its exit code."""
    stage = stage_of("raise SystemExit(3)")
    stage.boot()
    assert stage.await_event() == Vanished(
        "i-1", "its consumer ended with exit code 3: it wrote no output"
    )


@pytest.mark.parametrize("program", [ORDERLY, STUBBORN], ids=["listening", "not-listening"])
def test_a_spot_instance_has_two_minutes_from_its_notice(
    stage_of: Callable[[str], Stage], program: str
) -> None:
    """Its consumer gets SIGTERM, then is killed at 120 s; another notice changes nothing."""
    stage = stage_of(program)
    stage.boot()
    stage.await_output()
    (consumer,) = stage.consumers(program)
    stage.world.inject("i-1", SPOT_FAULT)
    if program == ORDERLY:
        consumer.wait(PATIENCE)
    stage.clock.time += 119
    stage.world.inject("i-1", SPOT_FAULT)
    assert list(stage.world.events()) == []
    assert stage.world.polled() == (program == STUBBORN)
    stage.clock.time += 1
    assert list(stage.world.events()) == [Vanished("i-1", RECLAIMED)]
    consumer.wait(PATIENCE)
    assert list(stage.world.events()) == []


def test_a_spot_instance_can_be_taken_back_before_its_consumer_works(
    stage_of: Callable[[str], Stage],
) -> None:
    """No consumer gets a signal; the instance ends two minutes after the notice."""
    stage = stage_of(ORDERLY)
    stage.world.launch("i-1")
    stage.world.inject("i-1", SPOT_FAULT)
    stage.clock.time += 120
    assert list(stage.world.events()) == [Booted("i-1"), Vanished("i-1", RECLAIMED)]
    assert not stage.world.polled()


def test_an_instance_that_is_gone_gets_no_notice(stage_of: Callable[[str], Stage]) -> None:
    """The group may not have noticed that it is gone."""
    with pytest.raises(RigError, match="i-9 no longer exists"):
        stage_of(ORDERLY).world.inject("i-9", SPOT_FAULT)


def test_a_stopped_instance_stays_and_boots_again_when_it_is_launched_again(
    stage_of: Callable[[str], Stage],
) -> None:
    """Its consumer ends without an event; the next one starts 30 s after the second launch."""
    stage = stage_of(ORDERLY)
    stage.boot()
    stage.await_output()
    (consumer,) = stage.consumers(ORDERLY)
    stage.world.stop("i-1")
    consumer.wait(PATIENCE)
    assert list(stage.world.events()) == []
    assert not stage.world.polled()
    stage.clock.time += 3600
    assert list(stage.world.events()) == []
    stage.world.launch("i-1")
    stage.clock.time += 29
    assert list(stage.world.events()) == [Booted("i-1")]
    assert list(stage.world.events()) == []
    assert not stage.world.polled()
    stage.clock.time += 1
    assert list(stage.world.events()) == []
    assert stage.world.polled()


def test_an_instance_that_was_stopped_before_it_worked_has_all_its_boot_before_it(
    stage_of: Callable[[str], Stage],
) -> None:
    """Its user data had not finished."""
    stage = stage_of(ORDERLY)
    stage.world.launch("i-1")
    stage.clock.time += 20
    assert list(stage.world.events()) == [Booted("i-1")]
    stage.world.stop("i-1")
    stage.clock.time += 100
    assert list(stage.world.events()) == []
    stage.world.launch("i-1")
    stage.clock.time += 59
    assert list(stage.world.events()) == [Booted("i-1")]
    assert list(stage.world.events()) == []
    assert not stage.world.polled()
    stage.clock.time += 1
    assert list(stage.world.events()) == []
    assert stage.world.polled()


def test_a_stopped_instance_ends_a_consumer_that_does_not_listen(
    stage_of: Callable[[str], Stage],
) -> None:
    """It is killed after 90 s."""
    stage = stage_of(STUBBORN)
    stage.boot()
    stage.await_output()
    stage.world.stop("i-1")
    stage.clock.time += 89
    assert list(stage.world.events()) == []
    assert stage.world.polled()
    stage.clock.time += 1
    assert list(stage.world.events()) == []
    assert not stage.world.polled()


def test_a_stopped_instance_completes_no_hook_and_can_be_terminated(
    stage_of: Callable[[str], Stage],
) -> None:
    """Nothing on it could complete the hook, which has to time out."""
    stage = stage_of(ORDERLY)
    stage.boot()
    stage.world.stop("i-1")
    stage.world.drain("i-1")
    assert list(stage.world.events()) == []
    stage.world.terminate("i-1")
    assert list(stage.world.events()) == [Vanished("i-1")]


def test_orders_for_an_instance_that_is_gone_do_nothing(stage_of: Callable[[str], Stage]) -> None:
    """The group may not have noticed yet."""
    stage = stage_of(ORDERLY)
    stage.world.stop("i-9")
    stage.world.drain("i-9")
    stage.world.terminate("i-9")
    assert list(stage.world.events()) == []


def test_each_instance_has_its_own_settings_and_logs(stage_of: Callable[[str], Stage]) -> None:
    """They also have the rig's label, by which leftovers are found."""
    stage = stage_of("import os; print(os.environ['INSTANCE_ID'], os.environ['TIDEMILL_RIG'])")
    for name in ("i-1", "i-2"):
        stage.world.launch(name)
    stage.clock.time = 60
    assert list(stage.world.events()) == [Booted("i-1"), Booted("i-2")]
    stage.await_event()
    stage.await_event()
    for name in ("i-1", "i-2"):
        assert (stage.world.logs / f"{name}.jsonl").read_text() == f"{name} {stage.folder}\n"


@pytest.mark.parametrize("program", [ORDERLY, STUBBORN], ids=["listening", "not-listening"])
def test_closing_leaves_no_process(stage_of: Callable[[str], Stage], program: str) -> None:
    """This holds whether they handle SIGTERM or not."""
    stage = stage_of(program)
    for name in ("i-1", "i-2"):
        stage.world.launch(name)
    stage.clock.time = 60
    list(stage.world.events())
    stage.await_output("i-1", "i-2")
    children = stage.consumers(program)
    assert len(children) == 2
    stage.world.close()
    assert not [child for child in children if child.is_running()]
