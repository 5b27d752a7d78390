"""Deploys the template with the newest image that was pushed, if one was."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemill.release.errors import ReleaseError
from tidemill.release.push import REPOSITORIES
from tidemill.release.revision import revision

if TYPE_CHECKING:
    from collections.abc import Callable

    from tidemill.release.environment import Environment
    from tidemill.release.ports import Aws, Commands


def deploy(
    environment: Environment, sam: str, aws: Aws, commands: Commands, tell: Callable[[str], None]
) -> None:
    """Have SAM build the template and create or update the environment's stack.

    Args:
        environment: the stack to create or update.
        sam: the SAM CLI's program.
        aws: where the stack is.
        commands: git and SAM.
        tell: takes a line for people.

    Raises:
        ReleaseError: AWS cannot be asked, or SAM fails; it has told why itself.
    """
    image = _pushed_image(environment, aws, commands, tell)
    overrides = {**environment.parameters, **({"ImageTag": image} if image else {})}
    chosen = ["--config-env", environment.name]
    commands.run([sam, "build", *chosen])
    words = [f"{name}={value}" for name, value in overrides.items()]
    # Parameters that are not named keep the value that the stack has.
    named = ["--parameter-overrides", *words] if image else []
    commands.run([sam, "deploy", *chosen, *named])


def _pushed_image(
    environment: Environment, aws: Aws, commands: Commands, tell: Callable[[str], None]
) -> str | None:
    """Return the tag of this revision's image, or None with the reason told."""
    stack = aws.stack(environment.stack)
    if stack is None:
        tell("a new stack: make push brings its images afterwards, make deploy then uses them")
        return None
    try:
        tag = revision(commands)
        pushed = aws.has_image(stack.outputs[REPOSITORIES["consumer"]], tag)
    except ReleaseError as error:
        tell(f"{error}; the stack keeps its ImageTag")
        return None
    if not pushed:
        tell(f"no image {tag} was pushed; the stack keeps its ImageTag (make push brings it)")
        return None
    tell(f"ImageTag={tag}")
    return tag
