"""Tests of bodies in which an object has a key twice."""

from __future__ import annotations

from typing import Any

import msgspec
import pydantic
import pytest
from support.builders.handlers import verdict
from support.fakes.consuming import CIVIC

from consumer.attempt import AttemptResult
from consumer.handlers import log_only
from consumer.handlers.body_types import reader
from consumer.handlers.verdict import Verdict
from shared.errors import InvalidMessageError


class StructOrder(msgspec.Struct):
    """An order as a msgspec Struct."""

    sku: str


class ModelOrder(pydantic.BaseModel):
    """An order as a model of pydantic."""

    sku: str


@pytest.mark.parametrize(
    ("annotation", "body"),
    [
        pytest.param(StructOrder, '{"sku":"A","sku":"B"}', id="struct"),
        pytest.param(ModelOrder, '{"sku":"A","sku":"B"}', id="pydantic"),
        pytest.param(dict, '{"sku":"A","sku":"B"}', id="dict"),
        pytest.param(dict, r'{"sku":"A","s\u006bu":"B"}', id="escaped"),
        pytest.param(Any, '[{"orders":{"a":[{"sku":1, "sku" :2}]}}]', id="nested"),
        pytest.param(
            StructOrder, '{"sku":"A","n":' + "9" * 5_000 + ',"sku":"B"}', id="huge number"
        ),
    ],
)
def test_a_key_that_is_twice_in_an_object_is_refused_with_its_name(
    annotation: object, body: str
) -> None:
    """JSON leaves open which of the two counts, and so another program may have taken the other."""
    with pytest.raises(InvalidMessageError, match="the key 'sku' is twice in one object"):
        reader(annotation)(body)


@pytest.mark.parametrize(
    ("annotation", "body"),
    [
        pytest.param(Any, '[{"sku":"A"},{"sku":"B"}]', id="two objects"),
        pytest.param(dict, '{"sku":{"sku":"a:b::"}}', id="nested, and colons in text"),
        pytest.param(StructOrder, '{"sku":"a:b", "more": [1.5e3, 2]}', id="struct"),
    ],
)
def test_a_key_may_be_in_several_objects(annotation: object, body: str) -> None:
    """That is no duplicate."""
    assert reader(annotation)(body)


@pytest.mark.parametrize("key", ["year", "dealer"], ids=["known", "added"])
def test_a_vehicle_with_a_key_twice_is_refused(key: str) -> None:
    """One of the vehicle's fields, or one that the sender added."""
    body = CIVIC.replace("}", f',"{key}":2021,"{key}":2022}}')
    assert verdict(log_only, body) == Verdict(
        AttemptResult.INVALID, f"the key {key!r} is twice in one object"
    )
    assert verdict(log_only, CIVIC.replace("}", ',"a:":{"year":1}}')).reason is None
