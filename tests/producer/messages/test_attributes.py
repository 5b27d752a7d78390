"""Tests of attributes: what SQS accepts, and what it counts."""

from __future__ import annotations

from typing import Any

import pytest

from producer.messages.attributes import from_json, read_option, size
from shared.errors import InvalidMessageError


@pytest.mark.parametrize(
    ("given", "read"),
    [
        ("type=order", ("type", "String", "order")),
        ("traceparent=00-4bf9-00f0-01", ("traceparent", "String", "00-4bf9-00f0-01")),
        ("n:Number=5", ("n", "Number", "5")),
        ("n:Number.int=5", ("n", "Number.int", "5")),
        ("n:Number=-0.00", ("n", "Number", "-0.00")),
        ("n:Number=230.000000000000000001", ("n", "Number", "230.000000000000000001")),
        ("n:Number=1e126", ("n", "Number", "1e126")),
        ("a.b=c=d", ("a.b", "String", "c=d")),
    ],
)
def test_an_option_is_name_type_and_value(given: str, read: tuple[str, str, str]) -> None:
    """A value may hold an equals sign; the type is String unless it is given."""
    assert read_option(given) == read


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("type", "give NAME=VALUE"),
        ("=x", "attribute name ''"),
        ("a=", "is empty"),
        ("AWS.x=1", "attribute name"),
        ("amazon.x=1", "attribute name"),
        (".a=1", "attribute name"),
        ("a..b=1", "attribute name"),
        ("a b=1", "attribute name"),
        ("x" * 257 + "=1", "attribute name"),
        ("a:Binary=1", "neither String nor Number"),
        ("a=\x01", "U+0001"),
        ("a:Number=abc", "no number"),
        ("a:Number=1_000", "no number"),
        ("a:Number.int=NaN", "no number"),
        ("a:Number=\u0663", "no number"),
        ("a:Number=1e127", "no number"),
        ("a:Number=1e-129", "no number"),
        ("a:Number=" + "1" * 39, "no number"),
    ],
)
def test_what_sqs_would_refuse_is_refused_before(given: str, reason: str) -> None:
    """The rules are those of AWS's page about message metadata."""
    with pytest.raises(ValueError, match=r".") as caught:
        read_option(given)

    assert reason in str(caught.value)


def test_attributes_of_a_line_are_texts_and_numbers() -> None:
    """A number is sent as such."""
    assert from_json({"type": "order", "n": 5, "x": 1.5}) == (
        {"type": "order", "n": "5", "x": "1.5"},
        {"n": "Number", "x": "Number"},
    )


@pytest.mark.parametrize(
    "given", [[], "x", {"a": None}, {"a": True}, {"a": ""}, {"a": [1]}, {"a": 1e200}]
)
def test_anything_else_is_invalid(given: Any) -> None:  # noqa: ANN401 - any JSON
    """SQS has no such attributes."""
    with pytest.raises(InvalidMessageError):
        from_json(given)


def test_the_size_is_that_of_names_types_and_values() -> None:
    """SQS counts all three, in UTF-8 ("Amazon SQS message metadata")."""
    values: dict[str, str | bytes] = {"ab": "ä", "n": "12", "bin": b"xyz"}

    assert size(values, {"n": "Number", "bin": "Binary"}) == (2 + 6 + 2) + (1 + 6 + 2) + (3 + 6 + 3)
