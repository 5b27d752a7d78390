"""Deletion of a stack with everything in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemill.release.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Callable

    from tidemill.release.environment import Environment
    from tidemill.release.ports import Aws, Commands


def delete(
    environment: Environment,
    sam: str,
    aws: Aws,
    commands: Commands,
    ask: Callable[[str], str] | None,
) -> None:
    """Delete the environment's stack with SAM, which gets no question of its own to ask.

    SAM would ask about each image repository by a name that the template does not have, keep none
    of them whatever the answer is, and report a stack that does not exist as a success.

    Args:
        environment: the environment of the stack.
        sam: the path of the SAM CLI.
        aws: the account of the stack.
        commands: the program SAM.
        ask: returns the user's answer to a question; None deletes without asking.

    Raises:
        ReleaseError: there is no such stack, the user does not confirm, or SAM fails.
    """
    where = f"{environment.stack} in {aws.region}"
    if not aws.has_stack(environment.stack):
        raise ReleaseError(f"there is no stack {where}, so there is nothing to delete")
    if ask is not None:
        answer = ask(
            f"Delete the stack {where} with the messages in its queues, its images and its logs? "
            "Type its name to confirm: "
        )
        if answer.strip() != environment.stack:
            raise ReleaseError(f"{answer.strip()!r} is not its name, so nothing was deleted")
    commands.run([sam, "delete", "--config-env", environment.name, "--no-prompts"])


def nobody_to_ask(_: str) -> str:
    """Refuse to delete, because there is no terminal.

    Raises:
        ReleaseError: always.
    """
    raise ReleaseError(
        "nothing was deleted, because there is no terminal to confirm it: "
        "make delete YES=1 deletes without asking"
    )
