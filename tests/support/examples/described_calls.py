"""Calls of SQS as published examples describe them: `op` and the words of `case`."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Final

from botocore.loaders import Loader
from support.examples.kind import UnknownFieldError, alone
from support.examples.names import is_commentary

from shared.quotas import MAX_BYTES

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from support.examples.kind import Given

MODEL: Final = Loader().load_service_model("sqs", "service-2")
FIFO: Final = {"FifoQueue": "true"}


FIFO_ONLY: Final = ("ContentBasedDeduplication", "FifoThroughputLimit", "DeduplicationScope")
OTHER: Final = {
    "ContentBasedDeduplication": "true",
    "DelaySeconds": "1",
    "MaximumMessageSize": "1024",
    "MessageRetentionPeriod": "60",
    "ReceiveMessageWaitTimeSeconds": "1",
    "VisibilityTimeout": "31",
}
"""A value of each attribute that is not its default."""


@dataclass
class Call:
    """A call to SQS, as an example describes it.

    Attributes:
        operation: its name in the API.
        parameters: what it gets besides the queue; the rest is filled in.
        attributes: those of the queue, or of the queue that is to be created.
        absent: whether there is no such queue.
        lacking: parameters that it does not get.
        entries: what is special about the entries of a batch.
        existing: attributes of a queue of the same name that exists before.
    """

    operation: str
    parameters: dict[str, Any] = field(default_factory=dict)
    attributes: dict[str, str] = field(default_factory=dict)
    absent: bool = False
    lacking: set[str] = field(default_factory=set)
    entries: list[dict[str, Any]] = field(default_factory=lambda: [{}])
    existing: dict[str, str] | None = None

    def about(self, name: str, value: Any) -> bool:  # noqa: ANN401 - of any type
        """Take in a word of the description; return whether it is known."""
        first, _, rest = name.rpartition(" ")
        if name in WHOLE:
            WHOLE[name](self, value)
        elif first in STARTS:
            STARTS[first](self, rest, value)
        elif name in members(f"{self.operation}Request"):
            self.parameters[name] = value
        elif name in MODEL["shapes"]["QueueAttributeName"]["enum"]:
            self.attributes[name] = str(value)
        else:
            return False
        return True


def members(shape: str) -> Mapping[str, Any]:
    """Return the members of a structure of SQS's API."""
    found: Mapping[str, Any] = MODEL["shapes"].get(shape, {}).get("members", {})
    return found


def of_queue(call: Call, value: str) -> None:
    """Call a queue of this type, or one that does not exist."""
    assert value in {"fifo", "standard", "does not exist"}
    call.attributes |= FIFO if value == "fifo" else {}
    call.absent = value == "does not exist"


def with_bytes(call: Call, value: object) -> None:
    """Send a message of so many bytes, such as 1025 or ">1024"."""
    text = str(value)
    size = int(text.removeprefix(">")) + text.startswith(">")
    call.parameters["MessageBody"] = "x" * size


def with_long_entry(call: Call, _: object) -> None:
    """Send a batch whose second entry is longer than the queue takes."""
    longest = int(call.attributes.get("MaximumMessageSize", MAX_BYTES))
    call.entries = [{}, {"MessageBody": "x" * (longest + 1)}]


def with_entries(call: Call, value: int | list[dict[str, Any]]) -> None:
    """Send a batch with so many entries, or with these."""
    call.entries = value if isinstance(value, list) else [{} for _ in range(value)]


def with_fifo_attribute(call: Call, _: object) -> None:
    """Create a standard queue with an attribute that only FIFO queues have."""
    call.attributes["ContentBasedDeduplication"] = "true"


def lacking(call: Call, name: str, _: object) -> None:
    """Leave a parameter out."""
    call.lacking.add(name)


def with_attribute(call: Call, name: str, value: str) -> None:
    """Send a message attribute with a text."""
    call.parameters["MessageAttributes"] = {name: {"DataType": "String", "StringValue": value}}


def existing(call: Call, name: str, _: object) -> None:
    """Create a queue whose name is that of a queue with another value of an attribute."""
    call.existing = FIFO if name in FIFO_ONLY else {}
    call.attributes = {**call.existing, name: OTHER[name]}


WHOLE: Final[Mapping[str, Callable[[Call, Any], None]]] = {
    "queue": of_queue,
    "bytes": with_bytes,
    "one entry too long": with_long_entry,
    "entries": with_entries,
    "Entries": with_entries,
    "standard with FIFO attributes": with_fifo_attribute,
    "protocol": lambda _, __: None,  # the answers are the same
    "visibility expired": lambda _, __: None,  # every receipt handle here has expired
}
STARTS: Final[Mapping[str, Callable[[Call, str, Any], None]]] = {
    "no": lacking,
    "attribute": with_attribute,
    "existing, other": existing,
}
"""What the words of a description mean: whole ones, and those before a parameter's name."""


def call_of(given: Given) -> Call:
    """Return the call that an example describes.

    Raises:
        UnknownFieldError: a word of the description is not known.
    """
    call, case = Call(str(given["op"]).split(" ", 1)[0]), given["case"]
    if isinstance(case, str):
        parameter, _, value = case.partition(" ")
        case = {parameter: value}
    for name, value in ((name, alone(value)) for name, value in case.items()):
        if value is None or value is False or is_commentary(name):
            continue
        if not call.about(name, value):
            raise UnknownFieldError(f"unknown {name} in the case of a call of {call.operation}")
    return call
