"""Tests of what bodies are read as: every kind of annotation, with good and bad bodies."""

from __future__ import annotations

import dataclasses
import datetime as dt
import enum
import typing
import uuid
from collections.abc import Mapping
from decimal import Decimal
from typing import Annotated, Any, Literal, NamedTuple, NewType, TypedDict

import attrs
import msgspec
import pydantic
import pydantic.dataclasses
import pytest

from consumer.handlers.body_types import reader
from consumer.handlers.errors import HandlerError
from shared.errors import InvalidMessageError

ORDER: typing.Final = '{"sku":"A-1","quantity":2}'


class StructOrder(msgspec.Struct):
    """An order as a msgspec Struct."""

    sku: str
    quantity: Annotated[int, msgspec.Meta(ge=1)] = 1


@dataclasses.dataclass
class DataclassOrder:
    """An order as a dataclass."""

    sku: str
    quantity: int = 1


@attrs.define
class AttrsOrder:
    """An order as a class of attrs."""

    sku: str
    quantity: int = 1


class DictOrder(TypedDict):
    """An order as a dictionary whose keys are known."""

    sku: str
    quantity: int


class TupleOrder(NamedTuple):
    """An order as an array."""

    sku: str
    quantity: int


class ModelOrder(pydantic.BaseModel):
    """An order as a model of pydantic."""

    sku: str
    quantity: Annotated[int, pydantic.Field(ge=1)] = 1


@pydantic.dataclasses.dataclass
class CheckedOrder:
    """An order as a dataclass that pydantic checks."""

    sku: str
    quantity: Annotated[int, pydantic.Field(ge=1)] = 1


@dataclasses.dataclass
class Basket:
    """A dataclass with a model of pydantic inside."""

    orders: list[ModelOrder]


class Cancelled(msgspec.Struct, tag=True):
    """One of two kinds of message."""

    sku: str


class Shipped(msgspec.Struct, tag=True):
    """The other kind."""

    sku: str
    parcel: str


class Colour(enum.Enum):
    """A closed set of texts."""

    RED = "red"


class Tree(msgspec.Struct):
    """A type that contains itself."""

    children: list[Tree] = []


class Opaque:
    """A class about which nothing is known."""


Sku = NewType("Sku", str)


@pytest.mark.parametrize(
    ("annotation", "body", "value"),
    [
        pytest.param(StructOrder, ORDER, StructOrder("A-1", 2), id="struct"),
        pytest.param(StructOrder, '{"sku":"A","new":{"x":1}}', StructOrder("A"), id="more fields"),
        pytest.param(DataclassOrder, ORDER, DataclassOrder("A-1", 2), id="dataclass"),
        pytest.param(AttrsOrder, ORDER, AttrsOrder("A-1", 2), id="attrs"),
        pytest.param(DictOrder, ORDER, {"sku": "A-1", "quantity": 2}, id="TypedDict"),
        pytest.param(TupleOrder, '["A-1", 2]', TupleOrder("A-1", 2), id="NamedTuple"),
        pytest.param(ModelOrder, ORDER, ModelOrder(sku="A-1", quantity=2), id="pydantic"),
        pytest.param(CheckedOrder, ORDER, CheckedOrder("A-1", 2), id="pydantic dataclass"),
        pytest.param(
            Basket,
            f'{{"orders":[{ORDER}]}}',
            Basket([ModelOrder(sku="A-1", quantity=2)]),
            id="pydantic inside",
        ),
        pytest.param(
            ModelOrder | None,
            "null",
            None,
            id="optional pydantic",
        ),
        pytest.param(dict, ORDER, {"sku": "A-1", "quantity": 2}, id="dict"),
        pytest.param(dict[str, int], '{"a":1}', {"a": 1}, id="dict of numbers"),
        pytest.param(Mapping[str, Any], '{"a":[]}', {"a": []}, id="Mapping"),
        pytest.param(Any, "[1, null]", [1, None], id="Any"),
        pytest.param(object, '"x"', "x", id="object"),
        pytest.param(tuple[int, ...], "[1,2]", (1, 2), id="array"),
        pytest.param(set[int], "[1,1]", {1}, id="set"),
        pytest.param(int, "7", 7, id="number"),
        pytest.param(float, "7", 7.0, id="float"),
        pytest.param(bool, "true", True, id="bool"),
        pytest.param(None, "null", None, id="null"),
        pytest.param(Decimal, '"0.10"', Decimal("0.10"), id="Decimal"),
        pytest.param(dt.date, '"2026-11-26"', dt.date(2026, 11, 26), id="date"),
        pytest.param(uuid.UUID, f'"{uuid.UUID(int=7)}"', uuid.UUID(int=7), id="UUID"),
        pytest.param(Colour, '"red"', Colour.RED, id="enum"),
        pytest.param(Literal["go", 7], '"go"', "go", id="Literal"),
        pytest.param(typing.Optional[StructOrder], "null", None, id="Optional"),  # noqa: UP045 - users may write it
        pytest.param(
            Cancelled | Shipped, '{"type":"Cancelled","sku":"A"}', Cancelled("A"), id="tagged union"
        ),
        pytest.param(str | int, '"A"', "A", id="text or number"),
        pytest.param(Tree, '{"children":[{}]}', Tree([Tree()]), id="recursive"),
        pytest.param(str, '{"not":"read"}', '{"not":"read"}', id="raw text"),
        pytest.param(bytes, "no JSON é", "no JSON é".encode(), id="raw bytes"),
        pytest.param(Sku, "A-1", "A-1", id="NewType of text"),
        pytest.param(Annotated[str, "a remark"], "x", "x", id="annotated text"),
    ],
)
def test_a_body_is_read_as_the_annotation_says(
    annotation: object, body: str, value: object
) -> None:
    """Text and bytes are the raw body, everything else is JSON."""
    got = reader(annotation)(body)
    assert got == value
    assert type(got) is type(value)


@pytest.mark.parametrize(
    ("annotation", "body", "reason"),
    [
        pytest.param(StructOrder, "hello", "not JSON: ", id="not JSON"),
        pytest.param(StructOrder, "", "not JSON: ", id="empty"),
        pytest.param(StructOrder, "[]", "Expected `object`, got `array`", id="not an object"),
        pytest.param(StructOrder, "{}", "missing required field `sku`", id="field"),
        pytest.param(StructOrder, '{"sku":1}', "Expected `str`, got `int` - at `$.sku`", id="type"),
        pytest.param(
            StructOrder, '{"sku":"A","quantity":0}', "Expected `int` >= 1", id="out of bounds"
        ),
        pytest.param(Any, "[" * 100_000, "not JSON: ", id="nested beyond reason"),
        pytest.param(Any, '"\ud800"', "not JSON: ", id="half a character"),
        pytest.param(bytes, "\ud800", "not UTF-8: ", id="half a raw character"),
        pytest.param(
            Annotated[str, msgspec.Meta(max_length=2)], "abc", "length <= 2", id="long text"
        ),
        pytest.param(
            Annotated[bytes, msgspec.Meta(max_length=2)], "éé", "length <= 2", id="many bytes"
        ),
        pytest.param(ModelOrder, "hello", "Invalid JSON", id="pydantic, not JSON"),
        pytest.param(ModelOrder, "{}", "Field required - at `$.sku`", id="pydantic, field"),
        pytest.param(
            tuple[ModelOrder, ...],
            '[{"sku":"A","quantity":0}]',
            "greater than or equal to 1 - at `$[0].quantity`",
            id="pydantic, bounds",
        ),
        pytest.param(
            tuple[ModelOrder, ...], "[1,2,3,4,5]", "; and 2 more", id="pydantic, many problems"
        ),
        pytest.param(ModelOrder, '"\ud800"', "unicode", id="pydantic, half a character"),
        pytest.param(
            CheckedOrder, '{"sku":"A","quantity":0}', "equal to 1", id="pydantic dataclass"
        ),
    ],
)
def test_a_body_that_is_not_of_the_type_is_invalid(
    annotation: object, body: str, reason: str
) -> None:
    """The reason says what was expected, and where."""
    with pytest.raises(InvalidMessageError) as raised:
        reader(annotation)(body)
    assert reason in str(raised.value)


@pytest.mark.parametrize(
    ("annotation", "reason"),
    [
        pytest.param(Opaque, "`Opaque`: use a msgspec.Struct, a dataclass", id="any class"),
        pytest.param(dict[str, Opaque], "`Opaque`", id="inside a dict"),
        pytest.param(Opaque | None, "`Opaque`", id="optional"),
        pytest.param(complex, "`complex`", id="no such JSON"),
        pytest.param(typing.Callable[[], None], "`Callable`", id="function"),
        pytest.param(StructOrder | Cancelled, "is not supported", id="untagged union"),
        pytest.param(5, "no message can be read as `5`", id="no type"),
        pytest.param(dict[int | str, list[Opaque] | ModelOrder], "Opaque", id="beside pydantic"),
    ],
)
def test_a_type_that_no_message_can_have_is_refused_at_once(
    annotation: object, reason: str
) -> None:
    """On one line, which names the type inside that is not understood."""
    with pytest.raises(HandlerError) as raised:
        reader(annotation)
    assert reason in str(raised.value)
    assert "\n" not in str(raised.value)


def test_models_of_pydantic_1_are_refused() -> None:
    """They have no fast way from JSON; pydantic 2 contains them under another name."""
    old = type("Old", (), {"parse_raw": None})
    with pytest.raises(HandlerError, match="Old"):
        reader(old)
