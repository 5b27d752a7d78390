"""Outputs of a stack, each as a line that can be copied or read by a script."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemill.release.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tidemill.release.environment import Environment
    from tidemill.release.ports import Aws


def output_lines(environment: Environment, aws: Aws) -> Iterator[str]:
    """Yield `name value` for each output of the environment's stack, sorted by name.

    Raises:
        ReleaseError: there is no such stack, or its creation is not complete.
    """
    stack = aws.stack(environment.stack)
    if stack is None:
        raise ReleaseError(
            f"there is no stack {environment.stack} with outputs in {aws.region}: "
            f"run make deploy ENV={environment.name} first"
        )
    for name, value in sorted(stack.outputs.items()):
        yield f"{name} {value}"
