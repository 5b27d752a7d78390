"""Tests of texts that are made of a message's own fields."""

from __future__ import annotations

import pytest

from shared.field_template import FieldTemplate, field_of, scalar_text

BODY = {"order": {"id": 7, "paid": True}, "shop": "north"}


def test_fields_stand_in_the_text_where_their_names_were() -> None:
    """Doubled braces are braces."""
    template = FieldTemplate("{shop}-{order.id}-{{x}}", example="{id}")
    assert template.fields == ("shop", "order.id")
    assert template.render(lambda name: f"<{name}>") == "<shop>-<order.id>-{x}"


@pytest.mark.parametrize("text", ["{}", "{a!r}", "{a:>3}"], ids=["empty", "conversion", "format"])
def test_only_names_may_be_in_braces(text: str) -> None:
    """The error shows what to write."""
    with pytest.raises(ValueError, match=r"as in \{id\}"):
        FieldTemplate(text, example="{id}")


@pytest.mark.parametrize("name", ["none", "order.none", "shop.none"])
def test_a_field_that_is_not_there_is_an_error(name: str) -> None:
    """Whether its object lacks it or is no object."""
    with pytest.raises(KeyError):
        field_of(BODY, name)


def test_texts_numbers_and_truth_values_have_a_text() -> None:
    """Objects have none."""
    values = [field_of(BODY, name) for name in ("shop", "order.id", "order.paid", "order")]
    assert [scalar_text(value) for value in values] == ["north", "7", "true", None]
