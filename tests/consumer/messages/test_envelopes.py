"""Tests of unwrapping, on the examples that AWS publishes, and on bodies that are anything."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from support.examples.envelopes import CONFIRMATION, EVENT, NOTIFICATION, RECORD, TEST_EVENT
from support.fakes.consuming import CIVIC, message

from consumer.attempt import AttemptResult
from consumer.messages.envelopes import AUTO, EVENTBRIDGE, NONE, S3, SNS, Opened, unwrap

ENVELOPES = [NONE, AUTO, SNS, EVENTBRIDGE, S3]


def opened(envelope: str, body: object) -> Opened:
    """Unwrap a body, which is JSON unless it is a text."""
    return unwrap(envelope, message(1, body if isinstance(body, str) else json.dumps(body)))


def within_sns(body: object, **fields: object) -> dict[str, Any]:
    """Return SNS's notification with this message."""
    return {**NOTIFICATION, "Message": json.dumps(body), **fields}


@pytest.mark.parametrize("body", [CIVIC, "hello", json.dumps(NOTIFICATION), "{", ""])
def test_without_an_envelope_a_body_stays_as_it_is(body: str) -> None:
    """ENVELOPE's default changes nothing, whatever the body looks like."""
    received = message(1, body)
    assert unwrap(NONE, received) == Opened(received, body)


@pytest.mark.parametrize("envelope", [SNS, AUTO])
def test_a_notification_of_sns_holds_its_message(envelope: str) -> None:
    """The body is SNS's Message; topic and subject are attributes."""
    found = opened(envelope, NOTIFICATION)
    assert (found.body, found.envelope, found.result) == ("Hello world!", "sns", None)
    assert found.received.attributes == {
        "TopicArn": "arn:aws:sns:us-west-2:123456789012:MyTopic",
        "Subject": "Testing publish to subscribed queues",
    }


def test_attributes_of_sns_become_the_messages() -> None:
    """Binary ones are bytes, as SQS's own; an attribute of the message itself has precedence."""
    attributes = {
        "type": {"Type": "String", "Value": "order"},
        "amount": {"Type": "Number", "Value": "4.20"},
        "tags": {"Type": "String.Array", "Value": '["a"]'},
        "key": {"Type": "Binary", "Value": "AP8="},
        "mine": {"Type": "Number", "Value": "1"},
    }
    received = msgspec.structs.replace(
        message(1, json.dumps({**NOTIFICATION, "MessageAttributes": attributes})),
        attributes={"mine": "from SQS"},
    )
    found = unwrap(SNS, received).received
    assert found.attributes.items() >= {
        ("type", "order"),
        ("amount", "4.20"),
        ("tags", '["a"]'),
        ("key", b"\x00\xff"),
        ("mine", "from SQS"),
    }
    assert found.attribute_types.items() >= {("amount", "Number"), ("tags", "String.Array")}
    assert found.body == received.body


@pytest.mark.parametrize("envelope", [EVENTBRIDGE, AUTO])
def test_an_event_of_eventbridge_holds_its_detail(envelope: str) -> None:
    """The detail stays as it was written; what kind of event it is, is in the attributes."""
    body = json.dumps(EVENT).replace('"state": ', '"state":   ')
    found = opened(envelope, body)
    assert found.body == '{"instance-id": "i-1234567890abcdef0", "state":   "terminated"}'
    assert (found.envelope, found.result) == ("eventbridge", None)
    assert found.received.attributes == {
        "id": EVENT["id"],
        "detail-type": EVENT["detail-type"],
        "source": "aws.ec2",
        "time": EVENT["time"],
    }


@pytest.mark.parametrize("envelope", [S3, AUTO])
def test_a_notification_of_s3_holds_its_record(envelope: str) -> None:
    """The body is the one record, as S3 wrote it."""
    found = opened(envelope, {"Records": [RECORD]})
    assert json.loads(found.body) == RECORD
    assert (found.envelope, found.result) == ("s3", None)


@pytest.mark.parametrize(
    ("inner", "envelope", "body"),
    [
        pytest.param({"Records": [RECORD]}, "sns+s3", RECORD, id="S3"),
        pytest.param(EVENT, "sns+eventbridge", EVENT["detail"], id="EventBridge"),
        pytest.param({"Records": [1]}, "sns", {"Records": [1]}, id="neither"),
        pytest.param(NOTIFICATION, "sns", NOTIFICATION, id="another notification"),
    ],
)
def test_auto_also_opens_what_is_inside_of_sns(inner: object, envelope: str, body: object) -> None:
    """S3 and EventBridge may reach a queue through a topic; SNS in SNS is somebody's message."""
    found = opened(AUTO, within_sns(inner))
    assert (found.envelope, json.loads(found.body), found.result) == (envelope, body, None)
    assert found.received.attributes["TopicArn"] == NOTIFICATION["TopicArn"]
    outer = opened(SNS, within_sns(inner))
    assert (outer.envelope, outer.body) == ("sns", json.dumps(inner))


@pytest.mark.parametrize(
    ("envelope", "body", "named"),
    [
        pytest.param(S3, TEST_EVENT, "s3", id="s3"),
        pytest.param(AUTO, TEST_EVENT, "s3", id="auto"),
        pytest.param(AUTO, within_sns(TEST_EVENT), "sns+s3", id="inside of SNS"),
    ],
)
def test_a_test_event_of_s3_is_done_without_a_handler(
    envelope: str, body: object, named: str
) -> None:
    """S3 sends one whenever a notification is configured, and no handler has anything to do."""
    found = opened(envelope, body)
    assert (found.result, found.envelope) == (AttemptResult.PROCESSED, named)
    assert found.reason == "a test event of S3's bucket amzn-s3-demo-bucket: nothing to handle"


@pytest.mark.parametrize(
    ("envelope", "body", "reason"),
    [
        pytest.param(SNS, "hello", "not a notification of SNS: JSON is malformed", id="no JSON"),
        pytest.param(SNS, "", "not a notification of SNS: Input data was truncated", id="empty"),
        pytest.param(SNS, CIVIC, "missing required field `Type`", id="SNS: a vehicle"),
        pytest.param(SNS, EVENT, "missing required field `Type`", id="SNS: an event"),
        pytest.param(SNS, {**NOTIFICATION, "Type": "Other"}, "Type is 'Other'", id="SNS: a type"),
        pytest.param(
            SNS, {**NOTIFICATION, "Message": 3}, "got `int` - at `$.Message`", id="SNS: a message"
        ),
        pytest.param(SNS, CONFIRMATION, "confirm it at its SubscribeURL", id="SNS: confirmation"),
        pytest.param(AUTO, CONFIRMATION, "a SubscriptionConfirmation", id="auto: confirmation"),
        pytest.param(
            SNS,
            {**NOTIFICATION, "MessageAttributes": {"k": {"Type": "Binary", "Value": "?"}}},
            "attribute 'k' of a notification of SNS is not base64",
            id="SNS: not base64",
        ),
        pytest.param(EVENTBRIDGE, NOTIFICATION, "not an event of EventBridge", id="EventBridge"),
        pytest.param(
            EVENTBRIDGE,
            {name: value for name, value in EVENT.items() if name != "detail"},
            "missing required field `detail`",
            id="EventBridge: no detail",
        ),
        pytest.param(S3, EVENT, "missing required field `Records`", id="S3: an event"),
        pytest.param(S3, {"Records": []}, "with 0 records", id="S3: no record"),
        pytest.param(S3, {"Records": [RECORD] * 3}, "with 3 records", id="S3: several records"),
        pytest.param(AUTO, {"Records": [RECORD] * 2}, "with 2 records", id="auto: several records"),
        pytest.param(
            S3,
            {"Records": [{**RECORD, "eventSource": "aws:ses"}]},
            "eventSource is 'aws:ses'",
            id="S3: another service",
        ),
    ],
)
def test_a_body_of_another_form_is_invalid_with_a_reason(
    envelope: str, body: object, reason: str
) -> None:
    """The reason names the form that ENVELOPE asks for, and what differs."""
    found = opened(envelope, body)
    assert found.result is AttemptResult.INVALID
    assert reason in (found.reason or "")
    assert found.body == found.received.body


@pytest.mark.parametrize(
    "body",
    [
        pytest.param(CIVIC, id="a vehicle"),
        pytest.param("hello", id="text"),
        pytest.param('{"TopicArn": "mine"}', id="a field of SNS's name"),
        pytest.param('{"Type": "Notification", "Message": "mine"}', id="half a notification"),
        pytest.param('{"detail-type": "mine", "detail": {}}', id="half an event"),
        pytest.param('{"Records": [{"eventSource": "aws:ses", "s3": {}}]}', id="other records"),
        pytest.param('{"note": "\\"TopicArn\\" \\"detail-type\\" \\"s3"}', id="a text with marks"),
    ],
)
def test_auto_leaves_other_bodies_as_they_are(body: str) -> None:
    """A queue may get messages of several kinds."""
    received = message(1, body)
    assert unwrap(AUTO, received) == Opened(received, body)


PARTS = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text()
    | st.sampled_from([NOTIFICATION, EVENT, RECORD, TEST_EVENT, CONFIRMATION, json.dumps(EVENT)]),
    lambda part: st.lists(part) | st.dictionaries(st.text(), part),
)


@st.composite
def damaged(draw: st.DrawFn) -> str:
    """Draw an envelope with fields replaced, then perhaps cut off."""
    whole = draw(st.sampled_from([NOTIFICATION, EVENT, {"Records": [RECORD]}, TEST_EVENT]))
    names = st.sampled_from([*whole, "MessageAttributes"])
    text = json.dumps(whole | draw(st.dictionaries(names, PARTS, max_size=3)))
    return text[: draw(st.integers(0, len(text)))] if draw(st.booleans()) else text


@given(
    envelope=st.sampled_from(ENVELOPES),
    body=damaged() | PARTS.map(json.dumps) | st.text() | st.just("[" * 100_000) | st.just("\ud800"),
)
def test_no_body_makes_unwrapping_raise(envelope: str, body: str) -> None:
    """Whatever a body is, it is unwrapped, stays as it is, or ends with a reason."""
    found = opened(envelope, body)
    assert isinstance(found.body, str)
    assert (found.result is None) == (found.reason is None)
    if found.envelope is None:
        assert found.body == body
