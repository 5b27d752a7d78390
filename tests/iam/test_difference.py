"""What a change of a policy means."""

from __future__ import annotations

from dataclasses import replace

import pytest

from tidemill.iam.difference import Verdict, covers, difference
from tidemill.iam.grants import Grant

QUEUE = "${Queue.Arn}"
BASE = Grant("Role", "Allow", "", "sqs:SendMessage", QUEUE, "", "")
DENIAL = replace(BASE, effect="Deny", action="sqs:*")
BOUNDARY = replace(BASE, effect="Limit", action="(no more than the boundary)")
LIMITED = replace(BASE, condition='{"Bool": {"aws:SecureTransport": "true"}}')
SOMETIMES = replace(BASE, present="if Fifo")


def verdicts(old: set[Grant], new: set[Grant]) -> set[tuple[str, bool, Verdict]]:
    """Return action, added and verdict of each change."""
    return {(one.grant.action, one.added, one.verdict) for one in difference(old, new)}


@pytest.mark.parametrize(
    ("old", "new", "wider"),
    [
        (set(), {BASE}, True),
        ({BASE}, set(), False),
        ({BASE}, {replace(BASE, action="sqs:*")}, True),
        ({replace(BASE, action="sqs:*")}, {BASE}, False),
        ({BASE}, {replace(BASE, resource="*")}, True),
        ({replace(BASE, resource="arn:x:*")}, {replace(BASE, resource="arn:x:y")}, False),
        ({BASE}, {replace(BASE, action="SQS:sendmessage")}, False),
        ({LIMITED}, {BASE}, True),
        ({BASE}, {LIMITED}, False),
        ({LIMITED}, {replace(LIMITED, condition="{}")}, True),
        ({SOMETIMES}, {BASE}, True),
        ({BASE}, {SOMETIMES}, False),
        ({BASE}, {replace(BASE, subject="Other")}, True),
        ({replace(BASE, principal="AWS *")}, {replace(BASE, principal="AWS 1")}, False),
        ({replace(BASE, principal="AWS 1")}, {replace(BASE, principal="AWS *")}, True),
        ({DENIAL}, set(), True),
        (set(), {DENIAL}, False),
        ({BOUNDARY}, set(), True),
        (set(), {BOUNDARY}, False),
        ({replace(BASE, action="not sqs:*")}, {replace(BASE, action="not sqs:a")}, True),
        ({replace(BASE, action="sqs:*")}, {replace(BASE, action="not sqs:a")}, True),
    ],
    ids=str,
)
def test_a_change_is_wider_if_somebody_may_do_more(
    old: set[Grant], new: set[Grant], *, wider: bool
) -> None:
    """What cannot be decided counts as wider."""
    assert (Verdict.WIDER in {one.verdict for one in difference(old, new)}) is wider


def test_what_another_grant_still_allows_is_the_same() -> None:
    """An action that a wildcard replaces is not lost, only written otherwise."""
    assert verdicts({BASE}, {replace(BASE, action="sqs:Send*")}) == {
        ("sqs:SendMessage", False, Verdict.SAME),
        ("sqs:Send*", True, Verdict.WIDER),
    }


def test_the_same_grants_have_no_difference() -> None:
    """Whatever their order."""
    assert difference({BASE, LIMITED}, {LIMITED, BASE}) == []


def test_a_wildcard_is_not_a_regular_expression() -> None:
    """Dots and brackets mean themselves."""
    assert covers(replace(BASE, resource="arn:a.b[1]*"), replace(BASE, resource="arn:a.b[1]/x"))
    assert not covers(replace(BASE, resource="arn:a.b*"), replace(BASE, resource="arn:aXb"))
    assert covers(replace(BASE, resource="a?c*"), replace(BASE, resource="abc"))
