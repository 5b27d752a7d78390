"""Tests of digests of bodies."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.body_digest import body_digest

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)


@given(JSON)
def test_all_ways_of_writing_the_same_json_have_one_digest(value: object) -> None:
    """White space, escapes and the order of fields do not count."""
    plain = json.dumps(value, ensure_ascii=False)
    written = json.dumps(value, indent=2, sort_keys=True)

    assert body_digest(plain) == body_digest(written) == body_digest(written.encode())


@given(JSON, JSON)
def test_other_content_has_another_digest(one: object, other: object) -> None:
    """What is compared is the content, where 1 and true, or 1 and 1.0, are two."""
    texts = [json.dumps(value, sort_keys=True) for value in (one, other)]

    assert (body_digest(texts[0]) == body_digest(texts[1])) == (texts[0] == texts[1])


@pytest.mark.parametrize("text", ["", "{", "nan", '"\\ud800"', "\ud800", "[" * 5000], ids=repr)
def test_what_is_no_json_has_the_digest_of_its_text(text: str) -> None:
    """No text is refused."""
    assert body_digest(text) == body_digest(text) != body_digest(f"{text} and more")
