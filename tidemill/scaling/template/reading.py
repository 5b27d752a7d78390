"""Result of a reader: a value, and sentences about what the reader has left out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Read(Generic[T]):
    """A value from a template; `left_out` has a sentence for each part that is not modelled."""

    value: T
    left_out: tuple[str, ...] = ()
