"""Outputs of a stack as lines."""

from __future__ import annotations

import pytest
from support.fakes.releasing import CONSUMER, ENVIRONMENT, PRODUCER, Account

from tidemill.release.errors import ReleaseError
from tidemill.release.outputs import output_lines


def test_each_output_is_a_line_with_its_whole_value() -> None:
    """A value is never broken, however long it is."""
    assert list(output_lines(ENVIRONMENT, Account())) == [
        f"ConsumerRepositoryUri {CONSUMER}",
        f"ProducerRepositoryUri {PRODUCER}",
    ]


def test_without_a_stack_the_error_names_stack_region_and_remedy() -> None:
    """Nothing is printed."""
    with pytest.raises(
        ReleaseError, match=r"no stack shop .* in eu-west-1: run make deploy ENV=dev"
    ):
        list(output_lines(ENVIRONMENT, Account(None)))
