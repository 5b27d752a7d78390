"""The lifetime of a rig's instance: the effects of each order, fault and observation."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Final

import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.builders.times import MINUTE_BOOT

from tidemill.rig.chaos.injections import INJECTIONS, inject
from tidemill.rig.errors import RigError
from tidemill.rig.lifetime import (
    RECLAIMED,
    SHUTDOWN_SECONDS,
    START,
    VANISHED,
    Change,
    Lifetime,
    ProgramState,
    Remove,
    ReportVanished,
    Rules,
    Signal,
    Start,
    Step,
)
from tidemill.scaling.fault_kinds import KINDS, REBOOT, SPOT, Target, WorldKind
from tidemill.scaling.faults import SPOT_NOTICE_SECONDS, Fault
from tidemill.scaling.loop import Booted, HookCompleted
from tidemill.scaling.times.catalogue import USUAL

ONE: Final = "i-1"
INSTANT: Final = USUAL.with_boot(5.0)
CONSUMERS: Final = Rules.of_consumers(MINUTE_BOOT)
USER_DATA: Final = Rules.of_user_data(MINUTE_BOOT)
TERM: Final = Signal("SIGTERM")
KILL: Final = Signal("SIGKILL")
NOTICE: Final = Fault(SPOT.name)
IN_A_RIG: Final = [
    name
    for name, kind in KINDS.items()
    if kind.target is Target.INSTANCE and kind.worlds - {WorldKind.SIMULATOR}
]


@dataclass
class Stage:
    """One instance, launched at 0, whose program reacts to signals or ignores them."""

    rules: Rules = CONSUMERS
    listens: bool = True
    now: float = 0.0
    program: ProgramState = ProgramState.WAITING
    steps: list[Step] = field(default_factory=list)

    def __post_init__(self) -> None:
        """Launch the instance."""
        self.lifetime = Lifetime.launch(ONE, self.rules, self.now)

    def take(self, change: Change) -> tuple[Step, ...]:
        """Do to the program what the steps of a change say; return the steps."""
        self.lifetime = change.lifetime
        for step in change.steps:
            self.steps.append(step)
            match step:
                case Start():
                    self.program = ProgramState.RUNNING
                case Remove() | ReportVanished():
                    self.program = ProgramState.REMOVED
                case Signal(name):
                    if self.program is ProgramState.RUNNING and (self.listens or name == "SIGKILL"):
                        self.program = ProgramState.ENDED
        return change.steps

    def check(self, after: float = 0.0) -> tuple[Step, ...]:
        """Look at the instance after so many seconds."""
        self.now += after
        return self.take(self.lifetime.check(self.now, self.program))

    def boot(self) -> None:
        """Let the program start."""
        assert self.check(after=60) == (Booted(ONE), START)


def test_an_instance_runs_before_its_consumer_starts() -> None:
    """Launched at 0: running at 20, the consumer started at 60."""
    stage = Stage()
    assert stage.check(after=19.9) == ()
    assert stage.check(after=0.1) == (Booted(ONE),)
    assert stage.check(after=39.9) == ()
    assert stage.check(after=0.1) == (START,)
    assert stage.check(after=3600) == ()


def test_user_data_starts_as_soon_as_the_instance_runs() -> None:
    """The rig does not limit the time that it takes."""
    stage = Stage(USER_DATA)
    assert stage.check(after=19.9) == ()
    assert stage.check(after=0.1) == (Booted(ONE), START)


def test_a_boot_shorter_than_a_launch_takes_all_of_its_time() -> None:
    """With 5 s to boot an instance runs and works at 5, also when it is launched again."""
    rules = Rules.of_consumers(INSTANT)
    assert (rules.runs_after, rules.starts_after, rules.restarts_after) == (5, 5, 5)


def test_an_instance_drains_before_it_is_terminated() -> None:
    """SIGTERM is sent, the consumer ends, the hook is completed, the instance ends."""
    stage = Stage(listens=False)
    stage.boot()
    assert stage.take(stage.lifetime.drain()) == (TERM,)
    assert stage.check() == ()
    stage.program = ProgramState.ENDED
    assert stage.check() == (HookCompleted(ONE),)
    assert stage.take(stage.lifetime.terminate()) == (Remove(),)
    assert stage.check() == (ReportVanished(""),)


def test_an_instance_without_a_started_consumer_completes_its_hook_at_once() -> None:
    """It has no work to finish, and starts none."""
    stage = Stage()
    assert stage.take(stage.lifetime.drain()) == ()
    assert stage.check() == (HookCompleted(ONE),)
    assert stage.check(after=60) == (Booted(ONE), HookCompleted(ONE))


def test_user_data_drains_by_itself() -> None:
    """Its drain watcher reads the metadata and completes the hook; no signal is sent."""
    stage = Stage(USER_DATA)
    stage.boot()
    assert stage.take(stage.lifetime.drain()) == ()
    assert stage.check() == ()
    stage.program = ProgramState.ENDED
    assert stage.check() == (ReportVanished(None),)


def test_a_program_that_ends_by_itself_ends_its_instance() -> None:
    """The report has the program's last line."""
    stage = Stage()
    stage.boot()
    stage.program = ProgramState.ENDED
    assert stage.check() == (ReportVanished(None),)


def test_a_program_that_somebody_removed_ends_its_instance() -> None:
    """The report names this cause."""
    stage = Stage()
    stage.boot()
    stage.program = ProgramState.REMOVED
    assert stage.check() == (ReportVanished(VANISHED),)


def test_a_terminated_instance_is_there_until_it_is_removed() -> None:
    """A container engine needs some time; nothing else happens meanwhile."""
    stage = Stage()
    lifetime = stage.lifetime.terminate().lifetime
    for program in (ProgramState.WAITING, ProgramState.RUNNING, ProgramState.ENDED):
        assert lifetime.check(1000, program) == Change(lifetime)
    assert lifetime.check(1000, ProgramState.REMOVED).steps == (ReportVanished(""),)


def test_a_stopped_instance_is_launched_again_faster() -> None:
    """Launched again at 1060: running 20 s later, its consumer started after 30 s."""
    stage = Stage()
    stage.boot()
    assert stage.take(stage.lifetime.stop(stage.now)) == (TERM,)
    assert stage.check(after=1000) == ()
    assert stage.take(stage.lifetime.launch_again(stage.now)) == (KILL,)
    assert stage.check(after=20) == (Booted(ONE),)
    assert stage.check(after=9.9) == ()
    assert stage.check(after=0.1) == (START,)


def test_an_instance_that_was_stopped_before_its_consumer_started_boots_in_full() -> None:
    """Its user data had not finished."""
    stage = Stage()
    stage.check(after=20)
    assert stage.take(stage.lifetime.stop(stage.now)) == ()
    assert stage.take(stage.lifetime.launch_again(stage.now)) == ()
    assert stage.check(after=59.9) == (Booted(ONE),)
    assert stage.check(after=0.1) == (START,)


def test_a_stopped_instance_kills_a_program_that_does_not_end() -> None:
    """The program is killed once, when its time to stop is over."""
    stage = Stage(listens=False)
    stage.boot()
    stage.take(stage.lifetime.stop(stage.now))
    assert stage.check(after=SHUTDOWN_SECONDS - 0.1) == ()
    assert stage.check(after=0.1) == (KILL,)
    assert stage.check(after=1) == ()


def test_an_adopted_instance_continues() -> None:
    """A running program is not reported or started again; a booting instance continues its boot."""
    running = Lifetime.adopt(ONE, CONSUMERS, 0, running=True)
    assert running.check(60, ProgramState.RUNNING) == Change(running)
    created = Lifetime.adopt(ONE, CONSUMERS, 0, running=False)
    assert created.check(60, ProgramState.WAITING).steps == (Booted(ONE), START)


@pytest.mark.parametrize("listens", [True, False], ids=["listening", "not-listening"])
def test_a_spot_instance_ends_two_minutes_after_its_notice(*, listens: bool) -> None:
    """This holds whether or not its consumer stops; a second notice changes nothing."""
    stage = Stage(listens=listens)
    stage.boot()
    assert stage.take(inject(stage.lifetime, NOTICE, stage.now)) == (TERM,)
    assert stage.check(after=119) == ()
    assert stage.take(inject(stage.lifetime, NOTICE, stage.now)) == ()
    assert stage.check(after=1) == (ReportVanished(RECLAIMED),)


@pytest.mark.parametrize("name", IN_A_RIG)
def test_an_instance_has_every_fault_that_the_table_promises(name: str) -> None:
    """A lifetime implements each kind that rigs can imitate."""
    assert name in INJECTIONS
    lifetime = Lifetime.launch(ONE, CONSUMERS, 0)
    assert inject(lifetime, Fault(name), 10).lifetime.instance == ONE


def test_an_unknown_fault_is_refused() -> None:
    """An unknown fault is an error."""
    with pytest.raises(RigError, match="no fault meteor"):
        inject(Lifetime.launch(ONE, CONSUMERS, 0), Fault("meteor"), 0)


orders = st.sampled_from(["look", "drain", "stop", "launch_again", "terminate", "ends", *IN_A_RIG])
stories = st.lists(st.tuples(orders, st.floats(0, 200)), max_size=30)


@given(
    story=stories,
    listens=st.booleans(),
    rules=st.sampled_from([CONSUMERS, USER_DATA, Rules.of_consumers(INSTANT)]),
)
def test_whatever_happens_an_instance_keeps_its_rules(
    story: list[tuple[str, float]], rules: Rules, *, listens: bool
) -> None:
    """No event occurs twice in a life or after its end; after a notice the end is in time."""
    stage = Stage(rules, listens)
    for order, seconds in story:
        before = len(stage.steps)
        stage.check(after=seconds)
        if any(isinstance(step, ReportVanished) for step in stage.steps):
            break
        match order:
            case "look":
                pass
            case "ends":
                if stage.program is ProgramState.RUNNING:
                    stage.program = ProgramState.ENDED
            case "drain" | "terminate":
                stage.take(getattr(stage.lifetime, order)())
            case "stop" | "launch_again":
                stage.take(getattr(stage.lifetime, order)(stage.now))
            case _:
                stage.take(inject(stage.lifetime, Fault(order), stage.now))
        new = stage.steps[before:]
        assert new.count(Booted(ONE)) <= 1
        assert new.count(START) <= 1
        assert START not in new or stage.lifetime.stopped_at is None or order == "stop"
        if stage.lifetime.ends_at is not None:
            assert stage.lifetime.ends_at <= stage.now + SPOT_NOTICE_SECONDS
            assert stage.lifetime.stopped_at is not None or stage.now <= stage.lifetime.ends_at
    lives = 1 + sum(order == "launch_again" for order, _ in story)
    restarts = sum(order == REBOOT.name for order, _ in story)
    assert stage.steps.count(Booted(ONE)) <= lives
    assert stage.steps.count(START) <= lives + restarts
    lefts = [step for step in stage.steps if isinstance(step, ReportVanished)]
    assert len(lefts) <= 1
    assert not lefts or stage.steps[-1] == lefts[0]
