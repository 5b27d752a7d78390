"""Kinds of published examples: which fields each kind has, and the check that runs an example.

An example belongs to a kind if it has the fields that the kind needs. Its other fields have to be
known, too: as optional ones, as facts that nothing here can judge (`aside`), or as commentary. A
field with another name may change what the example means, so it is an error that names the field.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from itertools import product
from typing import TYPE_CHECKING, Any, TypeAlias

from support.examples.names import AWS_NAMES, is_commentary, plain
from support.examples.units import converted

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

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


def match(vector: Mapping[str, Any], kinds: Iterable[Kind]) -> Match:
    """Return the example with the first kind that knows all its fields.

    Raises:
        UnknownFieldError: each kind with the fields that it needs leaves another one unknown.
        ExampleError: there is no kind with such fields.
    """
    given = _plain(vector.get("input") or {})
    expected = _plain(vector.get("expected") or {})
    strangers: list[tuple[int, str]] = []
    unread: list[str] = []
    for kind in kinds:
        sides = _Side(given, kind.given, kind.others), _Side(expected, kind.expected, kind.results)
        if not (sides[0].complete() and sides[1].complete(sides[1].null())):
            continue
        if kind.any_of and kind.any_of.isdisjoint(sides[1].found):
            continue
        known = sides[0].judged(()), sides[1].judged(kind.aside)
        if not known[1]:
            continue
        try:
            cases = list(_cases(known[0], known[1], kind))
        except ExampleError as error:
            unread.append(str(error))
            continue
        if not all(kind.fits(*case) for case in cases):
            continue
        unknown = [*sides[0].unknown(()), *sides[1].unknown(kind.aside)]
        if not unknown:
            return Match(kind, cases)
        strangers.append((len(unknown), f"unknown {', '.join(unknown)} in {kind.name!r}"))
    if strangers:
        raise UnknownFieldError(min(strangers)[1])
    if unread:
        raise ExampleError(unread[0])
    raise ExampleError(
        f"no kind of example has the input {sorted(given)} and expects {sorted(expected)}"
    )


def _plain(side: Mapping[str, Any]) -> dict[str, Any]:
    """Return the fields without comments inside them; a kind may know the name of a comment."""
    return {name: plain(value) for name, value in side.items()}


class _Side:
    """An example's input or expectation, under the names and in the units of a kind."""

    def __init__(
        self, side: Mapping[str, Any], ours: Fields, others: Callable[[Given, str], bool]
    ) -> None:
        self.ours = ours
        self.found: dict[str, Any] = {}
        self.others = set()
        given = {name for name, value in side.items() if value is not None}
        # A field that is absent, because it is null, may be there under another name.
        for name, value in sorted(side.items(), key=lambda item: item[1] is not None):
            alias = AWS_NAMES.get(name, name)
            if name in ours.known:
                self.found[name] = value
            elif is_commentary(name):
                continue
            elif others(side, name):
                self.found[name] = value
                self.others.add(name)
            elif alias in ours.known and alias not in given:
                self.found[alias] = value
            else:
                self.found |= converted(name, value, ours.known - given)

    def null(self) -> frozenset[str]:
        """Return the fields with null where null is no value."""
        return frozenset(name for name in self.found if self.found[name] is None) - self.ours.nulls

    def complete(self, absent: Collection[str] = ()) -> bool:
        """Return whether no field that the kind needs is absent, or one of these."""
        return self.ours.needed <= self.found.keys() - absent

    def judged(self, aside: Collection[str]) -> dict[str, Any]:
        """Return the known fields that a check gets; null is absent, unless it is a value."""
        keep_null = self.ours.nulls | self.ours.needed | self.others
        return {
            name: value
            for name, value in self.found.items()
            if name not in aside and name in self.ours.known | self.others
            if value is not None or name in keep_null
        }

    def unknown(self, aside: Collection[str]) -> list[str]:
        """Return the names of the fields that may change the meaning; null changes nothing."""
        known = self.ours.known | self.others | set(aside)
        return [
            name for name, value in self.found.items() if value is not None and name not in known
        ]


def _cases(given: Given, expected: Expected, kind: Kind) -> Iterator[tuple[Given, Expected]]:
    """Yield an example's cases: a list stands for several values of a field that has one.

    Lists in the expectation are read side by side with those of the input. If only the input has
    lists, the expectation holds for each of their combinations. A list of one is its value.
    """
    given, given_lists = _split(given, kind.given)
    expected, expected_lists = _split(expected, kind.expected)
    if not expected_lists:
        for values in product(*given_lists.values()):
            yield {**given, **dict(zip(given_lists, values, strict=True))}, expected
        return
    lengths = {len(values) for values in (*given_lists.values(), *expected_lists.values())}
    if not given_lists or len(lengths) > 1:
        listed = ", ".join([*given_lists, *expected_lists])
        raise ExampleError(f"in {kind.name!r} these lists cannot be read side by side: {listed}")
    for index in range(lengths.pop()):
        yield (
            {**given, **{name: values[index] for name, values in given_lists.items()}},
            {**expected, **{name: values[index] for name, values in expected_lists.items()}},
        )


def _split(side: Given, ours: Fields) -> tuple[dict[str, Any], dict[str, Sequence[Any]]]:
    """Return the fields with one value each, and those for which there is a list of values."""
    single: dict[str, Any] = {}
    listed: dict[str, Sequence[Any]] = {}
    for name, value in side.items():
        if name in ours.lists:
            single[name] = value if isinstance(value, list) or value is None else [value]
        elif name not in ours.known or not isinstance(value, list):
            single[name] = value
        elif len(value) == 1:
            single[name] = alone(value)
        else:
            listed[name] = value
    return single, listed


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
