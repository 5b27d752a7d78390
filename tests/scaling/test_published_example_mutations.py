"""The adapters of published examples: what changes nothing, and what makes them fail.

The examples are the project's own, whatever TIDEMILL_VECTORS is.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from support.examples import vectors
from support.examples.all_kinds import find
from support.examples.kind import Place, UnknownFieldError
from support.examples.mutations import same_meaning, strange, wrong

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from support.emulators.ministack import Ministack


pytestmark = pytest.mark.long  # thousands of changed examples


def owned(*places: Place) -> Iterator[Any]:
    """Yield the examples that are run in these places; without one, all."""
    for name, vector in vectors.read(vectors.OWN):
        kind = find(vector).kind
        if not places or (kind.place in places and not kind.why_not_run):
            yield pytest.param(vector, id=f"{name.removesuffix('.json')}:{vector['id']}")


def failures(vector: dict[str, Any], *emulator: object) -> tuple[Sequence[str], Sequence[str]]:
    """Return the names of the wrong expectations that fail, and of those that do not."""
    failing, passing = [], []
    for name, changed in wrong(vector, find(vector).kind):
        try:
            find(changed).run(*emulator)
        except Exception:  # noqa: BLE001 - an adapter may fail in any way
            failing.append(name)
        else:
            passing.append(name)
    return failing, passing


@pytest.mark.parametrize("vector", list(owned()))
def test_the_same_example_in_other_words_is_the_same(vector: dict[str, Any]) -> None:
    """Ids, comments, the order of fields, nulls and lists of one value are no part of it."""
    found = find(vector)
    for name, changed in same_meaning(vector, found.kind):
        again = find(changed)
        assert again.kind == found.kind, name
        assert all(case in found.cases for case in again.cases), name
        assert len(again.cases) >= len(found.cases), name


@pytest.mark.parametrize("vector", list(owned()))
def test_a_strange_field_is_named(vector: dict[str, Any]) -> None:
    """It may change the meaning, so it is not passed over."""
    for name, changed in strange(vector):
        with pytest.raises(UnknownFieldError, match=name):
            find(changed)


@pytest.mark.parametrize("vector", list(owned(Place.CORE)))
def test_another_expectation_fails(vector: dict[str, Any]) -> None:
    """Each part of an expectation is compared with something."""
    failing, passing = failures(vector)
    assert failing
    assert passing == []


@pytest.mark.impure
@pytest.mark.parametrize("vector", list(owned(Place.SERVER)))
def test_another_expectation_of_a_server_fails(vector: dict[str, Any]) -> None:
    """The same for answers of a server of our own, or of moto."""
    failing, passing = failures(vector)
    assert failing
    assert passing == []


@pytest.mark.impure
@pytest.mark.parametrize("vector", list(owned(Place.SQS)))
def test_another_expectation_of_sqs_fails(vector: dict[str, Any], ministack: Ministack) -> None:
    """The same for answers of MiniStack."""
    failing, passing = failures(vector, ministack)
    assert failing
    assert passing == []
