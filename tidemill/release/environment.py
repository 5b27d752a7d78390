"""Environments of samconfig.toml: the stack, its region and its parameters."""

from __future__ import annotations

import shlex
import tomllib
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from tidemill.release.errors import ReleaseError

if TYPE_CHECKING:
    from collections.abc import Mapping


@dataclass(frozen=True, slots=True)
class Environment:
    """One environment; a region of None means the region in the settings of the AWS tools."""

    name: str
    stack: str
    region: str | None
    parameters: Mapping[str, str]


def read_environment(text: str, name: str) -> Environment:
    """Read the environment of this name from the text of samconfig.toml.

    Raises:
        ReleaseError: the text is not TOML, or does not describe the environment.
    """
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise ReleaseError(f"samconfig.toml is not valid TOML: {error}") from error
    known = [key for key, value in document.items() if isinstance(value, dict)]
    if name not in known:
        raise ReleaseError(
            f"samconfig.toml has no environment {name!r}: choose one of {', '.join(known)}"
        )
    settings = _parameters(document[name], "global") | _parameters(document[name], "deploy")
    stack = settings.get("stack_name")
    if not isinstance(stack, str):
        raise ReleaseError(f"samconfig.toml names no stack_name for the environment {name!r}")
    return Environment(
        name=name,
        stack=stack,
        region=settings.get("region"),
        parameters=_overrides(settings.get("parameter_overrides", [])),
    )


def _parameters(environment: Mapping[str, Any], command: str) -> dict[str, Any]:
    return dict(environment.get(command, {}).get("parameters", {}))


def _overrides(written: object) -> dict[str, str]:
    """Return the overrides by name; SAM accepts a command line's text, a list, or a table."""
    if isinstance(written, dict):
        return {str(name): str(value) for name, value in written.items()}
    if isinstance(written, str):
        words = shlex.split(written)
    elif isinstance(written, list):
        words = [word for item in written for word in shlex.split(str(item))]
    else:
        raise ReleaseError('parameter_overrides in samconfig.toml: write ["Name=value", ...]')
    return {name: value for name, _, value in (word.partition("=") for word in words)}
