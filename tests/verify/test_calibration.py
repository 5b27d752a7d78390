"""The file of measured times, and the record of a run."""

from __future__ import annotations

import json

import pytest
from support.builders.verifications import a_run, a_target, named
from support.fakes.account import FakeAccount
from support.fakes.account_answers import ACCOUNT, REGION, STACK

from tidemill.scaling.errors import CalibrationError
from tidemill.scaling.times.calibration import (
    calibrated,
    read_calibration,
    write_calibration,
)
from tidemill.scaling.times.catalogue import USUAL, Grade
from tidemill.scaling.times.distributions import Samples
from tidemill.verify.calibration import calibration_of, check_same_place, record_of, resumed
from tidemill.verify.plan import CHECKS
from tidemill.verify.run import Run

ABOUT = {"program": "tidemill verify"}


def test_measured_times_replace_the_simulators() -> None:
    """The file is read back, and every measured time is a sample of one."""
    account = FakeAccount()
    run = a_run(account, named("zero"))
    calibration = calibration_of(run, ABOUT, account.world.now, None)
    assert calibration is not None
    read = read_calibration(write_calibration(calibration), "calibration.json")
    times = calibrated(USUAL, read)
    assert times.pending.distribution == Samples((5.0,))
    assert times.alarm_lag.distribution == Samples((6.0,))
    assert times.wake_up == USUAL.wake_up
    assert read.about == ABOUT | {"instance type": "t4g.small", "image": "ami-0a1b2c3d"}
    usual = USUAL.image_pull.mean + USUAL.consumer_start.mean
    assert times.installs.mean == pytest.approx(31.0 - usual, abs=0.001)


def test_another_run_adds_its_samples() -> None:
    """So that a distribution grows from run to run, and a resumed run counts once."""
    account = FakeAccount()
    first = calibration_of(a_run(account, named("zero")), ABOUT, account.world.now, None)
    account.world.pending = 7.0
    run = a_run(account, named("zero"))
    second = calibration_of(run, ABOUT, account.world.now, first)
    assert second is not None
    assert second.times["pending"].distribution == Samples((5.0, 7.0))
    assert second.times["pending"].n == 2
    third = calibration_of(run, ABOUT, account.world.now, second)
    assert third is not None
    assert third.times == second.times


def test_a_run_that_measured_nothing_writes_no_times() -> None:
    """Reading alone measures none."""
    account = FakeAccount()
    assert calibration_of(a_run(account, named("steps")), ABOUT, account.world.now, None) is None


def test_times_of_different_places_are_not_mixed() -> None:
    """Another stack or region, or an emulator instead of AWS."""
    account = FakeAccount()
    run = a_run(account, named("zero"))
    emulated = {"endpoint": "http://127.0.0.1:4566"}
    calibration = calibration_of(run, emulated, account.world.now, None)
    assert calibration is not None
    assert {one.grade for one in calibration.times.values()} == {Grade.GUESSED}
    assert all("127.0.0.1" in one.source for one in calibration.times.values())
    check_same_place(calibration, run.target, emulated)
    with pytest.raises(CalibrationError, match="4566: choose another file"):
        check_same_place(calibration, run.target, ABOUT)


def test_a_record_has_everything_that_a_reader_needs() -> None:
    """As JSON: rows with expected and observed, and what was seen."""
    account = FakeAccount()
    run = a_run(account, named("stack", "zero"))
    record = json.loads(json.dumps(record_of(run, ABOUT, account.world.now)))
    assert (record["stack"], record["region"], record["account"]) == (STACK, REGION, ACCOUNT)
    names = ["name", "question", "level", "verdict", "rows", "remedy"]
    assert [list(check) for check in record["checks"]] == [names, names]
    first = record["checks"][0]["rows"][0]
    assert list(first) == ["what", "expected", "observed", "verdict", "note"]
    assert record["seen"]["message"]["finished"] is True


def test_a_record_can_be_resumed() -> None:
    """What reads is read again, and so is what was interrupted or skipped."""
    account = FakeAccount()
    run = a_run(account, named("stack", "steps", "zero"))
    del run.seen["steps"]["done"]
    text = json.dumps(record_of(run, ABOUT, account.world.now))
    again = Run(a_target(account), CHECKS)
    assert set(resumed(text, again)) == {"message"}
    run.seen["message"]["skipped"] = "the stack is at work"
    assert resumed(json.dumps(record_of(run, ABOUT, account.world.now)), again) == {}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("no JSON", "not a record"),
        ("[]", "not a record"),
        ('{"version": 1}', "not a record"),
        (
            '{"version": 1, "stack": "other", "region": "x", "account": "y", "seen": {}}',
            "another stack, account or version",
        ),
        ("[" * 100_000, "not a record"),
    ],
    ids=["no JSON", "a list", "no stack", "another stack", "deep"],
)
def test_another_file_is_not_resumed(text: str, message: str) -> None:
    """The error is one line."""
    with pytest.raises(CalibrationError, match=message):
        resumed(text, Run(a_target(FakeAccount()), CHECKS))


@pytest.mark.parametrize("seen", [[], {"message": "sent"}, None], ids=["list", "text", "null"])
def test_a_record_that_was_edited_wrongly_is_not_resumed(seen: object) -> None:
    """What was seen is an object for each observation."""
    account = FakeAccount()
    record = record_of(a_run(account, named("stack")), ABOUT, account.world.now)
    with pytest.raises(CalibrationError, match="not a record"):
        resumed(json.dumps(record | {"seen": seen}), Run(a_target(account), CHECKS))
