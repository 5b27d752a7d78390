"""Tests of the evaluation of policies that the tests of the template use."""

from __future__ import annotations

from typing import Any, Final

import pytest
from support.aws_rules.iam import Call, Decision, decide
from support.stack.calls import ACCOUNT, SOMEBODY, TLS, WORK_QUEUE, WORKER

CALL: Final = Call(WORKER, "sqs:ReceiveMessage", WORK_QUEUE, (TLS,))
ALLOW: Final = {"Effect": "Allow", "Action": "sqs:ReceiveMessage", "Resource": WORK_QUEUE}


@pytest.mark.parametrize(
    ("change", "decision"),
    [
        pytest.param({}, Decision.ALLOWED, id="exact"),
        pytest.param({"Action": "SQS:receive*"}, Decision.ALLOWED, id="pattern-in-any-case"),
        pytest.param({"Action": "sqs:Receive"}, Decision.NOT_ALLOWED, id="a-part-of-the-name"),
        pytest.param({"Resource": "*"}, Decision.ALLOWED, id="any-resource"),
        pytest.param(
            {"Resource": WORK_QUEUE.upper()},
            Decision.NOT_ALLOWED,
            id="resource-in-another-case",
        ),
        pytest.param({"Principal": {"AWS": WORKER}}, Decision.ALLOWED, id="named"),
        pytest.param({"Principal": {"AWS": [SOMEBODY]}}, Decision.NOT_ALLOWED, id="not-named"),
        pytest.param({"Effect": "Deny"}, Decision.DENIED, id="denied"),
        pytest.param(
            {"Condition": {"Bool": {"aws:SecureTransport": "true"}}},
            Decision.ALLOWED,
            id="condition-holds",
        ),
        pytest.param(
            {"Condition": {"Bool": {"aws:SecureTransport": "false"}}},
            Decision.NOT_ALLOWED,
            id="condition-does-not-hold",
        ),
        pytest.param(
            {"Condition": {"StringEquals": {"aws:SourceAccount": ACCOUNT}}},
            Decision.NOT_ALLOWED,
            id="condition-on-what-is-not-there",
        ),
    ],
)
def test_it_decides_as_iam_does(change: dict[str, Any], decision: Decision) -> None:
    """Each case tests one rule."""
    assert decide([ALLOW | change], CALL) is decision


def test_a_denial_wins() -> None:
    """It overrides every permission, in any order."""
    both = [ALLOW, ALLOW | {"Effect": "Deny"}]
    assert decide(both, CALL) is decide(both[::-1], CALL) is Decision.DENIED


@pytest.mark.parametrize(
    "change",
    [
        pytest.param({"NotAction": "sqs:*"}, id="element"),
        pytest.param({"Condition": {"StringLike": {"aws:SecureTransport": "*"}}}, id="operator"),
    ],
)
def test_unknown_elements_are_refused(change: dict[str, Any]) -> None:
    """A policy with an unknown element or operator fails the tests."""
    with pytest.raises(ValueError, match="unknown"):
        decide([ALLOW | change], CALL)
