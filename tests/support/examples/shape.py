"""Form of a published example, by which a test module chooses those that it can run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

Given = Mapping[str, Any]
Expected = Mapping[str, Any]


@dataclass(frozen=True)
class Shape:
    """One form of example: which vectors have it, and the check that runs them."""

    name: str
    fits: Callable[[Given, Expected], bool]
    check: Callable[[Given, Expected], None]


def has(required: set[str], optional: set[str] | None = None) -> Callable[[Given], bool]:
    """Return a predicate on a mapping's keys: all required ones, none beyond the optional ones."""
    return lambda mapping: required <= mapping.keys() <= required | (optional or set())


def nothing_but(*names: str) -> Callable[[Given, Expected], bool]:
    """Return whether an example has no input and expects exactly these."""
    return lambda given, expected: not given and expected.keys() == set(names)
