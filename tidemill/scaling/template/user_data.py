"""User data of an instance: the container that its script runs, and that container's settings.

Lint, rig and simulator all use this reader, so that all three accept the same scripts.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

from tidemill.scaling.errors import ScalingError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

ENGINES = frozenset({"docker", "nerdctl", "podman"})
"""Programs that run containers and take Docker's options."""

STOP_DEFAULT = 10.0
"""Seconds for a container to end after SIGTERM (docker container run, --stop-timeout)."""

_ENVIRONMENT = ("--env", "-e")
_ENVIRONMENT_FILE = "--env-file"
_NETWORK = ("--network", "--net")
_STOP_TIMEOUT = ("--stop-timeout",)
_STOP_TIME = ("--time", "--timeout", "-t")

_RUN, _STOP = "run", "stop"
_SEPARATORS = frozenset({";", "&", "&&", "|", "||"})
_PRINTING = frozenset({"echo", "logger", "printf"})
"""Programs that only print the words of a command."""
_OPENING = re.compile(r".*[=;&|({`]")
"""The part of a word that a program may follow without a space: ExecStart=, $(, (, a separator."""

_NUMBER = re.compile(r"\d+(\.\d+)?")
_VARIABLE = re.compile(r"\$(?:\{(\w+)\}|(\w+))")


class UserDataError(ScalingError):
    """The settings in the launch template's script cannot be read, or exist only on an instance."""


class NoConsumerError(UserDataError):
    """The launch template's script starts no container."""


@dataclass(frozen=True, slots=True)
class Container:
    """The container that a script runs.

    `settings` is its environment as written in the script: values may contain shell variables, and
    a name without a value is the shell variable of this name. `stop_seconds` is its time limit for
    ending after SIGTERM. `own_network` is false if it uses the network of its instance.
    `unreadable` is the reason why the command cannot be read completely, empty if it can.
    """

    settings: Mapping[str, str] = field(default_factory=dict)
    stop_seconds: float = STOP_DEFAULT
    own_network: bool = True
    unreadable: str = ""

    def numbers(self) -> dict[str, float]:
        """Return the settings whose values are plain numbers."""
        return {
            name: float(value) for name, value in self.settings.items() if _NUMBER.fullmatch(value)
        }


def read_container(script: str) -> Container | None:
    """Return the first container that a script runs, None if it runs none.

    It recognizes `docker run`, `podman run` and `nerdctl run`, also with `container` before `run`,
    with the program's path, and after other words such as sudo, exec, `if` or a variable's value.
    """
    command = next(_commands(script, _RUN), None)
    if command is None:
        return None
    words = command.words
    stop = _numbers(words, _STOP_TIMEOUT)
    for stopping in _commands(script, _STOP):  # a time in `docker stop` overrides --stop-timeout
        stop = _numbers(stopping.words, _STOP_TIME) or stop
    return Container(
        settings=dict(map(_setting, _values(words, _ENVIRONMENT))),
        stop_seconds=stop[-1] if stop else STOP_DEFAULT,
        own_network="host" not in _values(words, _NETWORK),
        unreadable=command.problem or _problem(words),
    )


def container_settings(user_data: str) -> dict[str, str]:
    """Return the environment of the script's container, with shell variables not yet replaced.

    Raises:
        NoConsumerError: the script runs no container.
        UserDataError: the script cannot be read, or the container reads settings from a file.
    """
    container = read_container(user_data)
    if container is None:
        raise NoConsumerError(
            "the launch template's user data has no `docker run`: no consumer to start"
        )
    if container.unreadable:
        raise UserDataError(f"user data: {container.unreadable}")
    return dict(container.settings)


def container_environment(user_data: str, variables: Mapping[str, str]) -> dict[str, str]:
    """Return the environment of the script's container, with its shell variables replaced.

    Args:
        user_data: the launch template's script, the template's own functions resolved.
        variables: the values of the script's shell variables, such as INSTANCE_ID.

    Raises:
        NoConsumerError: the script runs no container.
        UserDataError: the script cannot be read, or a setting is known only on an instance: another
            variable, a command's output, or a file.
    """
    settings = container_settings(user_data)
    return {name: _expanded(value, variables) for name, value in settings.items()}


@dataclass(frozen=True, slots=True)
class _Command:
    """One command to a container engine: the words after its verb, and its problem, if any."""

    words: list[str]
    problem: str = ""


def _commands(script: str, verb: str) -> Iterator[_Command]:
    """Yield the script's commands to a container engine with this verb, in their order."""
    for line in script.replace("\\\n", " ").splitlines():
        if not any(engine in line for engine in ENGINES):
            continue
        words, problem = _words(line)
        while words:
            program, found, words = _next_command(words)
            if program == verb:
                yield _Command(found, problem)


def _words(line: str) -> tuple[list[str], str]:
    """Return the words of a line without its comment, and a problem with its quotes, if any."""
    try:
        return shlex.split(line, comments=True), ""
    except ValueError as error:  # a quotation that ends on another line
        words = [] if line.lstrip().startswith("#") else line.split()
        return words, f"cannot read its `docker run`: {error}"


def _next_command(words: list[str]) -> tuple[str, list[str], list[str]]:
    """Return the verb of the first command, the words after it, and the words of later commands.

    The verb is empty if the command does not use a container engine.
    """
    end = _end_of_command(words)
    command, rest = words[:end], words[end + 1 :]
    if _program(command[0] if command else "") in _PRINTING:
        return "", [], rest
    for at, word in enumerate(command):
        if _program(word) in ENGINES:
            verb, arguments = _verb(command[at + 1 :])
            if verb:
                return verb, arguments, rest
    return "", [], rest


def _end_of_command(words: list[str]) -> int:
    """Return the position of the first separator that is not inside an unquoted $(...)."""
    depth = 0
    for at, word in enumerate(words):
        depth += word.count("$(") - word.count(")")
        if word in _SEPARATORS and depth <= 0:
            return at
    return len(words)


def _program(word: str) -> str:
    return PurePosixPath(_OPENING.sub("", word)).name


def _verb(words: list[str]) -> tuple[str, list[str]]:
    """Return the verb, run or stop, after an engine's options, and the words after the verb.

    The verb is empty for other commands of an engine.
    """
    option = False
    for at, word in enumerate(words):
        if word in {_RUN, _STOP}:
            return word, words[at + 1 :]
        if not (word.startswith("-") or option or word == "container"):
            break
        option = word.startswith("-") and "=" not in word
    return "", []


def _values(words: list[str], names: tuple[str, ...]) -> list[str]:
    """Return the values of the options with these names: `--env A`, `--env=A`, `-e A` or `-eA`."""
    values = []
    for word, following in zip(words, [*words[1:], ""], strict=True):
        name, joined, value = word.partition("=")
        if name in names:
            values.append(value if joined else following)
        elif word[:2] in names:
            values.append(word[2:])
    return values


def _setting(setting: str) -> tuple[str, str]:
    name, given, value = setting.partition("=")
    return name, value if given else f"${name}"


def _numbers(words: list[str], names: tuple[str, ...]) -> list[float]:
    return [float(value) for value in _values(words, names) if _NUMBER.fullmatch(value)]


def _problem(words: list[str]) -> str:
    if any(word.partition("=")[0] == _ENVIRONMENT_FILE for word in words):
        return "the file of --env-file exists only on an instance: give each setting by --env"
    return ""


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
