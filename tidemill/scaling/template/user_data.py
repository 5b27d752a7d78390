"""What an instance's user data makes of the consumer: the environment that `docker run` gives."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from tidemill.scaling.errors import ScalingError

if TYPE_CHECKING:
    from collections.abc import Mapping

_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


class UserDataError(ScalingError):
    """The launch template's script sets the consumer up in a way that cannot be followed."""


class NoConsumerError(UserDataError):
    """The launch template's script starts no container."""


def container_environment(user_data: str, variables: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the container that the script starts with `docker run`.

    Args:
        user_data: the launch template's script, the template's own functions resolved.
        variables: what the script's shell variables stand for, such as INSTANCE_ID.

    Raises:
        NoConsumerError: the script has no `docker run`.
        UserDataError: it cannot be read, or takes a setting from where only an instance can look:
            a variable that is not among these, a command's output, a file.
    """
    settings = container_settings(user_data)
    return {name: _expanded(value, variables) for name, value in settings.items()}


def container_settings(user_data: str) -> dict[str, str]:
    """Return the environment as the script writes it, with its shell variables in it.

    Raises:
        NoConsumerError: the script has no `docker run`.
        UserDataError: it cannot be read, or takes settings from a file.
    """
    words = _docker_run(user_data)
    settings: dict[str, str] = {}
    for option, argument in zip(words, [*words[1:], ""], strict=True):
        setting = _setting(option, argument)
        if setting is not None:
            name, given, value = setting.partition("=")
            settings[name] = value if given else f"${name}"
    return settings


def _setting(option: str, argument: str) -> str | None:
    """Return NAME=VALUE, or the NAME that docker looks up, if this word begins a setting."""
    flag, joined, rest = option.partition("=")
    if flag == "--env-file":
        raise UserDataError(
            "user data: only an instance has the file of --env-file: give each setting by --env"
        )
    if flag in {"--env", "-e"}:
        return rest if joined else argument
    if option.startswith("-e"):
        return option.removeprefix("-e")
    return None


def _docker_run(user_data: str) -> list[str]:
    for line in user_data.replace("\\\n", " ").splitlines():
        if re.match(r"\s*docker\s+run\b", line):
            try:
                return shlex.split(line, comments=True)
            except ValueError as error:
                raise UserDataError(f"user data: cannot read its `docker run`: {error}") from error
    raise NoConsumerError(
        "the launch template's user data has no `docker run`: no consumer to start"
    )


def _expanded(value: str, variables: Mapping[str, str]) -> str:
    if "$(" in value or "`" in value:
        raise UserDataError(
            f"user data: {value}: a command's output is not known outside an instance"
        )

    def replaced(match: re.Match[str]) -> str:
        name = match.group(1) or match.group(2)
        if name not in variables:
            raise UserDataError(f"user data: ${name} is not known outside an instance")
        return variables[name]

    return _VARIABLE.sub(replaced, value)
