"""Builders of verifications: runs of checks against the fake account."""

from __future__ import annotations

from typing import TYPE_CHECKING

from support.builders.fleets import product_template
from support.fakes.account import FakeAccount
from support.fakes.account_answers import STACK

from tidemill.verify.plan import CHECKS
from tidemill.verify.run import Run
from tidemill.verify.target import read_target

if TYPE_CHECKING:
    from collections.abc import Sequence

    from tidemill.verify.check import Check
    from tidemill.verify.finding import Row
    from tidemill.verify.run import Finding
    from tidemill.verify.target import Target

VEHICLE = '{"vehicleId": "VH1"}'


def named(*names: str) -> tuple[Check, ...]:
    """Return the checks with these names, in the plan's order."""
    chosen = tuple(check for check in CHECKS if check.name in names)
    assert len(chosen) == len(names), names
    return chosen


def a_target(account: FakeAccount, body: str | None = VEHICLE) -> Target:
    """Return the account's stack, seen with the product's template."""
    return read_target(account, product_template(), STACK, lambda _handler: body)


def a_run(account: FakeAccount, checks: Sequence[Check], body: str | None = VEHICLE) -> Run:
    """Return a run of these checks against the account, after its observations."""
    run = Run(a_target(account, body), checks)
    run.observe(account, account.clock(), lambda _name, _line: None)
    return run


def find(name: str, account: FakeAccount | None = None, body: str | None = VEHICLE) -> Finding:
    """Return the finding of one check against an account, by default one that agrees."""
    (finding,) = a_run(account or FakeAccount(), named(name), body).findings()
    return finding


def row(finding: Finding, part: str) -> Row:
    """Return the only row of a finding whose subject contains a text."""
    (found,) = [one for one in finding.rows if part in one.what]
    return found
