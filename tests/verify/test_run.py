"""A run: it observes once for all checks, keeps what it saw, and judges what is there."""

from __future__ import annotations

import pytest
from support.builders.verifications import a_run, a_target, named
from support.fakes.account import FakeAccount

from tidemill.verify.bench import DONE
from tidemill.verify.finding import Verdict
from tidemill.verify.plan import CHECKS
from tidemill.verify.run import Run

FOLLOWING = ("delay", "stages", "cause", "zero")


def test_one_message_serves_all_checks_that_follow_one() -> None:
    """It is sent once."""
    account = FakeAccount()
    run = a_run(account, named(*FOLLOWING))
    assert account.world.sent == 1
    assert [finding.verdict for finding in run.findings()] == [Verdict.AGREES] * len(FOLLOWING)


@pytest.mark.long
def test_a_stack_as_predicted_agrees_in_every_check() -> None:
    """From the first check to the deletion."""
    account = FakeAccount(NotificationEmail="ada@example.org")
    findings = a_run(account, CHECKS).findings()
    assert {one.check.name: one.verdict for one in findings} == dict.fromkeys(
        (check.name for check in CHECKS), Verdict.AGREES
    )


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.name)
def test_a_check_that_has_seen_nothing_never_agrees(check: object) -> None:
    """Such as one that was not reached before an interruption."""
    run = Run(a_target(FakeAccount(NotificationEmail="ada@example.org")), (check,))  # type: ignore[arg-type]  # a Check
    (finding,) = run.findings()
    assert finding.rows
    assert finding.verdict is not Verdict.AGREES


def test_what_was_observed_already_is_not_observed_again() -> None:
    """As for a run that is resumed."""
    account = FakeAccount()
    run = Run(a_target(account), named("zero"), {"message": {"finished": False, DONE: True}})
    run.observe(account, account.clock(), lambda _name, _line: None)
    assert account.world.sent == 0
    assert run.findings()[0].verdict is Verdict.DIFFERS


def test_a_refused_action_ends_its_check_alone() -> None:
    """The next check is observed all the same."""
    account = FakeAccount()
    account.refused["sqs:SendMessage"] = "AccessDenied"
    steps, zero = a_run(account, named("steps", "zero")).findings()
    assert steps.verdict is Verdict.AGREES
    assert zero.verdict is Verdict.NOT_OBSERVED
    assert "AccessDenied" in zero.rows[0].note


def test_progress_names_the_checks_that_an_observation_is_for() -> None:
    """The names are those of --only; several checks share one observation."""
    account = FakeAccount()
    said: list[tuple[str, str]] = []
    run = Run(a_target(account), named("stack", "delay", "cause"))
    run.observe(account, account.clock(), lambda names, line: said.append((names, line)))
    begun = [names for names, line in said if line == "begins"]
    assert begun == ["stack", "delay, cause"]
    assert {names for names, _ in said} == set(begun)
