"""Kinds of published examples: which fields each kind has, and the check that runs an example.

An example belongs to a kind if it has the fields that the kind needs. Its other fields have to be
known, too: as optional ones, as facts that nothing here can judge (`aside`), or as commentary. A
field with another name may change what the example means, so it is an error that names the field.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import TYPE_CHECKING, Any, TypeAlias

from support.examples.names import AWS_NAMES, is_commentary

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

Given: TypeAlias = "Mapping[str, Any]"
Expected: TypeAlias = "Mapping[str, Any]"


class UnknownFieldError(Exception):
    """An example has a field that its kind does not know; the text names the field."""


class ExampleError(Exception):
    """An example that cannot be run: no kind has such fields, or a list is where no list can be."""


class Place(StrEnum):
    """What an example is run against."""

    CORE = "pure code"
    SERVER = "a server of our own, over a socket"
    SQS = "an emulator of SQS"


@dataclass(frozen=True)
class Fields:
    """Names of the fields of an example's input or of its expectation.

    Attributes:
        needed: a kind's examples have all of these.
        optional: they may have these.
        lists: the fields among them whose one value is a list.
        nulls: those in which null is a value; in any other one null means that the field is absent.
    """

    needed: frozenset[str]
    optional: frozenset[str] = frozenset()
    lists: frozenset[str] = frozenset()
    nulls: frozenset[str] = frozenset()

    @property
    def known(self) -> frozenset[str]:
        """Return all names."""
        return self.needed | self.optional


def fields(needed: str = "", optional: str = "") -> Fields:
    """Return fields from their names, with spaces between.

    The value of `values[]` is a list, that of `token?` may be null.
    Example: fields("steps[] metric", "current").
    """
    marked = {name: name.rstrip("[]?") for name in f"{needed} {optional}".split()}
    return Fields(
        frozenset(marked[name] for name in needed.split()),
        frozenset(marked[name] for name in optional.split()),
        frozenset(plain for name, plain in marked.items() if "[]" in name),
        frozenset(plain for name, plain in marked.items() if "?" in name),
    )


def always(_: Given, __: Expected) -> bool:
    """Return that the fields alone make an example one of this kind."""
    return True


def nothing(_: Given, __: str) -> bool:
    """Return that a field of another name is none of this kind's."""
    return False


@dataclass(frozen=True)
class Kind:
    """A kind of example.

    Attributes:
        name: what its examples are about.
        given: the fields of the input.
        expected: the fields of the expectation.
        check: runs an example and compares the results; None for a kind that is not run. It gets
            the input, the expectation and, for a kind that is run against an emulator of SQS, that
            emulator.
        fits: whether an example's values, too, are those of this kind.
        any_of: names of the expectation of which an example has one at least; empty for no rule.
        others: whether an input of another name is one of this kind's, such as a series of a
            formula; the name comes second.
        results: the same for the expectation.
        aside: fields of the expectation that nothing here can judge, each with the reason.
        place: what the examples are run against.
        why_not_run: the reason, for a kind that is not run.
    """

    name: str
    given: Fields
    expected: Fields
    check: Callable[..., None] | None
    fits: Callable[[Given, Expected], bool] = always
    any_of: frozenset[str] = frozenset()
    others: Callable[[Given, str], bool] = nothing
    results: Callable[[Expected, str], bool] = nothing
    aside: Mapping[str, str] = field(default_factory=dict)
    place: Place = Place.CORE
    why_not_run: str = ""


@dataclass(frozen=True)
class Match:
    """An example with its kind: the cases that follow from its lists, in their order."""

    kind: Kind
    cases: Sequence[tuple[Given, Expected]]

    def run(self, *emulator: object) -> None:
        """Check every case."""
        assert self.kind.check is not None, self.kind.why_not_run
        for given, expected in self.cases:
            self.kind.check(given, expected, *emulator)


def take(mapping: Mapping[str, Any], *names: str) -> list[Any]:
    """Return an inner object's values of these names, None for those that it lacks.

    A list of one is its value.

    Raises:
        UnknownFieldError: it has another field.
    """
    ours = {AWS_NAMES.get(name, name): value for name, value in mapping.items()}
    unknown = [name for name in ours if name not in names and not is_commentary(name)]
    if unknown:
        raise UnknownFieldError(f"unknown {', '.join(unknown)} beside {', '.join(names)}")
    return [alone(ours.get(name)) for name in names]


def alone(value: Any) -> Any:  # noqa: ANN401 - any value
    """Return the value of a list of one, anything else as it is."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value
