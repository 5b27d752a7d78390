"""Editing bodies."""

from __future__ import annotations

import pytest

from shared.quotas import MAX_BYTES
from tidemill.dead_letters.editing import check_body, difference, with_fields
from tidemill.dead_letters.errors import DeadLetterError


@pytest.mark.parametrize(
    ("body", "changes", "wanted"),
    [
        ('{"a":1,"b":"ü"}', ["a=2"], '{"a":2,"b":"ü"}'),
        ('{"a": 1}', ["b=text"], '{"a": 1, "b": "text"}'),
        ('{"a":{"b":1}}', ["a.b=null", "a.c=[1,2]"], '{"a":{"b":null,"c":[1,2]}}'),
        ('{"a":"1"}', ['a="7"'], '{"a":"7"}'),
        ('{"n":12345678901234567890123}', ["a=x=y"], '{"n":12345678901234567890123,"a":"x=y"}'),
    ],
)
def test_a_field_is_set_to_json_or_to_a_text(body: str, changes: list[str], wanted: str) -> None:
    """Everything else stays, also the kind of spaces and long numbers."""
    assert with_fields(body, changes) == wanted


@pytest.mark.parametrize(
    ("body", "change", "message"),
    [
        ("no JSON", "a=1", "the body is no JSON"),
        ("[1]", "a=1", "no object that holds a"),
        ('{"a":1}', "a.b=1", "no object that holds b"),
        ('{"a":1}', "x.b=1", "no object that holds b"),
        ("{}", "a", "give FIELD=VALUE"),
        ("{}", "=1", "give FIELD=VALUE"),
    ],
)
def test_what_cannot_be_set_is_a_sentence(body: str, change: str, message: str) -> None:
    """Nothing is guessed."""
    with pytest.raises(DeadLetterError, match=message):
        with_fields(body, [change])


@pytest.mark.parametrize(
    ("body", "message"),
    [
        ("", "empty"),
        ("x" * (MAX_BYTES + 1), "more than 1048576 bytes"),
        ("ü" * (MAX_BYTES // 2 + 1), "more than 1048576 bytes"),
        ("a\x00", r"U\+0000"),
    ],
    ids=["empty", "long", "long in bytes", "NUL"],
)
def test_a_body_that_sqs_refuses_is_refused_before(body: str, message: str) -> None:
    """So the letter is not touched."""
    with pytest.raises(DeadLetterError, match=message):
        check_body(body)


def test_the_difference_names_the_fields() -> None:
    """One line each, before and after."""
    lines = difference('{"a":1,"b":2}', '{"a":1,"b":3}')
    assert [line for line in lines if line[0] in "+-"] == ['-  "b": 2', '+  "b": 3']
    assert difference("x", "x") == []
    assert "-old" in difference("old", "new")
