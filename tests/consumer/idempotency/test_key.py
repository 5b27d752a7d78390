"""Tests of the keys by which messages count as the same."""

from __future__ import annotations

import pytest

from consumer.delivery import Delivery
from consumer.idempotency.key import IdempotencyKey
from shared.errors import InvalidMessageError
from shared.queue import ReceivedMessage

BODY = '{"order":{"id":7,"paid":true},"customer":"c-1","lines":[]}'


def delivery(body: str = BODY) -> Delivery:
    """Build a delivery with everything that a key can name."""
    received = ReceivedMessage(
        "id-1",
        "receipt-1",
        body,
        1,
        0.0,
        attributes={"tenant": "acme", "raw": b"\x01"},
        system={"MessageGroupId": "A", "MessageDeduplicationId": "d-1"},
    )
    return Delivery(1, received, 0.0, body)


@pytest.mark.parametrize(
    ("template", "key"),
    [
        ("{@message_id}", "id-1"),
        ("{order.id}", "7"),
        ("{customer}-{order.id}-{order.paid}", "c-1-7-true"),
        ("{@group_id}/{@deduplication_id}", "A/d-1"),
        ("{@attribute.tenant}:{@attribute.raw}", "acme:01"),
        ("{{{customer}}}", "{c-1}"),
    ],
    ids=["message-id", "nested-field", "several-fields", "system", "attributes", "braces"],
)
def test_a_key_is_the_template_with_its_fields(template: str, key: str) -> None:
    """The queue's name is before it, so that queues can share a table."""
    assert IdempotencyKey(template, "orders").of(delivery()) == f"orders#{key}"


def test_a_long_key_is_replaced_by_its_hash() -> None:
    """DynamoDB's keys have a longest size, bodies have a much longer one."""
    key = IdempotencyKey("{text}", "orders").of(delivery(f'{{"text":"{"x" * 600}"}}'))
    assert len(key) == len("orders#") + 64


@pytest.mark.parametrize(
    ("template", "body", "reason"),
    [
        ("{order.number}", BODY, "no field `order.number`"),
        ("{order}", BODY, "no field `order`"),
        ("{lines}", BODY, "no field `lines`"),
        ("{customer}", '{"customer":""}', "no field `customer`"),
        ("{customer}", "hello", "no field `customer`"),
        ("{customer}", "[" * 100_000, "no field `customer`"),
        ("{@attribute.absent}", BODY, "no field `@attribute.absent`"),
    ],
    ids=["absent", "object", "list", "empty", "no-json", "deep-json", "no-attribute"],
)
def test_a_message_without_a_field_of_the_key_is_invalid(
    template: str, body: str, reason: str
) -> None:
    """Without a key it could not be told from its copies."""
    with pytest.raises(InvalidMessageError, match=reason):
        IdempotencyKey(template, "orders").of(delivery(body))


@pytest.mark.parametrize(
    ("template", "reason"),
    [
        ("order", "no field"),
        ("{}", "names of fields alone"),
        ("{id:>10}", "names of fields alone"),
        ("{id!r}", "names of fields alone"),
        ("{id", "expected '}'"),
        ("{@sender}", "none of @message_id"),
        ("{@attribute.}", "none of @message_id"),
    ],
    ids=["constant", "empty", "format", "conversion", "open", "unknown", "no-attribute-name"],
)
def test_a_wrong_template_is_refused_with_a_reason(template: str, reason: str) -> None:
    """At the start, with the other settings."""
    with pytest.raises(ValueError, match=reason):
        IdempotencyKey(template, "orders")
