"""Matching: the kind of a published example, and the cases that its lists stand for."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

from support.examples.kind import ExampleError, Match, UnknownFieldError, alone
from support.examples.names import AWS_NAMES, converted, is_commentary, plain

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence

    from support.examples.kind import Expected, Fields, Given, Kind


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
