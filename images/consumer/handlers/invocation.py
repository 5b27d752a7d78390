"""One call of a handler's function: what it gets, and what its end means for each message."""

from __future__ import annotations

import logging
from contextlib import suppress
from functools import partial
from typing import TYPE_CHECKING, Any

from consumer.attempt import AttemptResult
from consumer.handlers.body_types import message_of, read_vehicle
from consumer.handlers.verdict import BadReturnError, of_entry, of_error, of_return, unfinished

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from consumer.handlers.api import Message
    from consumer.handlers.arrival import Arrival
    from consumer.handlers.handler import Extend
    from consumer.handlers.parameters import Parameters
    from consumer.handlers.verdict import Verdict

# One of those that user code has: this is about user code, and arrives like its own lines.
log = logging.getLogger(__name__)


class Invocation:
    """A call for one message, or for those of a batch whose bodies could be read.

    `places` are the messages' places among the arrivals.
    """

    __slots__ = ("_batch", "args", "messages", "named", "places")

    def __init__(
        self,
        parameters: Parameters,
        places: Sequence[int],
        bodies: list[object],
        messages: tuple[Message, ...],
    ) -> None:
        """Make the arguments from the bodies as they were read, and their messages."""
        self.places = places
        self.messages = messages
        self._batch = parameters.batch
        self.named: dict[str, Any] = {}
        first = bodies if self._batch else bodies[0]
        if parameters.message is None:
            self.args: tuple[object, ...] = (first,)
            return
        second = list(messages) if self._batch else messages[0]
        if parameters.message:
            self.args, self.named[parameters.message] = (first,), second
        else:
            self.args = (first, second)

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
        return [_failed(error, *(one.id for one in self.messages))] * len(self.messages)


def plan(
    parameters: Parameters, arrivals: Sequence[Arrival], extend: Extend
) -> tuple[list[Invocation], dict[int, Verdict]]:
    """Read the bodies.

    Returns:
        The calls to make, and the verdicts, by place, on the messages whose bodies cannot be read.
    """
    if parameters.batch:
        return _plan_batch(parameters, arrivals, extend)
    invocations: list[Invocation] = []
    refused: dict[int, Verdict] = {}
    for place, arrival in enumerate(arrivals):
        try:
            body, message = _read(parameters, arrival, partial(extend, place))
        except BaseException as error:  # noqa: BLE001 - a type's own checks are user code, too
            refused[place] = _failed(error, arrival.message_id)
        else:
            invocations.append(Invocation(parameters, (place,), [body], (message,)))
    return invocations, refused


def _plan_batch(
    parameters: Parameters, arrivals: Sequence[Arrival], extend: Extend
) -> tuple[list[Invocation], dict[int, Verdict]]:
    # The messages of a batch share one call, and so one time limit.
    on_extend = partial(_extend, extend, range(len(arrivals)))
    read: dict[int, tuple[object, Message]] = {}
    refused: dict[int, Verdict] = {}
    for place, arrival in enumerate(arrivals):
        try:
            read[place] = _read(parameters, arrival, on_extend)
        except BaseException as error:  # noqa: BLE001 - as for one message
            refused[place] = _failed(error, arrival.message_id)
    if not read:
        return [], refused
    bodies, messages = zip(*read.values(), strict=True)
    return [Invocation(parameters, [*read], list(bodies), messages)], refused


def _read(
    parameters: Parameters, arrival: Arrival, on_extend: Callable[[float], None]
) -> tuple[object, Message]:
    """Return the handler's first argument and the message."""
    if parameters.read is None:
        message = message_of(arrival, on_extend, read_vehicle(arrival))
        return message, message
    return parameters.read(arrival.body), message_of(arrival, on_extend)


def _failed(error: BaseException, *message_ids: str) -> Verdict:
    """Return the verdict; the traceback of a failure, but not of a decision, is logged."""
    verdict = of_error(error)
    if verdict.result is AttemptResult.FAILED:
        with suppress(BaseException):  # what user code has put into logging may raise anything
            log.warning("message %s failed", ", ".join(message_ids), exc_info=error)
    return verdict


def _extend(extend: Extend, places: Sequence[int], seconds: float) -> None:
    for place in places:
        extend(place, seconds)
