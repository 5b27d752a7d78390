"""`make delete`: what is asked, and what SAM is told."""

from __future__ import annotations

import pytest
from support.fakes.releasing import ENVIRONMENT, Account, Machine

from tidemill.release.delete import delete, nobody_to_ask
from tidemill.release.errors import ReleaseError

DELETED = ["sam delete --config-env dev --no-prompts"]


def test_a_stack_whose_name_is_typed_is_deleted() -> None:
    """The question has the stack's name and region."""
    machine, questions = Machine(), list[str]()

    def ask(question: str) -> str:
        questions.append(question)
        return "shop\n"

    delete(ENVIRONMENT, "sam", Account(), machine, ask)
    assert "shop in eu-west-1" in questions[0]
    assert machine.ran == DELETED


def test_without_a_question_the_stack_is_deleted_at_once() -> None:
    """This is for scripts."""
    machine = Machine()
    delete(ENVIRONMENT, "sam", Account(), machine, None)
    assert machine.ran == DELETED


@pytest.mark.parametrize("answer", ["", "y", "shop-dev", "Shop"])
def test_any_other_answer_deletes_nothing(answer: str) -> None:
    """Another stack's name, for example, when ENV was forgotten."""
    machine = Machine()
    with pytest.raises(ReleaseError, match="is not its name, so nothing was deleted"):
        delete(ENVIRONMENT, "sam", Account(), machine, lambda _: answer)
    assert machine.ran == []


def test_without_a_terminal_nothing_is_deleted() -> None:
    """The error says how to delete without a terminal."""
    machine = Machine()
    with pytest.raises(ReleaseError, match="make delete YES=1"):
        delete(ENVIRONMENT, "sam", Account(), machine, nobody_to_ask)
    assert machine.ran == []


def test_a_stack_that_does_not_exist_is_reported() -> None:
    """SAM would succeed, so that a wrong region would look like a deletion."""
    machine = Machine()
    with pytest.raises(ReleaseError, match="there is no stack shop in eu-west-1"):
        delete(ENVIRONMENT, "sam", Account(None), machine, None)
    assert machine.ran == []
