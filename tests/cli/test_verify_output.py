"""Output of a verification: costs by the table of prices, and what is said before anything runs."""

from __future__ import annotations

import math
import re
from pathlib import Path
from typing import TYPE_CHECKING

from support.builders.fleets import product_template
from support.builders.verifications import a_run, named
from support.fakes.account import FakeAccount

from tidemill.cli.verify_output import Output, dollars, observations
from tidemill.verify.check import Level, Use
from tidemill.verify.finding import Row, Verdict
from tidemill.verify.plan import CHECKS, chosen, left_out
from tidemill.verify.run import Finding
from tidemill.verify.target import planned_target

if TYPE_CHECKING:
    import pytest

PAGE = Path(__file__).parents[2] / "docs/first-hour.md"


def test_the_page_has_the_cost_and_the_duration() -> None:
    """Rounded up, minutes to tens, for the template's defaults, without free tiers."""
    target = planned_target(product_template())
    uses = [one.use(target) for one in observations(chosen([Level.READ, Level.ACT]))]
    minutes = 10 * math.ceil(sum(use.seconds for use in uses) / 600)
    cents = math.ceil(sum(map(dollars, uses)) * 100)
    said = re.search(r"up to (\d+) minutes and (\d+) US cents", PAGE.read_text(encoding="utf-8"))
    assert said is not None
    assert tuple(map(int, said.groups())) == (minutes, cents)


def test_an_observation_is_paid_once() -> None:
    """Four checks judge the same message."""
    following = named("delay", "stages", "cause", "zero")
    assert [one.name for one in observations(following)] == ["message"]


def test_what_costs_nothing_is_free() -> None:
    """An instance-hour costs what the table of prices says."""
    assert dollars(Use()) == 0
    assert dollars(Use(instance_seconds=7200)) > 2 * 0.0168


def test_everything_is_said_before_it_is_done(capsys: pytest.CaptureFixture[str]) -> None:
    """Place, identity, each check with duration and cost, what is left out, and permissions."""
    account = FakeAccount()
    run = a_run(account, ())
    show = Output(as_json=False)
    levels = [Level.READ, Level.ACT]
    show.announce(run.target, chosen(levels), left_out(levels), {})
    said = capsys.readouterr().err
    assert "stack tidemill in eu-west-1, account 123456789012, as arn:aws:iam::" in said
    assert all(check.name in said for check in CHECKS)
    assert "left out: overnight (waits seven hours: --overnight), delete (deletes" in said
    assert "autoscaling:ExecutePolicy" in said
    assert "cloudformation:DeleteStack" not in said
    assert "not an answer of AWS" not in said


def test_rows_that_differ_come_first(capsys: pytest.CaptureFixture[str]) -> None:
    """Each row has its verdict; the rest keep their order."""
    verdicts = [Verdict.AGREES, Verdict.NOT_OBSERVED, Verdict.DIFFERS, Verdict.AGREES]
    rows = tuple(Row(f"row {i}", "1", "1", verdict) for i, verdict in enumerate(verdicts))
    Output(as_json=False).findings([Finding(CHECKS[0], rows)])
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if "row" in line] == [
        "  differs: row 2",
        "  not observed: row 1",
        "  agrees: row 0",
        "  agrees: row 3",
    ]


def test_a_difference_is_shown_with_its_remedy(capsys: pytest.CaptureFixture[str]) -> None:
    """Expected above observed, and the counts of verdicts at the end."""
    account = FakeAccount()
    account.answers["ecr:DescribeImages"] = {"imageDetails": []}
    run = a_run(account, named("stack", "image", "people"))
    Output(as_json=False).findings(run.findings())
    said = capsys.readouterr().out
    assert "differs image: " in said
    assert "    expected  there\n    observed  not there\n" in said
    assert "  differs: " in said
    assert "  agrees: " in said
    assert "what to do: Run `make push`" in said
    assert "nobody" in said
    assert said.endswith("checks: 1 agrees, 1 differs, 1 not observed\n")
