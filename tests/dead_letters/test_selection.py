"""Selection: by id, reason, age, field, attribute, group and source."""

from __future__ import annotations

import pytest
from support.builders.letters import a_letter
from support.fakes.letters import START

from tidemill.dead_letters.errors import DeadLetterError
from tidemill.dead_letters.selection import Selection, condition_of, seconds_of

LETTER = a_letter(
    "abcd-1",
    '{"id": 7, "customer": {"vip": true, "name": "Ada"}, "note": null, "lines": [1]}',
    sent_at=START - 3_600,
    group="g1",
    attributes={"type": "order", "raw": b"x", "tidemill.message_id": "wxyz-9"},
    system={"DeadLetterQueueSourceArn": "arn:aws:sqs:eu-west-1:1:orders"},
)
REASON = "failed: KeyError: 'total'"


@pytest.mark.parametrize(
    ("selection", "matches"),
    [
        (Selection(), True),
        (Selection(ids=("abcd",)), True),
        (Selection(ids=("wxyz-9",)), True),
        (Selection(ids=("bcd-1", "cd-1")), False),
        (Selection(reason="keyerror"), True),
        (Selection(reason="ValueError"), False),
        (Selection(older=3_600), True),
        (Selection(older=3_601), False),
        (Selection(newer=3_600), True),
        (Selection(newer=3_599), False),
        (Selection(fields=(("id", "7"),)), True),
        (Selection(fields=(("id", "8"),)), False),
        (Selection(fields=(("customer.vip", "true"), ("customer.name", "Ada"))), True),
        (Selection(fields=(("customer.vip", "true"), ("customer.name", "ada"))), False),
        (Selection(fields=(("note", None),)), True),
        (Selection(fields=(("note", "null"),)), True),
        (Selection(fields=(("lines", None),)), True),
        (Selection(fields=(("lines", "null"),)), False),
        (Selection(fields=(("none", None),)), False),
        (Selection(fields=(("id.none", None),)), False),
        (Selection(attributes=(("type", None), ("raw", None))), True),
        (Selection(attributes=(("type", "order"),)), True),
        (Selection(attributes=(("type", "note"),)), False),
        (Selection(attributes=(("raw", "x"),)), False),
        (Selection(group="g1", source="orders"), True),
        (Selection(group="g2"), False),
        (Selection(source="order"), False),
    ],
    ids=repr,
)
def test_a_letter_is_selected_if_it_fulfils_everything(
    selection: Selection, *, matches: bool
) -> None:
    """Each property alone, and some together."""
    assert selection.matches(LETTER, REASON, START) is matches


def test_a_reason_that_is_not_known_yet_leaves_the_letter_in() -> None:
    """The lines are read for the letters that everything else selects."""
    assert Selection(reason="anything").matches(LETTER, None, START)


def test_a_body_that_is_no_json_has_no_field() -> None:
    """Also one that nobody can read."""
    for body in ("no JSON", "[" * 100_000, "[1]"):
        letter = a_letter(body=body)
        assert not Selection(fields=(("a", None),)).matches(letter, "", START)


def test_an_id_must_mean_one_letter() -> None:
    """The beginning of one is enough; a sentence says what is wrong."""
    letters = [a_letter("abcd-1"), a_letter("abcd-2"), a_letter("abcd")]
    Selection(ids=("abcd-1", "abcd")).check_ids(letters)
    with pytest.raises(DeadLetterError, match="abc is not clear: it begins abcd, abcd-1, abcd-2;"):
        Selection(ids=("abc",)).check_ids(letters)
    with pytest.raises(DeadLetterError, match="no dead letter has an id that begins with x"):
        Selection(ids=("x",)).check_ids(letters)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90s", 90), ("30m", 1_800), ("1.5h", 5_400), ("3d", 259_200)]
)
def test_durations_have_a_unit(text: str, seconds: float) -> None:
    """Seconds, minutes, hours or days."""
    assert seconds_of(text) == seconds


@pytest.mark.parametrize("text", ["", "5", "h", "-5m", "5 m", "5w"])
def test_other_durations_are_refused(text: str) -> None:
    """With an example."""
    with pytest.raises(ValueError, match="such as 30m"):
        seconds_of(text)


def test_a_condition_is_a_name_with_or_without_a_value() -> None:
    """The value may be empty and may have equals signs."""
    assert condition_of("a.b=c=d") == ("a.b", "c=d")
    assert condition_of("a=") == ("a", "")
    assert condition_of("a") == ("a", None)
    with pytest.raises(ValueError, match="give NAME=VALUE"):
        condition_of("=a")
