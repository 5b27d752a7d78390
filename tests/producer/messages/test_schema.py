"""Tests of checking bodies against types and JSON Schemas."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from support.fakes.producing import CIVIC, LATEST_YEAR

from producer.errors import UsageError
from producer.messages.schema import schema_of
from shared.errors import InvalidMessageError

if TYPE_CHECKING:
    from pathlib import Path

TYPES = """
from dataclasses import dataclass
from typing import TypedDict
import msgspec, pydantic

class OrderStruct(msgspec.Struct):
    order_id: str
    total: float

@dataclass
class OrderData:
    order_id: str
    total: float
    def __post_init__(self):
        if self.total < 0:
            raise ValueError("total below 0")

class Plain:
    pass

def handle(order):
    pass

class OrderDict(TypedDict):
    order_id: str
    total: float

class OrderModel(pydantic.BaseModel):
    order_id: str
    total: float

NOT_A_TYPE = object()
"""

SCHEMA = {
    "$schema": "https://json-schema.org/draft/2020-12/schema",
    "type": "object",
    "required": ["order_id", "total"],
    "properties": {"order_id": {"type": "string"}, "total": {"$ref": "#/$defs/price"}},
    "$defs": {"price": {"type": "number", "minimum": 0}},
}


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Provide a working folder with a module and a schema."""
    (tmp_path / "order_types.py").write_text(TYPES)
    (tmp_path / "order.json").write_text(json.dumps(SCHEMA))
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


ALL = ("OrderStruct", "OrderData", "OrderDict", "OrderModel")


@pytest.mark.parametrize("given", [*(f"order_types:{name}" for name in ALL), "order.json"])
@pytest.mark.usefixtures("folder")
def test_a_body_is_checked_against_types_and_schemas_alike(given: str) -> None:
    """The reason names the field."""
    check = schema_of(given, LATEST_YEAR)

    check(b'{"order_id": "A-1", "total": 9.5}')
    with pytest.raises(InvalidMessageError, match=r"total"):
        check(b'{"order_id": "A-1", "total": "much"}')
    with pytest.raises(InvalidMessageError, match=r"order_id"):
        check(b'{"total": 1}')
    with pytest.raises(InvalidMessageError):
        check(b"[]")


@pytest.mark.usefixtures("folder")
def test_what_a_type_checks_itself_is_checked() -> None:
    """A ValueError of `__post_init__` makes a line invalid."""
    with pytest.raises(InvalidMessageError, match="total below 0"):
        schema_of("order_types:OrderData", LATEST_YEAR)(b'{"order_id": "a", "total": -1}')


def test_the_exercise_s_vehicle_is_a_schema() -> None:
    """It is what the default handler accepts."""
    check = schema_of("vehicle", LATEST_YEAR)

    check(CIVIC.encode())
    with pytest.raises(InvalidMessageError, match=r"\$.year"):
        check(CIVIC.replace("2020", '"2020"').encode())


@pytest.mark.parametrize(
    ("given", "reason"),
    [
        ("nope", "give vehicle, module:Type, or a file.json"),
        ("nowhere:Order", "No module named 'nowhere'"),
        ("order_types:Nope", "no attribute 'Nope'"),
        ("order_types:NOT_A_TYPE", "order_types:NOT_A_TYPE: "),
        ("order_types:handle", "it is a function: name the type of its messages"),
        ("order_types:Plain", "no message can be of this class: make it a dataclass"),
        ("", "give vehicle, module:Type, or a file.json"),
        ("absent.json", "cannot be read: No such file"),
        ("bad.json", "not JSON"),
        ("list.json", "a JSON Schema is an object"),
        ("wrong.json", "no JSON Schema"),
    ],
)
def test_a_schema_that_is_none_is_wrong_usage(folder: Path, given: str, reason: str) -> None:
    """Nothing is sent then."""
    (folder / "bad.json").write_text("{")
    (folder / "list.json").write_text("[]")
    (folder / "wrong.json").write_text('{"type": "nope"}')

    with pytest.raises(UsageError) as caught:
        schema_of(given, LATEST_YEAR)

    assert str(caught.value).startswith(f"--schema {given}: ")
    assert reason in str(caught.value)


def test_a_reference_to_elsewhere_is_never_fetched(folder: Path) -> None:
    """A schema of a stranger must not make the producer call a server."""
    (folder / "remote.json").write_text('{"$ref": "http://127.0.0.1:9/x.json"}')

    with pytest.raises(UsageError, match=r"remote.json: .*127.0.0.1"):
        schema_of("remote.json", LATEST_YEAR)(b"{}")
