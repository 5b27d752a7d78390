"""Tests of ids made of a message's fields."""

from __future__ import annotations

from typing import Any

import pytest

from producer.messages.template_text import TemplateText
from shared.errors import InvalidMessageError

ORDER = {"id": "A-1", "customer": {"id": 7, "vip": True}, "total": 9.5, "note": None, "lines": []}


@pytest.mark.parametrize(
    ("template", "text"),
    [
        ("{id}", "A-1"),
        ("order-{id}/{customer.id}", "order-A-1/7"),
        ("{customer.vip}{total}", "true9.5"),
        ("orders", "orders"),
        ("{{{id}}}", "{A-1}"),
    ],
)
def test_fields_are_put_in_their_places(template: str, text: str) -> None:
    """Fields of objects within are named with dots."""
    assert TemplateText(template).render(ORDER, "group id") == text


@pytest.mark.parametrize(
    ("template", "fields", "reason"),
    [
        ("{nope}", ORDER, "no field `nope` for the group id"),
        ("{customer.nope}", ORDER, "no field `customer.nope`"),
        ("{id.deep}", ORDER, "no field `id.deep`"),
        ("{note}", ORDER, "`note` cannot be in the group id"),
        ("{lines}", ORDER, "`lines` cannot be"),
        ("{id}", [1], "no field `id`"),
        ("{id}", {"id": "a b"}, "SQS does not accept the group id 'a b'"),
        ("{id}", {"id": ""}, "SQS does not accept the group id ''"),
        ("{id}", {"id": "x" * 129}, "SQS does not accept the group id 'xxxx"),
        ("{id}", {"id": "ä"}, "SQS does not accept the group id 'ä'"),
    ],
)
def test_a_message_without_the_field_is_invalid(template: str, fields: Any, reason: str) -> None:  # noqa: ANN401 - any JSON
    """The reason names field and id."""
    with pytest.raises(InvalidMessageError) as caught:
        TemplateText(template).render(fields, "group id")

    assert reason in str(caught.value)


@pytest.mark.parametrize("template", ["", "{}", "{id", "id}", "{id:>3}", "{id!r}"])
def test_a_template_that_is_none_is_refused(template: str) -> None:
    """So is a format: an id is the text as it stands."""
    with pytest.raises(ValueError, match=r"."):
        TemplateText(template)
