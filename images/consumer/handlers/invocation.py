"""One call of a handler's function: what it gets, and what its end means for each message."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING, Any

from consumer.handlers.body_types import message_of, read_vehicle
from consumer.handlers.verdict import BadReturnError, of_entry, of_error, of_return, unfinished
from consumer.logs.events import get_logger

if TYPE_CHECKING:
    from collections.abc import Sequence

    from consumer.handlers.api import Message
    from consumer.handlers.arrival import Arrival
    from consumer.handlers.handler import Extend
    from consumer.handlers.parameters import Parameters
    from consumer.handlers.verdict import Verdict

log = get_logger(__name__)


class Invocation:
    """A call for one message, or for those of a batch whose bodies could be read.

    `places` are the messages' places among the arrivals.
    """

    def __init__(self, parameters: Parameters, read: dict[int, tuple[object, Message]]) -> None:
        """Make the arguments from the bodies as they were read, and their messages."""
        self.places = [*read]
        self.messages = tuple(message for _, message in read.values())
        self._batch = parameters.batch
        bodies = [body for body, _ in read.values()]
        self.args: tuple[object, ...] = (bodies if self._batch else bodies[0],)
        self.named: dict[str, Any] = {}
        message = list(self.messages) if self._batch else self.messages[0]
        if parameters.message:
            self.named[parameters.message] = message
        elif parameters.message is not None:
            self.args += (message,)

    def returned(self, value: object) -> list[Verdict]:
        """Return the verdicts for what the function returned, awaited if it is async.

        Raises:
            BadReturnError: a batch handler's value does not say which messages are done.
        """
        if not self._batch:
            return [of_return(value)]
        if value is None or isinstance(value, BaseException):
            return [of_return(value)] * len(self.messages)
        if problem := unfinished(value):
            raise BadReturnError(problem)
        if not isinstance(value, (list, tuple)):
            raise BadReturnError(
                f"returned a {type(value).__name__}: a batch handler returns None, or a list "
                "with None or an exception for each message"
            )
        if len(value) != len(self.messages):
            raise BadReturnError(
                f"returned a list of {len(value)} for {len(self.messages)} messages: a batch "
                "handler returns None or an exception for each message"
            )
        return [of_entry(entry) for entry in value]

    def raised(self, error: BaseException) -> list[Verdict]:
        """Return the verdicts for an error, which concerns all messages of a batch."""
        for message in self.messages:
            log.debug(
                "handler failed", exc_info=error, extra={"fields": {"message_id": message.id}}
            )
        return [of_error(error)] * len(self.messages)


def plan(
    parameters: Parameters, arrivals: Sequence[Arrival], extend: Extend
) -> tuple[list[Invocation], dict[int, Verdict]]:
    """Read the bodies.

    Returns:
        The calls to make, and the verdicts, by place, on the messages whose bodies cannot be read.
    """
    read: dict[int, tuple[object, Message]] = {}
    refused: dict[int, Verdict] = {}
    together = range(len(arrivals)) if parameters.batch else None
    for place, arrival in enumerate(arrivals):
        # The messages of a batch share one call, and so one time limit.
        places = [place] if together is None else together
        try:
            message = message_of(arrival, partial(_extend, extend, places))
            if parameters.read is None:
                message = read_vehicle(message)
            body = message if parameters.read is None else parameters.read(arrival.body)
        except BaseException as error:  # noqa: BLE001 - a type's own checks are user code, too
            refused[place] = of_error(error)
        else:
            read[place] = body, message
    if parameters.batch:
        return ([Invocation(parameters, read)] if read else []), refused
    return [Invocation(parameters, {place: one}) for place, one in read.items()], refused


def _extend(extend: Extend, places: Sequence[int], seconds: float) -> None:
    for place in places:
        extend(place, seconds)
