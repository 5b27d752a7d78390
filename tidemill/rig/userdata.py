"""What an instance's user data makes of the consumer: the environment that `docker run` gives."""

from __future__ import annotations

import re
import shlex
from typing import TYPE_CHECKING

from tidemill.rig.errors import RigError

if TYPE_CHECKING:
    from collections.abc import Mapping

_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


def container_environment(user_data: str, variables: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the container that the script starts with `docker run`.

    Args:
        user_data: the launch template's script, the template's own functions resolved.
        variables: what the script's shell variables stand for, such as INSTANCE_ID.

    Raises:
        RigError: the script has no `docker run`, or uses a variable that is not among these.
    """
    words = _docker_run(user_data)
    environment: dict[str, str] = {}
    for option, argument in zip(words, [*words[1:], ""], strict=True):
        name, _, value = option.partition("=")
        if name in {"--env", "-e"}:
            name, _, value = (value or argument).partition("=")
            environment[name] = _expanded(value, variables)
    return environment


def _docker_run(user_data: str) -> list[str]:
    for line in user_data.replace("\\\n", " ").splitlines():
        if re.match(r"\s*docker\s+run\b", line):
            return shlex.split(line, comments=True)
    raise RigError("the launch template's user data has no `docker run`: no consumer to start")


def _expanded(value: str, variables: Mapping[str, str]) -> str:
    def replaced(match: re.Match[str]) -> str:
        name = match.group(1) or match.group(2)
        if name not in variables:
            raise RigError(f"user data: ${name} is not known outside an instance")
        return variables[name]

    return _VARIABLE.sub(replaced, value)
