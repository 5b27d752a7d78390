"""What each kind of fault of calls does to one call, and the answers that callers get."""

from __future__ import annotations

import json
from random import Random
from typing import TYPE_CHECKING, Final

import pytest

from tidemill.rig.chaos.answers import CLOCK, ERRORS, EXPIRED, NONSENSE, REFUSALS, THROTTLED
from tidemill.rig.chaos.treatment import TREATMENTS, UNTREATED, Treatment, treat
from tidemill.rig.door.calls import Request
from tidemill.scaling.fault_kinds import KINDS, Target
from tidemill.scaling.faults import Fault

if TYPE_CHECKING:
    from tidemill.rig.chaos.answers import Answer

JSON_CALL: Final = (("content-type", "application/x-amz-json-1.0"),)
OF_SQS: Final = [name for name in TREATMENTS if name.startswith("sqs-")]


def treatments(fault: Fault, service: str = "sqs") -> set[Treatment]:
    """Return what a fault does to a hundred calls."""
    random = Random(1)  # noqa: S311 - not for secrets
    return {treat(fault, service, random) for _ in range(100)}


def test_every_kind_of_fault_of_calls_has_a_treatment() -> None:
    """The table of kinds promises it."""
    assert TREATMENTS.keys() == {
        name for name, kind in KINDS.items() if kind.target is Target.CALLER
    }


@pytest.mark.parametrize("kind", OF_SQS)
def test_a_fault_of_sqs_concerns_sqs_alone(kind: str) -> None:
    """A call of CloudWatch Logs is not treated."""
    assert treatments(Fault(kind), "logs") == {UNTREATED}
    assert treatments(Fault(kind)) != {UNTREATED}


@pytest.mark.parametrize("kind", ["credentials-expired", "clock-wrong", "network-cut"])
def test_a_caller_without_credentials_clock_or_network_reaches_no_service(kind: str) -> None:
    """AWS acts on none of its calls."""
    for service in ("sqs", "logs", "dynamodb"):
        assert not any(one.acts for one in treatments(Fault(kind), service))


def test_a_fault_of_logs_concerns_logs_alone() -> None:
    """A call of SQS is not treated."""
    assert treatments(Fault("logs-down"), "sqs") == {UNTREATED}
    assert treatments(Fault("logs-down"), "logs") != {UNTREATED}


def test_a_cut_network_lets_nothing_through_until_it_is_over() -> None:
    """The connection ends then, without an answer."""
    assert treatments(Fault("network-cut")) == {Treatment(acts=False, cut=True, held=True)}


def test_a_lossy_network_loses_calls_and_answers() -> None:
    """It loses a share of them; AWS may have acted or not."""
    found = treatments(Fault("network-lossy", parameters={"share": 0.5}))
    assert found == {UNTREATED, Treatment(cut=True), Treatment(acts=False, cut=True)}
    assert treatments(Fault("network-lossy", parameters={"share": 0.0})) == {UNTREATED}


def test_a_forgetful_sqs_has_always_acted() -> None:
    """Only its answers are lost."""
    found = treatments(Fault("sqs-forgetful", parameters={"share": 1.0}))
    assert found == {Treatment(cut=True)}


@pytest.mark.parametrize(
    ("kind", "treatment"),
    [
        pytest.param("network-slow", Treatment(late_before=7.0), id="before-aws-acts"),
        pytest.param("sqs-slow", Treatment(late_after=7.0), id="after-it-has-acted"),
    ],
)
def test_what_is_slow_is_late_by_so_many_seconds(kind: str, treatment: Treatment) -> None:
    """A slow network delays the call, a slow SQS its answer."""
    assert treatments(Fault(kind, parameters={"late_seconds": 7.0})) == {treatment}


@pytest.mark.parametrize(
    ("kind", "answers"),
    [
        ("sqs-errors", ERRORS),
        ("sqs-refusals", REFUSALS),
        ("sqs-throttled", THROTTLED),
        ("sqs-lying", NONSENSE),
    ],
)
def test_each_answer_of_a_kind_occurs_and_nothing_has_been_done(
    kind: str, answers: tuple[Answer, ...]
) -> None:
    """With a share of 1 every call is concerned."""
    found = treatments(Fault(kind))
    assert {one.answer for one in found} == set(answers)
    assert not any(one.acts for one in found)


def test_the_answers_have_the_statuses_that_the_kinds_promise() -> None:
    """Errors have 5xx, refusals 3xx and 4xx, nonsense has 200."""
    request = Request("POST", "/", JSON_CALL, b"{}")

    def statuses(answers: tuple[Answer, ...]) -> list[int]:
        return sorted(answer(request).status for answer in answers)

    assert statuses(ERRORS) == [500, 503, 503]
    assert statuses(REFUSALS) == [301, 400, 408, 413, 429]
    assert set(statuses(NONSENSE)) == {200}
    assert EXPIRED(request).status == 403
    assert json.loads(EXPIRED(request).body)["__type"] == "ExpiredToken"
    assert json.loads(CLOCK(request).body)["message"].startswith("Signature expired: ")


def test_a_throttled_batch_names_each_of_its_entries() -> None:
    """A call without entries is refused as a whole."""
    *_, entries = THROTTLED
    body = json.dumps({"Entries": [{"Id": "a"}, {"Id": "b"}]}).encode()
    reply = entries(Request("POST", "/", JSON_CALL, body))
    failed = json.loads(reply.body)["Failed"]
    assert (reply.status, [one["Id"] for one in failed]) == (200, ["a", "b"])
    alone = entries(Request("POST", "/", JSON_CALL, b"{}"))
    assert (alone.status, json.loads(alone.body)["__type"]) == (400, "ThrottlingException")
