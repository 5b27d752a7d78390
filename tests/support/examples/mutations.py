"""Changes to published examples: some leave the meaning as it is, others make it wrong.

An adapter that passes an example has to pass it after any change of the first sort, and to fail it
after any of the second.
"""

from __future__ import annotations

from copy import deepcopy
from typing import TYPE_CHECKING, Any, TypeAlias

from support.examples.names import is_commentary

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from support.examples.kind import Kind

Vector: TypeAlias = "Mapping[str, Any]"

SIDES = ("input", "expected")


def same_meaning(vector: Vector, kind: Kind) -> Iterator[tuple[str, Vector]]:
    """Yield examples that mean the same, each with the name of the change."""
    yield "another id", {**vector, "id": "another"}
    yield (
        "keys reversed",
        {
            **vector,
            **{side: dict(reversed((vector.get(side) or {}).items())) for side in SIDES},
        },
    )
    yield (
        "whole numbers as floats",
        {**vector, **{side: floats(vector.get(side)) for side in SIDES}},
    )
    for side, ours in zip(SIDES, (kind.given, kind.expected), strict=True):
        fields = dict(vector.get(side) or {})
        yield f"a note in {side}", {**vector, side: {**fields, "note": "a word on it"}}
        nulls = dict.fromkeys(ours.optional - ours.nulls - fields.keys())
        yield f"nulls in {side}", {**fields_in(vector, side, {**fields, **nulls})}
        for name, value in fields.items():
            if name not in ours.known or (side == "expected" and name in kind.aside):
                continue
            if name in ours.lists and isinstance(value, list) and len(value) == 1:
                yield f"{name} alone", fields_in(vector, side, {**fields, name: value[0]})
            elif name not in ours.lists and not isinstance(value, list) and value is not None:
                yield f"{name} in a list", fields_in(vector, side, {**fields, name: [value]})
                if side == "input":
                    twice = {**fields, name: [value, value]}
                    yield f"{name} twice", fields_in(vector, side, twice)


def floats(value: Any) -> Any:  # noqa: ANN401 - any part of an example
    """Return a part of an example with 5.0 for 5."""
    if isinstance(value, dict):
        return {name: floats(item) for name, item in value.items()}
    if isinstance(value, list):
        return [floats(item) for item in value]
    return float(value) if type(value) is int else value


def fields_in(vector: Vector, side: str, fields: Mapping[str, Any]) -> Vector:
    """Return the example with other fields on one side."""
    return {**vector, side: dict(fields)}


def strange(vector: Vector) -> Iterator[tuple[str, Vector]]:
    """Yield examples with a field that nobody knows, each with the name of the field."""
    for side in SIDES:
        fields = dict(vector.get(side) or {})
        yield "surprise", fields_in(vector, side, {**fields, "surprise": 7})


def wrong(vector: Vector, kind: Kind) -> Iterator[tuple[str, Vector]]:
    """Yield examples that expect something else, each with the name of the change."""
    expected = vector["expected"]
    for name, value in expected.items():
        if name in kind.aside or is_commentary(name) or value is None:
            continue
        for where, changed in changes(value):
            yield f"{name}{where}", fields_in(vector, "expected", {**expected, name: changed})


def changes(value: Any) -> Iterator[tuple[str, Any]]:  # noqa: ANN401 - any part of an example
    """Yield a value with one part changed, each with the way to that part."""
    if isinstance(value, dict):
        parts: Iterable[tuple[Any, Any]] = value.items()
    elif isinstance(value, list):
        parts = enumerate(value)
        if value:
            yield "[:-1]", value[:-1]
    else:
        yield "", changed_leaf(value)
        return
    for key, part in parts:
        for where, changed in changes(part):
            copy = deepcopy(value)
            copy[key] = changed
            yield f"[{key!r}]{where}", copy


def changed_leaf(value: object) -> object:
    """Return another value of the same type; for null, a number."""
    if isinstance(value, bool):
        return not value
    if isinstance(value, int | float):
        return value + 1
    return f"{value}?" if isinstance(value, str) else 1
