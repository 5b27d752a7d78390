"""Build and push of the images: to the stack's registries, for its instances' architecture."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemill.release.errors import ReleaseError
from tidemill.release.revision import SOURCE, refuse_changes, revision

if TYPE_CHECKING:
    from tidemill.release.environment import Environment
    from tidemill.release.ports import Aws, Commands

REPOSITORIES = {"consumer": "ConsumerRepositoryUri", "producer": "ProducerRepositoryUri"}
"""The output of the stack with the URI of each image's repository."""

PLATFORMS = {"arm64": "arm64", "x86_64": "amd64"}
"""The container tools' names for the values of the template's Architecture."""


def push(environment: Environment, architecture: str | None, aws: Aws, commands: Commands) -> str:
    """Build and push the images that the registries do not have yet; return their tag.

    Args:
        environment: the environment of the stack with the registries.
        architecture: arm64 or amd64; None for the architecture of the stack's instances.
        aws: the account of the stack.
        commands: the programs git and docker.

    Raises:
        ReleaseError: there is no stack or no revision, or the build or the push fails.
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
            # One manifest per tag: the lifecycle rule counts each manifest as an image.
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
        given=login.password,  # every process can read the arguments of another one
    )
    commands.run(["docker", "push", f"{repository}:{tag}"])
