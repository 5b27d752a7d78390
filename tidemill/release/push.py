"""Builds the images for the stack's instances and pushes them to the stack's registries."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemill.release.errors import ReleaseError
from tidemill.release.revision import SOURCE, refuse_changes, revision

if TYPE_CHECKING:
    from tidemill.release.environment import Environment
    from tidemill.release.ports import Aws, Commands

REPOSITORIES = {"consumer": "ConsumerRepositoryUri", "producer": "ProducerRepositoryUri"}
"""By image, the output of the stack that says where it goes."""

PLATFORMS = {"arm64": "arm64", "x86_64": "amd64"}
"""By the template's Architecture, what container tools call it."""


def push(environment: Environment, architecture: str | None, aws: Aws, commands: Commands) -> str:
    """Build and push what the registries do not hold yet; return the images' tag.

    Args:
        environment: whose stack's registries to push to.
        architecture: arm64 or amd64; None for what the stack's instances have.
        aws: where the stack is.
        commands: git and docker.

    Raises:
        ReleaseError: there is no stack, or no revision, or building or pushing fails.
    """
    refuse_changes(commands)
    tag = revision(commands)
    stack = aws.stack(environment.stack)
    if stack is None:
        raise ReleaseError(
            f"there is no stack {environment.stack!r} yet, so no registry to push to: "
            f"run make deploy ENV={environment.name} first"
        )
    platform = PLATFORMS[stack.parameters["Architecture"]]
    if architecture not in {None, platform}:
        raise ReleaseError(
            f"ARCH={architecture}: the stack's instances are {platform}; leave ARCH out, or deploy "
            "with the parameter Architecture changed first"
        )
    for image, output in REPOSITORIES.items():
        repository = stack.outputs[output]
        if not aws.has_image(repository, tag):
            _build(image, f"{repository}:{tag}", tag, platform, commands)
            _upload(repository, tag, aws, commands)
    return tag


def _build(image: str, name: str, tag: str, platform: str, commands: Commands) -> None:
    commands.run(
        [
            *("docker", "buildx", "build", "--load", "--platform", f"linux/{platform}"),
            # One manifest for a tag: the lifecycle rule counts each as an image.
            "--provenance=false",
            *("--label", f"org.opencontainers.image.revision={tag}"),
            *("--file", f"{SOURCE}/{image}/Dockerfile", "--tag", name, SOURCE),
        ]
    )


def _upload(repository: str, tag: str, aws: Aws, commands: Commands) -> None:
    login = aws.login()
    registry = repository.partition("/")[0]
    commands.run(
        ["docker", "login", "--username", login.user, "--password-stdin", registry],
        given=login.password,  # not as an argument: those, every process can read
    )
    commands.run(["docker", "push", f"{repository}:{tag}"])
