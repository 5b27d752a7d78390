"""Runs the signal function's own code, as the template has it, with stand-ins for AWS and time."""

from __future__ import annotations

import builtins
import importlib
from dataclasses import dataclass, field
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Final

from support.builders.fleets import product_template

if TYPE_CHECKING:
    from collections.abc import Mapping

START: Final = 1_800_000_000.0
"""Epoch seconds at which the function begins."""


@dataclass(slots=True)
class Sampled:
    """The function's output, its calls of AWS, and its duration (its own sleeps)."""

    lines: list[str] = field(default_factory=list)
    calls: list[tuple[str, str, Mapping[str, Any]]] = field(default_factory=list)
    seconds: float = 0.0


def sample(*, visible: int, in_flight: int, desired: int) -> Sampled:
    """Run the function once, with a queue and a group of this size.

    A call in the result is the service's name as boto3 has it, the method and its arguments.
    """
    properties = product_template()["Resources"]["SignalFunction"]["Properties"]
    module, _, handler = properties["Handler"].partition(".")
    assert module == "index", "CloudFormation puts inline code into a module of this name"
    sampled = Sampled()
    answers = {
        "get_queue_attributes": {
            "Attributes": {
                "ApproximateNumberOfMessages": str(visible),
                "ApproximateNumberOfMessagesNotVisible": str(in_flight),
            }
        },
        "describe_auto_scaling_groups": {"AutoScalingGroups": [{"DesiredCapacity": desired}]},
    }
    variables = dict.fromkeys(properties["Environment"]["Variables"], "")
    variables |= {"QUEUE_URL": "https://queue", "QUEUE_NAME": "shop-work", "GROUP_NAME": "shop"}
    modules = {
        "boto3": SimpleNamespace(client=lambda service: _Client(service, answers, sampled)),
        "os": SimpleNamespace(environ=variables),
        "time": _Time(sampled),
    }

    def load(name: str, *_: object) -> Any:  # noqa: ANN401 - a module or a stand-in
        return modules[name] if name in modules else importlib.import_module(name)

    world: dict[str, Any] = {
        "__builtins__": vars(builtins) | {"__import__": load, "print": sampled.lines.append}
    }
    exec(properties["InlineCode"], world)  # noqa: S102 - the product's own code
    world[handler]({}, None)
    return sampled


class _Client:
    """A client that answers every method with prepared data and records the call."""

    def __init__(self, service: str, answers: Mapping[str, Any], sampled: Sampled) -> None:
        self._service = service
        self._answers = answers
        self._sampled = sampled

    def __getattr__(self, method: str) -> Any:  # noqa: ANN401 - a method of any client
        def call(**arguments: Any) -> Any:  # noqa: ANN401 - boto3's own
            self._sampled.calls.append((self._service, method, arguments))
            return self._answers[method]

        return call


class _Time:
    """A clock that only sleeping moves."""

    def __init__(self, sampled: Sampled) -> None:
        self._sampled = sampled

    def time(self) -> float:
        return START + self._sampled.seconds

    def sleep(self, seconds: float) -> None:
        self._sampled.seconds += seconds
