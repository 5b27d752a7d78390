"""The bench: a check does what it has announced and nothing else, and its notes are kept."""

from __future__ import annotations

import pytest
from support.builders.verifications import a_target
from support.fakes.account import FakeAccount

from tidemill.verify.bench import Bench, why_missing
from tidemill.verify.ports import RefusedError

READ = "sts:GetCallerIdentity"


def a_bench(account: FakeAccount, *calls: str) -> tuple[Bench, list[str]]:
    """Return a bench with these actions, and its progress."""
    said: list[str] = []
    return Bench(account, account.clock(), a_target(account), calls, said.append), said


def test_an_action_that_was_not_announced_is_never_called() -> None:
    """What the user has agreed to is what was announced."""
    account = FakeAccount()
    bench, _ = a_bench(account, READ)
    account.calls.clear()
    with pytest.raises(AssertionError, match="cloudformation:DeleteStack was not announced"):
        bench.call("cloudformation:DeleteStack", StackName="tidemill")
    assert account.calls == []
    assert bench.call(READ)["Account"]


def test_a_refusal_is_noted_with_its_reason() -> None:
    """`ask` continues without an answer, `call` does not."""
    account = FakeAccount()
    bench, _ = a_bench(account, READ)
    account.refused[READ] = "Throttling"
    assert bench.ask(READ) is None
    assert why_missing(bench.seen, READ) == f"{READ}: Throttling"
    assert why_missing(bench.seen, "sqs:SendMessage", otherwise="no line") == "no line"
    with pytest.raises(RefusedError):
        bench.call(READ)


def test_the_first_note_of_a_name_stays() -> None:
    """A moment is when something was first seen, and it is reported once."""
    account = FakeAccount()
    bench, said = a_bench(account)
    bench.moment("in_service")
    first = bench.seen["in_service"]
    account.go(10)
    bench.moment("in_service")
    assert (bench.seen["in_service"], said) == (first, ["in service"])


@pytest.mark.parametrize(("after", "found"), [(20, True), (61, False)], ids=["in time", "late"])
def test_a_wait_ends_when_its_condition_holds_or_its_time_is_over(
    after: float, *, found: bool
) -> None:
    """The result says which of the two it was, and the progress what was awaited."""
    account = FakeAccount()
    bench, said = a_bench(account)
    start = account.world.now
    assert bench.wait("it", 60, lambda: account.world.now >= start + after) is found
    assert said[0] == "waiting up to 1 min: it"
    assert account.world.now - start == (after if found else 60)


def test_a_long_wait_is_reported_every_other_minute() -> None:
    """So that nobody thinks that it hangs."""
    account = FakeAccount()
    bench, said = a_bench(account)
    assert not bench.wait("it", 500, lambda: False)
    assert said == [
        "waiting up to 8 min: it",
        *(f"{minutes} min: still waiting: it" for minutes in (2, 4, 6, 8)),
        "not in time: it",
    ]
