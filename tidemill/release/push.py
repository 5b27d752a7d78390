"""Build and push of the images: each to its registry of the stack, for the machines that run it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tidemill.release.errors import ReleaseError
from tidemill.release.processors import refuse_foreign_processors
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

    The consumer's image is for the processors of the stack's instances. The stack does not run the
    producer, so its image is for the processor of this machine's engine if no other is asked for.

    Args:
        environment: the environment of the stack with the registries.
        architecture: arm64 or amd64, the processor for the producer's image; None for the engine's.
        aws: the account of the stack.
        commands: the programs git and docker.

    Raises:
        ReleaseError: there is no stack or no revision, the engine cannot build for an architecture,
            or the build or the push fails.
    """
    refuse_changes(commands)
    tag = revision(commands)
    stack = aws.stack(environment.stack)
    if stack is None:
        raise ReleaseError(
            f"there is no stack {environment.stack!r} yet, so no registry to push to: "
            f"run make deploy ENV={environment.name} first"
        )
    wanted = {"consumer": PLATFORMS[stack.parameters["Architecture"]], "producer": architecture}
    missing = {
        image: platform
        for image, platform in wanted.items()
        if not aws.has_image(stack.outputs[REPOSITORIES[image]], tag)
    }
    refuse_foreign_processors(missing, commands)
    for image, platform in missing.items():
        repository = stack.outputs[REPOSITORIES[image]]
        _build(image, f"{repository}:{tag}", tag, platform, commands)
        _upload(repository, tag, aws, commands)
    return tag


def _build(image: str, name: str, tag: str, platform: str | None, commands: Commands) -> None:
    commands.run(
        [
            *("docker", "buildx", "build", "--load"),
            *(("--platform", f"linux/{platform}") if platform else ()),
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
