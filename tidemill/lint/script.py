"""What a script says of the container that it runs: settings, stop timeout, network."""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

_COMMAND = re.compile(r"\b(?:docker|podman|nerdctl)\s+(run|stop)\b(.*)")
_ENVIRONMENT = ("--env", "-e")
_NETWORK = ("--network", "--net")
_STOP_TIMEOUT = ("--stop-timeout",)
_STOP_TIME = ("--time", "--timeout", "-t")
_NUMBER = re.compile(r"\d+(\.\d+)?")

STOP_DEFAULT = 10.0
"""Seconds that Docker gives a container to end (docker container run, --stop-timeout)."""


@dataclass(frozen=True, slots=True)
class Container:
    """The container of a script: `settings` are those of its variables that are plain numbers.

    `stop` is how many seconds it is given to end.
    """

    settings: Mapping[str, float] = field(default_factory=dict)
    stop: float = STOP_DEFAULT
    own_network: bool = True


def read_container(script: str) -> Container | None:
    """Return the container that a script runs first, None where it runs none."""
    run = next(_arguments(script, "run"), None)
    if run is None:
        return None
    settings = {}
    for setting in _values(run, _ENVIRONMENT):
        name, _, value = setting.partition("=")
        if _NUMBER.fullmatch(value):
            settings[name] = float(value)
    stop = _numbers(run, _STOP_TIMEOUT)
    for stopping in _arguments(script, "stop"):  # what `docker stop` says wins
        stop = _numbers(stopping, _STOP_TIME) or stop
    return Container(
        settings=settings,
        stop=stop[-1] if stop else STOP_DEFAULT,
        own_network="host" not in _values(run, _NETWORK),
    )


def _arguments(script: str, verb: str) -> Iterator[list[str]]:
    for line in script.replace("\\\n", " ").splitlines():
        found = _COMMAND.search(line)
        if found and found[1] == verb and not line.lstrip().startswith("#"):
            try:
                yield shlex.split(found[2], comments=True)
            except ValueError:  # a quotation that ends on another line
                yield found[2].split()


def _values(words: list[str], names: tuple[str, ...]) -> list[str]:
    """Return what follows an option of these names: the next word, behind `=`, or `-e` itself."""
    values = []
    for word, following in zip(words, [*words[1:], ""], strict=True):
        name, joined, value = word.partition("=")
        if name in names:
            values.append(value if joined else following)
        elif word[:2] in names:
            values.append(word[2:])
    return values


def _numbers(words: list[str], names: tuple[str, ...]) -> list[float]:
    return [float(value) for value in _values(words, names) if _NUMBER.fullmatch(value)]
