"""Deployment of the template, with the newest image if it was pushed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from tidemill.release.errors import ReleaseError
from tidemill.release.push import REPOSITORIES
from tidemill.release.revision import revision
from tidemill.release.stack_name import refuse_impossible_name

if TYPE_CHECKING:
    from collections.abc import Callable

    from tidemill.release.environment import Environment
    from tidemill.release.ports import Aws, Commands, Stack

NO_IMAGE: Final = "none-yet"
"""The default of the template's ImageTag. `sam deploy --guided` writes it into samconfig.toml."""


LOCAL: Final = "local"
"""The environment of an emulator, which has no registry to push images to."""


def deploy(
    environment: Environment,
    sam: str,
    aws: Aws,
    commands: Commands,
    on_progress: Callable[[str], None],
) -> None:
    """Build the template with SAM, and create or update the environment's stack.

    If there is nothing to change, SAM says so, and the deployment succeeds.

    Args:
        environment: the environment of the stack to create or update.
        sam: the path of the SAM CLI.
        aws: the account of the stack.
        commands: the programs git and SAM.
        on_progress: receives lines for the user.

    Raises:
        ReleaseError: the stack's name cannot be used, AWS cannot be called, or SAM fails, which
            prints its own reason.
    """
    refuse_impossible_name(environment.stack)
    tag = _image_tag(environment, aws, commands, on_progress)
    overrides = {**environment.parameters, **({"ImageTag": tag} if tag else {})}
    chosen = ["--config-env", environment.name]
    commands.run([sam, "build", *chosen])
    words = [f"{name}={value}" for name, value in overrides.items()]
    # Parameters without an override keep the value that the stack has.
    named = ["--parameter-overrides", *words] if tag else []
    commands.run([sam, "deploy", *chosen, "--no-fail-on-empty-changeset", *named])


def _image_tag(
    environment: Environment, aws: Aws, commands: Commands, on_progress: Callable[[str], None]
) -> str | None:
    """Return the tag to deploy; None to leave it to samconfig.toml and the stack."""
    if environment.name == LOCAL:
        return None
    stack = aws.stack(environment.stack)
    if stack is None:
        on_progress(
            f"this stack is new: run make push{_choice(environment)} for its images, then "
            f"make deploy{_choice(environment)} again"
        )
        return None
    pushed = _pushed_image(environment, stack, aws, commands, on_progress)
    if pushed is None and environment.parameters.get("ImageTag") == NO_IMAGE:
        return stack.parameters["ImageTag"]
    return pushed


def _pushed_image(
    environment: Environment,
    stack: Stack,
    aws: Aws,
    commands: Commands,
    on_progress: Callable[[str], None],
) -> str | None:
    """Return the tag of this revision's image; without an image, report the reason, return None."""
    try:
        tag = revision(commands)
        pushed = aws.has_image(stack.outputs[REPOSITORIES["consumer"]], tag)
    except ReleaseError as error:
        on_progress(f"{error}; the stack keeps its ImageTag")
        return None
    if not pushed:
        on_progress(
            f"image {tag} was not pushed (run make push{_choice(environment)}); the stack "
            "keeps its ImageTag"
        )
        return None
    on_progress(f"ImageTag={tag}")
    return tag


def _choice(environment: Environment) -> str:
    """Return what a make target needs to choose the environment; nothing for the default one."""
    return "" if environment.name == "default" else f" ENV={environment.name}"
